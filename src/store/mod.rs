//! What scans leave behind: snapshots, and the findings in them over time. SQLite on this machine, or PostgreSQL for a team.
//!
//! Nothing here judges, and no token value is ever stored.

mod changes;

pub use changes::{Changes, Item, Listed, MOST_LISTED};
