//! What differs between two snapshots, one file per format. A format takes a [`Diff`] and a writer; it decides nothing.

mod csv;
mod html;
mod json;
mod jsonl;
mod junit;
mod markdown;
mod meaning;
mod ocsf;
mod quota;
mod sarif;
mod table;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use clap::ValueEnum;
use strum::Display;

use super::{Look, table::number};
use crate::{
    finding::Fingerprint,
    inventory::{
        InventoryError,
        diff::{Change, Diff, Kind, NotCompared, Side, TenantDiff},
    },
};
pub use json::{Document, Header, SCHEMA, Summary};

/// A format by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, ValueEnum)]
#[strum(serialize_all = "kebab-case")]
pub enum Format {
    /// For a person at a terminal: by tenant, app and kind of change.
    Table,
    /// For programs: documented in docs/diff.md, with a version.
    Json,
    /// For programs: one change to a line.
    Jsonl,
    /// For spreadsheets: one change to a row.
    Csv,
    /// For a comment on a pull request, in 65,536 characters.
    Markdown,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For CI servers: changes as tests.
    Junit,
    /// For SIEMs: events of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// For people with a browser: one file that needs nothing else.
    Html,
}

impl Format {
    /// Endings of file names and what they stand for; the first that fits counts.
    pub const ENDINGS: [(&str, Self); 13] = [
        (".ocsf.jsonl", Self::Ocsf),
        (".ocsf.ndjson", Self::Ocsf),
        (".sarif.json", Self::Sarif),
        (".sarif", Self::Sarif),
        (".junit.xml", Self::Junit),
        (".xml", Self::Junit),
        (".json", Self::Json),
        (".jsonl", Self::Jsonl),
        (".ndjson", Self::Jsonl),
        (".csv", Self::Csv),
        (".md", Self::Markdown),
        (".html", Self::Html),
        (".txt", Self::Table),
    ];

    /// The format that the ending of a file's name stands for.
    pub fn of_file(path: &Path) -> Option<Self> {
        super::of_ending(path, &Self::ENDINGS)
    }
}

/// Why the changes cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// A snapshot cannot be read any more.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The writer failed.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes what differs. `file` is what code scanning points at: the newer snapshot, or what says where it lies.
///
/// # Errors
/// If the writer fails or a snapshot cannot be read any more.
pub fn write(
    format: Format,
    diff: &Diff<'_>,
    file: Option<&Path>,
    look: Look,
    to: &mut dyn Write,
) -> Result<(), ChangesError> {
    match format {
        Format::Table => table::write(diff, look, to),
        Format::Json => json::write(diff, to),
        Format::Jsonl => jsonl::write(diff, to),
        Format::Csv => csv::write(diff, to),
        Format::Markdown => markdown::write(diff, to),
        Format::Sarif => sarif::write(diff, file, to),
        Format::Junit => junit::write(diff, to),
        Format::Ocsf => ocsf::write(diff, to),
        Format::Html => html::write(diff, to),
    }
}

/// `3 changes: 2 grant new, 1 widened`.
fn sentence(diff: &Diff<'_>) -> String {
    let counts = diff.counts();
    if counts.is_empty() {
        return "No changes".to_owned();
    }
    format!("{}: {}", number(diff.len(), "change"), list(&counts))
}

/// `2 grant new, 1 widened`.
fn list(counts: &BTreeMap<Kind, u64>) -> String {
    let each = counts.iter().map(|(kind, count)| format!("{count} {}", kind.title()));
    each.collect::<Vec<_>>().join(", ")
}

/// What cannot be compared, in one line without the tenant's name.
fn blank(blank: &NotCompared) -> String {
    let side = match blank.side {
        Side::Old => "not seen in the older snapshot",
        Side::New => "not seen in the newer snapshot",
        Side::Both => "seen in neither snapshot",
    };
    let records = match blank.records {
        0 => String::new(),
        records => format!(" ({})", number(records, "record")),
    };
    format!("{}{records}: {side}: {}", blank.what, blank.detail)
}

/// What of a tenant cannot be compared: that which makes the comparison incomplete, or that which does not.
fn blanks_of(diff: &Diff<'_>, tenant: &TenantDiff, counts: bool) -> Vec<String> {
    let is_of = |entry: &&NotCompared| {
        entry.counts == counts && entry.tenant == tenant.name && entry.platform == tenant.platform
    };
    diff.not_compared.iter().filter(is_of).map(blank).collect()
}

/// The same for the same change in every comparison, whatever the user calls the tenant. What came and went is part of it: the next scope
/// that a grant gets is another change.
fn fingerprint(tenant: &TenantDiff, change: &Change) -> Fingerprint {
    let (kind, of) = (change.kind.to_string(), change.subject.kind.to_string());
    let counts = [change.added.len(), change.removed.len()].map(|count| count.to_string());
    let texts = [
        "change",
        &kind,
        &change.platform,
        tenant.id.as_ref().unwrap_or(&tenant.name),
        change.app.as_ref().map_or("", |app| &app.id),
        &of,
        &change.subject.id,
        change.before.as_deref().unwrap_or_default(),
        change.after.as_deref().unwrap_or_default(),
        &counts[0],
        &counts[1],
    ];
    let lists = change.added.iter().chain(&change.removed).map(String::as_str);
    Fingerprint::of_parts(texts.into_iter().chain(lists))
}

/// What of the platforms' own apps is not listed.
fn hidden(diff: &Diff<'_>) -> Option<String> {
    let hidden = diff.hidden();
    (hidden > 0).then(|| {
        format!(
            "{} of the platforms' own apps not listed (--all lists them)",
            number(hidden, "change")
        )
    })
}
