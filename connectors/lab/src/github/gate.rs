//! The gate that every call passes: headers, a live token, the limits; then, per operation, what the
//! caller may do. It knows no resource.

use super::Core;
use super::access::Need;
use super::auth::{Caller, bearer};
use super::error::Refusal;
use super::quota::{Resource, Usage};
use super::state::{Role, State};
use super::world::{GithubBehaviour, GithubEdition};
use crate::wire::{Reply, Request};

/// The versions of the API.
const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];
/// Calls at once.
const AT_ONCE: usize = 100;

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nothing that belongs to somebody.
    Public,
    Organisation(usize),
    Enterprise,
    Site,
}

/// The front end's own refusals, before any token is looked at.
pub(super) fn front(request: &Request) -> Result<(), Reply> {
    if request.header("user-agent").is_none_or(|agent| agent.trim().is_empty()) {
        let text = "\r\nRequest forbidden by administrative rules. Please make sure your request \
            has a User-Agent header.\r\n";
        return Err(Reply::new(403, "text/html", text));
    }
    Ok(())
}

/// Whether the version asked for exists.
pub(super) fn version(request: &Request) -> Result<(), Refusal> {
    match request.header("x-github-api-version") {
        Some(version) if !VERSIONS.contains(&version) => {
            let message = format!("\"{version}\" is not a supported X-GitHub-Api-Version");
            Err(Refusal::new(400, message))
        }
        _ => Ok(()),
    }
}

/// Which hour a call is counted in.
fn resource(path: &str) -> Resource {
    match path {
        path if path.ends_with("/graphql") => Resource::Graphql,
        path if path.ends_with("/audit-log") => Resource::AuditLog,
        _ => Resource::Core,
    }
}

impl Core {
    /// The calls an hour that a caller has.
    pub(super) fn per_hour(&self, state: &State, caller: &Caller, resource: Resource) -> u32 {
        let behaviour = &state.behaviour;
        let cloud = state.edition == GithubEdition::EnterpriseCloud;
        match (resource, caller) {
            (Resource::AuditLog, _) => return 1_750,
            (Resource::Graphql, _) if cloud => return 10_000,
            _ => {}
        }
        if let Some(limit) = behaviour.calls_per_hour {
            return limit;
        }
        match caller {
            Caller::Anonymous => 60,
            Caller::Installation(..) | Caller::EnterpriseInstallation(_) if cloud => 15_000,
            Caller::Installation(row, _) => {
                let organisation = state.installations[*row].organisation;
                let above = |count: usize| u32::try_from(count.saturating_sub(20)).unwrap_or(0);
                let repositories = state
                    .repositories
                    .iter()
                    .filter(|repository| repository.organisation == organisation);
                let users = state.users.iter().filter(|user| user.role(organisation).is_some());
                let more = above(repositories.count()).saturating_add(above(users.count()));
                more.saturating_mul(50).saturating_add(5_000).min(12_500)
            }
            Caller::App(_)
            | Caller::EnterpriseInstallation(_)
            | Caller::Classic(_)
            | Caller::FineGrained => 5_000,
        }
    }

    fn limited(state: &State) -> bool {
        let behaviour = &state.behaviour;
        behaviour.quota && (state.edition != GithubEdition::Server || behaviour.server_limits)
    }

    /// Counts a call against every limit that it falls under.
    pub(super) fn meter(
        &self,
        state: &State,
        caller: &Caller,
        request: &Request,
    ) -> Result<Option<Usage>, (Refusal, Option<Usage>)> {
        if !Self::limited(state) {
            return Ok(None);
        }
        let behaviour = &state.behaviour;
        let status = behaviour.limit_status;
        let now = self.clock.wall().as_millisecond();
        let who = caller.name(state);
        let kind = resource(&request.path);
        let cost = u32::from(!request.path.ends_with("/rate_limit"));
        let limit = self.per_hour(state, caller, kind);
        let used = self.limits.take((kind, &who), (limit, cost), now, behaviour.time_scale);
        let used = used.map_err(|usage| {
            (Refusal::primary(status, &format!("installation or user ID {who}")), Some(usage))
        })?;
        let latency = i64::try_from(behaviour.latency_ms).unwrap_or(0);
        if self.limits.at_once(now, latency) > AT_ONCE {
            return Err((Refusal::secondary(status, None), Some(used)));
        }
        let points = if request.method == "GET" || kind == Resource::Graphql { 1 } else { 5 };
        let full = (behaviour.points_per_minute, points * cost);
        let taken = self.limits.points(&who, full, now, behaviour.time_scale);
        taken.map_err(|wait| (Refusal::secondary(status, Some(wait)), Some(used)))?;
        Ok(Some(used))
    }

    /// Whether the caller may do what an operation needs, to its target.
    pub(super) fn permit(
        &self,
        state: &State,
        caller: &Caller,
        need: Need,
        target: Target,
    ) -> Result<(), Refusal> {
        if let Target::Organisation(organisation) = target
            && !matches!(caller, Caller::Anonymous | Caller::App(_))
        {
            allowed_address(state, organisation)?;
        }
        match caller {
            Caller::Anonymous if need.any_of.is_empty() && target == Target::Public => Ok(()),
            Caller::Anonymous => Err(Refusal::authentication()),
            Caller::App(_) if need.any_of.is_empty() && target == Target::Public => Ok(()),
            Caller::App(_) => Err(Refusal::credentials()),
            Caller::Installation(row, _) => {
                let own = Target::Organisation(state.installations[*row].organisation);
                match target {
                    Target::Enterprise | Target::Site => Err(Refusal::not_found()),
                    Target::Organisation(_) if target != own => Err(Refusal::integration(need)),
                    Target::Organisation(_) | Target::Public => {
                        self.permit_app(state, caller, need, target)
                    }
                }
            }
            Caller::EnterpriseInstallation(_) => match target {
                Target::Site => Err(Refusal::not_found()),
                Target::Enterprise | Target::Organisation(_) | Target::Public => {
                    self.permit_app(state, caller, need, target)
                }
            },
            Caller::Classic(row) => permit_classic(state, *row, need, target),
            Caller::FineGrained => permit_fine_grained(state, need, target),
        }
    }

    fn permit_app(
        &self,
        state: &State,
        caller: &Caller,
        need: Need,
        target: Target,
    ) -> Result<(), Refusal> {
        let permissions = caller.permissions(state).unwrap_or_default();
        // The platform's own permission that every App has.
        let metadata = need.any_of.first().is_some_and(|(name, _)| *name == "metadata");
        if target == Target::Public || metadata || need.met_by(&permissions) {
            return Ok(());
        }
        if state.behaviour.hide_missing_permission {
            return Err(Refusal::not_found());
        }
        Err(Refusal::integration(need))
    }

    /// Puts the headers of every answer on one.
    pub(super) fn dress(
        &self,
        state: &State,
        caller: Option<&Caller>,
        usage: Option<(Resource, Usage)>,
        request: &Request,
        reply: Reply,
    ) -> Reply {
        let version = request.header("x-github-api-version").unwrap_or(VERSIONS[0]);
        let mut reply = reply
            .with_header("x-github-request-id", format!("FAKE:{}", crate::keys::random_text(12)))
            .with_header("x-github-media-type", "github.v3; format=json")
            .with_header("x-github-api-version-selected", version);
        if let Some((resource, usage)) = usage {
            reply = reply
                .with_header("x-ratelimit-limit", usage.limit.to_string())
                .with_header("x-ratelimit-remaining", usage.remaining().to_string())
                .with_header("x-ratelimit-used", usage.used.to_string())
                .with_header("x-ratelimit-reset", usage.reset.to_string())
                .with_header("x-ratelimit-resource", resource.name());
        }
        if let Some(Caller::Classic(row)) = caller {
            let token = &state.classic[*row];
            reply = reply.with_header("x-oauth-scopes", token.scopes.join(", "));
            if let Some(until) = token.expires {
                let text = super::time::spoken(until);
                reply = reply.with_header("github-authentication-token-expiration", text);
            }
        }
        reply
    }

    /// The counter of a path.
    pub(super) fn resource(request: &Request) -> Resource {
        resource(&request.path)
    }

    /// The token of a request, for the call that ends it.
    pub(super) fn own_token(request: &Request) -> Option<&str> {
        bearer(request).ok().flatten()
    }
}

fn allowed_address(state: &State, organisation: usize) -> Result<(), Refusal> {
    let login = &state.organisations[organisation].facts.login;
    let GithubBehaviour { ip_allow_list, .. } = &state.behaviour;
    if !ip_allow_list.iter().any(|closed| closed.eq_ignore_ascii_case(login)) {
        return Ok(());
    }
    let message = format!(
        "Although you appear to have the correct authorization credentials, the `{login}` \
         organization has an IP allow list enabled, and your IP address is not permitted to access \
         this resource."
    );
    Err(Refusal::new(403, message))
}

fn permit_classic(state: &State, row: usize, need: Need, target: Target) -> Result<(), Refusal> {
    let token = &state.classic[row];
    let user = &state.users[token.user];
    let scope = need.scopes.iter().any(|scope| token.scopes.iter().any(|held| held == scope));
    let apps_only = || {
        if state.behaviour.apps_only_not_found {
            return Refusal::not_found();
        }
        Refusal::personal_access_token(need)
    };
    let hidden = || Refusal::not_found().with("x-accepted-oauth-scopes", need.scopes.join(", "));
    match target {
        Target::Public => Ok(()),
        Target::Organisation(organisation) => {
            let facts = &state.organisations[organisation];
            let role = user.role(organisation).ok_or_else(Refusal::not_found)?;
            if facts.facts.saml && !token.sso.contains(&organisation) {
                return Err(sso(&facts.facts.login));
            }
            if need.apps_only {
                return Err(apps_only());
            }
            if need.owner && role != Role::Owner {
                return Err(Refusal::not_found());
            }
            if need.any_of.is_empty() || scope { Ok(()) } else { Err(hidden()) }
        }
        Target::Enterprise if need.apps_only => Err(apps_only()),
        Target::Enterprise => {
            let owners = state.enterprise.as_ref().map(|enterprise| &enterprise.owners);
            let owner = owners.is_some_and(|owners| owners.contains(&user.login));
            if owner && scope { Ok(()) } else { Err(hidden()) }
        }
        Target::Site if user.site_admin && scope => Ok(()),
        Target::Site => Err(hidden()),
    }
}

fn permit_fine_grained(state: &State, need: Need, target: Target) -> Result<(), Refusal> {
    let Some(token) = &state.fine_grained else { return Err(Refusal::credentials()) };
    if target == Target::Public {
        return Ok(());
    }
    if target != Target::Organisation(token.organisation) {
        return Err(Refusal::not_found());
    }
    let role = state.users[token.user].role(token.organisation);
    if need.apps_only {
        return Err(if state.behaviour.apps_only_not_found {
            Refusal::not_found()
        } else {
            Refusal::personal_access_token(need)
        });
    }
    if need.owner && role != Some(Role::Owner) {
        return Err(Refusal::not_found());
    }
    let metadata = need.any_of.first().is_some_and(|(name, _)| *name == "metadata");
    if metadata || need.met_by(&token.permissions) {
        return Ok(());
    }
    Err(Refusal::personal_access_token(need))
}

/// The organisation's single sign-on stands before a token.
fn sso(login: &str) -> Refusal {
    let message = "Resource protected by organization SAML enforcement. You must grant your \
        Personal Access token access to this organization.";
    let address = format!(
        "required; url=https://github.com/orgs/{login}/sso?authorization_request=FAKE{}",
        crate::keys::random_text(20)
    );
    Refusal::new(403, message).with("x-github-sso", address)
}
