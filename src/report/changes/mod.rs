//! What differs between two snapshots, one file per format. A format takes a [`Diff`] and a writer; it decides nothing.

mod csv;
mod json;
mod jsonl;
mod markdown;
mod table;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use clap::ValueEnum;
use strum::Display;

use super::{Look, table::number};
use crate::inventory::{
    InventoryError,
    diff::{Diff, Kind, NotCompared, Side},
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
}

impl Format {
    /// Endings of file names and what they stand for.
    pub const ENDINGS: [(&str, Self); 6] = [
        (".json", Self::Json),
        (".jsonl", Self::Jsonl),
        (".ndjson", Self::Jsonl),
        (".csv", Self::Csv),
        (".md", Self::Markdown),
        (".txt", Self::Table),
    ];

    /// The format that the ending of a file's name stands for.
    pub fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let of_ending =
            |(ending, _): &&(&str, Self)| name.len() > ending.len() && name.ends_with(ending);
        Self::ENDINGS.iter().find(of_ending).map(|(_, format)| *format)
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

/// Writes what differs.
///
/// # Errors
/// If the writer fails or a snapshot cannot be read any more.
pub fn write(
    format: Format,
    diff: &Diff<'_>,
    look: Look,
    to: &mut dyn Write,
) -> Result<(), ChangesError> {
    match format {
        Format::Table => table::write(diff, look, to),
        Format::Json => json::write(diff, to),
        Format::Jsonl => jsonl::write(diff, to),
        Format::Csv => csv::write(diff, to),
        Format::Markdown => markdown::write(diff, to),
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
