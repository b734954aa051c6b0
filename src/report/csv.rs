//! `csv`: one finding to a row, for spreadsheets; after them one row for each tenant, which says whether it was read whole.
//!
//! Whatever stands in a cell, no spreadsheet may take it for a formula, see [`cell`].

use std::io::{self, Write};

use csv::{ErrorKind, QuoteStyle, Terminator, Writer, WriterBuilder};

use super::{cell::cell, missing};
use crate::{
    finding::{Finding, Status},
    inventory::TenantRecords,
    scan::{JudgeError, Judged},
};

/// The columns. New ones come at the end; none goes, none changes its place.
const COLUMNS: [&str; 24] = [
    "record",
    "taken_at",
    "tenant",
    "tenant_id",
    "platform",
    "severity",
    "confidence",
    "status",
    "rule",
    "subject_kind",
    "subject_id",
    "subject",
    "app_id",
    "app",
    "principal",
    "message",
    "evidence",
    "owner",
    "until",
    "reason",
    "fingerprint",
    "tenant_complete",
    "first_seen",
    "reopened_at",
];

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    let mut rows = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(to);
    rows.write_record(COLUMNS).map_err(unpacked)?;
    let taken_at = judged.inventory.header.taken_at.to_string();
    judged.for_each_dated(|finding, since| {
        let mut cells = of_finding(&taken_at, super::tenant_of(judged, finding), finding);
        if let Some(since) = since {
            let times = [since.first_seen, since.reopened_at];
            let [first_seen, reopened_at] =
                times.map(|time| time.map(|time| time.to_string()).unwrap_or_default());
            (cells[22], cells[23]) = (first_seen, reopened_at);
        }
        row(&mut rows, cells)
    })?;
    for tenant in &judged.inventory.tenants {
        row(&mut rows, of_tenant(&taken_at, tenant))?;
    }
    for beyond in missing::beyond_tenants(judged) {
        let mut cells = empty(beyond.of, &taken_at);
        cells[15] = format!("incomplete: {}", beyond.text);
        row(&mut rows, cells)?;
    }
    Ok(rows.flush()?)
}

type Cells = [String; COLUMNS.len()];

fn row(rows: &mut Writer<&mut dyn Write>, cells: Cells) -> Result<(), JudgeError> {
    Ok(rows.write_record(cells.map(|text| cell(&text))).map_err(unpacked)?)
}

/// The writer's own error: that the reader went away must stay visible.
pub(super) fn unpacked(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn empty(record: &str, taken_at: &str) -> Cells {
    let mut cells: Cells = Default::default();
    record.clone_into(&mut cells[0]);
    taken_at.clone_into(&mut cells[1]);
    cells
}

fn of_finding(taken_at: &str, tenant: Option<&TenantRecords>, finding: &Finding) -> Cells {
    let (status, owner, until, reason) = match &finding.status {
        Status::Active => ("active", "", "", ""),
        Status::Waived { owner, until, reason } => {
            ("waived", owner.as_str(), until.as_str(), reason.as_str())
        }
        Status::Allowed { reason } => ("allowed", "", "", reason.as_str()),
        Status::Baseline => ("baseline", "", "", ""),
    };
    let subject = &finding.subject;
    let account = tenant.and_then(|tenant| tenant.tenant.as_ref());
    let evidence = finding
        .evidence
        .iter()
        .map(|evidence| format!("{}: {} [{}]", evidence.fact, evidence.value, evidence.source));
    [
        "finding".to_owned(),
        taken_at.to_owned(),
        finding.tenant.clone().unwrap_or_default(),
        account.map(|account| account.id.clone()).unwrap_or_default(),
        finding.platform.clone().unwrap_or_default(),
        finding.severity.to_string(),
        finding.confidence.to_string(),
        status.to_owned(),
        finding.rule.clone(),
        subject.kind.to_string(),
        subject.id.clone(),
        subject.label.clone(),
        subject.app.as_ref().map(|app| app.id.clone()).unwrap_or_default(),
        subject.app.as_ref().map(|app| app.name.clone()).unwrap_or_default(),
        subject.principal.clone().unwrap_or_default(),
        finding.message.clone(),
        evidence.collect::<Vec<_>>().join("; "),
        owner.to_owned(),
        until.to_owned(),
        reason.to_owned(),
        finding.fingerprint.to_string(),
        tenant.map(|tenant| tenant.end.is_whole().to_string()).unwrap_or_default(),
        String::new(),
        String::new(),
    ]
}

/// The row that says whether a tenant was read whole.
fn of_tenant(taken_at: &str, tenant: &TenantRecords) -> Cells {
    let mut cells = empty("tenant", taken_at);
    cells[2].clone_from(&tenant.end.name);
    cells[3] = tenant.tenant.as_ref().map(|account| account.id.clone()).unwrap_or_default();
    cells[4].clone_from(&tenant.end.platform);
    cells[15] = match missing::why_incomplete(tenant) {
        None => "read whole".to_owned(),
        Some(why) => format!("incomplete: {why}"),
    };
    cells[21] = tenant.end.is_whole().to_string();
    cells
}
