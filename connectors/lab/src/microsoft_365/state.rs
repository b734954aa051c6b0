//! A directory at work: the world's texts resolved to rows that point at each other by number. Rows
//! are never moved, so that a page token can be a position; what is deleted is marked.

use std::collections::HashMap;

use jiff::Timestamp;

use super::credential::Credential;
use super::generate;
use super::grants::Grants;
use super::guid::Guid;
use super::log::Logs;
use super::world::{
    ApplicationWorld, Behaviour, EntraWorld, FederatedWorld, Policies, RequiredWorld,
    ServicePrincipalWorld, UserWorld,
};

/// Client id of Microsoft Graph in every directory.
pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The name of its service principal.
pub(crate) const GRAPH_NAME: &str = "Microsoft Graph";
/// The directory that owns Microsoft's own apps.
pub(crate) const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// A world that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("Entra directory `{tenant}`: {problem}")]
pub struct EntraError {
    tenant: String,
    problem: String,
}

impl EntraError {
    pub(crate) fn new(tenant: String, problem: String) -> Self {
        Self { tenant, problem }
    }
}

/// Until when listings still show a deleted row: a time, and a number of calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gone {
    pub(crate) until_ms: i64,
    pub(crate) until_call: u64,
}

impl Gone {
    /// Gone for everybody at once.
    pub(crate) const NOW: Self = Self { until_ms: i64::MIN, until_call: 0 };
}

/// Rows that were deleted.
pub(crate) type GoneRows = HashMap<u32, Gone>;

/// A permission that a resource offers to apps or users as a role.
#[derive(Debug, Clone)]
pub(crate) struct AppRole {
    pub(crate) id: Guid,
    pub(crate) value: String,
    pub(crate) enabled: bool,
    pub(crate) members: Vec<String>,
}

/// A permission that a resource offers for delegation.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) id: Guid,
    pub(crate) value: String,
}

/// What a resource offers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Api {
    pub(crate) roles: Vec<AppRole>,
    pub(crate) scopes: Vec<Scope>,
}

impl Api {
    fn of(app_id: Guid, facts: &ServicePrincipalWorld) -> Option<Box<Self>> {
        let role = |value: &str, enabled, members| AppRole {
            id: role_id(app_id, value),
            value: value.to_owned(),
            enabled,
            members,
        };
        let plain =
            facts.app_roles.iter().map(|value| role(value, true, vec!["Application".to_owned()]));
        let special = facts
            .special_app_roles
            .iter()
            .map(|it| role(&it.value, it.enabled, it.members.clone()));
        let scopes = facts.scopes.iter().map(|value| Scope {
            id: Guid::of(&format!("{app_id}/scope/{value}")),
            value: value.clone(),
        });
        let api = Self { roles: plain.chain(special).collect(), scopes: scopes.collect() };
        (!api.roles.is_empty() || !api.scopes.is_empty()).then(|| Box::new(api))
    }
}

/// The id of the app role of this value on the app of this client id.
pub(crate) fn role_id(app_id: Guid, value: &str) -> Guid {
    Guid::of(&format!("{app_id}/role/{value}"))
}

/// A service principal.
#[derive(Debug)]
pub(crate) struct Principal {
    pub(crate) id: Guid,
    pub(crate) app_id: Guid,
    pub(crate) owner: Option<Guid>,
    pub(crate) facts: Box<ServicePrincipalWorld>,
    pub(crate) api: Option<Box<Api>>,
    pub(crate) owners: Vec<u32>,
    pub(crate) passwords: Vec<Credential>,
    pub(crate) keys: Vec<Credential>,
    pub(crate) deleted: bool,
}

impl Principal {
    pub(crate) fn roles(&self) -> &[AppRole] {
        self.api.as_ref().map_or(&[], |api| &api.roles)
    }

    pub(crate) fn scopes(&self) -> &[Scope] {
        self.api.as_ref().map_or(&[], |api| &api.scopes)
    }
}

/// An own app registration.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) id: Guid,
    pub(crate) app_id: Guid,
    pub(crate) created: i64,
    pub(crate) facts: Box<ApplicationWorld>,
    pub(crate) principal: Option<u32>,
    pub(crate) owners: Vec<u32>,
    pub(crate) passwords: Vec<Credential>,
    pub(crate) keys: Vec<Credential>,
    pub(crate) federated: Vec<FederatedWorld>,
    pub(crate) required: Vec<RequiredWorld>,
}

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: Guid,
    pub(crate) created: i64,
    pub(crate) last_sign_in: Option<i64>,
    pub(crate) sessions_valid_from: i64,
    pub(crate) facts: UserWorld,
}

/// A group, of which nothing but its name matters here.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: Guid,
    pub(crate) name: String,
}

/// Who holds an app role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Principal(u32),
    User(u32),
    Group(u32),
}

/// An app role assignment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assignment {
    pub(crate) holder: Holder,
    pub(crate) resource: u32,
    pub(crate) role: Guid,
    pub(crate) created: i64,
}

/// All app role assignments, found by either side.
#[derive(Debug, Default)]
pub(crate) struct Assignments {
    pub(crate) rows: Vec<Assignment>,
    pub(crate) gone: GoneRows,
    pub(crate) by_holder: HashMap<Holder, Vec<u32>>,
    pub(crate) by_resource: HashMap<u32, Vec<u32>>,
}

impl Assignments {
    pub(crate) fn add(&mut self, row: Assignment) {
        let number = number(self.rows.len());
        self.by_holder.entry(row.holder).or_default().push(number);
        self.by_resource.entry(row.resource).or_default().push(number);
        self.rows.push(row);
    }

    /// Rows of one holder that are not deleted.
    pub(crate) fn held_by(&self, holder: Holder) -> impl Iterator<Item = (u32, &Assignment)> {
        let rows = self.by_holder.get(&holder).into_iter().flatten();
        rows.filter(|row| !self.gone.contains_key(row)).map(|row| (*row, &self.rows[*row as usize]))
    }
}

/// A directory role held.
#[derive(Debug)]
pub(crate) struct DirectoryRole {
    pub(crate) role: String,
    pub(crate) holder: Holder,
    pub(crate) scope: String,
}

/// What a GUID names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    Principal(u32),
    Application(u32),
    User(u32),
}

/// The three collections that report their changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tracked {
    Principals,
    Applications,
    Grants,
}

/// Who the scanner is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ScannerRows {
    pub(crate) application: u32,
    pub(crate) principal: u32,
}

/// One directory.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) tenant: Guid,
    pub(crate) name: String,
    pub(crate) domains: Vec<String>,
    pub(crate) policies: Policies,
    pub(crate) behaviour: Behaviour,
    pub(crate) scanner: ScannerRows,
    pub(crate) graph: u32,
    pub(crate) principals: Vec<Principal>,
    pub(crate) gone_principals: GoneRows,
    pub(crate) applications: Vec<Application>,
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<Group>,
    pub(crate) objects: HashMap<Guid, Object>,
    pub(crate) clients: HashMap<Guid, u32>,
    pub(crate) grants: Grants,
    pub(crate) assignments: Assignments,
    pub(crate) directory_roles: Vec<DirectoryRole>,
    pub(crate) logs: Logs,
    pub(crate) changes: Vec<(Tracked, u32)>,
}

/// A row number; no lab has four thousand million rows.
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl State {
    /// Resolves a world.
    pub(crate) fn build(world: EntraWorld, now: Timestamp) -> Result<Self, EntraError> {
        let name = world.name.clone();
        Self::try_build(world, now).map_err(|problem| EntraError { tenant: name, problem })
    }

    fn try_build(mut world: EntraWorld, now: Timestamp) -> Result<Self, String> {
        let tenant = match &world.tenant_id {
            Some(text) => Guid::parse(text).ok_or_else(|| format!("`{text}` is not a GUID"))?,
            None => Guid::of(&format!("tenant/{}", world.name)),
        };
        let mut state = Self {
            tenant,
            name: world.name.clone(),
            domains: std::mem::take(&mut world.domains),
            policies: std::mem::take(&mut world.policies),
            behaviour: world.behaviour.clone(),
            scanner: ScannerRows::default(),
            graph: 0,
            principals: Vec::new(),
            gone_principals: GoneRows::new(),
            applications: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            objects: HashMap::new(),
            clients: HashMap::new(),
            grants: Grants::default(),
            assignments: Assignments::default(),
            directory_roles: Vec::new(),
            logs: Logs::default(),
            changes: Vec::new(),
        };
        for user in std::mem::take(&mut world.users) {
            state.add_user(user, now);
        }
        for facts in std::mem::take(&mut world.service_principals) {
            state.add_principal(facts, now)?;
        }
        for facts in std::mem::take(&mut world.applications) {
            state.add_application(facts, now)?;
        }
        let graph = Guid::parse(GRAPH).unwrap_or_default();
        state.graph =
            *state.clients.get(&graph).ok_or("no service principal is Microsoft Graph")?;
        state.add_scanner(&world, now)?;
        if let Some(scale) = &world.generated {
            generate::grow(&mut state, scale, now)?;
        }
        for grant in &world.delegated_grants {
            let client = state.principal_named(&grant.app)?;
            let resource = state.resource(grant.resource.as_deref())?;
            let user = match &grant.user {
                Some(username) => Some(state.user_named(username)?),
                None => None,
            };
            state.grants.add(client, resource, user, &grant.scope);
        }
        for it in &world.app_role_assignments {
            state.assign(it, now)?;
        }
        for it in &world.directory_roles {
            let holder = state.holder(&it.principal)?;
            let scope = it.scope.clone().unwrap_or_else(|| "/".to_owned());
            state.directory_roles.push(DirectoryRole { role: it.role.clone(), holder, scope });
        }
        state.check_names()?;
        let logs = Logs::build(&state, &world, now)?;
        state.logs.extend(logs);
        Ok(state)
    }

    fn add_scanner(&mut self, world: &EntraWorld, now: Timestamp) -> Result<(), String> {
        let scanner = &world.scanner;
        let application = self
            .applications
            .iter()
            .position(|application| application.facts.name == scanner.application)
            .ok_or_else(|| {
                format!("scanner: no application is called `{}`", scanner.application)
            })?;
        let row = &mut self.applications[application];
        let id = row.app_id;
        row.passwords.push(Credential {
            id: Guid::of(&format!("{id}/lab-secret")),
            name: "grantwarden-lab secret".to_owned(),
            start: now.as_second() - 30 * 86_400,
            end: scanner.secret_end.seconds(now),
            last_used: None,
            thumbprint: None,
        });
        let principal = row.principal.ok_or_else(|| {
            format!("scanner: `{}` has no service principal", scanner.application)
        })?;
        self.scanner = ScannerRows { application: number(application), principal };
        for role in &scanner.roles {
            self.hold_graph_role(role, true, now.as_second());
        }
        Ok(())
    }

    /// Gives the scanner an app role of Microsoft Graph, or takes it.
    pub(crate) fn hold_graph_role(&mut self, value: &str, held: bool, now: i64) {
        let graph = &mut self.principals[self.graph as usize];
        let id = role_id(graph.app_id, value);
        let api = graph.api.get_or_insert_default();
        if held && !api.roles.iter().any(|role| role.id == id) {
            let members = vec!["Application".to_owned()];
            api.roles.push(AppRole { id, value: value.to_owned(), enabled: true, members });
        }
        let holder = Holder::Principal(self.scanner.principal);
        let of_role = |row: &Assignment| row.resource == self.graph && row.role == id;
        let rows: Vec<u32> = self
            .assignments
            .held_by(holder)
            .filter(|(_, row)| of_role(row))
            .map(|it| it.0)
            .collect();
        if held && rows.is_empty() {
            self.assignments.add(Assignment {
                holder,
                resource: self.graph,
                role: id,
                created: now,
            });
        }
        if !held {
            self.assignments.gone.extend(rows.into_iter().map(|row| (row, Gone::NOW)));
        }
    }

    /// Values of the Microsoft Graph app roles that the scanner holds now.
    pub(crate) fn scanner_roles(&self) -> Vec<&str> {
        let graph = &self.principals[self.graph as usize];
        self.assignments
            .held_by(Holder::Principal(self.scanner.principal))
            .filter(|(_, row)| row.resource == self.graph)
            .filter_map(|(_, row)| graph.roles().iter().find(|role| role.id == row.role))
            .map(|role| role.value.as_str())
            .collect()
    }

    pub(crate) fn add_user(&mut self, facts: UserWorld, now: Timestamp) -> u32 {
        let id = Guid::of(&format!("{}/user/{}", self.tenant, facts.username));
        let row = number(self.users.len());
        let created = facts.created.seconds(now);
        self.objects.insert(id, Object::User(row));
        let last_sign_in = facts.last_sign_in.map(|at| at.seconds(now));
        self.users.push(User { id, created, last_sign_in, sessions_valid_from: created, facts });
        row
    }

    pub(crate) fn add_principal(
        &mut self,
        mut facts: ServicePrincipalWorld,
        now: Timestamp,
    ) -> Result<u32, String> {
        let id = self.given(facts.id.as_deref(), "principal", &facts.name)?;
        let app_id = match facts.app_id.as_deref() {
            Some(text) => Guid::parse(text).ok_or_else(|| format!("`{text}` is not a GUID"))?,
            None => Guid::of(&format!("app/{}", facts.name)),
        };
        let owner = match facts.owner.as_deref() {
            Some("microsoft") => Guid::parse(MICROSOFT),
            Some("own") => Some(self.tenant),
            Some("none") => None,
            Some(text) => Some(Guid::parse(text).ok_or_else(|| format!("`{text}` is not a GUID"))?),
            None if facts.kind == "ManagedIdentity" => None,
            None => Some(Guid::of(&format!(
                "vendor/{}",
                facts.publisher.as_ref().unwrap_or(&facts.name)
            ))),
        };
        let owners = self.users_named(&facts.owners)?;
        let place = format!("{app_id}/principal");
        let passwords = Credential::all(&place, std::mem::take(&mut facts.passwords), now)?;
        let keys = Credential::all(&place, std::mem::take(&mut facts.keys), now)?;
        let api = Api::of(app_id, &facts);
        facts.app_roles = Vec::new();
        facts.scopes = Vec::new();
        let row = number(self.principals.len());
        if self.objects.insert(id, Object::Principal(row)).is_some() {
            return Err(format!("two objects have the id of service principal `{}`", facts.name));
        }
        if self.clients.insert(app_id, row).is_some() {
            return Err(format!("two service principals have the client id of `{}`", facts.name));
        }
        let facts = Box::new(facts);
        self.principals.push(Principal {
            id,
            app_id,
            owner,
            facts,
            api,
            owners,
            passwords,
            keys,
            deleted: false,
        });
        Ok(row)
    }

    pub(crate) fn add_application(
        &mut self,
        mut facts: ApplicationWorld,
        now: Timestamp,
    ) -> Result<u32, String> {
        let id = self.given(facts.id.as_deref(), "application", &facts.name)?;
        let app_id = match facts.app_id.as_deref() {
            Some(text) => Guid::parse(text).ok_or_else(|| format!("`{text}` is not a GUID"))?,
            None => Guid::of(&format!("{}/app/{}", self.tenant, facts.name)),
        };
        let owners = self.users_named(&facts.owners)?;
        let principal = if facts.without_service_principal {
            None
        } else {
            let twin = ServicePrincipalWorld {
                name: facts.name.clone(),
                app_id: Some(app_id.to_string()),
                owner: Some("own".to_owned()),
                enabled: facts.enabled,
                audience: Some(facts.audience.clone()),
                reply_urls: facts.redirect_uris.clone(),
                owners: facts.owners.clone(),
                app_roles: facts.app_roles.clone(),
                scopes: facts.scopes.clone(),
                tags: vec!["WindowsAzureActiveDirectoryIntegratedApp".to_owned()],
                ..ServicePrincipalWorld::default()
            };
            Some(self.add_principal(twin, now)?)
        };
        let place = format!("{app_id}/application");
        let passwords = Credential::all(&place, std::mem::take(&mut facts.passwords), now)?;
        let keys = Credential::all(&place, std::mem::take(&mut facts.keys), now)?;
        let federated = std::mem::take(&mut facts.federated);
        let required = std::mem::take(&mut facts.required);
        let created = facts.created.seconds(now);
        let row = number(self.applications.len());
        if self.objects.insert(id, Object::Application(row)).is_some() {
            return Err(format!("two objects have the id of application `{}`", facts.name));
        }
        let facts = Box::new(facts);
        self.applications.push(Application {
            id,
            app_id,
            created,
            facts,
            principal,
            owners,
            passwords,
            keys,
            federated,
            required,
        });
        Ok(row)
    }

    fn assign(
        &mut self,
        it: &super::world::AppRoleAssignmentWorld,
        now: Timestamp,
    ) -> Result<(), String> {
        let holder = if it.group { self.group(&it.principal) } else { self.holder(&it.principal)? };
        let resource = self.resource(it.resource.as_deref())?;
        let created = it.created.seconds(now);
        if it.roles.is_empty() {
            self.assignments.add(Assignment { holder, resource, role: Guid::ZERO, created });
        }
        for value in &it.roles {
            let roles = self.principals[resource as usize].roles();
            let role = roles.iter().find(|role| role.value == *value).map(|role| role.id);
            let role = role.ok_or_else(|| {
                let resource = &self.principals[resource as usize].facts.name;
                format!("`{resource}` has no app role `{value}`")
            })?;
            self.assignments.add(Assignment { holder, resource, role, created });
        }
        Ok(())
    }

    /// Finds names that are only looked up when somebody asks.
    fn check_names(&self) -> Result<(), String> {
        self.users_named(&self.policies.reviewers)?;
        for it in self.applications.iter().flat_map(|application| &application.required) {
            let resource = &self.principals[self.resource(it.resource.as_deref())? as usize];
            let role = |name: &String| resource.roles().iter().any(|role| role.value == *name);
            let scope = |name: &String| resource.scopes().iter().any(|scope| scope.value == *name);
            let unknown = it.roles.iter().find(|name| !role(name));
            if let Some(name) = unknown.or_else(|| it.scopes.iter().find(|name| !scope(name))) {
                return Err(format!("`{}` has no permission `{name}`", resource.facts.name));
            }
        }
        Ok(())
    }

    fn given(&self, id: Option<&str>, kind: &str, name: &str) -> Result<Guid, String> {
        match id {
            Some(text) => Guid::parse(text).ok_or_else(|| format!("`{text}` is not a GUID")),
            None => Ok(Guid::of(&format!("{}/{kind}/{name}", self.tenant))),
        }
    }

    fn users_named(&self, names: &[String]) -> Result<Vec<u32>, String> {
        names.iter().map(|name| self.user_named(name)).collect()
    }

    fn group(&mut self, name: &str) -> Holder {
        let known = self.groups.iter().position(|group| group.name == name);
        Holder::Group(number(known.unwrap_or_else(|| {
            let id = Guid::of(&format!("{}/group/{name}", self.tenant));
            self.groups.push(Group { id, name: name.to_owned() });
            self.groups.len() - 1
        })))
    }

    /// The service principal or user of this name.
    pub(crate) fn holder(&self, name: &str) -> Result<Holder, String> {
        match self.find_user(name) {
            Some(user) => Ok(Holder::User(user)),
            None => self.principal_named(name).map(Holder::Principal),
        }
    }

    /// The service principal of a resource; Microsoft Graph if none is named.
    pub(crate) fn resource(&self, name: Option<&str>) -> Result<u32, String> {
        name.map_or(Ok(self.graph), |name| self.principal_named(name))
    }

    pub(crate) fn principal_named(&self, name: &str) -> Result<u32, String> {
        self.find_principal(name).ok_or_else(|| format!("no service principal is called `{name}`"))
    }

    pub(crate) fn user_named(&self, username: &str) -> Result<u32, String> {
        self.find_user(username).ok_or_else(|| format!("no user is called `{username}`"))
    }

    pub(crate) fn find_principal(&self, name: &str) -> Option<u32> {
        let named = |principal: &Principal| !principal.deleted && principal.facts.name == name;
        self.principals.iter().position(named).map(number)
    }

    pub(crate) fn find_user(&self, username: &str) -> Option<u32> {
        let named = |user: &User| user.facts.username.eq_ignore_ascii_case(username);
        self.users.iter().position(named).map(number)
    }

    /// Id, type and name of who holds something.
    pub(crate) fn held_by(&self, holder: Holder) -> (Guid, &'static str, String) {
        match holder {
            Holder::Principal(row) => {
                let principal = &self.principals[row as usize];
                (principal.id, "ServicePrincipal", principal.facts.name.clone())
            }
            Holder::User(row) => {
                let user = &self.users[row as usize];
                (user.id, "User", user.display_name())
            }
            Holder::Group(row) => {
                let group = &self.groups[row as usize];
                (group.id, "Group", group.name.clone())
            }
        }
    }

    /// Whether a service principal still counts.
    pub(crate) fn principal_lives(&self, row: u32) -> bool {
        !self.principals[row as usize].deleted
    }

    /// Whether both sides of a grant still count.
    pub(crate) fn grant_lives(&self, row: u32) -> bool {
        let grant = &self.grants.rows[row as usize];
        !self.grants.gone.contains_key(&row)
            && self.principal_lives(grant.client)
            && self.principal_lives(grant.resource)
    }

    /// Whether both sides of an assignment still count.
    pub(crate) fn assignment_lives(&self, row: u32) -> bool {
        let it = &self.assignments.rows[row as usize];
        let held = match it.holder {
            Holder::Principal(row) => self.principal_lives(row),
            Holder::User(row) => !self.users[row as usize].facts.deleted,
            Holder::Group(_) => true,
        };
        held && self.principal_lives(it.resource) && !self.assignments.gone.contains_key(&row)
    }
}

impl User {
    /// `displayName`: as given, or from the username (`ada.admin@…` as `Ada Admin`).
    pub(crate) fn display_name(&self) -> String {
        let from_username = || {
            let local = self.facts.username.split('@').next().unwrap_or_default();
            let words = local.split('.').map(|word| {
                let mut letters = word.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                first.into_iter().chain(letters).collect::<String>()
            });
            words.collect::<Vec<_>>().join(" ")
        };
        self.facts.name.clone().unwrap_or_else(from_username)
    }
}
