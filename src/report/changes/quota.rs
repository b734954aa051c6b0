//! [`Quota`]: which changes go into a format that takes only so many: what may give access before the rest, in the order of the comparison.

use super::{Diff, number};
use crate::inventory::diff::Kind;

/// For how many changes there is still room.
pub(super) struct Quota {
    /// Of what may give access.
    more: u64,
    /// Of the rest.
    rest: u64,
    left_out: u64,
    most: u64,
}

impl Quota {
    /// Gives room to so many of the changes.
    pub(super) fn new(diff: &Diff<'_>, most: u64) -> Self {
        let counts = diff.counts();
        let giving = counts.iter().filter(|(kind, _)| kind.may_give_access());
        let more = giving.map(|(_, count)| count).sum::<u64>().min(most);
        Self { more, rest: most - more, left_out: diff.len().saturating_sub(most), most }
    }

    /// Whether there is room for this one; takes it.
    pub(super) const fn takes(&mut self, kind: Kind) -> bool {
        let room = if kind.may_give_access() { &mut self.more } else { &mut self.rest };
        let has_room = *room > 0;
        *room = room.saturating_sub(1);
        has_room
    }

    /// What there is no room for, if anything.
    pub(super) fn left_out(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} left out: there is room for {}, what may give access first. The JSON report has all.",
                number(self.left_out, "change"),
                self.most
            )
        })
    }
}
