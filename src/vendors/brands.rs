//! The brand table: which names and domains are one company's, and which domains say nothing about whose an app is. Facts only, each
//! with its source, in `brands.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

/// The table as data.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Domains under which many companies' apps live, or that developers use for trying things out.
    shared_domains: BTreeSet<String>,
    #[serde(rename = "vendor")]
    vendors: Vec<Entry>,
}

/// One company.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    /// Further names, of its products and apps, whole: a part of a name is no brand.
    #[serde(default)]
    brands: Vec<String>,
    #[serde(default)]
    domains: Vec<String>,
    /// Where this is said.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader of the table"))]
    source: String,
}

/// The table, ready to be asked.
struct Table {
    by_name: BTreeMap<String, String>,
    by_domain: BTreeMap<String, String>,
    shared_domains: BTreeSet<String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // A test reads the same text, so that it cannot be broken in a build whose tests passed.
    let file = parse().unwrap_or(File { shared_domains: BTreeSet::new(), vendors: Vec::new() });
    let mut table = Table {
        by_name: BTreeMap::new(),
        by_domain: BTreeMap::new(),
        shared_domains: file.shared_domains,
    };
    for Entry { name, brands, domains, .. } in file.vendors {
        for brand in brands.iter().chain([&name]) {
            table.by_name.insert(company(brand), name.clone());
        }
        for domain in domains {
            table.by_domain.insert(domain, name.clone());
        }
    }
    table
});

fn parse() -> Result<File, toml::de::Error> {
    toml::from_str(include_str!("brands.toml"))
}

/// The vendor whose brand this name is.
pub(super) fn of_name(name: &str) -> Option<&'static str> {
    TABLE.by_name.get(&company(name)).map(String::as_str)
}

/// The vendor whose domain this is.
pub(super) fn of_domain(domain: &str) -> Option<&'static str> {
    TABLE.by_domain.get(domain).map(String::as_str)
}

/// Whether a domain, or one that it is below, says nothing about whose an app is.
pub(crate) fn is_shared(domain: &str) -> bool {
    let above = domain.match_indices('.').map(|(at, _)| &domain[at + 1..]);
    std::iter::once(domain).chain(above).any(|domain| TABLE.shared_domains.contains(domain))
}

/// Words at the end of a company's name that are its legal form.
const LEGAL_FORMS: [&str; 14] = [
    "inc",
    "incorporated",
    "llc",
    "ltd",
    "limited",
    "corp",
    "corporation",
    "co",
    "gmbh",
    "ag",
    "sa",
    "sas",
    "bv",
    "plc",
];

/// A name for comparing: in lower case, without punctuation, spaces and legal form. `Salesloft, Inc.` becomes `salesloft`.
pub fn company(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '.').collect();
    words.retain(|word| !word.trim_matches('.').is_empty());
    while let [first @ .., last] = words.as_slice()
        && !first.is_empty()
        && LEGAL_FORMS.contains(&last.replace('.', "").as_str())
    {
        words.pop();
    }
    words.join(" ").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_readable_and_names_its_sources() {
        let file = parse().unwrap();
        let mut names = BTreeSet::new();
        for entry in &file.vendors {
            assert!(entry.source.starts_with("https://"), "{}", entry.name);
            for brand in entry.brands.iter().chain([&entry.name]) {
                assert!(names.insert(company(brand)), "{brand} is in the table twice");
            }
        }
    }

    #[test]
    fn a_company_is_compared_without_its_legal_form() {
        for name in ["Salesloft, Inc.", "SALESLOFT", "Salesloft Inc"] {
            assert_eq!(company(name), "salesloft", "{name}");
        }
        assert_eq!(company("Mailbox Vault GmbH"), "mailbox vault");
        assert_eq!(company("Context.ai"), "context.ai");
        assert_eq!(company("Co"), "co");
    }

    /// Names one letter or one word away are other companies' (`lessons.md`, part 3: decoys).
    #[test]
    fn a_brand_is_a_whole_name() {
        assert_eq!(of_name("Drift"), Some("Salesloft"));
        assert_eq!(of_name("HelloSign"), Some("Dropbox"));
        for decoy in [
            "schema-drift-bot",
            "Drifter",
            "Context.io",
            "Salesforce",
            "Clue",
            "Metallica",
            "Heroku Deploy Status",
            "Context",
        ] {
            assert_eq!(of_name(decoy), None, "{decoy}");
        }
    }
}
