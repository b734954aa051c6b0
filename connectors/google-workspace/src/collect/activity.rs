//! The OAuth log's API calls: last use of each grant, and what each app did. Not every edition has them, so none in the log does not
//! mean no use.

use std::sync::{Mutex, PoisonError};

use grantwarden_kit::{
    connector::Sink,
    error::{ErrorKind, Result},
    ledger::Ledger,
    model::{Gap, Reason, Record, Timestamp},
    tally::Tallies,
};

use super::{
    grant_events::book_unreadable,
    history::{ACTIVITY, History},
    log::{self, LOG_LIFE, LogQuery},
};
use crate::{account::Account, api::Activity};

/// The log by the name that a report gives.
const LOG: &str = "token activity";
/// Pages that are read at most: 100,000 calls.
pub(super) const MOST_PAGES: usize = 100;

/// What apps did, kept between the scan that reads the log and the usage records that are made from it.
#[derive(Default)]
pub(crate) struct Usages(Mutex<Folded>);

#[derive(Default)]
struct Folded {
    apps: Tallies,
    stretch: Option<(Timestamp, Timestamp)>,
}

impl Usages {
    /// Streams what was folded, once.
    pub(crate) async fn stream(&self, sink: &Sink) -> Result<()> {
        let folded = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let Some((from, to)) = folded.stretch else { return Ok(()) };
        for usage in folded.apps.finish(LOG, from, to) {
            sink.send(Record::Usage(usage)).await?;
        }
        Ok(())
    }

    fn keep(&self, folded: Folded) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = folded;
    }
}

/// The log of calls.
pub(super) fn query(account: &Account) -> LogQuery {
    let query = LogQuery::all(account, "list API calls", "token", "activity");
    LogQuery { most_pages: MOST_PAGES, ..query }
}

/// The gap of an edition without the log.
pub(super) fn no_log() -> Gap {
    Gap::new(
        Reason::Licence,
        ACTIVITY,
        "the OAuth log has no API calls at all: the account's edition does not log them, or no app was used",
    )
}

/// Reads the log.
pub(super) async fn read(
    account: &Account,
    ledger: &Ledger,
    history: &mut History,
    usages: &Usages,
) -> Result<()> {
    if let Some(gap) = ledger.skipped(ACTIVITY) {
        history.without_use(gap, true);
        return Ok(());
    }
    let mut folded = Folded::default();
    let query = query(account);
    let read = log::read(account, &query, |at, entry| {
        fold(at, entry, history, &mut folded.apps);
    });
    match read.await {
        Ok(end) => {
            ledger.read(ACTIVITY, end.entries);
            let now = account.door.clock().now();
            folded.stretch = Some((end.cut_at.unwrap_or_else(|| now.minus(LOG_LIFE)), now));
            if end.unreadable > 0 {
                let gap = book_unreadable(ledger, ACTIVITY, end);
                history.without_use(gap, true);
            } else if let Some(at) = end.cut_at {
                let detail = format!(
                    "the OAuth log has more API calls than a scan reads; only those since {at} were read"
                );
                let gap = Gap::new(Reason::Quota, ACTIVITY, detail);
                ledger.lose(gap.clone(), None);
                history.without_use(gap, true);
            } else if end.entries == 0 {
                ledger.lose(no_log(), None);
                history.without_use(no_log(), true);
            }
            usages.keep(folded);
        }
        Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
        Err(error) => history.without_use(ledger.fail(ACTIVITY, &error), true),
    }
    ledger.settle(ACTIVITY);
    Ok(())
}

fn fold(at: Timestamp, entry: &Activity, history: &mut History, apps: &mut Tallies) {
    let user = entry.actor.id().or(entry.actor.email());
    for event in &entry.events {
        let Some(client) = event.text("client_id") else { continue };
        if let Some(user) = user {
            history.used(at, user, client);
        }
        let tally = apps.of(client);
        tally.events += 1;
        tally.addresses.add(entry.ip_address.as_deref());
        tally.agents.add(event.text("client_type"));
        tally.objects.add(event.text("method_name").or(event.text("api_name")));
        tally.principals.add(entry.actor.email().or(user));
    }
}
