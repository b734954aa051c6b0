//! The published quotas as token buckets: a minute's worth of calls, refilled evenly. What is
//! refused, and in which words, is decided by the caller.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Metric {
    /// Directory calls of one user.
    Directory,
    /// Reports calls of one user.
    Reports,
    /// Activity listings with a filter.
    Filtered,
    /// Policy reads.
    Policies,
    /// Chrome reports.
    Chrome,
    /// All calls of the account.
    Account,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    seen: f64,
}

/// All buckets of one customer.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<(Metric, String), Bucket>>);

impl Quotas {
    /// Takes one call from a bucket of so many a minute; `now` and the minute are in scaled seconds.
    pub(crate) fn take(&self, metric: Metric, who: &str, per_minute: u32, now: f64) -> bool {
        let full = f64::from(per_minute);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket =
            buckets.entry((metric, who.to_owned())).or_insert(Bucket { left: full, seen: now });
        let refill = (now - bucket.seen).max(0.0) * full / 60.0;
        bucket.left = full.min(bucket.left + refill);
        bucket.seen = now;
        let allowed = bucket.left >= 1.0;
        if allowed {
            bucket.left -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refills_evenly_and_never_beyond_a_minute() {
        let quotas = Quotas::default();
        let taken =
            |now: f64| (0..100).take_while(|_| quotas.take(Metric::Filtered, "a", 60, now)).count();
        assert_eq!(taken(0.0), 60);
        assert_eq!(taken(2.0), 2);
        assert_eq!(taken(600.0), 60);
        assert!(quotas.take(Metric::Filtered, "b", 60, 600.0), "each user has a bucket");
        assert!(quotas.take(Metric::Reports, "a", 60, 600.0), "so has each metric");
    }
}
