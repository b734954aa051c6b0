//! A whole store as JSON Lines, and back: for backups, and to move from a file to a server. An inventory file can be read in as a scan too.
//!
//! The first line is `{"store": …}`. Each further one is a row, `{"row": {"table": …, …}}`; the lines of a snapshot, as its inventory has
//! them, follow its row; the last line is `{"end": N}`, with the number of lines before it but the first.

use std::io::{self, BufRead, BufReader, Write};

use aws_lc_rs::digest::{Context as Digest, SHA256};
use grantwarden_kit::model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, Connection as _, any::AnyRow};

use super::{
    Dialect, Scan, Store, StoreError,
    keep::{hex, number},
};
use crate::inventory::{Inventory, Line, Spool, Spooled};

/// The version of the form.
const FORM: u32 = 1;
/// Rows that are written at once.
const BATCH: usize = 1_000;

/// A table and its columns: those with numbers, those with texts. In the order in which rows refer to each other.
struct Table {
    name: &'static str,
    numbers: &'static [&'static str],
    texts: &'static [&'static str],
    order: &'static str,
}

const TABLES: [Table; 6] = [
    Table {
        name: "scan",
        numbers: &["number", "began_at", "finished_at", "exit_code"],
        texts: &["header", "active"],
        order: "number",
    },
    Table {
        name: "snapshot",
        numbers: &[
            "number",
            "scan",
            "place",
            "taken_at",
            "complete",
            "grants",
            "records",
            "bytes",
            "pruned_at",
        ],
        texts: &["tenant", "platform", "source", "account", "losses", "digest"],
        order: "number",
    },
    Table {
        name: "finding",
        numbers: &[
            "first_seen",
            "last_seen",
            "last_scan",
            "resolved_at",
            "reopened",
            "reopened_at",
        ],
        texts: &[
            "fingerprint",
            "rule",
            "severity",
            "status",
            "platform",
            "tenant",
            "account",
            "scope",
            "app",
            "subject",
            "message",
        ],
        order: "fingerprint",
    },
    Table {
        name: "change",
        numbers: &["scan"],
        texts: &["kind", "fingerprint", "severity"],
        order: "scan, kind, fingerprint",
    },
    Table {
        name: "exception_use",
        numbers: &["scan", "place", "holds", "broken"],
        texts: &["kind", "subject", "owner", "until", "reason"],
        order: "scan, kind, place",
    },
    Table {
        name: "sent",
        numbers: &["at"],
        texts: &["channel", "message"],
        order: "channel, message",
    },
];

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct First {
    store: Form,
}

#[derive(Debug, Serialize, Deserialize)]
struct Form {
    form: u32,
    tool: String,
}

/// A line that is none of a snapshot's.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Other {
    Row(Map<String, Value>),
    End(u64),
}

/// What was read in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many scans.
    pub scans: u64,
    /// How many snapshots with records.
    pub snapshots: u64,
    /// How many findings.
    pub findings: u64,
}

impl Store {
    /// Writes the whole store.
    ///
    /// # Errors
    /// If the store cannot be read, or the writer fails.
    pub async fn export(&self, to: &mut dyn Write) -> Result<(), StoreError> {
        let form = Form { form: FORM, tool: env!("CARGO_PKG_VERSION").to_owned() };
        writeln!(to, "{}", json!(First { store: form }))?;
        let mut lines = 0;
        let mut database = self.database.lock().await;
        let begin = database.dialect.begin_reading();
        let failed = |error| self.failed(&error);
        let mut connection = database.connection.begin_with(begin).await.map_err(failed)?;
        let scans = self.scans_on(&mut connection).await?;
        for table in &TABLES {
            let mut after = 0_i64;
            loop {
                let rows = self.rows(&mut connection, table, after).await?;
                after += number(rows.len());
                for row in &rows {
                    writeln!(to, "{}", json!({ "row": row }))?;
                    lines += 1;
                    if table.name == "snapshot" && row["pruned_at"].is_null() {
                        lines += self.export_lines(&mut connection, &scans, row, to).await?;
                    }
                }
                if rows.len() < BATCH {
                    break;
                }
            }
        }
        writeln!(to, "{}", json!({ "end": lines }))?;
        Ok(())
    }

    async fn rows(
        &self,
        connection: &mut Connection,
        table: &Table,
        after: i64,
    ) -> Result<Vec<Value>, StoreError> {
        let columns: Vec<&str> = table.numbers.iter().chain(table.texts).copied().collect();
        let query = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT $1 OFFSET $2",
            columns.join(", "),
            table.name,
            table.order
        );
        let query = sqlx::query(AssertSqlSafe(query)).bind(number(BATCH)).bind(after);
        let rows = query.fetch_all(connection).await.map_err(|error| self.failed(&error))?;
        let of_row = |row: &AnyRow| {
            let mut object = Map::from_iter([("table".to_owned(), json!(table.name))]);
            for name in table.numbers {
                object.insert((*name).to_owned(), json!(self.field::<Option<i64>>(row, name)?));
            }
            for name in table.texts {
                object.insert((*name).to_owned(), json!(self.field::<Option<String>>(row, name)?));
            }
            Ok(Value::Object(object))
        };
        rows.iter().map(of_row).collect()
    }

    async fn export_lines(
        &self,
        connection: &mut Connection,
        scans: &[Scan],
        row: &Value,
        to: &mut dyn Write,
    ) -> Result<u64, StoreError> {
        let wanted = row["number"].as_i64();
        let mut snapshots = scans.iter().flat_map(|scan| &scan.snapshots);
        let Some(snapshot) = snapshots.find(|snapshot| Some(snapshot.number) == wanted) else {
            return Ok(0);
        };
        let mut lines = 0;
        for line in BufReader::new(self.unpack(connection, snapshot).await?).split(b'\n') {
            to.write_all(&line.map_err(StoreError::Spool)?)?;
            to.write_all(b"\n")?;
            lines += 1;
        }
        Ok(lines)
    }

    /// Reads in what [`Store::export`] wrote. The store must be empty: numbers of scans stay what they were.
    ///
    /// # Errors
    /// If the text is cut off or is none of the kind, if the store is not empty, or if it cannot be written to; nothing is read in then.
    pub async fn import(&self, from: &mut dyn BufRead) -> Result<Imported, StoreError> {
        let wrong = |line: u64, what: &str| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {line}: {what}"))
        };
        if !self.scans().await?.is_empty() {
            return Err(io::Error::other(
                "a whole store is read into an empty one only; name a new file with --store",
            )
            .into());
        }
        let mut database = self.database.lock().await;
        let dialect = database.dialect;
        let failed = |error| self.failed(&error);
        let mut transaction =
            database.connection.begin_with(dialect.begin()).await.map_err(failed)?;
        let mut reading = Reading {
            store: self,
            dialect,
            batch: Vec::new(),
            table: None,
            snapshot: None,
            imported: Imported::default(),
        };
        let mut ended = false;
        for (at, line) in (0_u64..).zip(from.lines()) {
            let line = line?;
            if at == 0 {
                let first: First = serde_json::from_str(&line)
                    .map_err(|_| wrong(1, "this is no export of a store"))?;
                if first.store.form > FORM {
                    return Err(wrong(1, "a newer grantwarden wrote this; update").into());
                }
            } else if ended {
                return Err(wrong(at + 1, "there is something after the last line").into());
            } else if line.starts_with("{\"tenant") {
                reading.line(&line).map_err(|what| wrong(at + 1, &what))?;
            } else {
                match serde_json::from_str(&line)
                    .map_err(|_| wrong(at + 1, "this line is none of an export"))?
                {
                    Other::End(lines) if lines == at - 1 => ended = true,
                    Other::End(_) => return Err(wrong(at + 1, "lines are missing").into()),
                    Other::Row(row) => {
                        reading.row(&mut transaction, row).await.map_err(|error| match error {
                            StoreError::Io(error) => wrong(at + 1, &error.to_string()).into(),
                            other => other,
                        })?;
                    }
                }
            }
        }
        if !ended {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the export was cut off: its last line is missing",
            )
            .into());
        }
        reading.close(&mut transaction).await?;
        let imported = reading.imported;
        if dialect == Dialect::Postgres {
            for table in ["scan", "snapshot"] {
                let query = format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', 'number'), GREATEST((SELECT MAX(number) FROM {table}), 1))"
                );
                sqlx::query(AssertSqlSafe(query))
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed)?;
            }
        }
        transaction.commit().await.map_err(failed)?;
        Ok(imported)
    }

    /// Reads an inventory in as a scan of its own, which is not judged. Gives its number.
    ///
    /// # Errors
    /// If the inventory cannot be read, or the store cannot be written to.
    pub async fn import_inventory(&self, inventory: &Inventory) -> Result<i64, StoreError> {
        let mut spools: Vec<Spool> = inventory
            .tenants
            .iter()
            .map(|tenant| Spool::new(&tenant.end.name))
            .collect::<Result<_, _>>()
            .map_err(StoreError::Spool)?;
        inventory.for_each(|at, record| spools[at].push(record).map_err(StoreError::Spool))?;
        let keeper = self.begin(&inventory.header).await?;
        let mut last: Option<Timestamp> = None;
        for (place, (spool, tenant)) in spools.into_iter().zip(&inventory.tenants).enumerate() {
            let spooled: Spooled = spool.finish(tenant.end.clone()).map_err(StoreError::Spool)?;
            keeper.keep(place, None, &spooled).await;
            last = last.max(Some(tenant.end.finished_at));
        }
        let scan = keeper.close()?;
        self.end(scan, last.unwrap_or(inventory.header.taken_at)).await?;
        Ok(scan)
    }
}

/// The lines of a snapshot while they are read in.
struct Arriving {
    number: i64,
    /// What the lines must add up to.
    digest: String,
    bytes: u64,
    /// What they add up to so far.
    hash: Digest,
    read: u64,
    lines: tempfile::SpooledTempFile,
}

/// An export that is being read in.
struct Reading<'a> {
    store: &'a Store,
    dialect: Dialect,
    /// Rows of one table.
    batch: Vec<Value>,
    table: Option<&'static Table>,
    /// The snapshot whose lines come.
    snapshot: Option<Arriving>,
    imported: Imported,
}

type Connection = sqlx::AnyConnection;

impl Reading<'_> {
    /// A line of a snapshot.
    fn line(&mut self, line: &str) -> Result<(), String> {
        let Some(arriving) = &mut self.snapshot else {
            return Err("a record stands outside a snapshot".to_owned());
        };
        serde_json::from_str::<Line<'_>>(line)
            .map_err(|_| "this is no line of an inventory".to_owned())?;
        arriving.hash.update(line.as_bytes());
        arriving.hash.update(b"\n");
        arriving.read += line.len() as u64 + 1;
        writeln!(arriving.lines, "{line}").map_err(|error| error.to_string())
    }

    async fn row(
        &mut self,
        connection: &mut Connection,
        row: Map<String, Value>,
    ) -> Result<(), StoreError> {
        let name = row.get("table").and_then(Value::as_str).unwrap_or_default();
        let table = TABLES.iter().find(|table| table.name == name);
        let table = table.ok_or_else(|| io::Error::other(format!("there is no table `{name}`")))?;
        if self.table.is_none_or(|before| before.name != table.name)
            || self.batch.len() == BATCH
            || self.snapshot.is_some()
        {
            self.close(connection).await?;
        }
        match table.name {
            "scan" => self.imported.scans += 1,
            "finding" => self.imported.findings += 1,
            "snapshot" if row.get("pruned_at").is_none_or(Value::is_null) => {
                self.imported.snapshots += 1;
                let wrong =
                    || io::Error::other("the snapshot's row lacks its number, digest or length");
                let number = |name| row.get(name).and_then(Value::as_i64);
                let digest = row.get("digest").and_then(Value::as_str).ok_or_else(wrong)?;
                self.snapshot = Some(Arriving {
                    number: number("number").ok_or_else(wrong)?,
                    digest: digest.to_owned(),
                    bytes: number("bytes")
                        .and_then(|bytes| bytes.try_into().ok())
                        .ok_or_else(wrong)?,
                    hash: Digest::new(&SHA256),
                    read: 0,
                    lines: tempfile::SpooledTempFile::new(super::keep::CHUNK),
                });
            }
            _ => {}
        }
        self.table = Some(table);
        self.batch.push(Value::Object(row));
        Ok(())
    }

    /// Writes what was read of a table or of a snapshot.
    async fn close(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.batch);
        if let Some(table) = self.table.take()
            && !rows.is_empty()
        {
            let columns: Vec<&str> = table.numbers.iter().chain(table.texts).copied().collect();
            let numbers =
                table.numbers.iter().map(|name| format!("CAST(item.value ->> '{name}' AS BIGINT)"));
            let texts = table.texts.iter().map(|name| format!("item.value ->> '{name}'"));
            let values: Vec<String> = numbers.chain(texts).collect();
            let query = format!(
                "INSERT INTO {} ({}) SELECT {} FROM {}",
                table.name,
                columns.join(", "),
                values.join(", "),
                self.dialect.items()
            );
            let query = sqlx::query(AssertSqlSafe(query)).bind(json!(rows).to_string());
            query.execute(&mut *connection).await.map_err(|error| self.store.failed(&error))?;
        }
        if let Some(mut arriving) = self.snapshot.take() {
            let number = arriving.number;
            if arriving.read != arriving.bytes
                || hex(arriving.hash.finish().as_ref()) != arriving.digest
            {
                return Err(io::Error::other(format!(
                    "the records of snapshot {number} are not those that were kept"
                ))
                .into());
            }
            io::Seek::rewind(&mut arriving.lines).map_err(StoreError::Spool)?;
            self.store.keep_lines(connection, number, &mut arriving.lines).await?;
        }
        Ok(())
    }
}
