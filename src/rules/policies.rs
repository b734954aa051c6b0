//! [`Policies`]: the policy for each app and vendor, resolved once before the first record is judged.
//!
//! Only apps that an entry of `[[policy.for]]` is meant for take room, and apps with the same entries share one policy.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    finding::SubjectKind,
    inventory::{Inventory, TenantRecords},
    policy::{About, Policy},
    vendors::{self, Member, Vendor},
};

/// Policies that differ from the user's own.
#[derive(Debug, Clone, Default)]
pub(super) struct Policies {
    all: Vec<Policy>,
    /// Index into `all` by entries.
    by_entries: BTreeMap<Vec<usize>, usize>,
    /// Index into `all` by tenant name and app id.
    by_app: BTreeMap<String, BTreeMap<String, usize>>,
    /// Index into `all` by vendor: by its id, since two may have one name.
    by_vendor: BTreeMap<String, usize>,
    /// How many apps each entry is meant for.
    apps: Vec<u64>,
    /// Apps that are surely their vendor's: ids by tenant name.
    sure: BTreeMap<String, BTreeSet<String>>,
}

impl Policies {
    /// Finds the apps that are surely their vendor's.
    pub(super) fn find_sure(&mut self, vendors: &[Vendor], inventory: &Inventory) {
        let tenants: BTreeMap<&str, &TenantRecords> =
            inventory.tenants.iter().map(|tenant| (tenant.end.name.as_str(), tenant)).collect();
        let record = |member: &Member| tenants.get(member.tenant.as_str())?.apps.get(&member.app);
        for member in vendors.iter().flat_map(|vendor| vendors::sure(vendor, record)) {
            self.add_sure(member);
        }
    }

    /// Notes an app that the user's own register says to be its vendor's.
    pub(super) fn add_sure(&mut self, member: &Member) {
        self.sure.entry(member.tenant.clone()).or_default().insert(member.app.clone());
    }

    pub(super) fn is_sure(&self, tenant: &str, app: &str) -> bool {
        self.sure.get(tenant).is_some_and(|apps| apps.contains(app))
    }

    pub(super) fn add_app(&mut self, policy: &Policy, about: &About<'_>) {
        let (Some(tenant), Some(app)) = (about.tenant, about.app_id) else { return };
        let entries = policy.overrides_of(about, SubjectKind::App);
        self.apps.resize(policy.overrides.len(), 0);
        entries.iter().for_each(|at| self.apps[*at] += 1);
        if let Some(at) = self.of_entries(policy, entries) {
            self.by_app.entry(tenant.to_owned()).or_default().insert(app.to_owned(), at);
        }
    }

    pub(super) fn add_vendor(&mut self, policy: &Policy, vendor: &Vendor, about: &About<'_>) {
        let entries = policy.overrides_of(about, SubjectKind::Vendor);
        if let Some(at) = self.of_entries(policy, entries) {
            self.by_vendor.insert(vendor.id.clone(), at);
        }
    }

    pub(super) fn of_app(&self, tenant: &str, app: &str) -> Option<&Policy> {
        self.all.get(*self.by_app.get(tenant)?.get(app)?)
    }

    pub(super) fn of_vendor(&self, vendor: &Vendor) -> Option<&Policy> {
        self.all.get(*self.by_vendor.get(&vendor.id)?)
    }

    pub(super) fn apps(&self, entry: usize) -> u64 {
        self.apps.get(entry).copied().unwrap_or_default()
    }

    fn of_entries(&mut self, policy: &Policy, entries: Vec<usize>) -> Option<usize> {
        if entries.is_empty() {
            return None;
        }
        let Self { all, by_entries, .. } = self;
        Some(*by_entries.entry(entries).or_insert_with_key(|entries| {
            all.push(policy.with(entries.iter().map(|at| &policy.overrides[*at])));
            all.len() - 1
        }))
    }
}
