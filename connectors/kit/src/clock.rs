//! Time comes in through [`Clock`], so that tests and replays can set it. The only module that asks the machine.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use crate::model::Timestamp;

/// Tells the time and waits.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
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

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// A clock for tests: it stands still except that sleeping moves it.
#[derive(Debug)]
pub struct TestClock {
    seconds: AtomicI64,
}

impl TestClock {
    /// Stands at the given time.
    pub fn at(now: Timestamp) -> Self {
        Self { seconds: AtomicI64::new(now.as_second()) }
    }
}

#[async_trait::async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds.load(Ordering::SeqCst))
            .unwrap_or_else(|| SystemClock.now())
    }

    async fn sleep(&self, span: Duration) {
        let whole = i64::try_from(span.as_secs_f64().ceil() as u64).unwrap_or(i64::MAX);
        self.seconds.fetch_add(whole, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}
