//! What a scan keeps in memory of apps, places and people: each once, under a small number, so that an install is a few numbers.

use std::collections::{BTreeMap, HashMap};

use grantwarden_kit::model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    api::{AppObject, Named},
    lenient::Text,
};

/// Texts under numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    index: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    /// The number of a text, given to it if it is new.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.index.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.index.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        number
    }

    /// All of them, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &str)> {
        (0_u32..).zip(self.names.iter().map(String::as_str))
    }

    /// The number of a text that was seen.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }

    /// The text of a number.
    pub(super) fn name(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|at| self.names.get(at)).map_or("", String::as_str)
    }
}

/// The scopes of an install, by the token that holds them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScopeSet {
    /// The platform tells them apart.
    Told {
        /// Of tokens that act as a user.
        user: Vec<String>,
        /// Of the app's bot.
        bot: Vec<String>,
    },
    /// One list for whatever tokens there are.
    Mixed(Vec<String>),
    /// No list at all.
    Untold,
}

impl ScopeSet {
    /// What a token has that got both: an app holds what it was given until it is removed (<https://slack.dev>, "Less is more", 2026). Where
    /// one of the two is not told, nor is the whole.
    pub(super) fn with(&self, other: &Self) -> Self {
        let both = |one: &[String], two: &[String]| {
            let mut both: Vec<String> = one.iter().chain(two).cloned().collect();
            both.sort_unstable();
            both.dedup();
            both
        };
        match (self, other) {
            (Self::Told { user, bot }, Self::Told { user: users, bot: bots }) => {
                Self::Told { user: both(user, users), bot: both(bot, bots) }
            }
            (Self::Untold, _) | (_, Self::Untold) => Self::Untold,
            (Self::Mixed(all), Self::Told { user, bot })
            | (Self::Told { user, bot }, Self::Mixed(all)) => {
                Self::Mixed(both(all, &both(user, bot)))
            }
            (Self::Mixed(one), Self::Mixed(two)) => Self::Mixed(both(one, two)),
        }
    }

    /// All of them in one sorted list; `None` if nobody told.
    pub(super) fn all(&self) -> Option<Vec<&str>> {
        let mut all: Vec<&str> = match self {
            Self::Told { user, bot } => user.iter().chain(bot).map(String::as_str).collect(),
            Self::Mixed(all) => all.iter().map(String::as_str).collect(),
            Self::Untold => return None,
        };
        all.sort_unstable();
        all.dedup();
        Some(all)
    }
}

/// Scope sets under numbers: most installs of an app have the same.
#[derive(Debug, Default)]
pub(super) struct ScopeSets {
    index: HashMap<ScopeSet, u32>,
    sets: Vec<ScopeSet>,
}

impl ScopeSets {
    /// The number of a set, given to it if it is new.
    pub(super) fn number(&mut self, set: ScopeSet) -> u32 {
        if let Some(number) = self.index.get(&set) {
            return *number;
        }
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.index.insert(set.clone(), number);
        self.sets.push(set);
        number
    }

    /// All of them, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = &ScopeSet> {
        self.sets.iter()
    }

    /// The set of a number.
    pub(super) fn set(&self, number: u32) -> &ScopeSet {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        self.sets.get(at).unwrap_or(&ScopeSet::Untold)
    }
}

/// A user as the logs name one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
}

/// The users whom the logs name.
#[derive(Debug, Default)]
pub(super) struct People {
    index: HashMap<String, u32>,
    rows: Vec<Person>,
}

impl People {
    /// The number of a user; `None` if the log has no id.
    pub(super) fn number(&mut self, user: &Named) -> Option<u32> {
        let id = user.id.as_ref().map(|id| id.0.as_str())?;
        let number = match self.index.get(id) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
                self.index.insert(id.to_owned(), number);
                self.rows.push(Person { id: id.to_owned(), ..Person::default() });
                number
            }
        };
        if let Some(row) = self.rows.get_mut(usize::try_from(number).unwrap_or(usize::MAX)) {
            let told = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
            row.name = row.name.take().or_else(|| told(&user.name));
            row.email = row.email.take().or_else(|| told(&user.email));
        }
        Some(number)
    }

    /// The number of a user who was remembered; what is known by now stays.
    pub(super) fn add(&mut self, person: Person) -> u32 {
        let Person { id, name, email } = person;
        let named = Named { id: Some(Text(id)), name, email, kind: None };
        self.number(&named).unwrap_or(u32::MAX)
    }

    /// All of them, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = &Person> {
        self.rows.iter()
    }

    /// The user of a number.
    pub(super) fn get(&self, number: u32) -> Option<&Person> {
        self.rows.get(usize::try_from(number).ok()?)
    }

    /// Whether a log names a user.
    pub(super) fn has(&self, id: &str) -> bool {
        self.index.contains_key(id)
    }
}

/// A fact and when it was told; a later one takes its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Latest<T>(Option<(i64, T)>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Latest<T> {
    /// Takes a fact in, whatever the order in which facts come.
    pub(super) fn learn(&mut self, at: i64, value: Option<T>) {
        if let Some(value) = value
            && self.0.as_ref().is_none_or(|(known, _)| *known <= at)
        {
            self.0 = Some((at, value));
        }
    }

    /// Takes in what was learned elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        if let Some((at, value)) = other.0 {
            self.learn(at, Some(value));
        }
    }

    /// The latest.
    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }

    /// When it was told.
    pub(super) fn at(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.0.as_ref()?.0)
    }
}

/// What was decided in the admin listings about an app.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    /// Unix seconds.
    pub(super) at: Option<i64>,
    /// Scopes that were looked at, as `scope (bot)`.
    pub(super) scopes: Vec<String>,
    /// Those that Slack marks as sensitive.
    pub(super) sensitive: Vec<String>,
}

/// What is known of an app.
#[derive(Debug, Default)]
pub(super) struct AppFacts {
    pub(super) id: String,
    pub(super) name: Latest<String>,
    /// A legacy integration of one workspace, no app.
    pub(super) is_service: bool,
    pub(super) rotation: Latest<bool>,
    pub(super) internal: Latest<bool>,
    pub(super) distributed: Latest<bool>,
    pub(super) directory_approved: Latest<bool>,
    pub(super) workflow: Latest<bool>,
    /// The last decision that the audit log has: action and place.
    pub(super) decision: Latest<String>,
    /// Whether new workspaces get it by themselves.
    pub(super) future_installs: Latest<bool>,
    /// Unix seconds; `i64::MIN`: never, as far as the log tells.
    pub(super) deleted_at: i64,
    /// When its install on the organisation was removed.
    pub(super) organization_off_at: i64,
    /// When its installs in workspaces became one on the organisation: each time, oldest first.
    pub(super) upgrades: Vec<i64>,
    /// Its entry in the admin listings.
    pub(super) described: Option<Box<AppObject>>,
    pub(super) approved: Option<Verdict>,
    pub(super) restricted: Option<Verdict>,
    /// Workspaces that decided for themselves.
    pub(super) approved_in: Vec<u32>,
    pub(super) restricted_in: Vec<u32>,
    /// Requests that nobody has answered.
    pub(super) requests: Vec<String>,
    pub(super) limits: Option<String>,
    pub(super) workflow_strategy: Option<String>,
    pub(super) servers: Vec<String>,
    /// Unix seconds of its last run.
    pub(super) last_run: Option<i64>,
    /// Installs that are switched off, for a reader.
    pub(super) switched_off: Vec<String>,
    /// The export of installed apps has it.
    pub(super) is_exported: bool,
    /// A log has it as installed, or as removed.
    pub(super) is_in_log: bool,
}

impl AppFacts {
    /// Takes in that its installs in workspaces became one on the organisation.
    pub(super) fn learn_upgrade(&mut self, at: i64) {
        if let Err(place) = self.upgrades.binary_search(&at) {
            self.upgrades.insert(place, at);
        }
    }

    /// When what was installed at a time became part of the organisation's install.
    pub(super) fn upgraded_after(&self, at: i64) -> Option<i64> {
        self.upgrades.iter().copied().find(|upgrade| *upgrade > at)
    }
}

/// The apps, by id in alphabetical order when they are given out.
#[derive(Debug, Default)]
pub(super) struct Apps {
    index: BTreeMap<String, u32>,
    rows: Vec<AppFacts>,
}

impl Apps {
    /// The number of an app, given to it if it is new.
    pub(super) fn number(&mut self, id: &str) -> u32 {
        if let Some(number) = self.index.get(id) {
            return *number;
        }
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.index.insert(id.to_owned(), number);
        self.rows.push(AppFacts {
            id: id.to_owned(),
            deleted_at: i64::MIN,
            organization_off_at: i64::MIN,
            ..AppFacts::default()
        });
        number
    }

    /// Says that a log has an app as installed, or as removed.
    pub(super) fn note_in_log(&mut self, number: u32) {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(facts) = self.rows.get_mut(at) {
            facts.is_in_log = true;
        }
    }

    /// The number of an app that is known.
    #[cfg(any(test, feature = "revoke"))]
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.index.get(id).copied()
    }

    /// An app by its number.
    pub(super) fn get(&self, number: u32) -> Option<&AppFacts> {
        self.rows.get(usize::try_from(number).ok()?)
    }

    /// An app to learn something about, by its id.
    pub(super) fn learn(&mut self, id: &str) -> Option<&mut AppFacts> {
        let number = self.number(id);
        self.rows.get_mut(usize::try_from(number).ok()?)
    }

    /// All of them, by number.
    pub(super) fn by_number(&self) -> impl Iterator<Item = &AppFacts> {
        self.rows.iter()
    }

    /// All of them, by id.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &AppFacts)> {
        self.index.values().filter_map(|number| Some((*number, self.get(*number)?)))
    }
}

/// Everything that a scan keeps.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) apps: Apps,
    /// Ids of the organisation and of workspaces.
    pub(super) places: Names,
    /// Names of places, by number.
    pub(super) place_names: HashMap<u32, String>,
    pub(super) people: People,
    pub(super) scopes: ScopeSets,
}

impl Tables {
    /// The number of a place, with its name if that is told.
    pub(super) fn place(&mut self, place: &Named) -> Option<u32> {
        let number = self.places.number(&place.id.as_ref()?.0);
        if let Some(name) = place.name.as_ref().filter(|name| !name.is_empty()) {
            self.place_names.entry(number).or_insert_with(|| name.clone());
        }
        Some(number)
    }

    /// A place for a reader: `Sales (T0123)`.
    pub(super) fn place_label(&self, number: u32) -> String {
        let id = self.places.name(number);
        match self.place_names.get(&number) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_fact_stays_whatever_the_order() {
        let mut fact = Latest::default();
        fact.learn(20, Some("new"));
        fact.learn(10, Some("old"));
        fact.learn(30, None);
        assert_eq!(fact.get(), Some(&"new"));
        assert_eq!(fact.at().unwrap().as_second(), 20);
    }

    #[test]
    fn things_are_kept_once() {
        let mut tables = Tables::default();
        assert_eq!(tables.apps.number("B"), tables.apps.number("B"));
        tables.apps.number("A");
        let ids: Vec<&str> = tables.apps.all().map(|(_, app)| app.id.as_str()).collect();
        assert_eq!(ids, ["A", "B"]);
        let set = ScopeSet::Told { user: vec!["b".into()], bot: vec!["a".into(), "b".into()] };
        assert_eq!(set.all().unwrap(), ["a", "b"]);
        assert_eq!(tables.scopes.number(set.clone()), tables.scopes.number(set.clone()));
        assert!(ScopeSet::Untold.all().is_none());
        let mixed = ScopeSet::Mixed(vec!["z".into()]);
        assert_eq!(set.with(&mixed).all().unwrap(), ["a", "b", "z"]);
        assert_eq!(mixed.with(&ScopeSet::Untold), ScopeSet::Untold);
    }
}
