//! [`Register`]: the file in which a company keeps what it knows about its vendors.
//!
//! A file that contradicts itself is refused with line and column: a key that two entries claim would let chance decide whose app it is.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{Entry, TieKind, brands, check};
use crate::position::Lines;

/// The file as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterFile {
    /// The vendors.
    #[serde(default, rename = "vendor")]
    pub vendors: Vec<Entry>,
}

/// A vendor register, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// The file it was read from.
    pub path: PathBuf,
    /// Its entries, in the order of the file.
    pub entries: Vec<Entry>,
    pub(super) by_key: BTreeMap<(TieKind, String), usize>,
    pub(super) by_name: BTreeMap<String, usize>,
    /// By a vendor of the brand table; `None` where several entries have names of its brands.
    pub(super) by_brand: BTreeMap<&'static str, Option<usize>>,
}

/// What is wrong with a register.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The file cannot be read.
    #[error("cannot read the vendor register {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong, and what to do.
        message: String,
    },
}

impl Register {
    /// Reads and checks a register file.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn load(path: &Path) -> Result<Self, RegisterError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RegisterError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    /// Checks the text of a register file.
    ///
    /// # Errors
    /// [`RegisterError::Parse`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, RegisterError> {
        let lines = Lines::of(text);
        let wrong = |offset: usize, message: String| {
            let (line, column) = lines.position(offset);
            RegisterError::Parse { path: path.to_owned(), line, column, message }
        };
        let file: RegisterFile = toml::from_str(text).map_err(|error| {
            wrong(error.span().map_or(0, |span| span.start), error.message().to_owned())
        })?;
        let mut register = Self {
            path: path.to_owned(),
            entries: file.vendors,
            by_key: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_brand: BTreeMap::new(),
        };
        for entry in &mut register.entries {
            entry.line = lines.position(entry.name.span().start).0;
            let named = entry.sub_processors.iter().flatten();
            entry.sub_processor_lines =
                named.map(|name| lines.position(name.span().start).0).collect();
        }
        register.index().map_err(|(at, message)| wrong(at, message))?;
        Ok(register)
    }

    fn index(&mut self) -> Result<(), check::Wrong> {
        for (at, entry) in self.entries.iter().enumerate() {
            check::entry(entry)?;
            for name in entry.names() {
                let other = self.by_name.insert(check::company(name)?, at);
                claimed_once(&self.entries, at, other, name, "name")?;
                if let Some(brand) = brands::of_name(name.get_ref()) {
                    let known = self.by_brand.entry(brand).or_insert(Some(at));
                    *known = known.filter(|other| *other == at);
                }
            }
            for (kind, value, key) in check::keys(entry)? {
                let other = self.by_key.insert((kind, key), at);
                claimed_once(&self.entries, at, other, value, &kind.to_string())?;
            }
        }
        Ok(())
    }

    /// The file and line of an entry, as the source of what it says.
    pub fn source(&self, entry: &Entry) -> String {
        self.line(entry.line)
    }

    /// A line of the file, as a source.
    pub(super) fn line(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    /// The names of all entries, for comparing.
    pub(crate) fn companies(&self) -> impl Iterator<Item = String> {
        self.by_name.keys().cloned()
    }

    /// Whether an entry claims the registrable domain.
    pub(super) fn claims_domain(&self, domain: &str) -> bool {
        self.by_key.contains_key(&(TieKind::RedirectDomain, domain.to_owned()))
    }

    /// A company's name for comparing: the same for all names that this register or the brand table gives to one company.
    pub(super) fn company(&self, name: &str) -> String {
        let entry = self.position_of(name).map(|at| &self.entries[at]);
        entry.map_or_else(
            || brands::company(brands::of_name(name).unwrap_or(name)),
            |entry| brands::company(entry.name()),
        )
    }

    fn position_of(&self, name: &str) -> Option<usize> {
        let literal = self.by_name.get(&brands::company(name)).copied();
        literal.or_else(|| self.by_brand.get(brands::of_name(name)?).copied().flatten())
    }
}

fn claimed_once(
    entries: &[Entry],
    at: usize,
    other: Option<usize>,
    value: &Spanned<String>,
    what: &str,
) -> Result<(), check::Wrong> {
    match other.filter(|other| *other != at).map(|other| &entries[other]) {
        None => Ok(()),
        Some(other) => Err((
            value.span().start,
            format!(
                "the {what} `{}` is that of `{}` in line {}, too; leave it with one of them",
                value.get_ref(),
                other.name(),
                other.line
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Register, String> {
        Register::parse(Path::new("v.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_the_documented_form() {
        let register = parse(include_str!("../../fixtures/registers/documented.toml")).unwrap();
        let [first, second] = register.entries.as_slice() else { panic!("{register:#?}") };
        assert_eq!(first.owner(), Some("revops@acme.example"));
        assert_eq!(first.contract_end.unwrap().to_string(), "2026-12-31");
        assert_eq!(first.reviewed.unwrap().to_string(), "2026-01-15");
        assert_eq!(first.egress.as_ref().unwrap().ranges[0].to_string(), "203.0.113.64/27");
        assert_eq!(first.sub_processors.as_ref().unwrap().len(), 2);
        assert_eq!(register.source(first), "v.toml:2");
        assert_eq!(second.sub_processors, Some(Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, message) in [
            ("[[vendor]]\n", "v.toml:1:1: missing field `name`"),
            ("[[vendor]]\nname = 'A'\nownr = 'x'", "v.toml:3:1: unknown field `ownr`"),
            ("[[vendor]]\nname = ' .'", "v.toml:2:8: ` .` is no name"),
            ("[[vendor]]\nname = 'A'\nowner = ''", "v.toml:3:9: this is empty"),
            (
                "[[vendor]]\nname = 'A'\npurpose = 'E-mail tool'",
                "v.toml:3:11: `E-mail tool` is no class",
            ),
            ("[[vendor]]\nname = 'A'\ndata = ['mails']", "v.toml:3:9: unknown variant `mails`"),
            (
                "[[vendor]]\nname = 'A'\ndata = ['unknown']",
                "v.toml:3:8: `none` and `unknown` are no kinds",
            ),
            (
                "[[vendor]]\nname = 'A'\ncontract_end = '2026-02-30'",
                "v.toml:3:16: `2026-02-30` is not a day",
            ),
            (
                "[[vendor]]\nname = 'A'\ncontract_end = 2026-02-01T10:00:00Z",
                "v.toml:3:16: `2026-02-01T10:00:00Z` is not a day",
            ),
            (
                "[[vendor]]\nname = 'A'\nreviewed = 2026-02-01\nreview_due = 2026-01-01",
                "v.toml:4:14: the next review is due before",
            ),
            (
                "[[vendor]]\nname = 'A'\negress = { ranges = ['10.0.0.0/33'], checked = 2026-01-01 }",
                "v.toml:3:21: `10.0.0.0/33` is no network",
            ),
            (
                "[[vendor]]\nname = 'A'\negress = { ranges = ['10.0.0.0/24'] }",
                "missing field `checked`",
            ),
            (
                "[[vendor]]\nname = 'A'\ndomains = ['app.a.example']",
                "v.toml:3:12: write the registered domain, `a.example`",
            ),
            (
                "[[vendor]]\nname = 'A'\ndomains = ['slack.com']",
                "v.toml:3:12: under `slack.com` many",
            ),
            (
                "[[vendor]]\nname = 'A'\ndomains = ['localhost']",
                "v.toml:3:12: `localhost` is no domain",
            ),
            (
                "[[vendor]]\nname = 'A'\ndomains = ['https://drift.com/callback']",
                "v.toml:3:12: `https://drift.com/callback` is more or less than a domain; write `vendor.example`",
            ),
            ("[[vendor]]\nname = 'A'\ndomains = ['drift.com:443']", "v.toml:3:12: `drift.com:443`"),
            ("[[vendor]]\nname = 'A'\ndomains = ['*.drift.example']", "v.toml:3:12: `*.drift"),
            (
                "[[vendor]]\nname = 'A'\ndomains = ['drift.example.']",
                "v.toml:3:12: `drift.example.`",
            ),
            (
                "[[vendor]]\nname = 'A'\nhome_tenants = ['3f2b']",
                "v.toml:3:17: `3f2b` does not say on which platform",
            ),
            (
                "[[vendor]]\nname = 'A'\ngoogle_projects = ['x']",
                "v.toml:3:20: `x` is no project number",
            ),
            ("[[vendor]]\nname = 'A'\nsub_processors = ['']", "v.toml:3:19: `` is no name"),
            (
                "[[vendor]]\nname = 'A'\n[[vendor]]\nname = 'B'\nalso = ['C', 'a, Inc.']",
                "v.toml:5:14: the name `a, Inc.` is that of `A` in line 2",
            ),
            (
                "[[vendor]]\nname = 'A'\nclient_ids = ['x']\n[[vendor]]\nname = 'B'\nclient_ids = ['x']",
                "v.toml:6:15: the client id `x` is that of `A` in line 2",
            ),
            ("name = 'A'", "v.toml:1:1: unknown field `name`"),
            ("[[vendor]\nname = 'A'", "v.toml:1:"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(message), "{text}\n  {error}\n  {message}");
        }
    }
}
