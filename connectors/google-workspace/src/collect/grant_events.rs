//! The OAuth log's authorisations, revocations, requests and denials.

use grantwarden_kit::{
    connector::Sink,
    error::{ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{AuditEvent, Gap, Reason, Record, Timestamp},
};

use super::{
    audit,
    history::{EVENTS, History},
    log::{self, LogEnd, LogQuery},
};
use crate::{account::Account, api::Activity};

/// Pages of requests and denials that are read at most: they are told one by one.
const MOST_PAGES: usize = 10;

/// Reads authorisations and revocations; from a time on, where what was before is remembered.
pub(super) async fn read(
    account: &Account,
    ledger: &Ledger,
    from: Option<Timestamp>,
    history: &mut History,
) -> Result<()> {
    if let Some(gap) = ledger.skipped(EVENTS) {
        history.without_dates(gap);
        return Ok(());
    }
    let mut is_whole = true;
    for (event, endpoint) in [("authorize", "list authorisations"), ("revoke", "list revocations")]
    {
        let mut query = LogQuery::all(account, endpoint, "token", event);
        query.from = from.unwrap_or(query.from);
        let read = log::read(account, &query, |at, entry| match event {
            "authorize" => history.authorize(at, entry),
            _ => history.revoke(at, entry),
        });
        match read.await {
            Ok(end) => {
                ledger.read(EVENTS, end.entries);
                if end.unreadable > 0 {
                    is_whole = false;
                    history.without_dates(book_unreadable(ledger, EVENTS, end));
                }
            }
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => {
                is_whole = false;
                let gap = ledger.fail(EVENTS, &error);
                if event == "authorize" {
                    history.without_dates(gap);
                }
            }
        }
    }
    if from.is_some() {
        is_whole &= read_admins(account, ledger, from, history).await?;
    }
    history.is_whole = is_whole;
    Ok(())
}

/// Reads which users' grants administrators revoked, so that these are listed again; whether that was all. A log that does not know
/// the event is passed over: the OAuth log has revocations, too.
async fn read_admins(
    account: &Account,
    ledger: &Ledger,
    from: Option<Timestamp>,
    history: &mut History,
) -> Result<bool> {
    let mut query =
        LogQuery::all(account, "list revocations by admins", "admin", "REVOKE_3LO_TOKEN");
    query.from = from.unwrap_or(query.from);
    match log::read(account, &query, |_, entry| history.revoke_by_admin(entry)).await {
        Ok(end) if end.unreadable > 0 => {
            book_unreadable(ledger, EVENTS, end);
            Ok(false)
        }
        Ok(_) => Ok(true),
        Err(error) if error.kind == ErrorKind::Cancelled => Err(error),
        Err(error) if error.kind == ErrorKind::InvalidRequest => Ok(true),
        Err(error) => {
            ledger.fail(EVENTS, &error);
            Ok(false)
        }
    }
}

/// Books entries that could not be read.
pub(super) fn book_unreadable(ledger: &Ledger, facet: &str, end: LogEnd) -> Gap {
    let detail = "entries of the log have a form that is not known";
    let gap = Gap::new(Reason::CallFailed, facet, detail);
    ledger.lose(gap.clone(), Some(end.unreadable));
    gap
}

/// Streams requests and denials, the newest first.
pub(super) async fn stream(account: &Account, ledger: &Ledger, sink: &Sink) -> Result<()> {
    if ledger.skipped(EVENTS).is_some() {
        return Ok(());
    }
    for (event, endpoint) in [("request", "list requests"), ("deny", "list denials")] {
        let mut query = LogQuery::all(account, endpoint, "token", event);
        query.most_pages = MOST_PAGES;
        let mut records = Vec::new();
        let read =
            log::read(account, &query, |at, entry| records.extend(records_of(at, entry, event)));
        match read.await {
            Ok(end) => {
                ledger.read(EVENTS, end.entries);
                if end.unreadable > 0 {
                    book_unreadable(ledger, EVENTS, end);
                }
                if let Some(at) = end.cut_at {
                    let detail = format!("{endpoint}: only those since {at} were read");
                    ledger.lose(Gap::new(Reason::Quota, EVENTS, detail), None);
                }
            }
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => ledger.lose(gap_of(EVENTS, &error), None),
        }
        for record in audit::distinct(records) {
            sink.send(Record::AuditEvent(record)).await?;
        }
    }
    ledger.settle(EVENTS);
    Ok(())
}

fn records_of(at: Timestamp, entry: &Activity, name: &str) -> Vec<AuditEvent> {
    let events = entry.events.iter().filter(|event| event.name == name).map(|event| {
        let app = event.text("app_name").or(event.text("client_id")).unwrap_or("an app");
        let scopes = event.texts("scope").join(" ");
        let why = event.text("rejection_type").map(|why| format!(" ({why})")).unwrap_or_default();
        let verb = if event.name == "deny" { "was denied" } else { "asked for" };
        audit::record(EVENTS, at, entry, event, format!("{app} {verb} {scopes}{why}"))
    });
    events.collect()
}
