//! A workspace's integration log: rows about apps and legacy services, paged by number, replayed in the order of their dates.
//!
//! Rows say who changed something, not whose install it was. Where that leaves open what is gone, nothing is taken for gone.

use std::collections::BTreeMap;

use grantwarden_kit::error::{Error, ErrorKind, Result};

use super::{
    installs::Live,
    integration_replay::State,
    tables::{ScopeSet, Tables},
};
use crate::{
    account::Account,
    api::{IntegrationLog, IntegrationLogsPage, Named},
    rights::Right,
};

/// Rows asked for on a page. That Slack gives so many is not certain; it says how many pages there are.
const COUNT: &str = "1000";
/// How often a log that moves while it is read is read again.
const PASSES: u32 = 3;
/// Pages that a log may have.
const MOST_PAGES: i64 = 20_000;

/// What a row says, in the order in which rows of one second are taken: what is not certainly gone is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    Removed,
    Disabled,
    Added,
    Enabled,
    Updated,
    /// An administrator decided about it, and it may have got these scopes.
    Decided,
}

/// A row, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LogRow {
    /// Unix seconds.
    pub(super) at: i64,
    pub(super) place: u32,
    pub(super) change: Change,
    pub(super) app: u32,
    pub(super) user: Option<u32>,
    /// Number of the scope set.
    pub(super) scopes: u32,
    /// Number of the reason.
    pub(super) reason: Option<u32>,
}

/// How far one workspace's log was read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LogEnd {
    /// Rows read, each once.
    pub(super) rows: u64,
    /// Rows that Slack says there are.
    pub(super) total: Option<u64>,
    /// Rows that could not be read.
    pub(super) unreadable: u64,
    /// Rows about something else: feeds, decisions.
    pub(super) other: u64,
    /// Whether it moved while it was read, up to the last time.
    pub(super) is_moving: bool,
    /// Unix seconds of the oldest row.
    pub(super) oldest: Option<i64>,
}

/// All rows, and the words that they share.
#[derive(Debug, Default)]
pub(super) struct IntegrationLogs {
    rows: Vec<LogRow>,
    reasons: super::tables::Names,
}

/// One look at all pages.
struct Pass {
    raw: u64,
    total: Option<u64>,
    unreadable: u64,
    other: u64,
    is_steady: bool,
}

impl IntegrationLogs {
    /// Reads one workspace's log, and says how far. What was read before an error stays.
    pub(super) async fn read(
        &mut self,
        account: &Account,
        tables: &mut Tables,
        team: Option<&str>,
        place: u32,
    ) -> (LogEnd, Result<()>) {
        let before = self.rows.len();
        let mut number = 1;
        loop {
            let mut pass = Pass { raw: 0, total: None, unreadable: 0, other: 0, is_steady: true };
            let outcome = self.pass(account, tables, team, place, &mut pass).await;
            let mut own = self.rows.split_off(before);
            own.sort_unstable();
            own.dedup();
            let distinct = u64::try_from(own.len()).unwrap_or(u64::MAX);
            let oldest = own.first().map(|row| row.at);
            self.rows.append(&mut own);
            let is_steady = pass.is_steady && outcome.is_ok();
            let end = LogEnd {
                // Rows that are the same to the letter are rows of their own.
                rows: if is_steady { pass.raw - pass.unreadable - pass.other } else { distinct },
                total: pass.total,
                unreadable: pass.unreadable,
                other: pass.other,
                is_moving: !is_steady,
                oldest,
            };
            let may_pass = match &outcome {
                Ok(()) => !is_steady,
                // It is begun anew like one that moved.
                Err(error) => error.kind == ErrorKind::PageExpired,
            };
            if !may_pass || number == PASSES {
                return (end, outcome);
            }
            number += 1;
        }
    }

    async fn pass(
        &mut self,
        account: &Account,
        tables: &mut Tables,
        team: Option<&str>,
        place: u32,
        pass: &mut Pass,
    ) -> Result<()> {
        let malformed = |message: &str| {
            let error = Error::new(ErrorKind::Malformed, message.to_owned());
            Err(account.door.place(error, "list integration logs"))
        };
        let mut first_of_page = None;
        for number in 1.. {
            if number > MOST_PAGES {
                return malformed("the integration log does not end");
            }
            let page = page(account, team, number, COUNT).await?;
            let total = page.paging.and_then(|paging| paging.total);
            let total = total.and_then(|total| u64::try_from(total.0).ok());
            pass.is_steady &= number == 1 || total == pass.total;
            pass.total = total;
            let is_empty = page.logs.is_empty();
            let first = page.logs.first().map(ToString::to_string);
            // Without a count of pages only an empty one would end it.
            if page.paging.is_none() && !is_empty && first == first_of_page {
                return malformed("the integration log gives the same page again");
            }
            first_of_page = first;
            for value in page.logs {
                pass.raw += 1;
                match serde_json::from_value::<IntegrationLog>(value) {
                    Ok(row) => match self.row(tables, &row, place) {
                        Some(true) => {}
                        Some(false) => pass.other += 1,
                        None => pass.unreadable += 1,
                    },
                    Err(_) => pass.unreadable += 1,
                }
            }
            let pages = page.paging.and_then(|paging| paging.pages);
            // Without a count of pages, the first empty one is the end.
            if is_empty || pages.is_some_and(|pages| number >= pages.0) {
                break;
            }
        }
        pass.is_steady &= pass.total.is_none_or(|total| total == pass.raw);
        Ok(())
    }

    /// Takes a row in: whether it is about an install; `None` if it cannot be understood.
    fn row(&mut self, tables: &mut Tables, row: &IntegrationLog, place: u32) -> Option<bool> {
        let is_decision = is_set(row.resolution.as_ref());
        let change = match row.change_type.as_str() {
            // A decision about an app is no sign that it is there, or gone; an install is one, whoever decided.
            "enabled" | "updated" | "expanded" if is_decision => Change::Decided,
            word if is_decision && word != "added" => return Some(false),
            "added" => Change::Added,
            "removed" => Change::Removed,
            "enabled" => Change::Enabled,
            "disabled" => Change::Disabled,
            "updated" | "expanded" => Change::Updated,
            // Feeds have words of their own, which nobody has written down.
            _ if is_set(row.rss_feed.as_ref()) => return Some(false),
            _ => return None,
        };
        let (id, name, is_service) = match (&row.app_id, &row.service_id) {
            (Some(id), _) => (id.0.clone(), row.app_type.clone(), false),
            (None, Some(id)) => (format!("service:{}", id.0), row.service_type.clone(), true),
            (None, None) if is_set(row.rss_feed.as_ref()) => return Some(false),
            (None, None) => return None,
        };
        let at = row.date.0;
        let app = tables.apps.number(&id);
        if let Some(facts) = tables.apps.learn(&id) {
            facts.is_service = is_service;
            // A decision says nothing of what is installed.
            facts.is_in_log |= change != Change::Decided;
            facts.name.learn(at, name.filter(|name| !name.is_empty()));
        }
        let user = row.user_id.as_ref().and_then(|user| {
            let (id, name) = (Some(user.clone()), row.user_name.clone());
            tables.people.number(&Named { id, name, email: None, kind: None })
        });
        let set = match &row.scope {
            // What a legacy integration may do is not a matter of scopes.
            Some(list) if !is_service => {
                let scopes = list.split(',').map(str::trim).filter(|scope| !scope.is_empty());
                let mut scopes: Vec<String> = scopes.map(ToOwned::to_owned).collect();
                scopes.sort_unstable();
                scopes.dedup();
                // An empty list is not told apart from one that was left out.
                if scopes.is_empty() { ScopeSet::Untold } else { ScopeSet::Mixed(scopes) }
            }
            _ => ScopeSet::Untold,
        };
        let scopes = tables.scopes.number(set);
        let reason = row.reason.as_ref().map(|reason| self.reasons.number(reason));
        self.rows.push(LogRow { at, place, change, app, user, scopes, reason });
        Some(true)
    }

    /// What is there after all rows.
    pub(super) fn finish(mut self, tables: &mut Tables) -> Vec<Live> {
        self.rows.sort_unstable();
        self.rows.dedup();
        let mut states: BTreeMap<(u32, u32), State> = BTreeMap::new();
        for row in &self.rows {
            states.entry((row.app, row.place)).or_default().take(row);
        }
        let mut live = Vec::new();
        let order: Vec<u32> = tables.apps.all().map(|(app, _)| app).collect();
        for app in order {
            let of_app: Vec<(u32, State)> = states
                .range((app, 0)..=(app, u32::MAX))
                .map(|((_, place), state)| (*place, state.clone()))
                .collect();
            for (place, state) in of_app {
                live.extend(state.live(app, place, tables));
                let label = tables.place_label(place);
                let off = state.switched_off(tables, &self.reasons, &label);
                let id = tables.apps.get(app).map(|facts| facts.id.clone()).unwrap_or_default();
                if let Some(facts) = tables.apps.learn(&id) {
                    facts.switched_off.extend(off);
                }
            }
        }
        live
    }
}

/// Whether a field says something.
fn is_set(value: Option<&serde_json::Value>) -> bool {
    use serde_json::Value;
    !matches!(value, None | Some(Value::Null | Value::Bool(false)))
        && value.and_then(Value::as_str) != Some("")
}

/// Reads one page.
pub(super) async fn page(
    account: &Account,
    team: Option<&str>,
    number: i64,
    count: &str,
) -> Result<IntegrationLogsPage> {
    let number = number.to_string();
    let mut query = vec![("count", count), ("page", number.as_str())];
    query.extend(team.map(|team| ("team_id", team)));
    let request =
        account.get("list integration logs", "team.integrationLogs", "integration-logs", &query)?;
    account.ask(&request, Some(Right::Admin)).await
}

#[cfg(test)]
mod tests {
    use super::{super::installs::HeldScopes, *};

    const ADA: &str = "UADA";
    const BOB: &str = "UBOB";

    /// What is there after rows of `date change user scopes`.
    fn replay(rows: &[(i64, &str, &str, &str)]) -> Vec<(String, HeldScopes, bool)> {
        let (mut logs, mut tables) = (IntegrationLogs::default(), Tables::default());
        let place = tables.places.number("T1");
        for (date, change, user, scope) in rows {
            let text = format!(
                r#"{{"app_id":"A1","app_type":"App","user_id":"{user}","user_name":"{user}","date":"{date}","change_type":"{change}","scope":"{scope}"}}"#
            );
            let row = serde_json::from_str(&text).unwrap();
            assert_eq!(logs.row(&mut tables, &row, place), Some(true), "{text}");
        }
        let live = logs.finish(&mut tables);
        live.into_iter()
            .map(|live| {
                let user = tables.people.get(live.mark.by.unwrap()).unwrap().id.clone();
                (user, live.scopes, live.remark.is_some())
            })
            .collect()
    }

    fn set(scopes: &[&str]) -> HeldScopes {
        HeldScopes::Set(ScopeSet::Mixed(scopes.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn rows_are_taken_by_date_and_not_by_place() {
        let told = replay(&[
            (30, "expanded", ADA, "a,b"),
            (20, "added", ADA, "a"),
            (10, "removed", ADA, ""),
            (5, "added", ADA, "z"),
        ]);
        assert_eq!(told, [(ADA.to_owned(), set(&["a", "b"]), false)]);
        assert!(replay(&[(5, "added", ADA, "z"), (10, "disabled", ADA, "z")]).is_empty());
        let again =
            replay(&[(5, "added", ADA, "z"), (10, "disabled", ADA, ""), (11, "enabled", ADA, "")]);
        assert_eq!(again, [(ADA.to_owned(), set(&["z"]), false)]);
    }

    #[test]
    fn a_removal_in_the_second_of_an_install_proves_nothing() {
        assert_eq!(replay(&[(5, "removed", ADA, ""), (5, "added", ADA, "a")]).len(), 1);
        assert_eq!(replay(&[(5, "added", ADA, "a"), (5, "removed", ADA, "")]).len(), 1);
    }

    #[test]
    fn who_removes_need_not_be_who_installed() {
        assert!(replay(&[(5, "added", ADA, "a"), (9, "removed", "UBOSS", "")]).is_empty());
        // One of two is gone, or both: neither is certainly gone.
        let told =
            replay(&[(5, "added", ADA, "a"), (6, "added", BOB, "a"), (9, "removed", "UBOSS", "")]);
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|(_, _, has_remark)| *has_remark));
        // One's own removal is one's own.
        let told =
            replay(&[(5, "added", ADA, "a"), (6, "added", BOB, "a"), (9, "removed", BOB, "")]);
        assert_eq!(told, [(ADA.to_owned(), set(&["a"]), false)]);
        // Whoever installed again later was not what was removed earlier, and the other may have been.
        let told = replay(&[
            (5, "added", ADA, "a"),
            (6, "added", BOB, "a"),
            (9, "removed", "UBOSS", ""),
            (12, "added", BOB, "a"),
        ]);
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn what_was_switched_off_takes_nobody_elses_install_away() {
        let off = [(5, "added", ADA, "a"), (6, "added", BOB, "a"), (7, "disabled", ADA, "")];
        for change in ["removed", "disabled"] {
            let mut rows = off.to_vec();
            rows.push((9, change, ADA, ""));
            let told = replay(&rows);
            assert_eq!(told, [(BOB.to_owned(), set(&["a"]), true)], "{change}");
        }
        // Whoever has removed hers and enables something enables another's.
        let told = replay(&[
            (5, "added", ADA, "a"),
            (6, "added", BOB, "a"),
            (7, "removed", ADA, ""),
            (8, "disabled", BOB, ""),
            (9, "enabled", ADA, ""),
        ]);
        assert_eq!(told, [(BOB.to_owned(), set(&["a"]), false)]);
    }

    #[test]
    fn an_empty_list_of_scopes_is_not_none() {
        let untold = HeldScopes::Set(ScopeSet::Untold);
        assert_eq!(replay(&[(5, "added", ADA, "")]), [(ADA.to_owned(), untold, false)]);
    }

    #[test]
    fn a_doubt_about_scopes_names_them_and_stays() {
        let told = replay(&[
            (5, "added", ADA, "a"),
            (6, "added", BOB, "a"),
            (9, "updated", "UBOSS", "a,admin"),
            (12, "added", BOB, "a"),
        ]);
        for (user, scopes, _) in told {
            let HeldScopes::Doubtful { why, .. } = scopes else { panic!("{user}: {scopes:?}") };
            assert!(why.contains("a, admin"), "{why}");
        }
    }

    #[test]
    fn what_an_app_got_it_keeps() {
        let told = replay(&[(5, "added", ADA, "a"), (7, "added", ADA, "b")]);
        assert_eq!(told, [(ADA.to_owned(), set(&["a", "b"]), false)]);
        // But not over a removal.
        let told =
            replay(&[(5, "added", ADA, "a"), (6, "removed", ADA, ""), (7, "added", ADA, "b")]);
        assert_eq!(told, [(ADA.to_owned(), set(&["b"]), false)]);
        let told =
            replay(&[(5, "added", ADA, "a"), (6, "disabled", ADA, ""), (7, "added", ADA, "b")]);
        assert_eq!(told, [(ADA.to_owned(), set(&["a", "b"]), false)]);
        // A change may list only what is new, or nothing.
        for (scope, then) in [("b", &["a", "b"][..]), ("", &["a"]), ("a,b", &["a", "b"])] {
            let told = replay(&[(5, "added", ADA, "a"), (7, "updated", ADA, scope)]);
            assert_eq!(told, [(ADA.to_owned(), set(then), false)], "{scope}");
        }
    }

    #[test]
    fn a_decision_is_no_install_and_takes_no_scopes() {
        let (mut logs, mut tables) = (IntegrationLogs::default(), Tables::default());
        let place = tables.places.number("T1");
        for (app, change, date, scope) in [
            ("A1", "added", 1, "a"),
            ("A1", "updated", 2, "b"),
            ("A1", "removed", 3, ""),
            ("A2", "updated", 2, "b"),
        ] {
            let resolution = if change == "added" { "" } else { "approved" };
            let text = format!(
                r#"{{"app_id":"{app}","user_id":"U1","date":"{date}","change_type":"{change}","scope":"{scope}","resolution":"{resolution}"}}"#
            );
            logs.row(&mut tables, &serde_json::from_str(&text).unwrap(), place);
        }
        let live = logs.finish(&mut tables);
        assert_eq!(live.len(), 1);
        assert_eq!(live[0].scopes, set(&["a", "b"]));
    }

    #[test]
    fn what_is_changed_is_there() {
        assert_eq!(replay(&[(9, "updated", ADA, "a")]).len(), 1);
        assert_eq!(replay(&[(9, "enabled", ADA, "a")]).len(), 1);
        let told = replay(&[
            (5, "added", ADA, "a"),
            (6, "added", BOB, "a"),
            (9, "updated", "UBOSS", "a,b"),
        ]);
        assert!(told.iter().all(|(_, scopes, _)| matches!(scopes, HeldScopes::Doubtful { .. })));
    }

    #[test]
    fn a_row_that_is_not_understood_is_said() {
        let (mut logs, mut tables) = (IntegrationLogs::default(), Tables::default());
        let mut row = |text: &str| logs.row(&mut tables, &serde_json::from_str(text).unwrap(), 0);
        assert_eq!(row(r#"{"app_id":"A","date":"1","change_type":"vaporised"}"#), None);
        assert_eq!(row(r#"{"date":"1","change_type":"added"}"#), None);
        assert_eq!(row(r#"{"date":"1","change_type":"added","rss_feed":true}"#), Some(false));
        let decision =
            r#"{"app_id":"A","date":"1","change_type":"app_approved","resolution":"approved"}"#;
        assert_eq!(row(decision), Some(false));
        assert_eq!(row(r#"{"service_id":7,"date":"1","change_type":"added"}"#), Some(true));
        assert!(tables.apps.find("service:7").is_some());
    }
}
