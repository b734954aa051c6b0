//! [`Surroundings`]: what rules know beyond the tenant whose records they judge.
//!
//! Gathered once before the first record is judged, the same for all tenants, and never changed by a rule.

use std::{collections::BTreeMap, sync::Arc};

use grantwarden_kit::model::{App, Grant, Timestamp};

use super::policies::Policies;
use crate::{
    inventory::Inventory,
    policy::{
        About, Policy,
        custom::{Compiled, CustomRule},
    },
    vendors,
    vendors::Vendor,
};

/// What is known beyond one tenant.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// What the user decided. What differs for single apps and vendors: [`Self::policy_of_app`], [`Self::policy_of_vendor`].
    pub policy: &'a Policy,
    /// The time to judge by.
    pub now: Timestamp,
    /// Who is behind the apps of all tenants.
    pub vendors: Vec<Vendor>,
    /// The policy's custom rules.
    pub custom: Arc<[Compiled]>,
    /// Index into `vendors` by tenant name and app id.
    by_app: BTreeMap<String, BTreeMap<String, usize>>,
    policies: Policies,
}

impl<'a> Surroundings<'a> {
    /// Folds the apps of an inventory into vendors, and finds the policy for each.
    pub fn new(inventory: &Inventory, policy: &'a Policy, now: Timestamp) -> Self {
        Self::of_vendors(vendors::fold(inventory), policy, now).with_policies(inventory)
    }

    /// With vendors that are known already, and one policy for all.
    pub fn of_vendors(vendors: Vec<Vendor>, policy: &'a Policy, now: Timestamp) -> Self {
        let mut by_app: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for (at, vendor) in vendors.iter().enumerate() {
            for member in &vendor.apps {
                let of_tenant = by_app.entry(member.tenant.clone()).or_default();
                of_tenant.insert(member.app.clone(), at);
            }
        }
        let (custom, policies) = (Arc::default(), Policies::default());
        Self { policy, now, vendors, custom, by_app, policies }
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

    /// With what the policy says about single apps and vendors.
    #[must_use]
    fn with_policies(mut self, inventory: &Inventory) -> Self {
        self.policies.find_sure(&self.vendors, inventory);
        let mut policies = self.policies.clone();
        for tenant in &inventory.tenants {
            let (name, platform) = (&tenant.end.name, &tenant.end.platform);
            for app in tenant.apps.values() {
                policies
                    .add_app(self.policy, &self.about(name, platform, &app.id, Some(app), None));
            }
        }
        for vendor in &self.vendors {
            policies.add_vendor(self.policy, vendor, &self.about_vendor(vendor));
        }
        self.policies = policies;
        self
    }

    /// The vendor behind an app; none behind people's own tokens, keys and passwords.
    pub fn vendor_of(&self, tenant_name: &str, app: &str) -> Option<&Vendor> {
        self.vendors.get(*self.by_app.get(tenant_name)?.get(app)?)
    }

    /// The policy by which an app and what it holds is judged.
    pub fn policy_of_app(&self, tenant_name: &str, app: &str) -> &Policy {
        self.policies.of_app(tenant_name, app).unwrap_or(self.policy)
    }

    /// The policy by which a vendor as a whole is judged.
    pub fn policy_of_vendor(&self, vendor: &Vendor) -> &Policy {
        self.policies.of_vendor(vendor).unwrap_or(self.policy)
    }

    /// How many apps an entry of [`Policy::overrides`] is meant for.
    pub fn apps_with(&self, entry: usize) -> u64 {
        self.policies.apps(entry)
    }

    /// An app and what it holds, as the policy's entries ask for it.
    pub fn about<'b>(
        &'b self,
        tenant_name: &'b str,
        platform: &'b str,
        app_id: &'b str,
        app: Option<&'b App>,
        grant: Option<&'b Grant>,
    ) -> About<'b> {
        About {
            tenant: Some(tenant_name),
            platform: Some(platform),
            app_id: Some(app_id),
            app,
            grant,
            vendor: self.vendor_of(tenant_name, app_id).map(|vendor| vendor.name.as_str()),
            vendor_is_sure: self.policies.is_sure(tenant_name, app_id),
        }
    }

    /// A vendor as a whole, as the policy's entries ask for it. It is sure if each of its apps is.
    pub fn about_vendor<'b>(&self, vendor: &'b Vendor) -> About<'b> {
        let mut apps = vendor.apps.iter();
        let is_sure = apps.all(|member| self.policies.is_sure(&member.tenant, &member.app));
        About { vendor: Some(&vendor.name), vendor_is_sure: is_sure, ..About::default() }
    }
}
