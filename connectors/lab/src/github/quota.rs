//! The published limits: calls in an hour, counted in fixed windows; points in a minute, refilled evenly;
//! and calls at once. What is refused, and in which words, is decided by the caller.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// What is counted by itself for each caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    Core,
    Graphql,
    AuditLog,
}

impl Resource {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Graphql => "graphql",
            Self::AuditLog => "audit_log",
        }
    }
}

/// What a caller has used of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) limit: u32,
    pub(crate) used: u32,
    /// Seconds since the epoch.
    pub(crate) reset: i64,
}

impl Usage {
    pub(crate) fn remaining(self) -> u32 {
        self.limit.saturating_sub(self.used)
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    start: i64,
    used: u32,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    seen: i64,
}

/// All counters of one host.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    windows: Mutex<HashMap<(Resource, String), Window>>,
    points: Mutex<HashMap<String, Bucket>>,
    arrivals: Mutex<VecDeque<i64>>,
}

impl Limits {
    /// Counts `cost` calls in the hour of a caller. An error if the hour is used up.
    pub(crate) fn take(
        &self,
        key: (Resource, &str),
        (limit, cost): (u32, u32),
        now_ms: i64,
        scale: f64,
    ) -> Result<Usage, Usage> {
        #[expect(clippy::cast_possible_truncation, reason = "an hour fits")]
        let hour = (3_600_000.0 / scale.max(0.001)) as i64;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Window { start: now_ms, used: 0 };
        let window = windows.entry((key.0, key.1.to_owned())).or_insert(fresh);
        if now_ms >= window.start + hour {
            *window = fresh;
        }
        let reset = (window.start + hour).div_euclid(1_000) + 1;
        if cost > 0 && window.used >= limit {
            return Err(Usage { limit, used: window.used, reset });
        }
        window.used += cost;
        Ok(Usage { limit, used: window.used, reset })
    }

    /// Takes points of a caller's minute. An error with the seconds to wait if there are too few.
    pub(crate) fn points(
        &self,
        who: &str,
        (full, cost): (u32, u32),
        now_ms: i64,
        scale: f64,
    ) -> Result<(), u64> {
        let (full, cost) = (f64::from(full), f64::from(cost));
        let mut points = self.points.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = points.entry(who.to_owned()).or_insert(Bucket { left: full, seen: now_ms });
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run are exact")]
        let seconds = (now_ms - bucket.seen).max(0) as f64 / 1_000.0 * scale;
        bucket.left = full.min(bucket.left + seconds * full / 60.0);
        bucket.seen = now_ms;
        if bucket.left < cost {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a minute at most"
            )]
            return Err((60.0 / scale).ceil().max(1.0) as u64);
        }
        bucket.left -= cost;
        Ok(())
    }

    /// Notes that a call came in.
    pub(crate) fn arrive(&self, now_ms: i64, latency_ms: i64) {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.push_back(now_ms);
        while arrivals.front().is_some_and(|first| *first < now_ms - latency_ms - 1_000) {
            arrivals.pop_front();
        }
    }

    /// How many calls were served together with one that is about to be answered: those that came in
    /// since it did, which is its own time ago, give or take a scheduler's. Calls without a time of
    /// their own are never at once.
    pub(crate) fn at_once(&self, now_ms: i64, latency_ms: i64) -> usize {
        if latency_ms == 0 {
            return 0;
        }
        let since = now_ms - latency_ms - latency_ms / 4 - 20;
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.iter().filter(|arrival| **arrival >= since).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_ends_and_starts_again() {
        let limits = Limits::default();
        let take = |who, now| limits.take((Resource::Core, who), (2, 1), now, 60.0);
        assert_eq!(take("a", 0), Ok(Usage { limit: 2, used: 1, reset: 61 }));
        assert_eq!(take("a", 10).map(Usage::remaining), Ok(0));
        assert_eq!(take("a", 20).map_err(Usage::remaining), Err(0));
        assert!(take("b", 20).is_ok(), "each caller has an hour");
        assert!(take("a", 60_000).is_ok(), "sixty times as fast");
    }

    #[test]
    fn points_refill_evenly() {
        let limits = Limits::default();
        let take =
            |now| (0..100).take_while(|_| limits.points("a", (60, 5), now, 1.0).is_ok()).count();
        assert_eq!(take(0), 12);
        assert_eq!(limits.points("a", (60, 5), 0, 1.0), Err(60));
        assert_eq!(take(10_000), 2);
    }
}
