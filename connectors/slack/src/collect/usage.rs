//! What apps did, by the audit log: entries of any kind that were made with an app's token. Slack logs no reading of messages, so that an
//! app that is not in it may have read everything.

use std::time::Duration;

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::Ledger,
    model::{Gap, Reason, Record, Timestamp},
    tally::{Tallies, Tally},
};

use super::audit::{self, AuditEnd, AuditQuery};
use crate::{
    account::{Account, Reach},
    api::Entry,
    rights::Right,
};

pub(crate) const FACET: &str = "audit-events";
const LOG: &str = "audit log";
/// How far back is asked.
const SPAN: Duration = Duration::from_secs(30 * 86_400);
/// Pages that are read at most: the budget is the whole organisation's.
const MOST_PAGES: usize = 20;

/// Counts one entry.
fn take(tally: &mut Tally, entry: &Entry) {
    tally.events += 1;
    let context = entry.context.as_ref();
    tally.addresses.add(context.and_then(|context| context.ip_address.as_deref()));
    tally.agents.add(context.and_then(|context| context.ua.as_deref()));
    tally.objects.add(Some(&entry.action));
    let user = entry.actor.as_ref().and_then(|actor| actor.user.as_ref());
    let names = user.map(|user| {
        [user.email.as_deref(), user.name.as_deref(), user.id.as_ref().map(|id| id.0.as_str())]
    });
    let mut names = names.into_iter().flatten().flatten();
    tally.principals.add(names.find(|name| !name.is_empty()));
}

/// Reads the log and streams what it says of apps.
pub(crate) async fn stream(account: &Account, ledger: &Ledger, sink: &Sink) -> Result<()> {
    let reach = account.identity().await.map(|identity| &identity.reach);
    if let Ok(Reach::Workspace(_)) = reach {
        super::absent(ledger, FACET);
        return Ok(());
    }
    if ledger.skipped(FACET).is_some() {
        return Ok(());
    }
    let now = account.door.clock().now();
    let mut tallies = Tallies::default();
    let mut end = AuditEnd::default();
    let reading = async {
        account.identity().await?.held.check(Right::AuditLogs)?;
        let query = AuditQuery {
            endpoint: "list audit events",
            from: Some(now.minus(SPAN)),
            most_pages: MOST_PAGES,
            ..AuditQuery::default()
        };
        audit::read(account, &query, &mut end, |entry| {
            let app = entry.context.as_ref().and_then(|context| context.app.as_ref());
            let id =
                app.and_then(|app| app.id.as_ref().map(|id| id.0.as_str()).or(app.name.as_deref()));
            if let Some(id) = id {
                take(tallies.of(id), entry);
            }
        })
        .await
    };
    let failure = reading.await.err();
    if let Some(error) = &failure {
        ledger.fail(FACET, error);
    }
    if end.unreadable > 0 {
        let gap = Gap::new(Reason::CallFailed, FACET, "entries have a form that is not known");
        ledger.lose(gap, Some(end.unreadable));
    }
    let oldest = end.oldest.and_then(Timestamp::from_second);
    // What was not read is no time in which nothing happened.
    let from = match (end.is_cut || failure.is_some(), oldest) {
        (true, Some(oldest)) => oldest,
        (true, None) => now,
        (false, _) => now.minus(SPAN),
    };
    if end.is_cut {
        let note = format!("only entries since {from} were read: the log has too many");
        ledger.note(FACET, note);
    }
    for usage in tallies.finish(LOG, from, now) {
        sink.send(Record::Usage(usage)).await?;
    }
    ledger.read(FACET, end.entries);
    ledger.settle(FACET);
    Ok(())
}
