//! The host as the lab's server sees it: what a call asks, and what a fault does to it.

use std::time::Duration;

use serde_json::Value as Json;

use super::Core;
use super::error::Refusal;
use super::state::{Installation, NEVER, Pat, State};
use super::world::PatSelection;
use crate::calls::Call;
use crate::fault::Effect;
use crate::server::Tenant;
use crate::watch::Watch;
use crate::wire::{Reply, Request};

/// Query parameters that say what a call is after.
const TELLING: [&str; 9] = [
    "phrase",
    "include",
    "login",
    "owner[]",
    "permission",
    "token_id[]",
    "last_used_before",
    "last_used_after",
    "role",
];

/// What a call asks, for the log and for faults.
fn asked(request: &Request) -> Option<String> {
    let mut asked: Vec<String> =
        TELLING.iter().filter_map(|name| request.param(name)).map(str::to_owned).collect();
    let later = request.param("page").is_some_and(|page| !matches!(page, "" | "1"))
        || ["after", "before"]
            .iter()
            .any(|name| request.param(name).is_some_and(|at| !at.is_empty()));
    if request.path.ends_with("/access_tokens") {
        asked.push("installation_token".to_owned());
    }
    if let Ok(Json::Object(fields)) = serde_json::from_str(&request.body) {
        // Not the credentials of a leak: they are secrets.
        for name in ["query", "variables", "action", "credential_type", "permissions", "active"] {
            match fields.get(name) {
                None => {}
                Some(Json::String(text)) => asked.push(text.clone()),
                Some(other) => asked.push(other.to_string()),
            }
        }
        let goes_on = fields.get("variables").and_then(Json::as_object).is_some_and(|variables| {
            variables.iter().any(|(name, value)| {
                matches!(name.as_str(), "after" | "cursor") && !value.is_null()
            })
        });
        if goes_on {
            asked.push("later page".to_owned());
        }
    }
    if later {
        asked.push("later page".to_owned());
    }
    (!asked.is_empty()).then(|| asked.join(" "))
}

impl Core {
    /// A fault that names something the host does not have must not pass unseen.
    fn unknown(&self, effect: &Effect) -> Reply {
        let message =
            format!("LAB_FAULT_UNKNOWN_NAME: this tenant has nothing of that name: {effect:?}");
        Refusal::new(500, message).reply(true)
    }

    fn revoke_oldest(&self, state: &mut State, name: &str) -> bool {
        let (now, at) = (self.wall_ms(), self.now());
        if let Some(app) = state.app_named(name) {
            let live = state.installations.iter().enumerate();
            let live = live.filter(|(_, row)| row.app == app && row.gone > now);
            let oldest = live.min_by_key(|(_, row)| row.created).map(|(index, _)| index);
            if let Some(index) = oldest {
                state.uninstall(index, now, at);
            }
            return true;
        }
        let named = state.pats.iter().enumerate().filter(|(_, pat)| &*pat.name == name);
        let oldest = named.min_by_key(|(_, pat)| (pat.gone <= now, pat.granted));
        let Some((index, live)) = oldest.map(|(index, pat)| (index, pat.gone > now)) else {
            return false;
        };
        if live {
            state.revoke_pat(index, now, at);
        }
        true
    }

    /// An App comes onto an organisation, or a user gets a fine-grained token of a name.
    fn add(&self, state: &mut State, name: &str, whose: &str) -> bool {
        let at = self.now();
        if let Some(organisation) = state.organisation(whose) {
            let Some(app) = state.app_named(name) else { return false };
            if state.installed(organisation, app, self.wall_ms()).is_some() {
                return false;
            }
            let row = Installation {
                id: state.fresh_id(),
                organisation,
                app,
                permissions: state.apps[app].permissions.clone(),
                events: state.apps[app].events.clone(),
                repositories: None,
                created: at,
                updated: at,
                suspended: None,
                by: None,
                gone: NEVER,
            };
            state.installations.push(row);
            let happening =
                super::audit::Happening::InstallationMade(state.installations.len() - 1);
            state.log.push(at, happening);
            return true;
        }
        let Some(user) = state.user(whose) else { return false };
        let Some((organisation, _)) = state.users[user].roles.first().copied() else {
            return false;
        };
        let Ok(user) = u32::try_from(user) else { return false };
        state.pat_permissions.push(super::world::PatPermissions::default());
        let Ok(permissions) = u32::try_from(state.pat_permissions.len() - 1) else { return false };
        let pat = Pat {
            id: state.fresh_id(),
            organisation,
            user,
            token_id: state.fresh_id(),
            name: name.into(),
            permissions,
            selection: PatSelection::All,
            repositories: Vec::new(),
            granted: at,
            expires: None,
            last_used: None,
            gone: NEVER,
        };
        state.pats.push(pat);
        let happening = super::audit::Happening::PatMade(state.pats.len() - 1);
        state.log.push(at, happening);
        true
    }
}

impl Tenant for Core {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.state().behaviour.latency_ms)
    }

    fn describe(&self, request: &Request) -> Call {
        let state = self.state();
        let latency = i64::try_from(state.behaviour.latency_ms).unwrap_or(0);
        self.limits.arrive(self.wall_ms(), latency);
        let user = self.caller(&state, request).ok().map(|caller| caller.name(&state));
        Call {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.clone(),
            operation: asked(request),
            status: None,
            user,
            faulted: false,
        }
    }

    fn apply(&self, effect: &Effect) -> Option<Reply> {
        let status = self.state().behaviour.limit_status;
        let done = match effect {
            Effect::Throttle { retry_after } => {
                return Some(Refusal::secondary(status, *retry_after).reply(true));
            }
            Effect::ConcurrentLimit => return Some(Refusal::secondary(status, None).reply(true)),
            Effect::ServerError => {
                return Some(Refusal::new(502, "Server Error").reply(false));
            }
            Effect::TotalRequestsLimit => {
                let seconds = self.state().behaviour.reset_seconds;
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                let reset = self.clock.wall().as_second().saturating_add(seconds);
                let reply = Refusal::primary(status, "installation ID 1").reply(true);
                return Some(
                    reply
                        .with_header("x-ratelimit-limit", "5000")
                        .with_header("x-ratelimit-remaining", "0")
                        .with_header("x-ratelimit-used", "5001")
                        .with_header("x-ratelimit-reset", reset.to_string())
                        .with_header("x-ratelimit-resource", "core"),
                );
            }
            Effect::ExpireSessions => {
                self.sessions.clear();
                true
            }
            Effect::ExpireLocator => {
                self.pages.expire();
                true
            }
            Effect::RemovePermission { user: None, permission } => {
                self.state_mut().set_right(permission, false)
            }
            Effect::RemovePermission { user: Some(login), permission } => {
                let mut state = self.state_mut();
                match state.user(login) {
                    Some(user) if permission == "owner" => state.demote(user),
                    _ => false,
                }
            }
            Effect::DeleteUser { username } => {
                let (now, at) = (self.wall_ms(), self.now());
                let mut state = self.state_mut();
                let found = state.user(username);
                if let Some(user) = found {
                    state.delete_user(user, now, at);
                }
                found.is_some()
            }
            Effect::RevokeToken { app } => self.revoke_oldest(&mut self.state_mut(), app),
            Effect::AddToken { app, username } => self.add(&mut self.state_mut(), app, username),
            Effect::Reply { .. }
            | Effect::CutBody { .. }
            | Effect::Slow { .. }
            | Effect::Drop
            | Effect::Html => true,
        };
        (!done).then(|| self.unknown(effect))
    }

    fn answer(&self, request: &Request) -> Reply {
        self.route(request)
    }
}
