//! Runs of workflow apps: the only place where Slack says when an app was last used, and only for such apps. Not being in it proves
//! nothing.

use std::{collections::HashMap, time::Duration};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{Gap, Reason},
};

use super::tables::Tables;
use crate::{
    account::{Account, PAGE, RESTARTS},
    api::ActivitiesPage,
    rights::Right,
};

pub(super) const FACET: &str = "app-activity";
/// How far back is asked.
const SPAN: Duration = Duration::from_secs(90 * 86_400);
/// Pages that are read at most: 20,000 entries, newest first.
const MOST_PAGES: u32 = 20;

/// What the log of runs gave.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Unix seconds of the last run, by app id.
    last: HashMap<String, i64>,
    read: u64,
    unreadable: u64,
    is_cut: bool,
}

/// Reads the log.
pub(super) async fn read(account: &Account, ledger: &Ledger) -> Runs {
    let mut runs = Runs::default();
    if ledger.skipped(FACET).is_some() {
        return runs;
    }
    ledger.look(FACET, runs.fill(account)).await;
    ledger.read(FACET, runs.read);
    if runs.unreadable > 0 {
        let gap = Gap::new(Reason::CallFailed, FACET, "rows have a form that is not known");
        ledger.lose(gap, Some(runs.unreadable));
    }
    if runs.is_cut {
        ledger.note(FACET, format!("only the last {} entries were read", runs.read));
    }
    runs
}

impl Runs {
    async fn fill(&mut self, account: &Account) -> Result<()> {
        account.identity().await?.held.check(Right::Activities)?;
        let mut restarts = 0;
        'listing: loop {
            let mut pages = account.pages(request(account, PAGE)?);
            let (begin_read, begin_unreadable) = (self.read, self.unreadable);
            let mut number = 0;
            loop {
                let page = match pages.next::<ActivitiesPage>().await {
                    Ok(Some(page)) => page,
                    Ok(None) => return Ok(()),
                    Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                        restarts += 1;
                        (self.read, self.unreadable) = (begin_read, begin_unreadable);
                        continue 'listing;
                    }
                    Err(error) => return Err(explain(account, error)),
                };
                number += 1;
                if number > MOST_PAGES {
                    self.is_cut = !page.activities.is_empty();
                    return Ok(());
                }
                for row in page.activities {
                    let Some(run) = row.0 else {
                        self.unreadable += 1;
                        continue;
                    };
                    self.read += 1;
                    if !run.event_type.as_deref().is_some_and(is_run) {
                        continue;
                    }
                    let at = run.created.0 / 1_000_000;
                    let last = self.last.entry(run.app_id.0).or_insert(at);
                    *last = at.max(*last);
                }
            }
        }
    }

    /// Takes the last runs in.
    pub(super) fn learn(self, tables: &mut Tables) {
        for (app, at) in self.last {
            // An app of which only a run is known may be Slack's own, or one that was removed: it is told, and nothing more is said of it.
            if let Some(facts) = tables.apps.learn(&app) {
                facts.last_run = Some(at);
            }
        }
    }
}

/// Whether an entry is of something that ran: deploying or publishing an app is no use of it. Slack's documents have no list of types.
fn is_run(event_type: &str) -> bool {
    ["_execution", "_step_", "trigger_"].iter().any(|part| event_type.contains(part))
}

fn request(account: &Account, limit: &str) -> Result<grantwarden_kit::http::Request> {
    let from = account.door.clock().now().minus(SPAN).as_second().saturating_mul(1_000_000);
    let from = from.to_string();
    let fields = [
        ("limit", limit),
        ("min_date_created", from.as_str()),
        ("min_log_level", "trace"),
        ("sort_direction", "desc"),
    ];
    account.post("list app activity", "admin.apps.activities.list", "activities", &fields)
}

fn explain(account: &Account, error: Error) -> Error {
    account.explain("list app activity", Some(Right::Activities), error)
}

/// Asks for one entry.
pub(super) async fn probe(account: &Account) -> Result<()> {
    account.identity().await?.held.check(Right::Activities)?;
    let request = request(account, "1")?;
    account.ask::<ActivitiesPage>(&request, Some(Right::Activities)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deploying_is_no_run() {
        assert!(is_run("function_execution_started") && is_run("trigger_executed"));
        assert!(is_run("workflow_step_execution_result"));
        assert!(!is_run("function_deployment") && !is_run("workflow_published"));
    }
}
