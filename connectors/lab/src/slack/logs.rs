//! `team.integrationLogs`: one workspace's rows about apps and custom integrations, in pages by number.
//! New rows move the others along, so a client that reads several pages of a busy log sees rows twice.

use serde_json::{Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::installs::{Event, Happening, Install, ORG};
use super::route::Visit;
use super::state::{LogRow, State};
use super::world::SlackChangeKind;

const CHANGES: [&str; 5] = ["added", "removed", "enabled", "disabled", "updated"];
const DAY: i64 = 86_400;

/// One row before it is written.
struct Row<'s> {
    at: i64,
    user: u32,
    app: u32,
    change: &'s str,
    about: About<'s>,
}

/// What a row tells more.
enum About<'s> {
    Install { number: u32, scopes: u32, reason: Option<&'s str> },
    Fields(&'s LogRow),
}

impl Core {
    /// `team.integrationLogs`.
    pub(super) fn integration_logs(
        &self,
        state: &State,
        visit: &Visit<'_>,
    ) -> Result<Json, Refusal> {
        let args = visit.args;
        let token = &state.tokens[visit.token];
        let space = match (token.place, args.text("team_id")) {
            (ORG, None) => return Err(Refusal::new("missing_argument")),
            (ORG, Some(id)) => {
                let space =
                    state.workspace_of_id(id).ok_or_else(|| Refusal::new("team_not_found"))?;
                // The token is good; its user is not in that workspace.
                if !state.users[token.user].is_member(space) {
                    return Err(Refusal::new("invalid_auth"));
                }
                space
            }
            (own, _) => own,
        };
        let most = i64::try_from(state.behaviour.logs_page).unwrap_or(i64::MAX);
        let count =
            args.number("count", 1..=i64::MAX, "invalid_arguments")?.unwrap_or(100).min(most);
        let page = args.number("page", 1..=i64::MAX, "invalid_arguments")?.unwrap_or(1);
        let change = args.word("change_type", &CHANGES)?;
        let is = |name: &str, value: &str| args.text(name).is_none_or(|wanted| wanted == value);
        let reach = state.behaviour.log_retention_days;
        let from = reach.map_or(i64::MIN, |days| self.now() - days * DAY);
        let mut rows: Vec<Row<'_>> = state
            .log
            .newest_first(from, i64::MAX, None)
            .filter_map(|event| row(state, space, event))
            .filter(|row| change.is_none_or(|change| row.change == change))
            .filter(|row| is("user", &state.users[row.user as usize].id))
            .filter(|row| {
                let app = &state.apps[row.app as usize];
                let (own, other) = match app.facts.service {
                    true => ("service_id", "app_id"),
                    false => ("app_id", "service_id"),
                };
                is(own, &app.id) && args.text(other).is_none()
            })
            .collect();
        if state.behaviour.logs_oldest_first {
            rows.reverse();
        }
        let total = rows.len();
        let size = usize::try_from(count).unwrap_or(usize::MAX);
        let skip = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(size);
        let shown: Vec<Json> =
            rows.iter().skip(skip).take(size).map(|row| row_json(state, row)).collect();
        let pages = total.div_ceil(size).max(1);
        let paging = json!({ "count": count, "total": total, "page": page, "pages": pages });
        Ok(json!({ "logs": shown, "paging": paging }))
    }
}

/// The row that an event makes in a workspace's log.
fn row<'s>(state: &'s State, space: u32, event: &Event) -> Option<Row<'s>> {
    let here = |install: &Install| {
        let org_wide = install.place == ORG && state.behaviour.org_installs_in_workspace_logs;
        install.place == space || org_wide
    };
    let found = |number: u32, by: Option<u32>, change, scopes: Option<u32>, reason| {
        let install = &state.installs[number as usize];
        here(install).then(|| Row {
            at: event.at,
            user: by.unwrap_or(install.by),
            app: install.app,
            change,
            about: About::Install { number, scopes: scopes.unwrap_or(install.scopes), reason },
        })
    };
    match event.what {
        Happening::Installed(number) => {
            found(number, None, "added", Some(first_scopes(state, number)), None)
        }
        Happening::Removed(number, by) => found(number, Some(by), "removed", None, None),
        Happening::Changed(number) => {
            let change = &state.changes[number as usize];
            let word = match change.kind {
                SlackChangeKind::Expanded if state.behaviour.expanded_rows => "expanded",
                SlackChangeKind::Expanded => "updated",
                SlackChangeKind::Disabled => "disabled",
                SlackChangeKind::Enabled => "enabled",
                SlackChangeKind::Removed => "removed",
            };
            let reason = change.reason.as_deref();
            found(change.install, Some(change.by), word, Some(change.after), reason)
        }
        Happening::Row(number) => {
            let row = &state.log_rows[number as usize];
            (row.place == space).then(|| Row {
                at: event.at,
                user: row.user,
                app: row.app,
                change: &row.change,
                about: About::Fields(row),
            })
        }
        Happening::Decided(_) | Happening::SessionReset(..) | Happening::Audit(_) => None,
    }
}

/// The scopes that an install began with.
pub(super) fn first_scopes(state: &State, install: u32) -> u32 {
    let first = state
        .changes
        .iter()
        .find(|change| change.install == install && change.kind == SlackChangeKind::Expanded);
    first.map_or(state.installs[install as usize].scopes, |change| change.before)
}

fn row_json(state: &State, row: &Row<'_>) -> Json {
    let app = &state.apps[row.app as usize];
    let user = &state.users[row.user as usize];
    let mut item = json!({
        "user_id": user.id,
        "user_name": user.facts.name,
        "date": row.at.to_string(),
        "change_type": row.change,
    });
    if app.facts.service {
        let number = app.id.parse::<u64>().ok().filter(|_| state.behaviour.service_ids_as_numbers);
        item["service_id"] = number.map_or_else(|| json!(app.id), |number| json!(number));
        item["service_type"] = json!(app.facts.name);
    } else {
        item["app_id"] = json!(app.id);
        item["app_type"] = json!(app.facts.name);
    }
    match &row.about {
        About::Install { number, scopes, reason } => {
            let scopes = state.all_scopes(*scopes).join(",");
            if !scopes.is_empty() || !state.behaviour.scope_absent_when_empty {
                item["scope"] = json!(scopes);
            }
            if let Some(channel) = state.channels.get(number) {
                item["channel"] = json!(channel);
            }
            if let Some(reason) = reason {
                item["reason"] = json!(reason);
            }
        }
        About::Fields(row) => {
            for (name, value) in &row.fields {
                item[name.as_str()] = json!(value);
            }
        }
    }
    item
}
