//! Apps that thieves are known to use: facts with source and date, in `known_abused.toml`. Nothing here judges.

use std::{collections::BTreeSet, sync::LazyLock};

use serde::Deserialize;

/// An app that thieves are known to use.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abused {
    /// Its name, whole, as it appears.
    pub name: String,
    /// Other names of it, whole.
    #[serde(default)]
    also: Vec<String>,
    /// Platforms where it was seen.
    platforms: BTreeSet<String>,
    /// Its OAuth client identifiers, as far as they are known. Lists disagree, so that there may be several.
    #[serde(default)]
    ids: Vec<Id>,
    /// Whether it is the thieves' own; else an honest product that they use after they took over an account.
    pub is_thieves_own: bool,
    /// What is known about it, to follow its name: `copies whole mailboxes`.
    pub what: String,
    /// The year from which it is known.
    pub since: u16,
    /// Where the name is from.
    source: String,
}

/// A client identifier and where it is from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Id {
    id: String,
    source: String,
}

/// What an app was recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Its client identifier, and the page that lists it.
    Id(&'static str),
    /// Its name, which anybody can choose, and the page that lists it.
    Name(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "app")]
    apps: Vec<Abused>,
}

static APPS: LazyLock<Vec<Abused>> =
    // A test reads the same text, so that it cannot be broken in a build whose tests passed.
    LazyLock::new(|| parse().map(|file| file.apps).unwrap_or_default());

fn parse() -> Result<File, toml::de::Error> {
    toml::from_str(include_str!("known_abused.toml"))
}

/// The app that thieves are known to use on the platform, by client identifier, else by name.
pub fn known_abused(
    platform: &str,
    client_ids: &[String],
    name: &str,
) -> Option<(&'static Abused, By)> {
    let apps = || APPS.iter().filter(|app| app.platforms.contains(platform));
    let by_id = apps().find_map(|app| {
        let is_its = |id: &&Id| client_ids.iter().any(|other| other.eq_ignore_ascii_case(&id.id));
        app.ids.iter().find(is_its).map(|id| (app, By::Id(&id.source)))
    });
    by_id.or_else(|| {
        let name = name.trim().to_lowercase();
        let mut names =
            apps().flat_map(|app| app.also.iter().chain([&app.name]).map(move |name| (app, name)));
        let (app, _) = names.find(|(_, other)| other.to_lowercase() == name)?;
        Some((app, By::Name(&app.source)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_readable_and_names_its_sources() {
        let mut ids = BTreeSet::new();
        for app in parse().unwrap().apps {
            assert!(app.source.starts_with("https://"), "{}", app.name);
            assert!(!app.what.ends_with('.') && app.since > 2015, "{}", app.name);
            for Id { id, source } in app.ids {
                assert!(source.starts_with("https://"), "{id}");
                assert!(ids.insert(id.to_lowercase()), "{id} stands twice");
            }
        }
        assert!(ids.len() > 10);
    }

    #[test]
    fn an_identifier_is_firmer_than_a_name() {
        let id = "FF8D92DC-3D82-41D6-BCBD-B9174D163620".to_owned();
        let (app, by) = known_abused("microsoft-365", &[id], "Something else").unwrap();
        assert_eq!(app.name, "PerfectData Software");
        assert!(matches!(by, By::Id(_)));
        let (_, by) = known_abused("microsoft-365", &[], "PERFECTDATA SOFTWARE").unwrap();
        assert!(matches!(by, By::Name(_)));
        assert!(known_abused("github", &[], "PerfectData Software").is_none());
        assert!(known_abused("microsoft-365", &[], "PerfectData").is_none());
    }

    /// The public lists name different identifiers for it; both are kept.
    #[test]
    fn lists_that_disagree_are_both_believed() {
        for id in ["4761b959-9780-4c2d-87a3-512b4638f767", "b15665d9-eda6-4092-8539-0eec376afd59"] {
            assert_eq!(
                known_abused("microsoft-365", &[id.to_owned()], "x").unwrap().0.name,
                "rclone"
            );
        }
    }
}
