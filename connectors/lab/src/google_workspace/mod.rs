//! The Google Workspace side of the lab: one customer on one port, with every host of the platform
//! behind it. This file holds the [`GoogleWorkspace`] that tests and the demo talk to; `route` and `gate`
//! let a call in, and the files beside them hold one resource each.

mod access;
mod activities;
mod auth;
mod build;
mod chrome;
mod error;
mod events;
mod filters;
mod gate;
mod generate;
mod grants;
mod mask;
mod pages;
mod params;
mod policies;
mod quota;
mod route;
mod state;
mod tenant;
mod time;
mod tokens;
mod usage;
mod users;
mod world;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::json;

pub use self::access::Privilege;
use self::access::{SCOPE_PREFIX, SCOPES, known_scope};
use self::auth::Sessions;
pub use self::generate::GoogleScale;
pub(crate) use self::generate::{bare_customer, grow};
use self::pages::{Pages, Rules};
use self::quota::Quotas;
pub use self::state::GoogleError;
use self::state::State;
pub use self::world::*;
use crate::clock::Clock;
use crate::keys::{SigningKey, random_text, signing_key};
use crate::server::{Bound, Serving, serve};
use crate::watch::Watch;

/// A customer in service: where it is, how to sign in, what it was asked, and what to make go wrong.
#[derive(Debug)]
pub struct GoogleWorkspace {
    core: Arc<Core>,
    _serving: Serving,
}

/// What a scanner needs to sign in to one customer.
#[derive(Clone)]
pub struct GoogleClient {
    /// The text of the service account's key file: `client_email`, `private_key`, `private_key_id`,
    /// `client_id`, `token_uri`. The key is real, and only the lab trusts it.
    pub key_json: String,
    /// The service account's address.
    pub client_email: String,
    /// Primary email of the admin to act for.
    pub subject: String,
    /// The customer id, `C0…`.
    pub customer_id: String,
}

impl fmt::Debug for GoogleClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("GoogleClient")
            .field("client_email", &self.client_email)
            .field("subject", &self.subject)
            .field("customer_id", &self.customer_id)
            .finish_non_exhaustive()
    }
}

impl Deref for GoogleWorkspace {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.core.watch
    }
}

impl GoogleWorkspace {
    pub(crate) fn start(
        world: GoogleWorld,
        clock: Clock,
        bound: Bound,
        base_url: String,
    ) -> Result<Self, crate::LabError> {
        let core = Arc::new(Core {
            state: RwLock::new(State::build(world, clock.world())?),
            key: signing_key()?,
            key_id: format!("FAKE{}", random_text(36)),
            base_url,
            clock,
            quotas: Quotas::default(),
            sessions: Sessions::default(),
            pages: Pages::default(),
            watch: Watch::default(),
        });
        let serving = serve(bound, core.clone());
        Ok(Self { core, _serving: serving })
    }

    /// The customer's name in the world file.
    pub fn name(&self) -> String {
        self.core.state().name.clone()
    }

    /// The address of all the platform's hosts, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.core.base_url
    }

    /// What a scanner needs to sign in.
    pub fn client(&self) -> GoogleClient {
        let state = self.core.state();
        let scanner = &state.scanner;
        let key = json!({
            "type": "service_account",
            "project_id": "lab-project",
            "private_key_id": self.core.key_id,
            "private_key": self.core.key.private_key_pem,
            "client_email": scanner.client_email,
            "client_id": scanner.client_id,
            "auth_uri": format!("{}/auth", self.core.base_url),
            "token_uri": format!("{}/token", self.core.base_url),
            "universe_domain": "googleapis.com",
        });
        GoogleClient {
            key_json: format!("{key:#}\n"),
            client_email: scanner.client_email.clone(),
            subject: state.users[state.subject].facts.email.clone(),
            customer_id: state.customer_id.clone(),
        }
    }

    /// All live grants.
    pub fn grant_count(&self) -> usize {
        self.core.state().grants.live_count()
    }

    /// Whether a user (id, address or alias) has a live grant to the app of this client id.
    pub fn has_grant(&self, user: &str, client_id: &str) -> bool {
        let state = self.core.state();
        let (Some(user), Some(app)) = (state.any_user(user), state.app_of_client(client_id)) else {
            return false;
        };
        state.grants.find(user, app).is_some()
    }

    /// The client id of the app with this name.
    pub fn client_id_of(&self, app: &str) -> Option<String> {
        let state = self.core.state();
        state.app_named(app).map(|app| state.apps[app].client_id.clone())
    }

    /// Whether a user (id, address or alias) is suspended. `None` if there is none.
    pub fn is_suspended(&self, user: &str) -> Option<bool> {
        let state = self.core.state();
        state.any_user(user).map(|user| state.users[user].suspended)
    }

    /// Gives an admin privilege to the admin that the scanner acts for (and to the service account's
    /// own role), or takes it. False if there is no privilege of that name.
    pub fn set_privilege(&self, name: &str, held: bool) -> bool {
        let Some(privilege) = Privilege::parse(name) else { return false };
        let mut state = self.core.state_mut();
        let subject = state.subject;
        state.users[subject].role.set(privilege, held);
        state.service_account.set(privilege, held);
        true
    }

    /// Authorises a scope (in full, or without `https://www.googleapis.com/auth/`) for domain-wide
    /// delegation, or takes it away, at once and for access tokens that exist too. False if the lab
    /// knows no such scope.
    pub fn set_scope(&self, name: &str, authorised: bool) -> bool {
        self.core.set_scope(name, authorised)
    }

    /// Changes a switch while the customer is in service.
    pub fn set_behaviour(&self, change: impl FnOnce(&mut GoogleBehaviour)) {
        change(&mut self.core.state_mut().behaviour);
    }
}

/// One customer, as its resources share it.
struct Core {
    state: RwLock<State>,
    key: &'static SigningKey,
    key_id: String,
    base_url: String,
    clock: Clock,
    quotas: Quotas,
    sessions: Sessions,
    pages: Pages,
    watch: Watch,
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

    /// How page tokens end.
    fn page_rules(&self, state: &State) -> Rules {
        Rules {
            now: self.clock.wall().as_second(),
            seconds: state.behaviour.page_token_seconds,
            once: state.behaviour.page_token_once,
        }
    }

    fn set_scope(&self, name: &str, authorised: bool) -> bool {
        let full = match SCOPES.contains(&name) {
            true => format!("{SCOPE_PREFIX}{name}"),
            false => name.to_owned(),
        };
        if !known_scope(&full) {
            return false;
        }
        let mut state = self.state_mut();
        if authorised {
            state.delegated.insert(full);
        } else {
            state.delegated.remove(&full);
        }
        true
    }
}
