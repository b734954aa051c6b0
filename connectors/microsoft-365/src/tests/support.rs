//! A lab with one directory, and how to scan it.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use grantwarden_kit::{
    auth::Credentials,
    clock::TestClock,
    connector::{Connector as _, Kit, Revoke, Session, Sink, TenantConfig},
    error::Result,
    memory::Memory,
    model::{App, AuditEvent, Coverage, Credential, Grant, Part, Record, Tenant},
    secret::Secret,
    testing::StandIn,
};
use grantwarden_lab::{Effect, EntraScale, EntraTenant, Fault, Lab, World};
use tokio_util::sync::CancellationToken;

use crate::Microsoft365;

pub(super) const SMALL: &str = include_str!("../../../../fixtures/worlds/microsoft-small.toml");
/// The time of the small world.
pub(super) const NOW: &str = "2026-01-15T12:00:00Z";
pub(super) const EMPTY: &str = r#"
[[microsoft_365]]
name = "Empty Directory"
behaviour = { quota = false }

[microsoft_365.scanner]
application = "Grantwarden"
roles = ["Application.Read.All", "Directory.Read.All", "AuditLog.Read.All", "Policy.Read.All", "Policy.Read.PermissionGrant", "RoleManagement.Read.Directory"]

[[microsoft_365.application]]
name = "Grantwarden"

[[microsoft_365.service_principal]]
name = "Microsoft Graph"
app_id = "00000003-0000-0000-c000-000000000000"
owner = "microsoft"
app_roles = ["Application.Read.All", "Directory.Read.All", "AuditLog.Read.All", "Policy.Read.All", "Policy.Read.PermissionGrant", "RoleManagement.Read.Directory"]
scopes = ["User.Read"]
"#;

/// A lab with one directory.
pub(super) struct OneDirectory {
    lab: Lab,
    pub(super) memory: Option<PathBuf>,
    pub(super) skip: Vec<String>,
}

impl OneDirectory {
    /// At the machine's time.
    pub(super) async fn start(world: World) -> Self {
        let lab = Lab::start(world).await.unwrap();
        Self { lab, memory: None, skip: Vec::new() }
    }

    /// At the time of the small world.
    pub(super) async fn then(world: World) -> Self {
        let lab = Lab::builder().now(NOW.parse().unwrap()).start(world).await.unwrap();
        Self { lab, memory: None, skip: Vec::new() }
    }

    /// The small world, with switches of the lab's.
    pub(super) async fn small_with(switches: &str) -> Self {
        let text = format!("name = \"Small Directory\"\nbehaviour = {{ quota = false{switches} }}");
        let text = SMALL.replacen("name = \"Small Directory\"", &text, 1);
        Self::then(World::parse(&text).unwrap()).await
    }

    pub(super) async fn small() -> Self {
        Self::small_with("").await
    }

    /// The small world at the machine's time, for what lives by it.
    pub(super) async fn small_now() -> Self {
        let text = SMALL.replacen(
            "[[microsoft_365]]",
            "[[microsoft_365]]\nbehaviour = { quota = false }",
            1,
        );
        let text = text.replace("secret_end = \"2026", "secret_end = \"2036");
        let text = text.replace("certificate_end = \"2026", "certificate_end = \"2036");
        // The audit log goes back a month.
        let days: Vec<&str> = text
            .lines()
            .map(|line| if line.starts_with("at = \"2026-01-0") { "at = \"-5d\"" } else { line })
            .collect();
        let text = days.join("\n");
        Self::start(World::parse(&text).unwrap()).await
    }

    pub(super) fn tenant(&self) -> &EntraTenant {
        &self.lab.entra_tenants()[0]
    }

    pub(super) fn config(&self) -> TenantConfig {
        let client = self.tenant().client();
        TenantConfig {
            name: "test".into(),
            base_url: self.tenant().base_url().parse().unwrap(),
            token_url: None,
            account: Some(client.tenant_id),
            imports: Default::default(),
            memory: self.memory.clone().map(Memory::at),
            audience: None,
            hosts: Vec::new(),
            certificate_authorities: None,
            credentials: Credentials::PrivateKeyJwt {
                client_id: client.client_id,
                private_key: Secret::new(client.private_key_pem),
                key_id: None,
                certificate: Some(client.certificate_pem.into_bytes()),
                scopes: Vec::new(),
            },
            skip: self.skip.clone(),
            buckets: Default::default(),
            keep_quota_percent: 0,
        }
    }

    /// Scans at the time of the small world.
    pub(super) async fn scan(&self) -> Scan {
        let session = self.session();
        session.sign_in().await.unwrap();
        let (sink, mut stream) = Sink::bounded(64);
        let reading = async {
            let mut records = Vec::new();
            while let Some(record) = stream.recv().await {
                records.push(record);
            }
            records
        };
        let writing = async {
            let sink = sink;
            session.collect(&sink).await
        };
        let (records, coverage) = tokio::join!(reading, writing);
        Scan { records, coverage }
    }

    pub(super) fn session(&self) -> Box<dyn Session> {
        Microsoft365.open(self.config(), kit_at(NOW)).unwrap()
    }

    pub(super) fn revoker(&self) -> Box<dyn Revoke> {
        Microsoft365.open_revoker(self.config(), kit_at(NOW)).unwrap()
    }
}

/// A world of so many grants.
pub(super) fn scale(grants: usize, switches: &str) -> World {
    let text =
        EMPTY.replace("behaviour = { quota = false }", &format!("behaviour = {{ {switches} }}"));
    World::parse(&text).unwrap().grow_microsoft(&EntraScale {
        principals: 2_000,
        applications: 300,
        users: 5_000,
        grants,
        resources: 60,
        seed: 7,
        now: NOW.parse().unwrap(),
    })
}

/// What a scan gave.
pub(super) struct Scan {
    pub(super) records: Vec<Record>,
    pub(super) coverage: Coverage,
}

/// Waiting is free.
pub(super) fn kit_at(now: &str) -> Kit {
    let clock = Arc::new(TestClock::at(now.parse().unwrap()));
    Kit { clock, cancel: CancellationToken::new() }
}

#[async_trait]
impl StandIn for OneDirectory {
    fn open(&self, kit: Kit) -> Result<Box<dyn Session>> {
        Microsoft365.open(self.config(), kit)
    }

    fn inject(&self, fault: Fault) {
        self.tenant().inject(fault);
    }

    fn expire_sessions(&self) {
        self.tenant().inject(Fault::new(Effect::ExpireSessions).times(1));
    }

    fn secrets(&self) -> Vec<String> {
        let client = self.tenant().client();
        // `{"alg":"` and `{"typ":"`, with which access tokens and assertions begin, and how an access token ends.
        let tokens = ["eyJhbGciOiJ", "eyJ0eXAiOiJ", ".FAKE"].map(ToOwned::to_owned);
        tokens.into_iter().chain([client.client_secret, client.private_key_pem]).collect()
    }
}

pub(super) fn part<'a>(outcome: &'a Scan, facet: &str) -> &'a Part {
    outcome.coverage.parts.iter().find(|part| part.facet == facet).unwrap()
}

pub(super) fn tenant(outcome: &Scan) -> &Tenant {
    match &outcome.records[0] {
        Record::Tenant(tenant) => tenant,
        other => panic!("the first record is {other:?}"),
    }
}

pub(super) fn apps(outcome: &Scan) -> impl Iterator<Item = &App> {
    outcome.records.iter().filter_map(|record| match record {
        Record::App(app) => Some(app),
        _ => None,
    })
}

pub(super) fn app<'a>(outcome: &'a Scan, name: &str) -> &'a App {
    apps(outcome).find(|app| app.name == name).unwrap_or_else(|| panic!("no app {name}"))
}

pub(super) fn grants(outcome: &Scan) -> impl Iterator<Item = &Grant> {
    outcome.records.iter().filter_map(|record| match record {
        Record::Grant(grant) => Some(grant.as_ref()),
        _ => None,
    })
}

pub(super) fn grants_of<'a>(outcome: &'a Scan, app: &str) -> Vec<&'a Grant> {
    grants(outcome).filter(|grant| grant.app_name == app).collect()
}

pub(super) fn credentials(outcome: &Scan) -> impl Iterator<Item = &Credential> {
    outcome.records.iter().filter_map(|record| match record {
        Record::Credential(credential) => Some(credential),
        _ => None,
    })
}

pub(super) fn events(outcome: &Scan) -> impl Iterator<Item = &AuditEvent> {
    outcome.records.iter().filter_map(|record| match record {
        Record::AuditEvent(event) => Some(event),
        _ => None,
    })
}

/// The value of a setting of an app.
pub(super) fn setting<'a>(app: &'a App, name: &str) -> Option<&'a str> {
    let setting = app.settings.iter().find(|setting| setting.name == name)?;
    setting.value.known().map(String::as_str)
}
