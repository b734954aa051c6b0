//! Which findings the page holds when there are more than a browser can bear: those that count before those that are accepted, and of
//! each the gravest first.

use crate::finding::{Counts, Finding, Severity, Status, StatusCounts};

/// How many findings of each kind there is still room for.
#[derive(Debug, Clone)]
pub(super) struct Quota {
    /// By whether they are accepted, then by severity.
    room: [[u64; Severity::ALL.len()]; 2],
    /// Those that count and for which there is no room.
    pub(super) active_left_out: Counts,
    /// Those that are accepted and for which there is no room.
    pub(super) accepted_left_out: Counts,
}

impl Quota {
    /// Room for so many of these findings.
    pub(super) fn new(counts: &StatusCounts, most: u64) -> Self {
        let mut accepted = counts.waived;
        accepted += counts.allowed;
        accepted += counts.baseline;
        let mut left = most;
        let mut share = |counts: &Counts| {
            let (mut room, mut out) = ([0; Severity::ALL.len()], Counts::default());
            for severity in Severity::ALL.into_iter().rev() {
                let here = counts.of(severity).min(left);
                left -= here;
                room[severity as usize] = here;
                *slot(&mut out, severity) = counts.of(severity) - here;
            }
            (room, out)
        };
        let (active_room, active_left_out) = share(&counts.active);
        let (accepted_room, accepted_left_out) = share(&accepted);
        Self { room: [active_room, accepted_room], active_left_out, accepted_left_out }
    }

    /// Whether there is room for a finding, which then takes it.
    pub(super) fn take(&mut self, finding: &Finding) -> bool {
        let is_accepted = finding.status != Status::Active;
        let room = &mut self.room[usize::from(is_accepted)][finding.severity as usize];
        let fits = *room > 0;
        *room -= u64::from(fits);
        fits
    }

    /// All for which there is no room.
    pub(super) fn left_out(&self) -> u64 {
        self.active_left_out.total() + self.accepted_left_out.total()
    }
}

const fn slot(counts: &mut Counts, severity: Severity) -> &mut u64 {
    match severity {
        Severity::Info => &mut counts.info,
        Severity::Low => &mut counts.low,
        Severity::Medium => &mut counts.medium,
        Severity::High => &mut counts.high,
        Severity::Critical => &mut counts.critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_that_count_come_first() {
        let counts = StatusCounts {
            active: Counts { critical: 2, high: 3, ..Counts::default() },
            waived: Counts { critical: 1, ..Counts::default() },
            ..StatusCounts::default()
        };
        let quota = Quota::new(&counts, 4);
        assert_eq!(quota.active_left_out, Counts { high: 1, ..Counts::default() });
        assert_eq!(quota.accepted_left_out, Counts { critical: 1, ..Counts::default() });
        assert_eq!((quota.left_out(), Quota::new(&counts, 6).left_out()), (2, 0));
    }
}
