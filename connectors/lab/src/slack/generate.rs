//! Tenants of any size, the same for the same seed. Installs are rows of indices, and some share a
//! second, so that a scanner that pages carelessly loses or doubles events.

use std::collections::HashSet;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::installs::{Install, ORG, index};
use super::state::ScopeSet;
use super::world::{
    SlackApp, SlackDecision, SlackPlan, SlackRole, SlackScanner, SlackStatus, SlackUser,
    SlackWorkspace, SlackWorld,
};
use crate::moment::Moment;

/// How large a generated tenant is.
#[derive(Debug, Clone, Copy)]
pub struct SlackScale {
    /// An organisation, or a single workspace.
    pub plan: SlackPlan,
    /// Workspaces of an organisation; a single workspace has one.
    pub workspaces: usize,
    /// Users, beside those of the scanner.
    pub users: usize,
    /// Apps; generated installs are of these only, so without any there are none.
    pub apps: usize,
    /// Live installs: in an organisation one app in twenty is installed on the whole of it, every other
    /// at most once in a workspace; in a single workspace at most once for each user.
    pub grants: usize,
    /// Rows of the integration log of a single workspace: removed installs are added until there are
    /// so many. Fewer than `grants` is the same as none.
    pub log_rows: usize,
    /// The same seed gives the same world.
    pub seed: u64,
    /// The time that all dates lie before.
    pub now: Timestamp,
}

/// Rows of the generator, and the scope sets that they point into.
#[derive(Debug, Clone, Default)]
pub(crate) struct Generated {
    pub(crate) installs: Vec<Install>,
    pub(crate) scope_sets: Vec<ScopeSet>,
}

/// Scopes of a bot and of users that generated apps ask for, from harmless to everything.
const SCOPE_SETS: [(&[&str], &[&str]); 6] = [
    (&["commands"], &[]),
    (&["chat:write", "commands", "team:read"], &[]),
    (&["channels:read", "chat:write", "users:read"], &["identify"]),
    (&["channels:history", "channels:read", "files:read"], &[]),
    (&[], &["channels:history", "groups:history", "im:history", "search:read"]),
    (&["chat:write"], &["admin.users:read", "files:read", "users:read.email"]),
];
const TWO_YEARS: i64 = 2 * 365 * 86_400;
/// Installs that share a second now and then.
const TIE: u32 = 5;
/// Of so many apps one is installed on the whole organisation.
const ORG_WIDE: usize = 20;
const OWNER: &str = "generated.owner";

/// A tenant with an owner and nothing else.
pub(crate) fn bare(name: &str, plan: SlackPlan) -> SlackWorld {
    let owner =
        SlackUser { name: OWNER.to_owned(), role: SlackRole::PrimaryOwner, ..SlackUser::default() };
    let scanner = SlackScanner { owner: OWNER.to_owned(), ..SlackScanner::default() };
    SlackWorld {
        name: name.to_owned(),
        plan,
        domain: "generated".to_owned(),
        scanner,
        users: vec![owner],
        ..SlackWorld::default()
    }
}

/// Adds workspaces, users, apps, installs and decisions. The installs belong to what is added, so that
/// what the tenant tells already stays true. Grow a tenant once.
pub(crate) fn grow(tenant: &mut SlackWorld, scale: &SlackScale) {
    let mut random = StdRng::seed_from_u64(scale.seed);
    let single = tenant.plan == SlackPlan::Workspace;
    let first_space = tenant.workspaces.len();
    if !single {
        let spaces = (0..scale.workspaces.max(1)).map(|number| SlackWorkspace {
            name: format!("Generated {number:04}"),
            id: Some(format!("T0GEN{number:05}")),
            ..SlackWorkspace::default()
        });
        tenant.workspaces.extend(spaces);
    }
    let spaces = if single { 0..1 } else { first_space..tenant.workspaces.len() };
    let first_user = tenant.users.len();
    add_users(tenant, scale, &spaces, &mut random);
    let first_app = tenant.apps.len();
    let apps = (0..scale.apps).map(|number| SlackApp {
        name: format!("Generated App {number:05}"),
        id: Some(format!("A0GEN{number:06}")),
        certified: number % 10 == 9,
        internal: number % 7 == 3,
        directory_approved: number % 7 != 3,
        token_rotation: number % 5 == 1,
        ..SlackApp::default()
    });
    tenant.apps.extend(apps);
    add_decisions(tenant, scale, &mut random);
    let sets = SCOPE_SETS.iter().map(|(bot, user)| ScopeSet {
        user: user.iter().map(|scope| (*scope).to_owned()).collect(),
        bot: bot.iter().map(|scope| (*scope).to_owned()).collect(),
    });
    let users = if scale.users > 0 { first_user } else { 0 }..tenant.users.len();
    let rows = Rows { spaces, users, apps: first_app..tenant.apps.len(), single };
    let installs = rows.make(scale, &mut random);
    tenant.generated = Generated { installs, scope_sets: sets.collect() };
}

fn ago(random: &mut StdRng, days: i64) -> Moment {
    Moment::FromNow(-random.random_range(3_600..days * 86_400))
}

fn add_users(
    tenant: &mut SlackWorld,
    scale: &SlackScale,
    spaces: &std::ops::Range<usize>,
    random: &mut StdRng,
) {
    tenant.users.reserve(scale.users);
    for number in 0..scale.users {
        let home = spaces.start + number % spaces.len();
        let home = tenant.workspaces.get(home).map(|space| vec![space.name.clone()]);
        tenant.users.push(SlackUser {
            name: format!("user{number:06}"),
            workspaces: home,
            two_factor: random.random_ratio(4, 5),
            created: ago(random, 2_000),
            deactivated: random.random_ratio(1, 20).then(|| ago(random, 300)),
            ..SlackUser::default()
        });
    }
}

/// Three of five apps are approved for the whole tenant, one of ten is restricted, the others were
/// never decided.
fn add_decisions(tenant: &mut SlackWorld, scale: &SlackScale, random: &mut StdRng) {
    for number in 0..scale.apps {
        let status = match random.random_range(0..10) {
            0..6 => SlackStatus::Approved,
            6 => SlackStatus::Restricted,
            _ => continue,
        };
        let (bot, user) = SCOPE_SETS[number % SCOPE_SETS.len()];
        tenant.decisions.push(SlackDecision {
            app: format!("Generated App {number:05}"),
            workspace: None,
            status,
            at: ago(random, 700),
            by: Some(tenant.scanner.owner.clone()),
            scopes: user.iter().map(|scope| (*scope).to_owned()).collect(),
            bot_scopes: bot.iter().map(|scope| (*scope).to_owned()).collect(),
        });
    }
}

/// What the rows are made of.
struct Rows {
    spaces: std::ops::Range<usize>,
    users: std::ops::Range<usize>,
    apps: std::ops::Range<usize>,
    single: bool,
}

impl Rows {
    /// As many live installs as asked or as can be, and in a single workspace removed ones besides.
    fn make(&self, scale: &SlackScale, random: &mut StdRng) -> Vec<Install> {
        if self.users.is_empty() || self.apps.is_empty() {
            return Vec::new();
        }
        let places = if self.single { self.users.len() } else { self.spaces.len() };
        let org_wide = if self.single { 0 } else { self.apps.len().div_ceil(ORG_WIDE) };
        let wanted = scale.grants.min((self.apps.len() - org_wide) * places + org_wide);
        let end = scale.now.as_second() - 3_600;
        let mut at = end - TWO_YEARS;
        let mut next = |random: &mut StdRng| {
            if !random.random_ratio(1, TIE) {
                at = random.random_range(end - TWO_YEARS..end);
            }
            at
        };
        let mut taken = HashSet::with_capacity(wanted);
        let mut rows = Vec::with_capacity(wanted);
        for app in (0..self.apps.len()).step_by(ORG_WIDE).take(org_wide.min(wanted)) {
            let when = next(random);
            let row = self.row((app, 0), places, when, random);
            rows.push(Install { place: ORG, ..row });
        }
        while rows.len() < wanted {
            let pair = self.free(places, &taken, random);
            taken.insert(pair);
            let when = next(random);
            rows.push(self.row(pair, places, when, random));
        }
        let mut log_rows = rows.len();
        while self.single && log_rows + 2 <= scale.log_rows {
            let pair = (random.random_range(0..self.apps.len()), random.random_range(0..places));
            let when = next(random);
            let mut row = self.row(pair, places, when, random);
            row.removed = Some(random.random_range(when..=end));
            rows.push(row);
            log_rows += 2;
        }
        rows
    }

    /// An app and a place that are not taken; the first apps are the popular ones.
    fn free(
        &self,
        places: usize,
        taken: &HashSet<(usize, usize)>,
        random: &mut StdRng,
    ) -> (usize, usize) {
        let apps = self.apps.len();
        let app = random.random_range(0..apps).min(random.random_range(0..apps));
        let mut pair = (app, random.random_range(0..places));
        while taken.contains(&pair) || (!self.single && pair.0 % ORG_WIDE == 0) {
            pair.1 += 1;
            if pair.1 == places {
                pair = ((pair.0 + 1) % apps, 0);
            }
        }
        pair
    }

    fn row(
        &self,
        (app, place): (usize, usize),
        places: usize,
        at: i64,
        random: &mut StdRng,
    ) -> Install {
        let (place, by) = if self.single {
            (0, self.users.start + place)
        } else {
            // The place's own people, as far as there are any.
            let step = random.random_range(0..self.users.len()) / places * places;
            let by = self.users.start + (place + step) % self.users.len();
            (index(self.spaces.start + place), by)
        };
        Install {
            app: index(self.apps.start + app),
            place,
            by: index(by),
            scopes: index(app % SCOPE_SETS.len()),
            at,
            removed: None,
            disabled: false,
        }
    }
}
