//! [`Fact`]: the facts that are compared, and [`GapSets`]: why some of them are not visible, kept once for however many grants.

use std::collections::{BTreeMap, HashMap};

use grantwarden_kit::model::{Gap, Reason};

/// Texts of gaps that are remembered; a platform that words each one otherwise must not fill the memory.
const MOST_TEXTS: usize = 4_096;

/// A fact that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fact {
    Scopes,
    GrantedAt,
    Expires,
    Network,
    Approval,
    OwnerStatus,
    Refreshable,
    SenderConstrained,
    Settings,
    Publisher,
    PublisherVerified,
    HomeTenant,
    Redirects,
    Blocked,
    AppApproval,
    AppScopes,
}

impl Fact {
    /// Those of a grant, in the order in which an [`super::outline::Outline`] reads them.
    pub(super) const OF_GRANT: [Self; 9] = [
        Self::Scopes,
        Self::GrantedAt,
        Self::Expires,
        Self::Network,
        Self::Approval,
        Self::OwnerStatus,
        Self::Refreshable,
        Self::SenderConstrained,
        Self::Settings,
    ];

    /// Where it stands in a record, as evidence of findings names it.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Scopes => "grant.scopes",
            Self::GrantedAt => "grant.granted_at",
            Self::Expires => "grant.expires",
            Self::Network => "grant.network.binding",
            Self::Approval => "grant.approval",
            Self::OwnerStatus => "grant.holder.status",
            Self::Refreshable => "grant.refreshable",
            Self::SenderConstrained => "grant.sender_constrained",
            Self::Settings => "grant.settings",
            Self::Publisher => "app.publisher",
            Self::PublisherVerified => "app.publisher.verified",
            Self::HomeTenant => "app.home_tenant",
            Self::Redirects => "app.redirect_domains",
            Self::Blocked => "app.blocked",
            Self::AppApproval => "app.approval",
            Self::AppScopes => "app.scopes",
        }
    }
}

/// Whether a setting tells of use only, which is no change.
pub(super) fn is_use(setting: &str) -> bool {
    setting.starts_with("Last ")
}

/// Of several reasons one that makes a scan incomplete, or else the first.
pub(super) fn gravest<G: std::borrow::Borrow<Gap>>(gaps: impl Iterator<Item = G>) -> Option<G> {
    gaps.reduce(|kept, gap| {
        let weighs = |gap: &G| gap.borrow().reason.is_loss();
        if !weighs(&kept) && weighs(&gap) { gap } else { kept }
    })
}

/// The facts of a grant that are not visible, and why.
pub(super) type GapSet = Vec<(Fact, Gap)>;

/// Sets of gaps by number. Number 0 is the empty one.
#[derive(Debug)]
pub(super) struct GapSets {
    sets: Vec<GapSet>,
    /// Of gaps that differ in their wording only, the first stands for all.
    numbers: BTreeMap<Vec<(Fact, Reason, String)>, u32>,
    texts: HashMap<String, u32>,
}

impl Default for GapSets {
    fn default() -> Self {
        Self {
            sets: vec![GapSet::new()],
            numbers: BTreeMap::from([(Vec::new(), 0)]),
            texts: HashMap::new(),
        }
    }
}

impl GapSets {
    pub(super) fn get(&self, number: u32) -> &[(Fact, Gap)] {
        usize::try_from(number).ok().and_then(|at| self.sets.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The number of a set, by the text that it is made from if that was there before.
    pub(super) fn number_of<E>(
        &mut self,
        text: &str,
        make: impl FnOnce() -> Result<GapSet, E>,
    ) -> Result<u32, E> {
        if let Some(number) = self.texts.get(text) {
            return Ok(*number);
        }
        let set = make()?;
        let key: Vec<_> =
            set.iter().map(|(fact, gap)| (*fact, gap.reason, gap.facet.clone())).collect();
        let next = u32::try_from(self.sets.len()).unwrap_or_default();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.sets.push(set);
        }
        if self.texts.len() >= MOST_TEXTS {
            self.texts.clear();
        }
        self.texts.insert(text.to_owned(), number);
        Ok(number)
    }
}
