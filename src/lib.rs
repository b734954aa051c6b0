//! Grantwarden: know every OAuth grant your SaaS has given away, judge it, and be able to cut it.
//!
//! Modules in the order of dependency; each may use only those above it:
//!
//! * [`telemetry`], [`exit`], `position`: logs with redaction; the exit-code contract; lines and columns of a file
//! * [`finding`]: a verdict on one subject, with its evidence and stable fingerprint
//! * [`policy`]: what rules judge by, what is accepted and by whom; turns findings into a verdict
//! * [`scopes`]: what a raw scope allows
//! * [`registry`]: the connectors in this build
//! * [`inventory`]: a snapshot's records on disk, import and export, and what differs between two of them
//! * [`vendors`]: who is behind an app, across tenants and platforms
//! * [`advisories`]: breaches of vendors as data, and who is concerned
//! * [`rules`]: one file per rule
//! * [`config`]: `grantwarden.toml`, and how it becomes tenants with secrets
//! * [`store`]: what scans leave behind: snapshots, and the findings in them over time
//! * [`scan`]: runs connectors into a snapshot; judges a snapshot
//! * [`report`]: one file per format
//! * [`notify`]: tells people what a scan changed
//! * [`cli`]: arguments, and one file per subcommand

pub mod advisories;
pub mod cli;
pub mod config;
pub mod exit;
pub mod finding;
pub mod inventory;
pub mod notify;
pub mod policy;
mod position;
pub mod registry;
pub mod report;
pub mod rules;
pub mod scan;
pub mod scopes;
pub mod store;
pub mod telemetry;
pub mod vendors;
