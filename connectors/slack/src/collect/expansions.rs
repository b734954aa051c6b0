//! Expansions of scopes. Slack's log often files one under the workspace and leaves the app out: it is tied to an install by place, by the
//! scopes before, and by who did it. Where several installs fit, none of them is given scopes that may be too few: theirs are unknown.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{Deserialize, Serialize};

use super::{
    installs::{HeldScopes, Live},
    tables::{ScopeSet, Tables},
};

/// An install and its expansion are one act within so many seconds.
const ONE_ACT: u64 = 60;

/// An entry that says that an install has other scopes now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Expansion {
    /// The app, if the entry names it.
    pub(super) app: Option<u32>,
    /// The app's scopes in the entry, if it names the app.
    pub(super) split: Option<ScopeSet>,
    pub(super) place: u32,
    pub(super) by: Option<u32>,
    /// Unix seconds.
    pub(super) at: i64,
    /// All scopes afterwards, or only those that were added.
    pub(super) new: Vec<String>,
    /// All scopes before.
    pub(super) previous: Option<Vec<String>>,
}

/// How expansions were tied to installs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// To one install.
    pub(super) tied: u64,
    /// To several, any of which it may be.
    pub(super) doubtful: u64,
    /// To none that is there.
    pub(super) untied: u64,
}

/// Gives each install the scopes that it has after all expansions.
pub(super) fn tie(expansions: &[Expansion], live: &mut [Live], tables: &Tables) -> Outcome {
    let mut by_place: HashMap<u32, Vec<usize>> = HashMap::new();
    for (at, install) in live.iter().enumerate() {
        by_place.entry(install.place).or_default().push(at);
    }
    let marks = live.iter().map(|install| mark_of(all(&install.scopes))).collect();
    let mut tying = Tying { live, marks, tables, outcome: Outcome::default() };
    // The log gives the newest first, also of those of one second.
    let mut order: Vec<&Expansion> = expansions.iter().rev().collect();
    order.sort_by_key(|expansion| expansion.at);
    for expansion in order {
        let here = by_place.get(&expansion.place).map(Vec::as_slice).unwrap_or_default();
        tying.one(expansion, here);
    }
    tying.outcome
}

/// The work on one list of installs.
struct Tying<'a> {
    live: &'a mut [Live],
    /// Of each install, a hash of all its scopes: most installs are told apart by it at once.
    marks: Vec<Option<u64>>,
    tables: &'a Tables,
    outcome: Outcome,
}

impl Tying<'_> {
    fn one(&mut self, expansion: &Expansion, here: &[usize]) {
        let older = here.iter().copied().filter(|at| self.live[*at].since <= expansion.at);
        let Some(app) = expansion.app else {
            let older: Vec<usize> = older.collect();
            return self.nameless(expansion, here, &older);
        };
        let of_app: Vec<usize> = older.filter(|at| self.live[*at].app == app).collect();
        self.outcome.tied += u64::from(!of_app.is_empty());
        self.apply(expansion, &of_app);
    }

    /// Whether an install has exactly these scopes.
    fn has(&self, at: usize, mark: Option<u64>, scopes: &[&str]) -> bool {
        self.marks[at] == mark && all(&self.live[at].scopes).is_some_and(|held| held == scopes)
    }

    fn nameless(&mut self, expansion: &Expansion, here: &[usize], older: &[usize]) {
        let new = sorted(&expansion.new);
        let new_mark = mark_of(Some(new.clone()));
        let is_the_install = |at: &usize| {
            let mark = &self.live[*at].mark;
            mark.by == expansion.by
                && mark.at.abs_diff(expansion.at) <= ONE_ACT
                && self.has(*at, new_mark, &new)
        };
        if here.iter().any(is_the_install) {
            self.outcome.tied += 1;
            return;
        }
        let Some(previous) = expansion.previous.as_ref().map(|scopes| sorted(scopes)) else {
            // Nothing ties it: whatever has no more than these scopes may be meant.
            let fits = |at: &&usize| {
                let held = all(&self.live[**at].scopes);
                held.is_none_or(|held| held.iter().all(|scope| new.contains(scope)))
            };
            let fitting: Vec<usize> = older.iter().filter(fits).copied().collect();
            return self.settle(expansion, &fitting);
        };
        let mark = mark_of(Some(previous.clone()));
        let exact = older.iter().copied().filter(|at| self.has(*at, mark, &previous));
        let exact: Vec<usize> = exact.collect();
        let own = exact.iter().copied().filter(|at| self.live[*at].mark.by == expansion.by);
        let own: Vec<usize> = own.collect();
        // Who expands an app has often installed it, and need not have.
        let several = self.apps(&exact).len() > 1;
        let is_own = several && self.apps(&own).len() == 1 && expansion.by.is_some();
        let chosen = if is_own { own } else { exact };
        if chosen.is_empty() && self.may_be_own(expansion, older, &previous) {
            self.outcome.doubtful += 1;
            return;
        }
        if chosen.is_empty() {
            // An install whose scopes are in doubt already may be the one; it stays in doubt.
            let is_doubtful =
                |at: &usize| matches!(self.live[*at].scopes, HeldScopes::Doubtful { .. });
            if older.iter().any(is_doubtful) {
                self.outcome.doubtful += 1;
            } else {
                self.outcome.untied += 1;
            }
            return;
        }
        self.settle(expansion, &chosen);
    }

    fn settle(&mut self, expansion: &Expansion, chosen: &[usize]) {
        match self.apps(chosen).len() {
            0 => self.outcome.untied += 1,
            1 => {
                self.outcome.tied += 1;
                self.apply(expansion, chosen);
            }
            several => {
                self.outcome.doubtful += 1;
                let who = expansion.by.and_then(|by| self.tables.people.get(by));
                let who = who.map_or("somebody", |person| {
                    person.email.as_deref().or(person.name.as_deref()).unwrap_or(&person.id)
                });
                let why = format!(
                    "the audit log says that {who} gave an app in {} more scopes ({}), without naming it: it may be this one or {}",
                    self.tables.place_label(expansion.place),
                    expansion.new.join(", "),
                    if several == 2 {
                        "another".to_owned()
                    } else {
                        format!("{} others", several - 1)
                    }
                );
                for at in chosen {
                    self.doubt(*at, &why);
                }
            }
        }
    }

    /// Whether whoever did it has installs here with no other scopes than those before: the log may not have told all that they got.
    fn may_be_own(&mut self, expansion: &Expansion, older: &[usize], previous: &[&str]) -> bool {
        let fits = |at: &usize| {
            let install = &self.live[*at];
            let held = all(&install.scopes);
            install.mark.by == expansion.by
                && held.is_some_and(|held| held.iter().all(|scope| previous.contains(scope)))
        };
        let own: Vec<usize> = match expansion.by {
            Some(_) => older.iter().copied().filter(fits).collect(),
            None => Vec::new(),
        };
        let why = format!(
            "the audit log says that its installer gave an app more scopes ({}), without naming it, and it may be this one",
            expansion.new.join(", ")
        );
        for at in &own {
            self.doubt(*at, &why);
        }
        !own.is_empty()
    }

    fn doubt(&mut self, at: usize, why: &str) {
        let before = set_of(&self.live[at].scopes).clone();
        let why = match &self.live[at].scopes {
            HeldScopes::Doubtful { why: known, .. } => both(known, why),
            HeldScopes::Set(_) => why.to_owned(),
        };
        self.hold(at, HeldScopes::Doubtful { why, before });
    }

    /// Gives the installs of one app in one place the scopes after an expansion.
    fn apply(&mut self, expansion: &Expansion, chosen: &[usize]) {
        let has_own = chosen.iter().any(|at| self.live[*at].mark.by == expansion.by);
        for at in chosen {
            let is_own = !has_own || self.live[*at].mark.by == expansion.by;
            self.hold(*at, after(&self.live[*at].scopes, expansion, is_own));
        }
    }

    fn hold(&mut self, at: usize, scopes: HeldScopes) {
        self.marks[at] = mark_of(all(&scopes));
        self.live[at].scopes = scopes;
    }

    fn apps(&self, chosen: &[usize]) -> BTreeSet<u32> {
        chosen.iter().map(|at| self.live[*at].app).collect()
    }
}

/// A hash of sorted scopes.
fn mark_of(scopes: Option<Vec<&str>>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    scopes?.hash(&mut hasher);
    Some(hasher.finish())
}

/// What an install has after an expansion. An app keeps what it got until it is removed, and whether Slack lists all scopes or only those
/// that were added is not certain: everything that was ever told is taken together.
fn after(before: &HeldScopes, expansion: &Expansion, is_own: bool) -> HeldScopes {
    let HeldScopes::Doubtful { why, before: set } = before else {
        return grown(set_of(before), expansion, is_own);
    };
    match (grown(set, expansion, is_own), &expansion.previous) {
        // A list of all scopes before has what was in doubt.
        (after, Some(_)) => after,
        (HeldScopes::Set(before), None) => HeldScopes::Doubtful { why: why.clone(), before },
        (HeldScopes::Doubtful { why: also, before }, None) => {
            HeldScopes::Doubtful { why: both(why, &also), before }
        }
    }
}

fn grown(before: &ScopeSet, expansion: &Expansion, is_own: bool) -> HeldScopes {
    let told = expansion.new.iter().chain(expansion.previous.iter().flatten());
    let told: Vec<String> = told.cloned().collect();
    let told = sorted(&told).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>();
    let one_list = || HeldScopes::Set(ScopeSet::Mixed(told.clone()));
    let (user, bot) = match before {
        ScopeSet::Told { user, bot } => (user.clone(), bot.clone()),
        ScopeSet::Mixed(_) => {
            return HeldScopes::Set(before.with(&ScopeSet::Mixed(told)));
        }
        ScopeSet::Untold => return one_list(),
    };
    let (mut user, mut bot) = match &expansion.split {
        Some(ScopeSet::Told { user: of_user, bot: of_bot }) => {
            let own = if is_own { of_user.as_slice() } else { &[] };
            let known = ScopeSet::Told { user, bot };
            let ScopeSet::Told { user, bot } =
                known.with(&ScopeSet::Told { user: own.to_vec(), bot: of_bot.clone() })
            else {
                return one_list();
            };
            (user, bot)
        }
        _ => (user, bot),
    };
    let of_others = match &expansion.split {
        Some(ScopeSet::Told { user, .. }) if !is_own => user.as_slice(),
        _ => &[],
    };
    let more = told.iter().filter(|scope| {
        !user.contains(scope) && !bot.contains(scope) && !of_others.contains(scope)
    });
    let more: Vec<String> = more.cloned().collect();
    if more.is_empty() {
        return HeldScopes::Set(ScopeSet::Told { user, bot });
    }
    match (user.is_empty(), bot.is_empty()) {
        (true, true) => return one_list(),
        (true, false) => bot.extend(more),
        (false, true) if is_own => user.extend(more),
        // Another user's token: this one's stays as it is.
        (false, true) => {}
        (false, false) => {
            let why = format!(
                "the app got {} later, and the audit log does not say whether for its bot or for the user",
                more.join(", ")
            );
            return HeldScopes::Doubtful { why, before: ScopeSet::Told { user, bot } };
        }
    }
    user.sort_unstable();
    bot.sort_unstable();
    HeldScopes::Set(ScopeSet::Told { user, bot })
}

/// Two reasons for a doubt; a longer list helps nobody.
fn both(one: &str, other: &str) -> String {
    const LONGEST: usize = 1_000;
    if one.contains(other) || one.len() > LONGEST {
        one.to_owned()
    } else {
        format!("{one}; besides, {other}")
    }
}

fn set_of(scopes: &HeldScopes) -> &ScopeSet {
    match scopes {
        HeldScopes::Set(set) | HeldScopes::Doubtful { before: set, .. } => set,
    }
}

fn sorted(scopes: &[String]) -> Vec<&str> {
    let mut scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

fn all(scopes: &HeldScopes) -> Option<Vec<&str>> {
    match scopes {
        HeldScopes::Set(set) => set.all(),
        HeldScopes::Doubtful { .. } => None,
    }
}

#[cfg(test)]
mod tests;
