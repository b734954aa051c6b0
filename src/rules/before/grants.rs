//! [`GrantIndex`]: the grants of an earlier scan, small enough that a million of them fit into memory.
//!
//! Ids are kept as hashes, scopes as numbers of sets; no grant is kept as it was written.

use std::collections::{BTreeSet, HashMap};

use aws_lc_rs::digest::{Context as Digest, SHA256};
use grantwarden_kit::model::{
    Approval, Expiry, Grant, Holder, NetworkPolicy, Observed, Scope, Timestamp,
};

use crate::rules::view::restricts;

/// No set: the scopes were not visible.
const UNSEEN: u32 = u32::MAX;

/// The grants of one tenant.
#[derive(Debug, Clone, Default)]
pub struct GrantIndex {
    /// By hash of the id.
    rows: Vec<Row>,
    /// What apps held for holders. Each once, in order.
    pairs: Vec<Pair>,
    scopes: Vec<Scope>,
    sets: Vec<Box<[u32]>>,
}

/// What is kept of one grant: 32 bytes.
#[derive(Debug, Clone, Copy)]
struct Row {
    id: [u8; 16],
    /// Unix seconds; the least number if it is not known.
    granted_at: i64,
    set: u32,
    approval: Stance,
    restricted: Option<bool>,
    ends: Option<bool>,
}

/// What an app held for a holder, whatever the grant's own id: 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    /// Hash of app and holder.
    of: u64,
    set: u32,
    approval: Stance,
    restricted: Option<bool>,
    ends: Option<bool>,
}

/// Who stood behind a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) enum Stance {
    /// An administrator.
    Administrator,
    /// At most a user.
    User,
    /// That was not visible.
    Unseen,
}

impl Stance {
    pub(in crate::rules) const fn of(approval: &Observed<Approval>) -> Self {
        match approval {
            Observed::Known(Approval::AdminApproved) => Self::Administrator,
            Observed::Known(Approval::SelfAuthorized) | Observed::Absent => Self::User,
            Observed::Unknown(_) => Self::Unseen,
        }
    }
}

/// A grant, or all grants of an app for one holder, as they were.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::rules) struct GrantBefore<'a> {
    /// `None`: not visible.
    pub(in crate::rules) scopes: Option<BTreeSet<&'a Scope>>,
    pub(in crate::rules) granted_at: Option<Timestamp>,
    pub(in crate::rules) approval: Stance,
    /// Whether ranges of addresses kept anybody out; `None`: not visible.
    pub(in crate::rules) restricted: Option<bool>,
    /// Whether it ended by itself; `None`: not visible.
    pub(in crate::rules) ends: Option<bool>,
}

impl GrantIndex {
    /// How many grants there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The grant of that id.
    pub(in crate::rules) fn find(&self, id: &str) -> Option<GrantBefore<'_>> {
        let id = hash(&[id]);
        let at = self.rows.binary_search_by(|row| row.id.cmp(&id)).ok()?;
        let row = self.rows.get(at)?;
        Some(GrantBefore {
            scopes: self.set(row.set).map(Iterator::collect),
            granted_at: Timestamp::from_second(row.granted_at),
            approval: row.approval,
            restricted: row.restricted,
            ends: row.ends,
        })
    }

    /// What the app held for the same holder, in all its grants; `None`: it held nothing for it. A limit counts if all of them had it.
    pub(in crate::rules) fn held_for(&self, grant: &Grant) -> Option<GrantBefore<'_>> {
        let of = pair(grant);
        let begin = self.pairs.partition_point(|pair| pair.of < of);
        let end = self.pairs.partition_point(|pair| pair.of <= of);
        let pairs = self.pairs.get(begin..end).filter(|pairs| !pairs.is_empty())?;
        let mut scopes = Some(BTreeSet::new());
        for pair in pairs {
            scopes = scopes.zip(self.set(pair.set)).map(|(mut all, set)| {
                all.extend(set);
                all
            });
        }
        let is_any = |stance| pairs.iter().any(|pair| pair.approval == stance);
        let approval = match () {
            () if is_any(Stance::User) => Stance::User,
            () if is_any(Stance::Unseen) => Stance::Unseen,
            () => Stance::Administrator,
        };
        Some(GrantBefore {
            scopes,
            granted_at: None,
            approval,
            restricted: all(pairs.iter().map(|pair| pair.restricted)),
            ends: all(pairs.iter().map(|pair| pair.ends)),
        })
    }

    fn set(&self, number: u32) -> Option<impl Iterator<Item = &Scope>> {
        let set = self.sets.get(usize::try_from(number).ok()?)?;
        Some(set.iter().filter_map(|scope| self.scopes.get(usize::try_from(*scope).ok()?)))
    }
}

/// A [`GrantIndex`] while it is being filled.
#[derive(Debug, Default)]
pub(super) struct Filling {
    index: GrantIndex,
    scopes: HashMap<Scope, u32>,
    sets: HashMap<Box<[u32]>, u32>,
}

impl Filling {
    /// Room for so many grants.
    pub(super) fn with_capacity(grants: usize) -> Self {
        let index = GrantIndex { rows: Vec::with_capacity(grants), ..GrantIndex::default() };
        Self { index, ..Self::default() }
    }

    /// Takes a grant in, unless it had ended when the scan began: one that works again was not there.
    pub(super) fn add(&mut self, grant: &Grant, taken_at: Timestamp) {
        if matches!(grant.expires, Observed::Known(Expiry::At(end)) if end <= taken_at) {
            return;
        }
        let set = match &grant.scopes {
            Observed::Known(scopes) => self.number_of(scopes),
            Observed::Absent => self.number_of(&[]),
            Observed::Unknown(_) => UNSEEN,
        };
        let approval = Stance::of(&grant.approval);
        let (restricted, ends) = (restricted(&grant.network), ends(&grant.expires));
        self.index.rows.push(Row {
            id: hash(&[&grant.id]),
            granted_at: grant.granted_at.known().map_or(i64::MIN, |at| at.as_second()),
            set,
            approval,
            restricted,
            ends,
        });
        self.index.pairs.push(Pair { of: pair(grant), set, approval, restricted, ends });
        // Most grants of an app for one holder have the same scopes; now and then the repeats go.
        if self.index.pairs.len() == self.index.pairs.capacity() {
            self.fold_pairs();
        }
    }

    pub(super) fn finish(mut self) -> GrantIndex {
        self.index.rows.sort_unstable_by_key(|row| row.id);
        self.fold_pairs();
        self.index.pairs.shrink_to_fit();
        self.index.rows.shrink_to_fit();
        self.index
    }

    fn fold_pairs(&mut self) {
        self.index.pairs.sort_unstable();
        self.index.pairs.dedup();
    }

    fn number_of(&mut self, scopes: &[Scope]) -> u32 {
        let mut numbers: Vec<u32> = scopes.iter().map(|scope| self.number(scope)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let numbers = numbers.into_boxed_slice();
        if let Some(known) = self.sets.get(&numbers) {
            return *known;
        }
        let number = u32::try_from(self.index.sets.len()).unwrap_or(UNSEEN);
        self.index.sets.push(numbers.clone());
        self.sets.insert(numbers, number);
        number
    }

    fn number(&mut self, scope: &Scope) -> u32 {
        if let Some(known) = self.scopes.get(scope) {
            return *known;
        }
        let number = u32::try_from(self.index.scopes.len()).unwrap_or(UNSEEN);
        self.index.scopes.push(scope.clone());
        self.scopes.insert(scope.clone(), number);
        number
    }
}

/// Whether something held for all: no if it did not for one, and not visible if it was not of one.
fn all(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let each: BTreeSet<Option<bool>> = each.collect();
    let decisive = [Some(false), None, Some(true)];
    decisive.into_iter().find(|value| each.contains(value)).flatten()
}

/// Whether ranges of addresses keep anybody out; `None`: not visible.
pub(in crate::rules) fn restricted(network: &NetworkPolicy) -> Option<bool> {
    match &network.binding {
        Observed::Known(ranges) => Some(restricts(ranges)),
        Observed::Absent => Some(false),
        Observed::Unknown(_) => None,
    }
}

/// Whether a grant ends by itself; `None`: not visible.
pub(in crate::rules) const fn ends(expires: &Observed<Expiry>) -> Option<bool> {
    match expires {
        Observed::Known(Expiry::Never) | Observed::Absent => Some(false),
        Observed::Known(Expiry::At(_) | Expiry::Idle(_)) => Some(true),
        Observed::Unknown(_) => None,
    }
}

/// The app and for whom it acts, whatever the grant's own id.
fn pair(grant: &Grant) -> u64 {
    let (kind, holder) = match &grant.holder {
        Holder::Principal(principal) => ("principal", principal.id.as_str()),
        Holder::Tenant => ("tenant", ""),
        Holder::App => ("app", ""),
    };
    let digest = hash(&[&grant.app, kind, holder]);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

/// The first half of SHA-256. Each part goes in with its length in front.
fn hash(parts: &[&str]) -> [u8; 16] {
    let mut digest = Digest::new(&SHA256);
    for part in parts {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finish().as_ref()[..16]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{Well, days, gap, scopes};
    use super::*;

    #[test]
    fn a_row_stays_small() {
        assert_eq!((size_of::<Row>(), size_of::<Pair>()), (32, 16));
    }

    #[test]
    fn grants_are_found_again_as_they_were() {
        let mut filling = Filling::with_capacity(2);
        let mut well = Well::run();
        filling.add(&well.grant, days(-35));
        well.grant.id = "2".to_owned();
        well.grant.expires = Observed::Known(Expiry::Never);
        well.grant.network.binding = Observed::Absent;
        well.grant.approval = Observed::Unknown(gap("approval"));
        well.grant.scopes = Observed::Known(scopes(&["refresh_token", "api", "api", "full"]));
        filling.add(&well.grant, days(-35));
        let index = filling.finish();
        assert_eq!(index.len(), 2);
        let first = index.find(&Well::run().grant.id).unwrap();
        assert_eq!((first.restricted, first.ends), (Some(true), Some(true)));
        assert_eq!(first.approval, Stance::Administrator);
        assert_eq!(first.granted_at.as_ref(), Well::run().grant.granted_at.known());
        let second = index.find("2").unwrap();
        assert_eq!((second.restricted, second.ends), (Some(false), Some(false)));
        assert_eq!(second.approval, Stance::Unseen);
        let expected = scopes(&["api", "full", "refresh_token"]);
        assert_eq!(second.scopes, Some(expected.iter().collect()));
        assert!(index.find("3").is_none());
        let held = index.held_for(&well.grant).unwrap();
        assert_eq!(held.scopes, Some(expected.iter().collect()));
        // A limit that one of them did not have, or that was not visible of one, is none.
        assert_eq!((held.restricted, held.ends), (Some(false), Some(false)));
        assert_eq!(held.approval, Stance::Unseen);
    }

    #[test]
    fn what_was_held_for_a_holder_is_unseen_if_part_of_it_was() {
        let mut filling = Filling::default();
        let mut well = Well::run();
        filling.add(&well.grant, days(-35));
        well.grant.id = "2".to_owned();
        well.grant.scopes = Observed::Unknown(gap("scopes"));
        filling.add(&well.grant, days(-35));
        let index = filling.finish();
        assert!(index.held_for(&well.grant).unwrap().scopes.is_none());
        well.principal().id = "somebody else".to_owned();
        assert_eq!(index.held_for(&well.grant), None);
        assert!(index.find("2").unwrap().scopes.is_none());
    }
}
