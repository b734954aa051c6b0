//! The Salesforce side of the lab: one org on one port. This file holds the [`Org`] that tests and
//! the demo talk to, and the routes; the files below it hold one resource each.

mod auth;
mod credentials;
mod error;
mod events;
mod generate;
mod id;
mod limits;
mod metadata;
mod permission;
mod query;
mod schema;
mod scopes;
mod sobjects;
mod soql;
mod state;
mod tokens;
mod usage_api;
mod value;
mod world;
mod xml;

#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde_json::json;

use self::auth::{Sessions, bearer};
pub use self::credentials::ClientCredentials;
use self::error::Refusal;
pub use self::generate::Scale;
pub(crate) use self::generate::{bare_org, grow};
use self::limits::Meter;
use self::metadata::Envelope;
pub use self::permission::Permission;
use self::permission::Permission::ViewSetup;
use self::query::{Cursors, Endpoint};
use self::schema::{Api, View};
pub use self::state::OrgError;
use self::state::State;
use self::tokens::{Secret, TokenRow};
pub use self::world::*;
use crate::calls::Call;
use crate::clock::Clock;
use crate::fault::Effect;
pub use crate::keys::KeyError;
use crate::keys::{SigningKey, random_text, signing_key};
use crate::server::{Bound, Serving, Tenant, serve};
use crate::watch::Watch;
use crate::wire::{Reply, Request};

/// API versions served.
const VERSIONS: std::ops::RangeInclusive<u32> = 34..=67;

/// An org in service: where it is, how to sign in, what it was asked, and what to make go wrong.
#[derive(Debug)]
pub struct Org {
    core: Arc<Core>,
    _serving: Serving,
}

impl Deref for Org {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.core.watch
    }
}

impl Org {
    pub(crate) fn start(
        world: OrgWorld,
        index: u8,
        clock: Clock,
        bound: Bound,
        base_url: String,
    ) -> Result<Self, crate::LabError> {
        let limits = Meter::new(world.limits);
        let core = Arc::new(Core {
            state: RwLock::new(State::build(world, index, clock.world())?),
            key: signing_key()?,
            client_secret: format!("FAKE-SECRET-{}", random_text(32)),
            base_url,
            clock,
            limits,
            sessions: Sessions::default(),
            cursors: Cursors::default(),
            watch: Watch::default(),
        });
        let serving = serve(bound, core.clone());
        Ok(Self { core, _serving: serving })
    }

    /// The org's name in the world file.
    pub fn name(&self) -> String {
        self.core.state().name.clone()
    }

    /// The instance URL, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.core.base_url
    }

    /// What a scanner needs to sign in.
    pub fn client(&self) -> ClientCredentials {
        let state = self.core.state();
        let login = if state.sandbox { "test" } else { "login" };
        ClientCredentials {
            client_id: state.apps[state.scanner_app].consumer_key.clone(),
            client_secret: self.core.client_secret.clone(),
            username: state.users[state.scanner_user].facts.username.clone(),
            audience: format!("https://{login}.salesforce.com"),
            private_key_pem: self.core.key.private_key_pem.clone(),
        }
    }

    /// Live tokens of the app with this label.
    pub fn token_count(&self, app: &str) -> usize {
        let state = self.core.state();
        state.tokens.live().filter(|(_, row)| state.apps[row.app as usize].label == app).count()
    }

    /// All live tokens.
    pub fn all_token_count(&self) -> usize {
        self.core.state().tokens.live().count()
    }

    /// Whether the app's tokens work: it is not blocked and not disabled. `None` if there is none.
    pub fn app_usable(&self, app: &str) -> Option<bool> {
        let state = self.core.state();
        state.app_labelled(app).map(|app| state.usable(app))
    }

    /// Gives a user a permission or takes it, whatever profile and permission sets say. False if
    /// there is no such user.
    pub fn set_permission(&self, username: &str, permission: Permission, held: bool) -> bool {
        let mut state = self.core.state_mut();
        let user = state.user_named(username);
        if let Some(user) = user {
            state.users[user].set_permission(permission, held);
        }
        user.is_some()
    }

    /// Changes the API request allowance.
    pub fn set_limits(&self, limits: ApiLimits) {
        self.core.limits.set(limits);
    }

    /// What an attacker takes from the vendor: client id and refresh token of the app's oldest live
    /// token. It can be traded for an access token at the token endpoint until it is revoked.
    pub fn stolen(&self, app: &str) -> Option<StolenGrant> {
        let state = self.core.state();
        let (serial, row) =
            state.tokens.live().find(|(_, row)| state.apps[row.app as usize].label == app)?;
        Some(StolenGrant {
            client_id: state.apps[row.app as usize].consumer_key.clone(),
            refresh_token: Secret::Refresh.of(state.org, serial),
        })
    }
}

/// A refresh token in the wrong hands.
#[derive(Debug, Clone)]
pub struct StolenGrant {
    /// The app's consumer key.
    pub client_id: String,
    /// The refresh token, recognisable as made up.
    pub refresh_token: String,
}

/// One org, as its resources share it.
struct Core {
    state: RwLock<State>,
    key: &'static SigningKey,
    client_secret: String,
    base_url: String,
    clock: Clock,
    limits: Meter,
    sessions: Sessions,
    cursors: Cursors,
    watch: Watch,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Core").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Core {
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world's time, in seconds.
    fn now(&self) -> i64 {
        self.clock.world().as_second()
    }

    /// Lets a call in: a live session, a user with API access, allowance left.
    fn admit(&self, state: &State, token: &str) -> Result<usize, Refusal> {
        let caller = self.signed_in(state, token)?;
        if state.behaviour.api_disabled
            || !state.users[caller].permissions().has(Permission::ApiEnabled)
        {
            return Err(Refusal::api_disabled());
        }
        self.limits.take()?;
        Ok(caller)
    }

    fn route(&self, request: &Request) -> Reply {
        let path = request.path.strip_suffix('/').unwrap_or(&request.path);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match segments.as_slice() {
            ["services", "oauth2", "token"] => self.token(request),
            ["services", "oauth2", "revoke"] => self.revoke(request),
            ["services", "oauth2", "userinfo"] => {
                let state = self.state();
                let user = bearer(request).and_then(|token| self.signed_in(&state, token));
                user.map_or_else(|refusal| refusal.reply(), |user| self.userinfo(&state, user))
            }
            ["services", "Soap", "m", version] => match soap_version(version) {
                Some(_) if request.method == "POST" => self.metadata(request),
                Some(_) => Refusal::method_not_allowed(request.method.as_str(), "POST").reply(),
                None => Refusal::not_found().reply(),
            },
            ["services", "data"] => versions(),
            ["services", "data", version, rest @ ..] => {
                let reply = self.rest(version, rest, request).unwrap_or_else(|no| no.reply());
                self.limits.stamp(reply)
            }
            _ => Refusal::not_found().reply(),
        }
    }

    /// Everything under `/services/data/vNN.0`.
    fn rest(&self, version: &str, rest: &[&str], request: &Request) -> Result<Reply, Refusal> {
        const LONGEST: usize = 16_384;
        if request.uri_length > LONGEST {
            return Err(Refusal::new(414, "URI_TOO_LONG", "URI Too Long"));
        }
        if request.head_length() > LONGEST {
            let message = "Request Header Fields Too Large";
            return Err(Refusal::new(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", message));
        }
        let number =
            version.strip_prefix('v').and_then(soap_version).ok_or_else(Refusal::not_found)?;
        let (caller, permissions) = {
            let state = self.state();
            let caller = self.admit(&state, bearer(request)?)?;
            (caller, state.users[caller].permissions())
        };
        if let ["apps", "oauth", "usage", rest @ ..] = rest {
            if number < usage_api::SINCE {
                return Err(Refusal::not_found());
            }
            return self.usage(permissions, request, rest);
        }
        if let ["sobjects", object @ ("UserLogin" | "User"), id] = rest
            && request.method == "PATCH"
        {
            return self.contain_user(caller, object, id, request);
        }
        let state = self.state();
        let view = View { state: &state, caller };
        if let ["sobjects", rest @ ..] = rest {
            return self.sobjects(version, view, request, rest);
        }
        let known = matches!(rest, [] | ["limits"] | ["query", ..] | ["tooling", "query", ..]);
        if known && request.method != "GET" {
            return Err(Refusal::method_not_allowed(request.method.as_str(), "GET,HEAD"));
        }
        match rest {
            [] => Ok(resources(version)),
            ["limits"] => {
                only_params(request, &[])?;
                if !permissions.has(ViewSetup) {
                    return Err(Refusal::access("You do not have access to view limits"));
                }
                Ok(self.limits.reply())
            }
            ["query"] => self.query(Endpoint { api: Api::Data, version }, view, request),
            ["query", locator] => {
                self.query_more(Endpoint { api: Api::Data, version }, view, request, locator)
            }
            ["tooling", "query"] => {
                self.query(Endpoint { api: Api::Tooling, version }, view, request)
            }
            ["tooling", "query", locator] => {
                self.query_more(Endpoint { api: Api::Tooling, version }, view, request, locator)
            }
            _ => Err(Refusal::not_found()),
        }
    }
}

/// A fault that names something the org does not have must not pass unseen.
fn unknown(effect: &Effect) -> Reply {
    let message = format!("this org has nothing of that name: {effect:?}");
    Refusal::new(500, "LAB_FAULT_UNKNOWN_NAME", message).reply()
}

/// Refuses query parameters that a resource does not know.
fn only_params(request: &Request, known: &[&str]) -> Result<(), Refusal> {
    match request.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(Refusal::unknown_parameter(name)),
        None => Ok(()),
    }
}

/// `60.0` as 60, if it is served.
fn soap_version(text: &str) -> Option<u32> {
    let number = text.strip_suffix(".0")?.parse().ok()?;
    VERSIONS.contains(&number).then_some(number)
}

fn versions() -> Reply {
    let list: Vec<_> = VERSIONS
        .map(|number| {
            // v60 is Spring '24; three releases a year, Winter already under the next year's number.
            let season = ["Spring", "Summer", "Winter"][(number % 3) as usize];
            let year = number / 3 + 4 + u32::from(number % 3 == 2);
            json!({
                "label": format!("{season} '{year}"),
                "url": format!("/services/data/v{number}.0"),
                "version": format!("{number}.0"),
            })
        })
        .collect();
    Reply::json(200, json!(list).to_string())
}

fn resources(version: &str) -> Reply {
    let path = |name: &str| format!("/services/data/{version}/{name}");
    let body = json!({
        "limits": path("limits"),
        "query": path("query"),
        "sobjects": path("sobjects"),
        "tooling": path("tooling"),
    });
    Reply::json(200, body.to_string())
}

impl Tenant for Core {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.state().behaviour.latency_ms)
    }

    fn describe(&self, request: &Request) -> Call {
        let soap = request.path.contains("/Soap/").then(|| Envelope::read(&request.body)).flatten();
        let session = match &soap {
            Some(envelope) => Some(envelope.session()),
            None => bearer(request).ok(),
        };
        let user = session.and_then(|session| self.sessions.user(session));
        let locator = request.path.split_once("/query/").map(|(_, locator)| locator);
        let operation = if let Some(envelope) = &soap {
            Some(envelope.summary())
        } else if let Some(soql) = request.param("q") {
            Some(soql.to_owned())
        } else if let Some(soql) = locator.and_then(|locator| self.cursors.soql(locator)) {
            Some(soql)
        } else {
            let fields = request.form().unwrap_or_default();
            fields.into_iter().find(|(name, _)| name == "grant_type").map(|(_, value)| value)
        };
        Call {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.clone(),
            operation,
            status: None,
            user: user.map(|user| self.state().users[user].facts.username.clone()),
            faulted: false,
        }
    }

    fn apply(&self, effect: &Effect) -> Option<Reply> {
        match effect {
            Effect::Throttle { retry_after } => {
                let message = "Too many requests, try again later";
                let reply = Refusal::new(429, "REQUEST_LIMIT_EXCEEDED", message).reply();
                Some(match retry_after {
                    Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
                    None => reply,
                })
            }
            Effect::ServerError => {
                Some(Refusal::new(503, "SERVER_UNAVAILABLE", "Server unavailable").reply())
            }
            Effect::ConcurrentLimit => Some(Refusal::concurrent_requests().reply()),
            Effect::TotalRequestsLimit => Some(Refusal::total_requests().reply()),
            Effect::ExpireSessions => {
                self.sessions.clear();
                None
            }
            Effect::ExpireLocator => {
                self.cursors.expire();
                None
            }
            Effect::RemovePermission { user, permission } => {
                let mut state = self.state_mut();
                let user = match user {
                    Some(username) => state.user_named(username),
                    None => Some(state.scanner_user),
                };
                let (Some(user), Some(permission)) = (user, Permission::parse(permission)) else {
                    return Some(unknown(effect));
                };
                state.users[user].set_permission(permission, false);
                None
            }
            Effect::DeleteUser { username } => {
                let mut state = self.state_mut();
                let Some(user) = state.user_named(username) else { return Some(unknown(effect)) };
                state.users[user].deleted = true;
                None
            }
            Effect::RevokeToken { app } => {
                let mut state = self.state_mut();
                let Some(app) = state.app_labelled(app) else { return Some(unknown(effect)) };
                let oldest = state.tokens.live().find(|(_, row)| row.app as usize == app);
                if let Some(serial) = oldest.map(|(serial, _)| serial) {
                    state.tokens.revoke(serial);
                }
                None
            }
            Effect::AddToken { app, username } => {
                let now = self.now();
                let mut state = self.state_mut();
                let (Some(app), Some(user)) = (state.app_labelled(app), state.user_named(username))
                else {
                    return Some(unknown(effect));
                };
                state.tokens.add(TokenRow::new(app, user, now));
                None
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
