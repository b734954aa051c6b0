//! One file per format. A report takes a judged inventory and a writer; it decides nothing and reads nothing else.

mod accepted;
mod cell;
pub mod changes;
mod csv;
mod html;
mod inert;
mod json;
mod jsonl;
mod junit;
mod markdown;
mod missing;
mod ocsf;
mod prometheus;
mod sarif;
mod steps;
mod stream;
mod table;

use std::{io::Write, path::Path};

use clap::ValueEnum;
use grantwarden_kit::model::{Count, Usage};
use strum::Display;

use crate::{
    finding::Finding,
    inventory::{TenantRecords, harmless::steers},
    scan::{JudgeError, Judged},
};
pub use json::{
    Document, Entry, Exceptions, OfBaseline, RuleText, SCHEMA, Summary, TenantSummary, Used,
};

/// A format by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, ValueEnum)]
#[strum(serialize_all = "kebab-case")]
pub enum Format {
    /// For a person at a terminal: grouped by app, the gravest first.
    Table,
    /// For programs: documented in docs/report.md, with a version.
    Json,
    /// For programs: one finding to a line.
    Jsonl,
    /// For spreadsheets: one finding to a row.
    Csv,
    /// For a comment on a pull request: the worst, in 65,536 characters.
    Markdown,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For CI servers: findings as tests.
    Junit,
    /// For SIEMs: events of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// For people with a browser: one file that needs nothing else.
    Html,
    /// For a monitoring system: numbers for Prometheus.
    Prometheus,
}

impl Format {
    /// Endings of file names and what they stand for; the first that fits counts.
    pub const ENDINGS: [(&str, Self); 14] = [
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
        (".prom", Self::Prometheus),
        (".txt", Self::Table),
    ];

    /// The format that the ending of a file's name stands for.
    pub fn of_file(path: &Path) -> Option<Self> {
        of_ending(path, &Self::ENDINGS)
    }
}

/// What the first ending stands for that a file's name has besides something else.
fn of_ending<F: Copy>(path: &Path, endings: &[(&str, F)]) -> Option<F> {
    let name = path.file_name()?.to_str()?;
    let has = |(ending, _): &&(&str, F)| name.len() > ending.len() && name.ends_with(ending);
    endings.iter().find(has).map(|(_, format)| *format)
}

/// How a report for a person may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
}

impl Look {
    /// For a file or a pipe.
    pub const PLAIN: Self = Self { width: 120, colour: false };
}

/// A text from outside made harmless for a terminal: without control characters, and without those that turn the direction of what
/// follows (Unicode standard annex 9).
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !steers(*c)).collect()
}

/// Usage with only the first few entries of each list.
fn shortened(usage: &Usage) -> Usage {
    let few = |list: &[Count]| list.iter().take(3).cloned().collect();
    Usage {
        addresses: few(&usage.addresses),
        agents: few(&usage.agents),
        objects: few(&usage.objects),
        principals: few(&usage.principals),
        operations: few(&usage.operations),
        versions: few(&usage.versions),
        ..usage.clone()
    }
}

/// The tenant that a finding is in; none for what is in several, or in the policy.
fn tenant_of<'j>(judged: &'j Judged<'_>, finding: &Finding) -> Option<&'j TenantRecords> {
    let name = finding.tenant.as_ref()?;
    judged.inventory.tenants.iter().find(|tenant| tenant.end.name == *name)
}

/// Writes a report.
///
/// # Errors
/// If the writer fails or the inventory cannot be read any more.
pub fn write(
    format: Format,
    judged: &Judged<'_>,
    look: Look,
    to: &mut dyn Write,
) -> Result<(), JudgeError> {
    match format {
        Format::Table => table::write(judged, look, to),
        Format::Json => json::write(judged, to),
        Format::Jsonl => jsonl::write(judged, to),
        Format::Csv => csv::write(judged, to),
        Format::Markdown => markdown::write(judged, to),
        Format::Sarif => sarif::write(judged, to),
        Format::Junit => junit::write(judged, to),
        Format::Ocsf => ocsf::write(judged, to),
        Format::Html => html::write(judged, to),
        Format::Prometheus => prometheus::write(judged, to),
    }
}
