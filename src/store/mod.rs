//! What scans leave behind: snapshots, and the findings in them over time. SQLite on this machine, or PostgreSQL for a team.
//!
//! Nothing here judges, and no token value is ever stored.

mod changes;
mod check;
mod dialect;
mod error;
mod exceptions;
mod findings;
mod history;
mod keep;
mod migrations;
mod open;
mod reference;
mod retention;
mod scans;
mod sent;
mod transfer;

use sqlx::AnyConnection;
use tokio::sync::Mutex;

pub use changes::{Changes, Item, Listed, MOST_LISTED};
pub use check::Defect;
pub use error::StoreError;
pub use exceptions::ExceptionUse;
pub use findings::{Merge, TenantKey};
pub use history::{Compared, Past};
pub use keep::Keeper;
pub use reference::Reference;
pub use retention::{Pruned, Retention};
pub use scans::{Scan, Snapshot};
pub use transfer::Imported;

use dialect::Dialect;

/// An open store.
#[derive(Debug)]
pub struct Store {
    database: Mutex<Database>,
    name: String,
}

/// The connection, and how it is spoken to.
#[derive(Debug)]
struct Database {
    connection: AnyConnection,
    dialect: Dialect,
}

impl Store {
    /// What to call it: the file's path, or the server's name and database.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn failed(&self, error: &sqlx::Error) -> StoreError {
        StoreError::of(&self.name, error)
    }

    fn damaged(&self, detail: impl Into<String>) -> StoreError {
        StoreError::Damaged { store: self.name.clone(), detail: detail.into() }
    }
}
