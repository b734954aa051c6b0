//! Directories of any size, the same for the same seed. Rows go straight into the state, since a
//! large directory is too many texts for a world.

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::guid::Guid;
use super::log::Activity;
use super::state::{Assignment, GRAPH, GRAPH_NAME, Holder, State, number};
use super::world::{
    ApplicationWorld, CredentialWorld, EntraWorld, FederatedWorld, Scanner, ServicePrincipalWorld,
    UserWorld,
};
use crate::moment::Moment;

/// How large a generated directory is. All numbers are totals.
#[derive(Debug, Clone, Copy)]
pub struct EntraScale {
    /// Service principals, those of applications and resources included.
    pub principals: usize,
    /// Own applications, the scanner's included.
    pub applications: usize,
    /// Users.
    pub users: usize,
    /// Delegated grants.
    pub grants: usize,
    /// Service principals with app roles, Microsoft Graph included.
    pub resources: usize,
    /// The same seed gives the same directory.
    pub seed: u64,
    /// The time that all dates lie before.
    pub now: Timestamp,
}

/// Roles that a scanner needs to read everything and to revoke.
pub(crate) const SCANNER_ROLES: [&str; 10] = [
    "Application.Read.All",
    "Directory.Read.All",
    "AuditLog.Read.All",
    "Policy.Read.All",
    "Policy.Read.PermissionGrant",
    "RoleManagement.Read.Directory",
    "DelegatedPermissionGrant.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "User.RevokeSessions.All",
];

const ROLES: [&str; 6] = [
    "Mail.Read",
    "Mail.ReadWrite",
    "Files.Read.All",
    "User.Read.All",
    "Sites.Read.All",
    "Group.Read.All",
];
const SCOPES: [&str; 6] = [
    "User.Read",
    "openid profile email",
    "Mail.Read offline_access",
    "Files.ReadWrite.All offline_access",
    " Calendars.Read",
    "User.Read Mail.Send offline_access",
];
/// What a consent gets out of everything that could be asked for.
const GRAPH_SCOPES: [&str; 9] = [
    "User.Read",
    "openid",
    "profile",
    "email",
    "offline_access",
    "Mail.Read",
    "Mail.Send",
    "Files.ReadWrite.All",
    "Calendars.Read",
];

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// A directory with Microsoft Graph, a scanner and nothing else.
pub(crate) fn bare(name: &str) -> EntraWorld {
    EntraWorld {
        name: name.to_owned(),
        domains: vec!["generated.example".to_owned()],
        scanner: Scanner {
            application: "Grantwarden".to_owned(),
            roles: texts(&SCANNER_ROLES),
            ..Scanner::default()
        },
        service_principals: vec![ServicePrincipalWorld {
            name: GRAPH_NAME.to_owned(),
            app_id: Some(GRAPH.to_owned()),
            owner: Some("microsoft".to_owned()),
            app_roles: texts(&ROLES),
            scopes: texts(&GRAPH_SCOPES),
            ..ServicePrincipalWorld::default()
        }],
        applications: vec![ApplicationWorld {
            name: "Grantwarden".to_owned(),
            federated: vec![FederatedWorld {
                name: "ci".to_owned(),
                issuer: "https://token.actions.githubusercontent.com".to_owned(),
                subject: "repo:generated/grants:ref:refs/heads/main".to_owned(),
                ..FederatedWorld::default()
            }],
            ..ApplicationWorld::default()
        }],
        ..EntraWorld::default()
    }
}

fn ago(random: &mut StdRng, days: i64) -> Moment {
    Moment::FromNow(-random.random_range(3_600..days * 86_400))
}

/// Fills a directory up to the totals of a scale.
pub(crate) fn grow(state: &mut State, scale: &EntraScale, now: Timestamp) -> Result<(), String> {
    let mut random = StdRng::seed_from_u64(scale.seed);
    for serial in state.users.len()..scale.users {
        state.add_user(
            UserWorld {
                username: format!("user{serial:07}@generated.example"),
                enabled: !random.random_ratio(1, 20),
                guest: random.random_ratio(1, 25),
                created: ago(&mut random, 3_000),
                last_sign_in: random.random_ratio(9, 10).then(|| ago(&mut random, 400)),
                ..UserWorld::default()
            },
            now,
        );
    }
    for serial in state.applications.len()..scale.applications {
        let secret = CredentialWorld {
            name: format!("secret {serial}"),
            start: ago(&mut random, 700),
            end: Moment::FromNow(random.random_range(-200..700) * 86_400),
            ..CredentialWorld::default()
        };
        let facts = ApplicationWorld {
            name: format!("Own App {serial:05}"),
            created: ago(&mut random, 900),
            passwords: if random.random_bool(0.6) { vec![secret] } else { Vec::new() },
            ..ApplicationWorld::default()
        };
        state.add_application(facts, now)?;
    }
    let mut resources: Vec<u32> = (0..number(state.principals.len()))
        .filter(|row| !state.principals[*row as usize].roles().is_empty())
        .collect();
    for serial in state.principals.len()..scale.principals {
        let is_resource = resources.len() < scale.resources;
        let kind = if serial % 20 == 7 { "ManagedIdentity" } else { "Application" };
        let facts = ServicePrincipalWorld {
            name: format!("Generated App {serial:06}"),
            kind: kind.to_owned(),
            enabled: !random.random_ratio(1, 40),
            publisher: random.random_bool(0.4).then(|| format!("Vendor {}", serial % 97)),
            reply_urls: vec![format!("https://app{serial}.generated.example/callback")],
            app_roles: if is_resource { texts(&["Data.Read.All"]) } else { Vec::new() },
            scopes: if is_resource { texts(&["user_impersonation"]) } else { Vec::new() },
            ..ServicePrincipalWorld::default()
        };
        let row = state.add_principal(facts, now)?;
        if is_resource {
            resources.push(row);
        }
    }
    grants(state, scale, &resources, &mut random);
    Ok(())
}

fn grants(state: &mut State, scale: &EntraScale, resources: &[u32], random: &mut StdRng) {
    let now = scale.now.as_second();
    let principals = number(state.principals.len());
    let users = number(state.users.len());
    for client in 0..principals {
        if random.random_ratio(1, 3) {
            let time = |random: &mut StdRng| {
                random.random_bool(0.6).then(|| now - random.random_range(3_600..300 * 86_400))
            };
            let times = [time(random), None, time(random), None];
            state.logs.activities.push(Activity { principal: client, times });
        }
        if resources.is_empty() || !random.random_bool(0.5) {
            continue;
        }
        // Half of all roles are on Microsoft Graph, as in life.
        let resource = if random.random_bool(0.5) {
            state.graph
        } else {
            resources[random.random_range(0..resources.len())]
        };
        let roles = state.principals[resource as usize].roles();
        let role = roles.get(random.random_range(0..roles.len().max(1))).map(|role| role.id);
        let created = now - random.random_range(3_600..900 * 86_400);
        let role = role.unwrap_or(Guid::ZERO);
        let holder = Holder::Principal(client);
        state.assignments.add(Assignment { holder, resource, role, created });
    }
    while state.grants.rows.len() < scale.grants && principals > 0 {
        let client = random.random_range(0..principals);
        let for_all = users == 0 || random.random_ratio(1, 20);
        let user = (!for_all).then(|| random.random_range(0..users.max(1)));
        let graph = resources.is_empty() || random.random_ratio(9, 10);
        let (resource, scope) = if graph {
            (state.graph, SCOPES[random.random_range(0..SCOPES.len())])
        } else {
            (resources[random.random_range(0..resources.len())], "user_impersonation")
        };
        state.grants.add(client, resource, user, scope);
    }
}
