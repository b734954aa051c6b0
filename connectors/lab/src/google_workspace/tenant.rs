//! The customer as the lab's server sees it: what a call asks, and what a fault does to it.

use std::time::Duration;

use super::access::{Api, Privilege};
use super::error::Refusal;
use super::{Core, auth};
use crate::calls::Call;
use crate::fault::Effect;
use crate::server::Tenant;
use crate::watch::Watch;
use crate::wire::{Reply, Request};

/// A fault that names something the customer does not have must not pass unseen.
fn unknown(effect: &Effect) -> Reply {
    let message =
        format!("LAB_FAULT_UNKNOWN_NAME: this customer has nothing of that name: {effect:?}");
    Refusal::new(500, "LAB_FAULT_UNKNOWN_NAME", message).reply(Api::Directory)
}

impl Tenant for Core {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.state().behaviour.latency_ms)
    }

    fn describe(&self, request: &Request) -> Call {
        let operation = if request.path == "/token" {
            auth::asked(request)
        } else {
            let asked: Vec<&str> =
                ["eventName", "filters", "filter", "parameters", "query", "orderBy"]
                    .iter()
                    .filter_map(|name| request.param(name))
                    // So that a fault can hit the pages after the first.
                    .chain(request.param("pageToken").map(|_| "pageToken"))
                    .collect();
            (!asked.is_empty()).then(|| asked.join(" "))
        };
        Call {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.clone(),
            operation,
            status: None,
            user: self.caller_name(&self.state(), request),
            faulted: false,
        }
    }

    fn apply(&self, effect: &Effect) -> Option<Reply> {
        let refuse = |status, reason, message: &str| {
            Some(Refusal::quota(status, reason, message).reply(Api::Directory))
        };
        match effect {
            Effect::Throttle { retry_after } => {
                let reply = refuse(429, "rateLimitExceeded", "Rate Limit Exceeded")?;
                Some(match retry_after {
                    Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
                    None => reply,
                })
            }
            Effect::ServerError => refuse(503, "backendError", "Backend Error"),
            Effect::ConcurrentLimit => refuse(403, "quotaExceeded", "Quota exceeded"),
            Effect::TotalRequestsLimit => refuse(403, "dailyLimitExceeded", "Daily Limit Exceeded"),
            Effect::ExpireSessions => {
                self.sessions.clear();
                None
            }
            Effect::ExpireLocator => {
                self.pages.expire();
                None
            }
            Effect::RemovePermission { user, permission } => {
                if user.is_none() && self.set_scope(permission, false) {
                    return None;
                }
                let mut state = self.state_mut();
                let found = match user {
                    Some(name) => state.user(name),
                    None => Some(state.subject),
                };
                let (Some(found), Some(privilege)) = (found, Privilege::parse(permission)) else {
                    return Some(unknown(effect));
                };
                state.users[found].role.set(privilege, false);
                if user.is_none() {
                    state.service_account.set(privilege, false);
                }
                None
            }
            Effect::DeleteUser { username } => {
                let now = self.now();
                let mut state = self.state_mut();
                let Some(user) = state.user(username) else { return Some(unknown(effect)) };
                state.users[user].deleted = Some(now);
                None
            }
            Effect::RevokeToken { app } => {
                let now = self.now();
                let mut state = self.state_mut();
                let Some(app) = state.app_named(app) else { return Some(unknown(effect)) };
                let live = (0..)
                    .zip(state.grants.all())
                    .filter(|(_, grant)| grant.app as usize == app && grant.revoked.is_none());
                let oldest = live.min_by_key(|(_, grant)| grant.authorized);
                if let Some(grant) = oldest.map(|(index, _)| index) {
                    state.revoke(grant, now);
                }
                None
            }
            Effect::AddToken { app, username } => {
                let now = self.now();
                let mut state = self.state_mut();
                let (Some(app), Some(user)) = (state.app_named(app), state.user(username)) else {
                    return Some(unknown(effect));
                };
                (!state.authorize(user, app, now)).then(|| unknown(effect))
            }
            Effect::Reply { .. }
            | Effect::CutBody { .. }
            | Effect::Slow { .. }
            | Effect::Drop
            | Effect::Html => None,
        }
    }

    fn answer(&self, request: &Request) -> Reply {
        self.route(request)
    }
}
