//! What findings rest on besides the inventory, gathered in the same way for every command that judges one: policy, custom rules, vendor
//! register, advisories and earlier scans.

use std::{env, path::Path};

use grantwarden_kit::model::Timestamp;

use super::{Failure, advisory, args::BasisArgs, previous::Earlier};
use crate::{
    advisories::Advisories,
    config::{Config, Places},
    inventory::Inventory,
    policy::{
        Policy,
        custom::{self, Compiled},
    },
    rules::{self, Surroundings},
    scan::Origin,
    store::Store,
    vendors::Register,
};

/// What findings rest on besides the inventory.
pub(super) struct Basis {
    pub(super) policy: Policy,
    custom: Vec<Compiled>,
    register: Option<Register>,
    advisories: Advisories,
    earlier: Option<Earlier>,
    now: Option<Timestamp>,
    places: Option<Places>,
}

impl Basis {
    /// Reads it. `taken_at` is when the scan began, or begins: what is wrong is said before the scan, not after it.
    pub(super) fn read(
        mut config: Config,
        arguments: &BasisArgs,
        taken_at: Timestamp,
    ) -> Result<Self, Failure> {
        if let Some(path) = &arguments.policy {
            config.replace_policy(path)?;
        }
        config.check_policy_at(arguments.now.unwrap_or(taken_at))?;
        // One policy may serve several configurations: a tenant of another one is no error, and a misspelt one must not pass unseen.
        let has = |name: &str| config.tenants.iter().any(|tenant| tenant.name == name);
        for name in config.policy.named_tenants() {
            if !config.tenants.is_empty() && !has(name) {
                tracing::warn!(
                    "The policy names the tenant `{name}`, which the configuration does not have."
                );
            }
        }
        Ok(Self {
            advisories: advisory::load(&config, &arguments.advisories)?,
            earlier: Earlier::read(&arguments.previous)?,
            custom: custom::compile(&config.policy.custom, &rules::ids())
                .map_err(|error| Failure::usage(error.message))?,
            policy: config.policy,
            register: config.register,
            now: arguments.now,
            places: config.places,
        })
    }

    /// Compares with what the store remembers of the same tenants, unless earlier scans were named.
    pub(super) async fn compare_with(
        &mut self,
        store: &Store,
        inventory: &Inventory,
    ) -> Result<(), Failure> {
        if self.earlier.is_none() {
            self.earlier = Earlier::of_store(store, inventory).await?;
        }
        Ok(())
    }

    /// The files that reports point at: the configuration, and the inventory if one was given.
    pub(super) fn origin(&self, inventory: Option<&Path>) -> Origin {
        Origin::new(self.places.clone(), inventory, &env::current_dir().unwrap_or_default())
    }

    /// What rules then know beyond the records of the inventory.
    pub(super) fn surroundings<'a>(
        &'a mut self,
        inventory: &'a Inventory,
    ) -> Result<Surroundings<'a>, Failure> {
        let before = self.earlier.take().map(|earlier| earlier.before(inventory)).transpose()?;
        let now = self.now.unwrap_or(inventory.header.taken_at);
        for one in self.advisories.iter() {
            advisory::warn_of_missing_tenants(one, inventory);
        }
        Ok(Surroundings::new(inventory, &self.policy, self.register.as_ref(), now)
            .with_custom(std::mem::take(&mut self.custom))
            .with_advisories(std::mem::take(&mut self.advisories), inventory)
            .with_before(before))
    }
}
