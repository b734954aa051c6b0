//! What is remembered of findings: since when they are there, and what a scan changed.

use std::collections::BTreeMap;

use grantwarden_kit::model::Timestamp;
use serde::Serialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, any::AnyRow};

use super::{Changes, Item, Listed, MOST_LISTED, Scan, Store, StoreError, findings::fingerprint};
use crate::finding::{Counts, Fingerprint, Severity};

/// What is remembered of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Past {
    /// When the scan began that found it first.
    pub first_seen: Timestamp,
    /// When the scan began that found it last.
    pub last_seen: Timestamp,
    /// When the scan began that did not find it any more; none if it is there.
    pub resolved_at: Option<Timestamp>,
    /// How often it came back.
    pub reopened: u64,
    /// When it came back last.
    pub reopened_at: Option<Timestamp>,
}

/// What the findings of a scan can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// With nothing: no earlier scan of any of its tenants was judged. All its findings are new.
    First,
    /// With the scan that began at this time.
    With(Timestamp),
    /// That cannot be told: the scan was never judged, or what is looked at comes from several scans.
    Unknown,
}

impl Changes {
    /// What the scan was compared with.
    pub fn compared(&self) -> Compared {
        self.before.map_or(Compared::First, Compared::With)
    }
}

impl Store {
    /// What the findings of a scan, or of some of its tenants, can be compared with.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn compared(&self, scan: &Scan) -> Result<Compared, StoreError> {
        let scans = self.scans().await?;
        let is_of_one = scans.iter().any(|other| {
            other.number == scan.number
                && scan.snapshots.iter().all(|snapshot| other.snapshots.contains(snapshot))
        });
        if scan.active.is_none() || !is_of_one {
            return Ok(Compared::Unknown);
        }
        Ok(judged_before(&scans, scan).map_or(Compared::First, Compared::With))
    }

    /// What is remembered of some findings, by fingerprint; what is not remembered is left out.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn past(
        &self,
        fingerprints: &[Fingerprint],
    ) -> Result<BTreeMap<Fingerprint, Past>, StoreError> {
        let mut database = self.database.lock().await;
        let query = format!(
            "SELECT fingerprint, first_seen, last_seen, resolved_at, reopened, reopened_at FROM finding \
             WHERE fingerprint IN (SELECT {} FROM {})",
            database.dialect.text(),
            database.dialect.items(),
        );
        let query = sqlx::query(AssertSqlSafe(query)).bind(json!(fingerprints).to_string());
        let rows =
            query.fetch_all(&mut database.connection).await.map_err(|error| self.failed(&error))?;
        drop(database);
        let past = |row: &AnyRow| {
            let past = Past {
                first_seen: self.time(row, "first_seen")?,
                last_seen: self.time(row, "last_seen")?,
                resolved_at: self.time_or_none(row, "resolved_at")?,
                reopened: self.count(row, "reopened")?,
                reopened_at: self.time_or_none(row, "reopened_at")?,
            };
            Ok((fingerprint(self, row)?, past))
        };
        rows.iter().map(past).collect()
    }

    /// What a scan changed.
    ///
    /// # Errors
    /// If there is no such scan, or the store cannot be read.
    pub async fn changes(&self, number: i64) -> Result<Changes, StoreError> {
        let scans = self.scans().await?;
        let missing = |what: String| StoreError::Missing { store: self.name().to_owned(), what };
        let scan = scans
            .iter()
            .find(|scan| scan.number == number)
            .ok_or_else(|| missing(format!("scan {number}")))?;
        let active = scan
            .active
            .ok_or_else(|| missing(format!("findings of scan {number}: it was not judged")))?;
        let names = |snapshots: &mut dyn Iterator<Item = &super::Snapshot>| {
            snapshots.map(|one| one.tenant.clone()).collect()
        };
        Ok(Changes {
            scan: number,
            taken_at: scan.header.taken_at,
            before: judged_before(&scans, scan),
            tenants: names(&mut scan.snapshots.iter()),
            incomplete: names(&mut scan.snapshots.iter().filter(|snapshot| !snapshot.complete)),
            active,
            new: self.listed(number, "new").await?,
            reopened: self.listed(number, "reopened").await?,
            worse: self.listed(number, "worse").await?,
            resolved: self.listed(number, "resolved").await?,
        })
    }

    async fn listed(&self, scan: i64, kind: &str) -> Result<Listed, StoreError> {
        let mut database = self.database.lock().await;
        let failed = |error| self.failed(&error);
        let rows = sqlx::query("SELECT severity, COUNT(*) AS findings FROM change WHERE scan = $1 AND kind = $2 GROUP BY severity")
            .bind(scan)
            .bind(kind)
            .fetch_all(&mut database.connection)
            .await
            .map_err(failed)?;
        let mut counts = Counts::default();
        for row in &rows {
            *counts.of_mut(self.severity(row)?) = self.count(row, "findings")?;
        }
        let rows = sqlx::query(
            "SELECT change.fingerprint, change.severity, rule, platform, tenant, app, subject, message FROM change \
             JOIN finding ON finding.fingerprint = change.fingerprint WHERE change.scan = $1 AND change.kind = $2 \
             ORDER BY CASE change.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END, \
             change.fingerprint LIMIT $3",
        )
        .bind(scan)
        .bind(kind)
        .bind(super::keep::number(MOST_LISTED))
        .fetch_all(&mut database.connection)
        .await
        .map_err(failed)?;
        drop(database);
        let item = |row: &AnyRow| {
            Ok(Item {
                fingerprint: fingerprint(self, row)?,
                rule: self.field(row, "rule")?,
                severity: self.severity(row)?,
                platform: self.field(row, "platform")?,
                tenant: self.field(row, "tenant")?,
                app: self.field(row, "app")?,
                subject: self.field(row, "subject")?,
                message: self.field(row, "message")?,
            })
        };
        Ok(Listed { counts, first: rows.iter().map(item).collect::<Result<_, StoreError>>()? })
    }

    fn severity(&self, row: &AnyRow) -> Result<Severity, StoreError> {
        let text: String = self.field(row, "severity")?;
        text.parse().map_err(|_| self.damaged(format!("`{text}` is not a severity")))
    }
}

/// When the newest judged scan began before this one that has one of its tenants. The scans come the newest first.
fn judged_before(scans: &[Scan], scan: &Scan) -> Option<Timestamp> {
    let shares_a_tenant = |other: &&Scan| {
        other.active.is_some()
            && other.header.taken_at < scan.header.taken_at
            && other
                .snapshots
                .iter()
                .any(|one| scan.snapshots.iter().any(|ours| ours.key() == one.key()))
    };
    scans.iter().find(shares_a_tenant).map(|other| other.header.taken_at)
}
