//! The OAuth log's authorisations, revocations, requests and denials.

use grantwarden_kit::{
    connector::Sink,
    error::{ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{AuditEvent, Gap, Observed, Reason, Record, Timestamp},
};

use super::{
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
    history.is_whole = is_whole;
    Ok(())
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
        match log::read(account, &query, |at, entry| records.extend(records_of(at, entry))).await {
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
        for record in records {
            sink.send(Record::AuditEvent(record)).await?;
        }
    }
    ledger.settle(EVENTS);
    Ok(())
}

fn records_of(at: Timestamp, entry: &Activity) -> Vec<AuditEvent> {
    let who = entry.actor.email().or(entry.actor.id());
    let events = entry.events.iter().map(|event| {
        let app = event.text("app_name").or(event.text("client_id")).unwrap_or("an app");
        let scopes = event.texts("scope").join(" ");
        let why = event.text("rejection_type").map(|why| format!(" ({why})")).unwrap_or_default();
        let verb = if event.name == "deny" { "was denied" } else { "asked for" };
        AuditEvent {
            id: id_of(entry),
            at,
            actor: Observed::from_option(who.map(ToOwned::to_owned)),
            action: event.name.clone(),
            summary: format!("{app} {verb} {scopes}{why}"),
        }
    });
    events.collect()
}

/// The id of a log entry: Google makes it unique together with the time.
pub(super) fn id_of(entry: &Activity) -> String {
    let qualifier =
        entry.id.unique_qualifier.as_ref().and_then(crate::api::Number::value).unwrap_or_default();
    format!("{}:{qualifier}", entry.id.time)
}
