//! Time comes in through [`Clock`], so that tests and replays can set it. The only module that asks the machine.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::model::Timestamp;

/// Tells the time and waits.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Time since a fixed moment. It never goes back, whatever happens to the date: for pacing.
    fn elapsed(&self) -> Duration;
    /// Waits.
    async fn sleep(&self, span: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait::async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine for the time"
    )]
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine for the time"
    )]
    fn elapsed(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// A clock for tests: it stands still except that sleeping moves it.
#[derive(Debug)]
pub struct TestClock {
    start: Timestamp,
    /// Milliseconds slept since.
    slept: AtomicU64,
}

impl TestClock {
    /// Stands at the given time.
    pub fn at(now: Timestamp) -> Self {
        Self { start: now, slept: AtomicU64::new(0) }
    }
}

#[async_trait::async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.start.plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.slept.load(Ordering::SeqCst))
    }

    async fn sleep(&self, span: Duration) {
        let millis = u64::try_from(span.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
        let add = |slept: u64| Some(slept.saturating_add(millis));
        // The closure always gives a value.
        let _ = self.slept.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
        tokio::task::yield_now().await;
    }
}
