//! [`Blanks`]: what of a tenant cannot be compared, counted by what and why. It grows with reasons, never with grants.

use std::collections::BTreeMap;

use grantwarden_kit::model::{Gap, Reason};

use super::{NotCompared, Side, fact::Fact, outline::TenantOutline};

/// By what entries are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    what: String,
    side: Side,
    reason: Reason,
    facet: String,
}

impl Key {
    pub(super) fn of(what: String, side: Side, gap: &Gap) -> Self {
        Self { what, side, reason: gap.reason, facet: gap.facet.clone() }
    }
}

#[derive(Debug)]
struct Entry {
    detail: String,
    records: u64,
    counts: bool,
}

/// What of a tenant cannot be compared.
#[derive(Debug)]
pub(super) struct Blanks<'a> {
    entries: BTreeMap<Key, Entry>,
    old: &'a TenantOutline,
    new: &'a TenantOutline,
}

impl<'a> Blanks<'a> {
    pub(super) const fn new(old: &'a TenantOutline, new: &'a TenantOutline) -> Self {
        Self { entries: BTreeMap::new(), old, new }
    }

    /// Whether a scan without the facet is incomplete. One that nobody knows may be.
    pub(super) fn is_promised(&self, facet: &str) -> bool {
        let parts = [self.old, self.new].into_iter().flat_map(|side| &side.end.coverage.parts);
        let mut promised = parts.filter(|part| part.facet == facet).map(|part| part.promised);
        promised.next().is_none_or(|first| first || promised.any(|other| other))
    }

    /// Adds records to an entry. Of several wordings the first in the alphabet stays, whatever the order.
    pub(super) fn add(&mut self, key: Key, detail: &str, records: u64, counts: bool) {
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            detail: detail.to_owned(),
            records: 0,
            counts: false,
        });
        if detail < entry.detail.as_str() {
            detail.clone_into(&mut entry.detail);
        }
        entry.records += records;
        entry.counts |= counts;
    }

    /// Counts records that are held back because the other snapshot did not see all.
    pub(super) fn hold_back(&mut self, key: &Key, records: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.records += records;
            entry.counts |= records > 0;
        }
    }

    /// Notes a fact of so many records that one of the snapshots did not see, or both.
    pub(super) fn fact(&mut self, fact: Fact, old: Option<&Gap>, new: Option<&Gap>, records: u64) {
        let (side, gap, counts) = match (old, new) {
            (None, None) => return,
            (Some(gap), None) => (Side::Old, gap, true),
            (None, Some(gap)) => (Side::New, gap, true),
            (Some(old), Some(new)) => {
                let weighs = |gap: &&Gap| gap.reason.is_loss() && self.is_promised(&gap.facet);
                let (first, second) = (old.min(new), old.max(new));
                let gravest = [first, second].into_iter().find(weighs);
                (Side::Both, gravest.unwrap_or(first), gravest.is_some())
            }
        };
        self.add(Key::of(fact.path().to_owned(), side, gap), &gap.detail, records, counts);
    }

    pub(super) fn finish(self, tenant: &str, platform: &str) -> impl Iterator<Item = NotCompared> {
        let (tenant, platform) = (tenant.to_owned(), platform.to_owned());
        self.entries.into_iter().map(move |(key, entry)| NotCompared {
            platform: platform.clone(),
            tenant: tenant.clone(),
            what: key.what,
            side: key.side,
            reason: key.reason,
            facet: key.facet,
            detail: entry.detail,
            records: entry.records,
            counts: entry.counts,
        })
    }
}
