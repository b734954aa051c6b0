//! The scope catalog: what a raw scope allows, how much harm that can do, and what a set of scopes amounts to.
//!
//! The facts come from a connector's `scopes.toml`; this module reads and weighs them. It knows no platform by name, and it says so
//! when a scope is not in the catalog and was judged by the words in its name.

mod axes;
mod combination;
mod derive;
mod file;
mod names;
mod power;
mod set;
mod weight;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use grantwarden_kit::model::{Grant, GrantKind, Holder, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Severity;
pub use axes::{Access, DataClass, Escalation, Reach, Rights};
pub use combination::Combination;
pub use file::{AppOnlyEntry, CatalogError, PrivilegeEntry, ScopeEntry};
use names::Names;
pub use set::SetAssessment;
pub use weight::{Reason, Weight};

/// What the scopes and privileges of one platform mean.
#[derive(Debug)]
pub struct Catalog {
    platform: String,
    bounded_by_user: bool,
    entries: Vec<ScopeEntry>,
    /// Entry by resource and any of its names.
    names: Names,
    combinations: Vec<Combination>,
    privileges: Vec<PrivilegeEntry>,
    /// Rights by simplified name.
    rights: BTreeMap<String, Rights>,
}

impl Catalog {
    /// Reads a `scopes.toml`.
    ///
    /// # Errors
    /// Line, column and cause; a name that occurs twice; a reference to a scope that is not there.
    pub fn parse(platform: &str, text: &str) -> Result<Self, CatalogError> {
        file::parse(platform, text)
    }

    /// The platform that the catalog is of.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// Whether every token, also that of an app acting for itself, is bounded by the rights of one user of the tenant.
    pub const fn bounded_by_user(&self) -> bool {
        self.bounded_by_user
    }

    /// Every scope of the catalog, in the order of the file.
    pub fn entries(&self) -> &[ScopeEntry] {
        &self.entries
    }

    /// Every set of scopes that is more than its parts, in the order of the file.
    pub fn combinations(&self) -> &[Combination] {
        &self.combinations
    }

    /// Every privilege of the catalog, in the order of the file.
    pub fn privileges(&self) -> &[PrivilegeEntry] {
        &self.privileges
    }

    /// The privilege of that name. Case, blanks and punctuation do not count.
    pub fn privilege(&self, name: &str) -> Option<&PrivilegeEntry> {
        let name = file::simplified(name);
        self.privileges.iter().find(|privilege| {
            privilege.also.iter().chain([&privilege.name]).any(|own| file::simplified(own) == name)
        })
    }

    /// The entry of a scope, by the name on the wire or one of its other names, on its resource.
    ///
    /// A scope without a resource is one of the platform's default resource. One of a resource that the catalog does not know has no
    /// entry, even where another resource has a scope of that name: anybody may publish an API with a scope called `Mail.Read`.
    pub fn entry(&self, scope: &Scope) -> Option<&ScopeEntry> {
        self.names.find(scope.resource.as_deref(), &scope.name).and_then(|at| self.entries.get(at))
    }

    /// The entries of that name on any resource, those of the default resource first.
    pub fn named<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c ScopeEntry> {
        self.names.find_everywhere(name).filter_map(|at| self.entries.get(at))
    }

    /// What one scope allows.
    ///
    /// A scope that does not exist in that kind is assessed as what it is in the other one, and reaches as far as the kind does.
    pub fn assess(&self, scope: &Scope, kind: Kind) -> Assessment<'_> {
        match self.entry(scope) {
            Some(entry) => self.assess_entry(entry, kind),
            None => self.reaching(derive::from_name(&scope.name), false, kind),
        }
    }

    /// What a scope, or a set of them, allows that the catalog has.
    pub fn assess_entry<'c>(&self, entry: &'c ScopeEntry, kind: Kind) -> Assessment<'c> {
        self.reaching(entry.assessment(kind), entry.says_app_only_reach(), kind)
    }

    /// What scopes allow together: each for itself, what they include, and what only the whole set allows.
    pub fn assess_set(&self, scopes: &[Scope], kind: Kind) -> SetAssessment<'_> {
        let granted: BTreeSet<usize> = scopes
            .iter()
            .filter_map(|scope| self.names.find(scope.resource.as_deref(), &scope.name))
            .collect();
        let implied: BTreeSet<usize> = granted
            .iter()
            .filter_map(|at| self.entries.get(*at))
            .flat_map(|entry| {
                entry.implies.iter().map(|name| self.names.find(entry.resource.as_deref(), name))
            })
            .flatten()
            .filter(|at| !granted.contains(at))
            .filter(|at| self.entries.get(*at).is_some_and(|entry| entry.exists_as(kind)))
            .collect();
        let combined = self
            .combinations
            .iter()
            .filter(|combination| combination.entry.exists_as(kind))
            .filter(|combination| {
                combination.members.iter().all(|at| granted.contains(at) || implied.contains(at))
            })
            .map(|combination| self.assess_entry(&combination.entry, kind))
            .collect();
        let implied: Vec<_> = implied.iter().filter_map(|at| self.entries.get(*at)).collect();
        let mut names: Vec<_> = implied.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        let implied = implied.into_iter().map(|entry| self.assess_entry(entry, kind)).collect();
        let scopes = scopes.iter().map(|scope| self.assess(scope, kind)).collect();
        SetAssessment::new(scopes, (names, implied), combined, kind)
    }

    /// Gives an assessment the reach of its kind, and weighs it.
    fn reaching<'c>(&self, mut found: Assessment<'c>, is_said: bool, kind: Kind) -> Assessment<'c> {
        let bounded = self.bounded_by_user || is_said;
        if kind == Kind::AppOnly && !bounded && found.reach != Reach::Own {
            found.reach = Reach::Tenant;
        }
        found.severity = found.weight().severity();
        found
    }

    /// How far these privileges reach beyond a principal's own data: the farthest counts.
    ///
    /// A privilege that the catalog does not have is judged by the words in its name, and never as [`Rights::Own`].
    pub fn rights<'p>(&self, privileges: impl IntoIterator<Item = &'p String>) -> Rights {
        privileges
            .into_iter()
            .map(|name| {
                let known = self.rights.get(&file::simplified(name)).copied();
                known.unwrap_or_else(|| derive::rights_from_name(name))
            })
            .max()
            .unwrap_or(Rights::Own)
    }
}

/// Whether an app acts for a user or for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It never has more rights than the user for whom it acts.
    Delegated,
    /// It acts without a user; where the platform does not bound it by one, it reaches the whole tenant.
    #[serde(rename = "application")]
    AppOnly,
}

impl Kind {
    /// The kind of a grant.
    pub const fn of(grant: &Grant) -> Self {
        match (grant.kind, &grant.holder) {
            (
                GrantKind::AppOnly
                | GrantKind::Installation
                | GrantKind::Delegation
                | GrantKind::Webhook,
                _,
            )
            | (_, Holder::App) => Self::AppOnly,
            (
                GrantKind::Delegated
                | GrantKind::AdminConsented
                | GrantKind::PersonalToken
                | GrantKind::ApiToken
                | GrantKind::Key,
                Holder::Principal(_) | Holder::Tenant,
            ) => Self::Delegated,
        }
    }

    /// For whom an app acts in this kind, for the middle of a sentence.
    const fn holder(self) -> &'static str {
        match self {
            Self::Delegated => "its user",
            Self::AppOnly => "the app itself",
        }
    }
}

/// What one scope allows and how much harm that can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Assessment<'c> {
    /// As the platform writes it.
    pub name: Cow<'c, str>,
    /// What it lets its holder do.
    pub access: Access,
    /// How far.
    pub reach: Reach,
    /// On what.
    pub data: DataClass,
    /// Harm from 0 (it reads nothing that matters) to 4 if what it reads gets out.
    pub harm_if_read: u8,
    /// Harm from 0 (it changes nothing that matters) to 4 if what it can change is changed by a thief.
    pub harm_if_changed: u8,
    /// Whether its holder can get more rights with it.
    pub escalation: Escalation,
    /// Whether it keeps access alive without the user: a refresh token. Amplifies a grant; no severity by itself.
    pub offline: bool,
    /// Whether it sends in the holder's name: what a phisher wants.
    pub sends: bool,
    /// By [`Self::weight`].
    pub severity: Severity,
    /// Whether it was judged by the words in its name, since the catalog does not have it. Then never below `medium`.
    pub derived: bool,
    /// One sentence.
    pub meaning: Cow<'c, str>,
}

impl Assessment<'_> {
    /// Whether it reaches sensitive data in bulk.
    pub fn is_broad(&self) -> bool {
        self.access > Access::Limited
            && self.reach >= Reach::User
            && self.harm_if_read.max(self.harm_if_changed) >= weight::SENSITIVE
    }

    /// Whether it is an umbrella scope: all that the user can do.
    pub fn is_umbrella(&self) -> bool {
        self.access == Access::ActAs && self.harm_if_read.max(self.harm_if_changed) >= 4
    }

    /// How grave it is to hold it, and why.
    pub fn weight(&self) -> Weight {
        Weight::of(
            self.access,
            self.reach,
            self.harm_if_read,
            self.harm_if_changed,
            self.escalation,
        )
        .guessed(self.derived)
    }

    /// One sentence, to follow the scope's name: `can read all mail that its user can reach`.
    pub fn sentence(&self, kind: Kind) -> String {
        format!("can {}", power::of([self], kind.holder()))
    }
}

#[cfg(test)]
mod tests;
