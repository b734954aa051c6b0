//! [`search`]: what of an inventory one advisory means, what was looked at, and what could not be seen. "Nothing found" is an answer only
//! together with the other two.

use std::{collections::BTreeMap, sync::Arc};

use grantwarden_kit::model::{App, Grant, Observed, Record, Timestamp};
use serde::Serialize;

use super::{Advisory, Certainty, Hit, Issued, Key, KeyKind, Matches, Status, matching};
use crate::inventory::{Inventory, InventoryError, TenantRecords};

/// Grants of one app that are named one by one; the rest is counted.
const NAMED: usize = 25;

/// What was found, looked at and not seen.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// Apps that are meant, the surest first.
    pub apps: Vec<FoundApp>,
    /// What was looked at, by tenant.
    pub looked: Vec<Looked>,
    /// What could not be seen, for a person.
    pub unseen: Vec<String>,
}

/// An app that is meant.
#[derive(Debug, Serialize)]
pub struct FoundApp {
    /// The tenant's name.
    pub tenant: String,
    /// Platform id.
    pub platform: String,
    /// The app's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// Whether the product is concerned.
    pub status: Status,
    /// What matched.
    pub by: String,
    /// Where the key is said.
    pub source: String,
    /// Grants issued before the safe date.
    pub before: u64,
    /// Grants issued on it or later.
    pub after: u64,
    /// Grants of which that is not known; treat them as issued before.
    pub unknown: u64,
    /// The first of its grants.
    pub grants: Vec<FoundGrant>,
    /// Credentials of the app that are older than the safe date, or of unknown age, by id.
    pub credentials: Vec<String>,
    /// Indicators in its logs, for a person.
    pub sightings: Vec<String>,
}

/// A grant of an app that is meant.
#[derive(Debug, Serialize)]
pub struct FoundGrant {
    /// Its id.
    pub id: String,
    /// For whom.
    pub holder: String,
    /// Whether it was issued before the safe date; none if that is not known.
    pub exposed: Option<bool>,
    /// When it was given, if that is known.
    pub granted_at: Option<Timestamp>,
    /// When it was last used, if that is known.
    pub last_used_at: Option<Timestamp>,
}

/// What was looked at in one tenant.
#[derive(Debug, Serialize)]
pub struct Looked {
    /// The tenant's name.
    pub tenant: String,
    /// Platform id.
    pub platform: String,
    /// Apps.
    pub apps: u64,
    /// Grants.
    pub grants: u64,
    /// Credentials.
    pub credentials: u64,
}

/// Looks for one advisory. `matches` holds that advisory alone.
///
/// # Errors
/// If the inventory cannot be read any more.
pub fn search(
    advisory: &Arc<Advisory>,
    matches: &Matches,
    inventory: &Inventory,
) -> Result<Answer, InventoryError> {
    let mut looked: Vec<Looked> = inventory.tenants.iter().map(look).collect();
    let mut found: BTreeMap<(usize, String), FoundApp> = BTreeMap::new();
    for (at, tenant) in inventory.tenants.iter().enumerate() {
        for (id, app) in &tenant.apps {
            if let Some(matched) = matches.of_app(&tenant.end.name, id)
                && let Some(hit) = matched.hits.first()
            {
                let entry = found.entry((at, id.clone()));
                let app = entry.or_insert_with(|| found_app(tenant, id, &app.name, hit));
                app.sightings = matched.sightings.iter().map(ToString::to_string).collect();
            }
        }
    }
    inventory.for_each::<InventoryError>(|at, record| {
        let Some(tenant) = inventory.tenants.get(at) else { return Ok(()) };
        let (name, platform) = (&tenant.end.name, &tenant.end.platform);
        match record {
            Record::Grant(grant) => {
                let record = tenant.apps.get(&grant.app);
                let hits = matches.of_grant(name, platform, record, &grant);
                if let Some(hit) = hits.first() {
                    let app_name = record.map_or(&grant.app_name, |app| &app.name);
                    let entry = found.entry((at, grant.app.clone()));
                    entry
                        .or_insert_with(|| found_app(tenant, &grant.app, app_name, hit))
                        .add(advisory, record, &grant);
                }
            }
            Record::Credential(credential) => {
                if let Some(looked) = looked.get_mut(at) {
                    looked.credentials += 1;
                }
                let app_name = tenant.apps.get(&credential.app).map_or("", |app| &app.name);
                let named = matching::of_credential(advisory, platform, &credential);
                let key = (at, credential.app.clone());
                if let Some(hit) = &named {
                    found
                        .entry(key.clone())
                        .or_insert_with(|| found_app(tenant, &credential.app, app_name, hit))
                        .take_surer(hit);
                }
                if Issued::credential(&credential).is_exposed(advisory) != Some(false)
                    && let Some(app) = found.get_mut(&key)
                {
                    app.credentials.push(credential.id);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let mut apps: Vec<FoundApp> = found.into_values().collect();
    apps.sort_by_key(|app| (app.certainty, app.status == Status::NotAffected));
    Ok(Answer { apps, looked, unseen: unseen(advisory, inventory) })
}

impl Answer {
    /// Whether something was found that counts as exposed: more than a hint, of a product that is concerned, not issued after the safe
    /// date.
    pub fn has_exposed(&self) -> bool {
        self.apps.iter().any(|app| {
            app.certainty <= Certainty::Probable
                && app.status != Status::NotAffected
                && (app.after == 0
                    || app.before > 0
                    || app.unknown > 0
                    || !app.credentials.is_empty())
        })
    }
}

fn look(tenant: &TenantRecords) -> Looked {
    Looked {
        tenant: tenant.end.name.clone(),
        platform: tenant.end.platform.clone(),
        apps: tenant.apps.len() as u64,
        grants: tenant.grants,
        credentials: 0,
    }
}

fn found_app(tenant: &TenantRecords, id: &str, name: &str, hit: &Hit) -> FoundApp {
    FoundApp {
        tenant: tenant.end.name.clone(),
        platform: tenant.end.platform.clone(),
        id: id.to_owned(),
        name: name.to_owned(),
        certainty: hit.certainty,
        status: hit.status,
        by: hit.by.clone(),
        source: hit.source.clone(),
        before: 0,
        after: 0,
        unknown: 0,
        grants: Vec::new(),
        credentials: Vec::new(),
        sightings: Vec::new(),
    }
}

impl FoundApp {
    /// Takes over what a hit says, if it is surer of what is concerned.
    fn take_surer(&mut self, hit: &Hit) {
        let rank = |status, certainty| (status == Status::NotAffected, certainty);
        if rank(hit.status, hit.certainty) < rank(self.status, self.certainty) {
            self.certainty = hit.certainty;
            self.status = hit.status;
            self.by.clone_from(&hit.by);
            self.source.clone_from(&hit.source);
        }
    }

    fn add(&mut self, advisory: &Advisory, app: Option<&App>, grant: &Grant) {
        let exposed = Issued::grant(app, grant).is_exposed(advisory);
        match exposed {
            Some(true) => self.before += 1,
            Some(false) => self.after += 1,
            None => self.unknown += 1,
        }
        if self.grants.len() < NAMED {
            let principal = grant.holder.principal();
            self.grants.push(FoundGrant {
                id: grant.id.clone(),
                holder: principal.map_or_else(|| "-".to_owned(), |who| who.label().to_owned()),
                exposed,
                granted_at: grant.granted_at.known().copied(),
                last_used_at: grant.last_used_at.known().copied(),
            });
        }
    }
}

/// Own tenants that an advisory names and an inventory does not have: nothing was looked for in them, or the name is not right.
pub fn missing_tenants<'a>(advisory: &'a Advisory, inventory: &Inventory) -> Vec<&'a str> {
    let own = advisory.keys.iter().filter(|key| key.kind == KeyKind::Tenant);
    let is_there = |key: &Key| {
        inventory.tenants.iter().any(|tenant| {
            let id = tenant.tenant.as_ref().map(|tenant| tenant.id.as_str());
            key.is_for(&tenant.end.platform) && matching::is_tenant(key, &tenant.end.name, id)
        })
    };
    own.filter(|key| !is_there(key)).map(|key| key.value.as_str()).collect()
}

fn unseen(advisory: &Advisory, inventory: &Inventory) -> Vec<String> {
    let missing = missing_tenants(advisory, inventory);
    let mut unseen: Vec<String> = missing
        .iter()
        .map(|name| {
            format!("{name}: the advisory names this tenant, and the inventory has none such")
        })
        .collect();
    for tenant in &inventory.tenants {
        let name = &tenant.end.name;
        if let Some(failure) = &tenant.end.failure {
            unseen.push(format!("{name}: nothing was read: {}", failure.message));
        }
        for part in &tenant.end.coverage.parts {
            for loss in &part.losses {
                unseen.push(format!("{name}: {}: {}", part.title, loss.gap.detail));
            }
        }
        for (kinds, fact, hidden) in hidden_facts(tenant) {
            let has_key = advisory
                .keys
                .iter()
                .any(|key| kinds.contains(&key.kind) && key.is_for(&tenant.end.platform));
            if has_key && hidden > 0 {
                unseen.push(format!("{name}: {fact} of {hidden} of {} apps", tenant.apps.len()));
            }
        }
    }
    unseen
}

/// By which keys a fact would be found, what it is, and of how many apps it is not visible.
fn hidden_facts(tenant: &TenantRecords) -> [(&'static [KeyKind], &'static str, usize); 4] {
    fn count(tenant: &TenantRecords, is_hidden: impl Fn(&App) -> bool) -> usize {
        tenant.apps.values().filter(|app| is_hidden(app)).count()
    }
    let hides = |fact: &Observed<Vec<String>>| matches!(fact, Observed::Unknown(_));
    [
        (
            &[KeyKind::ClientId, KeyKind::AppId, KeyKind::GoogleProject],
            "the client ids",
            count(tenant, |app| hides(&app.client_ids)),
        ),
        (
            &[KeyKind::RedirectDomain, KeyKind::ExtensionId],
            "the redirect domains",
            count(tenant, |app| hides(&app.redirect_domains)),
        ),
        (
            &[KeyKind::Publisher],
            "the publisher",
            count(tenant, |app| app.publisher.gap().is_some()),
        ),
        (
            &[KeyKind::HomeTenant],
            "the home tenant",
            count(tenant, |app| app.home_tenant.gap().is_some()),
        ),
    ]
}
