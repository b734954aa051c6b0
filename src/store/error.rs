//! Why the store cannot do its work, told so that a person can act on it.

use std::{io, path::PathBuf};

use sqlx::migrate::MigrateError;

use crate::inventory::InventoryError;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder cannot be made or opened.
    #[error("cannot open the store {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address of the database is none. It may hold a password and is not repeated.
    #[error(
        "the store's `url` is not an address of PostgreSQL: postgres://user:password@host/database?sslmode=verify-full"
    )]
    Address,
    /// A newer version wrote to it.
    #[error(
        "{store} was written by a newer grantwarden (migration {version}); this version reads up to {known}"
    )]
    Newer {
        /// Which store.
        store: String,
        /// The migration that this version does not know.
        version: i64,
        /// The last one that it knows.
        known: i64,
    },
    /// It is not a store, or what it holds contradicts itself.
    #[error("{store} is damaged or is no store: {detail}")]
    Damaged {
        /// Which store.
        store: String,
        /// What is wrong.
        detail: String,
    },
    /// Somebody else holds it for longer than is waited.
    #[error("{store} is busy: another grantwarden writes to it")]
    Busy {
        /// Which store.
        store: String,
    },
    /// The disk, or the quota, is full.
    #[error("there is no room left for {store}")]
    Full {
        /// Which store.
        store: String,
    },
    /// The disk refuses.
    #[error("the disk of {store} refuses, it may be full: {detail}")]
    Disk {
        /// Which store.
        store: String,
        /// What the database said.
        detail: String,
    },
    /// It may be read only.
    #[error("{store} cannot be written to: {detail}")]
    ReadOnly {
        /// Which store.
        store: String,
        /// Why.
        detail: String,
    },
    /// The database refused, or cannot be reached.
    #[error("{store}: {detail}")]
    Database {
        /// Which store.
        store: String,
        /// What it said.
        detail: String,
    },
    /// There is no such scan.
    #[error("{store} has no {what}")]
    Missing {
        /// Which store.
        store: String,
        /// What was asked for.
        what: String,
    },
    /// A temporary file cannot be used.
    #[error("cannot write to the folder for temporary files; set TMPDIR to one with room")]
    Spool(#[source] io::Error),
    /// A file that is read or written beside the store.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// An inventory cannot be used.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl StoreError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File { .. } | Self::ReadOnly { .. } | Self::Disk { .. } => {
                "choose another file with --store FILE, or scan without memory with --store none"
            }
            Self::Newer { .. } => "update grantwarden, or name another store with --store FILE",
            Self::Damaged { .. } => {
                "move the file away and scan again, or read it in from an export: `grantwarden store import`"
            }
            Self::Busy { .. } => {
                "wait for the other scan, or scan without memory with --store none"
            }
            Self::Full { .. } => "make room, or remove old snapshots: `grantwarden store prune`",
            Self::Missing { .. } => "`grantwarden store list` shows what there is",
            Self::Address
            | Self::Database { .. }
            | Self::Spool(_)
            | Self::Io(_)
            | Self::Inventory(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// A failure of the database, by what it says. Its text is kept, its address is not: that may hold a password.
    pub(super) fn of(store: &str, error: &sqlx::Error) -> Self {
        let store = store.to_owned();
        let Some(database) = error.as_database_error() else {
            let detail = match error {
                sqlx::Error::Configuration(_) => return Self::Address,
                sqlx::Error::Io(error) => format!("cannot be reached: {error}"),
                sqlx::Error::Tls(error) => format!("no TLS connection: {error}"),
                sqlx::Error::ColumnDecode { index, .. } => {
                    return Self::Damaged {
                        store,
                        detail: format!("the column {index} holds another type"),
                    };
                }
                other => other.to_string(),
            };
            return Self::Database { store, detail };
        };
        let detail = database.message().to_owned();
        // SQLite's result codes, of which the low byte is the class: <https://www.sqlite.org/rescode.html>. PostgreSQL's are five signs.
        match database.code().as_deref().map(|code| (code.len(), code)) {
            Some((5, "53100")) => Self::Full { store },
            Some((5, "55P03")) => Self::Busy { store },
            Some((5, "25006" | "42501")) => Self::ReadOnly { store, detail },
            Some((5, _)) if database.as_error().is::<sqlx::postgres::PgDatabaseError>() => {
                Self::Database { store, detail }
            }
            Some((_, code)) => match code.parse::<u32>().unwrap_or(0) & 0xff {
                5 | 6 => Self::Busy { store },
                8 => Self::ReadOnly { store, detail },
                10 => Self::Disk { store, detail },
                11 | 26 => Self::Damaged { store, detail },
                13 => Self::Full { store },
                _ => Self::Database { store, detail },
            },
            None => Self::Database { store, detail },
        }
    }

    /// A failure of a migration.
    pub(super) fn of_migration(store: &str, error: MigrateError, known: i64) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self::of(store, &error)
            }
            MigrateError::VersionMissing(version) => {
                Self::Newer { store: store.to_owned(), version, known }
            }
            other => Self::Damaged { store: store.to_owned(), detail: other.to_string() },
        }
    }
}
