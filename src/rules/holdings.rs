//! [`Holdings`]: what one vendor holds in all tenants together: counts, so that a million grants take no more memory than one.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::{Answer, GrantView};
use crate::scopes::DataClass;

/// Principals that are told from each other; of more only that there are more is known.
const MOST_PRINCIPALS: usize = 1_000;

/// What a vendor's live grants amount to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// By platform id.
    pub by_platform: BTreeMap<String, OnPlatform>,
    /// The kinds of sensitive data that its scopes reach in bulk, as far as the scopes are visible.
    pub data: BTreeSet<DataClass>,
    /// Tenants, by the user's name.
    pub tenants: BTreeSet<String>,
    /// Hashes of principals, so that each counts once.
    principals: BTreeSet<u64>,
}

/// What a vendor's live grants on one platform amount to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnPlatform {
    /// Grants that can be used now.
    pub live: u64,
    /// Of them, those whose scopes reach sensitive data in bulk.
    pub broad: u64,
    /// Those that outlive `durable_after` without anybody acting.
    pub durable: u64,
    /// Those that work from any network.
    pub unbound: u64,
    /// Those whose holder can read or change data of the whole organisation.
    pub privileged: u64,
    /// Those without a person or account behind them, or for everybody: the app itself, or any user of the tenant.
    pub tenant_wide: u64,
    /// Those whose scopes are not visible.
    pub unseen: u64,
}

impl Holdings {
    /// Counts a grant, if it is live.
    pub fn add(&mut self, view: &GrantView<'_>) {
        if !view.is_live() {
            return;
        }
        let context = view.context;
        self.tenants.insert(context.tenant_name.to_owned());
        if let Some(principal) = view.principal() {
            let mut hasher = DefaultHasher::new();
            (context.tenant_name, &principal.id).hash(&mut hasher);
            if self.principals.len() <= MOST_PRINCIPALS {
                self.principals.insert(hasher.finish());
            }
        }
        let scopes = view.scopes().into_iter().flat_map(|set| &set.scopes);
        self.data.extend(scopes.filter(|scope| scope.is_broad()).map(|scope| scope.data));
        let broad = view.is_broad();
        let here = self.by_platform.entry(context.platform.to_owned()).or_default();
        let yes = |answer: &Answer<'_>| u64::from(*answer == Answer::Yes);
        here.live += 1;
        here.broad += yes(&broad);
        here.unseen += u64::from(matches!(broad, Answer::Unknown(..)));
        here.durable += yes(&view.is_durable());
        here.unbound += yes(&view.is_unbound());
        here.privileged += yes(&view.is_privileged());
        here.tenant_wide += u64::from(view.principal().is_none());
    }

    /// All platforms together.
    pub fn total(&self) -> OnPlatform {
        let mut total = OnPlatform::default();
        for here in self.by_platform.values() {
            total.live += here.live;
            total.broad += here.broad;
            total.durable += here.durable;
            total.unbound += here.unbound;
            total.privileged += here.privileged;
            total.tenant_wide += here.tenant_wide;
            total.unseen += here.unseen;
        }
        total
    }

    /// Grants that can be used now.
    pub fn live(&self) -> u64 {
        self.by_platform.values().map(|here| here.live).sum()
    }

    /// The platforms on which it holds a live grant that reaches sensitive data in bulk, in alphabetical order.
    pub fn broad_platforms(&self) -> Vec<&str> {
        let broad = self.by_platform.iter().filter(|(_, here)| here.broad > 0);
        broad.map(|(platform, _)| platform.as_str()).collect()
    }

    /// How many principals stand behind the grants, at least; and whether there are more.
    pub fn principals(&self) -> (u64, bool) {
        let count = self.principals.len().min(MOST_PRINCIPALS);
        (count as u64, self.principals.len() > MOST_PRINCIPALS)
    }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{Expiry, Observed};

    use super::super::testing::{Well, days, gap};
    use super::*;

    fn add(holdings: &mut Holdings, well: &Well) {
        let context = well.context();
        holdings.add(&GrantView::new(&context, Some(&well.app), &well.grant));
    }

    #[test]
    fn live_grants_are_counted_and_dead_ones_are_not() {
        let mut holdings = Holdings::default();
        let mut well = Well::run();
        add(&mut holdings, &well);
        well.scopes(&["openid"]);
        add(&mut holdings, &well);
        well.grant.expires = Observed::Known(Expiry::At(days(-1)));
        add(&mut holdings, &well);
        well.app.blocked = Observed::Known(true);
        add(&mut holdings, &well);
        let total = holdings.total();
        assert_eq!((total.live, total.broad, total.unbound), (2, 1, 0));
        assert_eq!(holdings.principals(), (1, false));
        assert_eq!(holdings.broad_platforms(), ["salesforce"]);
        assert_eq!(holdings.data, BTreeSet::from([DataClass::Crm]));
    }

    #[test]
    fn what_is_not_visible_is_counted_as_that() {
        let mut holdings = Holdings::default();
        let mut well = Well::run();
        well.grant.scopes = Observed::Unknown(gap("scopes"));
        well.app.scopes = Observed::Unknown(gap("scopes"));
        add(&mut holdings, &well);
        assert_eq!((holdings.total().broad, holdings.total().unseen), (0, 1));
    }

    #[test]
    fn principals_are_counted_up_to_a_bound() {
        let mut holdings = Holdings::default();
        let mut well = Well::run();
        for number in 0..2_000 {
            well.principal().id = format!("005{number}");
            add(&mut holdings, &well);
        }
        assert_eq!(holdings.principals(), (1_000, true));
    }
}
