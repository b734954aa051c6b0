//! `jsonl`: one finding to a line, each understandable alone, for programs that read line by line.
//!
//! The first line says what was scanned and how complete that is; the last one counts, so that a file that was cut is noticed.

use std::io::Write;

use grantwarden_kit::model::Timestamp;
use serde::Serialize;

use super::{
    json::{self, Entry, SCHEMA, Summary, TenantSummary},
    stream::line,
};
use crate::{
    finding::Severity,
    scan::{JudgeError, Judged},
};

/// The first line.
#[derive(Serialize)]
#[serde(tag = "type", rename = "scan")]
struct Scan<'a> {
    schema: u32,
    tool: &'a str,
    taken_at: Timestamp,
    judged_at: Timestamp,
    complete: bool,
    fail_on: Option<Severity>,
    tenants: Vec<TenantSummary>,
}

/// A finding with what one must know of its scan.
#[derive(Serialize)]
#[serde(tag = "type", rename = "finding")]
struct Line<'a> {
    taken_at: Timestamp,
    judged_at: Timestamp,
    tool: &'a str,
    tenant_id: Option<&'a str>,
    tenant_complete: Option<bool>,
    #[serde(flatten)]
    entry: Entry<'a>,
}

/// The last line.
#[derive(Serialize)]
#[serde(tag = "type", rename = "summary")]
struct End {
    lines: u64,
    #[serde(flatten)]
    summary: Summary,
}

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    let (taken_at, judged_at) = (judged.inventory.header.taken_at, judged.surroundings.now);
    let tool = env!("CARGO_PKG_VERSION");
    let scan = Scan {
        schema: SCHEMA,
        tool,
        taken_at,
        judged_at,
        complete: judged.is_whole(),
        fail_on: judged.policy().fail_on.severity(),
        tenants: json::tenants(judged),
    };
    line(to, &scan)?;
    let mut lines = 0;
    judged.for_each_dated(|finding, since| {
        lines += 1;
        let tenant = super::tenant_of(judged, finding);
        let line_of_finding = Line {
            taken_at,
            judged_at,
            tool,
            tenant_id: tenant.and_then(|tenant| Some(tenant.tenant.as_ref()?.id.as_str())),
            tenant_complete: tenant.map(|tenant| tenant.end.is_whole()),
            entry: Entry { finding, since },
        };
        Ok(line(to, &line_of_finding)?)
    })?;
    Ok(line(to, &End { lines, summary: json::summary(judged) })?)
}
