//! What the exceptions of the policy were needed for, scan by scan: who accepted what, and whether it still mattered.

use serde::Serialize;
use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};

use super::{Dialect, Store, StoreError, keep::number};

/// An exception, and what a scan needed it for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExceptionUse {
    /// `waiver` for a while, `allow` for good.
    pub kind: String,
    /// Of whom.
    pub subject: String,
    /// Who answers for it; none for what is accepted for good.
    pub owner: Option<String>,
    /// Its last day; none for what is accepted for good.
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// Findings for which it held.
    pub holds: u64,
    /// Findings for which it did not hold because there is more than it accepts.
    pub broken: u64,
}

impl Store {
    pub(super) async fn keep_exceptions(
        &self,
        connection: &mut AnyConnection,
        dialect: Dialect,
        scan: i64,
        uses: &[ExceptionUse],
    ) -> Result<(), StoreError> {
        let row = |(at, one): (usize, &ExceptionUse)| {
            json!([
                at,
                one.kind,
                one.subject,
                one.owner,
                one.until,
                one.reason,
                number(one.holds),
                number(one.broken)
            ])
        };
        let rows: Vec<_> = uses.iter().enumerate().map(row).collect();
        let query = format!(
            "INSERT INTO exception_use (scan, place, kind, subject, owner, until, reason, holds, broken) \
             SELECT $2, CAST(item.value ->> 0 AS BIGINT), item.value ->> 1, item.value ->> 2, item.value ->> 3, item.value ->> 4, \
             item.value ->> 5, CAST(item.value ->> 6 AS BIGINT), CAST(item.value ->> 7 AS BIGINT) FROM {}",
            dialect.items(),
        );
        let query = sqlx::query(AssertSqlSafe(query)).bind(json!(rows).to_string()).bind(scan);
        query.execute(connection).await.map(drop).map_err(|error| self.failed(&error))
    }

    /// What the exceptions of the policy were needed for in a scan, in the order of the policy.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn exceptions(&self, scan: i64) -> Result<Vec<ExceptionUse>, StoreError> {
        let mut database = self.database.lock().await;
        let rows = sqlx::query(
            "SELECT kind, subject, owner, until, reason, holds, broken FROM exception_use WHERE scan = $1 ORDER BY place",
        )
        .bind(scan)
        .fetch_all(&mut database.connection)
        .await
        .map_err(|error| self.failed(&error))?;
        let of_row = |row: &AnyRow| {
            Ok(ExceptionUse {
                kind: self.field(row, "kind")?,
                subject: self.field(row, "subject")?,
                owner: self.field(row, "owner")?,
                until: self.field(row, "until")?,
                reason: self.field(row, "reason")?,
                holds: self.count(row, "holds")?,
                broken: self.count(row, "broken")?,
            })
        };
        rows.iter().map(of_row).collect()
    }
}
