//! What apps did, by the audit log: entries of any kind that were made with an app's token. Slack logs no reading of messages, so that an
//! app that is not in it may have read everything.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::Ledger,
    model::{Count, Gap, Reason, Record, Timestamp, Usage},
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
/// Different values kept per list and app; what is rarer and comes later is counted as one.
const DISTINCT: usize = 1_000;
const RARE: &str = "(others)";

/// What one app did.
#[derive(Debug, Default)]
struct Tally {
    events: u64,
    addresses: HashMap<String, u64>,
    agents: HashMap<String, u64>,
    actions: HashMap<String, u64>,
    principals: HashMap<String, u64>,
}

impl Tally {
    fn take(&mut self, entry: &Entry) {
        self.events += 1;
        let context = entry.context.as_ref();
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        count(&mut self.addresses, context.and_then(|context| text(&context.ip_address)));
        count(&mut self.agents, context.and_then(|context| text(&context.ua)));
        count(&mut self.actions, Some(entry.action.clone()));
        let user = entry.actor.as_ref().and_then(|actor| actor.user.as_ref());
        let user = user.and_then(|user| {
            text(&user.email).or_else(|| text(&user.name)).or_else(|| Some(user.id.clone()?.0))
        });
        count(&mut self.principals, user);
    }

    fn finish(self, app: String, from: Timestamp, to: Timestamp) -> Usage {
        Usage {
            app,
            log: LOG.to_owned(),
            from,
            to,
            events: self.events,
            addresses: top(self.addresses),
            agents: top(self.agents),
            objects: top(self.actions),
            principals: top(self.principals),
        }
    }
}

fn count(counts: &mut HashMap<String, u64>, value: Option<String>) {
    let Some(value) = value else { return };
    let is_known = counts.contains_key(&value) || counts.len() < DISTINCT;
    *counts.entry(if is_known { value } else { RARE.to_owned() }).or_default() += 1;
}

fn top(counts: HashMap<String, u64>) -> Vec<Count> {
    let mut counts: Vec<Count> =
        counts.into_iter().map(|(value, count)| Count { value, count }).collect();
    counts.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    counts.truncate(Usage::TOP);
    counts
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
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
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
            let id = app.and_then(|app| {
                app.id.as_ref().map(|id| id.0.clone()).or_else(|| app.name.clone())
            });
            if let Some(id) = id {
                tallies.entry(id).or_default().take(entry);
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
    for (app, tally) in tallies {
        sink.send(Record::Usage(tally.finish(app, from, now))).await?;
    }
    ledger.read(FACET, end.entries);
    ledger.settle(FACET);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_bounded() {
        let mut counts = HashMap::new();
        for number in 0..5_000 {
            count(&mut counts, Some(format!("{number}")));
        }
        assert_eq!(counts.len(), DISTINCT + 1);
        let top = top(counts);
        assert_eq!((top.len(), top[0].value.as_str(), top[0].count), (25, RARE, 4_000));
    }
}
