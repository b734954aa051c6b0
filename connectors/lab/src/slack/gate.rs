//! The gate that every call passes: a live token, the tier, the token's kind, the scope, the plan, the
//! role. It knows no resource.

use super::Core;
use super::args;
use super::error::Refusal;
use super::installs::ORG;
use super::methods::{Method, Needs};
use super::state::State;
use super::tokens::Token;
use super::world::{SlackPlan, SlackRole};
use crate::wire::Request;

/// Calls a minute to the audit logs, by all apps together.
pub(crate) const AUDIT_PER_MINUTE: u32 = 50;

/// Methods whose pages name codes of their own for the plan and for the role.
const NEWER: [&str; 2] = ["admin.apps.mcp.servers.list", "admin.apps.permissions.list"];

impl Core {
    /// The token of a call, dead or alive.
    ///
    /// # Errors
    /// `not_authed` without one, `invalid_auth` for one that was never given.
    pub(super) fn token_of(&self, state: &State, request: &Request) -> Result<usize, Refusal> {
        let text = args::token(request)?.ok_or_else(|| Refusal::new("not_authed"))?;
        let found = state.tokens.iter().position(|token| token.text.0 == text);
        found.ok_or_else(|| Refusal::new("invalid_auth"))
    }

    /// Lets a call to a method in.
    pub(super) fn admit(
        &self,
        state: &State,
        method: &Method,
        token: usize,
    ) -> Result<(), Refusal> {
        let token = &state.tokens[token];
        alive(state, token)?;
        let place = match token.place {
            ORG => state.top_id(),
            space => &state.workspaces[space as usize].id,
        };
        let key = (method.name, place.to_owned(), token.app_id.clone());
        self.meter(state, key, method.per_minute)?;
        always(state, method.name)?;
        if token.bot && method.needs != Needs::Token {
            return Err(Refusal::new("not_allowed_token_type"));
        }
        if let Some(scope) = method.scope.filter(|scope| !token.holds(scope)) {
            return Err(Refusal::scope(scope, &token.scope_list()));
        }
        role(state, method, token)
    }

    /// Counts a call against its tier.
    pub(super) fn meter(
        &self,
        state: &State,
        key: super::quota::Key,
        per_minute: u32,
    ) -> Result<(), Refusal> {
        let behaviour = &state.behaviour;
        if !behaviour.quota {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "microseconds of today fit well enough")]
        let now = self.clock.wall().as_microsecond() as f64 / 1e6 * behaviour.time_scale;
        self.quotas.take(key, per_minute, now).map_err(|seconds| {
            let wall = (seconds / behaviour.time_scale).ceil().clamp(1.0, 86_400.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between one and a day"
            )]
            Refusal::rate(Some(wall as u64))
        })
    }
}

/// Refuses a dead token in the words of its death.
pub(super) fn alive(state: &State, token: &Token) -> Result<(), Refusal> {
    state.trouble(token).map_or(Ok(()), |code| Err(Refusal::new(code)))
}

/// The error that a method answers always, if the world says so.
pub(super) fn always(state: &State, method: &str) -> Result<(), Refusal> {
    let errors = &state.behaviour.errors;
    let error = errors.get(method).or_else(|| errors.get("*"));
    error.map_or(Ok(()), |error| Err(Refusal::new(error.clone())))
}

fn role(state: &State, method: &Method, token: &Token) -> Result<(), Refusal> {
    let role = state.users[token.user].role;
    match method.needs {
        Needs::Token => Ok(()),
        Needs::LocalAdmin if role < SlackRole::WorkspaceAdmin => Err(Refusal::new("no_permission")),
        Needs::LocalAdmin => Ok(()),
        Needs::OrgAdmin | Needs::AppManager => {
            let newer = NEWER.contains(&method.name);
            if state.plan == SlackPlan::Workspace && newer {
                return Err(Refusal::new("not_an_enterprise"));
            }
            if state.plan == SlackPlan::Workspace || !state.behaviour.admin_api {
                return Err(Refusal::new("feature_not_enabled"));
            }
            let managing = method.needs == Needs::AppManager;
            if managing && (token.place != ORG || !state.behaviour.org_installed) {
                return Err(Refusal::new("app_management_app_not_installed_on_org"));
            }
            if role < SlackRole::Admin || token.place != ORG {
                return Err(Refusal::new(match method.name {
                    "admin.apps.uninstall" => "permission_denied",
                    _ if newer => "restricted_action",
                    _ => "not_an_admin",
                }));
            }
            Ok(())
        }
    }
}
