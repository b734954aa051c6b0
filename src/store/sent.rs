//! Which messages were sent, so that nobody is told the same twice.

use std::collections::BTreeSet;

use grantwarden_kit::model::Timestamp;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::{Store, StoreError};

impl Store {
    /// Those of these messages that were sent over a channel.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn sent(
        &self,
        channel: &str,
        messages: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut database = self.database.lock().await;
        let query = format!(
            "SELECT message FROM sent WHERE channel = $2 AND message IN (SELECT {} FROM {})",
            database.dialect.text(),
            database.dialect.items(),
        );
        let query = sqlx::query_scalar(AssertSqlSafe(query))
            .bind(json!(messages).to_string())
            .bind(channel);
        let sent: Vec<String> =
            query.fetch_all(&mut database.connection).await.map_err(|error| self.failed(&error))?;
        Ok(sent.into_iter().collect())
    }

    /// Remembers that messages were sent over a channel.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub async fn mark_sent(
        &self,
        channel: &str,
        messages: &[String],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut database = self.database.lock().await;
        let query = format!(
            "INSERT INTO sent (channel, message, at) SELECT $2, {}, $3 FROM {} WHERE true ON CONFLICT (channel, message) DO NOTHING",
            database.dialect.text(),
            database.dialect.items(),
        );
        let query = sqlx::query(AssertSqlSafe(query))
            .bind(json!(messages).to_string())
            .bind(channel)
            .bind(at.as_microsecond());
        query.execute(&mut database.connection).await.map(drop).map_err(|error| self.failed(&error))
    }
}
