//! The brand table: which names and domains are one company's, what its apps are for, and which domains say nothing about whose an app is.
//! Facts only, each with its source, in `brands.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

use super::purposes::{self, Class};

/// The table as data.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Domains under which many companies' apps live, or that developers use for trying things out.
    shared_domains: BTreeSet<String>,
    #[serde(rename = "vendor")]
    vendors: Vec<Brand>,
}

/// One company.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The company's name.
    pub name: String,
    /// Further names, of its products and apps, whole: a part of a name is no brand.
    #[serde(default)]
    brands: Vec<String>,
    /// Names that others imitate, and that say nothing about who is behind an app.
    #[serde(default)]
    imitated: Vec<String>,
    /// Registrable domains of its own.
    #[serde(default)]
    domains: BTreeSet<String>,
    /// Whether its apps redirect to no other domain.
    #[serde(default)]
    knows_all_domains: bool,
    /// Its own tenants of Microsoft Entra, by id.
    #[serde(default)]
    entra_tenants: BTreeSet<String>,
    /// The platform that is its own: there its apps are recognised by their owner.
    #[serde(default)]
    platform: Option<String>,
    /// The id of the purpose class of all its apps.
    #[serde(default)]
    purpose: Option<String>,
    /// Where this is said.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader of the table"))]
    source: String,
}

impl Brand {
    /// Whether a host name is below one of its domains.
    pub fn owns_host(&self, host: &str) -> bool {
        super::ties::registrable(host).is_some_and(|domain| self.domains.contains(&domain))
    }

    /// Whether an Entra tenant is its own; `None` where none of its tenants is known.
    pub fn owns_entra_tenant(&self, id: &str) -> Option<bool> {
        let is_known = !self.entra_tenants.is_empty();
        is_known.then(|| self.entra_tenants.contains(&id.to_lowercase()))
    }

    /// Whether an app that redirects elsewhere is not its own.
    pub const fn redirects_nowhere_else(&self) -> bool {
        self.knows_all_domains
    }

    /// Whether the platform is its own.
    pub fn is_of_platform(&self, platform: &str) -> bool {
        self.platform.as_deref() == Some(platform)
    }
}

/// The table, ready to be asked.
struct Table {
    vendors: Vec<Brand>,
    /// Names as compared, with the position of their brand.
    names: Vec<(usize, String)>,
    by_name: BTreeMap<String, String>,
    by_domain: BTreeMap<String, String>,
    shared_domains: BTreeSet<String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // A test reads the same text, so that it cannot be broken in a build whose tests passed.
    let file = parse().unwrap_or(File { shared_domains: BTreeSet::new(), vendors: Vec::new() });
    let mut table = Table {
        vendors: Vec::new(),
        names: Vec::new(),
        by_name: BTreeMap::new(),
        by_domain: BTreeMap::new(),
        shared_domains: file.shared_domains,
    };
    for (at, vendor) in file.vendors.iter().enumerate() {
        let Brand { name, brands, imitated, domains, .. } = vendor;
        for brand in brands.iter().chain([name]) {
            table.by_name.insert(company(brand), name.clone());
        }
        let names = brands.iter().chain(imitated).chain([name]);
        table.names.extend(names.map(|name| (at, company(name))));
        for domain in domains {
            table.by_domain.insert(domain.clone(), name.clone());
        }
    }
    table.vendors = file.vendors;
    table
});

fn parse() -> Result<File, toml::de::Error> {
    toml::from_str(include_str!("brands.toml"))
}

/// Every brand with each of its names, as [`company`] writes them.
pub(super) fn names() -> impl Iterator<Item = (&'static Brand, &'static str)> {
    TABLE.names.iter().filter_map(|(at, name)| Some((TABLE.vendors.get(*at)?, name.as_str())))
}

/// What the apps of this vendor are for, if all are for one thing.
pub fn purpose(vendor: &str) -> Option<&'static Class> {
    let brand = TABLE.vendors.iter().find(|brand| brand.name == vendor)?;
    purposes::class(brand.purpose.as_deref()?)
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
            let purpose = entry.purpose.as_deref();
            assert!(purpose.is_none_or(|id| purposes::class(id).is_some()), "{}", entry.name);
            for domain in &entry.domains {
                let registrable = super::super::ties::registrable(domain);
                assert_eq!(registrable.as_ref(), Some(domain), "{}", entry.name);
            }
            for brand in entry.brands.iter().chain(&entry.imitated).chain([&entry.name]) {
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
            "Clue",
            "Metallica",
            "Heroku Deploy Status",
            "Context",
        ] {
            assert_eq!(of_name(decoy), None, "{decoy}");
        }
    }
}
