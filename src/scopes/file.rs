//! The format of `scopes.toml`, and what makes such a file valid.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::Deserialize;

use super::{
    Access, Assessment, Catalog, DataClass, Escalation, Kind, Names, Reach, Rights,
    combination::CombinationEntry,
};
use crate::finding::Severity;

/// A `scopes.toml` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    bounded_by_user: bool,
    /// Whether the platform takes `mail.read` for `Mail.Read`.
    #[serde(default)]
    ignore_case: bool,
    #[serde(default, rename = "resource")]
    resources: Vec<ResourceEntry>,
    #[serde(rename = "scope")]
    scopes: Vec<ScopeEntry>,
    #[serde(default, rename = "combination")]
    combinations: Vec<CombinationEntry>,
    #[serde(default, rename = "privilege")]
    privileges: Vec<PrivilegeEntry>,
}

/// One API of a platform that has several.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceEntry {
    /// As connectors write it into a scope's `resource`.
    name: String,
    /// The documentation page of its scopes.
    source: String,
    /// Whether scopes without a resource are its scopes.
    #[serde(default)]
    default: bool,
}

/// One scope of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// On the wire: in an authorization request and a token response (RFC 6749 section 3.3).
    pub name: String,
    /// The API that it belongs to, on a platform with several; in the file it may be left out for the default one.
    pub resource: Option<String>,
    /// The kinds in which it exists; none where the platform does not tell them apart.
    #[serde(default)]
    pub kinds: Vec<Kind>,
    /// In the platform's metadata, where it has another name there.
    pub metadata: Option<String>,
    /// The column that says whether an app has it, where the platform keeps one per scope.
    pub column: Option<String>,
    /// What it lets its holder do.
    pub access: Access,
    /// How far, for an app that acts for a user; of a scope that exists for apps alone, how far for them.
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
    /// Whether it sends messages in the holder's name.
    #[serde(default)]
    pub sends: bool,
    /// Scopes of the same resource that it includes, in the kinds in which those exist; completed with what those include when the
    /// file is read.
    #[serde(default)]
    pub implies: Vec<String>,
    /// Scopes of the same resource that do for many who ask for this one.
    #[serde(default)]
    pub narrower: Vec<String>,
    /// One sentence, in our own words.
    pub meaning: String,
    /// The documentation page that says so; in the file it may be left out where the resource has one.
    #[serde(default)]
    pub source: String,
    /// The page of the platform's own documentation, or its published API description, on which somebody read what the scope opens.
    /// `None`: the entry was judged by its name, its family and its product.
    #[serde(default)]
    pub checked: Option<String>,
    /// What is different for an app that acts for itself.
    pub application: Option<AppOnlyEntry>,
}

impl ScopeEntry {
    /// Whether it exists in that kind, as far as the platform tells kinds apart.
    pub fn exists_as(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Whether the file says how far it reaches for an app that acts for itself, so that this is not to be concluded.
    pub(super) fn says_app_only_reach(&self) -> bool {
        !self.exists_as(Kind::Delegated)
            || self.application.as_ref().is_some_and(|entry| entry.reach.is_some())
    }

    /// The entry as an assessment whose severity is yet to be weighed.
    pub(super) fn assessment(&self, kind: Kind) -> Assessment<'_> {
        let mut assessment = Assessment {
            name: Cow::Borrowed(&self.name),
            access: self.access,
            reach: self.reach,
            data: self.data,
            harm_if_read: self.harm_if_read,
            harm_if_changed: self.harm_if_changed,
            escalation: self.escalation,
            offline: self.offline,
            sends: self.sends,
            severity: Severity::Info,
            derived: false,
            meaning: Cow::Borrowed(&self.meaning),
        };
        if let (Kind::AppOnly, Some(entry)) = (kind, &self.application) {
            entry.apply(&mut assessment);
        }
        assessment
    }

    /// What is wrong with it by itself.
    pub(super) fn problem(&self) -> Option<String> {
        let app_only = self.application.as_ref();
        let harms = [
            Some(self.harm_if_read),
            Some(self.harm_if_changed),
            app_only.and_then(|entry| entry.harm_if_read),
            app_only.and_then(|entry| entry.harm_if_changed),
        ];
        if harms.into_iter().flatten().any(|harm| harm > 4) {
            return Some(format!("`{}` has a harm above 4", self.name));
        }
        if self.source.is_empty() {
            return Some(format!("`{}` has no source", self.name));
        }
        if let Some(problem) = unsafe_page(&self.name, self.checked.as_deref()) {
            return Some(problem);
        }
        let both = self.exists_as(Kind::Delegated) && self.exists_as(Kind::AppOnly);
        (app_only.is_some() && !both)
            .then(|| format!("`{}` exists in one kind, and differs in the other", self.name))
    }
}

/// What a scope is to an app that acts for itself, where that is not what it is to one that acts for a user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppOnlyEntry {
    /// In place of [`ScopeEntry::access`].
    pub access: Option<Access>,
    /// How far. Without it: the whole tenant, where no user bounds an app.
    pub reach: Option<Reach>,
    /// In place of [`ScopeEntry::harm_if_read`].
    pub harm_if_read: Option<u8>,
    /// In place of [`ScopeEntry::harm_if_changed`].
    pub harm_if_changed: Option<u8>,
    /// In place of [`ScopeEntry::escalation`].
    pub escalation: Option<Escalation>,
    /// In place of [`ScopeEntry::meaning`].
    pub meaning: Option<String>,
}

impl AppOnlyEntry {
    fn apply<'c>(&'c self, assessment: &mut Assessment<'c>) {
        assessment.access = self.access.unwrap_or(assessment.access);
        assessment.reach = self.reach.unwrap_or(assessment.reach);
        assessment.harm_if_read = self.harm_if_read.unwrap_or(assessment.harm_if_read);
        assessment.harm_if_changed = self.harm_if_changed.unwrap_or(assessment.harm_if_changed);
        assessment.escalation = self.escalation.unwrap_or(assessment.escalation);
        if let Some(meaning) = &self.meaning {
            assessment.meaning = Cow::Borrowed(meaning);
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
    /// The page of the platform's own documentation on which somebody read what the right opens.
    #[serde(default)]
    pub checked: Option<String>,
}

pub(super) const fn no_escalation() -> Escalation {
    Escalation::None
}

/// What is wrong with the page on which an entry was checked.
fn unsafe_page(name: &str, page: Option<&str>) -> Option<String> {
    page.filter(|page| page.strip_prefix("https://").is_none_or(str::is_empty))
        .map(|page| format!("`{name}` was checked against `{page}`, which is not an https address"))
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
    let mut file: CatalogFile = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
    let mut names = Names::new(file.ignore_case, resources(&mut file).map_err(fail)?);
    index(&file.scopes, &mut names).map_err(fail)?;
    let combinations = file.combinations.into_iter().map(|entry| entry.resolve(&names));
    let combinations = combinations.collect::<Result<_, _>>().map_err(fail)?;
    let mut catalog = Catalog {
        platform: platform.to_owned(),
        bounded_by_user: file.bounded_by_user,
        entries: file.scopes,
        names,
        combinations,
        privileges: file.privileges,
        rights: BTreeMap::new(),
    };
    complete_implied(&mut catalog).map_err(fail)?;
    for privilege in &catalog.privileges {
        if let Some(problem) = unsafe_page(&privilege.name, privilege.checked.as_deref()) {
            return Err(fail(problem));
        }
        for name in privilege.also.iter().chain([&privilege.name]) {
            if catalog.rights.insert(simplified(name), privilege.rights).is_some() {
                return Err(fail(format!("the privilege `{name}` occurs twice")));
            }
        }
    }
    Ok(catalog)
}

/// The names of the resources, the default one first. Writes into each scope what it has from its resource.
fn resources(file: &mut CatalogFile) -> Result<Vec<String>, String> {
    let mut sources = BTreeMap::new();
    for resource in &file.resources {
        if sources.insert(resource.name.as_str(), resource.source.as_str()).is_some() {
            return Err(format!("the resource `{}` occurs twice", resource.name));
        }
    }
    let default =
        match *file.resources.iter().filter(|resource| resource.default).collect::<Vec<_>>() {
            [] if file.resources.is_empty() => None,
            [default] => Some(default.name.as_str()),
            _ => return Err("not exactly one of the resources is the default one".to_owned()),
        };
    for scope in &mut file.scopes {
        if scope.resource.is_none() {
            scope.resource = default.map(str::to_owned);
        }
        let source = scope.resource.as_deref().and_then(|resource| sources.get(resource));
        if let (true, Some(source)) = (scope.source.is_empty(), source) {
            (*source).clone_into(&mut scope.source);
        }
    }
    let others = file.resources.iter().filter(|resource| !resource.default);
    Ok(default
        .into_iter()
        .chain(others.map(|other| other.name.as_str()))
        .map(str::to_owned)
        .collect())
}

/// Every name of every entry. Names on the wire win over metadata names, since grants carry them.
fn index(entries: &[ScopeEntry], names: &mut Names) -> Result<(), String> {
    for (at, entry) in entries.iter().enumerate() {
        if let Some(problem) = entry.problem() {
            return Err(problem);
        }
        if let Some(resource) = entry.resource.as_deref().filter(|resource| !names.has(resource)) {
            return Err(format!("`{}` is of `{resource}`, which is not a resource", entry.name));
        }
        if !names.add(entry.resource.as_deref(), &entry.name, at) {
            return Err(format!("the scope `{}` occurs twice", entry.name));
        }
    }
    for (at, entry) in entries.iter().enumerate() {
        for name in [&entry.metadata, &entry.column].into_iter().flatten() {
            names.add(entry.resource.as_deref(), name, at);
        }
    }
    Ok(())
}

/// Adds to each entry's `implies` what the implied scopes imply in their turn.
fn complete_implied(catalog: &mut Catalog) -> Result<(), String> {
    let mut completed = Vec::with_capacity(catalog.entries.len());
    for entry in &catalog.entries {
        let beside = |name: &str| {
            let at = catalog.names.find(entry.resource.as_deref(), name);
            at.and_then(|at| catalog.entries.get(at))
        };
        if let Some(name) = entry.narrower.iter().find(|name| beside(name).is_none()) {
            return Err(format!("`{}` names `{name}` as narrower, which is not there", entry.name));
        }
        let mut implied = BTreeSet::new();
        let mut open: Vec<&str> = entry.implies.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            let Some(other) = beside(name) else {
                return Err(format!("`{}` implies `{name}`, which is not there", entry.name));
            };
            if other.name != entry.name && implied.insert(other.name.clone()) {
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
