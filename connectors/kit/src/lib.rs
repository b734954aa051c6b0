//! All that a connector may use. Reading order, low to high:
//!
//! * [`model`]: what a scan records: apps, grants, principals, usage, coverage, and [`model::Observed`]
//! * [`clock`], [`secret`], [`jwt`], [`error`]: the small parts that come in from outside
//! * [`manifest`]: what a `connector.toml` says about its platform
//! * [`http`]: the only door to the network
//! * [`auth`]: token sources that go through that door
//! * [`connector`]: the traits that a platform implements
//! * [`ledger`]: the books on what was read
//! * [`memory`]: what a connector remembers from scan to scan
//! * [`seen`]: which rows of a listing came already
//! * [`tally`]: folds log lines into what apps did
//! * `testing` (feature): the conformance suite that every connector passes
//!
//! Nothing here knows a platform, a rule, a policy or a report.

pub mod auth;
pub mod clock;
pub mod connector;
pub mod error;
pub mod http;
pub mod jwt;
pub mod ledger;
pub mod manifest;
pub mod memory;
pub mod model;
pub mod secret;
pub mod seen;
pub mod tally;
#[cfg(feature = "testing")]
pub mod testing;
