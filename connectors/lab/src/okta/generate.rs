//! Orgs of any size, the same for the same seed. Refresh tokens are rows of indices, and a few apps have most of them, as in life.

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::state::{Grant, Life, RefreshToken, State, place};
use super::world::{OktaApiToken, OktaApp, OktaAppKind, OktaUser, OktaWorld};
use crate::moment::Moment;

/// How large a generated org is. All figures are added to what the world file tells.
#[derive(Debug, Clone, Copy)]
pub struct OktaScale {
    /// Users.
    pub users: usize,
    /// Apps of all kinds.
    pub apps: usize,
    /// OIDC apps among them.
    pub oidc_apps: usize,
    /// Refresh tokens of those that may have some.
    pub refresh_tokens: usize,
    /// Scope grants of the OIDC apps.
    pub grants: usize,
    /// API tokens.
    pub api_tokens: usize,
    /// The same seed gives the same world.
    pub seed: u64,
    /// The time that all dates lie before.
    pub now: Timestamp,
}

impl OktaScale {
    /// A large org: 5,000 users, 2,000 apps of which 500 are OIDC, 20,000 refresh tokens, 3,000 scope grants, 100 API tokens.
    pub fn large(seed: u64, now: Timestamp) -> Self {
        Self {
            users: 5_000,
            apps: 2_000,
            oidc_apps: 500,
            refresh_tokens: 20_000,
            grants: 3_000,
            api_tokens: 100,
            seed,
            now,
        }
    }

    /// A small org, large enough for several pages: 260 users, 240 apps of which 60 are OIDC, 900 refresh tokens, 240 scope grants,
    /// 12 API tokens.
    pub fn small(seed: u64, now: Timestamp) -> Self {
        Self {
            users: 260,
            apps: 240,
            oidc_apps: 60,
            refresh_tokens: 900,
            grants: 240,
            api_tokens: 12,
            seed,
            now,
        }
    }
}

/// What generated apps ask for.
const SCOPES: [&str; 8] = [
    "okta.users.read",
    "okta.groups.read",
    "okta.logs.read",
    "okta.apps.read",
    "okta.users.manage",
    "okta.groups.manage",
    "okta.sessions.manage",
    "okta.policies.read",
];
const TOKEN_SCOPES: [&[&str]; 4] = [
    &["openid", "offline_access"],
    &["openid", "profile", "offline_access"],
    &["openid", "email", "groups", "offline_access"],
    &["offline_access", "okta.users.read.self"],
];
const DAY: i64 = 86_400;

/// An org with a super admin and nothing else.
pub(crate) fn bare(name: &str) -> OktaWorld {
    OktaWorld {
        name: name.to_owned(),
        users: vec![OktaUser {
            login: "admin@generated.example".to_owned(),
            roles: vec!["SUPER_ADMIN".to_owned()],
            ..OktaUser::default()
        }],
        ..OktaWorld::default()
    }
}

fn ago(random: &mut StdRng, days: i64) -> Moment {
    Moment::FromNow(-random.random_range(3_600..days * DAY))
}

/// Adds users, apps and API tokens to a world.
pub(super) fn fill(world: &mut OktaWorld, scale: &OktaScale) {
    let mut random = StdRng::seed_from_u64(scale.seed);
    let old_users = world.users.len();
    for number in 0..scale.users {
        let status = match random.random_range(0..40) {
            0 => "SUSPENDED",
            1..=2 => "DEPROVISIONED",
            3 => "STAGED",
            4 => "LOCKED_OUT",
            _ => "ACTIVE",
        };
        world.users.push(OktaUser {
            login: format!("user{number:06}@generated.example"),
            name: Some(format!("User {number:06}")),
            status: status.to_owned(),
            roles: if number % 100 == 7 { vec!["HELP_DESK_ADMIN".to_owned()] } else { Vec::new() },
            created: Some(ago(&mut random, 2_000)),
            last_login: (status != "STAGED").then(|| ago(&mut random, 300)),
            ..OktaUser::default()
        });
    }
    for number in 0..scale.apps {
        world.apps.push(app(number, scale, &mut random));
    }
    let users = world.users.len();
    for number in 0..scale.api_tokens {
        let first = if scale.users > 0 { old_users } else { 0 };
        if first == users {
            break;
        }
        let user = random.random_range(first..users);
        world.api_tokens.push(OktaApiToken {
            name: format!("Generated token {number:04}"),
            user: world.users[user].login.clone(),
            created: Some(ago(&mut random, 700)),
            last_used: Some(ago(&mut random, 29)),
            ..OktaApiToken::default()
        });
    }
}

fn app(number: usize, scale: &OktaScale, random: &mut StdRng) -> OktaApp {
    // OIDC apps lie evenly among the others, so that every page has some.
    let oidc = (number + 1) * scale.oidc_apps / scale.apps.max(1)
        > number * scale.oidc_apps / scale.apps.max(1);
    let kind = match (oidc, number % 10) {
        (true, 0..=4) => OktaAppKind::Web,
        (true, 5 | 6) => OktaAppKind::Browser,
        (true, 7) => OktaAppKind::Native,
        (true, _) => OktaAppKind::Service,
        (false, 0..=6) => OktaAppKind::Saml,
        (false, _) => OktaAppKind::Bookmark,
    };
    OktaApp {
        label: format!("Generated app {number:05}"),
        kind,
        created: ago(random, 1_500),
        status: if random.random_ratio(1, 25) { "INACTIVE" } else { "ACTIVE" }.to_owned(),
        consent_required: random.random_ratio(1, 8),
        rotate: random.random_ratio(1, 2),
        ..OktaApp::default()
    }
}

/// Whether an app can have refresh tokens.
fn refreshes(kind: OktaAppKind) -> bool {
    matches!(kind, OktaAppKind::Web | OktaAppKind::Native | OktaAppKind::Browser)
}

/// Adds refresh tokens and scope grants.
pub(super) fn add_rows(state: &mut State, scale: &OktaScale, now: i64) {
    let mut random = StdRng::seed_from_u64(scale.seed ^ 0xfa_ce);
    let generated = |app: &&(u32, OktaAppKind)| app.1.application_type().is_some();
    let first = state.apps.len().saturating_sub(scale.apps);
    let all: Vec<(u32, OktaAppKind)> = (0_u32..)
        .zip(&state.apps)
        .skip(first)
        .map(|(place, app)| (place, app.facts.kind))
        .collect();
    let oidc: Vec<u32> = all.iter().filter(generated).map(|(app, _)| *app).collect();
    let with_tokens: Vec<u32> =
        all.iter().filter(|(_, kind)| refreshes(*kind)).map(|(app, _)| *app).collect();
    let users = place(state.users.len());
    let sets = place(state.scope_sets.len());
    state
        .scope_sets
        .extend(TOKEN_SCOPES.map(|set| set.iter().map(|it| (*it).to_owned()).collect()));
    if !with_tokens.is_empty() && users > 0 {
        state.tokens.reserve(scale.refresh_tokens);
        for _ in 0..scale.refresh_tokens {
            // Squared, so that a few apps have hundreds and most a handful.
            let part: f64 = random.random::<f64>().powi(3);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a place in a list"
            )]
            let app = with_tokens
                [((part * with_tokens.len() as f64) as usize).min(with_tokens.len() - 1)];
            let created = now - random.random_range(3_600..89 * DAY);
            state.tokens.push(RefreshToken {
                app,
                user: random.random_range(0..users),
                scopes: sets + random.random_range(0..4),
                server: None,
                created,
                updated: random.random_range(created..now),
                expires: created + 90 * DAY,
                life: Life::Active,
            });
        }
    }
    if oidc.is_empty() {
        return;
    }
    let scopes = SCOPES.map(|scope| state.scope_number(scope));
    state.grants.reserve(scale.grants);
    for number in 0..scale.grants {
        // Round by round, so that no app has the same consent twice.
        let app = oidc[number % oidc.len()];
        let round = number / oidc.len();
        let user = (round >= SCOPES.len()).then(|| place(round) % users.max(1));
        state.grants.push(Grant {
            app,
            scope: scopes[round % SCOPES.len()],
            user,
            server: None,
            created: now - random.random_range(3_600..400 * DAY),
            created_by: None,
            life: Life::Active,
        });
    }
}
