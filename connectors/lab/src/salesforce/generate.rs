//! Worlds of any size, the same for the same seed. Rows are made in order of creation with many ties,
//! above all around the page and window edges where a scanner that pages carelessly loses rows.

use std::ops::Range;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::permission::Permission;
use super::tokens::TokenRow;
use super::world::{
    ConnectedAppWorld, ExternalClientAppWorld, OrgWorld, ProfileWorld, Scanner,
    UninstalledAppWorld, UserWorld,
};
use crate::moment::Moment;

/// How large a generated org is.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Users.
    pub users: usize,
    /// Apps: three quarters connected apps, the rest external client apps and uninstalled ones.
    pub apps: usize,
    /// Tokens.
    pub tokens: usize,
    /// The same seed gives the same world.
    pub seed: u64,
    /// The time that all dates lie before.
    pub now: Timestamp,
}

/// Rows on a page, on a general page, in a window: the edges that get ties.
const EDGES: [usize; 3] = [500, 2_000, 2_500];
const THREE_YEARS: i64 = 3 * 365 * 86_400;
const STANDARD_PROFILE: &str = "Standard User";

/// An org with a scanner, an admin and nothing else.
pub(crate) fn bare_org(name: &str) -> OrgWorld {
    use Permission::{
        ApiEnabled, ApiUserOnly, CustomizeApplication, ExternalClientAppAdmin, ManageUsers,
        ModifyAllData, ModifyMetadata, ViewAllData, ViewEventLogFiles, ViewSetup,
    };
    let profile = |name: &str, permissions: &[Permission]| ProfileWorld {
        name: name.to_owned(),
        permissions: permissions.to_vec(),
        login_ip_ranges: Vec::new(),
    };
    let user = |username: &str, profile: &str| UserWorld {
        username: username.to_owned(),
        profile: profile.to_owned(),
        ..UserWorld::default()
    };
    OrgWorld {
        name: name.to_owned(),
        scanner: Scanner {
            app: "Grantwarden".to_owned(),
            username: "grantwarden@generated.example".to_owned(),
        },
        profiles: vec![
            profile(
                "System Administrator",
                &[
                    ApiEnabled,
                    CustomizeApplication,
                    ModifyAllData,
                    ViewAllData,
                    ManageUsers,
                    ViewSetup,
                    ViewEventLogFiles,
                ],
            ),
            profile(
                "Scanner",
                &[
                    ApiEnabled,
                    ApiUserOnly,
                    CustomizeApplication,
                    ModifyMetadata,
                    ManageUsers,
                    ViewSetup,
                    ViewEventLogFiles,
                    ExternalClientAppAdmin,
                ],
            ),
            profile(STANDARD_PROFILE, &[ApiEnabled]),
        ],
        users: vec![
            user("admin@generated.example", "System Administrator"),
            user("grantwarden@generated.example", "Scanner"),
        ],
        external_client_apps: vec![ExternalClientAppWorld {
            label: "Grantwarden".to_owned(),
            scopes: vec!["API".to_owned()],
            permitted_users: "AdminApprovedPreAuthorized".to_owned(),
            refresh_token_policy: "Zero".to_owned(),
            profiles: vec!["Scanner".to_owned()],
            client_credentials_user: Some("grantwarden@generated.example".to_owned()),
            ..ExternalClientAppWorld::default()
        }],
        ..OrgWorld::default()
    }
}

/// Adds users, apps and tokens to an org. The tokens belong to the added apps and users, so that what
/// the org tells already stays true; without any, to all. Grow an org once: rows count its apps.
pub(crate) fn grow(org: &mut OrgWorld, scale: &Scale) {
    let mut random = StdRng::seed_from_u64(scale.seed);
    let before = Counts::of(org);
    add_users(org, scale, &mut random);
    add_apps(org, scale, &mut random);
    let after = Counts::of(org);
    let users = if scale.users > 0 { before.users..after.users } else { 0..after.users };
    let mut apps = after.apps_since(before);
    if apps.is_empty() {
        apps = after.apps_since(Counts::default());
    }
    org.generated = tokens(scale, &apps, users, &mut random);
}

/// How much of everything an org has.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    users: usize,
    connected: usize,
    external: usize,
    uninstalled: usize,
}

impl Counts {
    fn of(org: &OrgWorld) -> Self {
        Self {
            users: org.users.len(),
            connected: org.connected_apps.len(),
            external: org.external_client_apps.len(),
            uninstalled: org.uninstalled_apps.len(),
        }
    }

    /// The apps that were not there `before`, numbered as the running org numbers them.
    fn apps_since(self, before: Self) -> Vec<usize> {
        let external = self.connected;
        let uninstalled = external + self.external;
        (before.connected..self.connected)
            .chain(external + before.external..uninstalled)
            .chain(uninstalled + before.uninstalled..uninstalled + self.uninstalled)
            .collect()
    }
}

fn ago(random: &mut StdRng, days: i64) -> Moment {
    Moment::FromNow(-random.random_range(3_600..days * 86_400))
}

fn add_users(org: &mut OrgWorld, scale: &Scale, random: &mut StdRng) {
    let has_profile = |name: &str| org.profiles.iter().any(|profile| profile.name == name);
    if scale.users > 0 && !has_profile(STANDARD_PROFILE) {
        org.profiles.push(ProfileWorld {
            name: STANDARD_PROFILE.to_owned(),
            permissions: vec![Permission::ApiEnabled],
            login_ip_ranges: Vec::new(),
        });
    }
    org.users.reserve(scale.users);
    for number in 0..scale.users {
        org.users.push(UserWorld {
            username: format!("user{number:07}@generated.example"),
            profile: STANDARD_PROFILE.to_owned(),
            active: !random.random_ratio(1, 20),
            frozen: random.random_ratio(1, 200),
            created: ago(random, 3_000),
            last_login: random.random_ratio(9, 10).then(|| ago(random, 400)),
            ..UserWorld::default()
        });
    }
}

fn add_apps(org: &mut OrgWorld, scale: &Scale, random: &mut StdRng) {
    const POLICIES: [&str; 4] =
        ["infinite", "specific_inactivity:30:DAYS", "specific_lifetime:24:HOURS", "zero"];
    for number in 0..scale.apps {
        let label = format!("Generated App {number:05}");
        match number % 8 {
            6 => org.external_client_apps.push(ExternalClientAppWorld {
                label,
                scopes: vec!["API".to_owned(), "REFRESH_TOKEN".to_owned()],
                created: ago(random, 900),
                ..ExternalClientAppWorld::default()
            }),
            7 => org.uninstalled_apps.push(UninstalledAppWorld { label }),
            _ => org.connected_apps.push(ConnectedAppWorld {
                label,
                contact_email: Some("vendor@generated.example".to_owned()),
                scopes: vec!["Api".to_owned(), "RefreshToken".to_owned()],
                admin_approved: random.random_bool(0.3),
                refresh_token_policy: POLICIES[random.random_range(0..POLICIES.len())].to_owned(),
                ip_relaxation: if random.random_bool(0.5) { "BYPASS" } else { "ENFORCE" }
                    .to_owned(),
                created: ago(random, 900),
                ..ConnectedAppWorld::default()
            }),
        }
    }
}

fn tokens(
    scale: &Scale,
    apps: &[usize],
    users: Range<usize>,
    random: &mut StdRng,
) -> Vec<TokenRow> {
    if apps.is_empty() || users.is_empty() {
        return Vec::new();
    }
    let now = scale.now.as_second();
    let step = THREE_YEARS / i64::try_from(scale.tokens.max(1)).unwrap_or(i64::MAX);
    let mut created = now - THREE_YEARS;
    let mut rows = Vec::with_capacity(scale.tokens);
    for number in 0..scale.tokens {
        let slot = now - THREE_YEARS + step * i64::try_from(number).unwrap_or(0);
        let tie = near_edge(number) || random.random_ratio(1, 5);
        if !tie {
            created = slot.max(created);
        }
        let app = apps[random.random_range(0..apps.len())];
        let user = random.random_range(users.clone());
        let used = random.random_ratio(9, 10);
        rows.push(TokenRow {
            created,
            last_used: used.then(|| random.random_range(created..=now)),
            app: u32::try_from(app).unwrap_or(0),
            user: u32::try_from(user).unwrap_or(0),
            use_count: if used { random.random_range(1..5_000) } else { 0 },
            revoked: false,
        });
    }
    rows
}

/// Whether a row lies on either side of an edge, where it shares its neighbour's time.
fn near_edge(number: usize) -> bool {
    EDGES.iter().any(|edge| {
        let place = number % edge;
        number >= *edge - 3 && (place < 3 || place >= edge - 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(tokens: usize) -> Scale {
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        Scale { users: 50, apps: 16, tokens, seed: 7, now }
    }

    #[test]
    fn ties_cross_every_edge() {
        let mut org = bare_org("generated");
        grow(&mut org, &scale(12_000));
        let created: Vec<i64> = org.generated.iter().map(|row| row.created).collect();
        assert!(created.is_sorted());
        for edge in (500..12_000).step_by(500) {
            assert_eq!(created[edge - 1], created[edge], "no tie at {edge}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_rows() {
        let rows = || {
            let mut org = bare_org("generated");
            grow(&mut org, &scale(1_000));
            format!("{:?}", org.generated)
        };
        assert_eq!(rows(), rows());
    }
}
