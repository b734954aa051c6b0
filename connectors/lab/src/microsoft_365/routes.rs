//! Graph's addresses: which permission each needs, and which resource answers it.

use super::Core;
use super::assignments::{ASSIGNMENTS, AssignmentRows, Side};
use super::delta;
use super::error::Refusal;
use super::grants::GrantRows;
use super::guid::Guid;
use super::listing::{Ask, Documents, Filtered, Options, Rows, Schema};
use super::log::{
    ACTIVITIES, AUDITS, ActivityRows, BETA_SIGN_INS, CREDENTIALS, Kept, SIGN_INS,
    credential_activities,
};
use super::people::{GRANTS, OWNERS, USERS, UserRows, asks_sign_in_activity, get_by_ids};
use super::policies;
use super::principals::{
    APPLICATIONS, ApplicationRows, FEDERATED, PRINCIPALS, PrincipalRows, federated,
};
use super::quota::Charge;
use super::state::{Holder, Object, Tracked};
use crate::wire::{Reply, Request};

const READ_APPS: &[&str] = &["Application.Read.All", "Application.ReadWrite.All"];
const WRITE_APPS: &[&str] = &["Application.ReadWrite.All"];
const READ_GRANTS: &[&str] =
    &["Directory.Read.All", "Directory.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"];
const WRITE_GRANTS: &[&str] =
    &["DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"];
const WRITE_ASSIGNMENTS: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
const READ_USERS: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const READ_OBJECTS: &[&str] = &["Directory.Read.All", "Directory.ReadWrite.All"];
const READ_ORGANIZATION: &[&str] =
    &["Directory.Read.All", "Directory.ReadWrite.All", "Organization.Read.All"];
const READ_POLICIES: &[&str] = &["Policy.Read.All"];
const READ_GRANT_POLICIES: &[&str] =
    &["Policy.Read.PermissionGrant", "Policy.ReadWrite.PermissionGrant"];
const READ_ROLES: &[&str] =
    &["RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"];
const READ_LOGS: &[&str] = &["AuditLog.Read.All"];
const READ_REPORTS: &[&str] = &["AuditLog.Read.All", "Directory.Read.All"];

/// Who calls, by the app roles that are both in the token and still granted.
struct Caller(Vec<String>);

impl Caller {
    fn has(&self, any: &[&str]) -> bool {
        self.0.iter().any(|role| any.contains(&role.as_str()))
    }

    fn needs(&self, any: &[&str]) -> Result<(), Refusal> {
        if self.has(any) { Ok(()) } else { Err(Refusal::denied()) }
    }
}

/// A segment as the client meant it: `%24batch` is `$batch`.
fn decoded(segment: &str) -> String {
    let text = format!("x={}", segment.replace('+', "%2B"));
    form_urlencoded::parse(text.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// `servicePrincipals(appId='…')` as its collection and the client id.
fn by_client_id(segment: &str) -> Option<(&str, &str)> {
    let (collection, rest) = segment.split_once("(appId='")?;
    Some((collection, rest.strip_suffix("')")?))
}

impl Core {
    /// Everything under `/v1.0` and `/beta`.
    pub(super) fn graph(
        &self,
        version: &str,
        rest: &[&str],
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let path: Vec<String> = rest.iter().map(|segment| decoded(segment)).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let (caller, app, tenant) = {
            let state = self.state();
            let session = self.signed_in(&state, request)?;
            let granted = state.scanner_roles();
            let roles = session.roles.into_iter().filter(|role| granted.contains(&role.as_str()));
            (Caller(roles.collect()), session.app, state.tenant)
        };
        if path == ["$batch"] {
            return self.batch(version, request);
        }
        let charge = Charge::of(request, &path);
        let wall_ms = self.clock.wall().as_millisecond();
        let charged = self.quota.take(charge, wall_ms, app, tenant)?;
        self.count_call();
        let reply = if request.method == "GET" || path == ["directoryObjects", "getByIds"] {
            self.read(&caller, version, &path, request)
        } else {
            self.write(&caller, version, &path, request)
        };
        reply.map(|reply| charged.stamp(reply))
    }

    fn read(
        &self,
        caller: &Caller,
        version: &str,
        path: &[&str],
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let state = self.state();
        let joined = path.join("/");
        let ask = Ask {
            base_url: &self.base_url,
            version,
            path: &joined,
            request,
            view: self.view(&state),
            cursors: &self.cursors,
        };
        match path {
            ["auditLogs" | "reports", ..] => logs(caller, ask, path),
            _ if version == "beta" => Err(Refusal::segment(path.first().unwrap_or(&""))),
            ["directoryObjects", "getByIds"] => {
                if request.method != "POST" {
                    return Err(Refusal::method());
                }
                caller.needs(READ_OBJECTS)?;
                get_by_ids(ask)
            }
            ["users", rest @ ..] => users(caller, ask, rest),
            ["organization", ..] | ["policies", ..] | ["roleManagement", ..] => {
                settings(caller, ask, path)
            }
            [_, "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()"] => {
                self.changes(caller, ask, path[0])
            }
            _ => directory(caller, ask, path),
        }
    }

    fn changes(&self, caller: &Caller, ask: Ask<'_>, collection: &str) -> Result<Reply, Refusal> {
        let view = ask.view;
        let state = view.state;
        match collection {
            "servicePrincipals" => {
                caller.needs(READ_APPS)?;
                let removed = |at: usize| state.principals[at].deleted.then_some("changed");
                let rows = PrincipalRows(view);
                delta::page(ask, &self.marks, Tracked::Principals, &PRINCIPALS, &rows, removed)
            }
            "applications" => {
                caller.needs(READ_APPS)?;
                let rows = ApplicationRows(view);
                delta::page(ask, &self.marks, Tracked::Applications, &APPLICATIONS, &rows, |_| None)
            }
            "oauth2PermissionGrants" => {
                caller.needs(READ_GRANTS)?;
                let removed =
                    |at: usize| (!state.grant_lives(super::state::number(at))).then_some("deleted");
                let rows = GrantRows::new(view, &super::filter::Filter::default());
                delta::page(ask, &self.marks, Tracked::Grants, &GRANTS, &rows, removed)
            }
            other => Err(Refusal::segment(other)),
        }
    }

    fn write(
        &self,
        caller: &Caller,
        version: &str,
        path: &[&str],
        request: &Request,
    ) -> Result<Reply, Refusal> {
        if version == "beta" {
            return Err(Refusal::segment(path.first().unwrap_or(&"")));
        }
        if let Some((name, _)) = request.query.first() {
            return Err(super::listing::unknown_option(name));
        }
        match (request.method.as_str(), path) {
            ("DELETE", ["oauth2PermissionGrants", id]) => {
                caller.needs(WRITE_GRANTS)?;
                self.delete_grant(id)
            }
            ("PATCH", ["oauth2PermissionGrants", id]) => {
                caller.needs(WRITE_GRANTS)?;
                self.patch_grant(id, request)
            }
            (
                "DELETE",
                [
                    "servicePrincipals",
                    principal,
                    side @ ("appRoleAssignedTo" | "appRoleAssignments"),
                    id,
                ],
            ) => {
                caller.needs(WRITE_ASSIGNMENTS)?;
                self.delete_assignment(principal, *side == "appRoleAssignedTo", id)
            }
            ("PATCH", ["servicePrincipals", id]) => {
                caller.needs(WRITE_APPS)?;
                self.patch_principal(id, request)
            }
            ("DELETE", ["servicePrincipals", id]) => {
                caller.needs(WRITE_APPS)?;
                self.delete_principal(id)
            }
            ("POST", ["servicePrincipals", id, "removePassword"]) => {
                caller.needs(WRITE_APPS)?;
                self.remove_principal_password(id, request)
            }
            ("POST", ["applications", id, "removePassword"]) => {
                caller.needs(WRITE_APPS)?;
                self.remove_application_password(id, request)
            }
            ("PATCH", ["applications", id]) => {
                caller.needs(WRITE_APPS)?;
                self.patch_application(id, request)
            }
            ("POST", ["directory", "deletedItems", id, "restore"]) => {
                caller.needs(WRITE_APPS)?;
                let row = self.restore(id)?;
                let state = self.state();
                let ask = Ask {
                    base_url: &self.base_url,
                    version,
                    path: "directoryObjects",
                    request,
                    view: self.view(&state),
                    cursors: &self.cursors,
                };
                let rows = PrincipalRows(ask.view);
                Ok(ask.one(&PRINCIPALS, &Options::default(), &rows, row as usize))
            }
            ("POST", ["users", id, "revokeSignInSessions"]) => {
                caller.needs(&["User.RevokeSessions.All"])?;
                self.revoke_sessions(id)
            }
            ("PATCH", ["policies", "authorizationPolicy"]) => {
                caller.needs(&["Policy.ReadWrite.Authorization"])?;
                self.patch_authorization(request)
            }
            ("DELETE" | "PATCH" | "POST", [first, ..]) if COLLECTIONS.contains(first) => {
                Err(Refusal::method())
            }
            (_, [first, ..]) => Err(Refusal::segment(first)),
            (_, []) => Err(Refusal::segment("")),
        }
    }
}

const COLLECTIONS: [&str; 9] = [
    "servicePrincipals",
    "applications",
    "oauth2PermissionGrants",
    "users",
    "organization",
    "policies",
    "roleManagement",
    "directory",
    "directoryObjects",
];

fn listed<R: Rows>(ask: Ask<'_>, schema: &Schema, rows: R) -> Result<Reply, Refusal> {
    let options = Options::of_list(ask.request, schema)?;
    let rows = Filtered { rows, filter: options.filter.clone() };
    ask.page(schema, &options, &rows)
}

fn documents(
    ask: Ask<'_>,
    schema: &Schema,
    list: Vec<serde_json::Value>,
) -> Result<Reply, Refusal> {
    listed(ask, schema, Documents(list))
}

fn document(ask: Ask<'_>, schema: &Schema, one: serde_json::Value) -> Result<Reply, Refusal> {
    let options = Options::of_one(ask.request, schema)?;
    Ok(ask.one(schema, &options, &Documents(vec![one]), 0))
}

/// `auditLogs` and `reports`.
fn logs(caller: &Caller, ask: Ask<'_>, path: &[&str]) -> Result<Reply, Refusal> {
    let view = ask.view;
    let state = view.state;
    let beta = ask.version == "beta";
    match path {
        ["auditLogs", "directoryAudits"] => {
            if !caller.has(READ_LOGS) {
                return Err(Refusal::logs_denied());
            }
            let rows = Kept::new(view, &state.logs.audits, "activityDateTime");
            listed(ask, &AUDITS, rows)
        }
        ["auditLogs", "signIns"] => {
            let read = !state.behaviour.sign_ins_need_directory_read || caller.has(READ_OBJECTS);
            if !caller.has(READ_LOGS) || !read {
                return Err(Refusal::logs_denied());
            }
            if !state.behaviour.premium {
                return Err(Refusal::licence());
            }
            let schema = if beta { &BETA_SIGN_INS } else { &SIGN_INS };
            let rows = Kept::new(view, &state.logs.sign_ins, "createdDateTime");
            let options = Options::of_list(ask.request, schema)?;
            // Without a word about kinds, only interactive sign-ins of users are shown.
            let kinds = options.filter.clauses.iter().any(|it| it.property == "signInEventTypes");
            let interactive = |rows: &Kept<'_>, at: usize| {
                kinds || rows.value(at, "isInteractive") == serde_json::Value::Bool(true)
            };
            let rows = Interactive { rows, shows: interactive };
            let rows = Filtered { rows, filter: options.filter.clone() };
            ask.page(schema, &options, &rows)
        }
        [
            "reports",
            report @ ("servicePrincipalSignInActivities" | "appCredentialSignInActivities"),
        ] => {
            if !beta || state.behaviour.national_cloud {
                return Err(Refusal::segment(report));
            }
            caller.needs(READ_REPORTS)?;
            if !state.behaviour.premium {
                return Err(Refusal::licence());
            }
            if *report == "appCredentialSignInActivities" {
                return documents(ask, &CREDENTIALS, credential_activities(view));
            }
            listed(ask, &ACTIVITIES, ActivityRows(view))
        }
        _ => Err(Refusal::segment(path.last().unwrap_or(&""))),
    }
}

/// Sign-ins, of one kind unless others are asked for.
struct Interactive<R, F> {
    rows: R,
    shows: F,
}

impl<R: Rows, F: Fn(&R, usize) -> bool> Rows for Interactive<R, F> {
    fn length(&self) -> usize {
        self.rows.length()
    }

    fn shown(&self, at: usize) -> bool {
        self.rows.shown(at) && (self.shows)(&self.rows, at)
    }

    fn value(&self, at: usize, property: &str) -> serde_json::Value {
        self.rows.value(at, property)
    }
}

/// `users` and one user.
fn users(caller: &Caller, ask: Ask<'_>, rest: &[&str]) -> Result<Reply, Refusal> {
    caller.needs(READ_USERS)?;
    let view = ask.view;
    let activity = |options: &Options| {
        if !asks_sign_in_activity(options) {
            return Ok(());
        }
        if !caller.has(READ_LOGS) {
            return Err(Refusal::logs_denied());
        }
        if view.state.behaviour.premium { Ok(()) } else { Err(Refusal::licence()) }
    };
    let rows = UserRows(view);
    match rest {
        [] => {
            let options = Options::of_list(ask.request, &USERS)?;
            activity(&options)?;
            let rows = Filtered { rows, filter: options.filter.clone() };
            ask.page(&USERS, &options, &rows)
        }
        [id] => {
            let options = Options::of_one(ask.request, &USERS)?;
            activity(&options)?;
            let row = match Guid::parse(id).and_then(|guid| view.state.objects.get(&guid)) {
                Some(Object::User(row)) => Some(*row),
                _ => view.state.find_user(id),
            };
            let at = row.map(|row| row as usize).filter(|at| rows.shown(*at));
            let at = at.ok_or_else(|| Refusal::not_found(id))?;
            Ok(ask.one(&USERS, &options, &rows, at))
        }
        [_, other, ..] => Err(Refusal::segment(other)),
    }
}

/// The organisation, its policies and its directory roles.
fn settings(caller: &Caller, ask: Ask<'_>, path: &[&str]) -> Result<Reply, Refusal> {
    let view = ask.view;
    match path {
        ["organization"] => {
            caller.needs(READ_ORGANIZATION)?;
            documents(ask, &policies::ORGANIZATION, vec![policies::organization(view)])
        }
        ["organization", id] => {
            caller.needs(READ_ORGANIZATION)?;
            if Guid::parse(id) != Some(view.state.tenant) {
                return Err(Refusal::not_found(id));
            }
            document(ask, &policies::ORGANIZATION, policies::organization(view))
        }
        ["policies", "authorizationPolicy"] => {
            caller.needs(READ_POLICIES)?;
            document(ask, &policies::AUTHORIZATION, policies::authorization(view))
        }
        ["policies", "adminConsentRequestPolicy"] => {
            caller.needs(READ_POLICIES)?;
            document(ask, &policies::ADMIN_CONSENT, policies::admin_consent(view))
        }
        ["policies", "defaultAppManagementPolicy"] => {
            caller.needs(READ_POLICIES)?;
            document(ask, &policies::APP_MANAGEMENT, policies::app_management(view))
        }
        ["policies", "tokenLifetimePolicies"] => {
            caller.needs(READ_POLICIES)?;
            documents(ask, &policies::TOKEN_LIFETIME, policies::token_lifetime(view))
        }
        ["policies", "permissionGrantPolicies"] => {
            caller.needs(READ_GRANT_POLICIES)?;
            documents(ask, &policies::GRANT_POLICIES, policies::grant_policies(view))
        }
        ["roleManagement", "directory", "roleAssignments"] => {
            caller.needs(READ_ROLES)?;
            documents(ask, &policies::ROLE_ASSIGNMENTS, policies::role_assignments(view))
        }
        ["roleManagement", "directory", "roleDefinitions"] => {
            caller.needs(READ_ROLES)?;
            documents(ask, &policies::ROLE_DEFINITIONS, policies::role_definitions(view))
        }
        _ => Err(Refusal::segment(path.last().unwrap_or(&""))),
    }
}

/// Service principals, applications and delegated grants.
fn directory(caller: &Caller, ask: Ask<'_>, path: &[&str]) -> Result<Reply, Refusal> {
    let view = ask.view;
    let (collection, id, rest) = match path {
        [] => return Err(Refusal::segment("")),
        [first, rest @ ..] => match by_client_id(first) {
            Some((collection, client)) => (collection, Some(Id::Client(client)), rest),
            None => match rest {
                [] => (*first, None, rest),
                [id, rest @ ..] => (*first, Some(Id::Object(id)), rest),
            },
        },
    };
    match collection {
        "servicePrincipals" => {
            caller.needs(READ_APPS)?;
            let rows = PrincipalRows(view);
            let Some(id) = id else { return listed(ask, &PRINCIPALS, rows) };
            let row = id.principal(view.state).filter(|row| view.state.principal_lives(*row));
            let row = row.ok_or_else(|| Refusal::not_found(id.text()))?;
            match rest {
                [] => {
                    let options = Options::of_one(ask.request, &PRINCIPALS)?;
                    Ok(ask.one(&PRINCIPALS, &options, &rows, row as usize))
                }
                ["appRoleAssignedTo"] => {
                    listed(ask, &ASSIGNMENTS, AssignmentRows::new(view, Side::Resource(row)))
                }
                ["appRoleAssignments"] => {
                    let side = Side::Holder(Holder::Principal(row));
                    listed(ask, &ASSIGNMENTS, AssignmentRows::new(view, side))
                }
                ["owners"] => documents(ask, &OWNERS, list(rows.relation(row as usize, "owners"))),
                [other, ..] => Err(Refusal::segment(other)),
            }
        }
        "applications" => {
            caller.needs(READ_APPS)?;
            let rows = ApplicationRows(view);
            let Some(id) = id else { return listed(ask, &APPLICATIONS, rows) };
            let row = id.application(view.state).ok_or_else(|| Refusal::not_found(id.text()))?;
            let at = row as usize;
            match rest {
                [] => {
                    let options = Options::of_one(ask.request, &APPLICATIONS)?;
                    Ok(ask.one(&APPLICATIONS, &options, &rows, at))
                }
                ["federatedIdentityCredentials"] => {
                    documents(ask, &FEDERATED, federated(&view.state.applications[at]))
                }
                ["owners"] => documents(ask, &OWNERS, list(rows.relation(at, "owners"))),
                [other, ..] => Err(Refusal::segment(other)),
            }
        }
        "oauth2PermissionGrants" => {
            caller.needs(READ_GRANTS)?;
            match (id, rest) {
                (None, _) => {
                    let options = Options::of_list(ask.request, &GRANTS)?;
                    let rows = GrantRows::new(view, &options.filter);
                    ask.page(&GRANTS, &options, &rows)
                }
                (Some(id), []) => {
                    let options = Options::of_one(ask.request, &GRANTS)?;
                    let row = view.state.grant_of(id.text());
                    let row = row.filter(|row| view.state.grant_lives(*row));
                    let at = row.ok_or_else(|| Refusal::not_found(id.text()))? as usize;
                    let rows = GrantRows::new(view, &options.filter);
                    Ok(ask.one(&GRANTS, &options, &rows, at))
                }
                (Some(_), [other, ..]) => Err(Refusal::segment(other)),
            }
        }
        other => Err(Refusal::segment(other)),
    }
}

fn list(value: serde_json::Value) -> Vec<serde_json::Value> {
    match value {
        serde_json::Value::Array(list) => list,
        _ => Vec::new(),
    }
}

/// How a path names one object.
#[derive(Clone, Copy)]
enum Id<'p> {
    Object(&'p str),
    Client(&'p str),
}

impl<'p> Id<'p> {
    fn text(self) -> &'p str {
        match self {
            Self::Object(text) | Self::Client(text) => text,
        }
    }

    fn principal(self, state: &super::state::State) -> Option<u32> {
        let guid = Guid::parse(self.text())?;
        match self {
            Self::Client(_) => state.clients.get(&guid).copied(),
            Self::Object(_) => match state.objects.get(&guid)? {
                Object::Principal(row) => Some(*row),
                Object::Application(_) | Object::User(_) => None,
            },
        }
    }

    fn application(self, state: &super::state::State) -> Option<u32> {
        let guid = Guid::parse(self.text())?;
        match self {
            Self::Client(_) => {
                let own = state.applications.iter().position(|it| it.app_id == guid);
                own.map(super::state::number)
            }
            Self::Object(_) => match state.objects.get(&guid)? {
                Object::Application(row) => Some(*row),
                Object::Principal(_) | Object::User(_) => None,
            },
        }
    }
}
