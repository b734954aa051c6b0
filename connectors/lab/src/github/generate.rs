//! Hosts of any size, the same for the same seed. Rows are made when the tenant starts, as indices, and
//! many share a second, so that a scanner that pages carelessly loses or doubles events.

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::build::place;
use super::state::{
    App, Credential, Hook, HookPlace, Installation, Key, NEVER, Organisation, Owner, Pat,
    Repository, Role, Signer, State, User,
};
use super::world::{
    ClassicToken, CredentialKind, GithubApp, GithubEnterprise, GithubOrganisation, GithubTokens,
    GithubUser, GithubWorld, PatPermissions, PatSelection, Permissions,
};

/// How large a generated host is.
#[derive(Debug, Clone, Copy)]
pub struct GithubScale {
    /// Organisations, beside those that are there; they belong to one enterprise.
    pub organisations: usize,
    /// Members of each organisation.
    pub users: usize,
    /// Apps, installed on every organisation.
    pub apps: usize,
    /// Authorised credentials (four of five) and approved fine-grained tokens (the fifth), in all.
    pub grants: usize,
    /// Repositories of each organisation; one in four has deploy keys, one in five webhooks.
    pub repositories: usize,
    /// The same seed gives the same world.
    pub seed: u64,
    /// The time that all dates lie before.
    pub now: Timestamp,
}

const DAY: i64 = 86_400;
const TWO_YEARS: i64 = 730 * DAY;
/// Rows that share a second now and then.
const TIE: u32 = 5;

const SCOPE_SETS: [&[&str]; 5] = [
    &["read:user", "user:email"],
    &["repo", "read:org"],
    &["repo", "workflow"],
    &["admin:org", "repo", "delete_repo"],
    &["gist"],
];

fn permission_map(pairs: &[(&str, &str)]) -> Permissions {
    pairs.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
}

/// Everything that a scan reads.
pub(crate) fn reading() -> Permissions {
    permission_map(&[
        ("administration", "read"),
        ("members", "read"),
        ("metadata", "read"),
        ("organization_administration", "read"),
        ("organization_hooks", "read"),
        ("organization_personal_access_token_requests", "read"),
        ("organization_personal_access_tokens", "read"),
        ("organization_plan", "read"),
        ("organization_secrets", "read"),
        ("repository_hooks", "read"),
    ])
}

fn writing() -> Permissions {
    permission_map(&[
        ("administration", "write"),
        ("metadata", "read"),
        ("organization_administration", "write"),
        ("organization_hooks", "write"),
        ("organization_personal_access_token_requests", "write"),
        ("organization_personal_access_tokens", "write"),
        ("repository_hooks", "write"),
    ])
}

/// An enterprise with one organisation of one owner, and nothing else.
pub(crate) fn bare(name: &str) -> GithubWorld {
    let owner = "generated-owner".to_owned();
    let organisation = "generated".to_owned();
    let enterprise = permission_map(&[
        ("enterprise_administration", "read"),
        ("enterprise_organization_installations", "read"),
    ]);
    let enterprise_write = permission_map(&[
        ("enterprise_organization_installation_repositories", "write"),
        ("enterprise_organization_installations", "write"),
    ]);
    let scopes = ["admin:org", "read:audit_log", "admin:org_hook", "repo", "admin:enterprise"];
    GithubWorld {
        name: name.to_owned(),
        enterprise: Some(GithubEnterprise {
            slug: "generated-enterprise".to_owned(),
            name: "Generated Enterprise".to_owned(),
            managed_users: false,
            owners: vec![owner.clone()],
        }),
        scanner: GithubApp {
            permissions: reading(),
            enterprise_permissions: enterprise,
            ..GithubApp::default()
        },
        revoker: GithubApp {
            permissions: writing(),
            enterprise_permissions: enterprise_write,
            ..GithubApp::default()
        },
        token: GithubTokens {
            owner: Some(ClassicToken {
                user: owner.clone(),
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
                sso: vec![organisation.clone()],
                expires: None,
            }),
            ..GithubTokens::default()
        },
        organisations: vec![GithubOrganisation {
            login: organisation.clone(),
            saml: true,
            ..GithubOrganisation::default()
        }],
        users: vec![GithubUser {
            login: owner,
            owner_of: vec![organisation],
            ..GithubUser::default()
        }],
        ..GithubWorld::default()
    }
}

/// Adds rows to a host that is being built.
pub(super) fn fill(state: &mut State, scale: &GithubScale) {
    let mut random = StdRng::seed_from_u64(scale.seed);
    let now = scale.now.as_second();
    organisations(state, scale, now);
    let first_user = state.users.len();
    users(state, scale, &mut random);
    repositories(state, scale, now, &mut random);
    let first_app = state.apps.len();
    apps(state, scale, now);
    installations(state, first_app, now, &mut random);
    grants(state, scale, first_user, now, &mut random);
}

fn organisations(state: &mut State, scale: &GithubScale, now: i64) {
    let template: Vec<(usize, Permissions)> = state
        .installations
        .iter()
        .filter(|row| state.apps[row.app].signer != Signer::Vendor && row.organisation == 0)
        .map(|row| (row.app, row.permissions.clone()))
        .collect();
    for number in 0..scale.organisations {
        let facts = GithubOrganisation {
            login: format!("generated-{number:03}"),
            saml: true,
            ..GithubOrganisation::default()
        };
        let id = state.fresh_id();
        state.organisations.push(Organisation { facts, id, created: now - TWO_YEARS });
        let organisation = state.organisations.len() - 1;
        for (app, permissions) in &template {
            let id = state.fresh_id();
            state.installations.push(Installation {
                id,
                organisation,
                app: *app,
                permissions: permissions.clone(),
                events: Vec::new(),
                repositories: None,
                created: now - 30 * DAY,
                updated: now - 30 * DAY,
                suspended: None,
                by: None,
                gone: NEVER,
            });
        }
        for token in &mut state.classic {
            token.sso.push(organisation);
        }
        if let Some(owner) = state.users.first_mut() {
            owner.roles.push((place(organisation), Role::Owner));
        }
    }
}

fn users(state: &mut State, scale: &GithubScale, random: &mut StdRng) {
    for organisation in 0..state.organisations.len() {
        for number in 0..scale.users {
            let id = state.fresh_id();
            state.users.push(User {
                login: format!("user{organisation:03}-{number:06}"),
                id,
                roles: vec![(place(organisation), Role::Member)],
                site_admin: false,
                without_two_factor: random.random_ratio(1, 50),
                ssh_keys: Vec::new(),
                deleted: false,
            });
        }
    }
}

fn second(now: i64, random: &mut StdRng) -> i64 {
    now - random.random_range(3_600..TWO_YEARS)
}

fn repositories(state: &mut State, scale: &GithubScale, now: i64, random: &mut StdRng) {
    for organisation in 0..state.organisations.len() {
        for number in 0..scale.repositories {
            let id = state.fresh_id();
            state.repositories.push(Repository {
                id,
                organisation,
                name: format!("repository-{number:05}"),
                public: number % 50 == 49,
                archived: number % 11 == 10,
                created: second(now, random),
            });
            let repository = state.repositories.len() - 1;
            if number % 4 == 0 {
                for copy in 0..=number % 3 {
                    let id = state.fresh_id();
                    state.deploy_keys.push(Key {
                        id,
                        repository,
                        title: format!("deploy {copy}"),
                        read_only: number % 8 == 0,
                        verified: true,
                        enabled: true,
                        added_by: None,
                        created: second(now, random),
                        last_used: random
                            .random_ratio(2, 3)
                            .then(|| now - random.random_range(0..90 * DAY)),
                        gone: NEVER,
                    });
                }
            }
            if number % 5 == 0 {
                let id = state.fresh_id();
                let created = second(now, random);
                state.hooks.push(Hook {
                    id,
                    place: HookPlace::Repository(repository),
                    url: format!("https://hooks{}.example/github", number % 17),
                    content_type: "json".to_owned(),
                    insecure_ssl: number % 25 == 0,
                    secret: number % 10 != 0,
                    events: vec!["push".to_owned()],
                    active: true,
                    last_status: Some(200),
                    created,
                    updated: created,
                    by: None,
                    gone: NEVER,
                });
            }
        }
    }
}

fn apps(state: &mut State, scale: &GithubScale, now: i64) {
    let asked = [
        permission_map(&[("metadata", "read"), ("checks", "write")]),
        permission_map(&[("metadata", "read"), ("contents", "read"), ("pull_requests", "write")]),
        permission_map(&[("metadata", "read"), ("contents", "write"), ("workflows", "write")]),
        permission_map(&[
            ("metadata", "read"),
            ("members", "read"),
            ("organization_administration", "write"),
        ]),
    ];
    for number in 0..scale.apps {
        let id = state.fresh_id();
        let owner_id = state.fresh_id();
        state.apps.push(App {
            id,
            slug: format!("generated-app-{number:04}"),
            name: format!("Generated App {number:04}"),
            client_id: format!("Iv1.FAKE{id:012x}"),
            owner: Owner {
                login: format!("vendor-{number:04}"),
                id: owner_id,
                user: number % 9 == 8,
            },
            public: number % 10 != 9,
            permissions: asked[number % asked.len()].clone(),
            events: vec!["push".to_owned()],
            external_url: format!("https://vendor{number}.example"),
            created: now - TWO_YEARS,
            signer: Signer::Vendor,
        });
    }
}

fn installations(state: &mut State, first_app: usize, now: i64, random: &mut StdRng) {
    let apps = first_app..state.apps.len();
    for organisation in 0..state.organisations.len() {
        let first = state.repositories.iter().position(|row| row.organisation == organisation);
        for app in apps.clone() {
            let id = state.fresh_id();
            let created = second(now, random);
            let selected = random.random_ratio(2, 5).then_some(first).flatten();
            state.installations.push(Installation {
                id,
                organisation,
                app,
                permissions: state.apps[app].permissions.clone(),
                events: vec!["push".to_owned()],
                repositories: selected.map(|index| vec![place(index)]),
                created,
                updated: created,
                suspended: random.random_ratio(1, 40).then_some(now - DAY),
                by: Some(0),
                gone: NEVER,
            });
        }
    }
}

fn grants(
    state: &mut State,
    scale: &GithubScale,
    first_user: usize,
    now: i64,
    random: &mut StdRng,
) {
    let users = first_user..state.users.len();
    if users.is_empty() {
        return;
    }
    let first_set = state.scope_sets.len();
    let texts = |set: &[&str]| set.iter().map(|scope| (*scope).to_owned()).collect();
    state.scope_sets.extend(SCOPE_SETS.iter().map(|set| texts(set)));
    let first_permissions = state.pat_permissions.len();
    for level in ["read", "write"] {
        state.pat_permissions.push(PatPermissions {
            repository: permission_map(&[("contents", level), ("metadata", "read")]),
            ..PatPermissions::default()
        });
    }
    let mut at = now - TWO_YEARS;
    for number in 0..scale.grants {
        let user = random.random_range(users.clone());
        let organisation = state.users[user].roles[0].0;
        if !random.random_ratio(1, TIE) {
            at = second(now, random);
        }
        let used = random.random_ratio(5, 6).then(|| random.random_range(at..now));
        let id = state.fresh_id();
        // Only single sign-on has credentials to show.
        let saml = state.organisations[organisation as usize].facts.saml;
        if number % 5 == 4 || !saml {
            let token_id = state.fresh_id();
            state.pats.push(Pat {
                id,
                organisation,
                user: place(user),
                token_id,
                name: format!("token {number}").into(),
                permissions: place(first_permissions + usize::from(random.random_ratio(1, 3))),
                selection: PatSelection::All,
                repositories: Vec::new(),
                granted: at,
                expires: random
                    .random_ratio(3, 4)
                    .then(|| now + random.random_range(-30..300) * DAY),
                last_used: used,
                gone: NEVER,
            });
            continue;
        }
        let kind = match number % 20 {
            0..8 => CredentialKind::OauthAppToken,
            8..12 => CredentialKind::SshKey,
            12..17 => CredentialKind::PersonalAccessToken,
            _ => CredentialKind::GithubAppToken,
        };
        state.credentials.push(Credential {
            id,
            organisation,
            user: place(user),
            scopes: match kind {
                CredentialKind::SshKey | CredentialKind::GithubAppToken => 0,
                _ => place(first_set + random.random_range(0..SCOPE_SETS.len())),
            },
            kind,
            fine_grained: false,
            title: None,
            app: None,
            authorized: at,
            accessed: used,
            expires: None,
            gone: NEVER,
        });
    }
    state.credentials.sort_by_key(|row| row.id);
}
