//! [`Quota`]: which findings go into a run that takes only so many: what counts before what is accepted, the graver first.

use std::collections::BTreeMap;

use crate::finding::{Finding, Severity, Status, StatusCounts};

/// How many findings of each kind there is still room for.
pub(super) struct Quota {
    /// By whether it counts, and severity.
    room: BTreeMap<(bool, Severity), u64>,
    left_out: u64,
}

impl Quota {
    /// Gives room to so many findings of those that are counted.
    pub(super) fn new(counts: &StatusCounts, most: u64) -> Self {
        let mut left = most;
        let mut room = BTreeMap::new();
        let all = counts.all();
        for is_active in [true, false] {
            for severity in Severity::ALL.into_iter().rev() {
                let active = counts.active.of(severity);
                let there = if is_active { active } else { all.of(severity) - active };
                let taken = there.min(left);
                left -= taken;
                room.insert((is_active, severity), taken);
            }
        }
        Self { room, left_out: all.total() - (most - left) }
    }

    /// How many findings there is no room for.
    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether there is room for this one; takes it.
    pub(super) fn takes(&mut self, finding: &Finding) -> bool {
        let key = (finding.status == Status::Active, finding.severity);
        let Some(room) = self.room.get_mut(&key).filter(|room| **room > 0) else { return false };
        *room -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_go_first_and_what_counts_before_what_is_accepted() {
        let mut counts = StatusCounts::default();
        for (status, severity, times) in [
            (Status::Active, Severity::Low, 3),
            (Status::Active, Severity::Critical, 2),
            (Status::Baseline, Severity::Critical, 4),
        ] {
            (0..times).for_each(|_| counts.add(&status, severity));
        }
        let quota = Quota::new(&counts, 6);
        assert_eq!(quota.left_out(), 3);
        assert_eq!(quota.room[&(true, Severity::Critical)], 2);
        assert_eq!(quota.room[&(true, Severity::Low)], 3);
        assert_eq!(quota.room[&(false, Severity::Critical)], 1);
        assert_eq!(Quota::new(&counts, 100).left_out(), 0);
    }
}
