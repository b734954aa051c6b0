//! The Microsoft 365 side of the lab: one Entra directory on one port, with its token endpoint and
//! Graph. This file holds the [`EntraTenant`] that tests talk to; the files below it hold one
//! resource each.

mod assignments;
mod batch;
mod client;
mod credential;
mod delta;
mod error;
mod filter;
mod generate;
mod grants;
mod guid;
mod json;
mod listing;
mod log;
mod people;
mod policies;
mod principals;
mod quota;
mod routes;
mod state;
mod token;
mod world;
mod writes;

#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jiff::Timestamp;

use self::client::Certificate;
pub use self::client::{CertificateError, EntraClient};
use self::credential::Credential;
use self::delta::Marks;
use self::error::Refusal;
pub use self::generate::EntraScale;
pub(crate) use self::generate::bare;
use self::guid::Guid;
use self::listing::{Cursors, View};
use self::quota::{Quota, throttled};
pub use self::state::EntraError;
use self::state::{Gone, State, Tracked, number};
use self::token::{Sessions, bearer};
pub use self::world::*;
use crate::calls::Call;
use crate::clock::Clock;
use crate::fault::Effect;
use crate::keys::{SigningKey, foreign_key, random_text, signing_key};
use crate::server::{Bound, Serving, Tenant, serve};
use crate::watch::Watch;
use crate::wire::{Reply, Request};

/// A directory in service: where it is, how to sign in, what it was asked, and what to make go
/// wrong.
#[derive(Debug)]
pub struct EntraTenant {
    core: Arc<Core>,
    _serving: Serving,
}

impl Deref for EntraTenant {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.core.watch
    }
}

impl EntraTenant {
    pub(crate) fn start(
        world: EntraWorld,
        clock: Clock,
        bound: Bound,
        base_url: String,
    ) -> Result<Self, crate::LabError> {
        let key = signing_key()?;
        let end = world.scanner.certificate_end.seconds(clock.world());
        let start = clock.world().as_second() - 30 * 86_400;
        let at = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        let certificate = Certificate::make(key, at(start), at(end))?;
        let mut state = State::build(world, clock.world())?;
        let application = &mut state.applications[state.scanner.application as usize];
        application.keys.push(Credential {
            id: Guid::of(&format!("{}/lab-certificate", application.app_id)),
            name: "CN=Grantwarden lab scanner (made up)".to_owned(),
            start,
            end,
            last_used: None,
            thumbprint: Some(certificate.thumbprint.clone()),
        });
        let quota = Quota::new(&state.behaviour, state.users.len(), clock.wall().as_millisecond());
        let foreign_key = foreign_key()?;
        let federated_assertion = token::mint(&state, foreign_key, clock.wall().as_second())?;
        let core = Arc::new(Core {
            state: RwLock::new(state),
            key,
            foreign_key,
            federated_assertion,
            certificate,
            client_secret: format!("FAKE~{}", random_text(35)),
            base_url,
            clock,
            quota,
            sessions: Sessions::default(),
            cursors: Cursors::default(),
            marks: Marks::default(),
            call_number: AtomicU64::new(0),
            watch: Watch::default(),
        });
        let serving = serve(bound, core.clone());
        Ok(Self { core, _serving: serving })
    }

    /// The organisation's name in the world file.
    pub fn name(&self) -> String {
        self.core.state().name.clone()
    }

    /// Where both the token endpoint and Graph are, without a slash at the end: Graph is
    /// `{base_url}/v1.0`.
    pub fn base_url(&self) -> &str {
        &self.core.base_url
    }

    /// What a scanner needs to sign in.
    pub fn client(&self) -> EntraClient {
        let state = self.core.state();
        let application = &state.applications[state.scanner.application as usize];
        EntraClient {
            tenant_id: state.tenant.to_string(),
            client_id: application.app_id.to_string(),
            client_secret: self.core.client_secret.clone(),
            private_key_pem: self.core.key.private_key_pem.clone(),
            certificate_pem: self.core.certificate.pem.clone(),
            token_url: self.core.token_url(&state),
        }
    }

    /// A token of the issuer that the scanner's first federated credential trusts, as a CI system
    /// hands it out: valid for a day, as often as it is used. If the scanner's application has no
    /// federated credential, the token endpoint refuses it.
    pub fn federated_assertion(&self) -> String {
        self.core.federated_assertion.clone()
    }

    /// Delegated grants that are not deleted.
    pub fn grant_count(&self) -> usize {
        let state = self.core.state();
        (0..number(state.grants.rows.len())).filter(|row| state.grant_lives(*row)).count()
    }

    /// App role assignments that are not deleted.
    pub fn assignment_count(&self) -> usize {
        let state = self.core.state();
        (0..number(state.assignments.rows.len())).filter(|row| state.assignment_lives(*row)).count()
    }

    /// Whether a delegated grant of this id is there, whatever listings still show.
    pub fn has_delegated_grant(&self, id: &str) -> bool {
        let state = self.core.state();
        state.grant_of(id).is_some_and(|row| state.grant_lives(row))
    }

    /// Whether an app role assignment of this id is there, whatever listings still show.
    pub fn has_assignment(&self, id: &str) -> bool {
        let state = self.core.state();
        state.assignment_of(id).is_some_and(|row| state.assignment_lives(row))
    }

    /// `accountEnabled` of the service principal of this name; none if there is none.
    pub fn is_enabled(&self, app: &str) -> Option<bool> {
        let state = self.core.state();
        state.find_principal(app).map(|row| state.principals[row as usize].facts.enabled)
    }

    /// Gives the scanner an app role of Microsoft Graph, or takes it. A role taken is gone at once; a
    /// role given works with the next access token, as on the platform.
    pub fn set_permission(&self, role: &str, held: bool) {
        let now = self.core.clock.world().as_second();
        self.core.state_mut().hold_graph_role(role, held, now);
    }

    /// Gives the directory an Entra ID P1 licence, or takes it.
    pub fn set_licence(&self, premium: bool) {
        self.core.state_mut().behaviour.premium = premium;
    }

    /// Adds a service principal of a foreign vendor, and gives its object id.
    ///
    /// # Errors
    /// If there is one of this name already.
    pub fn add_service_principal(&self, name: &str) -> Result<String, EntraError> {
        let facts = ServicePrincipalWorld { name: name.to_owned(), ..Default::default() };
        let mut state = self.core.state_mut();
        let tenant = state.name.clone();
        let added = state.add_principal(facts, self.core.clock.world());
        let row = added.map_err(|problem| EntraError::new(tenant, problem))?;
        state.changes.push((Tracked::Principals, row));
        Ok(state.principals[row as usize].id.to_string())
    }

    /// Enables or disables a service principal from the outside. False if there is none of this name.
    pub fn set_enabled(&self, app: &str, enabled: bool) -> bool {
        let mut state = self.core.state_mut();
        let Some(row) = state.find_principal(app) else { return false };
        state.principals[row as usize].facts.enabled = enabled;
        state.changes.push((Tracked::Principals, row));
        true
    }

    /// Ends all delta tokens, as seven days would.
    pub fn expire_delta_tokens(&self) {
        self.core.marks.expire();
    }
}

/// One directory, as its resources share it.
struct Core {
    state: RwLock<State>,
    key: &'static SigningKey,
    foreign_key: &'static SigningKey,
    federated_assertion: String,
    certificate: Certificate,
    client_secret: String,
    base_url: String,
    clock: Clock,
    quota: Quota,
    sessions: Sessions,
    cursors: Cursors,
    marks: Marks,
    call_number: AtomicU64,
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

    /// The number of the latest call to Graph, parts of batches included.
    fn call_number(&self) -> u64 {
        self.call_number.load(Ordering::Relaxed)
    }

    fn count_call(&self) {
        self.call_number.fetch_add(1, Ordering::Relaxed);
    }

    fn view<'s>(&self, state: &'s State) -> View<'s> {
        View {
            state,
            now: self.clock.world(),
            wall_ms: self.clock.wall().as_millisecond(),
            call: self.call_number(),
        }
    }

    /// A fault that names something the directory does not have must not pass unseen.
    fn unknown(&self, effect: &Effect) -> Reply {
        let message = format!("this directory has nothing of that name: {effect:?}");
        Refusal::new(500, "LAB_FAULT_UNKNOWN_NAME", message).reply(self.clock.wall())
    }

    /// Lets an effect happen that names something; false if there is nothing of that name.
    fn change(&self, effect: &Effect) -> bool {
        let mut state = self.state_mut();
        match effect {
            Effect::RemovePermission { user: None, permission } => {
                let held = state.scanner_roles().contains(&permission.as_str());
                state.hold_graph_role(permission, false, self.clock.world().as_second());
                held
            }
            Effect::DeleteUser { username } => {
                let user = state.find_user(username);
                if let Some(row) = user {
                    state.users[row as usize].facts.deleted = true;
                }
                user.is_some()
            }
            Effect::RevokeToken { app } => {
                let Some(client) = state.find_principal(app) else { return false };
                let rows = 0..number(state.grants.rows.len());
                let of_client = |row: &u32| {
                    state.grants.rows[*row as usize].client == client && state.grant_lives(*row)
                };
                if let Some(row) = rows.into_iter().find(of_client) {
                    state.grants.gone.insert(row, Gone::NOW);
                    state.changes.push((Tracked::Grants, row));
                }
                true
            }
            Effect::AddToken { app, username } => {
                let (Some(client), Some(user)) =
                    (state.find_principal(app), state.find_user(username))
                else {
                    return false;
                };
                let graph = state.graph;
                let row = state.grants.add(client, graph, Some(user), "User.Read offline_access");
                state.changes.push((Tracked::Grants, row));
                true
            }
            _ => false,
        }
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
        let session = bearer(request).ok().and_then(|token| self.sessions.get(token));
        let operation = if request.path.ends_with("batch") {
            batch::addresses(&request.body)
        } else if request.path.ends_with("/oauth2/v2.0/token") {
            let fields = request.form().unwrap_or_default();
            fields.into_iter().find(|(name, _)| name == "grant_type").map(|(_, value)| value)
        } else {
            let pairs = request.query.iter().map(|(name, value)| format!("{name}={value}"));
            Some(pairs.collect::<Vec<_>>().join("&")).filter(|query| !query.is_empty())
        };
        Call {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.clone(),
            operation,
            status: None,
            user: session.map(|session| session.app.to_string()),
            faulted: false,
        }
    }

    fn apply(&self, effect: &Effect) -> Option<Reply> {
        // Long enough that no client can want to wait for it.
        const VERY_LONG: u32 = 6 * 3_600;
        let refusal = match effect {
            Effect::Throttle { retry_after } => {
                let refusal = throttled("ResourceUnitLimitExceeded");
                match retry_after {
                    Some(seconds) => refusal.with_header("retry-after", seconds.to_string()),
                    None => refusal,
                }
            }
            Effect::ServerError => Refusal::unavailable(),
            Effect::ConcurrentLimit => throttled("CPULimitExceeded"),
            Effect::TotalRequestsLimit => throttled("ResourceUnitLimitExceeded")
                .with_header("retry-after", VERY_LONG.to_string()),
            Effect::ExpireSessions => {
                self.sessions.clear();
                return None;
            }
            Effect::ExpireLocator => {
                self.cursors.expire();
                return None;
            }
            Effect::RemovePermission { .. }
            | Effect::DeleteUser { .. }
            | Effect::RevokeToken { .. }
            | Effect::AddToken { .. } => {
                return (!self.change(effect)).then(|| self.unknown(effect));
            }
            Effect::Reply { .. }
            | Effect::CutBody { .. }
            | Effect::Slow { .. }
            | Effect::Drop
            | Effect::Html => return None,
        };
        Some(refusal.reply(self.clock.wall()))
    }

    fn answer(&self, request: &Request) -> Reply {
        let path = request.path.strip_suffix('/').unwrap_or(&request.path);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let reply = match segments.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] => return self.token(tenant, request),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => {
                return self.discovery(tenant);
            }
            [version @ ("v1.0" | "beta"), rest @ ..] => self.graph(version, rest, request),
            [first, ..] => Err(Refusal::segment(first)),
            [] => Err(Refusal::segment("")),
        };
        reply.unwrap_or_else(|refusal| refusal.reply(self.clock.wall()))
    }
}
