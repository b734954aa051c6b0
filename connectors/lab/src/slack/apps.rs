//! Apps on the wire: the entry that decisions and requests share, and the listings of what an app may
//! do: connector limits, who may use it, its servers, what its workflows did.

use serde_json::{Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::installs::ORG;
use super::route::{Visit, limit, listed};
use super::state::{App, State};

/// Most apps that one look-up takes.
const LOOKUP_MOST: usize = 100;
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

/// The `app` object of decisions and requests.
pub(super) fn app_json(state: &State, app: &App) -> Json {
    let facts = &app.facts;
    let developer = if facts.internal { "internal" } else { "third_party" };
    let host = format!("https://{}.enterprise.slack.com", state.domain);
    let mut entry = json!({
        "id": app.id,
        "name": facts.name,
        "description": facts.description,
        "help_url": "",
        "privacy_policy_url": "",
        "app_homepage_url": facts.homepage,
        "app_directory_url": format!("{host}/apps/{}", app.id),
        "is_app_directory_approved": facts.directory_approved,
        "is_internal": facts.internal,
        "developer_type": facts.developer_type.as_deref().unwrap_or(developer),
        "socket_mode_enabled": facts.socket_mode,
        "additional_info": "",
    });
    if facts.icons {
        let icon = |size: u32| format!("{host}/img/{}/service_{size}.png", app.id);
        entry["icons"] = json!({ "image_32": icon(32), "image_64": icon(64) });
    }
    entry
}

/// Scopes as the admin listings show them.
pub(super) fn scopes_json(state: &State, set: u32) -> Vec<Json> {
    let set = state.scopes(set);
    let entry = |scope: &String, token_type: &str| {
        json!({
            "name": scope,
            "description": format!("Lets the app use {scope}"),
            "is_sensitive": is_sensitive(scope),
            "token_type": token_type,
        })
    };
    let bot = set.bot.iter().map(|scope| entry(scope, "bot"));
    bot.chain(set.user.iter().map(|scope| entry(scope, "user"))).collect()
}

/// The platform's own flag, whose rule is not published; this one is the lab's.
fn is_sensitive(scope: &str) -> bool {
    let marks = ["admin", "history", "files:", "search:", "write", "client", "bot", "read.email"];
    marks.iter().any(|mark| scope.contains(mark))
}

/// `admin.apps.config.lookup`.
pub(super) fn configs(state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
    let ids = visit.args.list("app_ids").ok_or_else(|| Refusal::new("missing_args"))?;
    if ids.len() > LOOKUP_MOST {
        return Err(Refusal::arguments("too many items: app_ids"));
    }
    let known = ids.iter().filter_map(|id| state.app_ids.get(*id));
    let configs: Vec<Json> = known
        .map(|app| &state.apps[*app as usize])
        .filter(|app| !app.facts.service)
        .map(|app| {
            let facts = &app.facts;
            json!({
                "app_id": app.id,
                "workflow_auth_strategy":
                    facts.auth_strategy.as_deref().unwrap_or("builder_choice"),
                "domain_restrictions": { "emails": facts.email_domains, "urls": facts.url_domains },
            })
        })
        .collect();
    Ok(json!({ "configs": configs }))
}

/// `admin.apps.permissions.list`. The platform does not publish the fields of its answer: these are
/// those of the neighbouring methods for functions, and not certain.
pub(super) fn permissions(state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
    let id = visit.args.required("app_id")?;
    let app = state.app_ids.get(id).map(|app| &state.apps[*app as usize]);
    let app = app.filter(|app| !app.facts.service).ok_or_else(|| Refusal::new("app_not_found"))?;
    Ok(match &app.permitted {
        None => json!({ "permission_type": "everyone" }),
        Some(users) if users.is_empty() => json!({ "permission_type": "no_one" }),
        Some(users) => {
            let ids: Vec<&str> = users.iter().map(|user| state.users[*user].id.as_str()).collect();
            json!({ "permission_type": "named_entities", "user_ids": ids })
        }
    })
}

impl Core {
    /// `admin.apps.mcp.servers.list`: the allow-list, whether the app is installed or not.
    pub(super) fn servers(&self, state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let limit = limit(visit, 1_000, state.behaviour.apps_page)?;
        let all = state
            .apps
            .iter()
            .flat_map(|app| app.facts.mcp_servers.iter().map(move |server| (app, server)));
        let items = (0_i64..).zip(all).map(|(number, (app, server))| {
            let item = json!({
                "server_id": format!("Amcp{number:07}"),
                "server_name": server.name,
                "url": server.url,
                "auth_type": server.auth_type,
                "app_id": app.id,
                "app_name": app.facts.name,
            });
            (number, item)
        });
        let (page, next) = self.page(state, visit, limit, items)?;
        Ok(listed(state, "servers", page, next))
    }

    /// `admin.apps.activities.list`.
    pub(super) fn activities(&self, state: &State, visit: &Visit<'_>) -> Result<Json, Refusal> {
        let args = visit.args;
        let limit = limit(visit, 1_000, state.behaviour.apps_page)?;
        let app = match args.text("app_id") {
            None => None,
            Some(id) => {
                let known = state.app_ids.get(id).copied();
                Some(known.ok_or_else(|| Refusal::new("invalid_app_id"))?)
            }
        };
        let place = match args.text("team_id") {
            None => None,
            Some(id) if id == state.enterprise_id => Some(ORG),
            Some(id) => {
                Some(state.workspace_of_id(id).ok_or_else(|| Refusal::new("invalid_team"))?)
            }
        };
        let level = args.word("min_log_level", &LEVELS)?.unwrap_or("info");
        let rank = |level: &str| LEVELS.iter().position(|other| *other == level);
        args.word("source", &["slack", "developer"])?;
        args.word("component_type", &["events_api", "workflows", "functions", "tables"])?;
        let descending = args.word("sort_direction", &["asc", "desc"])? != Some("asc");
        let after = args.number("min_date_created", 0..=i64::MAX, "invalid_args")?;
        let before = args.number("max_date_created", 0..=i64::MAX, "invalid_args")?;
        let is = |name: &str, value: &str| args.text(name).is_none_or(|wanted| wanted == value);
        let mut found: Vec<&super::state::Activity> = state
            .activities
            .iter()
            .filter(|entry| app.is_none_or(|app| entry.app == app))
            .filter(|entry| place.is_none_or(|place| entry.place == place))
            .filter(|entry| rank(&entry.facts.level) >= rank(level))
            .filter(|entry| after.is_none_or(|after| entry.created >= after))
            .filter(|entry| before.is_none_or(|before| entry.created <= before))
            .filter(|entry| {
                is("log_event_type", &entry.facts.event_type)
                    && is("source", &entry.facts.source)
                    && is("component_type", &entry.facts.component_type)
                    && is("component_id", &entry.facts.component_id)
                    && is("trace_id", &entry.facts.trace_id)
            })
            .collect();
        if descending {
            found.reverse();
        }
        let items = (0_i64..).zip(found.into_iter().map(|entry| activity_json(state, entry)));
        let (page, next) = self.page(state, visit, limit, items)?;
        Ok(listed(state, "activities", page, next))
    }
}

fn activity_json(state: &State, entry: &super::state::Activity) -> Json {
    let facts = &entry.facts;
    let mut item = json!({
        "app_id": state.apps[entry.app as usize].id,
        "level": facts.level,
        "event_type": facts.event_type,
        "source": facts.source,
        "component_type": facts.component_type,
        "component_id": facts.component_id,
        "payload": {},
        "created": entry.created,
        "trace_id": facts.trace_id,
        "enterprise_id": state.enterprise_id,
    });
    if entry.place != ORG {
        item["team_id"] = json!(state.workspaces[entry.place as usize].id);
    }
    item
}
