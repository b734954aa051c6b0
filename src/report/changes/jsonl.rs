//! `jsonl`: one change to a line, each understandable alone, for programs that read line by line.
//!
//! The first line says what was compared; the last one counts, so that a file that was cut is noticed.

use std::io::Write;

use grantwarden_kit::model::Timestamp;
use serde::Serialize;

use super::{
    super::stream::line,
    ChangesError,
    json::{Header, SCHEMA, Summary},
};
use crate::inventory::diff::{Change, Diff, NotCompared, TenantDiff};

/// The first line.
#[derive(Serialize)]
#[serde(tag = "type", rename = "comparison")]
struct Comparison<'a> {
    schema: u32,
    tool: &'a str,
    old: Header,
    new: Header,
    tenants: &'a [TenantDiff],
}

/// A line for each thing that cannot be compared.
#[derive(Serialize)]
#[serde(tag = "type", rename = "not-compared")]
struct Blank<'a> {
    old_taken_at: Timestamp,
    new_taken_at: Timestamp,
    #[serde(flatten)]
    blank: &'a NotCompared,
}

/// A line for each change.
#[derive(Serialize)]
#[serde(tag = "type", rename = "change")]
struct Changed<'a> {
    old_taken_at: Timestamp,
    new_taken_at: Timestamp,
    #[serde(flatten)]
    change: &'a Change,
}

/// The last line.
#[derive(Serialize)]
#[serde(tag = "type", rename = "summary")]
struct End {
    /// Of how many lines it is the last.
    lines: u64,
    #[serde(flatten)]
    summary: Summary,
}

pub(super) fn write(diff: &Diff<'_>, to: &mut dyn Write) -> Result<(), ChangesError> {
    let (old_taken_at, new_taken_at) = (diff.old.header.taken_at, diff.new.header.taken_at);
    let comparison = Comparison {
        schema: SCHEMA,
        tool: env!("CARGO_PKG_VERSION"),
        old: Header::of(diff.old),
        new: Header::of(diff.new),
        tenants: &diff.tenants,
    };
    line(to, &comparison)?;
    for blank in &diff.not_compared {
        line(to, &Blank { old_taken_at, new_taken_at, blank })?;
    }
    diff.for_each::<ChangesError>(|change| {
        Ok(line(to, &Changed { old_taken_at, new_taken_at, change })?)
    })?;
    let lines = diff.not_compared.len() as u64 + diff.len() + 2;
    Ok(line(to, &End { lines, summary: Summary::of(diff) })?)
}
