//! The org as the lab's server sees it: what a call asks, and what a fault does to it.

use std::time::Duration;

use super::error::{Refusal, marked};
use super::events::{Party, Told};
use super::state::{Life, token_id};
use super::token::{REVOKE_PATH, TOKEN_PATH};
use super::{Core, token};
use crate::calls::Call;
use crate::fault::Effect;
use crate::server::Tenant;
use crate::watch::Watch;
use crate::wire::{Reply, Request};

/// Parameters that tell what a call is after.
const TELLING: [&str; 10] = [
    "filter",
    "search",
    "q",
    "eventType",
    "since",
    "until",
    "expand",
    "scopeId",
    "oauthTokens",
    "includeNonDeleted",
];

/// A fault that names something the org does not have must not pass unseen.
fn unknown(effect: &Effect) -> Reply {
    let summary = format!("LAB_FAULT_UNKNOWN_NAME: this org has nothing of that name: {effect:?}");
    Refusal::new(500, "LAB_FAULT_UNKNOWN_NAME", summary).reply()
}

impl Tenant for Core {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.state().behaviour.latency_ms)
    }

    fn describe(&self, request: &Request) -> Call {
        self.quotas.begin(self.precise_now());
        let operation = if [TOKEN_PATH, REVOKE_PATH].contains(&request.path.as_str()) {
            token::asked(request)
        } else {
            let asked: Vec<String> = TELLING
                .iter()
                .filter_map(|name| Some(format!("{name}={}", request.param(name)?)))
                // So that a fault can hit the pages after the first.
                .chain(request.param("after").map(|_| "page".to_owned()))
                .collect();
            (!asked.is_empty()).then(|| asked.join(" "))
        };
        Call {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.clone(),
            operation,
            status: None,
            user: self.caller_name(request),
            faulted: false,
        }
    }

    fn apply(&self, effect: &Effect) -> Option<Reply> {
        self.happen(effect).map(|reply| marked(reply, self.count()))
    }

    fn answer(&self, request: &Request) -> Reply {
        self.route(request)
    }
}

impl Core {
    fn happen(&self, effect: &Effect) -> Option<Reply> {
        match effect {
            Effect::Throttle { retry_after } => Some(self.throttled(*retry_after)),
            Effect::ServerError => {
                Some(Refusal::new(503, "E0000009", "Internal Server Error").reply())
            }
            Effect::ConcurrentLimit => Some(self.concurrency_refusal()),
            Effect::TotalRequestsLimit => Some(self.throttled(Some(6 * 3_600))),
            Effect::ExpireSessions => {
                self.sessions.clear();
                None
            }
            Effect::ExpireLocator => {
                self.pages.expire();
                None
            }
            Effect::RemovePermission { user, permission } => {
                // Looked up before, so that the lock is free again.
                let scanner = self.state().scanner;
                let known = match user {
                    None => self.set_client_right(scanner, permission, false),
                    Some(name) => self.take_right(name, permission),
                };
                (!known).then(|| unknown(effect))
            }
            Effect::DeleteUser { username } => {
                let mut state = self.state_mut();
                let Some(user) = state.user(username) else { return Some(unknown(effect)) };
                state.users[user as usize].deleted = true;
                None
            }
            Effect::RevokeToken { app } => (!self.lose_token(app)).then(|| unknown(effect)),
            Effect::AddToken { app, username } => {
                let now = self.now();
                let mut state = self.state_mut();
                let (Some(app), Some(user)) = (state.any_app(app), state.user(username)) else {
                    return Some(unknown(effect));
                };
                let token = token_id(state.add_token(app, user, now));
                let target = Party::new(&token, "refresh_token", "Refresh Token");
                let actor = Party::client(&state, app);
                let told = Told::new(
                    "app.oauth2.token.grant.refresh_token",
                    "OAuth refresh token is granted",
                    actor,
                    vec![Party::user(&state, user), target],
                );
                state.tell(now, told);
                None
            }
            Effect::Reply { .. }
            | Effect::CutBody { .. }
            | Effect::Slow { .. }
            | Effect::Drop
            | Effect::Html => None,
        }
    }

    /// 429 with headers that tell when to come back; `Retry-After` is not the platform's way, but a front end may send it.
    fn throttled(&self, retry_after: Option<u64>) -> Reply {
        let wait = i64::try_from(retry_after.unwrap_or(1)).unwrap_or(i64::MAX);
        let reset = self.clock.wall().as_second().saturating_add(wait);
        let reply = Refusal::rate()
            .reply()
            .with_header("x-rate-limit-limit", "500")
            .with_header("x-rate-limit-remaining", "0")
            .with_header("x-rate-limit-reset", reset.to_string());
        match retry_after {
            Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
            None => reply,
        }
    }

    /// Takes a right from an app of a label or a role from a user.
    fn take_right(&self, name: &str, right: &str) -> bool {
        let (app, user) = {
            let state = self.state();
            (state.any_app(name), state.user(name))
        };
        match (app, user) {
            (Some(app), _) => self.set_client_right(app, right, false),
            (None, Some(user)) => {
                let roles = &mut self.state_mut().users[user as usize].roles;
                let before = roles.len();
                roles.retain(|role| !role.is(right));
                roles.len() < before
            }
            (None, None) => false,
        }
    }

    /// The oldest refresh token of an app goes, or, if it has none, its oldest consent, or the app is an API service integration that
    /// goes. False if there is no such app.
    fn lose_token(&self, name: &str) -> bool {
        let now = self.now();
        let mut state = self.state_mut();
        if let Some(service) = state.service(name) {
            state.services[service].gone = true;
            return true;
        }
        let Some(app) = state.any_app(name) else { return false };
        let live = state.shown_tokens(now);
        let own = live.filter(|(_, token)| token.app == app && token.life == Life::Active);
        if let Some((token, _)) = own.min_by_key(|(_, token)| token.created) {
            state.revoke_token(token as usize);
            return true;
        }
        let own = state.shown_grants().filter(|(_, it)| it.app == app && it.life == Life::Active);
        if let Some((grant, _)) = own.min_by_key(|(_, grant)| grant.created) {
            state.revoke_grant(grant as usize);
        }
        true
    }
}
