//! What holds for the catalog of every platform.

use std::{collections::BTreeSet, path::PathBuf, time::Instant};

use super::*;

/// A platform, its catalog, and the file with its official names that the project's engineers share.
macro_rules! catalog {
    ($platform:literal, $official:literal) => {
        (
            $platform,
            include_str!(concat!("../../../connectors/", $platform, "/scopes.toml")),
            concat!("scopes/", $official),
        )
    };
}

/// Every catalog of the repository.
const CATALOGS: &[(&str, &str, &str)] = &[
    catalog!("github", "github.json"),
    catalog!("google-workspace", "google.json"),
    catalog!("microsoft-365", "microsoft-graph.json"),
    catalog!("okta", "okta.json"),
    catalog!("salesforce", "salesforce.json"),
    catalog!("slack", "slack.json"),
];

/// The catalog of a platform.
pub(super) fn read(platform: &str) -> Catalog {
    let (_, text, _) = CATALOGS.iter().find(|(id, ..)| *id == platform).unwrap();
    Catalog::parse(platform, text).unwrap()
}

/// The platforms that have a catalog.
pub(super) fn platforms() -> impl Iterator<Item = &'static str> {
    CATALOGS.iter().map(|(platform, ..)| *platform)
}

/// An official name.
#[derive(Deserialize)]
pub(super) struct Official {
    scope: String,
    kind: String,
    resource: Option<String>,
    pub(super) official_class: Option<String>,
    metadata_name: Option<String>,
    token_types: Option<Vec<String>>,
}

impl Official {
    pub(super) fn scope(&self) -> Scope {
        Scope { name: self.scope.clone(), resource: self.resource.clone() }
    }

    pub(super) fn kind(&self) -> Kind {
        if self.kind == "application" { Kind::AppOnly } else { Kind::Delegated }
    }

    pub(super) const fn has_token_types(&self) -> bool {
        self.token_types.is_some()
    }

    /// The kinds in which it exists; where there is a list of token types, a user's token is of one kind and any other of the other.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let Some(types) = &self.token_types else { return vec![self.kind()] };
        let mut kinds: Vec<_> = types
            .iter()
            .map(|name| if name == "user" { Kind::Delegated } else { Kind::AppOnly })
            .collect();
        kinds.sort_unstable_by_key(|kind| *kind == Kind::AppOnly);
        kinds.dedup();
        kinds
    }
}

/// The official names of a platform; nothing where the shared data, which is not part of the repository, is not there.
pub(super) fn official(platform: &str) -> Option<Vec<Official>> {
    let (.., path) = CATALOGS.iter().find(|(id, ..)| *id == platform)?;
    #[expect(clippy::disallowed_methods, reason = "only a test looks for the shared data")]
    let folder = std::env::var_os("GRANTWARDEN_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let text = std::fs::read_to_string(folder.join(path)).ok()?;
    let mut names: Vec<Official> = serde_json::from_str(&text).unwrap();
    // The list tells GitHub's two name spaces apart by kind, not by resource.
    for name in names.iter_mut().filter(|name| platform == "github" && name.kind == "oauth") {
        name.resource = Some("OAuth scope".to_owned());
    }
    Some(names)
}

/// A scope as its entry names it.
fn scope_of(entry: &ScopeEntry) -> Scope {
    Scope { name: entry.name.clone(), resource: entry.resource.clone() }
}

/// The kinds in which a scope exists.
fn kinds_of(entry: &ScopeEntry) -> impl Iterator<Item = Kind> {
    [Kind::Delegated, Kind::AppOnly].into_iter().filter(|kind| entry.exists_as(*kind))
}

/// One line for every scope that is critical in one of its kinds: its severity for an app that acts for a user, for one that acts for
/// itself, and its resource and name.
pub(super) fn critical(catalog: &Catalog) -> String {
    let lines: Vec<_> = catalog
        .entries()
        .iter()
        .filter_map(|entry| {
            let found = [Kind::Delegated, Kind::AppOnly].map(|kind| {
                let exists = entry.exists_as(kind);
                exists.then(|| catalog.assess(&scope_of(entry), kind).severity)
            });
            found.contains(&Some(Severity::Critical)).then(|| {
                let [delegated, app_only] = found.map(|severity| {
                    severity.map_or_else(|| "-".to_owned(), |severity| severity.to_string())
                });
                let resource = entry.resource.as_deref().map(|name| format!("{name}: "));
                let resource = resource.unwrap_or_default();
                format!("{delegated:<9}{app_only:<9}{resource}{}", entry.name)
            })
        })
        .collect();
    lines.join("\n")
}

#[test]
fn has_every_official_name_in_its_kinds() {
    for &(platform, ..) in CATALOGS {
        let Some(names) = official(platform) else {
            println!("skipped: no shared data of {platform}");
            continue;
        };
        assert!(names.len() >= 36);
        let catalog = read(platform);
        for official in names {
            let name = format!("{} of {:?} in {platform}", official.scope, official.resource);
            let entry = catalog.entry(&official.scope()).unwrap_or_else(|| panic!("no {name}"));
            for kind in official.kinds() {
                assert!(entry.exists_as(kind), "{name} as {kind:?}");
            }
            if let Some(metadata) = official.metadata_name {
                assert_eq!(entry.metadata, Some(metadata), "{name}");
            }
        }
    }
}

/// A kind that is not official would be one that an administrator looks for in vain.
#[test]
fn has_no_kind_that_is_not_official() {
    let platform = "microsoft-365";
    let Some(names) = official(platform) else {
        println!("skipped: no shared data of {platform}");
        return;
    };
    let key = |name: &str, resource: Option<&str>, kind: Kind| {
        (name.to_lowercase(), resource.unwrap_or_default().to_owned(), kind == Kind::AppOnly)
    };
    let known: BTreeSet<_> = names
        .iter()
        .map(|official| key(&official.scope, official.resource.as_deref(), official.kind()))
        .collect();
    let catalog = read(platform);
    for entry in catalog.entries() {
        let resource = entry.resource.as_deref();
        // Roles are no permissions, and in no list of them.
        if resource == Some("Directory role") {
            continue;
        }
        for kind in kinds_of(entry) {
            assert!(known.contains(&key(&entry.name, resource, kind)), "{} {kind:?}", entry.name);
        }
    }
}

#[test]
fn every_entry_is_written_out() {
    for &(platform, ..) in CATALOGS {
        let catalog = read(platform);
        for entry in catalog.entries() {
            let app_only = entry.application.as_ref().and_then(|entry| entry.meaning.as_deref());
            for meaning in [Some(entry.meaning.as_str()), app_only].into_iter().flatten() {
                let first = meaning.chars().next().unwrap();
                assert!(first.is_uppercase() && meaning.ends_with('.'), "{}", entry.name);
                assert!(!meaning.contains("  ") && meaning.len() <= 140, "{}", entry.name);
            }
            assert!(entry.source.starts_with("https://"), "{}", entry.name);
            assert!(!kinds_of(entry).any(|kind| catalog.assess(&scope_of(entry), kind).derived));
        }
        assert!(catalog.privileges().iter().all(|privilege| privilege.meaning.ends_with('.')));
    }
}

/// Otherwise a set would look milder than one of its scopes.
#[test]
fn a_scope_weighs_at_least_as_much_as_those_that_it_implies() {
    for &(platform, ..) in CATALOGS {
        let catalog = read(platform);
        for entry in catalog.entries() {
            for implied in &entry.implies {
                let part = Scope { name: implied.clone(), resource: entry.resource.clone() };
                let part_of = catalog.entry(&part).unwrap();
                for kind in kinds_of(entry).filter(|kind| part_of.exists_as(*kind)) {
                    let whole = catalog.assess(&scope_of(entry), kind);
                    let part = catalog.assess(&part, kind);
                    assert!(
                        whole.severity >= part.severity
                            && whole.harm_if_read >= part.harm_if_read
                            && whole.harm_if_changed >= part.harm_if_changed,
                        "{} implies {implied}, {kind:?}",
                        entry.name
                    );
                }
            }
        }
    }
}

#[test]
fn what_only_reads_harms_nothing_by_changing_and_escalates_only_by_secrets() {
    for &(platform, ..) in CATALOGS {
        let catalog = read(platform);
        for entry in catalog.entries().iter().filter(|entry| entry.access == Access::Read) {
            assert_eq!(entry.harm_if_changed, 0, "{}", entry.name);
            let secrets = entry.data == DataClass::Secrets || entry.harm_if_read >= 3;
            assert!(entry.escalation == Escalation::None || secrets, "{}", entry.name);
        }
    }
}

/// The number is for whoever looks; only a catalog that got a hundred times slower fails.
#[test]
fn catalogs_are_read_quickly() {
    for &(platform, text, _) in CATALOGS {
        #[expect(clippy::disallowed_methods, reason = "it measures this machine")]
        let start = Instant::now();
        let catalog = Catalog::parse(platform, text).unwrap();
        let taken = start.elapsed();
        println!("{platform}: {} entries in {taken:?}", catalog.entries().len());
        assert!(taken.as_secs() < 20, "{taken:?}");
    }
}
