//! [`Surroundings`]: what rules know beyond the tenant whose records they judge.
//!
//! Gathered once before the first record is judged, the same for all tenants, and never changed by a rule.

use std::{collections::BTreeMap, sync::Arc};

use grantwarden_kit::model::Timestamp;

use super::Holdings;
use crate::{
    inventory::Inventory,
    policy::{
        Policy,
        custom::{Compiled, CustomRule},
    },
    vendors::{self, Match, Member, Register, Vendor},
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
    /// What the user knows about them, if a register is configured.
    pub register: Option<&'a Register>,
    /// Index into `vendors`, and into its apps, by tenant name and app id.
    by_app: BTreeMap<String, BTreeMap<String, (usize, usize)>>,
    /// Apps by tenant name and by the app's name for comparing.
    by_name: BTreeMap<(String, String), Vec<String>>,
    /// The register's entry of each app, by the same indices as `by_app`.
    entries: Vec<Vec<Option<Match<'a>>>>,
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
    /// Folds the apps of an inventory into vendors.
    pub fn new(inventory: &Inventory, policy: &'a Policy, now: Timestamp) -> Self {
        Self::of_vendors(vendors::fold(inventory), policy, now)
    }

    /// With vendors that are known already.
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
            by_app,
            by_name,
            entries: Vec::new(),
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
    pub fn with_register(mut self, register: Option<&'a Register>) -> Self {
        self.register = register;
        let of_app = |vendor, member| register.and_then(|known| known.entry_of_app(vendor, member));
        self.entries = self
            .vendors
            .iter()
            .map(|vendor| vendor.apps.iter().map(|member| of_app(vendor, member)).collect())
            .collect();
        self
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
}
