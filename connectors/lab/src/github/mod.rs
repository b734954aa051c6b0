//! The GitHub side of the lab: one host on one port, with an enterprise and its organisations behind it.
//! This file holds the [`GithubTenant`] that tests and the demo talk to; `route` and `gate` let a call
//! in, and the files beside them hold one resource each.

mod access;
mod apps;
mod audit;
mod auth;
mod behaviour;
mod build;
mod credentials;
mod enterprise;
mod error;
mod gate;
mod generate;
mod graphql;
mod graphql_text;
mod hooks;
mod orgs;
mod paging;
mod params;
mod pats;
mod people;
mod phrase;
mod quota;
mod repos;
mod rights;
mod route;
mod site;
mod state;
mod tenant;
mod time;
mod world;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::auth::Sessions;
pub use self::generate::GithubScale;
pub(crate) use self::generate::bare;
use self::paging::Pages;
use self::quota::Limits;
pub use self::state::GithubError;
use self::state::{HookPlace, Signer, State};
pub use self::world::*;
use crate::clock::Clock;
use crate::keys::{SigningKey, foreign_key, signing_key};
use crate::server::{Bound, Serving, serve};
use crate::watch::Watch;

/// The enterprise's number.
const ENTERPRISE_ID: u64 = 13_827;

/// A host in service: where it is, how to sign in, what it was asked, and what to make go wrong.
#[derive(Debug)]
pub struct GithubTenant {
    core: Arc<Core>,
    _serving: Serving,
}

/// What a scanner needs to sign in to one host. Texts of what the world does not have are empty.
#[derive(Clone)]
pub struct GithubClient {
    /// The scanner App's client id, `Iv…`; one of two forms of `iss`.
    pub client_id: String,
    /// The scanner App's number; the other form of `iss`.
    pub app_id: u64,
    /// The scanner App's private key in PEM (PKCS #8). It is real, and only the lab trusts it.
    pub private_key_pem: String,
    /// The revoker App's client id.
    pub revoker_client_id: String,
    /// The revoker App's number.
    pub revoker_app_id: u64,
    /// The revoker App's private key in PEM.
    pub revoker_key_pem: String,
    /// A classic personal access token of an owner.
    pub owner_token: String,
    /// A classic personal access token of a plain member.
    pub member_token: String,
    /// A classic personal access token of a site administrator.
    pub site_admin_token: String,
    /// A fine-grained personal access token.
    pub fine_grained_token: String,
    /// Logins of the organisations that a scanner is set up for.
    pub organisations: Vec<String>,
    /// The enterprise's slug, if the scanner App is installed on it.
    pub enterprise: Option<String>,
}

impl fmt::Debug for GithubClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("GithubClient")
            .field("client_id", &self.client_id)
            .field("app_id", &self.app_id)
            .field("organisations", &self.organisations)
            .field("enterprise", &self.enterprise)
            .finish_non_exhaustive()
    }
}

impl Deref for GithubTenant {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.core.watch
    }
}

impl GithubTenant {
    pub(crate) fn start(
        world: &GithubWorld,
        clock: Clock,
        bound: Bound,
        origin: String,
    ) -> Result<Self, crate::LabError> {
        let tenant = world.name.clone();
        let server = world.edition == GithubEdition::Server;
        let state = build::build(world, clock.world())
            .map_err(|problem| GithubError { tenant, problem })?;
        let prefix = if server { "/api/v3" } else { "" };
        let core = Arc::new(Core {
            state: RwLock::new(state),
            key: signing_key()?,
            revoker_key: foreign_key()?,
            base_url: format!("{origin}{prefix}"),
            origin,
            prefix,
            graphql_path: if server { "/api/graphql" } else { "/graphql" },
            clock,
            limits: Limits::default(),
            sessions: Sessions::default(),
            pages: Pages::default(),
            watch: Watch::default(),
        });
        let serving = serve(bound, core.clone());
        Ok(Self { core, _serving: serving })
    }

    /// The tenant's name in the world file.
    pub fn name(&self) -> String {
        self.core.state().name.clone()
    }

    /// The address of the REST API, without a slash at the end; `/api/v3` included on GitHub Enterprise
    /// Server.
    pub fn base_url(&self) -> &str {
        &self.core.base_url
    }

    /// The address of the GraphQL API.
    pub fn graphql_url(&self) -> String {
        format!("{}{}", self.core.origin, self.core.graphql_path)
    }

    /// What a scanner needs to sign in.
    pub fn client(&self) -> GithubClient {
        let state = self.core.state();
        let app = |signer| {
            let found = state.app_signed_by(signer).map(|index| &state.apps[index]);
            found.map_or((String::new(), 0), |app| (app.client_id.clone(), app.id))
        };
        let classic = |place: usize| state.classic.get(place).map_or("", |token| &token.text);
        let (client_id, app_id) = app(Signer::Scanner);
        let (revoker_client_id, revoker_app_id) = app(Signer::Revoker);
        let scanned = |login: &String| state.scan.is_empty() || state.scan.contains(login);
        let organisations = state.organisations.iter().map(|row| row.facts.login.clone());
        let on_enterprise = state
            .enterprise_installations
            .iter()
            .any(|row| state.apps[row.app].signer == Signer::Scanner);
        GithubClient {
            client_id,
            app_id,
            private_key_pem: self.core.key.private_key_pem.clone(),
            revoker_client_id,
            revoker_app_id,
            revoker_key_pem: self.core.revoker_key.private_key_pem.clone(),
            owner_token: classic(0).to_owned(),
            member_token: classic(1).to_owned(),
            site_admin_token: classic(2).to_owned(),
            fine_grained_token: state
                .fine_grained
                .as_ref()
                .map_or_else(String::new, |token| token.text.clone()),
            organisations: organisations.filter(scanned).collect(),
            enterprise: state
                .enterprise
                .as_ref()
                .filter(|_| on_enterprise)
                .map(|enterprise| enterprise.slug.clone()),
        }
    }

    /// Live installations on organisations, authorised credentials and approved fine-grained tokens.
    pub fn grant_count(&self) -> usize {
        self.core.state().grant_count(self.core.wall_ms())
    }

    /// Whether an App (slug or name) is installed on an organisation.
    pub fn has_installation(&self, organisation: &str, app: &str) -> bool {
        self.installation_id(organisation, app).is_some()
    }

    /// The number of an App's installation on an organisation.
    pub fn installation_id(&self, organisation: &str, app: &str) -> Option<u64> {
        let state = self.core.state();
        let (place, app) = (state.organisation(organisation)?, state.app_named(app)?);
        let row = state.installed(place, app, self.core.wall_ms())?;
        Some(state.installations[row].id)
    }

    /// Names of the repositories that an App's installation reaches: `None` for all of them (or if it is
    /// not installed).
    pub fn selected_repositories(&self, organisation: &str, app: &str) -> Option<Vec<String>> {
        let state = self.core.state();
        let (place, app) = (state.organisation(organisation)?, state.app_named(app)?);
        let row = state.installed(place, app, self.core.wall_ms())?;
        let selected = state.installations[row].repositories.as_ref()?;
        Some(
            selected.iter().map(|index| state.repositories[*index as usize].name.clone()).collect(),
        )
    }

    /// Whether a credential (`credential_id`) is authorised for an organisation.
    pub fn has_credential(&self, organisation: &str, id: u64) -> bool {
        let state = self.core.state();
        let now = self.core.wall_ms();
        state.organisation(organisation).is_some_and(|place| {
            state
                .credentials
                .iter()
                .any(|row| row.id == id && row.organisation as usize == place && row.gone > now)
        })
    }

    /// Whether a fine-grained token (its grant's number) has access to an organisation.
    pub fn has_pat(&self, organisation: &str, id: u64) -> bool {
        let state = self.core.state();
        let now = self.core.wall_ms();
        state.organisation(organisation).is_some_and(|place| {
            state
                .pats
                .iter()
                .any(|row| row.id == id && row.organisation as usize == place && row.gone > now)
        })
    }

    /// Whether a repository (`organisation/name`) has a deploy key of this number.
    pub fn has_deploy_key(&self, repository: &str, id: u64) -> bool {
        let state = self.core.state();
        let now = self.core.wall_ms();
        state.repository_path(repository).is_some_and(|place| {
            state
                .deploy_keys
                .iter()
                .any(|row| row.id == id && row.repository == place && row.gone > now)
        })
    }

    /// Whether an organisation, or a repository as `organisation/name`, has a webhook of this number.
    pub fn has_hook(&self, on: &str, id: u64) -> bool {
        let state = self.core.state();
        let now = self.core.wall_ms();
        let place = match on.contains('/') {
            true => state.repository_path(on).map(HookPlace::Repository),
            false => state.organisation(on).map(HookPlace::Organisation),
        };
        let live = |place| {
            state.hooks.iter().any(|row| row.id == id && row.place == place && row.gone > now)
        };
        place.is_some_and(live)
    }

    /// Whether a token of a GitHub Enterprise Server is live.
    pub fn has_site_token(&self, id: u64) -> bool {
        let now = self.core.wall_ms();
        self.core.state().site_tokens.iter().any(|row| row.id == id && row.gone > now)
    }

    /// Whether a personal access token that signs in to the lab is still good.
    pub fn token_works(&self, token: &str) -> bool {
        let state = self.core.state();
        let now = self.core.wall_ms();
        state.classic.iter().any(|row| row.text == token && row.gone > now)
            || state.fine_grained.as_ref().is_some_and(|row| row.text == token && row.gone > now)
    }

    /// Gives or takes a right of the scanner, at once and for tokens that exist too: a permission of its
    /// App (`organization_administration`; of the revoker's App as `revoker:organization_administration`),
    /// a scope of the classic tokens (`read:org`), or `owner` for the user of the owner's token. A right
    /// that is given back is what it was; one that was never there is `read`. False if there is none of
    /// that name.
    pub fn set_right(&self, name: &str, held: bool) -> bool {
        self.core.state_mut().set_right(name, held)
    }

    /// Suspends an App's installation on an organisation, or wakes it. False if it is not installed.
    pub fn set_suspended(&self, organisation: &str, app: &str, suspended: bool) -> bool {
        let (now, at) = (self.core.wall_ms(), self.core.now());
        let mut state = self.core.state_mut();
        let found = state.organisation(organisation).zip(state.app_named(app));
        let Some(row) = found.and_then(|(place, app)| state.installed(place, app, now)) else {
            return false;
        };
        state.installations[row].suspended = suspended.then_some(at);
        true
    }

    /// Changes a switch while the host is in service.
    pub fn set_behaviour(&self, change: impl FnOnce(&mut GithubBehaviour)) {
        change(&mut self.core.state_mut().behaviour);
    }
}

/// One host, as its resources share it.
struct Core {
    state: RwLock<State>,
    key: &'static SigningKey,
    revoker_key: &'static SigningKey,
    origin: String,
    base_url: String,
    prefix: &'static str,
    graphql_path: &'static str,
    clock: Clock,
    limits: Limits,
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

    /// The wall's time, in milliseconds, which revocations count in.
    fn wall_ms(&self) -> i64 {
        self.clock.wall().as_millisecond()
    }
}
