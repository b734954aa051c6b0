//! The audit API: the organisation's log, newest first, and the two lists that anybody may read. A
//! custom integration is in no entry, and a change of scopes does not name its app.

use serde_json::{Value as Json, json};

use super::Core;
use super::args::Args;
use super::catalogue::{actions, knows, schemas};
use super::error::{Refusal, no_such_page};
use super::gate::{AUDIT_PER_MINUTE, alive, always};
use super::installs::{Actor, Event, Happening, ORG, index};
use super::logs::first_scopes;
use super::route::{listed, scoped};
use super::state::State;
use super::world::{SlackChangeKind, SlackPlan, SlackRole, SlackStatus};
use crate::wire::{Reply, Request};

const ARGUMENTS: [&str; 7] = ["action", "actor", "cursor", "entity", "latest", "limit", "oldest"];
/// 2018-03-01: nothing is older.
const BEGIN: i64 = 1_519_862_400;
const DAY: i64 = 86_400;
const LIMIT_MOST: i64 = 9_999;
/// What a call without `limit` gets; the platform does not say.
const LIMIT_DEFAULT: i64 = 1_000;
const SCOPE: &str = "auditlogs:read";

/// An entry before it is written.
struct Entry<'s> {
    action: &'s str,
    actor: Actor,
    /// An app or a user; the place if neither.
    entity: Entity,
    place: u32,
    through: Option<u32>,
    details: Details,
    ip: Option<&'s str>,
}

/// What an entry tells more, written only for entries that are shown.
enum Details {
    Nothing,
    /// Of a decision about an app.
    Decision(u32),
    /// Of an install: the app, and the scope sets before and after.
    Install(u32, Option<u32>, u32),
}

enum Entity {
    App(u32, u32),
    User(u32),
    Place,
}

impl Core {
    /// A call to the audit API.
    pub(super) fn audit(&self, name: &str, request: &Request) -> Reply {
        if request.method.as_str() != "GET" {
            return no_such_page(405);
        }
        match name {
            "actions" => Reply::json(200, actions().to_string()),
            "schemas" => Reply::json(200, schemas().to_string()),
            "logs" => {
                let mut held = None;
                let reply = match self.audit_logs(request, &mut held) {
                    Ok(body) => Reply::json(200, body.to_string()),
                    Err(refusal) => refusal.reply(),
                };
                scoped(reply, held, Some(SCOPE))
            }
            _ => no_such_page(404),
        }
    }

    fn audit_logs(&self, request: &Request, held: &mut Option<String>) -> Result<Json, Refusal> {
        let state = self.state();
        let number = self.token_of(&state, request)?;
        let token = &state.tokens[number];
        alive(&state, token)?;
        *held = Some(token.scope_list());
        // One budget for the organisation, whoever calls.
        let left = AUDIT_PER_MINUTE.saturating_sub(state.behaviour.siem_calls_per_minute);
        self.meter(&state, ("audit.logs", state.top_id().to_owned(), String::new()), left)?;
        always(&state, "audit.logs")?;
        if token.bot {
            return Err(Refusal::new("not_allowed_token_type"));
        }
        if !token.holds(SCOPE) {
            return Err(Refusal::scope(SCOPE, &token.scope_list()));
        }
        if state.plan == SlackPlan::Workspace || !state.behaviour.admin_api {
            return Err(Refusal::new("feature_not_enabled"));
        }
        if token.place != ORG || state.users[token.user].role < SlackRole::Owner {
            return Err(Refusal::new(state.behaviour.audit_refusal.clone()));
        }
        let args = Args::of_query(request, &ARGUMENTS)?;
        self.entries(&state, &args)
    }

    fn entries(&self, state: &State, args: &Args) -> Result<Json, Refusal> {
        let second = |name| args.number(name, 0..=i64::MAX, "invalid_arguments");
        let now = self.now();
        let begin = match state.behaviour.audit_retention_days {
            Some(days) => BEGIN.max(now - days * DAY),
            None => BEGIN,
        };
        let oldest = second("oldest")?.unwrap_or(0).max(begin);
        let latest = second("latest")?.unwrap_or(i64::MAX);
        let limit = args.number("limit", 1..=LIMIT_MOST, "invalid_arguments")?;
        let limit = usize::try_from(limit.unwrap_or(LIMIT_DEFAULT)).unwrap_or(usize::MAX);
        let limit = limit.min(state.behaviour.audit_page);
        let wanted = args.list("action");
        if let Some(unknown) = wanted.iter().flatten().find(|name| !knows(name)) {
            return Err(Refusal::arguments(format!("unknown action: {unknown}")));
        }
        let listing = args.listing("audit.logs");
        let rules = self.rules(state);
        let cursor = args.text("cursor").unwrap_or_default();
        let before = self.cursors.position(cursor, &listing, rules)?;
        if before.is_none() && state.behaviour.empty_first_page {
            let next = self.cursors.issue(&listing, (i64::MAX, u32::MAX), rules.now);
            return Ok(listed(state, "entries", Vec::new(), Some(next)));
        }
        let wall = self.clock.wall().as_microsecond();
        let mut rest = state
            .log
            .newest_first(oldest, latest, before)
            .filter(|event| event.shown <= wall)
            .filter_map(|event| entry(state, event).map(|entry| (event, entry)))
            .filter(|(_, entry)| wanted.as_ref().is_none_or(|list| list.contains(&entry.action)))
            .filter(|(_, entry)| {
                args.text("actor").is_none_or(|id| actor_id(state, entry.actor) == id)
            })
            .filter(|(_, entry)| args.text("entity").is_none_or(|id| entity_id(state, entry) == id))
            .peekable();
        let mut page = Vec::new();
        let mut last = None;
        while page.len() < limit {
            let Some((event, entry)) = rest.next() else { break };
            page.push(entry_json(state, event, &entry));
            last = Some(event.order());
        }
        let next = last
            .filter(|_| rest.peek().is_some())
            .map(|order| self.cursors.issue(&listing, order, rules.now));
        Ok(listed(state, "entries", page, next))
    }
}

/// The entry that an event makes; `None` for what the log does not tell.
fn entry<'s>(state: &'s State, event: &Event) -> Option<Entry<'s>> {
    let about_install = |number: u32, words: [&'static str; 2], by: u32, scopes: u32| {
        let install = &state.installs[number as usize];
        let org = install.place == ORG;
        let entity = Entity::App(install.app, scopes);
        let details = Details::Install(install.app, None, scopes);
        let (action, actor) = (words[usize::from(org)], Actor::User(by));
        let told = !state.apps[install.app as usize].facts.service;
        let place = install.place;
        told.then_some(Entry { action, actor, entity, place, through: None, details, ip: None })
    };
    match event.what {
        Happening::Installed(number) => {
            let by = state.installs[number as usize].by;
            let words = ["app_installed", "org_app_installed"];
            about_install(number, words, by, first_scopes(state, number))
        }
        Happening::Removed(number, by) => {
            let scopes = state.installs[number as usize].scopes;
            about_install(number, ["app_uninstalled", "org_app_uninstalled"], by, scopes)
        }
        Happening::Changed(number) => expanded(state, number),
        Happening::Decided(number) => {
            let verdict = &state.verdicts[number as usize];
            let scopes = state.decisions.get(&(verdict.place, verdict.app));
            Some(Entry {
                action: match verdict.status {
                    Some(SlackStatus::Approved) => "app_approved",
                    Some(SlackStatus::Restricted) => "app_restricted",
                    None => "app_removed_from_whitelist",
                },
                actor: verdict.by,
                entity: Entity::App(verdict.app, scopes.map_or(u32::MAX, |found| found.scopes)),
                place: verdict.place,
                through: None,
                details: Details::Decision(verdict.app),
                ip: None,
            })
        }
        Happening::SessionReset(user, by) => Some(Entry {
            action: "user_session_reset_by_admin",
            actor: Actor::User(by),
            entity: Entity::User(user),
            place: ORG,
            through: None,
            details: Details::Nothing,
            ip: None,
        }),
        Happening::Audit(number) => {
            let event = &state.audit_events[number as usize];
            Some(Entry {
                action: &event.action,
                actor: Actor::User(event.by),
                entity: event.about.map_or(Entity::Place, |app| Entity::App(app, u32::MAX)),
                place: event.place,
                through: event.through,
                details: Details::Nothing,
                ip: event.ip.as_deref(),
            })
        }
        Happening::Row(_) => None,
    }
}

fn expanded(state: &State, number: u32) -> Option<Entry<'_>> {
    let change = &state.changes[number as usize];
    let install = &state.installs[change.install as usize];
    let service = state.apps[install.app as usize].facts.service;
    if change.kind != SlackChangeKind::Expanded || service {
        return None;
    }
    let entity = match state.behaviour.expanded_names_app {
        true => Entity::App(install.app, change.after),
        false => Entity::Place,
    };
    Some(Entry {
        action: "app_scopes_expanded",
        actor: Actor::User(change.by),
        entity,
        place: install.place,
        through: None,
        details: Details::Install(install.app, Some(change.before), change.after),
        ip: None,
    })
}

fn details_json(state: &State, details: &Details) -> Json {
    match details {
        Details::Nothing => json!({}),
        Details::Decision(app) => {
            json!({ "is_internal_integration": state.apps[*app as usize].facts.internal })
        }
        Details::Install(app, before, after) => {
            let facts = &state.apps[*app as usize].facts;
            json!({
                "granular_bot_token": true,
                "is_internal_integration": facts.internal,
                "is_token_rotation_enabled_app": facts.token_rotation,
                "new_scopes": state.all_scopes(*after),
                "previous_scopes": before.map(|set| state.all_scopes(set)).unwrap_or_default(),
            })
        }
    }
}

fn actor_id(state: &State, actor: Actor) -> &str {
    match actor {
        Actor::User(user) => &state.users[user as usize].id,
        Actor::App => &state.users[state.tokens[0].user].id,
    }
}

fn entity_id<'s>(state: &'s State, entry: &Entry<'_>) -> &'s str {
    match entry.entity {
        Entity::App(app, _) => &state.apps[app as usize].id,
        Entity::User(user) => &state.users[user as usize].id,
        Entity::Place if entry.place == ORG => &state.enterprise_id,
        Entity::Place => &state.workspaces[entry.place as usize].id,
    }
}

fn user_json(state: &State, user: u32) -> Json {
    let user = &state.users[user as usize];
    let home = user.workspaces.as_ref().and_then(|list| list.first());
    let team = home.map_or(&state.enterprise_id, |space| &state.workspaces[*space as usize].id);
    let name = user.facts.real_name.as_deref().unwrap_or(&user.facts.name);
    json!({ "id": user.id, "name": name, "email": user.email, "team": team })
}

fn app_json(state: &State, app: u32, scopes: Option<u32>) -> Json {
    let app = &state.apps[app as usize];
    let set = scopes.filter(|set| (*set as usize) < state.scope_sets.len());
    let (user, bot) = set.map_or((&[][..], &[][..]), |set| {
        let set = state.scopes(set);
        (&set.user[..], &set.bot[..])
    });
    json!({
        "id": app.id,
        "name": app.facts.name,
        "is_distributed": app.facts.distributed,
        "is_directory_approved": app.facts.directory_approved,
        "is_workflow_app": app.facts.workflow,
        "scopes": user,
        "scopes_bot": bot,
        "bot_scopes": bot,
        "creator": app.creator.map(|user| state.users[user].id.as_str()).unwrap_or_default(),
        "team": "",
    })
}

/// `enterprise` or `workspace`, with the place itself.
fn place_json(state: &State, place: u32) -> (&'static str, Json) {
    if place == ORG {
        let (id, name, domain) = (&state.enterprise_id, &state.name, &state.domain);
        return ("enterprise", json!({ "id": id, "name": name, "domain": domain }));
    }
    let space = &state.workspaces[place as usize];
    ("workspace", json!({ "id": space.id, "name": space.name, "domain": space.domain }))
}

fn entry_json(state: &State, event: &Event, entry: &Entry<'_>) -> Json {
    let actor = match entry.actor {
        Actor::User(user) => user,
        // Whoever installed the app that decided.
        Actor::App => index(state.tokens[0].user),
    };
    let (kind, place) = place_json(state, entry.place);
    let mut location = place.clone();
    location["type"] = json!(kind);
    let entity = match entry.entity {
        Entity::App(app, scopes) => {
            json!({ "type": "app", "app": app_json(state, app, Some(scopes)) })
        }
        Entity::User(user) => json!({ "type": "user", "user": user_json(state, user) }),
        Entity::Place => json!({ "type": kind, kind: place }),
    };
    let mut context = json!({
        "location": location,
        "ua": "Mozilla/5.0 (lab)",
        "ip_address": entry.ip.unwrap_or("192.0.2.10"),
        "session_id": format!("{}", 4_000_000_000_u64 + u64::from(event.serial)),
    });
    if let Some(app) = entry.through {
        context["app"] = app_json(state, app, None);
    }
    json!({
        "id": format!("00000000-0000-4000-8000-{:012x}", event.serial),
        "date_create": event.at,
        "action": entry.action,
        "actor": { "type": "user", "user": user_json(state, actor) },
        "entity": entity,
        "context": context,
        "details": details_json(state, &entry.details),
    })
}
