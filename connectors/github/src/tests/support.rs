//! A lab with one GitHub, and how to scan it.

use std::sync::Arc;

use async_trait::async_trait;
use grantwarden_kit::{
    auth::Credentials,
    clock::TestClock,
    connector::{Connector as _, Kit, Revoke, Session, Sink, TenantConfig},
    error::Result,
    model::{App, AuditEvent, Coverage, Grant, Part, Record, Tenant},
    secret::Secret,
    testing::StandIn,
};
use grantwarden_lab::{Effect, Fault, GithubScale, GithubTenant, Lab, World};
use tokio_util::sync::CancellationToken;

use crate::GitHub;

pub(super) const SMALL: &str = include_str!("../../../../fixtures/worlds/github-small.toml");
/// The time of the small world.
pub(super) const NOW: &str = "2026-01-15T12:00:00Z";
pub(super) const ENTERPRISE: &str = "enterprises/small-corp";

/// A lab with one GitHub that matters.
pub(super) struct OneHost {
    pub(super) lab: Lab,
    pub(super) name: &'static str,
    pub(super) account: String,
    pub(super) skip: Vec<String>,
    /// In place of the app.
    pub(super) token: Option<String>,
}

/// The small world without limits, and with switches of the lab's for its first host.
fn small_world(switches: &str) -> World {
    let behaviour = format!("name = \"Small GitHub\"\nbehaviour = {{ quota = false{switches} }}\n");
    let text = SMALL.replacen("name = \"Small GitHub\"\n", &behaviour, 1);
    let mut world = World::parse(&text).unwrap();
    world.github.iter_mut().for_each(|host| host.behaviour.quota = false);
    world
}

/// The small world at the machine's time: the log goes back half a year, and what is listed has something in it.
fn recent_world() -> World {
    let mut in_log = false;
    let recent = SMALL.lines().map(|line| {
        in_log = if line.starts_with("[[") { line == "[[github.audit]]" } else { in_log };
        match in_log && line.starts_with("at = ") {
            true => "at = \"-20d\"",
            false => line,
        }
    });
    let text = recent.collect::<Vec<_>>().join("\n");
    let text = text.replacen(
        "outside_of = [\"small\"]",
        "outside_of = [\"small\"]\nssh_keys = [\"olaf's laptop\"]",
        1,
    );
    let mut world = World::parse(&text).unwrap();
    world.github.iter_mut().for_each(|host| host.behaviour.quota = false);
    world
}

impl OneHost {
    pub(super) async fn start(world: World, name: &'static str, account: &str) -> Self {
        let lab = Lab::start(world).await.unwrap();
        Self { lab, name, account: account.to_owned(), skip: Vec::new(), token: None }
    }

    async fn then(world: World, name: &'static str, account: &str) -> Self {
        let lab = Lab::builder().now(NOW.parse().unwrap()).start(world).await.unwrap();
        Self { lab, name, account: account.to_owned(), skip: Vec::new(), token: None }
    }

    /// An organisation of Enterprise Cloud with everything, at the time of the small world.
    pub(super) async fn small() -> Self {
        Self::small_with("").await
    }

    pub(super) async fn small_with(switches: &str) -> Self {
        Self::then(small_world(switches), "Small GitHub", "small").await
    }

    /// The same at the machine's time, for what lives by it.
    pub(super) async fn small_now() -> Self {
        Self::start(recent_world(), "Small GitHub", "small").await
    }

    pub(super) async fn labs() -> Self {
        Self::then(small_world(""), "Small GitHub", "small-labs").await
    }

    pub(super) async fn enterprise() -> Self {
        Self::then(small_world(""), "Small GitHub", ENTERPRISE).await
    }

    pub(super) async fn server() -> Self {
        Self::then(small_world(""), "Small Server", "workshop").await
    }

    pub(super) async fn team(account: &str) -> Self {
        Self::then(small_world(""), "Small Team", account).await
    }

    pub(super) fn tenant(&self) -> &GithubTenant {
        self.lab.github(self.name).unwrap()
    }

    pub(super) fn app(&self) -> Credentials {
        let client = self.tenant().client();
        let private_key = Secret::new(client.private_key_pem);
        Credentials::GithubApp { client_id: client.client_id, private_key }
    }

    fn credentials(&self) -> Credentials {
        match &self.token {
            Some(token) => Credentials::Static { token: Secret::new(token.clone()) },
            None => self.app(),
        }
    }

    pub(super) fn config(&self) -> TenantConfig {
        self.config_with(self.credentials())
    }

    pub(super) fn config_with(&self, credentials: Credentials) -> TenantConfig {
        TenantConfig {
            name: "test".into(),
            base_url: self.tenant().base_url().parse().unwrap(),
            token_url: None,
            account: Some(self.account.clone()),
            imports: Default::default(),
            memory: None,
            audience: None,
            hosts: Vec::new(),
            certificate_authorities: None,
            credentials,
            skip: self.skip.clone(),
            buckets: Default::default(),
            keep_quota_percent: 0,
        }
    }

    pub(super) fn session(&self) -> Box<dyn Session> {
        GitHub::new().open(self.config(), kit_at(NOW)).unwrap()
    }

    /// Scans at the time of the small world.
    pub(super) async fn scan(&self) -> Scan {
        let session = self.session();
        session.sign_in().await.unwrap();
        scan_session(session.as_ref()).await
    }

    pub(super) fn revoker(&self) -> Box<dyn Revoke> {
        let client = self.tenant().client();
        let private_key = Secret::new(client.revoker_key_pem);
        let credentials =
            Credentials::GithubApp { client_id: client.revoker_client_id, private_key };
        GitHub::new().open_revoker(self.config_with(credentials), kit_at(NOW)).unwrap()
    }
}

pub(super) async fn scan_session(session: &dyn Session) -> Scan {
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

/// A generated organisation.
pub(super) fn scale(grants: usize, change: impl FnOnce(&mut GithubScale)) -> World {
    let mut scale = GithubScale {
        organisations: 0,
        users: 300,
        apps: 20,
        grants,
        repositories: 20,
        seed: 7,
        now: NOW.parse().unwrap(),
    };
    change(&mut scale);
    let mut world = World::generate_github(&scale);
    world.github[0].behaviour.quota = false;
    world
}

/// What a scan gave.
#[derive(Debug)]
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
impl StandIn for OneHost {
    fn open(&self, kit: Kit) -> Result<Box<dyn Session>> {
        GitHub::new().open(self.config(), kit)
    }

    fn inject(&self, fault: Fault) {
        self.tenant().inject(fault);
    }

    fn expire_sessions(&self) {
        self.tenant().inject(Fault::new(Effect::ExpireSessions).times(1));
    }

    fn secrets(&self) -> Vec<String> {
        let client = self.tenant().client();
        // With which assertions begin, and installation tokens.
        let tokens = ["eyJhbGciOiJ", "eyJ0eXAiOiJ", "ghs_FAKE", "authorization_request"];
        let tokens = tokens.map(ToOwned::to_owned).into_iter();
        let made = [client.private_key_pem, client.owner_token, client.member_token];
        tokens.chain(made.into_iter().filter(|token| !token.is_empty())).collect()
    }
}

pub(super) fn part<'a>(outcome: &'a Scan, facet: &str) -> &'a Part {
    let found = outcome.coverage.parts.iter().find(|part| part.facet == facet);
    found.unwrap_or_else(|| panic!("no facet {facet}"))
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

pub(super) fn app<'a>(outcome: &'a Scan, id: &str) -> &'a App {
    let names = || apps(outcome).map(|app| app.id.as_str()).collect::<Vec<_>>();
    apps(outcome).find(|app| app.id == id).unwrap_or_else(|| panic!("no app {id}: {:?}", names()))
}

pub(super) fn grants(outcome: &Scan) -> impl Iterator<Item = &Grant> {
    outcome.records.iter().filter_map(|record| match record {
        Record::Grant(grant) => Some(grant.as_ref()),
        _ => None,
    })
}

pub(super) fn grant<'a>(outcome: &'a Scan, id: &str) -> &'a Grant {
    let ids = || grants(outcome).map(|grant| grant.id.as_str()).collect::<Vec<_>>();
    grants(outcome).find(|grant| grant.id == id).unwrap_or_else(|| panic!("no {id}: {:?}", ids()))
}

pub(super) fn events(outcome: &Scan) -> impl Iterator<Item = &AuditEvent> {
    outcome.records.iter().filter_map(|record| match record {
        Record::AuditEvent(event) => Some(event),
        _ => None,
    })
}

/// The value of a setting of a grant.
pub(super) fn setting<'a>(grant: &'a Grant, name: &str) -> Option<&'a str> {
    let setting = grant.settings.iter().find(|setting| setting.name == name)?;
    setting.value.known().map(String::as_str)
}

pub(super) fn scope_names(grant: &Grant) -> Vec<&str> {
    grant.scopes.known().unwrap().iter().map(|scope| scope.name.as_str()).collect()
}

/// A refusal in GitHub's words.
pub(super) fn reply(status: u16, message: &str, headers: &[(&str, &str)]) -> Effect {
    let body = serde_json::json!({
        "message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string(),
    });
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Effect::Reply { status, headers, body: body.to_string() }
}
