//! The store's tables, and how they came to be: the same list, by the same names, for both databases. A migration that was released never
//! changes.

use std::borrow::Cow;

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::dialect::Dialect;

/// Number, name, and the text for SQLite and for PostgreSQL.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[(
    1,
    "scans and findings",
    include_str!("sqlite/0001_scans_and_findings.sql"),
    include_str!("postgres/0001_scans_and_findings.sql"),
)];

/// The number of the newest migration.
pub(super) fn newest() -> i64 {
    MIGRATIONS.iter().map(|(number, ..)| *number).max().unwrap_or_default()
}

/// What brings a database up to date.
pub(super) fn migrator(dialect: Dialect) -> Migrator {
    let migration =
        |&(number, name, sqlite, postgres): &(i64, &'static str, &'static str, &'static str)| {
            let sql = match dialect {
                Dialect::Sqlite => sqlite,
                Dialect::Postgres => postgres,
            };
            Migration::new(
                number,
                Cow::Borrowed(name),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}
