//! The living state of one org: the world file with its names resolved to indices and its times to
//! seconds, and everything that a call may change. It answers no calls.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::id::Id;
use super::permission::{Permission, Permissions};
use super::tokens::{NONE, TokenRow, Tokens};
use super::world::{
    ApiUsageWorld, Behaviour, ConnectedAppWorld, ExternalClientAppWorld, LoginWorld, OrgSettings,
    OrgWorld, PackageWorld, ProfileWorld, UserWorld,
};

/// Key prefixes of the object types.
pub(crate) mod prefix {
    pub(crate) const ORGANIZATION: &str = "00D";
    pub(crate) const USER: &str = "005";
    pub(crate) const USER_LOGIN: &str = "0Yw";
    pub(crate) const PROFILE: &str = "00e";
    pub(crate) const PERMISSION_SET: &str = "0PS";
    pub(crate) const ASSIGNMENT: &str = "0Pa";
    pub(crate) const SETUP_ACCESS: &str = "0J0";
    pub(crate) const CONNECTED_APP: &str = "0H4";
    pub(crate) const EXTERNAL_APP: &str = "0xI";
    pub(crate) const EXTERNAL_POLICY: &str = "0xJ";
    pub(crate) const EXTERNAL_OAUTH_POLICY: &str = "0xK";
    pub(crate) const EXTERNAL_SETTINGS: &str = "0xL";
    pub(crate) const EXTERNAL_RANGE: &str = "0xM";
    pub(crate) const MENU_ITEM: &str = "0DS";
    pub(crate) const TAB_SET: &str = "02u";
    pub(crate) const TOKEN: &str = "0CC";
    pub(crate) const PACKAGE: &str = "0A3";
    pub(crate) const SUBSCRIBER_PACKAGE: &str = "033";
    pub(crate) const PACKAGE_VERSION: &str = "04t";
    pub(crate) const LOGIN: &str = "0Ya";
    pub(crate) const EVENT_LOG: &str = "0AT";
    pub(crate) const AUDIT: &str = "0Ym";
    pub(crate) const SETTINGS: &str = "0oX";
    pub(crate) const PERMISSION_ACCESS: &str = "000";
    pub(crate) const LOCATOR: &str = "01g";
}

/// One org, alive.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) org: u8,
    pub(crate) name: String,
    pub(crate) sandbox: bool,
    pub(crate) organization_type: &'static str,
    pub(crate) instance: String,
    pub(crate) settings: OrgSettings,
    pub(crate) behaviour: Behaviour,
    pub(crate) profiles: Vec<ProfileWorld>,
    pub(crate) permission_sets: Vec<PermissionSet>,
    pub(crate) users: Vec<User>,
    /// (user, permission set), the profile's own set first.
    pub(crate) assignments: Vec<(usize, usize)>,
    /// (permission set, installed app).
    pub(crate) app_access: Vec<(usize, usize)>,
    pub(crate) packages: Vec<PackageWorld>,
    pub(crate) apps: Vec<App>,
    pub(crate) connected: Vec<ConnectedApp>,
    pub(crate) external: Vec<ExternalApp>,
    pub(crate) tokens: Tokens,
    pub(crate) logins: Vec<Login>,
    pub(crate) usage: Vec<ApiCall>,
    pub(crate) log_days: Vec<i64>,
    pub(crate) audit: Vec<Audit>,
    pub(crate) scanner_app: usize,
    pub(crate) scanner_user: usize,
}

/// A permission set, or the hidden one that a profile owns.
#[derive(Debug)]
pub(crate) struct PermissionSet {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) permissions: Permissions,
    pub(crate) profile: Option<usize>,
}

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) facts: UserWorld,
    pub(crate) name: String,
    pub(crate) profile: usize,
    pub(crate) created: i64,
    pub(crate) last_login: Option<i64>,
    pub(crate) deleted: bool,
    assigned: Permissions,
    granted: Permissions,
    denied: Permissions,
}

impl User {
    /// What the user may do.
    pub(crate) fn permissions(&self) -> Permissions {
        self.assigned.union(self.granted).minus(self.denied)
    }

    /// Adds or takes a permission, whatever profile and permission sets say.
    pub(crate) fn set_permission(&mut self, permission: Permission, held: bool) {
        self.granted.set(permission, held);
        self.denied.set(permission, !held);
    }

    /// Whether sessions of the user work.
    pub(crate) fn may_log_in(&self) -> bool {
        self.facts.active && !self.facts.frozen && !self.deleted
    }
}

/// An app that tokens may belong to.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) label: String,
    pub(crate) consumer_key: String,
    pub(crate) kind: AppKind,
}

/// What an app is, with the index into its own table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppKind {
    Connected(usize),
    External(usize),
    Uninstalled,
}

/// A connected app.
#[derive(Debug)]
pub(crate) struct ConnectedApp {
    pub(crate) facts: ConnectedAppWorld,
    pub(crate) name: String,
    pub(crate) app: usize,
    pub(crate) created: i64,
    pub(crate) modified: i64,
}

impl ConnectedApp {
    /// The Metadata API's full name.
    pub(crate) fn full_name(&self) -> String {
        qualified(self.facts.package.as_deref(), &self.name)
    }
}

/// An external client app.
#[derive(Debug)]
pub(crate) struct ExternalApp {
    pub(crate) facts: ExternalClientAppWorld,
    pub(crate) name: String,
    pub(crate) app: usize,
    pub(crate) created: i64,
    pub(crate) modified: i64,
}

impl ExternalApp {
    /// The Metadata API's full name.
    pub(crate) fn full_name(&self) -> String {
        qualified(self.facts.package.as_deref(), &self.name)
    }

    /// Whether its tokens work.
    pub(crate) fn usable(&self) -> bool {
        self.facts.enabled && self.facts.policy_action.as_deref() != Some("Block")
    }
}

/// A login.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) user: usize,
    pub(crate) at: i64,
    pub(crate) story: Arc<LoginWorld>,
}

/// An API call by a third party.
#[derive(Debug)]
pub(crate) struct ApiCall {
    pub(crate) at: i64,
    pub(crate) user: usize,
    pub(crate) app: usize,
    pub(crate) story: Arc<ApiUsageWorld>,
}

/// A setup audit trail entry.
#[derive(Debug)]
pub(crate) struct Audit {
    pub(crate) at: i64,
    pub(crate) user: Option<usize>,
    pub(crate) action: String,
    pub(crate) section: Option<String>,
    pub(crate) display: String,
    pub(crate) delegate: Option<String>,
}

/// What is wrong with an org's description.
#[derive(Debug, thiserror::Error)]
#[error("salesforce org `{org}`: {problem}")]
pub struct OrgError {
    /// The org's name.
    pub org: String,
    /// What is wrong, in words.
    pub problem: String,
}

impl State {
    /// Resolves a world's names and times.
    pub(crate) fn build(world: OrgWorld, index: u8, now: Timestamp) -> Result<Self, OrgError> {
        let org = world.name.clone();
        Builder { now, index }.build(world).map_err(|problem| OrgError { org, problem })
    }

    pub(crate) fn id(&self, prefix: &str, serial: usize) -> Id {
        Id::new(prefix, self.org, serial)
    }

    pub(crate) fn org_id(&self) -> Id {
        self.id(prefix::ORGANIZATION, 1)
    }

    pub(crate) fn user_named(&self, username: &str) -> Option<usize> {
        self.users
            .iter()
            .position(|user| !user.deleted && user.facts.username.eq_ignore_ascii_case(username))
    }

    pub(crate) fn app_labelled(&self, label: &str) -> Option<usize> {
        self.apps.iter().position(|app| app.label == label)
    }

    /// Installed apps are the rows of `AppMenuItem`: connected apps, then external client apps.
    pub(crate) fn menu_item(&self, kind: AppKind) -> Option<usize> {
        match kind {
            AppKind::Connected(at) => Some(at),
            AppKind::External(at) => Some(self.connected.len() + at),
            AppKind::Uninstalled => None,
        }
    }

    /// The record id of an app, if it has one.
    pub(crate) fn app_id(&self, app: usize) -> Option<Id> {
        match self.apps[app].kind {
            AppKind::Connected(at) => Some(self.id(prefix::CONNECTED_APP, at)),
            AppKind::External(at) => Some(self.id(prefix::EXTERNAL_APP, at)),
            AppKind::Uninstalled => None,
        }
    }

    /// Whether an app's tokens work.
    pub(crate) fn usable(&self, app: usize) -> bool {
        match self.apps[app].kind {
            AppKind::Connected(at) => !self.connected[at].facts.blocked,
            AppKind::External(at) => self.external[at].usable(),
            AppKind::Uninstalled => true,
        }
    }

    /// Whether an admin approved the user for an app that asks for it, by profile or permission set.
    pub(crate) fn approved(&self, app: usize, user: usize) -> bool {
        let menu_item = self.menu_item(self.apps[app].kind);
        self.assignments.iter().filter(|(assignee, _)| *assignee == user).any(|(_, set)| {
            self.app_access.iter().any(|(held, item)| held == set && Some(*item) == menu_item)
        })
    }

    /// Whether only users whom an admin approved may use the app.
    pub(crate) fn admin_approved_only(&self, app: usize) -> bool {
        match self.apps[app].kind {
            AppKind::Connected(at) => self.connected[at].facts.admin_approved,
            AppKind::External(at) => {
                self.external[at].facts.permitted_users == "AdminApprovedPreAuthorized"
            }
            AppKind::Uninstalled => false,
        }
    }

    /// Username behind the app's client credentials flow.
    pub(crate) fn client_credentials_user(&self, app: usize) -> Option<usize> {
        let username = match self.apps[app].kind {
            AppKind::Connected(at) => self.connected[at].facts.client_credentials_user.as_deref(),
            AppKind::External(at) => self.external[at].facts.client_credentials_user.as_deref(),
            AppKind::Uninstalled => None,
        };
        self.user_named(username?)
    }

    /// The app's scopes in the words of the token endpoint.
    pub(crate) fn wire_scopes(&self, app: usize) -> String {
        let scopes = match self.apps[app].kind {
            AppKind::Connected(at) => self.connected[at].facts.scopes.as_slice(),
            AppKind::External(at) => self.external[at].facts.scopes.as_slice(),
            AppKind::Uninstalled => &[],
        };
        let words: Vec<String> = scopes.iter().map(|scope| super::scopes::wire(scope)).collect();
        words.join(" ")
    }
}

fn qualified(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}__{name}"))
}

/// `Data Loader` as a developer name.
pub(crate) fn developer_name(label: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = label.chars().map(word).collect();
    name.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
}

/// `ada.lovelace@northwind.example` as a person's name.
fn person_name(username: &str) -> String {
    let local = username.split('@').next().unwrap_or_default();
    let mut words = Vec::new();
    for word in local.split(['.', '_', '-']).filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        words.push(first.into_iter().chain(letters).collect::<String>());
    }
    words.join(" ")
}

struct Builder {
    now: Timestamp,
    index: u8,
}

type Names = HashMap<String, usize>;
/// (user, permission set).
type Assignments = Vec<(usize, usize)>;

impl Builder {
    fn build(&self, world: OrgWorld) -> Result<State, String> {
        let profile_names = index_names(world.profiles.iter().map(|p| p.name.as_str()), "profile")?;
        let permission_sets = permission_sets(&world)?;
        let set_names =
            index_names(permission_sets.iter().map(|set| set.name.as_str()), "permission set")?;
        let (users, assignments) =
            self.users(world.users, &profile_names, &set_names, &permission_sets)?;
        let user_names =
            index_names(users.iter().map(|user| user.facts.username.as_str()), "user")?;
        let package_names =
            index_names(world.packages.iter().map(|p| p.namespace.as_str()), "package")?;

        let mut apps = Vec::new();
        let mut connected = Vec::new();
        let mut external = Vec::new();
        let mut app_access = Vec::new();
        for facts in world.connected_apps {
            let item = connected.len();
            let name = facts.name.clone().unwrap_or_else(|| developer_name(&facts.label));
            check_package(&package_names, facts.package.as_deref())?;
            let sets =
                approvals(&facts.permission_sets, &facts.profiles, &set_names, &profile_names)?;
            app_access.extend(sets.into_iter().map(|set| (set, item)));
            let created = facts.created.seconds(self.now);
            let modified = facts.modified.map_or(created, |at| at.seconds(self.now));
            let consumer_key = consumer_key(facts.consumer_key.as_deref(), &name);
            let label = facts.label.clone();
            connected.push(ConnectedApp { facts, name, app: apps.len(), created, modified });
            apps.push(App { label, consumer_key, kind: AppKind::Connected(item) });
        }
        for facts in world.external_client_apps {
            let item = external.len();
            let name = facts.name.clone().unwrap_or_else(|| developer_name(&facts.label));
            check_package(&package_names, facts.package.as_deref())?;
            let sets =
                approvals(&facts.permission_sets, &facts.profiles, &set_names, &profile_names)?;
            app_access.extend(sets.into_iter().map(|set| (set, connected.len() + item)));
            let created = facts.created.seconds(self.now);
            let modified = facts.modified.map_or(created, |at| at.seconds(self.now));
            let consumer_key = consumer_key(facts.consumer_key.as_deref(), &name);
            let label = facts.label.clone();
            external.push(ExternalApp { facts, name, app: apps.len(), created, modified });
            apps.push(App { label, consumer_key, kind: AppKind::External(item) });
        }
        for facts in world.uninstalled_apps {
            let consumer_key = consumer_key(None, &developer_name(&facts.label));
            apps.push(App { label: facts.label, consumer_key, kind: AppKind::Uninstalled });
        }
        let app_names = app_names(&apps, &connected, &external)?;
        let resolve_app = |name: &str| resolve(&app_names, name, "app");
        let resolve_user = |name: &str| resolve(&user_names, name, "user");

        let mut tokens = world.generated;
        for token in world.tokens {
            let app = resolve_app(&token.app)?;
            let user = token.user.as_deref().map_or(Ok(NONE as usize), resolve_user)?;
            let created = token.created.seconds(self.now);
            let last_used = token.last_used.map(|at| at.seconds(self.now));
            let use_count = token.use_count;
            tokens.push(TokenRow { last_used, use_count, ..TokenRow::new(app, user, created) });
        }

        let mut logins = Vec::new();
        for login in world.logins {
            let user = resolve_user(&login.user)?;
            let story = Arc::new(login);
            for nth in 0..story.count {
                let at = story.at.seconds(self.now) - i64::from(nth) * story.every_seconds;
                logins.push(Login { user, at, story: story.clone() });
            }
        }
        logins.sort_by_key(|login| login.at);

        let mut usage = Vec::new();
        for call in world.api_usage {
            let (user, app) = (resolve_user(&call.user)?, resolve_app(&call.app)?);
            let story = Arc::new(call);
            for nth in 0..story.count {
                let at = story.at.seconds(self.now) - i64::from(nth) * story.every_seconds;
                usage.push(ApiCall { at, user, app, story: story.clone() });
            }
        }
        usage.sort_by_key(|call| call.at);
        let mut log_days: Vec<i64> = usage.iter().map(|call| day_of(call.at)).collect();
        log_days.dedup();

        let mut audit = Vec::new();
        for entry in world.audit {
            audit.push(Audit {
                at: entry.at.seconds(self.now),
                user: entry.user.as_deref().map(resolve_user).transpose()?,
                action: entry.action,
                section: entry.section,
                display: entry.display,
                delegate: entry.delegate,
            });
        }
        audit.sort_by_key(|entry| entry.at);

        Ok(State {
            org: self.index,
            scanner_app: resolve_app(&world.scanner.app).map_err(|p| format!("scanner: {p}"))?,
            scanner_user: resolve_user(&world.scanner.username)
                .map_err(|problem| format!("scanner: {problem}"))?,
            name: world.name,
            sandbox: world.sandbox,
            organization_type: world.organization_type.as_str(),
            instance: world.instance.unwrap_or_else(|| "LAB1".to_owned()),
            settings: world.settings,
            behaviour: world.behaviour,
            profiles: world.profiles,
            permission_sets,
            users,
            assignments,
            app_access,
            packages: world.packages,
            apps,
            connected,
            external,
            tokens: Tokens::new(tokens),
            logins,
            usage,
            log_days,
            audit,
        })
    }

    fn users(
        &self,
        worlds: Vec<UserWorld>,
        profile_names: &Names,
        set_names: &Names,
        sets: &[PermissionSet],
    ) -> Result<(Vec<User>, Assignments), String> {
        let mut users = Vec::with_capacity(worlds.len());
        let mut assignments = Vec::with_capacity(worlds.len());
        for facts in worlds {
            let profile = resolve(profile_names, &facts.profile, "profile")
                .map_err(|problem| format!("user `{}`: {problem}", facts.username))?;
            // A profile's own set has the profile's index.
            let mut held = vec![profile];
            for name in &facts.permission_sets {
                held.push(resolve(set_names, name, "permission set")?);
            }
            let assigned = held
                .iter()
                .fold(Permissions::default(), |all, set| all.union(sets[*set].permissions));
            assignments.extend(held.into_iter().map(|set| (users.len(), set)));
            users.push(User {
                name: facts.name.clone().unwrap_or_else(|| person_name(&facts.username)),
                profile,
                created: facts.created.seconds(self.now),
                last_login: facts.last_login.map(|at| at.seconds(self.now)),
                deleted: false,
                assigned,
                granted: Permissions::default(),
                denied: Permissions::default(),
                facts,
            });
        }
        Ok((users, assignments))
    }
}

/// Midnight, UTC, of the day of a time.
pub(crate) fn day_of(seconds: i64) -> i64 {
    seconds - seconds.rem_euclid(86_400)
}

fn permission_sets(world: &OrgWorld) -> Result<Vec<PermissionSet>, String> {
    let mut sets = Vec::new();
    for (at, profile) in world.profiles.iter().enumerate() {
        sets.push(PermissionSet {
            // The platform names a profile's own set by the profile's id.
            name: format!("X{}", Id::new(prefix::PROFILE, 0, at)),
            label: profile.name.clone(),
            permissions: profile.permissions.iter().copied().collect(),
            profile: Some(at),
        });
    }
    for set in &world.permission_sets {
        if set.name.is_empty() {
            return Err("a permission set has no name".to_owned());
        }
        sets.push(PermissionSet {
            name: set.name.clone(),
            label: set.label.clone().unwrap_or_else(|| set.name.replace('_', " ")),
            permissions: set.permissions.iter().copied().collect(),
            profile: None,
        });
    }
    Ok(sets)
}

fn approvals(
    sets: &[String],
    profiles: &[String],
    set_names: &Names,
    profile_names: &Names,
) -> Result<Vec<usize>, String> {
    let sets = sets.iter().map(|name| resolve(set_names, name, "permission set"));
    let profiles = profiles.iter().map(|name| resolve(profile_names, name, "profile"));
    sets.chain(profiles).collect()
}

/// Apps by developer name, and by label where that is unique.
fn app_names(
    apps: &[App],
    connected: &[ConnectedApp],
    external: &[ExternalApp],
) -> Result<Names, String> {
    let full_names = connected
        .iter()
        .map(|app| (app.full_name(), app.app))
        .chain(external.iter().map(|app| (app.full_name(), app.app)));
    let mut names = Names::new();
    for (name, app) in full_names {
        if names.insert(name.clone(), app).is_some() {
            return Err(format!("two apps are called `{name}`"));
        }
    }
    for (at, app) in apps.iter().enumerate() {
        if apps.iter().filter(|other| other.label == app.label).count() == 1 {
            names.insert(app.label.clone(), at);
        }
    }
    Ok(names)
}

fn index_names<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Result<Names, String> {
    let mut index = Names::new();
    for (at, name) in names.enumerate() {
        if name.is_empty() {
            return Err(format!("{what} {} has no name", at + 1));
        }
        if index.insert(name.to_owned(), at).is_some() {
            return Err(format!("two {what}s are called `{name}`"));
        }
    }
    Ok(index)
}

fn resolve(names: &Names, name: &str, what: &str) -> Result<usize, String> {
    names.get(name).copied().ok_or_else(|| format!("no {what} is called `{name}`"))
}

fn check_package(names: &Names, namespace: Option<&str>) -> Result<(), String> {
    namespace.map_or(Ok(()), |namespace| resolve(names, namespace, "package").map(drop))
}

fn consumer_key(given: Option<&str>, name: &str) -> String {
    given.map_or_else(|| format!("3MVG9.LAB.FAKE.{name}"), str::to_owned)
}
