//! The published tiers as token buckets: a minute's worth of calls and a quarter more, refilled
//! evenly. The platform says that short bursts are tolerated and not how long; a quarter is the lab's
//! choice. Who is counted together is decided by the caller.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What is counted by itself: a method, a workspace or organisation, an app.
pub(crate) type Key = (&'static str, String, String);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    seen: f64,
}

/// All buckets of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<Key, Bucket>>);

impl Quotas {
    /// Takes one call from a bucket of so many a minute; `now` is in scaled seconds. If there is none
    /// left, gives the scaled seconds until there is one.
    pub(crate) fn take(&self, key: Key, per_minute: u32, now: f64) -> Result<(), f64> {
        let rate = f64::from(per_minute) / 60.0;
        let full = f64::from(per_minute + per_minute / 4);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(key).or_insert(Bucket { left: full, seen: now });
        bucket.left = full.min(bucket.left + (now - bucket.seen).max(0.0) * rate);
        bucket.seen = now;
        if bucket.left < 1.0 {
            return Err(if rate > 0.0 { (1.0 - bucket.left) / rate } else { 60.0 });
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(method: &'static str, app: &str) -> Key {
        (method, "E1".to_owned(), app.to_owned())
    }

    #[test]
    fn a_burst_is_a_quarter_and_refills_evenly() {
        let quotas = Quotas::default();
        let taken = |limit, now: f64| {
            (0..200).take_while(|_| quotas.take(key("m", "a"), limit, now).is_ok()).count()
        };
        assert_eq!(taken(20, 0.0), 25);
        assert_eq!(taken(20, 6.0), 2);
        assert_eq!(taken(20, 600.0), 25);
        assert!(quotas.take(key("m", "b"), 20, 600.0).is_ok(), "each app has a bucket");
        assert!(quotas.take(key("n", "a"), 20, 600.0).is_ok(), "so has each method");
    }

    #[test]
    fn tells_when_to_come_back() {
        let quotas = Quotas::default();
        assert_eq!(quotas.take(key("m", "a"), 1, 0.0), Ok(()));
        assert_eq!(quotas.take(key("m", "a"), 1, 15.0), Err(45.0));
        assert_eq!(quotas.take(key("m", "a"), 1, 60.0), Ok(()));
        assert_eq!(quotas.take(key("none", "a"), 0, 0.0), Err(60.0));
    }
}
