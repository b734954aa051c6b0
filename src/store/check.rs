//! Looks for damage: the database's own check, and every snapshot read back and compared with what was kept.

use sqlx::Row as _;

use super::{Dialect, Store, StoreError};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// What is wrong, for a person.
    pub what: String,
}

impl Store {
    /// Looks through the whole store. Gives how many snapshots were read back, and what is wrong.
    ///
    /// # Errors
    /// If the store cannot be read at all.
    pub async fn check(&self) -> Result<(usize, Vec<Defect>), StoreError> {
        let mut defects = self.check_tables().await?;
        let mut read = 0;
        for scan in self.scans().await? {
            for snapshot in scan.snapshots.iter().filter(|snapshot| snapshot.pruned_at.is_none()) {
                read += 1;
                let what = match self.inventory(&scan.header, std::slice::from_ref(snapshot)).await
                {
                    Ok(inventory)
                        if inventory.tenants.iter().map(|tenant| tenant.grants).sum::<u64>()
                            == snapshot.grants =>
                    {
                        continue;
                    }
                    Ok(_) => format!(
                        "snapshot {} of `{}` has another number of grants",
                        snapshot.number, snapshot.tenant
                    ),
                    // No room for temporary files says nothing about the store.
                    Err(error @ StoreError::Spool(_)) => return Err(error),
                    Err(error) => error.to_string(),
                };
                defects.push(Defect { what: format!("scan {}: {what}", scan.number) });
            }
        }
        Ok((read, defects))
    }

    async fn check_tables(&self) -> Result<Vec<Defect>, StoreError> {
        let mut database = self.database.lock().await;
        if database.dialect == Dialect::Postgres {
            // A server checks its pages itself.
            return Ok(Vec::new());
        }
        let mut defects = Vec::new();
        let rows = sqlx::query("PRAGMA integrity_check").fetch_all(&mut database.connection).await;
        for row in rows.map_err(|error| self.failed(&error))? {
            let what: String = row.try_get(0).map_err(|error| self.failed(&error))?;
            if what != "ok" {
                defects.push(Defect { what });
            }
        }
        let rows =
            sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut database.connection).await;
        for row in rows.map_err(|error| self.failed(&error))? {
            let table: String = row.try_get(0).map_err(|error| self.failed(&error))?;
            defects.push(Defect { what: format!("a row of `{table}` belongs to nothing") });
        }
        Ok(defects)
    }
}
