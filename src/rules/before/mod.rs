//! [`Before`]: earlier scans, as far as rules compare with them.
//!
//! Of each tenant the newest earlier scan is compared; what apps did is taken from all of them. A tenant is the same if the platform's
//! own id of it is, whatever the user calls it. Where there is nothing to compare with, that is said and nothing counts as new.

mod grants;

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    manifest::{Facet, Holding},
    model::{
        App, Approval, Coverage, Credential, Gap, Observed, Reason, Record, Scope, Timestamp, Usage,
    },
};

use super::Context;
use crate::inventory::{Inventory, InventoryError, TenantRecords, diff};
use grants::Filling;
pub use grants::GrantIndex;
pub(super) use grants::{GrantBefore, Stance, ends, restricted};

/// The facet that a gap names where an earlier scan is missing.
pub const FACET: &str = "earlier-scan";

/// Earlier scans.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// By platform and the platform's own id.
    tenants: BTreeMap<String, BTreeMap<String, TenantBefore>>,
}

/// A tenant as it was.
#[derive(Debug, Clone)]
pub struct TenantBefore {
    /// When the scan that is compared began.
    pub taken_at: Timestamp,
    /// Its grants.
    pub grants: GrantIndex,
    /// Its apps by id.
    pub(super) apps: BTreeMap<String, AppBefore>,
    /// What its apps did, in all earlier scans.
    pub(super) usage: Past,
    pub(super) coverage: Coverage,
}

/// What apps did, in all earlier scans.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// The scans that were taken in: the same may be given twice.
    scans: BTreeSet<Timestamp>,
    by_app: BTreeMap<String, Vec<Usage>>,
}

/// An app as it was.
#[derive(Debug, Clone, Default)]
pub(super) struct AppBefore {
    /// `None`: not visible.
    pub(super) redirect_domains: Option<BTreeSet<String>>,
    /// What its registration allowed; `None`: not visible.
    pub(super) scopes: Option<BTreeSet<Scope>>,
    /// Who might start using it; `None`: not visible.
    pub(super) approval: Option<Approval>,
    /// `None`: not visible.
    pub(super) blocked: Option<bool>,
    /// The ids of its credentials.
    pub(super) credentials: BTreeSet<String>,
    /// Those of them that had ended when that scan began.
    pub(super) ended: BTreeSet<String>,
    /// What its grants allowed together.
    pub(super) held: BTreeSet<Scope>,
}

impl Before {
    /// Takes an earlier scan in. The order does not matter.
    ///
    /// # Errors
    /// If the inventory cannot be read any more.
    pub fn add(&mut self, inventory: &Inventory) -> Result<(), InventoryError> {
        let taken_at = inventory.header.taken_at;
        let mut filling: BTreeMap<usize, Filling> = BTreeMap::new();
        for (at, records) in inventory.tenants.iter().enumerate() {
            // Of a tenant that could not be read there is nothing to compare with.
            let Some(id) = id_of(records) else { continue };
            let of_platform = self.tenants.entry(records.end.platform.clone()).or_default();
            let known = of_platform.get_mut(id);
            let is_newest = known.as_ref().is_none_or(|known| known.taken_at < taken_at);
            let mut usage = known.map(|known| std::mem::take(&mut known.usage)).unwrap_or_default();
            usage.add(taken_at, &records.digest.usage);
            if is_newest {
                let room = usize::try_from(records.grants).unwrap_or_default();
                filling.insert(at, Filling::with_capacity(room));
                of_platform.insert(id.to_owned(), TenantBefore::new(taken_at, records, usage));
            } else if let Some(known) = of_platform.get_mut(id) {
                known.usage = usage;
            }
        }
        if filling.is_empty() {
            return Ok(());
        }
        inventory.for_each::<InventoryError>(|at, record| {
            if let (Record::Grant(grant), Some(filling)) = (record, filling.get_mut(&at)) {
                filling.add(&grant, taken_at);
            }
            Ok(())
        })?;
        for (at, filling) in filling {
            let records = &inventory.tenants[at];
            let of_platform = self.tenants.get_mut(&records.end.platform);
            let known = id_of(records).zip(of_platform);
            if let Some(tenant) = known.and_then(|(id, of_platform)| of_platform.get_mut(id)) {
                tenant.grants = filling.finish();
            }
        }
        Ok(())
    }

    /// A tenant by platform and the platform's own id.
    pub fn tenant(&self, platform: &str, id: &str) -> Option<&TenantBefore> {
        self.tenants.get(platform)?.get(id)
    }

    #[cfg(test)]
    pub(super) fn of(platform: &str, id: &str, tenant: TenantBefore) -> Self {
        Self { tenants: [(platform.to_owned(), [(id.to_owned(), tenant)].into())].into() }
    }
}

/// The platform's own id of a tenant that could be read.
fn id_of(records: &TenantRecords) -> Option<&str> {
    let tenant = records.tenant.as_ref().filter(|_| records.end.failure.is_none())?;
    Some(&tenant.id)
}

impl Past {
    fn add(&mut self, taken_at: Timestamp, usage: &[Usage]) {
        if !self.scans.insert(taken_at) {
            return;
        }
        for record in usage {
            self.by_app.entry(record.app.clone()).or_default().push(record.clone());
        }
    }

    /// Of all apps, in this log.
    pub(super) fn of_log<'a>(&'a self, log: &'a str) -> impl Iterator<Item = &'a Usage> {
        self.by_app.values().flatten().filter(move |usage| usage.log == log)
    }

    /// Of one app, by its id, its client ids, or its name where a log has no id.
    pub(super) fn of_app<'a>(&'a self, app: &App) -> Vec<&'a Usage> {
        let ids = app.client_ids.known().into_iter().flatten();
        let names: BTreeSet<&String> = ids.chain([&app.id, &app.name]).collect();
        names.into_iter().filter_map(|name| self.by_app.get(name)).flatten().collect()
    }

    #[cfg(test)]
    pub(super) fn of(usage: &[Usage]) -> Self {
        let mut past = Self::default();
        past.add(Timestamp::from_second(0).unwrap(), usage);
        past
    }
}

impl TenantBefore {
    fn new(taken_at: Timestamp, records: &TenantRecords, usage: Past) -> Self {
        let mut apps: BTreeMap<String, AppBefore> =
            records.apps.values().map(|app| (app.id.clone(), AppBefore::new(app))).collect();
        for (app, credentials) in &records.digest.credentials {
            let known = apps.entry(app.clone()).or_default();
            for credential in credentials {
                known.credential(credential, taken_at);
            }
        }
        for (app, held) in &records.digest.held {
            apps.entry(app.clone()).or_default().held.extend(held.scopes.keys().cloned());
        }
        let coverage = records.end.coverage.clone();
        Self { taken_at, grants: GrantIndex::default(), apps, usage, coverage }
    }

    #[cfg(test)]
    pub(super) fn of_test(
        taken_at: Timestamp,
        app: &App,
        grants: &[&grantwarden_kit::model::Grant],
    ) -> Self {
        let mut filling = Filling::default();
        grants.iter().for_each(|grant| filling.add(grant, taken_at));
        Self {
            taken_at,
            grants: filling.finish(),
            apps: [(app.id.clone(), AppBefore::new(app))].into(),
            usage: Past::default(),
            coverage: Coverage::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn with_coverage(self, coverage: Coverage) -> Self {
        Self { coverage, ..self }
    }

    /// Why records of a kind that are here now and were not then may have been there all the same.
    pub(super) fn lost(&self, context: &Context<'_>, kind: Holding) -> Option<Gap> {
        let mut holding = context.facets.iter().filter(|facet| facet.holds.contains(&kind));
        holding.find_map(|Facet { id, title, .. }| {
            let lost = diff::lost(context.coverage, &self.coverage, self.taken_at, id, title)?;
            Some(nothing(lost.sentence))
        })
    }
}

impl AppBefore {
    pub(super) fn new(app: &App) -> Self {
        fn seen<T: Clone + Default>(fact: &Observed<T>) -> Option<T> {
            match fact {
                Observed::Known(value) => Some(value.clone()),
                Observed::Absent => Some(T::default()),
                Observed::Unknown(_) => None,
            }
        }
        Self {
            redirect_domains: seen(&app.redirect_domains).map(|list| list.into_iter().collect()),
            scopes: seen(&app.scopes).map(|list| list.into_iter().collect()),
            approval: app.approval.known().copied(),
            blocked: seen(&app.blocked),
            credentials: BTreeSet::new(),
            ended: BTreeSet::new(),
            held: BTreeSet::new(),
        }
    }

    /// Takes a credential in, as it was when the scan began.
    pub(super) fn credential(&mut self, credential: &Credential, taken_at: Timestamp) {
        self.credentials.insert(credential.id.clone());
        if matches!(credential.expires_at, Observed::Known(end) if end <= taken_at) {
            self.ended.insert(credential.id.clone());
        }
    }
}

impl<'a> Context<'a> {
    /// The tenant as it was in an earlier scan.
    ///
    /// # Errors
    /// Why there is nothing to compare with.
    pub fn before(&self) -> Result<&'a TenantBefore, Gap> {
        let Some(before) = &self.surroundings.before else {
            return Err(nothing("no earlier scan was given; give one with --previous"));
        };
        let Some(tenant) = self.tenant else {
            return Err(nothing("the tenant itself was not read, so nothing tells which it was"));
        };
        let known = before.tenant(self.platform, &tenant.id);
        known.ok_or_else(|| nothing("no earlier scan that was given could read this tenant"))
    }

    /// The tenant as it was, if all records of a kind were read then.
    ///
    /// # Errors
    /// Why there is nothing to compare with.
    pub fn comparable(&self, kind: Holding) -> Result<&'a TenantBefore, Gap> {
        let before = self.before()?;
        before.lost(self, kind).map_or(Ok(before), Err)
    }
}

/// A gap for what no earlier scan tells.
pub(super) fn nothing(detail: impl Into<String>) -> Gap {
    Gap::new(Reason::NothingBefore, FACET, detail)
}
