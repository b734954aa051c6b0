//! A lab with one org, and how to scan it.

use std::sync::Arc;

use async_trait::async_trait;
use grantwarden_kit::{
    auth::Credentials,
    clock::{Clock as _, SystemClock, TestClock},
    connector::{Connector as _, Kit, Session, Sink, TenantConfig},
    error::Result,
    model::{App, AuditEvent, Coverage, Credential, Grant, Part, Record, Tenant, Timestamp, Usage},
    secret::Secret,
    testing::StandIn,
};
use grantwarden_lab::{Effect, Fault, Lab, OktaClient, OktaOrg, OktaScale, World, okta::OktaWorld};
use tokio_util::sync::CancellationToken;

use crate::Okta;

const SMALL: &str = include_str!("../../../../fixtures/worlds/okta-small.toml");
/// The time that the small world is written for.
const THEN: &str = "2026-01-15T12:00:00Z";

/// A lab with one org.
pub(super) struct OneOrg {
    lab: Lab,
    pub(super) skip: Vec<String>,
    /// In place of a key.
    pub(super) token: Option<String>,
}

impl OneOrg {
    /// At the machine's time.
    pub(super) async fn start(world: World) -> Self {
        let lab = Lab::start(world).await.unwrap();
        let skip = ["user-grants", "cross-app-access"].map(ToOwned::to_owned);
        Self { lab, skip: skip.to_vec(), token: None }
    }

    /// The small world, as if it were written for today, with a change.
    pub(super) async fn small_with(change: impl FnOnce(&mut OktaWorld)) -> Self {
        let mut world = World::parse(&today(SMALL)).unwrap();
        world.okta[0].behaviour.quota = false;
        change(&mut world.okta[0]);
        Self::start(world).await
    }

    pub(super) async fn small() -> Self {
        Self::small_with(|_| {}).await
    }

    /// An org without anything that a third party holds.
    pub(super) async fn empty_with(change: impl FnOnce(&mut OktaWorld)) -> Self {
        let mut world = World::generate_okta(&nothing());
        world.okta[0].behaviour.quota = false;
        change(&mut world.okta[0]);
        Self::start(world).await
    }

    pub(super) fn org(&self) -> &OktaOrg {
        &self.lab.okta_orgs()[0]
    }

    pub(super) fn config_of(&self, client: OktaClient) -> TenantConfig {
        TenantConfig {
            name: "test".into(),
            base_url: self.org().base_url().parse().unwrap(),
            token_url: None,
            account: None,
            imports: Default::default(),
            memory: None,
            audience: None,
            hosts: Vec::new(),
            certificate_authorities: None,
            credentials: match &self.token {
                Some(token) => Credentials::Static { token: Secret::new(token.clone()) },
                None => Credentials::PrivateKeyJwt {
                    client_id: client.client_id,
                    private_key: Secret::new(client.private_key_pem),
                    key_id: Some(client.key_id),
                    certificate: None,
                    scopes: Vec::new(),
                },
            },
            skip: self.skip.clone(),
            buckets: Default::default(),
            keep_quota_percent: 0,
        }
    }

    pub(super) fn config(&self) -> TenantConfig {
        self.config_of(self.org().client())
    }

    pub(super) fn session(&self) -> Box<dyn Session> {
        Okta.open(self.config(), kit()).unwrap()
    }

    #[cfg(feature = "revoke")]
    pub(super) fn revoker(&self) -> Box<dyn grantwarden_kit::connector::Revoke> {
        Okta.open_revoker(self.config_of(self.org().revoker()), kit()).unwrap()
    }

    pub(super) async fn scan(&self) -> Scan {
        let session = self.session();
        session.sign_in().await.unwrap();
        scan(session.as_ref()).await
    }
}

/// What a scan gave.
pub(super) struct Scan {
    pub(super) records: Vec<Record>,
    pub(super) coverage: Coverage,
}

/// Scans, with what apps did at the end.
pub(super) async fn scan(session: &dyn Session) -> Scan {
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
        let coverage = session.collect(&sink).await;
        session.usage().unwrap().usage(&sink).await;
        coverage
    };
    let (records, coverage) = tokio::join!(reading, writing);
    Scan { records, coverage }
}

/// The machine's time; waiting is free.
pub(super) fn kit() -> Kit {
    let clock = Arc::new(TestClock::at(SystemClock.now()));
    Kit { clock, cancel: CancellationToken::new() }
}

fn nothing() -> OktaScale {
    OktaScale {
        users: 0,
        apps: 0,
        oidc_apps: 0,
        refresh_tokens: 0,
        grants: 0,
        api_tokens: 0,
        seed: 1,
        now: SystemClock.now().to_string().parse().unwrap(),
    }
}

/// A world of so many refresh tokens.
pub(super) fn scale(refresh_tokens: usize) -> World {
    World::generate_okta(&OktaScale {
        users: 400,
        apps: 24,
        oidc_apps: 12,
        grants: 40,
        api_tokens: 5,
        refresh_tokens,
        ..nothing()
    })
}

/// The large world of the lab.
pub(super) fn large() -> World {
    World::generate_okta(&OktaScale::large(7, nothing().now))
}

/// The world with its dates as far back from now as they were from the time that it was written for.
fn today(world: &str) -> String {
    let then: Timestamp = THEN.parse().unwrap();
    let mut parts = world.split('"');
    let mut text = parts.next().unwrap().to_owned();
    let mut is_quoted = true;
    for part in parts {
        text.push('"');
        match part.parse::<Timestamp>() {
            Ok(at) if is_quoted && at < then => {
                text.push_str(&format!("-{}s", at.until(then).as_secs()));
            }
            Ok(at) if is_quoted => text.push_str(&format!("+{}s", then.until(at).as_secs())),
            _ => text.push_str(part),
        }
        is_quoted = !is_quoted;
    }
    text
}

/// How long ago a time of the small world is, by the machine's clock.
pub(super) fn moved(at: &str) -> Timestamp {
    let (at, then): (Timestamp, Timestamp) = (at.parse().unwrap(), THEN.parse().unwrap());
    if at < then {
        SystemClock.now().minus(at.until(then))
    } else {
        SystemClock.now().plus(then.until(at))
    }
}

/// Whether two times are the same, but for the time that a test takes.
pub(super) fn is_near(a: Timestamp, b: Timestamp) -> bool {
    a.until(b).as_secs() + b.until(a).as_secs() < 120
}

#[async_trait]
impl StandIn for OneOrg {
    fn open(&self, kit: Kit) -> Result<Box<dyn Session>> {
        Okta.open(self.config(), kit)
    }

    fn inject(&self, fault: Fault) {
        self.org().inject(fault);
    }

    fn expire_sessions(&self) {
        self.org().inject(Fault::new(Effect::ExpireSessions).times(1));
    }

    fn secrets(&self) -> Vec<String> {
        // How access tokens, assertions and proofs begin, and what the lab puts into secrets.
        let tokens = ["eyJhbGciOiJ", "eyJ0eXAiOiJ", "eyJraWQiOiJ", "client_secret\":"];
        let own = self.org().client().private_key_pem;
        tokens.map(ToOwned::to_owned).into_iter().chain([own]).collect()
    }
}

pub(super) fn part<'a>(scan: &'a Scan, facet: &str) -> &'a Part {
    scan.coverage.parts.iter().find(|part| part.facet == facet).unwrap()
}

pub(super) fn tenant(scan: &Scan) -> &Tenant {
    match &scan.records[0] {
        Record::Tenant(tenant) => tenant,
        other => panic!("the first record is {other:?}"),
    }
}

pub(super) fn apps(scan: &Scan) -> impl Iterator<Item = &App> {
    scan.records.iter().filter_map(|record| match record {
        Record::App(app) => Some(app),
        _ => None,
    })
}

pub(super) fn app<'a>(scan: &'a Scan, name: &str) -> &'a App {
    apps(scan).find(|app| app.name == name).unwrap_or_else(|| panic!("no app {name}"))
}

pub(super) fn grants(scan: &Scan) -> impl Iterator<Item = &Grant> {
    scan.records.iter().filter_map(|record| match record {
        Record::Grant(grant) => Some(grant.as_ref()),
        _ => None,
    })
}

pub(super) fn grants_of<'a>(scan: &'a Scan, app: &str) -> Vec<&'a Grant> {
    grants(scan).filter(|grant| grant.app_name == app).collect()
}

pub(super) fn credentials(scan: &Scan) -> impl Iterator<Item = &Credential> {
    scan.records.iter().filter_map(|record| match record {
        Record::Credential(credential) => Some(credential),
        _ => None,
    })
}

pub(super) fn events(scan: &Scan) -> impl Iterator<Item = &AuditEvent> {
    scan.records.iter().filter_map(|record| match record {
        Record::AuditEvent(event) => Some(event),
        _ => None,
    })
}

pub(super) fn usages(scan: &Scan) -> impl Iterator<Item = &Usage> {
    scan.records.iter().filter_map(|record| match record {
        Record::Usage(usage) => Some(usage),
        _ => None,
    })
}

/// The value of a setting.
pub(super) fn setting<'a>(
    settings: &'a [grantwarden_kit::model::Setting],
    name: &str,
) -> Option<&'a str> {
    let setting = settings.iter().find(|setting| setting.name == name)?;
    setting.value.known().map(String::as_str)
}
