//! The routes: which method a request is, which resource answers it, and what every answer carries.

use serde_json::{Value as Json, json};

use super::Core;
use super::apps::{configs, permissions};
use super::args::Args;
use super::cursors::Rules;
use super::error::{Refusal, no_such_page};
use super::methods::{self, Method};
use super::people::{team_info, user_info};
use super::state::{Moments, State};
use super::world::SlackStatus;
use crate::wire::{Reply, Request};

/// A call that was let in.
pub(super) struct Visit<'c> {
    pub(super) method: &'static Method,
    /// Index of the token.
    pub(super) token: usize,
    pub(super) args: &'c Args,
}

/// Items of one page, and the cursor of the next.
pub(super) type Page<T> = (Vec<T>, Option<String>);

impl Core {
    /// The platform's answer.
    pub(super) fn route(&self, request: &Request) -> Reply {
        if let Some(name) = request.path.strip_prefix("/audit/v1/") {
            return self.audit(name, request);
        }
        match request.path.strip_prefix("/api/") {
            Some(name) if !name.is_empty() => self.method(name, request),
            _ => no_such_page(404),
        }
    }

    fn method(&self, name: &str, request: &Request) -> Reply {
        let Some(method) = methods::find(name) else {
            return Refusal::unknown_method(name).reply();
        };
        // The platform reads GET and POST alike; that a write by GET is refused is the lab's choice.
        let post = request.method.as_str() == "POST";
        if !post && (method.writes || request.method.as_str() != "GET") {
            return no_such_page(405);
        }
        let mut held = None;
        let answer = self.serve(method, request, &mut held);
        let reply = match answer {
            Ok(mut body) => {
                body["ok"] = json!(true);
                Reply::json(200, body.to_string())
            }
            Err(refusal) => refusal.reply(),
        };
        scoped(reply, held, method.scope)
    }

    fn serve(
        &self,
        method: &'static Method,
        request: &Request,
        held: &mut Option<String>,
    ) -> Result<Json, Refusal> {
        let token = {
            let state = self.state();
            let token = self.token_of(&state, request)?;
            // A dead token has no scopes to tell of.
            let known = &state.tokens[token];
            *held = state.trouble(known).is_none().then(|| known.scope_list());
            self.admit(&state, method, token)?;
            token
        };
        let args = Args::read(request, method)?;
        let visit = Visit { method, token, args: &args };
        match method.name {
            "auth.test" => Ok(self.auth_test(&self.state(), &visit)),
            "auth.revoke" => self.revoke_token(&visit),
            "auth.teams.list" => self.own_teams(&self.state(), &visit),
            "admin.apps.approved.list" => self.approved(&visit),
            "admin.apps.restricted.list" => {
                self.decided(&self.state(), &visit, SlackStatus::Restricted, "restricted_apps")
            }
            "admin.apps.requests.list" => self.requests(&self.state(), &visit),
            "admin.apps.activities.list" => self.activities(&self.state(), &visit),
            "admin.apps.config.lookup" => configs(&self.state(), &visit),
            "admin.apps.permissions.list" => permissions(&self.state(), &visit),
            "admin.apps.mcp.servers.list" => self.servers(&self.state(), &visit),
            "admin.teams.list" => self.teams(&self.state(), &visit),
            "admin.users.list" => self.admin_users(&self.state(), &visit),
            "users.list" => self.users(&self.state(), &visit),
            "users.info" => user_info(&self.state(), &visit),
            "team.info" => team_info(&self.state(), &visit),
            "team.integrationLogs" => self.integration_logs(&self.state(), &visit),
            "admin.apps.approve" => self.resolve(&visit, SlackStatus::Approved),
            "admin.apps.restrict" => self.resolve(&visit, SlackStatus::Restricted),
            "admin.apps.clearResolution" => self.clear_resolution(&visit),
            "admin.apps.requests.cancel" => self.cancel_request(&visit),
            "admin.apps.uninstall" => self.uninstall(&visit),
            "admin.users.session.reset" => self.reset_sessions(&visit),
            other => Err(Refusal::unknown_method(other)),
        }
    }

    /// How cursors end.
    pub(super) fn rules(&self, state: &State) -> Rules {
        Rules {
            now: self.clock.wall().as_second(),
            seconds: state.behaviour.cursor_seconds,
            once: state.behaviour.cursor_once,
        }
    }

    /// One page of a listing whose items come in the order of their keys. What goes on is bound to a
    /// key and not to a number of items, so that nothing is passed over when earlier items go.
    pub(super) fn page<T>(
        &self,
        state: &State,
        visit: &Visit<'_>,
        limit: usize,
        items: impl Iterator<Item = (i64, T)>,
    ) -> Result<Page<T>, Refusal> {
        let listing = visit.args.listing(visit.method.name);
        let rules = self.rules(state);
        let cursor = visit.args.text("cursor").unwrap_or_default();
        let position = self.cursors.position(cursor, &listing, rules)?;
        if position.is_none() && state.behaviour.empty_first_page {
            let next = self.cursors.issue(&listing, (i64::MIN, 0), rules.now);
            return Ok((Vec::new(), Some(next)));
        }
        let from = position.map_or(i64::MIN, |position| position.0);
        let mut rest = items.skip_while(|(key, _)| *key < from);
        let page: Vec<T> = rest.by_ref().take(limit).map(|(_, item)| item).collect();
        let next = rest.next().map(|(key, _)| self.cursors.issue(&listing, (key, 0), rules.now));
        Ok((page, next))
    }

    /// When a change made now happens, and when the audit log shows it.
    pub(super) fn moments(&self, state: &State) -> Moments {
        let lag = state.behaviour.audit_lag_seconds.saturating_mul(1_000_000);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a lag of years would still fit"
        )]
        let lag = (lag as f64 / state.behaviour.time_scale) as i64;
        Moments { at: self.now(), shown: self.clock.wall().as_microsecond().saturating_add(lag) }
    }
}

/// The body of one page of a cursor listing.
pub(super) fn listed(state: &State, name: &str, items: Vec<Json>, next: Option<String>) -> Json {
    let mut body = json!({});
    body[name] = Json::Array(items);
    if next.is_some() || !state.behaviour.end_without_metadata {
        body["response_metadata"] = json!({ "next_cursor": next.unwrap_or_default() });
    }
    body
}

/// The page size that a call asks for, within 1 and `most`, cut to what the lab gives.
pub(super) fn limit(visit: &Visit<'_>, most: i64, cap: usize) -> Result<usize, Refusal> {
    // Only the pages of these two methods name this code for it.
    let own = ["auth.teams.list", "admin.teams.list"].contains(&visit.method.name);
    let refusal = if own { "invalid_limit" } else { "invalid_arguments" };
    let asked = visit.args.number("limit", 1..=most, refusal)?.unwrap_or(100);
    Ok(usize::try_from(asked).unwrap_or(usize::MAX).min(cap))
}

/// The headers by which a client sees its rights.
pub(super) fn scoped(reply: Reply, held: Option<String>, wanted: Option<&str>) -> Reply {
    match held {
        None => reply,
        Some(held) => reply
            .with_header("x-oauth-scopes", held)
            .with_header("x-accepted-oauth-scopes", wanted.unwrap_or_default()),
    }
}
