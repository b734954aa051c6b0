//! Which snapshots are kept. Findings and what became of them are never removed: only the records go.

use std::{collections::BTreeMap, time::Duration};

use grantwarden_kit::model::Timestamp;
use sqlx::Connection as _;

use super::{Dialect, Snapshot, Store, StoreError};

/// Which snapshots are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Of each tenant the newest so many.
    pub snapshots: usize,
    /// Those that are not older than this, whatever their number.
    pub age: Duration,
}

/// What was removed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The snapshots, the oldest first.
    pub snapshots: Vec<Snapshot>,
}

impl Store {
    /// Removes the records of snapshots that are both old and not among the newest. The newest whole snapshot of a tenant always stays. A
    /// dry run removes nothing.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub async fn prune(
        &self,
        retention: Retention,
        now: Timestamp,
        is_dry: bool,
    ) -> Result<Pruned, StoreError> {
        let mut by_tenant: BTreeMap<String, Vec<Snapshot>> = BTreeMap::new();
        // The newest scan comes first.
        for scan in self.scans().await? {
            for snapshot in
                scan.snapshots.into_iter().filter(|snapshot| snapshot.pruned_at.is_none())
            {
                by_tenant.entry(snapshot.key()).or_default().push(snapshot);
            }
        }
        let mut snapshots = Vec::new();
        for of_tenant in by_tenant.into_values() {
            let whole =
                of_tenant.iter().find(|snapshot| snapshot.complete).map(|snapshot| snapshot.number);
            let is_old = |snapshot: &Snapshot| snapshot.taken_at.until(now) > retention.age;
            let rest = of_tenant.into_iter().skip(retention.snapshots.max(1));
            snapshots
                .extend(rest.filter(|snapshot| is_old(snapshot) && Some(snapshot.number) != whole));
        }
        snapshots.sort_by_key(|snapshot| (snapshot.taken_at, snapshot.number));
        if !is_dry && !snapshots.is_empty() {
            self.remove(&snapshots, now).await?;
        }
        Ok(Pruned { snapshots })
    }

    async fn remove(&self, snapshots: &[Snapshot], now: Timestamp) -> Result<(), StoreError> {
        let mut database = self.database.lock().await;
        let dialect = database.dialect;
        let failed = |error| self.failed(&error);
        let mut transaction =
            database.connection.begin_with(dialect.begin()).await.map_err(failed)?;
        for snapshot in snapshots {
            sqlx::query("DELETE FROM chunk WHERE snapshot = $1")
                .bind(snapshot.number)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            sqlx::query("UPDATE snapshot SET pruned_at = $2 WHERE number = $1")
                .bind(snapshot.number)
                .bind(now.as_microsecond())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        if dialect == Dialect::Sqlite {
            // Gives the room back to the disk; PostgreSQL does so by itself.
            sqlx::query("PRAGMA incremental_vacuum")
                .execute(&mut database.connection)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }
}
