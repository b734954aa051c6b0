//! The living state of one Slack tenant: the world file with its names resolved to indices and its
//! times to seconds, and everything that a call may change. It answers no calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::build::build;
use super::installs::{Actor, Change, Happening, Install, Log, ORG, Verdict, index};
use super::tokens::Token;
use super::world::{
    SlackActivity, SlackApp, SlackBehaviour, SlackPlan, SlackRequest, SlackRole, SlackScanner,
    SlackStatus, SlackUser, SlackWorld,
};

/// A world that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("slack tenant `{tenant}`: {problem}")]
pub struct SlackError {
    tenant: String,
    problem: String,
}

/// One tenant, alive.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) plan: SlackPlan,
    /// Empty in a single workspace.
    pub(crate) enterprise_id: String,
    pub(crate) domain: String,
    pub(crate) scanner: SlackScanner,
    pub(crate) behaviour: SlackBehaviour,
    pub(crate) workspaces: Vec<Workspace>,
    pub(crate) users: Vec<User>,
    pub(crate) apps: Vec<App>,
    pub(super) app_ids: HashMap<String, u32>,
    pub(crate) scope_sets: Vec<ScopeSet>,
    pub(crate) installs: Vec<Install>,
    pub(super) installs_of: Vec<Vec<u32>>,
    /// The channels of custom integrations.
    pub(crate) channels: HashMap<u32, String>,
    pub(crate) changes: Vec<Change>,
    pub(crate) verdicts: Vec<Verdict>,
    /// By place and app.
    pub(crate) decisions: BTreeMap<(u32, u32), Decision>,
    pub(crate) requests: Vec<Request>,
    pub(crate) activities: Vec<Activity>,
    pub(crate) audit_events: Vec<AuditEvent>,
    pub(crate) log_rows: Vec<LogRow>,
    pub(crate) log: Log,
    pub(crate) tokens: Vec<Token>,
    /// Admins may still approve apps in the user interface.
    pub(crate) ui_approval: bool,
}

/// A workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) owner: usize,
    pub(crate) discoverability: String,
}

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) facts: SlackUser,
    pub(crate) id: String,
    pub(crate) email: String,
    /// Workspaces; all if `None`.
    pub(crate) workspaces: Option<Vec<u32>>,
    pub(crate) role: SlackRole,
    pub(crate) created: i64,
    pub(crate) deactivated: Option<i64>,
    /// How often an admin ended the sessions.
    pub(crate) resets: usize,
}

impl User {
    /// Whether the user is a member of a workspace.
    pub(crate) fn is_member(&self, workspace: u32) -> bool {
        self.workspaces.as_ref().is_none_or(|list| list.contains(&workspace))
    }
}

/// An app or a custom integration.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) facts: SlackApp,
    pub(crate) id: String,
    pub(crate) creator: Option<usize>,
    pub(crate) permitted: Option<Vec<usize>>,
}

/// Scopes of user tokens and of the bot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct ScopeSet {
    pub(crate) user: Vec<String>,
    pub(crate) bot: Vec<String>,
}

/// What was decided about an app in a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision {
    pub(crate) status: SlackStatus,
    pub(crate) at: i64,
    pub(crate) by: Actor,
    pub(crate) scopes: u32,
}

/// A request to install an app.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) facts: SlackRequest,
    pub(crate) app: u32,
    pub(crate) place: u32,
    pub(crate) user: usize,
    pub(crate) at: i64,
    pub(crate) scopes: u32,
    pub(crate) pending: bool,
}

/// An entry of the log of workflow apps.
#[derive(Debug)]
pub(crate) struct Activity {
    pub(crate) facts: SlackActivity,
    pub(crate) app: u32,
    pub(crate) place: u32,
    /// Microseconds.
    pub(crate) created: i64,
}

/// A further audit event.
#[derive(Debug)]
pub(crate) struct AuditEvent {
    pub(crate) action: String,
    pub(crate) by: u32,
    pub(crate) place: u32,
    pub(crate) about: Option<u32>,
    pub(crate) through: Option<u32>,
    pub(crate) ip: Option<String>,
}

/// A further row of the integration log.
#[derive(Debug)]
pub(crate) struct LogRow {
    pub(crate) place: u32,
    pub(crate) user: u32,
    pub(crate) app: u32,
    pub(crate) change: String,
    pub(crate) fields: BTreeMap<String, String>,
}

/// When a change is made and when the audit log shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    /// Seconds of the world.
    pub(crate) at: i64,
    /// Microseconds of the wall.
    pub(crate) shown: i64,
}

impl State {
    /// Resolves a world.
    pub(crate) fn build(world: SlackWorld, now: Timestamp) -> Result<Self, SlackError> {
        let tenant = world.name.clone();
        build(world, now).map_err(|problem| SlackError { tenant, problem })
    }

    /// The id by which a token of this tenant's top level is counted and named.
    pub(crate) fn top_id(&self) -> &str {
        match self.plan {
            SlackPlan::Enterprise => &self.enterprise_id,
            SlackPlan::Workspace => &self.workspaces[0].id,
        }
    }

    /// The workspace of an id, as calls name it.
    pub(crate) fn workspace_of_id(&self, id: &str) -> Option<u32> {
        self.workspaces.iter().position(|space| space.id == id).map(index)
    }

    /// The workspace of an id or a name, as tests and faults name it.
    pub(crate) fn workspace(&self, key: &str) -> Option<u32> {
        let found = self.workspaces.iter().position(|space| space.id == key || space.name == key);
        found.map(index)
    }

    /// The user of an id or a handle, deactivated or not.
    pub(crate) fn user(&self, key: &str) -> Option<usize> {
        self.users.iter().position(|user| user.id == key || user.facts.name == key)
    }

    /// The app of an id or a name.
    pub(crate) fn app(&self, key: &str) -> Option<u32> {
        let named = || self.apps.iter().position(|app| app.facts.name == key).map(index);
        self.app_ids.get(key).copied().or_else(named)
    }

    pub(crate) fn scopes(&self, set: u32) -> &ScopeSet {
        &self.scope_sets[set as usize]
    }

    /// The index of a scope set, which is added if it is new.
    pub(crate) fn intern(&mut self, set: ScopeSet) -> u32 {
        let found = self.scope_sets.iter().position(|other| *other == set);
        index(found.unwrap_or_else(|| {
            self.scope_sets.push(set);
            self.scope_sets.len() - 1
        }))
    }

    /// The installs of an app that are not removed, oldest entry first.
    pub(crate) fn present(&self, app: u32) -> impl Iterator<Item = (u32, &Install)> {
        self.installs_of[app as usize]
            .iter()
            .map(|install| (*install, &self.installs[*install as usize]))
            .filter(|(_, install)| install.removed.is_none())
    }

    /// Removes an install and logs it; false if it is already gone.
    pub(crate) fn remove(&mut self, install: u32, by: u32, when: Moments) -> bool {
        let row = &mut self.installs[install as usize];
        if row.removed.is_some() {
            return false;
        }
        row.removed = Some(when.at);
        self.log.push(when.at, when.shown, Happening::Removed(install, by));
        true
    }

    /// Installs an app in a place with the scopes that others gave it; false if the user already has
    /// it there.
    pub(crate) fn install(&mut self, app: u32, place: u32, by: u32, when: Moments) -> bool {
        if self.present(app).any(|(_, install)| install.place == place && install.by == by) {
            return false;
        }
        let others = self.installs_of[app as usize].first().copied();
        let scopes = match others {
            Some(install) => self.installs[install as usize].scopes,
            None => self.intern(ScopeSet { user: vec!["identify".to_owned()], bot: Vec::new() }),
        };
        let install = index(self.installs.len());
        let at = when.at;
        self.installs.push(Install { app, place, by, scopes, at, removed: None, disabled: false });
        self.installs_of[app as usize].push(install);
        self.log.push(at, when.shown, Happening::Installed(install));
        true
    }

    /// Puts a decision in the place of an older one, or takes it back, and logs it.
    pub(crate) fn decide(&mut self, verdict: Verdict, when: Moments) {
        let key = (verdict.place, verdict.app);
        match verdict.status {
            Some(status) => {
                let scopes = self.scopes_wanted(verdict.app);
                let decision = Decision { status, at: when.at, by: verdict.by, scopes };
                self.decisions.insert(key, decision);
            }
            None => {
                self.decisions.remove(&key);
            }
        }
        self.verdicts.push(verdict);
        let latest = index(self.verdicts.len() - 1);
        self.log.push(when.at, when.shown, Happening::Decided(latest));
    }

    /// The scopes that an app asks for, as far as an install or a request tells.
    fn scopes_wanted(&mut self, app: u32) -> u32 {
        let installed = self.installs_of[app as usize].last();
        let installed = installed.map(|install| self.installs[*install as usize].scopes);
        let requested = || {
            let request = self.requests.iter().find(|request| request.app == app);
            request.map(|request| request.scopes)
        };
        installed.or_else(requested).unwrap_or_else(|| self.intern(ScopeSet::default()))
    }

    /// Whether an app is there and switched on in a workspace, for itself or for the organisation.
    pub(crate) fn is_installed(&self, app: u32, workspace: u32) -> bool {
        self.present(app)
            .any(|(_, install)| install.is_live() && [workspace, ORG].contains(&install.place))
    }

    /// All live installs of apps, or of custom integrations.
    pub(crate) fn live_count(&self, services: bool) -> usize {
        let counted = |install: &&Install| {
            install.is_live() && self.apps[install.app as usize].facts.service == services
        };
        self.installs.iter().filter(counted).count()
    }

    /// Everybody's scopes as one list, the bot's first, none twice.
    pub(crate) fn all_scopes(&self, set: u32) -> Vec<&str> {
        let set = self.scopes(set);
        let mut seen = BTreeSet::new();
        let both = set.bot.iter().chain(&set.user).map(String::as_str);
        both.filter(|scope| seen.insert(*scope)).collect()
    }
}
