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
    /// All scopes afterwards.
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
        let older = here.iter().copied().filter(|at| self.live[*at].mark.at <= expansion.at);
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
                    "the audit log says that {who} gave an app in {} more scopes ({}), without naming it: it may be this one or {} other",
                    self.tables.place_label(expansion.place),
                    expansion.new.join(", "),
                    several - 1
                );
                for at in chosen {
                    let before = set_of(&self.live[*at].scopes).clone();
                    self.hold(*at, HeldScopes::Doubtful { why: why.clone(), before });
                }
            }
        }
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

fn after(before: &HeldScopes, expansion: &Expansion, is_own: bool) -> HeldScopes {
    let new = sorted(&expansion.new).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>();
    let told = |user, bot| HeldScopes::Set(ScopeSet::Told { user, bot });
    let (user, bot) = match set_of(before) {
        ScopeSet::Told { user, bot } => (user.clone(), bot.clone()),
        ScopeSet::Mixed(_) | ScopeSet::Untold => return HeldScopes::Set(ScopeSet::Mixed(new)),
    };
    if let Some(split @ ScopeSet::Told { user: of_user, bot: of_bot }) = &expansion.split
        && split.all().is_some_and(|all| all == new)
    {
        let user = if is_own { of_user.clone() } else { user };
        return told(user, of_bot.clone());
    }
    match (user.is_empty(), bot.is_empty()) {
        (true, false) => told(user, new),
        (false, true) if is_own => told(new, bot),
        // Another user's token: this one's stays as it is.
        (false, true) => told(user, bot),
        (true, true) => HeldScopes::Set(ScopeSet::Mixed(new)),
        (false, false) => {
            let added = new.iter().filter(|scope| !user.contains(scope) && !bot.contains(scope));
            let added: Vec<&str> = added.map(String::as_str).collect();
            if added.is_empty() {
                return told(user, bot);
            }
            let why = format!(
                "the app got {} later, and the audit log does not say whether for its bot or for the user",
                added.join(", ")
            );
            HeldScopes::Doubtful { why, before: ScopeSet::Told { user, bot } }
        }
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
mod tests {
    use super::{super::installs::Mark, *};

    fn texts(words: &str) -> Vec<String> {
        words.split_whitespace().map(ToOwned::to_owned).collect()
    }

    fn install(app: u32, by: u32, user: &str, bot: &str) -> Live {
        let set = ScopeSet::Told { user: texts(user), bot: texts(bot) };
        let mark = Mark { by: Some(by), at: 100, scopes: 0 };
        Live {
            app,
            place: 1,
            mark,
            scopes: HeldScopes::Set(set),
            is_extension: false,
            remark: None,
            told_by: None,
        }
    }

    fn expansion(by: u32, previous: &str, new: &str) -> Expansion {
        let previous = Some(texts(previous)).filter(|previous| !previous.is_empty());
        let new = texts(new);
        Expansion { app: None, split: None, place: 1, by: Some(by), at: 1_000, new, previous }
    }

    fn told(user: &str, bot: &str) -> HeldScopes {
        HeldScopes::Set(ScopeSet::Told { user: texts(user), bot: texts(bot) })
    }

    fn run(expansions: &[Expansion], live: &mut [Live]) -> Outcome {
        tie(expansions, live, &Tables::default())
    }

    #[test]
    fn scopes_before_tell_the_app() {
        let mut live = [install(1, 7, "", "a b"), install(2, 7, "", "c")];
        let outcome = run(&[expansion(9, "b a", "a b d")], &mut live);
        assert_eq!(outcome, Outcome { tied: 1, ..Outcome::default() });
        assert_eq!(live[0].scopes, told("", "a b d"));
        assert_eq!(live[1].scopes, told("", "c"));
    }

    #[test]
    fn one_expansion_follows_another() {
        let mut live = [install(1, 7, "a", "")];
        let second = Expansion { at: 2_000, ..expansion(7, "a b", "a b c") };
        run(&[second, expansion(7, "a", "a b")], &mut live);
        assert_eq!(live[0].scopes, told("a b c", ""));
    }

    #[test]
    fn several_that_fit_are_all_in_doubt() {
        let mut live = [install(1, 7, "", "a"), install(2, 8, "", "a"), install(3, 8, "", "b")];
        let outcome = run(&[expansion(9, "a", "a admin")], &mut live);
        assert_eq!(outcome.doubtful, 1);
        assert!(
            matches!(&live[0].scopes, HeldScopes::Doubtful { why, .. } if why.contains("admin"))
        );
        assert!(matches!(live[1].scopes, HeldScopes::Doubtful { .. }));
        assert_eq!(live[2].scopes, told("", "b"));
        // Who did it decides where the scopes do not.
        let mut live = [install(1, 7, "", "a"), install(2, 8, "", "a")];
        run(&[expansion(8, "a", "a b")], &mut live);
        assert_eq!([&live[0].scopes, &live[1].scopes], [&told("", "a"), &told("", "a b")]);
    }

    #[test]
    fn without_scopes_before_whatever_fits_is_in_doubt() {
        let mut live = [install(1, 7, "", "a"), install(2, 8, "", "b"), install(3, 8, "", "z")];
        run(&[expansion(9, "", "a b c")], &mut live);
        assert!(matches!(live[0].scopes, HeldScopes::Doubtful { .. }));
        assert!(matches!(live[1].scopes, HeldScopes::Doubtful { .. }));
        assert_eq!(live[2].scopes, told("", "z"));
    }

    #[test]
    fn what_fits_nothing_is_counted() {
        let mut live = [install(1, 7, "", "a")];
        let outcome = run(&[expansion(9, "x y", "x y z")], &mut live);
        assert_eq!(outcome, Outcome { untied: 1, ..Outcome::default() });
        assert_eq!(live[0].scopes, told("", "a"));
    }

    #[test]
    fn an_install_with_its_own_expansion_is_one_act() {
        let mut live = [install(1, 7, "", "a b"), install(2, 7, "", "a")];
        live[0].mark.at = 990;
        let outcome = run(&[expansion(7, "a", "a b")], &mut live);
        assert_eq!(outcome.tied, 1);
        assert_eq!(live[1].scopes, told("", "a"));
    }

    #[test]
    fn whose_token_got_more_may_not_be_known() {
        let mut live = [install(1, 7, "u", "b")];
        run(&[expansion(7, "b u", "b n u")], &mut live);
        assert!(
            matches!(&live[0].scopes, HeldScopes::Doubtful { why, .. } if why.contains("got n later"))
        );
    }

    #[test]
    fn an_entry_that_names_the_app_is_taken_at_its_word() {
        let mut live = [install(1, 7, "u", "b"), install(1, 8, "v", "b"), install(2, 7, "u", "b")];
        let named = Expansion {
            app: Some(1),
            split: Some(ScopeSet::Told { user: texts("u w"), bot: texts("b c") }),
            ..expansion(7, "b u", "b c u w")
        };
        run(&[named], &mut live);
        assert_eq!(live[0].scopes, told("u w", "b c"));
        assert_eq!(live[1].scopes, told("v", "b c"));
        assert_eq!(live[2].scopes, told("u", "b"));
    }
}
