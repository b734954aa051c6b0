//! Advisories: breaches of vendors as data, and which apps and grants they concern.
//!
//! One file per breach. Those of `advisories/` are compiled in; a user's own are read at run time. Matching is pure and never judges: how
//! grave a match is, rules say. A match on a name alone is never exact, and who an app is not may be as certain as who it is.

mod built_in;
mod check;
mod error;
mod file;
mod issued;
mod keys;
mod list;
mod matches;
mod matching;
mod search;
#[cfg(test)]
mod tests;

pub use error::AdvisoryError;
pub use file::{
    Advisory, Indicator, IndicatorKind, Link, Product, Revision, Status, Weight, Whose, Window,
};
pub use issued::Issued;
pub use keys::{Certainty, Key, KeyKind};
pub use list::{Advisories, read};
pub use matches::{KnownApp, Matched, Matches, Sighting};
pub use matching::{Candidate, Hit, of_app, of_credential, of_name, of_tenant};
pub use search::{Answer, FoundApp, FoundGrant, Looked, missing_tenants, search};
