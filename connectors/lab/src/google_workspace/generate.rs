//! Customers of any size, the same for the same seed. Grants are rows of indices, and many of them
//! share a second, so that a scanner that pages carelessly loses or doubles events.

use std::ops::Range;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::grants::{Grant, place, second};
use super::world::{GoogleApp, GoogleScanner, GoogleToken, GoogleUser, GoogleWorld, PolicyWorld};
use crate::moment::Moment;

/// How large a generated customer is.
#[derive(Debug, Clone, Copy)]
pub struct GoogleScale {
    /// Users, beside the scanner's admin.
    pub users: usize,
    /// Live grants; at most one for each user and app.
    pub grants: usize,
    /// Apps.
    pub apps: usize,
    /// The same seed gives the same world.
    pub seed: u64,
    /// The time that all dates lie before.
    pub now: Timestamp,
}

/// Scope sets that generated apps ask for, from harmless to everything.
const SCOPE_SETS: [&[&str]; 6] = [
    &["openid", "https://www.googleapis.com/auth/userinfo.email"],
    &["openid", "https://www.googleapis.com/auth/calendar.readonly"],
    &["openid", "https://www.googleapis.com/auth/drive.file"],
    &[
        "https://www.googleapis.com/auth/drive.readonly",
        "https://www.googleapis.com/auth/contacts.readonly",
    ],
    &[
        "https://www.googleapis.com/auth/gmail.readonly",
        "https://www.googleapis.com/auth/gmail.send",
    ],
    &["https://mail.google.com/", "https://www.googleapis.com/auth/drive"],
];
const TWO_YEARS: i64 = 2 * 365 * 86_400;
/// Grants that share a second now and then.
const TIE: u32 = 5;

/// A customer with an admin and nothing else.
pub(crate) fn bare_customer(name: &str) -> GoogleWorld {
    let subject = "admin@generated.example".to_owned();
    GoogleWorld {
        name: name.to_owned(),
        domain: "generated.example".to_owned(),
        scanner: GoogleScanner { subject: subject.clone(), ..GoogleScanner::default() },
        users: vec![GoogleUser { email: subject, admin: true, ..GoogleUser::default() }],
        policies: vec![default_policy()],
        ..GoogleWorld::default()
    }
}

/// What the platform itself sets for everybody: no real customer is without it.
fn default_policy() -> PolicyWorld {
    PolicyWorld {
        setting: "api_controls.unconfigured_third_party_apps".to_owned(),
        value: serde_json::json!({ "accessLevel": "UNSPECIFIED_UBER_BLOCK" }),
        org_unit: "/".to_owned(),
        group: None,
        by_admin: false,
        sort_order: 0.0,
    }
}

/// Adds users, apps and grants to a customer. The grants belong to the added users and apps, so that
/// what the customer tells already stays true; without any, to all. Grow a customer once.
pub(crate) fn grow(customer: &mut GoogleWorld, scale: &GoogleScale) {
    let mut random = StdRng::seed_from_u64(scale.seed);
    let (old_users, old_apps) = (customer.users.len(), customer.apps.len());
    add_users(customer, scale, &mut random);
    add_apps(customer, scale);
    let users = if scale.users > 0 { old_users } else { 0 }..customer.users.len();
    let apps = if scale.apps > 0 { old_apps } else { 0 }..customer.apps.len();
    let taken = customer.tokens.iter().filter(|token| token.revoked.is_none());
    let mut taken: Vec<(usize, usize)> =
        taken.filter_map(|token| places(customer, token)).collect();
    taken.retain(|(user, app)| users.contains(user) && apps.contains(app));
    customer.generated_scopes = SCOPE_SETS
        .iter()
        .map(|set| set.iter().map(|scope| (*scope).to_owned()).collect())
        .collect();
    customer.generated = grants(scale, users, &apps, &taken, &mut random);
}

fn places(customer: &GoogleWorld, token: &GoogleToken) -> Option<(usize, usize)> {
    let user = customer.users.iter().position(|user| user.email == token.user)?;
    let app = customer.apps.iter().position(|app| app.name == token.app)?;
    Some((user, app))
}

fn ago(random: &mut StdRng, days: i64) -> Moment {
    Moment::FromNow(-random.random_range(3_600..days * 86_400))
}

fn add_users(customer: &mut GoogleWorld, scale: &GoogleScale, random: &mut StdRng) {
    let domain = customer.domain.clone();
    customer.users.reserve(scale.users);
    for number in 0..scale.users {
        let suspended = random.random_ratio(1, 20);
        customer.users.push(GoogleUser {
            email: format!("user{number:07}@{domain}"),
            org_unit: format!("/Unit {}", number % 12),
            suspended,
            archived: suspended && random.random_ratio(1, 4),
            enrolled_in_2sv: random.random_ratio(3, 5),
            created: ago(random, 3_000),
            last_login: random.random_ratio(9, 10).then(|| ago(random, 400)),
            ..GoogleUser::default()
        });
    }
}

fn add_apps(customer: &mut GoogleWorld, scale: &GoogleScale) {
    for number in 0..scale.apps {
        let anonymous = number % 40 == 39;
        customer.apps.push(GoogleApp {
            name: format!("Generated App {number:05}"),
            client_id: anonymous.then(|| format!("app{number:05}.generated.example")),
            anonymous,
            native: number % 7 == 3,
            ..GoogleApp::default()
        });
    }
}

/// Spreads the grants over the users, each with an app of its own. If there are more than users times
/// apps, the rest is left out.
fn grants(
    scale: &GoogleScale,
    users: Range<usize>,
    apps: &Range<usize>,
    taken: &[(usize, usize)],
    random: &mut StdRng,
) -> Vec<Grant> {
    if users.is_empty() || apps.is_empty() {
        return Vec::new();
    }
    let wanted = scale.grants.min(users.len() * apps.len() - taken.len());
    let mut held: Vec<Vec<u32>> = vec![Vec::new(); users.len()];
    for (user, app) in taken {
        held[user - users.start].push(place(*app));
    }
    let now = scale.now.as_second();
    let mut authorized = now - TWO_YEARS;
    let mut rows = Vec::with_capacity(wanted);
    while rows.len() < wanted {
        let user = random.random_range(0..users.len());
        let Some(app) = free_app(&held[user], apps, random) else { continue };
        held[user].push(place(app));
        if !random.random_ratio(1, TIE) {
            authorized = random.random_range(now - TWO_YEARS..now - 3_600);
        }
        let used = random.random_ratio(9, 10);
        rows.push(Grant {
            user: place(users.start + user),
            app: place(app),
            scopes: place(app % SCOPE_SETS.len()),
            authorized: second(authorized),
            last_used: used.then(|| second(random.random_range(authorized..now))),
            revoked: None,
        });
    }
    rows
}

/// An app that the user does not have yet; the first apps are the popular ones.
fn free_app(held: &[u32], apps: &Range<usize>, random: &mut StdRng) -> Option<usize> {
    let first = random.random_range(0..apps.len()).min(random.random_range(0..apps.len()));
    (0..apps.len())
        .map(|step| apps.start + (first + step) % apps.len())
        .find(|app| !held.contains(&place(*app)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn scale(users: usize, grants: usize, apps: usize) -> GoogleScale {
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        GoogleScale { users, grants, apps, seed: 7, now }
    }

    fn grown(scale: &GoogleScale) -> GoogleWorld {
        let mut customer = bare_customer("generated");
        grow(&mut customer, scale);
        customer
    }

    #[test]
    fn makes_as_many_as_asked_and_none_twice() {
        let customer = grown(&scale(50, 700, 16));
        let pairs: HashSet<(u32, u32)> =
            customer.generated.iter().map(|grant| (grant.user, grant.app)).collect();
        assert_eq!((customer.generated.len(), pairs.len()), (700, 700));
        assert_eq!(grown(&scale(5, 700, 16)).generated.len(), 80, "no more than can be");
        assert!(customer.generated.windows(2).any(|two| two[0].authorized == two[1].authorized));
    }

    #[test]
    fn the_same_seed_gives_the_same_rows() {
        let rows = || format!("{:?}", grown(&scale(50, 300, 16)).generated);
        assert_eq!(rows(), rows());
    }
}
