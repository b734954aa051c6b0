//! Pacing per quota bucket: a steady rate (governor), a bound on calls in flight, and a cool-down gate that a "slow down" closes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Jitter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{clock::Clock, manifest::Bucket, model::Timestamp};

/// The pace of one tenant's session, by bucket name.
pub(super) struct Pacer {
    lanes: BTreeMap<String, Lane>,
    default: Lane,
    clock: Arc<dyn Clock>,
}

struct Lane {
    limiter: Option<DefaultDirectRateLimiter>,
    in_flight: Arc<Semaphore>,
    /// Nothing leaves before this time. governor cannot change a quota in place, so "slow down" is a gate of its own.
    not_before: Mutex<Option<Timestamp>>,
}

/// Calls in flight for a bucket that the manifest does not name.
const DEFAULT_CONCURRENT: usize = 8;
/// Spreads calls that become ready at the same moment.
const SPREAD: Duration = Duration::from_millis(20);

impl Lane {
    fn new(bucket: Option<&Bucket>) -> Self {
        let limiter = bucket.and_then(|bucket| {
            let rate = Quota::per_minute(bucket.per_minute?);
            Some(RateLimiter::direct(match bucket.burst {
                Some(burst) => rate.allow_burst(burst),
                None => rate,
            }))
        });
        let concurrent = bucket.map_or(DEFAULT_CONCURRENT, |bucket| {
            usize::try_from(bucket.concurrent.get()).unwrap_or(DEFAULT_CONCURRENT)
        });
        Self {
            limiter,
            in_flight: Arc::new(Semaphore::new(concurrent)),
            not_before: Mutex::new(None),
        }
    }
}

impl Pacer {
    pub(super) fn new(buckets: &BTreeMap<String, Bucket>, clock: Arc<dyn Clock>) -> Self {
        Self {
            lanes: buckets
                .iter()
                .map(|(name, bucket)| (name.clone(), Lane::new(Some(bucket))))
                .collect(),
            default: Lane::new(None),
            clock,
        }
    }

    fn lane(&self, bucket: &str) -> &Lane {
        self.lanes.get(bucket).unwrap_or(&self.default)
    }

    /// Waits until a call may leave. The permit is held while the call is in flight.
    pub(super) async fn enter(&self, bucket: &str) -> Option<OwnedSemaphorePermit> {
        let lane = self.lane(bucket);
        // The semaphore is never closed; `None` would only mean that nothing bounds this call.
        let permit = Arc::clone(&lane.in_flight).acquire_owned().await.ok();
        loop {
            self.pass_gate(lane).await;
            if let Some(limiter) = &lane.limiter {
                limiter.until_ready_with_jitter(Jitter::up_to(SPREAD)).await;
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

    /// Closes the bucket's gate for so long.
    pub(super) fn cool_down(&self, bucket: &str, span: Duration) {
        let until = self.clock.now().plus(span);
        let mut gate = self.lane(bucket).not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *gate = Some(gate.map_or(until, |old| old.max(until)));
    }
}
