//! The only door to the network: pacing, retry under a budget, classification, paging, limits, redaction.
//!
//! A request leaves only for an origin that the tenant's configuration names, whatever a next link or a redirect says. Bodies,
//! queries and headers are never logged.

mod batch;
mod classify;
mod door;
mod pace;
mod page;
mod redact;
mod request;
#[cfg(test)]
mod tests;

pub use batch::Envelope;
pub use classify::{Classify, Plain, QuotaUse, Verdict, Window};
pub use door::{Authorize, BodyStream, Door, DoorConfig, Limits, Stamp};
pub use page::{Pages, Paging};
pub use redact::Redactor;
pub use request::{Body, Reply, Request};
