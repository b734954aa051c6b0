//! What stands around a scan that a timer starts: a random wait, a lock, a heartbeat. It must not read a tenant's secret, and knows nothing
//! of what a scan does.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    Failure,
    args::ScanArgs,
    heartbeat::{Beat, Heartbeat},
    kit, lock, scan,
};
use crate::{config, exit::Exit};

/// Runs a scan when its time has come, and nobody else's runs.
pub(super) async fn run(
    arguments: &ScanArgs,
    scanning: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    if arguments.offline {
        return scanning.await;
    }
    // What is wrong with arguments and configuration is said now, not after the wait.
    scan::check(arguments)?;
    let config = config::load(&arguments.selection.config)?;
    let stop = kit().cancel;
    let timing = &arguments.timing;
    if let Some(jitter) = timing.jitter {
        let wait = part_of(jitter.duration(), random()?);
        tracing::info!("Waits {} s before the scan.", wait.as_secs());
        rest(wait, &stop).await?;
    }
    // Held to the end: the reports belong to the scan.
    let _lock = match &timing.lock {
        Some(path) => Some(lock::take(path, timing.lock_wait, &stop).await?),
        None => None,
    };
    let heartbeat = match &config.schedule {
        Some(schedule) => Heartbeat::open(&schedule.heartbeat).await,
        None => None,
    };
    let Some(heartbeat) = heartbeat else { return scanning.await };
    heartbeat.tell(Beat::Start).await;
    let outcome = scanning.await;
    let exit = outcome.as_ref().map_or_else(|failure| failure.exit, |exit| *exit);
    heartbeat.tell(Beat::End(exit)).await;
    outcome
}

/// Waits, unless the user stops it.
///
/// # Errors
/// If the user does (exit code 3: nothing was read).
pub(super) async fn rest(wait: Duration, stop: &CancellationToken) -> Result<(), Failure> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Failure {
            exit: Exit::Incomplete,
            ..Failure::usage("nothing was read: the scan was stopped before it began")
        }),
        () = tokio::time::sleep(wait) => Ok(()),
    }
}

/// A part of a span: none of it for 0, nearly all of it for the largest number.
fn part_of(span: Duration, random: u32) -> Duration {
    let millis = (span.as_millis() * u128::from(random)) >> u32::BITS;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

fn random() -> Result<u32, Failure> {
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure {
        exit: Exit::Internal,
        ..Failure::usage("the operating system gives no randomness")
    })?;
    Ok(u32::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_never_longer_than_the_whole() {
        let span = Duration::from_secs(900);
        assert_eq!(part_of(span, 0), Duration::ZERO);
        assert_eq!(part_of(span, 1 << 31), Duration::from_secs(450));
        assert!(part_of(span, u32::MAX) < span);
        assert_eq!(part_of(Duration::ZERO, u32::MAX), Duration::ZERO);
        // Longer than a computer lives, and no overflow.
        assert!(part_of(Duration::from_secs(u64::MAX), u32::MAX) <= Duration::MAX);
    }

    #[tokio::test]
    async fn a_wait_can_be_stopped() {
        let stop = CancellationToken::new();
        stop.cancel();
        let failure = rest(Duration::from_secs(3_600), &stop).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Incomplete);
    }
}
