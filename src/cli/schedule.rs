//! What stands around a scan that a timer starts: whether it is due, a random wait, a lock, a heartbeat. It must not read a tenant's secret, and knows nothing
//! of what a scan does.

use std::{collections::BTreeMap, time::Duration};

use grantwarden_kit::{
    clock::{Clock as _, SystemClock},
    model::{Reason, Timestamp},
};
use tokio_util::sync::CancellationToken;

use super::{
    Failure,
    args::ScanArgs,
    heartbeat::{Beat, Heartbeat},
    kit, lock, remember, scan,
};
use crate::{
    config::{self, Config, TenantEntry},
    exit::Exit,
    policy::Span,
    store::{Scan, Snapshot},
};

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
    if !is_due(&config, arguments).await? {
        return Ok(Exit::Clean);
    }
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
    // Another scan may have come in between.
    let has_waited = timing.jitter.is_some() || timing.lock.is_some();
    if has_waited && !is_due(&config, arguments).await? {
        return Ok(Exit::Clean);
    }
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

/// Whether it is time to scan; says so if it is not.
async fn is_due(config: &Config, arguments: &ScanArgs) -> Result<bool, Failure> {
    let Some(older_than) = arguments.timing.if_older_than else { return Ok(true) };
    let last = last_of_store(config, arguments).await?;
    let last = last.filter(|last| !due(*last, older_than, SystemClock.now()));
    if let Some(last) = last {
        say_skipped(last, older_than);
    }
    Ok(last.is_none())
}

/// When the store says that the chosen tenants were last read whole. A scan that was broken off, or whose reports nobody got, proves
/// nothing.
async fn last_of_store(
    config: &Config,
    arguments: &ScanArgs,
) -> Result<Option<Timestamp>, Failure> {
    let tenants = scan::select(config, &arguments.selection)?;
    let scans = remember::open_for_sure(config, &arguments.store).await?.scans().await?;
    let sources: Vec<(&TenantEntry, String)> =
        tenants.iter().map(|tenant| (tenant, tenant.source())).collect();
    let reported = scans.iter().filter(|scan| scan.finished_at.is_some() && is_reported(scan));
    let snapshots = reported.flat_map(|scan| &scan.snapshots);
    let stand_in = snapshots.filter(|snapshot| {
        sources.iter().any(|(tenant, source)| stands_for(snapshot, tenant, source))
    });
    let of_tenants = stand_in.map(|snapshot| (snapshot.tenant.as_str(), snapshot.taken_at));
    Ok(last_whole(&tenants, of_tenants))
}

/// Whether a scan's reports were written: it ended with 0, 1 or 3.
fn is_reported(scan: &Scan) -> bool {
    let codes = [Exit::Clean, Exit::Findings, Exit::Incomplete].map(|exit| i64::from(exit.code()));
    scan.exit_code.is_some_and(|code| codes.contains(&code))
}

/// Whether a snapshot is of this tenant, of the same account, whole, and saw everything that a scan would see today.
fn stands_for(snapshot: &Snapshot, tenant: &TenantEntry, source: &str) -> bool {
    snapshot.tenant == tenant.name
        && snapshot.platform == tenant.platform
        && snapshot.source.as_deref() == Some(source)
        && snapshot.complete
        && is_as_wide(&snapshot.losses, &tenant.unseen())
}

/// Whether every facet that was skipped is skipped today, too. Losses are written `facet/reason`.
fn is_as_wide(losses: &[String], skipped_today: &[String]) -> bool {
    losses
        .iter()
        .filter_map(|loss| loss.rsplit_once('/'))
        .filter(|(_, reason)| *reason == Reason::Skipped.as_str())
        .all(|(facet, _)| skipped_today.iter().any(|today| today == facet))
}

/// Whether it is time to scan again. A last scan that lies in the future proves nothing, since clocks are set back.
fn due(last: Timestamp, older_than: Span, now: Timestamp) -> bool {
    last > now || last.until(now) >= older_than.duration()
}

/// When the chosen tenants were last read whole: the oldest of their newest whole snapshots. `None` if one of them never was.
fn last_whole<'a>(
    tenants: &[TenantEntry],
    whole: impl IntoIterator<Item = (&'a str, Timestamp)>,
) -> Option<Timestamp> {
    let mut newest = BTreeMap::<&str, Timestamp>::new();
    for (tenant, taken_at) in whole {
        let known = newest.entry(tenant).or_insert(taken_at);
        *known = taken_at.max(*known);
    }
    let of_each = tenants.iter().map(|tenant| newest.get(tenant.name.as_str()).copied());
    of_each.collect::<Option<Vec<_>>>()?.into_iter().min()
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

#[expect(clippy::print_stderr, reason = "whoever started it should see why nothing happened")]
fn say_skipped(last: Timestamp, older_than: Span) {
    let last = last.whole_second();
    eprintln!("No scan: the last whole one began at {last}, and is not older than {older_than}.");
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

    #[test]
    fn a_scan_is_due_when_the_last_whole_one_is_old() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (now, span) = (at("2026-11-22T18:00:00Z"), "20h".parse().unwrap());
        for (last, expected) in [
            ("2026-11-21T22:00:01Z", false),
            ("2026-11-21T22:00:00Z", true),
            ("2026-11-22T18:00:00Z", false),
            ("2026-11-22T18:00:01Z", true),
        ] {
            assert_eq!(due(at(last), span, now), expected, "{last}");
        }
    }

    #[test]
    fn the_last_whole_scan_is_that_of_the_tenant_that_waits_longest() {
        let text = |name: &str| {
            format!(
                "[[tenant]]\nname = \"{name}\"\nplatform = \"salesforce\"\nbase_url = \"https://a.my.salesforce.com\"\nauth = {{ method = \"static\", token = {{ env = \"T\" }} }}\n"
            )
        };
        let config = config::parse(std::path::Path::new("g.toml"), &(text("a") + &text("b")));
        let tenants = config.unwrap().tenants;
        let at = |day: u32| format!("2026-11-{day}").parse::<Timestamp>().unwrap();
        let whole = [("a", at(20)), ("b", at(12)), ("a", at(21)), ("c", at(22))];
        assert_eq!(last_whole(&tenants, whole), Some(at(12)));
        assert_eq!(last_whole(&tenants[..1], whole), Some(at(21)));
        assert_eq!(last_whole(&tenants, [("a", at(20))]), None);
    }

    #[test]
    fn what_was_skipped_and_is_wanted_now_was_not_seen() {
        let list = |text: &[&str]| text.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        let losses = list(&["approvals/skipped", "grants/licence"]);
        assert!(is_as_wide(&losses, &list(&["approvals", "grants"])));
        assert!(is_as_wide(&[], &[]));
        assert!(!is_as_wide(&losses, &list(&["grants"])));
    }

    #[tokio::test]
    async fn a_wait_can_be_stopped() {
        let stop = CancellationToken::new();
        stop.cancel();
        let failure = rest(Duration::from_secs(3_600), &stop).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Incomplete);
    }
}
