//! [`Surroundings`]: what rules know beyond the tenant whose records they judge.
//!
//! Gathered once before the first record is judged, the same for all tenants, and never changed by a rule.

use std::{collections::BTreeMap, sync::Arc};

use grantwarden_kit::model::Timestamp;

use crate::{
    inventory::Inventory,
    policy::{
        Policy,
        custom::{Compiled, CustomRule},
    },
    vendors,
    vendors::Vendor,
};

/// What is known beyond one tenant.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// What the user decided.
    pub policy: &'a Policy,
    /// The time to judge by.
    pub now: Timestamp,
    /// Who is behind the apps of all tenants.
    pub vendors: Vec<Vendor>,
    /// The policy's custom rules.
    pub custom: Arc<[Compiled]>,
    /// Index into `vendors` by tenant name and app id.
    by_app: BTreeMap<String, BTreeMap<String, usize>>,
}

impl<'a> Surroundings<'a> {
    /// Folds the apps of an inventory into vendors.
    pub fn new(inventory: &Inventory, policy: &'a Policy, now: Timestamp) -> Self {
        Self::of_vendors(vendors::fold(inventory), policy, now)
    }

    /// With vendors that are known already.
    pub fn of_vendors(vendors: Vec<Vendor>, policy: &'a Policy, now: Timestamp) -> Self {
        let mut by_app: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for (at, vendor) in vendors.iter().enumerate() {
            for member in &vendor.apps {
                let of_tenant = by_app.entry(member.tenant.clone()).or_default();
                of_tenant.insert(member.app.clone(), at);
            }
        }
        Self { policy, now, vendors, custom: Arc::default(), by_app }
    }

    /// With the policy's custom rules.
    #[must_use]
    pub fn with_custom(mut self, custom: Vec<Compiled>) -> Self {
        self.custom = custom.into();
        self
    }

    /// The custom rule of that id.
    pub fn custom_rule(&self, id: &str) -> Option<&CustomRule> {
        self.custom.iter().map(|compiled| &compiled.rule).find(|rule| rule.id == id)
    }

    /// The vendor behind an app; none behind people's own tokens, keys and passwords.
    pub fn vendor_of(&self, tenant_name: &str, app: &str) -> Option<&Vendor> {
        self.vendors.get(*self.by_app.get(tenant_name)?.get(app)?)
    }
}
