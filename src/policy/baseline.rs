//! [`Baseline`]: what was there on a day and is accepted since. What is new or worse counts.
//!
//! The file is JSON Lines: a first line about the file, then one line for each finding, in the order of their fingerprints, so that git
//! shows what came and what went. In memory a finding takes some hundred bytes; what a person may read of it is read again when needed.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Held;
use crate::finding::{Finding, Fingerprint, Severity};

/// The version of the format. A reader refuses a higher one.
pub(super) const SCHEMA: u32 = 1;

/// No finding comes near it; a file without line breaks must not fill the memory.
const LONGEST_LINE: u64 = 1 << 20;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// [`SCHEMA`].
    pub(super) baseline: u32,
    /// The version of the tool that wrote it.
    pub(super) tool: String,
    /// The time that findings were judged by.
    pub(super) judged_at: Timestamp,
    /// Whether everything that was promised was read.
    pub(super) complete: bool,
    /// How many lines follow: a file that was cut off must not look whole.
    pub(super) findings: u64,
}

/// One accepted finding.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    fingerprint: Fingerprint,
    rule: String,
    severity: Severity,
    tenant: Option<String>,
    subject: String,
    /// Null where there are none to see.
    scopes: Option<BTreeSet<String>>,
    /// [`hash`] of `scopes`: who widens a line by hand must want to.
    scopes_hash: Option<String>,
}

impl Row {
    pub(super) fn of(finding: &Finding, held: Held) -> Self {
        let scopes = match held {
            Held::Known(scopes) => Some(scopes),
            Held::None | Held::Hidden => None,
        };
        Self {
            fingerprint: finding.fingerprint,
            rule: finding.rule.clone(),
            severity: finding.severity,
            tenant: finding.tenant.clone(),
            subject: finding.subject.label.clone(),
            scopes_hash: scopes.as_ref().map(hash),
            scopes,
        }
    }
}

/// The first 16 hexadecimal digits of SHA-256 over the scopes in alphabetical order, each with a line break behind it.
fn hash(scopes: &BTreeSet<String>) -> String {
    let text: String = scopes.iter().map(|scope| format!("{scope}\n")).collect();
    let hashed = digest(&SHA256, text.as_bytes());
    hashed.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read the baseline {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}:{line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
}

/// What is accepted.
#[derive(Debug)]
pub struct Baseline {
    path: PathBuf,
    head: Head,
    entries: BTreeMap<Fingerprint, Entry>,
    /// The sets of scopes, each once.
    sets: Vec<BTreeSet<String>>,
    /// The tenants' names, each once.
    tenants: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Entry {
    severity: Severity,
    /// Index into [`Baseline::sets`].
    scopes: Option<usize>,
    /// Index of the tenant.
    tenant: Option<usize>,
    /// Whether the finding is still there.
    seen: Cell<bool>,
}

/// What a baseline says about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing.
    New,
    /// It was there and is no worse.
    Accepted,
    /// It was there and is worse now: how.
    Worse(String),
}

/// A finding of the baseline that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gone {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Id of the rule.
    pub rule: String,
    /// The user's name for the tenant.
    pub tenant: Option<String>,
    /// What it was about.
    pub subject: String,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// [`BaselineError`].
    pub fn open(path: &Path) -> Result<Self, BaselineError> {
        let failed = |source| BaselineError::Read { path: path.to_owned(), source };
        let wrong = |line, message| BaselineError::Line { path: path.to_owned(), line, message };
        let file = File::open(path).map_err(failed)?;
        let mut head: Option<Head> = None;
        let mut entries: BTreeMap<Fingerprint, Entry> = BTreeMap::new();
        let mut sets: BTreeMap<BTreeSet<String>, usize> = BTreeMap::new();
        let mut tenants: BTreeMap<String, usize> = BTreeMap::new();
        let mut last = 1;
        lines(&file, |number, text| {
            last = number;
            let Some(head) = &head else {
                head = Some(first_line(text).map_err(|message| wrong(number, message))?);
                return Ok(());
            };
            let row = row(text).map_err(|message| wrong(number, message))?;
            if entries.len() as u64 == head.findings {
                let message =
                    format!("there are more findings than the {} of the first line", head.findings);
                return Err(wrong(number, message));
            }
            let scopes = row.scopes.map(|set| {
                let next = sets.len();
                *sets.entry(set).or_insert(next)
            });
            let tenant = row.tenant.map(|name| {
                let next = tenants.len();
                *tenants.entry(name).or_insert(next)
            });
            let entry = Entry { severity: row.severity, scopes, tenant, seen: Cell::new(false) };
            if entries.insert(row.fingerprint, entry).is_some() {
                let message = format!("the finding {} is there twice", row.fingerprint);
                return Err(wrong(number, message));
            }
            Ok(())
        })
        .map_err(|error| error.unwrap_or_else(|| failed(io::ErrorKind::InvalidData.into())))?;
        let head = head.ok_or_else(|| wrong(1, "the file is empty".to_owned()))?;
        if entries.len() as u64 != head.findings {
            let message = format!(
                "the file ends after {} of {} findings; write it anew with --write-baseline",
                entries.len(),
                head.findings
            );
            return Err(wrong(last, message));
        }
        let mut by_index: Vec<BTreeSet<String>> = vec![BTreeSet::new(); sets.len()];
        for (set, index) in sets {
            by_index[index] = set;
        }
        Ok(Self { path: path.to_owned(), head, entries, sets: by_index, tenants })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The time that its findings were judged by.
    pub const fn judged_at(&self) -> Timestamp {
        self.head.judged_at
    }

    /// Whether the scan behind it had read everything that was promised.
    pub const fn is_whole(&self) -> bool {
        self.head.complete
    }

    /// What it says about a finding.
    pub(super) fn says(&self, finding: &Finding, held: &dyn Fn() -> Held) -> Said {
        let Some(entry) = self.entries.get(&finding.fingerprint) else { return Said::New };
        if finding.severity > entry.severity {
            return Said::Worse(format!("was {}, is {}", entry.severity, finding.severity));
        }
        let before = entry.scopes.and_then(|index| self.sets.get(index));
        match (held(), before) {
            (Held::None, _) | (Held::Hidden, None) => Said::Accepted,
            (Held::Hidden, Some(_)) => {
                Said::Worse("its scopes are not visible any more".to_owned())
            }
            (Held::Known(_), None) => Said::Worse("its scopes were not visible then".to_owned()),
            (Held::Known(now), Some(before)) => {
                let grown: Vec<String> =
                    now.difference(before).map(|scope| format!("`{scope}`")).collect();
                if grown.is_empty() {
                    Said::Accepted
                } else {
                    Said::Worse(format!("has {} besides", grown.join(", ")))
                }
            }
        }
    }

    /// Notes that a finding is still there.
    pub(super) fn saw(&self, fingerprint: Fingerprint) {
        if let Some(entry) = self.entries.get(&fingerprint) {
            entry.seen.set(true);
        }
    }

    /// Leaves tenants that were not scanned out of what is not there any more.
    pub fn limit_to(&self, scanned: &[&str]) {
        let others = self.tenants.iter().filter(|(name, _)| !scanned.contains(&name.as_str()));
        let others: BTreeSet<usize> = others.map(|(_, at)| *at).collect();
        for entry in self.entries.values() {
            // A vendor's apps may be in a tenant that was not scanned.
            let is_of_other =
                entry.tenant.map_or(!others.is_empty(), |tenant| others.contains(&tenant));
            if is_of_other {
                entry.seen.set(true);
            }
        }
    }

    /// How many of its findings are not there any more.
    pub fn gone(&self) -> u64 {
        self.entries.values().filter(|entry| !entry.seen.get()).count() as u64
    }

    /// Gives the findings that are not there any more.
    ///
    /// # Errors
    /// If the file cannot be read any more; also what `each` returns.
    pub fn for_each_gone(&self, mut each: impl FnMut(&Gone) -> io::Result<()>) -> io::Result<()> {
        if self.gone() == 0 {
            return Ok(());
        }
        let read = lines(&File::open(&self.path)?, |number, text| {
            if number == 1 {
                return Ok(());
            }
            let row =
                row(text).map_err(|message| io::Error::new(io::ErrorKind::InvalidData, message))?;
            match self.entries.get(&row.fingerprint) {
                Some(entry) if !entry.seen.get() => each(&Gone {
                    fingerprint: row.fingerprint,
                    rule: row.rule,
                    tenant: row.tenant,
                    subject: row.subject,
                }),
                _ => Ok(()),
            }
        });
        read.map_err(|error| error.unwrap_or_else(|| io::ErrorKind::InvalidData.into()))
    }
}

/// Reads a file line by line. The error is the caller's, or none if the file itself cannot be read as text.
fn lines<E>(
    file: &File,
    mut each: impl FnMut(u64, &str) -> Result<(), E>,
) -> Result<(), Option<E>> {
    let mut reader = BufReader::new(file);
    let mut text = String::new();
    for number in 1.. {
        text.clear();
        let read = (&mut reader).take(LONGEST_LINE).read_line(&mut text);
        if read.map_err(|_| None)? == 0 {
            break;
        }
        if !text.trim().is_empty() {
            each(number, &text).map_err(Some)?;
        }
    }
    Ok(())
}

fn first_line(text: &str) -> Result<Head, String> {
    let newer = |schema: u64| {
        format!(
            "the file has format {schema}, this version reads up to {SCHEMA}; update grantwarden"
        )
    };
    // A newer format may have other members: its number is looked at before anything else.
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("this is no baseline: {error}"))?;
    match value.get("baseline").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema > u64::from(SCHEMA) => Err(newer(schema)),
        Some(_) => serde_json::from_value(value).map_err(|error| error.to_string()),
        None => Err("this is no baseline; `scan --write-baseline FILE` writes one".to_owned()),
    }
}

fn row(text: &str) -> Result<Row, String> {
    let row: Row = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if row.scopes.as_ref().map(hash) != row.scopes_hash {
        return Err(
            "`scopes` and `scopes_hash` do not belong together: the line was changed by hand; write it anew with --write-baseline"
                .to_owned(),
        );
    }
    Ok(row)
}
