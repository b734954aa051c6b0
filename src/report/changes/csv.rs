//! `csv`: one change to a row, for spreadsheets; before them a row for each tenant and for each thing that cannot be compared.
//!
//! Whatever stands in a cell, no spreadsheet may take it for a formula, see [`cell`].

use std::io::Write;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::{
    super::{cell::cell, csv::unpacked},
    ChangesError,
};
use crate::inventory::diff::{Change, Diff, NotCompared, State, TenantDiff};

/// The columns. New ones come at the end; none goes, none changes its place.
const COLUMNS: [&str; 21] = [
    "record",
    "old_taken_at",
    "new_taken_at",
    "tenant",
    "platform",
    "kind",
    "subject_kind",
    "subject_id",
    "subject",
    "app_id",
    "app",
    "principal",
    "added",
    "removed",
    "before",
    "after",
    "count",
    "message",
    "side",
    "reason",
    "counts",
];

type Cells = [String; COLUMNS.len()];

pub(super) fn write(diff: &Diff<'_>, to: &mut dyn Write) -> Result<(), ChangesError> {
    let mut rows = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(to);
    rows.write_record(COLUMNS).map_err(unpacked)?;
    let times = [diff.old.header.taken_at, diff.new.header.taken_at].map(|at| at.to_string());
    for tenant in &diff.tenants {
        row(&mut rows, &times, of_tenant(tenant))?;
    }
    for blank in &diff.not_compared {
        row(&mut rows, &times, of_blank(blank))?;
    }
    diff.for_each(|change| row(&mut rows, &times, of_change(change)))?;
    Ok(rows.flush()?)
}

fn row(
    rows: &mut Writer<&mut dyn Write>,
    times: &[String; 2],
    mut cells: Cells,
) -> Result<(), ChangesError> {
    cells[1..3].clone_from_slice(times);
    Ok(rows.write_record(cells.map(|text| cell(&text))).map_err(unpacked)?)
}

fn of_tenant(tenant: &TenantDiff) -> Cells {
    let message = match tenant.state {
        State::Compared => "compared",
        State::New => "only in the newer snapshot",
        State::Gone => "only in the older snapshot",
        State::NotComparable => "not compared",
    };
    let mut cells = Cells::default();
    "tenant".clone_into(&mut cells[0]);
    cells[3].clone_from(&tenant.name);
    cells[4].clone_from(&tenant.platform);
    "tenant".clone_into(&mut cells[6]);
    cells[7] = tenant.id.clone().unwrap_or_default();
    cells[16] = tenant.changes.values().sum::<u64>().to_string();
    message.clone_into(&mut cells[17]);
    cells
}

fn of_blank(blank: &NotCompared) -> Cells {
    let mut cells = Cells::default();
    "not-compared".clone_into(&mut cells[0]);
    cells[3].clone_from(&blank.tenant);
    cells[4].clone_from(&blank.platform);
    cells[8].clone_from(&blank.what);
    cells[16] = blank.records.to_string();
    cells[17].clone_from(&blank.detail);
    cells[18] = blank.side.to_string();
    cells[19] = serde_json::to_value(blank.reason)
        .ok()
        .and_then(|reason| reason.as_str().map(ToOwned::to_owned))
        .unwrap_or_default();
    cells[20] = blank.counts.to_string();
    cells
}

fn of_change(change: &Change) -> Cells {
    let subject = &change.subject;
    let app = change.app.as_ref();
    [
        "change".to_owned(),
        String::new(),
        String::new(),
        change.tenant.clone(),
        change.platform.clone(),
        change.kind.to_string(),
        subject.kind.to_string(),
        subject.id.clone(),
        subject.label.clone(),
        app.map(|app| app.id.clone()).unwrap_or_default(),
        app.map(|app| app.name.clone()).unwrap_or_default(),
        change.principal.clone().unwrap_or_default(),
        change.added.join(", "),
        change.removed.join(", "),
        change.before.clone().unwrap_or_default(),
        change.after.clone().unwrap_or_default(),
        change.grants.map(|grants| grants.to_string()).unwrap_or_default(),
        change.message.clone(),
        String::new(),
        String::new(),
        String::new(),
    ]
}
