//! The tenant as the lab's server sees it: what a call asks, and what a fault does to it.

use std::time::Duration;

use super::Core;
use super::args;
use super::error::{Refusal, broken};
use super::installs::index;
use super::tokens::Token;
use crate::calls::Call;
use crate::fault::Effect;
use crate::server::Tenant;
use crate::watch::Watch;
use crate::wire::{Reply, Request};

/// Arguments that tell what a call is about.
const TELLING: [&str; 15] = [
    "action",
    "actor",
    "app_id",
    "app_ids",
    "certified",
    "change_type",
    "enterprise_id",
    "entity",
    "request_id",
    "service_id",
    "team_id",
    "team_ids",
    "test",
    "user",
    "user_id",
];
/// Seconds to wait when no call is left for the day, which the platform does not know.
const LONG: u64 = 3_600;

impl Tenant for Core {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.state().behaviour.latency_ms)
    }

    fn describe(&self, request: &Request) -> Call {
        let user = args::token(request).ok().flatten().and_then(|text| {
            let state = self.state();
            let token = state.tokens.iter().find(|token| token.text.0 == text)?;
            Some(token.name.to_owned())
        });
        // A token in the address must not get into the record.
        let query = request.query.iter().filter(|(name, _)| name != "token").cloned().collect();
        Call {
            method: request.method.to_string(),
            path: request.path.clone(),
            query,
            operation: asked(request),
            status: None,
            user,
            faulted: false,
        }
    }

    fn apply(&self, effect: &Effect) -> Option<Reply> {
        match effect {
            Effect::Throttle { retry_after } => Some(Refusal::rate(*retry_after).reply()),
            Effect::ConcurrentLimit => Some(Refusal::rate(Some(1)).reply()),
            Effect::TotalRequestsLimit => Some(Refusal::rate(Some(LONG)).reply()),
            Effect::ServerError => Some(broken()),
            Effect::ExpireLocator => {
                self.cursors.expire();
                None
            }
            Effect::ExpireSessions => {
                for token in &mut self.state_mut().tokens {
                    token.dead.get_or_insert_with(|| "token_expired".to_owned());
                }
                None
            }
            other => {
                let done = self.change(other);
                (!done).then(|| Refusal::unknown_name(&format!("{other:?}")).reply())
            }
        }
    }

    fn answer(&self, request: &Request) -> Reply {
        self.route(request)
    }
}

impl Core {
    /// Makes an effect happen that changes the tenant; false if it names what the tenant has not.
    fn change(&self, effect: &Effect) -> bool {
        match effect {
            Effect::RemovePermission { user, permission } => {
                let name = match user {
                    Some(token) => format!("{token}/{permission}"),
                    None => permission.clone(),
                };
                self.set_right(&name, false)
            }
            Effect::DeleteUser { username } => {
                let now = self.now();
                let mut state = self.state_mut();
                let Some(user) = state.user(username) else { return false };
                state.users[user].deactivated.get_or_insert(now);
                true
            }
            Effect::RevokeToken { app } => {
                let mut state = self.state_mut();
                let Some(app) = state.app(app) else { return false };
                let oldest = state.present(app).min_by_key(|(_, install)| install.at);
                let Some((install, by)) = oldest.map(|(number, install)| (number, install.by))
                else {
                    return false;
                };
                let when = self.moments(&state);
                state.remove(install, by, when)
            }
            Effect::AddToken { app, username } => {
                let mut state = self.state_mut();
                let (Some(app), Some(user)) = (state.app(app), state.user(username)) else {
                    return false;
                };
                let home = state.users[user].workspaces.as_ref();
                let place = home.and_then(|list| list.first().copied()).unwrap_or(0);
                let when = self.moments(&state);
                state.install(app, place, index(user), when)
            }
            Effect::Reply { .. }
            | Effect::CutBody { .. }
            | Effect::Slow { .. }
            | Effect::Drop
            | Effect::Html
            | Effect::Throttle { .. }
            | Effect::ServerError
            | Effect::ConcurrentLimit
            | Effect::TotalRequestsLimit
            | Effect::ExpireSessions
            | Effect::ExpireLocator => true,
        }
    }

    /// Gives or takes a right; false if there is none of that name.
    pub(super) fn set_right(&self, name: &str, held: bool) -> bool {
        let mut state = self.state_mut();
        let (whose, right) = name.split_once('/').unwrap_or(("reader", name));
        if whose == "member" {
            let (Some(space), Some(reader)) = (state.workspace(right), state.token_named("reader"))
            else {
                return false;
            };
            let user = state.tokens[reader].user;
            let all = (0..index(state.workspaces.len())).collect::<Vec<_>>();
            let list = state.users[user].workspaces.get_or_insert(all);
            list.retain(|other| *other != space);
            if held {
                list.push(space);
            }
            return true;
        }
        let Some(token) = state.token_named(whose) else { return false };
        super::rights::set(&mut state, token, right, held)
    }

    /// Makes a token answer with a code from now on, or live again; false if there is none of that
    /// name.
    pub(super) fn set_dead(&self, name: &str, code: Option<&str>) -> bool {
        let mut state = self.state_mut();
        let Some(token) = state.token_named(name) else { return false };
        let token: &mut Token = &mut state.tokens[token];
        token.dead = code.map(str::to_owned);
        true
    }
}

/// What a call asks, in one line.
fn asked(request: &Request) -> Option<String> {
    let form = request.form().unwrap_or_default();
    let json = serde_json::from_str::<serde_json::Value>(&request.body).ok();
    let field = |name: &str| {
        let pair = request.query.iter().chain(&form).find(|(key, _)| key == name);
        let text = json.as_ref().and_then(|json| json[name].as_str());
        pair.map(|(_, value)| value.clone()).or_else(|| text.map(str::to_owned))
    };
    let mut words: Vec<String> = TELLING
        .iter()
        .filter_map(|name| Some(format!("{name}={}", field(name).filter(|text| !text.is_empty())?)))
        .collect();
    // So that a fault can hit the pages after the first.
    let cursor = field("cursor").is_some_and(|cursor| !cursor.is_empty());
    if cursor || field("page").is_some_and(|page| page != "1") {
        words.push("page".to_owned());
    }
    (!words.is_empty()).then(|| words.join(" "))
}
