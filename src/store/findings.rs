//! Findings over time: what a scan found is compared with what is remembered, and what is not found any more counts as resolved, unless
//! the scan may only have failed to see it.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::model::{Reason, Timestamp};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, any::AnyRow};
use tokio::runtime::Handle;

use super::{Changes, Dialect, ExceptionUse, Store, StoreError};
use crate::finding::{Counts, Finding, Fingerprint, Severity, Status};
use crate::inventory::TenantRecords;

/// Findings that are compared at once.
const BATCH: usize = 1_000;

/// Gaps that may hide some records of a facet and show others, and other ones in the next scan.
const FITFUL: [Reason; 4] =
    [Reason::CallFailed, Reason::Quota, Reason::CountMismatch, Reason::Cancelled];

/// A tenant of the scan that is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantKey {
    /// The user's name for it, which findings carry.
    pub name: String,
    /// Its key in the store: [`super::Snapshot::key`].
    pub key: String,
    /// Its key in scans that could not read it; none if this one could not.
    pub unread: Option<String>,
    /// Why a finding that is not seen may be there all the same: [`super::Snapshot::losses`].
    pub losses: Vec<String>,
}

/// A scan whose findings are to be remembered.
#[derive(Debug, Clone)]
pub struct Merge {
    /// The scan's number in the store.
    pub scan: i64,
    /// When it began.
    pub taken_at: Timestamp,
    /// When it was judged.
    pub finished_at: Timestamp,
    /// Its tenants.
    pub tenants: Vec<TenantKey>,
    /// Rules that were asked: findings of others are not resolved by not being there.
    pub asked: Vec<String>,
    /// What the exceptions of the policy were needed for.
    pub exceptions: Vec<ExceptionUse>,
}

type Connection = sqlx::AnyConnection;

/// A finding as the store has it.
struct Known {
    severity: String,
    status: String,
    /// What else may change: subject, message, tenant, app.
    texts: [Option<String>; 4],
    last_scan: i64,
    is_resolved: bool,
}

impl Store {
    /// Remembers the findings of a scan, which `feed` gives one by one, and tells what changed. The scan counts as finished then.
    ///
    /// # Errors
    /// If the store cannot be written to; nothing is remembered then. Also what `feed` returns.
    pub async fn merge<E: From<StoreError>>(
        &self,
        merge: &Merge,
        feed: impl FnOnce(&mut dyn FnMut(&Finding) -> Result<(), StoreError>) -> Result<(), E>,
    ) -> Result<Changes, E> {
        let mut database = self.database.lock().await;
        let dialect = database.dialect;
        let failed = |error| E::from(self.failed(&error));
        let mut transaction =
            database.connection.begin_with(dialect.begin()).await.map_err(failed)?;
        if let Some(lock) = dialect.lock() {
            sqlx::query(lock).execute(&mut *transaction).await.map_err(failed)?;
        }
        let late = self.late(&mut transaction, merge).await?;
        let mut merging = Merging {
            store: self,
            merge,
            dialect,
            late,
            batch: BTreeMap::new(),
            active: Counts::default(),
        };
        let runtime = Handle::current();
        // Judging is not asynchronous, and a million findings must not wait in memory for the database.
        tokio::task::block_in_place(|| {
            feed(&mut |finding| {
                merging.add(finding);
                if merging.batch.len() < BATCH {
                    return Ok(());
                }
                runtime.block_on(merging.flush(&mut transaction))
            })
        })?;
        merging.flush(&mut transaction).await?;
        merging.resolve(&mut transaction).await?;
        merging.finish(&mut transaction).await?;
        transaction.commit().await.map_err(failed)?;
        drop(database);
        Ok(self.changes(merge.scan).await?)
    }

    /// Tenants of which a later scan was merged already: what is older must not undo what is newer.
    async fn late(
        &self,
        connection: &mut Connection,
        merge: &Merge,
    ) -> Result<BTreeSet<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT snapshot.platform, snapshot.account, snapshot.tenant FROM snapshot \
             JOIN scan ON scan.number = snapshot.scan WHERE scan.began_at > $1 AND scan.active IS NOT NULL",
        )
        .bind(merge.taken_at.as_microsecond())
        .fetch_all(connection)
        .await
        .map_err(|error| self.failed(&error))?;
        let mut late = BTreeSet::new();
        for row in &rows {
            let (platform, tenant): (String, String) =
                (self.field(row, "platform")?, self.field(row, "tenant")?);
            let account: Option<String> = self.field(row, "account")?;
            late.insert(super::scans::key(&platform, account.as_deref(), &tenant));
        }
        Ok(late)
    }
}

struct Merging<'a> {
    store: &'a Store,
    merge: &'a Merge,
    dialect: Dialect,
    late: BTreeSet<String>,
    batch: BTreeMap<String, Finding>,
    active: Counts,
}

impl Merging<'_> {
    fn add(&mut self, finding: &Finding) {
        if finding.status == Status::Active {
            self.active.add(finding.severity);
        }
        self.batch.insert(finding.fingerprint.to_string(), finding.clone());
    }

    fn tenant(&self, finding: &Finding) -> Option<&TenantKey> {
        let name = finding.tenant.as_deref()?;
        self.merge.tenants.iter().find(|tenant| tenant.name == name)
    }

    /// Whether a later scan has said already how it is.
    fn is_late(&self, finding: &Finding) -> bool {
        match self.tenant(finding) {
            Some(tenant) => self.late.contains(&tenant.key),
            None => self.merge.tenants.iter().any(|tenant| self.late.contains(&tenant.key)),
        }
    }

    /// The keys of all tenants, in order.
    fn scope(&self) -> String {
        let keys: BTreeSet<&str> =
            self.merge.tenants.iter().map(|tenant| tenant.key.as_str()).collect();
        json!(keys).to_string()
    }

    async fn flush(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.retain(|_, finding| !self.is_late(finding));
        let names = json!(batch.keys().collect::<Vec<&String>>()).to_string();
        let known = self.known(connection, &names).await?;
        let (mut rows, mut changes) = (Vec::new(), Vec::new());
        for (fingerprint, finding) in &batch {
            let status = status(&finding.status);
            let counts = finding.status == Status::Active;
            let change = match known.get(fingerprint) {
                Some(known) if known.last_scan == self.merge.scan => continue,
                None if counts => Some("new"),
                Some(known) if known.is_resolved && counts => Some("reopened"),
                Some(known) if counts && known.is_better(finding) => Some("worse"),
                None | Some(_) => None,
            };
            changes
                .extend(change.map(|kind| json!([kind, fingerprint, finding.severity.as_str()])));
            let account = self.tenant(finding).map(|tenant| tenant.key.as_str());
            if known.get(fingerprint).is_none_or(|known| !known.is_as(finding)) {
                rows.push(json!([
                    fingerprint,
                    finding.rule,
                    finding.severity.as_str(),
                    status,
                    finding.platform,
                    finding.tenant,
                    account,
                    finding.subject.app.as_ref().map(|app| &app.name),
                    finding.subject.label,
                    finding.message,
                ]));
            }
        }
        self.write(connection, &rows, &changes, &names).await
    }

    async fn known(
        &self,
        connection: &mut Connection,
        names: &str,
    ) -> Result<BTreeMap<String, Known>, StoreError> {
        let query = format!(
            "SELECT fingerprint, severity, status, subject, message, tenant, app, last_scan, resolved_at FROM finding \
             WHERE fingerprint IN (SELECT {} FROM {})",
            self.dialect.text(),
            self.dialect.items(),
        );
        let rows = sqlx::query(AssertSqlSafe(query)).bind(names).fetch_all(connection).await;
        let rows = rows.map_err(|error| self.store.failed(&error))?;
        rows.iter()
            .map(|row| Ok((self.store.field(row, "fingerprint")?, self.known_row(row)?)))
            .collect()
    }

    fn known_row(&self, row: &AnyRow) -> Result<Known, StoreError> {
        let text = |name| self.store.field::<Option<String>>(row, name);
        Ok(Known {
            severity: self.store.field(row, "severity")?,
            status: self.store.field(row, "status")?,
            texts: [text("subject")?, text("message")?, text("tenant")?, text("app")?],
            last_scan: self.store.field(row, "last_scan")?,
            is_resolved: self.store.field::<Option<i64>>(row, "resolved_at")?.is_some(),
        })
    }

    async fn write(
        &self,
        connection: &mut Connection,
        rows: &[Value],
        changes: &[Value],
        names: &str,
    ) -> Result<(), StoreError> {
        let (items, text) = (self.dialect.items(), self.dialect.text());
        let (scan, at) = (self.merge.scan, self.merge.taken_at.as_microsecond());
        let failed = |error| self.store.failed(&error);
        if !rows.is_empty() {
            let columns =
                (0..10).map(|at| format!("item.value ->> {at}")).collect::<Vec<_>>().join(", ");
            let query = format!(
                "INSERT INTO finding (fingerprint, rule, severity, status, platform, tenant, account, app, subject, message, \
                 first_seen, last_seen, last_scan) SELECT {columns}, $2, $2, $3 FROM {items} WHERE true \
                 ON CONFLICT (fingerprint) DO UPDATE SET severity = excluded.severity, status = excluded.status, \
                 platform = excluded.platform, tenant = excluded.tenant, account = excluded.account, app = excluded.app, \
                 subject = excluded.subject, message = excluded.message"
            );
            let rows = json!(rows).to_string();
            let query = sqlx::query(AssertSqlSafe(query)).bind(rows).bind(at).bind(scan);
            query.execute(&mut *connection).await.map_err(failed)?;
        }
        let query = format!(
            "UPDATE finding SET last_seen = $2, last_scan = $3, scope = CASE WHEN account IS NULL THEN $4 END, \
             reopened = reopened + CASE WHEN resolved_at IS NULL THEN 0 ELSE 1 END, \
             reopened_at = CASE WHEN resolved_at IS NULL THEN reopened_at ELSE $2 END, resolved_at = NULL \
             WHERE fingerprint IN (SELECT {text} FROM {items})"
        );
        let query =
            sqlx::query(AssertSqlSafe(query)).bind(names).bind(at).bind(scan).bind(self.scope());
        query.execute(&mut *connection).await.map_err(failed)?;
        if !changes.is_empty() {
            let query = format!(
                "INSERT INTO change (scan, kind, fingerprint, severity) \
                 SELECT $2, item.value ->> 0, item.value ->> 1, item.value ->> 2 FROM {items} WHERE true \
                 ON CONFLICT (scan, kind, fingerprint) DO NOTHING"
            );
            let query =
                sqlx::query(AssertSqlSafe(query)).bind(json!(changes).to_string()).bind(scan);
            query.execute(connection).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Resolves what is not there any more.
    async fn resolve(&self, connection: &mut Connection) -> Result<(), StoreError> {
        for tenant in &self.merge.tenants {
            if self.late.contains(&tenant.key) || tenant.is_fitful() {
                continue;
            }
            for key in tenant.keys() {
                for seen_in in self.last_scans(connection, key).await? {
                    let before = self.losses_in(connection, seen_in, key).await?;
                    // What hides records now and did not then may hide the finding.
                    if tenant.losses.iter().all(|loss| before.contains(loss)) {
                        let place = "account = $4 AND last_scan = $5";
                        self.resolve_where(connection, place, key, seen_in).await?;
                    }
                }
            }
        }
        self.resolve_across(connection).await
    }

    /// Resolves what is about several tenants, if all those were read whole that had been scanned when it was seen.
    async fn resolve_across(&self, connection: &mut Connection) -> Result<(), StoreError> {
        if !self
            .late
            .is_disjoint(&self.merge.tenants.iter().map(|tenant| tenant.key.clone()).collect())
        {
            return Ok(());
        }
        let whole = self.merge.tenants.iter().filter(|tenant| tenant.losses.is_empty());
        let whole: BTreeSet<&str> = whole.flat_map(TenantKey::keys).collect();
        let scopes: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT scope FROM finding WHERE account IS NULL AND resolved_at IS NULL AND last_scan <> $1 AND scope IS NOT NULL",
        )
        .bind(self.merge.scan)
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.store.failed(&error))?;
        for scope in scopes {
            let keys: Vec<String> = self.store.json(&scope)?;
            if keys.iter().all(|key| whole.contains(key.as_str())) {
                self.resolve_where(
                    connection,
                    "account IS NULL AND scope = $4 AND last_scan <> $5",
                    &scope,
                    self.merge.scan,
                )
                .await?;
            }
        }
        Ok(())
    }

    /// The scans in which the open findings of a tenant were last seen, without this one.
    async fn last_scans(
        &self,
        connection: &mut Connection,
        key: &str,
    ) -> Result<Vec<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT DISTINCT last_scan FROM finding WHERE account = $1 AND resolved_at IS NULL AND last_scan <> $2 ORDER BY last_scan",
        )
        .bind(key)
        .bind(self.merge.scan)
        .fetch_all(connection)
        .await
        .map_err(|error| self.store.failed(&error))
    }

    /// What a tenant's scan did not see then.
    async fn losses_in(
        &self,
        connection: &mut Connection,
        scan: i64,
        key: &str,
    ) -> Result<BTreeSet<String>, StoreError> {
        let rows =
            sqlx::query("SELECT platform, account, tenant, losses FROM snapshot WHERE scan = $1")
                .bind(scan)
                .fetch_all(connection)
                .await
                .map_err(|error| self.store.failed(&error))?;
        for row in &rows {
            let (platform, name): (String, String) =
                (self.store.field(row, "platform")?, self.store.field(row, "tenant")?);
            let account: Option<String> = self.store.field(row, "account")?;
            if super::scans::key(&platform, account.as_deref(), &name) == key {
                return self.store.json(&self.store.field::<String>(row, "losses")?);
            }
        }
        Ok(BTreeSet::new())
    }

    async fn resolve_where(
        &self,
        connection: &mut Connection,
        condition: &str,
        key: &str,
        scan: i64,
    ) -> Result<(), StoreError> {
        let asked = json!(self.merge.asked).to_string();
        let gone = format!(
            "resolved_at IS NULL AND rule IN (SELECT {} FROM {}) AND {condition}",
            self.dialect.text(),
            self.dialect.items(),
        );
        let failed = |error| self.store.failed(&error);
        let query = format!(
            "INSERT INTO change (scan, kind, fingerprint, severity) \
             SELECT $2, 'resolved', fingerprint, severity FROM finding WHERE status = 'active' AND $3 = $3 AND {gone}"
        );
        let at = self.merge.taken_at.as_microsecond();
        for query in
            [query, format!("UPDATE finding SET resolved_at = $3 WHERE $2 = $2 AND {gone}")]
        {
            let query = sqlx::query(AssertSqlSafe(query))
                .bind(asked.clone())
                .bind(self.merge.scan)
                .bind(at)
                .bind(key)
                .bind(scan);
            query.execute(&mut *connection).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn finish(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let active = serde_json::to_string(&self.active).map_err(std::io::Error::from)?;
        sqlx::query("UPDATE scan SET finished_at = $2, active = $3 WHERE number = $1")
            .bind(self.merge.scan)
            .bind(self.merge.finished_at.as_microsecond())
            .bind(active)
            .execute(&mut *connection)
            .await
            .map_err(|error| self.store.failed(&error))?;
        let (scan, uses) = (self.merge.scan, &self.merge.exceptions);
        self.store.keep_exceptions(connection, self.dialect, scan, uses).await
    }
}

impl Known {
    /// Whether what is remembered is less grave than what was found, or was accepted.
    fn is_better(&self, finding: &Finding) -> bool {
        self.status != "active"
            || self.severity.parse::<Severity>().is_ok_and(|known| known < finding.severity)
    }

    /// Whether nothing changed.
    fn is_as(&self, finding: &Finding) -> bool {
        let app = finding.subject.app.as_ref().map(|app| app.name.as_str());
        let texts = [
            Some(finding.subject.label.as_str()),
            Some(&finding.message),
            finding.tenant.as_deref(),
            app,
        ];
        self.severity == finding.severity.as_str()
            && self.status == status(&finding.status)
            && self.texts.iter().map(Option::as_deref).eq(texts)
    }
}

impl TenantKey {
    /// Of a tenant of an inventory.
    pub fn of(records: &TenantRecords) -> Self {
        let end = &records.end;
        let account = records.tenant.as_ref().map(|tenant| tenant.id.as_str());
        Self {
            name: end.name.clone(),
            key: super::scans::key(&end.platform, account, &end.name),
            unread: account.map(|_| super::scans::key(&end.platform, None, &end.name)),
            losses: super::keep::losses(end),
        }
    }

    /// The keys by which its findings are known.
    fn keys(&self) -> impl Iterator<Item = &str> {
        [Some(&self.key), self.unread.as_ref()].into_iter().flatten().map(String::as_str)
    }

    /// Whether the scan lost records that another scan would see, so that nothing that is not there is gone.
    fn is_fitful(&self) -> bool {
        let is_fitful =
            |loss: &String| FITFUL.iter().any(|reason| loss.ends_with(&format!("/{reason}")));
        self.losses.iter().any(is_fitful)
    }
}

/// The word for a status.
const fn status(status: &Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Waived { .. } => "waived",
        Status::Allowed { .. } => "allowed",
        Status::Baseline => "baseline",
    }
}

/// A fingerprint from a row.
pub(super) fn fingerprint(store: &Store, row: &AnyRow) -> Result<Fingerprint, StoreError> {
    let text: String = row.try_get("fingerprint").map_err(|error| store.failed(&error))?;
    text.parse()
        .map_err(|error: crate::finding::ParseFingerprintError| store.damaged(error.to_string()))
}
