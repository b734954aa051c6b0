//! A snapshot's records on disk: written while a scan runs, read back record by record, so that memory stays flat.
//!
//! The file is JSON Lines, documented in `docs/inventory.md`. Its last line says that it is whole; a file without it was cut off.
//! Nothing here judges.

pub mod diff;
mod digest;
pub mod harmless;
mod holdings;
mod line;
mod read;
mod reading;
mod source;
mod write;

pub use digest::{Digest, Held};
pub use holdings::{AppHoldings, CredentialEnd, Endless};
pub use line::{Failure, Header, Line, SCHEMA, TenantEnd};
pub use read::{Inventory, InventoryError, TenantRecords};
pub use source::Parts;
pub use write::{Spool, Spooled};
