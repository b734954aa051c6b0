//! The format of `scopes.toml`, and what makes such a file valid.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::Deserialize;

use super::{Access, Assessment, Catalog, DataClass, Escalation, Reach, Rights};
use crate::finding::Severity;

/// A `scopes.toml` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    bounded_by_user: bool,
    #[serde(rename = "scope")]
    scopes: Vec<ScopeEntry>,
    #[serde(default, rename = "privilege")]
    privileges: Vec<PrivilegeEntry>,
}

/// One scope of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// On the wire: in an authorization request and a token response (RFC 6749 section 3.3).
    pub name: String,
    /// In the platform's metadata, where it has another name there.
    pub metadata: Option<String>,
    /// The column that says whether an app has it, where the platform keeps one per scope.
    pub column: Option<String>,
    /// What it lets its holder do.
    pub access: Access,
    /// How far, for an app that acts for a user.
    pub reach: Reach,
    /// On what.
    pub data: DataClass,
    /// Harm from 0 (it reads nothing that matters) to 4 if what it reads gets out.
    pub harm_if_read: u8,
    /// Harm from 0 (it changes nothing that matters) to 4 if what it can change is changed by a thief.
    pub harm_if_changed: u8,
    /// Whether its holder can get more rights with it.
    #[serde(default = "no_escalation")]
    pub escalation: Escalation,
    /// Whether it keeps access alive without the user.
    #[serde(default)]
    pub offline: bool,
    /// Scopes that it includes; completed with what those include when the file is read.
    #[serde(default)]
    pub implies: Vec<String>,
    /// Scopes that do for many who ask for this one.
    #[serde(default)]
    pub narrower: Vec<String>,
    /// One sentence, in our own words.
    pub meaning: String,
    /// The documentation page that says so.
    pub source: String,
}

impl ScopeEntry {
    /// The entry as an assessment whose severity is yet to be weighed.
    pub(super) fn assessment(&self) -> Assessment<'_> {
        Assessment {
            name: Cow::Borrowed(&self.name),
            access: self.access,
            reach: self.reach,
            data: self.data,
            harm_if_read: self.harm_if_read,
            harm_if_changed: self.harm_if_changed,
            escalation: self.escalation,
            offline: self.offline,
            severity: Severity::Info,
            derived: false,
            meaning: Cow::Borrowed(&self.meaning),
        }
    }
}

/// One right of a principal that reaches beyond its own data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivilegeEntry {
    /// By the name that the platform's administration pages show.
    pub name: String,
    /// Other names of the same right: in the API, in older releases. Case, blanks and punctuation do not count.
    #[serde(default)]
    pub also: Vec<String>,
    /// How far it reaches.
    pub rights: Rights,
    /// One sentence, in our own words.
    pub meaning: String,
}

const fn no_escalation() -> Escalation {
    Escalation::None
}

/// A `scopes.toml` that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the scope catalog of {platform} cannot be used: {problem}")]
pub struct CatalogError {
    platform: String,
    problem: String,
}

/// A name without case, blanks and punctuation, so that `Modify All Data` and `ModifyAllData` are the same right.
pub(super) fn simplified(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

pub(super) fn parse(platform: &str, text: &str) -> Result<Catalog, CatalogError> {
    let fail = |problem: String| CatalogError { platform: platform.to_owned(), problem };
    let file: CatalogFile = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
    let names = index(&file.scopes).map_err(fail)?;
    let mut catalog = Catalog {
        platform: platform.to_owned(),
        bounded_by_user: file.bounded_by_user,
        entries: file.scopes,
        names,
        privileges: file.privileges,
        rights: BTreeMap::new(),
    };
    complete_implied(&mut catalog).map_err(fail)?;
    for privilege in &catalog.privileges {
        for name in privilege.also.iter().chain([&privilege.name]) {
            if catalog.rights.insert(simplified(name), privilege.rights).is_some() {
                return Err(fail(format!("the privilege `{name}` occurs twice")));
            }
        }
    }
    Ok(catalog)
}

/// Every name of every entry. Names on the wire win over metadata names, since grants carry them.
fn index(entries: &[ScopeEntry]) -> Result<BTreeMap<String, usize>, String> {
    let mut names = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if entry.harm_if_read.max(entry.harm_if_changed) > 4 {
            return Err(format!("`{}` has a harm above 4", entry.name));
        }
        if names.insert(entry.name.clone(), at).is_some() {
            return Err(format!("the scope `{}` occurs twice", entry.name));
        }
    }
    for (at, entry) in entries.iter().enumerate() {
        for name in [&entry.metadata, &entry.column].into_iter().flatten() {
            names.entry(name.clone()).or_insert(at);
        }
    }
    Ok(names)
}

/// Adds to each entry's `implies` what the implied scopes imply in their turn.
fn complete_implied(catalog: &mut Catalog) -> Result<(), String> {
    let mut completed = Vec::with_capacity(catalog.entries.len());
    for entry in &catalog.entries {
        if let Some(name) = entry.narrower.iter().find(|name| catalog.entry(name).is_none()) {
            return Err(format!("`{}` names `{name}` as narrower, which is not there", entry.name));
        }
        let mut implied = BTreeSet::new();
        let mut open: Vec<&str> = entry.implies.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            let Some(other) = catalog.entry(name) else {
                return Err(format!("`{}` implies `{name}`, which is not there", entry.name));
            };
            if name != entry.name && implied.insert(name.to_owned()) {
                open.extend(other.implies.iter().map(String::as_str));
            }
        }
        completed.push(implied);
    }
    for (entry, implied) in catalog.entries.iter_mut().zip(completed) {
        entry.implies = implied.into_iter().collect();
    }
    Ok(())
}
