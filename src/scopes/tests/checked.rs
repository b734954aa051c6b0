//! Which entries somebody checked by hand, and that these are the weightiest.

use super::{catalogs::read, *};

/// For each platform: how many entries are checked at the least; and of how many of the weightiest at least how many.
const LEAST: &[(&str, usize, usize, usize)] = &[
    ("github", 260, 100, 70),
    ("google-workspace", 135, 100, 85),
    ("microsoft-365", 620, 300, 165),
    ("okta", 92, 60, 30),
    ("salesforce", 27, 16, 11),
    ("slack", 110, 70, 55),
];

/// The gravest severity of a scope in one of its kinds, and its harms.
fn weight(catalog: &Catalog, entry: &ScopeEntry) -> (Severity, u8) {
    let kinds = [Kind::Delegated, Kind::AppOnly].into_iter().filter(|kind| entry.exists_as(*kind));
    let severity = kinds.map(|kind| catalog.assess_entry(entry, kind).severity).max().unwrap();
    (severity, entry.harm_if_read + entry.harm_if_changed)
}

#[test]
fn the_weightiest_entries_were_checked_by_hand() {
    let mut all = 0;
    for &(platform, least, top, of_top) in LEAST {
        let catalog = read(platform);
        let checked = |entry: &&ScopeEntry| entry.checked.is_some();
        let rights = catalog.privileges().iter().filter(|right| right.checked.is_some()).count();
        let found = catalog.entries().iter().filter(checked).count() + rights;
        assert!(found >= least, "{platform}: {found}");
        all += found;
        let mut entries: Vec<&ScopeEntry> = catalog.entries().iter().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(weight(&catalog, entry)));
        // Counted from the top: the weightiest, not any that came handy.
        let found = entries.into_iter().take(top).filter(checked).count();
        println!("{platform}: {found} of the weightiest {top}");
        assert!(found >= of_top, "{platform}: of the weightiest {top} only {found}");
    }
    assert!(all >= 1_200, "{all}");
}

/// An entry must not be called checked against anything but the platform's own pages.
#[test]
fn entries_are_checked_against_the_platforms_own_pages() {
    let owners: &[(&str, &[&str])] = &[
        ("github", &["docs.github.com", "github.com/github/"]),
        ("google-workspace", &["googleapis.com", "google.com"]),
        ("microsoft-365", &["microsoft.com", "github.com/microsoft", "github.com/MicrosoftDocs"]),
        ("okta", &["okta.com", "github.com/okta"]),
        ("salesforce", &["salesforce.com"]),
        ("slack", &["slack.com", "slack.dev", "github.com/slackapi"]),
    ];
    for (platform, hosts) in owners {
        let catalog = read(platform);
        let scopes = catalog.entries().iter().map(|entry| (&entry.name, &entry.checked));
        let rights = catalog.privileges().iter().map(|right| (&right.name, &right.checked));
        for (name, page) in
            scopes.chain(rights).filter_map(|(name, page)| Some((name, page.as_ref()?)))
        {
            let host = page.trim_start_matches("https://").split('/').next().unwrap_or_default();
            let is_theirs = hosts.iter().any(|owner| match owner.split_once('/') {
                Some(_) => {
                    page.trim_start_matches("https://").starts_with(owner)
                        || page.starts_with(&format!(
                            "https://raw.githubusercontent.com/{}",
                            owner.trim_start_matches("github.com/")
                        ))
                }
                None => host == *owner || host.ends_with(&format!(".{owner}")),
            });
            assert!(is_theirs, "{platform}: {name} was checked against {page}");
        }
    }
}

/// The page for users must not promise more, or less, than there is.
#[test]
fn the_page_has_the_counts() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scopes.md");
    let page = std::fs::read_to_string(path).unwrap();
    for connector in crate::registry::CONNECTORS {
        let manifest = connector.manifest();
        let catalog = read(&manifest.id);
        let (entries, rights) = (catalog.entries(), catalog.privileges());
        let row = format!(
            "| {} | {} | {} | {} | {} |",
            manifest.name,
            entries.len(),
            entries.iter().filter(|entry| entry.checked.is_some()).count(),
            rights.len(),
            rights.iter().filter(|right| right.checked.is_some()).count(),
        );
        assert!(page.contains(&row), "docs/scopes.md lacks: {row}");
    }
}
