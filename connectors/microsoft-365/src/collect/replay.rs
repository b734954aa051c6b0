//! [`Replay`]: rows from memory with the changes since. The file was looked through before; this gives out nothing that does not fit it.

use std::collections::btree_set;

use grantwarden_kit::{error::Result, memory::Recollection};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    archive::{Entry, Kind, Which},
    changes::{Change, Changes, merge},
    rows::Lot,
};

/// Rows that are replayed at once.
const LOT: usize = 1_000;

/// Rows from memory with the changes since.
pub(super) struct Replay<'a> {
    /// `None` after the last line.
    pub(super) lines: Option<Recollection>,
    pub(super) kind: Kind,
    pub(super) which: Which,
    pub(super) changes: &'a Changes,
    /// Rows that are not in the file.
    pub(super) fresh: btree_set::Iter<'a, String>,
}

impl Replay<'_> {
    /// The next rows; `None` after the last.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Lot<T>>> {
        let (mut rows, mut odd) = (Vec::new(), 0);
        while rows.len() < LOT {
            let Some(row) = self.next_row()? else { break };
            if self.which.takes(&row) {
                match serde_json::from_value(Value::Object(row)) {
                    Ok(row) => rows.push(row),
                    Err(_) => odd += 1,
                }
            }
        }
        Ok((!rows.is_empty() || odd > 0).then_some(Lot { rows, odd }))
    }

    fn next_row(&mut self) -> Result<Option<Map<String, Value>>> {
        while let Some(lines) = &mut self.lines {
            match lines.next_line::<Entry>()? {
                Some(Entry::Row(kind, row)) if kind == self.kind => {
                    let change = row
                        .get("id")
                        .and_then(Value::as_str)
                        .and_then(|id| self.changes.by_id.get(id));
                    match change {
                        None => return Ok(Some(row)),
                        Some(Change::Gone) => {}
                        Some(Change::Patch(patch)) => return Ok(Some(merge(row, patch.clone()))),
                        Some(Change::Anew(row)) => return Ok(Some(row.clone())),
                    }
                }
                Some(Entry::Head(_) | Entry::Row(..)) => {}
                Some(Entry::End(_)) | None => self.lines = None,
            }
        }
        for id in self.fresh.by_ref() {
            if let Some(Change::Patch(row) | Change::Anew(row)) = self.changes.by_id.get(id) {
                return Ok(Some(row.clone()));
            }
        }
        Ok(None)
    }
}
