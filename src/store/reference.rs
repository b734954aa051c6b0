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
    /// The scan that is meant, with the snapshots of `tenants`; of all tenants if none is named. A scan that was broken off is found by its
    /// number only.
    ///
    /// # Errors
    /// If there is none that has all these tenants, or if records of one of them were pruned.
    pub async fn resolve(
        &self,
        reference: Reference,
        tenants: &[String],
    ) -> Result<Scan, StoreError> {
        let missing = |what: String| StoreError::Missing { store: self.name().to_owned(), what };
        let mut scans = self.scans().await?;
        let of_number =
            |scan: &Scan| matches!(reference, Reference::Number(number) if scan.number == number);
        scans.retain(|scan| {
            let has =
                |name: &String| scan.snapshots.iter().any(|snapshot| snapshot.tenant == *name);
            let is_meant = scan.finished_at.is_some() || of_number(scan);
            is_meant && !scan.snapshots.is_empty() && tenants.iter().all(has)
        });
        for scan in &mut scans {
            scan.snapshots
                .retain(|snapshot| tenants.is_empty() || tenants.contains(&snapshot.tenant));
        }
        let found = match reference {
            Reference::Latest => scans.into_iter().next(),
            Reference::Number(_) => scans.into_iter().find(of_number),
            Reference::At(at) => scans.into_iter().find(|scan| scan.header.taken_at <= at),
            Reference::Previous => scans.first().and_then(|latest| before(&scans, latest)),
        };
        let of_tenants = match tenants {
            [] => String::new(),
            names => format!(" of {}", names.join(", ")),
        };
        let found = found.ok_or_else(|| missing(format!("{reference}{of_tenants}")))?;
        let is_gone = |snapshot: &&Snapshot| snapshot.pruned_at.is_some();
        let pruned: Vec<&str> = found
            .snapshots
            .iter()
            .filter(is_gone)
            .map(|snapshot| snapshot.tenant.as_str())
            .collect();
        if pruned.is_empty() {
            return Ok(found);
        }
        let (names, number) = (pruned.join(", "), found.number);
        Err(missing(format!(
            "records of {names} in scan {number} any more: they were pruned (--tenant names others)"
        )))
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
            .filter_map(|key| newest(&scans, |snapshot| snapshot.key() == *key))
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
fn newest(scans: &[Scan], is_of_tenant: impl Fn(&Snapshot) -> bool) -> Option<&Snapshot> {
    let readable = || {
        let all = scans.iter().flat_map(|scan| &scan.snapshots);
        all.filter(|snapshot| snapshot.is_readable() && is_of_tenant(snapshot))
    };
    readable().find(|snapshot| snapshot.complete).or_else(|| readable().next())
}

/// What the tenants of a scan looked like before it. They may come from several scans; the newest of these gives the header.
fn before(scans: &[Scan], latest: &Scan) -> Option<Scan> {
    let time = latest.header.taken_at;
    let earlier: Vec<Scan> =
        scans.iter().filter(|scan| scan.header.taken_at < time).cloned().collect();
    let mut found = Vec::new();
    for snapshot in &latest.snapshots {
        // One that could not be read has no id to be known by: what it was called is all that is left.
        let is_same = |other: &Snapshot| match &snapshot.account {
            Some(_) => other.key() == snapshot.key(),
            None => other.platform == snapshot.platform && other.tenant == snapshot.tenant,
        };
        match newest(&earlier, is_same) {
            Some(one) => found.push(one.clone()),
            None => tracing::warn!("There is no earlier scan of `{}`.", snapshot.tenant),
        }
    }
    let has_one = |scan: &&Scan| {
        scan.snapshots.iter().any(|of_scan| found.iter().any(|one| one.number == of_scan.number))
    };
    let scan = earlier.iter().find(has_one)?.clone();
    Some(Scan { snapshots: found, ..scan })
}
