//! The lab with one account, and ways to look at what a scan gave.

use std::sync::Arc;

use async_trait::async_trait;
use grantwarden_kit::{
    auth::Credentials,
    clock::{Clock as _, SystemClock, TestClock},
    connector::{Connector as _, Kit, Probe, Revoke, Session, Sink, TenantConfig},
    error::Result,
    memory::Memory,
    model::{App, Coverage, Grant, Part, Record, Tenant, Timestamp},
    secret::Secret,
    testing::{self, StandIn},
};
use grantwarden_lab::{Effect, Fault, GoogleScale, GoogleWorkspace, Lab, World};
use tokio_util::sync::CancellationToken;

use crate::{GoogleWorkspace as Connector, Revoker};

const SMALL: &str = include_str!("../../../../fixtures/worlds/google-small.toml");
/// The day from which the small world's dates are safely in the past, whatever the hour.
const SMALL_NOW: &str = "2026-01-16";

/// What an administrator exported: one client that the log has, and one that is older.
pub(super) const EXPORT: &str = "Client ID,Scopes\n\
    109900000000000000001,\"https://www.googleapis.com/auth/gmail.readonly,https://www.googleapis.com/auth/drive\"\n\
    109900000000000000003,https://mail.google.com/\n";

/// A lab with one account.
pub(super) struct OneAccount {
    pub(super) lab: Lab,
    /// Whether the scan gets the export of delegated clients.
    pub(super) has_export: bool,
    pub(super) memory: Option<Memory>,
    pub(super) skip: Vec<String>,
    pub(super) buckets: std::collections::BTreeMap<String, grantwarden_kit::manifest::Bucket>,
    /// Act as the service account itself.
    pub(super) is_itself: bool,
}

/// The text of the small world with its dates moved up to now.
pub(super) fn small() -> String {
    let then: Timestamp = SMALL_NOW.parse().unwrap();
    let days = then.days_until(SystemClock.now());
    let mut text = SMALL.to_owned();
    for at in 0..text.len() {
        let date = text.get(at..at + 10).and_then(|word| {
            let is_date = word.as_bytes()[4] == b'-' && word.as_bytes()[7] == b'-';
            is_date.then(|| word.parse::<Timestamp>().ok()).flatten()
        });
        if let Some(date) = date {
            let moved = date.plus(std::time::Duration::from_secs(days * 86_400)).date();
            text.replace_range(at..at + 10, &moved);
        }
    }
    text
}

/// The small world with something changed in it.
pub(super) fn small_with(from: &str, to: &str) -> World {
    let text = small();
    assert!(text.contains(from), "{from}");
    World::parse(&text.replace(from, to)).unwrap()
}

impl OneAccount {
    pub(super) async fn start(mut world: World) -> Self {
        world.salesforce.clear();
        Self {
            lab: Lab::start(world).await.unwrap(),
            has_export: true,
            memory: None,
            skip: Vec::new(),
            buckets: Default::default(),
            is_itself: false,
        }
    }

    pub(super) async fn small() -> Self {
        Self::start(World::parse(&small()).unwrap()).await
    }

    pub(super) fn generated(users: usize, grants: usize, apps: usize) -> World {
        let now = SystemClock.now().to_string().parse().unwrap();
        World::generate_google(&GoogleScale { users, grants, apps, seed: 7, now })
    }

    pub(super) fn google(&self) -> &GoogleWorkspace {
        &self.lab.google_workspaces()[0]
    }

    pub(super) fn config(&self) -> TenantConfig {
        let client = self.google().client();
        let base = self.google().base_url();
        let export = ("domain-wide-delegation".to_owned(), EXPORT.as_bytes().to_vec());
        TenantConfig {
            name: "test".into(),
            base_url: base.parse().unwrap(),
            token_url: None,
            account: self.is_itself.then(|| client.customer_id.clone()),
            imports: self.has_export.then_some(export).into_iter().collect(),
            memory: self.memory.clone(),
            audience: None,
            hosts: Vec::new(),
            certificate_authorities: None,
            credentials: Credentials::ServiceAccount {
                key: Secret::new(client.key_json),
                subject: (!self.is_itself).then_some(client.subject),
            },
            skip: self.skip.clone(),
            buckets: self.buckets.clone(),
            keep_quota_percent: 0,
        }
    }

    pub(super) async fn scan(&self) -> testing::Outcome {
        testing::scan(self).await.unwrap()
    }

    pub(super) async fn probe(&self) -> Probe {
        self.open(Self::kit()).unwrap().probe().await.unwrap()
    }

    /// Scans some days later than now.
    pub(super) async fn scan_later(&self, span: std::time::Duration) -> (Vec<Record>, Coverage) {
        Self::read_at(self.config(), SystemClock.now().plus(span)).await
    }

    /// Scans with a configuration of its own.
    pub(super) async fn read(config: TenantConfig) -> (Vec<Record>, Coverage) {
        Self::read_at(config, SystemClock.now()).await
    }

    async fn read_at(config: TenantConfig, now: Timestamp) -> (Vec<Record>, Coverage) {
        let kit = Kit { clock: Arc::new(TestClock::at(now)), cancel: CancellationToken::new() };
        let session = Connector.open(config, kit).unwrap();
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
        tokio::join!(reading, writing)
    }

    /// Makes something happen now.
    pub(super) async fn happen(&self, effect: Effect) {
        self.google().inject(Fault::new(effect).on_path("/usage/").times(1));
        self.probe().await;
    }

    pub(super) fn kit() -> Kit {
        Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() }
    }

    pub(super) fn revoker(&self) -> Box<dyn Revoke> {
        Connector.open_revoker(self.config(), Self::kit()).unwrap()
    }

    pub(super) fn finder(&self) -> Revoker {
        Revoker::open(self.config(), Self::kit()).unwrap()
    }
}

#[async_trait]
impl StandIn for OneAccount {
    fn open(&self, kit: Kit) -> Result<Box<dyn Session>> {
        Connector.open(self.config(), kit)
    }

    fn inject(&self, fault: Fault) {
        self.google().inject(fault);
    }

    fn expire_sessions(&self) {
        self.google().inject(Fault::new(Effect::ExpireSessions).times(1));
    }

    fn secrets(&self) -> Vec<String> {
        let key = self.google().client().key_json;
        let key: serde_json::Value = serde_json::from_str(&key).unwrap();
        let pem = key["private_key"].as_str().unwrap().to_owned();
        // What every access token of the lab has in it, and the key's name.
        vec!["ya29.".into(), key["private_key_id"].as_str().unwrap().to_owned(), pem]
    }
}

/// An error in the words of the older APIs.
pub(super) fn refusal(status: u16, reason: &str, message: &str) -> Effect {
    let body = format!(
        r#"{{"error":{{"code":{status},"message":"{message}","errors":[{{"message":"{message}","domain":"global","reason":"{reason}"}}]}}}}"#
    );
    Effect::Reply { status, headers: Vec::new(), body }
}

pub(super) fn forbidden() -> Effect {
    refusal(403, "forbidden", "Not Authorized to access this resource/api")
}

pub(super) fn part<'a>(coverage: &'a Coverage, facet: &str) -> &'a Part {
    coverage.parts.iter().find(|part| part.facet == facet).unwrap()
}

pub(super) fn grants(records: &[Record]) -> impl Iterator<Item = &Grant> {
    records.iter().filter_map(|record| match record {
        Record::Grant(grant) => Some(grant.as_ref()),
        _ => None,
    })
}

/// Grants as `app for user`.
pub(super) fn holders(records: &[Record]) -> Vec<String> {
    let mut names: Vec<String> = grants(records)
        .map(|grant| {
            let who = grant.holder.principal().map_or("everybody", |user| user.label());
            format!("{} for {who}", grant.app_name)
        })
        .collect();
    names.sort();
    names
}

pub(super) fn grant<'a>(records: &'a [Record], app: &str, user: &str) -> &'a Grant {
    let is = |grant: &&Grant| {
        let who = grant.holder.principal().map_or("", |user| user.label());
        grant.app_name == app && who.starts_with(user)
    };
    grants(records).find(is).unwrap_or_else(|| panic!("no {app} for {user}"))
}

pub(super) fn apps(records: &[Record]) -> impl Iterator<Item = &App> {
    records.iter().filter_map(|record| match record {
        Record::App(app) => Some(app),
        _ => None,
    })
}

pub(super) fn app<'a>(records: &'a [Record], name: &str) -> &'a App {
    apps(records).find(|app| app.name == name).unwrap_or_else(|| panic!("no app {name}"))
}

pub(super) fn tenant(records: &[Record]) -> &Tenant {
    match &records[0] {
        Record::Tenant(tenant) => tenant,
        other => panic!("the tenant comes first, not {other:?}"),
    }
}

/// Any answer.
pub(super) fn reply(status: u16, body: &str) -> Effect {
    Effect::Reply { status, headers: Vec::new(), body: body.to_owned() }
}

/// A log with these entries.
pub(super) fn log(entries: &[String]) -> Effect {
    let body = format!(r#"{{"kind":"admin#reports#activities","items":[{}]}}"#, entries.join(","));
    reply(200, &body)
}

/// An entry of a log so many hours ago; `who` and `parameters` are JSON.
pub(super) fn entry(hours: u64, who: &str, event: &str, parameters: &str) -> String {
    // Whole hours, so that two entries can have the same instant.
    let now = SystemClock.now().as_second() / 3_600 * 3_600;
    let at = Timestamp::from_second(now).unwrap();
    let at = at.minus(std::time::Duration::from_secs(hours * 3_600));
    format!(
        r#"{{"id":{{"time":"{at}","uniqueQualifier":"7"}},"actor":{who},"events":[{{"name":"{event}","parameters":[{parameters}]}}]}}"#
    )
}
