//! The lab with one tenant, and ways to look at what a scan gave.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use grantwarden_kit::{
    auth::Credentials,
    clock::{Clock as _, SystemClock},
    connector::{Connector as _, Kit, Probe, Session, TenantConfig},
    error::Result,
    manifest::Bucket,
    memory::Memory,
    model::{App, Coverage, Grant, Part, Record, Tenant, Timestamp},
    secret::Secret,
    testing::{self, StandIn},
};
use grantwarden_lab::{Effect, Fault, Lab, SlackPlan, SlackScale, SlackTenant, World};
use tokio_util::sync::CancellationToken;

use crate::{MANIFEST, Slack};

const SMALL: &str = include_str!("../../../../fixtures/worlds/slack-small.toml");
/// The day from which the small world's dates are safely in the past, whatever the hour.
const SMALL_NOW: &str = "2026-01-16";
pub(super) const GRID: &str = "Small Slack";
pub(super) const WORKSHOP: &str = "Small Workshop";
/// An install that is older than the audit log.
pub(super) const EXPORT: &str = "App ID,App name,Installed on,Installed by,Date installed\n\
    A0OLDTM001,Old Timer,Sales,pia.primary@small.example,2015-05-05\n\
    A0DRIFT001,Drift,2 workspaces,,\n\
    A0MERGE001,Mail Merge Pro,Engineering,,2025-05-03\n";

/// A lab with one tenant that is scanned.
pub(super) struct OneTenant {
    pub(super) lab: Lab,
    name: String,
    pub(super) skip: Vec<String>,
    pub(super) export: Option<String>,
    pub(super) account: Option<String>,
    pub(super) token: Option<String>,
    pub(super) memory: Option<Memory>,
    pub(super) buckets: BTreeMap<String, Bucket>,
}

/// The text of the small world with its dates moved up to now.
pub(super) fn small() -> String {
    let then: Timestamp = SMALL_NOW.parse().unwrap();
    let days = then.days_until(SystemClock.now());
    // Older than any audit log, wherever it is moved to.
    let mut text = SMALL.replace("2017-05-05", "2015-05-05");
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

pub(super) fn generated(plan: SlackPlan, spaces: usize, users: usize, grants: usize) -> World {
    let now = SystemClock.now().to_string().parse().unwrap();
    let scale = SlackScale {
        plan,
        workspaces: spaces,
        users,
        apps: if grants == 0 { 0 } else { 400 },
        grants,
        log_rows: grants,
        seed: 7,
        now,
    };
    World::generate_slack(&scale)
}

impl OneTenant {
    /// Starts a tenant of a world, with everything asked for and without quotas.
    pub(super) async fn start(mut world: World, name: &str) -> Self {
        world.salesforce.clear();
        world.slack.retain(|tenant| tenant.name == name);
        for tenant in &mut world.slack {
            tenant.behaviour.quota = false;
        }
        Self::paced(world, name).await
    }

    /// Starts a tenant of a world with its quotas.
    pub(super) async fn paced(mut world: World, name: &str) -> Self {
        world.slack.retain(|tenant| tenant.name == name);
        let is_grid = world.slack[0].plan == SlackPlan::Enterprise;
        Self {
            lab: Lab::start(world).await.unwrap(),
            name: name.to_owned(),
            skip: Vec::new(),
            export: is_grid.then(|| EXPORT.to_owned()),
            account: None,
            token: None,
            memory: None,
            buckets: BTreeMap::new(),
        }
    }

    pub(super) async fn grid() -> Self {
        Self::start(World::parse(&small()).unwrap(), GRID).await
    }

    pub(super) async fn workshop() -> Self {
        Self::start(World::parse(&small()).unwrap(), WORKSHOP).await
    }

    /// Without what a configuration has to ask for.
    pub(super) fn without_opt_ins(mut self) -> Self {
        let opt_ins = MANIFEST.facets.iter().filter(|facet| facet.opt_in.is_some());
        self.skip = opt_ins.map(|facet| facet.id.clone()).collect();
        self
    }

    pub(super) fn slack(&self) -> &SlackTenant {
        self.lab.slack(&self.name).unwrap()
    }

    pub(super) fn config(&self) -> TenantConfig {
        let token = self.token.clone().unwrap_or_else(|| self.slack().client().reader);
        let export =
            self.export.clone().map(|text| ("installed-apps".to_owned(), text.into_bytes()));
        TenantConfig {
            name: "test".into(),
            base_url: self.slack().base_url().parse().unwrap(),
            token_url: None,
            audience: None,
            hosts: Vec::new(),
            certificate_authorities: None,
            account: self.account.clone(),
            credentials: Credentials::Static { token: Secret::new(token) },
            imports: export.into_iter().collect(),
            memory: self.memory.clone(),
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

    pub(super) fn kit() -> Kit {
        Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() }
    }

    /// A revoker whose time passes at once.
    #[cfg(feature = "revoke")]
    pub(super) fn revoker(&self) -> Box<dyn grantwarden_kit::connector::Revoke> {
        let clock = grantwarden_kit::clock::TestClock::at(SystemClock.now());
        self.revoker_of(Kit { clock: Arc::new(clock), cancel: CancellationToken::new() })
    }

    #[cfg(feature = "revoke")]
    pub(super) fn revoker_of(&self, kit: Kit) -> Box<dyn grantwarden_kit::connector::Revoke> {
        let token = self.slack().client().revoker;
        let credentials = Credentials::Static { token: Secret::new(token) };
        Slack.open_revoker(TenantConfig { credentials, ..self.config() }, kit).unwrap()
    }

    pub(super) fn count(&self, part: &str) -> usize {
        self.slack().count_calls(|call| call.path.contains(part))
    }
}

#[async_trait]
impl StandIn for OneTenant {
    fn open(&self, kit: Kit) -> Result<Box<dyn Session>> {
        Slack.open(self.config(), kit)
    }

    fn inject(&self, fault: Fault) {
        let Fault { when, effect } = fault;
        let effect = match effect {
            // The lab knows users by their handle, which is in front of the address.
            Effect::AddToken { app, username } => {
                let username = username.split('@').next().unwrap_or_default().to_owned();
                Effect::AddToken { app, username }
            }
            other => other,
        };
        self.slack().inject(Fault { when, effect });
    }

    fn expire_sessions(&self) {
        self.slack().inject(Fault::new(Effect::ExpireSessions).times(1));
    }

    fn secrets(&self) -> Vec<String> {
        let client = self.slack().client();
        vec![client.reader, client.revoker, client.bot, client.workspace_admin]
    }
}

/// An answer with status 200.
pub(super) fn reply(body: &str) -> Effect {
    Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() }
}

/// A refusal in Slack's words.
pub(super) fn refusal(code: &str) -> Effect {
    reply(&format!(r#"{{"ok":false,"error":"{code}"}}"#))
}

pub(super) fn forbidden() -> Effect {
    reply(r#"{"ok":false,"error":"missing_scope","needed":"something:read","provided":"identify"}"#)
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

pub(super) fn ids(records: &[Record]) -> Vec<&str> {
    let mut ids: Vec<&str> = grants(records).map(|grant| grant.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

pub(super) fn grant<'a>(records: &'a [Record], id: &str) -> &'a Grant {
    let found = grants(records).find(|grant| grant.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {:#?}", ids(records)))
}

pub(super) fn app<'a>(records: &'a [Record], name: &str) -> &'a App {
    let mut apps = records.iter().filter_map(|record| match record {
        Record::App(app) => Some(app),
        _ => None,
    });
    apps.find(|app| app.name == name).unwrap_or_else(|| panic!("no app {name}"))
}

pub(super) fn has_app(records: &[Record], name: &str) -> bool {
    records.iter().any(|record| matches!(record, Record::App(app) if app.name == name))
}

pub(super) fn tenant(records: &[Record]) -> &Tenant {
    match &records[0] {
        Record::Tenant(tenant) => tenant,
        other => panic!("the tenant comes first, not {other:?}"),
    }
}

/// The names of scopes.
pub(super) fn scopes(grant: &Grant) -> Vec<&str> {
    let scopes = grant.scopes.known().unwrap_or_else(|| panic!("{:?}", grant.scopes));
    scopes.iter().map(|scope| scope.name.as_str()).collect()
}

/// What is said of an app or grant under a name.
pub(super) fn said<'a>(
    settings: &'a [grantwarden_kit::model::Setting],
    name: &str,
) -> Vec<&'a str> {
    let own = settings.iter().filter(|setting| setting.name == name);
    own.filter_map(|setting| setting.value.known().map(String::as_str)).collect()
}
