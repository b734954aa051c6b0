//! What scans there are, and their snapshots read back.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
};

use aws_lc_rs::digest::{Context, SHA256};
use futures::TryStreamExt as _;
use grantwarden_kit::model::Timestamp;
use serde::Serialize;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    Store, StoreError,
    keep::{CHUNK, hex},
};
use crate::{
    finding::Counts,
    inventory::{Header, Inventory, Parts},
};

/// A scan, with its snapshots in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// Its number.
    pub number: i64,
    /// The first line of its inventory.
    pub header: Header,
    /// When it ended; none if it was broken off.
    pub finished_at: Option<Timestamp>,
    /// Findings that counted; none if they were not judged.
    pub active: Option<Counts>,
    /// With which code it ended, once its reports were written; none if nobody got them.
    pub exit_code: Option<i64>,
    /// Its tenants.
    pub snapshots: Vec<Snapshot>,
}

/// One tenant of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Its number.
    pub number: i64,
    /// The user's name for the tenant.
    pub tenant: String,
    /// Platform id.
    pub platform: String,
    /// Where the configuration found the tenant, as [`crate::config::TenantEntry::source`] says; none if no configuration did.
    #[serde(skip)]
    pub source: Option<String>,
    /// The platform's own id of the tenant; none if it could not be read.
    pub account: Option<String>,
    /// When its scan began.
    pub taken_at: Timestamp,
    /// Whether everything that was promised was read.
    pub complete: bool,
    /// Why a finding that is not seen here may be there all the same, as `facet/reason`.
    pub losses: Vec<String>,
    /// How many grants it has.
    pub grants: u64,
    /// How many records.
    pub records: u64,
    /// Bytes of its lines.
    pub bytes: u64,
    /// SHA-256 of its lines.
    #[serde(skip)]
    pub(super) digest: String,
    /// When its records were removed, if they were.
    pub pruned_at: Option<Timestamp>,
}

impl Snapshot {
    /// Its key in the findings that are remembered.
    pub fn key(&self) -> String {
        key(&self.platform, self.account.as_deref(), &self.tenant)
    }

    /// Whether its records are there and were read in the first place.
    pub(super) fn is_readable(&self) -> bool {
        self.pruned_at.is_none() && self.account.is_some()
    }
}

/// What tells a tenant from all others: the platform's own id of it, or the user's name where that could not be read.
pub(super) fn key(platform: &str, account: Option<&str>, name: &str) -> String {
    match account {
        Some(account) => format!("{platform} {account}"),
        None => format!("{platform} named {name}"),
    }
}

impl Store {
    /// All scans, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn scans(&self) -> Result<Vec<Scan>, StoreError> {
        let mut database = self.database.lock().await;
        self.scans_on(&mut database.connection).await
    }

    pub(super) async fn scans_on(
        &self,
        connection: &mut AnyConnection,
    ) -> Result<Vec<Scan>, StoreError> {
        let rows = sqlx::query("SELECT number, header, finished_at, active, exit_code FROM scan ORDER BY began_at DESC, number DESC")
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(&error))?;
        let mut scans: Vec<Scan> =
            rows.iter().map(|row| self.scan(row)).collect::<Result<_, _>>()?;
        let rows = sqlx::query(
            "SELECT number, scan, tenant, platform, source, account, taken_at, complete, losses, grants, records, bytes, digest, pruned_at \
             FROM snapshot ORDER BY place",
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.failed(&error))?;
        let places: std::collections::HashMap<i64, usize> =
            scans.iter().enumerate().map(|(at, scan)| (scan.number, at)).collect();
        for row in &rows {
            let of: i64 = self.field(row, "scan")?;
            if let Some(scan) = places.get(&of).and_then(|at| scans.get_mut(*at)) {
                scan.snapshots.push(self.snapshot(row)?);
            }
        }
        Ok(scans)
    }

    /// The records of some snapshots as one inventory.
    ///
    /// # Errors
    /// If the store is damaged or the machine's temporary files are.
    pub async fn inventory(
        &self,
        header: &Header,
        snapshots: &[Snapshot],
    ) -> Result<Inventory, StoreError> {
        Ok(Inventory::of_spools(header.clone(), self.files(snapshots).await?)?)
    }

    /// The records of some snapshots as files that are not read yet.
    ///
    /// # Errors
    /// As [`Store::inventory`].
    pub async fn parts(
        &self,
        header: &Header,
        snapshots: &[Snapshot],
    ) -> Result<Parts, StoreError> {
        Ok(Parts::of_spools(header.clone(), self.files(snapshots).await?))
    }

    async fn files(&self, snapshots: &[Snapshot]) -> Result<Vec<File>, StoreError> {
        let mut database = self.database.lock().await;
        let mut files = Vec::with_capacity(snapshots.len());
        for snapshot in snapshots {
            files.push(self.unpack(&mut database.connection, snapshot).await?);
        }
        Ok(files)
    }

    /// The lines of a snapshot in a temporary file, compared with what they were when they were kept.
    pub(super) async fn unpack(
        &self,
        connection: &mut AnyConnection,
        snapshot: &Snapshot,
    ) -> Result<File, StoreError> {
        let mut file = tempfile::tempfile().map_err(StoreError::Spool)?;
        let (mut digest, mut bytes) = (Context::new(&SHA256), 0);
        let mut chunks = sqlx::query("SELECT lines FROM chunk WHERE snapshot = $1 ORDER BY number")
            .bind(snapshot.number)
            .fetch(connection);
        while let Some(row) = chunks.try_next().await.map_err(|error| self.failed(&error))? {
            let packed: Vec<u8> = self.field(&row, "lines")?;
            let lines = zstd::bulk::decompress(&packed, CHUNK)
                .map_err(|error| self.broken(snapshot, &error))?;
            digest.update(&lines);
            bytes += lines.len() as u64;
            file.write_all(&lines).map_err(StoreError::Spool)?;
        }
        if bytes != snapshot.bytes || hex(digest.finish().as_ref()) != snapshot.digest {
            return Err(self.broken(snapshot, &"its records are not those that were kept"));
        }
        file.seek(SeekFrom::Start(0)).map_err(StoreError::Spool)?;
        Ok(file)
    }

    fn broken(&self, snapshot: &Snapshot, why: &dyn std::fmt::Display) -> StoreError {
        self.damaged(format!("snapshot {} of `{}`: {why}", snapshot.number, snapshot.tenant))
    }

    fn scan(&self, row: &AnyRow) -> Result<Scan, StoreError> {
        let number = self.field(row, "number")?;
        let header: String = self.field(row, "header")?;
        let active: Option<String> = self.field(row, "active")?;
        Ok(Scan {
            number,
            header: self.json(&header)?,
            finished_at: self.time_or_none(row, "finished_at")?,
            active: active.map(|text| self.json(&text)).transpose()?,
            exit_code: self.field(row, "exit_code")?,
            snapshots: Vec::new(),
        })
    }

    fn snapshot(&self, row: &AnyRow) -> Result<Snapshot, StoreError> {
        let losses: String = self.field(row, "losses")?;
        Ok(Snapshot {
            number: self.field(row, "number")?,
            tenant: self.field(row, "tenant")?,
            platform: self.field(row, "platform")?,
            source: self.field(row, "source")?,
            account: self.field(row, "account")?,
            taken_at: self.time(row, "taken_at")?,
            complete: self.field::<i64>(row, "complete")? != 0,
            losses: self.json(&losses)?,
            grants: self.count(row, "grants")?,
            records: self.count(row, "records")?,
            bytes: self.count(row, "bytes")?,
            digest: self.field(row, "digest")?,
            pruned_at: self.time_or_none(row, "pruned_at")?,
        })
    }

    pub(super) fn field<'r, T>(&self, row: &'r AnyRow, name: &str) -> Result<T, StoreError>
    where
        T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
    {
        row.try_get(name).map_err(|error| self.failed(&error))
    }

    pub(super) fn count(&self, row: &AnyRow, name: &str) -> Result<u64, StoreError> {
        let count: i64 = self.field(row, name)?;
        u64::try_from(count).map_err(|_| self.damaged(format!("{name} is {count}")))
    }

    pub(super) fn time(&self, row: &AnyRow, name: &str) -> Result<Timestamp, StoreError> {
        let at: i64 = self.field(row, name)?;
        Timestamp::from_microsecond(at).ok_or_else(|| self.damaged(format!("{name} is {at}")))
    }

    pub(super) fn time_or_none(
        &self,
        row: &AnyRow,
        name: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = self.field(row, name)?;
        match at {
            None => Ok(None),
            Some(_) => self.time(row, name).map(Some),
        }
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, text: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|error| self.damaged(io::Error::from(error).to_string()))
    }
}
