//! The Okta side of the lab: one org on one port, with its org authorization server and its API. This file holds the [`OktaOrg`] that
//! tests and the demo talk to; `route` and `gate` let a call in, and the files beside them hold one resource each.

mod admins;
mod api_tokens;
mod apps;
mod behaviour;
mod build;
mod credentials;
mod dpop;
mod error;
mod events;
mod filter;
mod gate;
mod generate;
mod grants;
mod id;
mod keys;
mod logs;
mod org;
mod pages;
mod params;
mod quota;
mod roles;
mod route;
mod servers;
mod services;
mod state;
mod tenant;
mod time;
mod token;
mod tokens;
mod users;
mod world;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use self::behaviour::*;
use self::dpop::Once;
pub use self::generate::OktaScale;
pub(crate) use self::generate::bare;
use self::keys::{Keyring, keyring};
use self::pages::Pages;
use self::quota::Quotas;
use self::roles::Role;
pub use self::state::OktaError;
use self::state::{Grant, Life, State};
use self::token::Sessions;
pub use self::world::*;
use crate::clock::Clock;
use crate::server::{Bound, Serving, serve};
use crate::watch::Watch;

/// An org in service: where it is, how to sign in, what it was asked, and what to make go wrong.
#[derive(Debug)]
pub struct OktaOrg {
    core: Arc<Core>,
    _serving: Serving,
}

/// What a service app needs to sign in to one org.
#[derive(Clone)]
pub struct OktaClient {
    /// Client id, `0oa…`.
    pub client_id: String,
    /// An RSA key in PEM (PKCS #8). The key is real, and only the lab trusts it.
    pub private_key_pem: String,
    /// The RSA key's id.
    pub key_id: String,
    /// A key on the curve P-256 in PEM (PKCS #8); the revoker has none.
    pub ec_private_key_pem: Option<String>,
    /// That key's id.
    pub ec_key_id: Option<String>,
    /// The audience of a client assertion, which is where to send it.
    pub token_url: String,
    /// An API token (SSWS), if the world gives the scanner one.
    pub api_token: Option<String>,
}

impl fmt::Debug for OktaClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("OktaClient")
            .field("client_id", &self.client_id)
            .field("key_id", &self.key_id)
            .field("token_url", &self.token_url)
            .finish_non_exhaustive()
    }
}

impl Deref for OktaOrg {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.core.watch
    }
}

impl OktaOrg {
    pub(crate) fn start(
        world: OktaWorld,
        clock: Clock,
        bound: Bound,
        base_url: String,
    ) -> Result<Self, crate::LabError> {
        let core = Arc::new(Core {
            ring: keyring()?,
            state: RwLock::new(State::build(world, clock.world())?),
            base_url,
            clock,
            quotas: Quotas::default(),
            sessions: Sessions::default(),
            once: Once::default(),
            pages: Pages::default(),
            watch: Watch::default(),
            counter: AtomicU64::new(0),
        });
        let serving = serve(bound, core.clone());
        Ok(Self { core, _serving: serving })
    }

    /// The org's name in the world file.
    pub fn name(&self) -> String {
        self.core.state().name.clone()
    }

    /// The address of the org, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.core.base_url
    }

    /// What the scanner needs to sign in.
    pub fn client(&self) -> OktaClient {
        let state = self.core.state();
        let ring = self.core.ring;
        let token = state.scanner_token.map(|token| &state.api_tokens[token as usize]);
        OktaClient {
            client_id: state.apps[state.scanner as usize].client_id.clone(),
            private_key_pem: ring.scanner.private_key_pem.clone(),
            key_id: ring.scanner.kid.to_owned(),
            ec_private_key_pem: Some(ring.scanner_ec.private_key_pem.clone()),
            ec_key_id: Some(ring.scanner_ec.kid.to_owned()),
            token_url: self.core.token_url(),
            api_token: token.map(|token| token.secret.clone()),
        }
    }

    /// What the second service app needs, which may revoke.
    pub fn revoker(&self) -> OktaClient {
        let state = self.core.state();
        let ring = self.core.ring;
        OktaClient {
            client_id: state.apps[state.revoker as usize].client_id.clone(),
            private_key_pem: ring.revoker.private_key_pem.clone(),
            key_id: ring.revoker.kid.to_owned(),
            ec_private_key_pem: None,
            ec_key_id: None,
            token_url: self.core.token_url(),
            api_token: None,
        }
    }

    /// Everything that works: consents to scopes (the two service apps' own too), refresh tokens, API tokens, API service
    /// integrations.
    pub fn grant_count(&self) -> usize {
        self.core.state().grant_count(self.core.now())
    }

    /// Whether an app (id, client id or label) has a working consent to a scope: an admin's, or with a user (id or login) that user's.
    pub fn has_grant(&self, app: &str, scope: &str, user: Option<&str>) -> bool {
        let state = self.core.state();
        let Some(app) = state.any_app(app) else { return false };
        let user = match user.map(|user| state.any_user(user)) {
            Some(None) => return false,
            Some(found) => found,
            None => None,
        };
        state.grants.iter().any(|grant| {
            grant.app == app
                && grant.user == user
                && grant.life == Life::Active
                && state.scope_names[grant.scope as usize] == scope
        })
    }

    /// How many refresh tokens of an app (id, client id or label) work, of one user (id or login) or of all.
    pub fn token_count(&self, app: &str, user: Option<&str>) -> usize {
        let state = self.core.state();
        let Some(app) = state.any_app(app) else { return 0 };
        let user = user.map(|user| state.any_user(user));
        let own = state.shown_tokens(self.core.now()).filter(|(_, token)| {
            token.app == app
                && token.life == Life::Active
                && user.is_none_or(|user| user == Some(token.user))
        });
        own.count()
    }

    /// Whether a refresh token of this id works.
    pub fn has_token(&self, id: &str) -> bool {
        let state = self.core.state();
        let place = state.token(id, self.core.now());
        place.is_some_and(|place| state.tokens[place].life == Life::Active)
    }

    /// Whether there is an API token of this id or name, and its user can still use it.
    pub fn has_api_token(&self, key: &str) -> bool {
        let state = self.core.state();
        let now = self.core.now();
        state.api_token(key).is_some_and(|place| {
            let token = &state.api_tokens[place];
            token.expires() > now && state.users[token.user as usize].works()
        })
    }

    /// Ids of the network zones that an API token of this id or name works from; empty is anywhere. `None` if there is no such token.
    pub fn api_token_zones(&self, key: &str) -> Option<Vec<String>> {
        let state = self.core.state();
        state.api_token(key).map(|place| state.api_tokens[place].include.clone())
    }

    /// The secret of the API token of this id or name, as its owner saw it once.
    pub fn api_token_secret(&self, key: &str) -> Option<String> {
        let state = self.core.state();
        state.api_token(key).map(|place| state.api_tokens[place].secret.clone())
    }

    /// Whether there is an API service integration of this id or name.
    pub fn has_api_service(&self, key: &str) -> bool {
        self.core.state().service(key).is_some()
    }

    /// `ACTIVE`, `INACTIVE` or `DELETED`; `None` if there never was an app of this id, client id or label.
    pub fn app_status(&self, app: &str) -> Option<&'static str> {
        let state = self.core.state();
        let app = &state.apps[state.any_app(app)? as usize];
        Some(match (app.deleted, app.active) {
            (true, _) => "DELETED",
            (false, true) => "ACTIVE",
            (false, false) => "INACTIVE",
        })
    }

    /// The id of the app of this label.
    pub fn app_id(&self, label: &str) -> Option<String> {
        let state = self.core.state();
        state.app_named(label).map(|app| state.apps[app as usize].id.clone())
    }

    /// The id of the user of this login.
    pub fn user_id(&self, login: &str) -> Option<String> {
        let state = self.core.state();
        state.any_user(login).map(|user| state.users[user as usize].id.clone())
    }

    /// How often somebody read the clear secrets of an app.
    pub fn secrets_read(&self) -> usize {
        self.core.state().secrets_read
    }

    /// Gives a right to the scanner's service app, or takes it: a scope, a standard role type, or the label of a custom role. A scope
    /// that is taken is gone from access tokens that exist too; one that is given needs a new token. False if there is no right of
    /// that name.
    pub fn set_right(&self, name: &str, held: bool) -> bool {
        let scanner = self.core.state().scanner;
        self.core.set_client_right(scanner, name, held)
    }

    /// The same for the second service app.
    pub fn set_revoker_right(&self, name: &str, held: bool) -> bool {
        let revoker = self.core.state().revoker;
        self.core.set_client_right(revoker, name, held)
    }

    /// Takes all roles from the scanner's service app.
    pub fn remove_roles(&self) {
        let mut state = self.core.state_mut();
        let scanner = state.scanner as usize;
        state.apps[scanner].roles.clear();
    }

    /// Another nonce for proofs from now on; the old one is refused at once, as if its days of grace had passed.
    pub fn rotate_dpop_nonce(&self) {
        self.core.once.rotate();
    }

    /// Changes a switch while the org is in service.
    pub fn set_behaviour(&self, change: impl FnOnce(&mut OktaBehaviour)) {
        change(&mut self.core.state_mut().behaviour);
    }
}

/// One org, as its resources share it.
struct Core {
    ring: &'static Keyring,
    state: RwLock<State>,
    base_url: String,
    clock: Clock,
    quotas: Quotas,
    sessions: Sessions,
    once: Once,
    pages: Pages,
    watch: Watch,
    counter: AtomicU64,
}

impl fmt::Debug for Core {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
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

    /// A number for each answer.
    fn count(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    fn token_url(&self) -> String {
        format!("{}{}", self.base_url, token::TOKEN_PATH)
    }

    /// Gives a scope or a role to a service app, or takes it.
    fn set_client_right(&self, app: u32, name: &str, held: bool) -> bool {
        let now = self.now();
        let mut state = self.state_mut();
        if let Some(role) = Role::find(name, &state.custom_roles, now) {
            let roles = &mut state.apps[app as usize].roles;
            roles.retain(|known| !known.is(name));
            if held {
                roles.push(role);
            }
            return true;
        }
        let known = READ_SCOPES.contains(&name) || MANAGE_SCOPES.contains(&name);
        if !known {
            return false;
        }
        let scope = state.scope_number(name);
        let own = |grant: &Grant| {
            grant.app == app
                && grant.scope == scope
                && grant.user.is_none()
                && grant.life == Life::Active
        };
        let found = state.grants.iter().position(own);
        match (found, held) {
            (None, true) => {
                let life = Life::Active;
                state.grants.push(Grant {
                    app,
                    scope,
                    user: None,
                    server: None,
                    created: now,
                    created_by: None,
                    life,
                });
            }
            (Some(place), false) => state.revoke_grant(place),
            (None, false) | (Some(_), true) => {}
        }
        drop(state);
        if !held {
            self.sessions.without(app, name);
        }
        true
    }
}
