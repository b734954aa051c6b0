//! `demo`: a made-up company in the lab on this machine, scanned with the real connectors over real HTTP.

use grantwarden_kit::secret::SecretRef;
use grantwarden_lab::{Lab, Org, World};

use super::{
    Failure,
    args::{DemoArgs, Global},
    is_watched, kit, output,
    progress::Progress,
};
use crate::{
    config::{Auth, TenantEntry},
    exit::Exit,
    policy::Policy,
    scan::{self, Observer, Silent},
};

/// The demo company.
const WORLD: &str = include_str!("../../fixtures/worlds/demo.toml");

pub(super) async fn run(global: &Global, arguments: &DemoArgs) -> Result<Exit, Failure> {
    let world = World::parse(WORLD).map_err(|error| Failure::new(Exit::Internal, &error))?;
    let lab = Lab::start(world).await.map_err(|error| Failure::new(Exit::Internal, &error))?;
    // The keys are made for this run; a folder that goes with it keeps them out of the arguments and the environment.
    let folder = tempfile::tempdir()?;
    let tenants: Vec<TenantEntry> = lab
        .salesforce_orgs()
        .iter()
        .map(|org| tenant(org, folder.path()))
        .collect::<Result<_, _>>()?;
    let progress = Progress::default();
    let observer: &dyn Observer = if is_watched() { &progress } else { &Silent };
    let inventory = scan::run(&tenants, None, &kit(), observer).await?;
    if let Some(path) = &arguments.export {
        output::atomically(path, |to| inventory.export(to).map_err(Failure::from))?;
    }
    let policy = Policy::default();
    let judged = scan::judge(&inventory, &policy, inventory.header.taken_at)?;
    output::to_stdout(&judged, arguments.format, global)?;
    // The demo did what it is for, whatever it found.
    Ok(Exit::Clean)
}

fn tenant(org: &Org, folder: &std::path::Path) -> Result<TenantEntry, Failure> {
    let client = org.client();
    let key = folder.join(format!("{}.pem", org.name()));
    output::atomically(&key, |to| Ok(to.write_all(client.private_key_pem.as_bytes())?))?;
    Ok(TenantEntry {
        name: org.name().to_owned(),
        platform: "salesforce".to_owned(),
        base_url: org.base_url().parse().map_err(|error| Failure::new(Exit::Internal, &error))?,
        token_url: None,
        audience: Some(client.audience.clone()),
        hosts: Vec::new(),
        account: None,
        import: Default::default(),
        certificate_authorities: None,
        auth: Auth::JwtBearer {
            client_id: client.client_id.clone(),
            username: client.username.clone(),
            private_key: SecretRef::File(key),
            key_id: None,
        },
        skip: Vec::new(),
        buckets: Default::default(),
        keep_quota_percent: 10,
    })
}
