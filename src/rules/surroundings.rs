//! [`Surroundings`]: what rules know beyond the tenant whose records they judge.
//!
//! Gathered once before the first record is judged, the same for all tenants, and never changed by a rule.

use std::{collections::BTreeMap, sync::Arc};

use grantwarden_kit::model::{App, Grant, Timestamp};

use super::{Before, Holdings, policies::Policies};
use crate::{
    advisories::{Advisories, Candidate, KnownApp, Matches},
    inventory::{AppHoldings, Inventory, TenantRecords},
    policy::{
        About, Policy,
        custom::{Compiled, CustomRule},
    },
    vendors::{self, Match, Member, Register, Vendor},
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
    /// What the user knows about them, if a register is configured.
    pub register: Option<&'a Register>,
    /// Which apps the advisories mean.
    pub advisories: Matches,
    /// Index into `vendors`, and into its apps, by tenant name and app id.
    by_app: BTreeMap<String, BTreeMap<String, (usize, usize)>>,
    /// Apps by tenant name and by the app's name for comparing.
    by_name: BTreeMap<(String, String), Vec<String>>,
    /// The register's entry of each app, by the same indices as `by_app`.
    entries: Vec<Vec<Option<Match<'a>>>>,
    policies: Policies,
    /// Earlier scans, if any were given.
    pub(super) before: Option<Before>,
    /// What the grants and credentials of an app add up to, by tenant name and app id.
    holdings: BTreeMap<&'a str, &'a BTreeMap<String, AppHoldings>>,
}

/// A vendor with all that is known about it once every record was judged.
#[derive(Debug, Clone, Copy)]
pub struct VendorView<'a> {
    /// What is known besides.
    pub surroundings: &'a Surroundings<'a>,
    /// The vendor.
    pub vendor: &'a Vendor,
    /// What it holds.
    pub holdings: &'a Holdings,
}

impl<'a> Surroundings<'a> {
    /// Folds the apps of an inventory into vendors, and finds for each what the user knows about it and the policy.
    pub fn new(
        inventory: &'a Inventory,
        policy: &'a Policy,
        register: Option<&'a Register>,
        now: Timestamp,
    ) -> Self {
        let tenants = inventory.tenants.iter();
        let holdings = tenants.map(|tenant| (tenant.end.name.as_str(), &tenant.holdings)).collect();
        let alone = Self::of_vendors(vendors::fold(inventory, register), policy, now)
            .with_register(register);
        Self { holdings, ..alone.with_policies(inventory) }
    }

    /// With vendors that are known already, one policy for all, and without any sums of grants.
    pub fn of_vendors(folded: Vec<Vendor>, policy: &'a Policy, now: Timestamp) -> Self {
        let mut by_app: BTreeMap<String, BTreeMap<String, (usize, usize)>> = BTreeMap::new();
        let mut by_name: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (at, vendor) in folded.iter().enumerate() {
            for (nth, member) in vendor.apps.iter().enumerate() {
                let of_tenant = by_app.entry(member.tenant.clone()).or_default();
                of_tenant.insert(member.app.clone(), (at, nth));
                let name = (member.tenant.clone(), vendors::company(&member.name));
                by_name.entry(name).or_default().push(member.app.clone());
            }
        }
        Self {
            policy,
            now,
            vendors: folded,
            custom: Arc::default(),
            register: None,
            advisories: Matches::default(),
            by_app,
            by_name,
            entries: Vec::new(),
            policies: Policies::default(),
            before: None,
            holdings: BTreeMap::new(),
        }
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

    /// With what the user knows about the vendors.
    #[must_use]
    pub(super) fn with_register(mut self, register: Option<&'a Register>) -> Self {
        self.register = register;
        let of_app = |vendor, member| register.and_then(|known| known.entry_of_app(vendor, member));
        self.entries = self
            .vendors
            .iter()
            .map(|vendor| vendor.apps.iter().map(|member| of_app(vendor, member)).collect())
            .collect();
        self
    }

    /// With what the policy says about single apps and vendors.
    #[must_use]
    fn with_policies(mut self, inventory: &Inventory) -> Self {
        self.policies.find_sure(&self.vendors, inventory);
        for (vendor, entries) in self.vendors.iter().zip(&self.entries) {
            for (member, entry) in vendor.apps.iter().zip(entries) {
                if entry.as_ref().is_some_and(|entry| entry.is_surely(vendor)) {
                    self.policies.add_sure(member);
                }
            }
        }
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

    /// Also looks for what advisories name among the apps of the inventory.
    #[must_use]
    pub fn with_advisories(self, advisories: Advisories, inventory: &Inventory) -> Self {
        let apps = inventory.tenants.iter().flat_map(|tenant| {
            tenant.apps.values().map(move |app| KnownApp {
                candidate: Candidate {
                    platform: &tenant.end.platform,
                    tenant: &tenant.end.name,
                    tenant_id: tenant.tenant.as_ref().map(|tenant| tenant.id.as_str()),
                    app,
                },
                grants: tenant.grants_by_app.get(&app.id).copied().unwrap_or_default(),
                usage: &tenant.digest.usage,
            })
        });
        let advisories = Matches::new(advisories, apps, &self.vendors);
        Self { advisories, ..self }
    }

    /// With earlier scans to compare with.
    #[must_use]
    pub fn with_before(mut self, before: Option<Before>) -> Self {
        self.before = before;
        self
    }

    /// When the earlier scan that a tenant is compared with began; none if there is none.
    pub fn compared_with(&self, records: &TenantRecords) -> Option<Timestamp> {
        let tenant = records.tenant.as_ref()?;
        let before = self.before.as_ref()?.tenant(&records.end.platform, &tenant.id)?;
        Some(before.taken_at)
    }

    /// The vendor behind an app; none behind people's own tokens, keys and passwords.
    pub fn vendor_of(&self, tenant_name: &str, app: &str) -> Option<&Vendor> {
        self.vendors.get(self.place_of(tenant_name, app)?.0)
    }

    /// The vendor behind an app, and the app as the vendor's.
    pub fn member_of(&self, tenant_name: &str, app: &str) -> Option<(&Vendor, &Member)> {
        let (at, nth) = self.place_of(tenant_name, app)?;
        let vendor = self.vendors.get(at)?;
        Some((vendor, vendor.apps.get(nth)?))
    }

    /// What the register says about the vendor of an app.
    pub fn entry_of(&self, tenant_name: &str, app: &str) -> Option<&Match<'a>> {
        let (at, nth) = self.place_of(tenant_name, app)?;
        self.entries.get(at)?.get(nth)?.as_ref()
    }

    /// The apps of a tenant that are called so, each as tenant name and app id.
    pub fn namesakes<'s>(
        &'s self,
        tenant_name: &'s str,
        name: &str,
    ) -> impl Iterator<Item = (&'s str, &'s str)> {
        let apps = self.by_name.get(&(tenant_name.to_owned(), vendors::company(name)));
        apps.into_iter().flatten().map(move |app| (tenant_name, app.as_str()))
    }

    /// Where a tenant's app stands: index into `vendors`, and into its apps.
    pub fn place_of(&self, tenant_name: &str, app: &str) -> Option<(usize, usize)> {
        self.by_app.get(tenant_name)?.get(app).copied()
    }

    /// Whether more than a claim says that an app is its vendor's.
    pub fn is_sure(&self, tenant_name: &str, app: &str) -> bool {
        self.policies.is_sure(tenant_name, app)
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

    /// What the grants and credentials of an app add up to; `None` where no inventory was added up.
    pub fn holdings_of(&self, tenant_name: &str, app: &str) -> Option<&'a AppHoldings> {
        self.holdings.get(tenant_name)?.get(app)
    }

    /// With these sums for one tenant.
    #[cfg(test)]
    pub(super) fn with_holdings(
        mut self,
        tenant_name: &'a str,
        holdings: &'a BTreeMap<String, AppHoldings>,
    ) -> Self {
        self.holdings.insert(tenant_name, holdings);
        self
    }
}
