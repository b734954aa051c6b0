//! Pacing per quota bucket: a steady rate (governor), a bound on calls in flight, and a cool-down gate that a "slow down" closes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock as _,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Window;
use crate::{clock::Clock, manifest::Bucket, model::Timestamp};

/// The pace of one tenant's session, by bucket name.
pub(super) struct Pacer {
    lanes: BTreeMap<String, Lane>,
    default: Lane,
    clock: Arc<dyn Clock>,
}

/// A steady rate by the session's own clock, so that a test need not wait for it.
type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>;

/// The session's clock, as governor wants to see it.
#[derive(Clone)]
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Lane {
    limiter: Option<Limiter>,
    concurrent: usize,
    in_flight: Arc<Semaphore>,
    /// Nothing leaves before this time. governor cannot change a quota in place, so "slow down" is a gate of its own.
    not_before: Mutex<Option<Timestamp>>,
}

/// Calls in flight for a bucket that the manifest does not name.
const DEFAULT_CONCURRENT: usize = 8;

impl Lane {
    fn new(bucket: Option<&Bucket>, clock: &Arc<dyn Clock>) -> Self {
        let limiter = bucket.and_then(|bucket| {
            let rate = Quota::per_minute(bucket.per_minute?);
            let rate = match bucket.burst {
                Some(burst) => rate.allow_burst(burst),
                None => rate,
            };
            Some(RateLimiter::direct_with_clock(rate, Ticks(Arc::clone(clock))))
        });
        let concurrent = bucket.map_or(DEFAULT_CONCURRENT, |bucket| {
            usize::try_from(bucket.concurrent.get()).unwrap_or(DEFAULT_CONCURRENT)
        });
        Self {
            limiter,
            concurrent,
            in_flight: Arc::new(Semaphore::new(concurrent)),
            not_before: Mutex::new(None),
        }
    }

    fn in_flight(&self) -> u64 {
        let busy = self.concurrent.saturating_sub(self.in_flight.available_permits());
        u64::try_from(busy).unwrap_or(u64::MAX)
    }
}

impl Pacer {
    pub(super) fn new(buckets: &BTreeMap<String, Bucket>, clock: Arc<dyn Clock>) -> Self {
        Self {
            lanes: buckets
                .iter()
                .map(|(name, bucket)| (name.clone(), Lane::new(Some(bucket), &clock)))
                .collect(),
            default: Lane::new(None, &clock),
            clock,
        }
    }

    fn lane(&self, bucket: &str) -> &Lane {
        // What a manifest does not name is its `default`.
        self.lanes.get(bucket).or_else(|| self.lanes.get("default")).unwrap_or(&self.default)
    }

    /// Waits until a call may leave. The permit is held while the call is in flight.
    pub(super) async fn enter(&self, bucket: &str) -> Option<OwnedSemaphorePermit> {
        let lane = self.lane(bucket);
        // The semaphore is never closed; `None` would only mean that nothing bounds this call.
        let permit = Arc::clone(&lane.in_flight).acquire_owned().await.ok();
        loop {
            self.pass_gate(lane).await;
            if let Some(limiter) = &lane.limiter {
                while let Err(early) = limiter.check() {
                    let wait = early.wait_time_from(limiter.clock().now());
                    self.clock.sleep(wait).await;
                }
            }
            // The gate may have closed while the limiter held this call back.
            if self.wait_of(lane).is_zero() {
                break;
            }
        }
        permit
    }

    async fn pass_gate(&self, lane: &Lane) {
        loop {
            let wait = self.wait_of(lane);
            if wait.is_zero() {
                return;
            }
            self.clock.sleep(wait).await;
        }
    }

    fn wait_of(&self, lane: &Lane) -> Duration {
        let closed_until = *lane.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        closed_until.map_or(Duration::ZERO, |at| self.clock.now().until(at))
    }

    /// Closes the bucket's gate until the platform's next window if this one has nothing left but the share that is kept for others and
    /// what is in flight already.
    pub(super) fn learn(&self, bucket: &str, window: Window, keep_percent: u8) {
        let keep = window.limit.saturating_mul(keep_percent.into()) / 100;
        // The call that brought the news is still counted as in flight.
        let in_flight = self.lane(bucket).in_flight().saturating_sub(1);
        if window.remaining <= keep.saturating_add(in_flight) {
            self.cool_down(bucket, window.resets_in);
        }
    }

    /// Closes the bucket's gate for so long.
    pub(super) fn cool_down(&self, bucket: &str, span: Duration) {
        let until = self.clock.now().plus(span);
        let mut gate = self.lane(bucket).not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *gate = Some(gate.map_or(until, |old| old.max(until)));
    }
}
