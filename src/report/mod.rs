//! One file per format. A report takes a judged inventory and a writer; it decides nothing and reads nothing else.

mod accepted;
mod json;
mod table;

use std::io::Write;

use clap::ValueEnum;
use grantwarden_kit::model::{Count, Usage};
use strum::Display;

use crate::scan::{JudgeError, Judged};
pub use json::{Document, Exceptions, OfBaseline, RuleText, SCHEMA, Summary, TenantSummary, Used};

/// A format by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, ValueEnum)]
#[strum(serialize_all = "kebab-case")]
pub enum Format {
    /// For a person at a terminal: grouped by app, the gravest first.
    Table,
    /// For programs: documented in docs/report.md, with a version.
    Json,
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
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !c.is_control() && !turns(*c)).collect()
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
    }
}
