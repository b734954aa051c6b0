//! The Slack side of the lab: one tenant on one port, an Enterprise organisation or a single
//! workspace, with the Web API (`/api/…`) and the audit API (`/audit/v1/…`) behind it. This file holds
//! the [`SlackTenant`] that tests and the demo talk to; the files beside it hold one subject each.

mod apps;
mod args;
mod audit;
mod behaviour;
mod build;
mod catalogue;
mod cursors;
mod decisions;
mod error;
mod gate;
mod generate;
mod installs;
mod logs;
mod methods;
mod people;
mod quota;
mod rights;
mod route;
mod state;
mod tenant;
mod tokens;
mod world;
mod writes;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::cursors::Cursors;
pub use self::generate::SlackScale;
pub(crate) use self::generate::{bare, grow};
use self::installs::ORG;
use self::quota::Quotas;
pub use self::state::SlackError;
use self::state::State;
pub use self::world::*;
use crate::clock::Clock;
use crate::server::{Bound, Serving, serve};
use crate::watch::Watch;

/// A tenant in service: where it is, which tokens it knows, what it was asked, and what to make go
/// wrong.
#[derive(Debug)]
pub struct SlackTenant {
    core: Arc<Core>,
    _serving: Serving,
}

/// The tokens of one tenant, and the ids that go with them. All tokens say FAKE; only the lab knows
/// them.
#[derive(Clone)]
pub struct SlackClient {
    /// What the customer has bought.
    pub plan: SlackPlan,
    /// The scanner's user token: of an Owner and for the organisation, or of a workspace's admin with
    /// the legacy `admin` scope.
    pub reader: String,
    /// A user token of another app, with the scopes that write and no others.
    pub revoker: String,
    /// A user token of an org Admin who is no Owner, with the reader's scopes, if the world names one.
    pub org_admin: Option<String>,
    /// A user token of a workspace admin with the legacy `admin` scope, for the first workspace that
    /// the user is in.
    pub workspace_admin: String,
    /// A bot token, which nearly everything refuses.
    pub bot: String,
    /// `E…`; `None` in a single workspace.
    pub enterprise_id: Option<String>,
    /// `T…` of the workspace that `workspace_admin` and `bot` are for.
    pub team_id: String,
    /// Id of the reader's user.
    pub user_id: String,
    /// Id of the scanner's app.
    pub app_id: String,
    /// Id of the revoker's app.
    pub revoker_app_id: String,
}

impl fmt::Debug for SlackClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SlackClient")
            .field("plan", &self.plan)
            .field("enterprise_id", &self.enterprise_id)
            .field("team_id", &self.team_id)
            .field("user_id", &self.user_id)
            .field("app_id", &self.app_id)
            .field("revoker_app_id", &self.revoker_app_id)
            .finish_non_exhaustive()
    }
}

impl Deref for SlackTenant {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.core.watch
    }
}

impl SlackTenant {
    pub(crate) fn start(
        world: SlackWorld,
        clock: Clock,
        bound: Bound,
        base_url: String,
    ) -> Result<Self, SlackError> {
        let core = Arc::new(Core {
            state: RwLock::new(State::build(world, clock.world())?),
            base_url,
            clock,
            quotas: Quotas::default(),
            cursors: Cursors::default(),
            watch: Watch::default(),
        });
        let serving = serve(bound, core.clone());
        Ok(Self { core, _serving: serving })
    }

    /// The tenant's name in the world file.
    pub fn name(&self) -> String {
        self.core.state().name.clone()
    }

    /// The address of all the platform's hosts, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.core.base_url
    }

    /// The tokens and ids.
    pub fn client(&self) -> SlackClient {
        let state = self.core.state();
        let token = |name| state.token_named(name).map(|token| &state.tokens[token]);
        let text = |name| token(name).map(|token| token.text.0.clone());
        let home = token("workspace_admin").map_or(0, |token| token.place as usize);
        let reader = token("reader").map_or(0, |token| token.user);
        SlackClient {
            plan: state.plan,
            reader: text("reader").unwrap_or_default(),
            revoker: text("revoker").unwrap_or_default(),
            org_admin: text("org_admin"),
            workspace_admin: text("workspace_admin").unwrap_or_default(),
            bot: text("bot").unwrap_or_default(),
            enterprise_id: (state.plan == SlackPlan::Enterprise)
                .then(|| state.enterprise_id.clone()),
            team_id: state.workspaces[home].id.clone(),
            user_id: state.users[reader].id.clone(),
            app_id: state.scanner.app_id.clone(),
            revoker_app_id: state.scanner.revoker_app_id.clone(),
        }
    }

    /// All live installs of apps: not removed and not disabled.
    pub fn grant_count(&self) -> usize {
        self.core.state().live_count(false)
    }

    /// All live legacy custom integrations.
    pub fn integration_count(&self) -> usize {
        self.core.state().live_count(true)
    }

    /// Whether an app (id or name) works in a workspace (id or name), installed there or on the whole
    /// organisation. False for names that the tenant does not have.
    pub fn is_installed(&self, app: &str, team: &str) -> bool {
        let state = self.core.state();
        let (Some(app), Some(team)) = (state.app(app), state.workspace(team)) else { return false };
        state.is_installed(app, team)
    }

    /// How many live installs an app (id or name) has, in all places.
    pub fn install_count(&self, app: &str) -> usize {
        let state = self.core.state();
        let Some(app) = state.app(app) else { return 0 };
        state.present(app).filter(|(_, install)| install.is_live()).count()
    }

    /// Whether an app (id or name) is restricted for the whole tenant.
    pub fn is_restricted(&self, app: &str) -> bool {
        self.status(app) == Some(SlackStatus::Restricted)
    }

    /// Whether an app (id or name) is approved for the whole tenant.
    pub fn is_approved(&self, app: &str) -> bool {
        self.status(app) == Some(SlackStatus::Approved)
    }

    fn status(&self, app: &str) -> Option<SlackStatus> {
        let state = self.core.state();
        let place = if state.plan == SlackPlan::Enterprise { ORG } else { 0 };
        let app = state.app(app)?;
        state.decisions.get(&(place, app)).map(|decision| decision.status)
    }

    /// Whether nobody has answered the request of this id yet. `None` if there is none.
    pub fn is_pending(&self, request: &str) -> Option<bool> {
        let state = self.core.state();
        let found = state.requests.iter().find(|other| other.facts.id == request);
        found.map(|request| request.pending)
    }

    /// Whether admins may still approve apps in the user interface: true until an app took that over.
    pub fn is_ui_approval_on(&self) -> bool {
        self.core.state().ui_approval
    }

    /// How often an admin ended the sessions of a user (id or handle).
    pub fn session_resets(&self, user: &str) -> usize {
        let state = self.core.state();
        state.user(user).map_or(0, |user| state.users[user].resets)
    }

    /// The id of the app of this name.
    pub fn app_id(&self, app: &str) -> Option<String> {
        let state = self.core.state();
        state.app(app).map(|app| state.apps[app as usize].id.clone())
    }

    /// A live token of an app (id or name), as a thief has it: the bot's if it has one, otherwise the
    /// installing user's. `None` if the app is installed nowhere.
    pub fn stolen(&self, app: &str) -> Option<String> {
        let mut state = self.core.state_mut();
        let app = state.app(app)?;
        state.stolen(app)
    }

    /// Gives a right or takes it: a scope of the reader (`admin.apps:read`), its user's role (`Owner`,
    /// `Admin`), the plan's admin API (`AdminApi`), the install on the organisation (`OrgInstall`), the
    /// reader's membership of a workspace (`member/T…`); another token's with its name in front
    /// (`revoker/admin.apps:write`). False if there is none of that name.
    pub fn set_right(&self, name: &str, held: bool) -> bool {
        self.core.set_right(name, held)
    }

    /// Makes a token (`reader`, `revoker`, …) answer with a code (`token_revoked`, `account_inactive`,
    /// `token_expired`, …) from now on, or live again. False if there is none of that name.
    pub fn set_dead(&self, token: &str, code: Option<&str>) -> bool {
        self.core.set_dead(token, code)
    }

    /// Changes a switch while the tenant is in service.
    pub fn set_behaviour(&self, change: impl FnOnce(&mut SlackBehaviour)) {
        change(&mut self.core.state_mut().behaviour);
    }
}

/// One tenant, as its resources share it.
struct Core {
    state: RwLock<State>,
    base_url: String,
    clock: Clock,
    quotas: Quotas,
    cursors: Cursors,
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
}
