//! Which scan is meant: by number, by date, or by its place in time.

use std::{fmt, str::FromStr};

use grantwarden_kit::model::Timestamp;

use super::{Scan, Snapshot, Store, StoreError};
use crate::inventory::Header;

/// A way to name a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// The newest one.
    Latest,
    /// What its tenants looked like before that.
    Previous,
    /// The one with this number.
    Number(i64),
    /// The newest one that had begun at this time.
    At(Timestamp),
}

/// The text names no scan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no scan: latest, previous, a number, a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z"
)]
pub struct ParseReferenceError(String);

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "latest" => return Ok(Self::Latest),
            "previous" => return Ok(Self::Previous),
            _ => {}
        }
        let number =
            text.strip_prefix('#').unwrap_or(text).parse().ok().filter(|number| *number > 0);
        // A date means the state at its end.
        let whole_day = || format!("{text}T23:59:59.999999Z").parse().ok();
        let at = || text.parse().ok().or_else(whole_day);
        number
            .map(Self::Number)
            .or_else(|| at().map(Self::At))
            .ok_or_else(|| ParseReferenceError(text.to_owned()))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest scan"),
            Self::Previous => f.write_str("scan before the latest"),
            Self::Number(number) => write!(f, "scan {number}"),
            Self::At(at) => write!(f, "scan of {at} or before"),
        }
    }
}

impl Store {
    /// The scan that is meant, with those of its snapshots that have records and belong to `tenants`; all if none is named. A scan that
    /// was broken off is found by its number only.
    ///
    /// # Errors
    /// If there is none.
    pub async fn resolve(
        &self,
        reference: Reference,
        tenants: &[String],
    ) -> Result<Scan, StoreError> {
        let missing = |what: String| StoreError::Missing { store: self.name().to_owned(), what };
        let mut scans = self.scans().await?;
        let of_number =
            |scan: &Scan| matches!(reference, Reference::Number(number) if scan.number == number);
        if let Some(scan) = scans.iter().find(|scan| of_number(scan))
            && !scan.snapshots.is_empty()
            && scan.snapshots.iter().all(|snapshot| snapshot.pruned_at.is_some())
        {
            return Err(missing(format!(
                "records of scan {} any more: they were pruned",
                scan.number
            )));
        }
        for scan in &mut scans {
            scan.snapshots.retain(|snapshot| {
                snapshot.pruned_at.is_none()
                    && (tenants.is_empty() || tenants.contains(&snapshot.tenant))
            });
        }
        scans.retain(|scan| {
            !scan.snapshots.is_empty() && (scan.finished_at.is_some() || of_number(scan))
        });
        let found = match reference {
            Reference::Latest => scans.into_iter().next(),
            Reference::Number(_) => scans.into_iter().find(of_number),
            Reference::At(at) => scans.into_iter().find(|scan| scan.header.taken_at <= at),
            Reference::Previous => match scans.first() {
                Some(latest) => before(&scans, &latest.snapshots, latest.header.taken_at),
                None => None,
            },
        };
        let of_tenants = match tenants {
            [] => String::new(),
            names => format!(" of {}", names.join(", ")),
        };
        found.ok_or_else(|| missing(format!("{reference}{of_tenants}")))
    }

    /// Scans before a time, with the newest whole snapshot of each of these tenants, or the newest readable one if none is whole; the
    /// oldest scan first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn earlier(
        &self,
        keys: &[String],
        before: Timestamp,
    ) -> Result<Vec<(Header, Vec<Snapshot>)>, StoreError> {
        let mut scans = self.scans().await?;
        scans.retain(|scan| scan.header.taken_at < before);
        let wanted: Vec<i64> = keys
            .iter()
            .filter_map(|key| newest(&scans, key))
            .map(|snapshot| snapshot.number)
            .collect();
        let mut found: Vec<(Header, Vec<Snapshot>)> = Vec::new();
        for mut scan in scans.into_iter().rev() {
            scan.snapshots.retain(|snapshot| wanted.contains(&snapshot.number));
            if !scan.snapshots.is_empty() {
                found.push((scan.header, scan.snapshots));
            }
        }
        Ok(found)
    }
}

/// The newest whole snapshot of a tenant; the newest readable one if none is whole. The scans come the newest first.
fn newest<'a>(scans: &'a [Scan], key: &str) -> Option<&'a Snapshot> {
    let of_tenant = || {
        let all = scans.iter().flat_map(|scan| &scan.snapshots);
        all.filter(|snapshot| snapshot.is_readable() && snapshot.key() == key)
    };
    of_tenant().find(|snapshot| snapshot.complete).or_else(|| of_tenant().next())
}

/// What some tenants looked like before a time. They may come from several scans; the newest of these gives the header.
fn before(scans: &[Scan], snapshots: &[Snapshot], time: Timestamp) -> Option<Scan> {
    let earlier: Vec<Scan> =
        scans.iter().filter(|scan| scan.header.taken_at < time).cloned().collect();
    let found: Vec<Snapshot> = snapshots
        .iter()
        .filter_map(|snapshot| newest(&earlier, &snapshot.key()))
        .cloned()
        .collect();
    let has_one = |scan: &&Scan| {
        scan.snapshots.iter().any(|of_scan| found.iter().any(|one| one.number == of_scan.number))
    };
    let scan = earlier.iter().find(has_one)?;
    Some(Scan { snapshots: found, ..scan.clone() })
}
