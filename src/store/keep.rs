//! Keeps snapshots: each tenant's as soon as its scan is over, in one transaction, so that a killed scan loses none that was finished.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::digest::{Context, SHA256};
use grantwarden_kit::model::{Reason, Timestamp};
use sqlx::{AnyConnection, Connection as _};

use super::{Store, StoreError};
use crate::{
    exit::Exit,
    inventory::{Header, Spooled, TenantEnd},
};

/// Bytes of a snapshot's lines in one row, before they are compressed.
pub(super) const CHUNK: usize = 4 << 20;
/// Zstandard's own default.
const LEVEL: i32 = 3;

/// A scan that is being kept. Its errors wait until the end: a store that fails must not end the scan.
#[derive(Debug)]
pub struct Keeper<'a> {
    store: &'a Store,
    scan: i64,
    failure: Mutex<Option<StoreError>>,
}

impl Store {
    /// Begins to keep a scan.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub async fn begin(&self, header: &Header) -> Result<Keeper<'_>, StoreError> {
        let scan = self.new_scan(header).await?;
        Ok(Keeper { store: self, scan, failure: Mutex::default() })
    }

    async fn new_scan(&self, header: &Header) -> Result<i64, StoreError> {
        let text = serde_json::to_string(header).map_err(io::Error::from)?;
        let mut database = self.database.lock().await;
        sqlx::query_scalar("INSERT INTO scan (header, began_at) VALUES ($1, $2) RETURNING number")
            .bind(text)
            .bind(header.taken_at.as_microsecond())
            .fetch_one(&mut database.connection)
            .await
            .map_err(|error| self.failed(&error))
    }

    /// Keeps one tenant's snapshot; `place` is its place in the scan, `source` what [`Keeper::keep`] says.
    pub(super) async fn keep(
        &self,
        scan: i64,
        place: usize,
        source: Option<&str>,
        spooled: &Spooled,
    ) -> Result<(), StoreError> {
        let mut file = spooled.file.try_clone().map_err(StoreError::Spool)?;
        let (digest, bytes) = digest(&mut file).map_err(StoreError::Spool)?;
        let end = &spooled.end;
        let mut database = self.database.lock().await;
        let failed = |error| self.failed(&error);
        let begin = database.dialect.begin();
        let mut transaction = database.connection.begin_with(begin).await.map_err(failed)?;
        let snapshot: i64 = sqlx::query_scalar(
            "INSERT INTO snapshot (scan, place, tenant, platform, source, account, taken_at, complete, losses, grants, records, digest, bytes) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING number",
        )
        .bind(scan)
        .bind(number(place))
        .bind(&end.name)
        .bind(&end.platform)
        .bind(source)
        .bind(&spooled.account)
        .bind(end.started_at.as_microsecond())
        .bind(i64::from(end.is_whole()))
        .bind(serde_json::to_string(&losses(end)).map_err(io::Error::from)?)
        .bind(number(spooled.grants))
        .bind(number(spooled.records))
        .bind(digest)
        .bind(number(bytes))
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(StoreError::Spool)?;
        self.keep_lines(&mut transaction, snapshot, &mut file).await?;
        transaction.commit().await.map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(StoreError::Spool)?;
        Ok(())
    }

    pub(super) async fn keep_lines(
        &self,
        connection: &mut AnyConnection,
        snapshot: i64,
        lines: &mut (dyn io::Read + Send),
    ) -> Result<(), StoreError> {
        for at in 0_i64.. {
            let piece = piece(lines).map_err(StoreError::Spool)?;
            if piece.is_empty() {
                break;
            }
            let packed = zstd::bulk::compress(&piece, LEVEL).map_err(StoreError::Spool)?;
            sqlx::query("INSERT INTO chunk (snapshot, number, lines) VALUES ($1, $2, $3)")
                .bind(snapshot)
                .bind(at)
                .bind(packed)
                .execute(&mut *connection)
                .await
                .map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    /// Notes that a scan's reports were written, and with which code it ends. Before that it stands for no other scan.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub async fn reported(&self, scan: i64, exit: Exit) -> Result<(), StoreError> {
        let mut database = self.database.lock().await;
        sqlx::query("UPDATE scan SET exit_code = $2 WHERE number = $1")
            .bind(scan)
            .bind(i64::from(exit.code()))
            .execute(&mut database.connection)
            .await
            .map(drop)
            .map_err(|error| self.failed(&error))
    }

    /// The scan is over, and is not judged.
    pub(super) async fn end(&self, scan: i64, at: Timestamp) -> Result<(), StoreError> {
        let mut database = self.database.lock().await;
        sqlx::query("UPDATE scan SET finished_at = $2 WHERE number = $1")
            .bind(scan)
            .bind(at.as_microsecond())
            .execute(&mut database.connection)
            .await
            .map(drop)
            .map_err(|error| self.failed(&error))
    }
}

impl Keeper<'_> {
    /// The scan's number in the store.
    pub const fn scan(&self) -> i64 {
        self.scan
    }

    /// Keeps the snapshot of the tenant at `place` of the scan. `source` tells where the configuration found the tenant
    /// ([`crate::config::TenantEntry::source`]); none if no configuration did. What fails is told by [`Keeper::close`].
    pub async fn keep(&self, place: usize, source: Option<&str>, spooled: &Spooled) {
        if let Err(error) = self.store.keep(self.scan, place, source, spooled).await {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    /// The scan's number, if every snapshot was kept.
    ///
    /// # Errors
    /// The first failure.
    pub fn close(self) -> Result<i64, StoreError> {
        let failure = self.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        failure.map_or(Ok(self.scan), Err)
    }
}

/// Why a finding that is not among a tenant's findings may be there all the same, as `facet/reason`, in order. What nobody can see is the
/// same in every scan.
pub(super) fn losses(end: &TenantEnd) -> Vec<String> {
    let mut losses: Vec<String> = end
        .coverage
        .parts
        .iter()
        .flat_map(|part| &part.losses)
        .filter(|loss| {
            !matches!(
                loss.gap.reason,
                Reason::PlatformSilent | Reason::Vanished | Reason::NothingBefore
            )
        })
        .map(|loss| format!("{}/{}", loss.gap.facet, loss.gap.reason))
        .collect();
    if end.failure.is_some() {
        losses.push(format!("/{}", Reason::CallFailed));
    }
    losses.sort();
    losses.dedup();
    losses
}

/// A count as the database takes it.
pub(super) fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// The next piece of a file; empty at its end.
fn piece(file: &mut (dyn io::Read + Send)) -> io::Result<Vec<u8>> {
    let mut lines = Vec::with_capacity(CHUNK);
    file.take(CHUNK as u64).read_to_end(&mut lines)?;
    Ok(lines)
}

/// SHA-256 of a file and its length.
fn digest(file: &mut File) -> io::Result<(String, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let (mut context, mut bytes) = (Context::new(&SHA256), 0);
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex(context.finish().as_ref()), bytes)),
            read => {
                context.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
