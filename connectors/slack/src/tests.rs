//! The kit's conformance suite against the lab, and what is Slack's own.

mod bench;
mod conformance;
mod doubt;
mod incremental;
mod plan;
mod recordings;
#[cfg(feature = "revoke")]
mod revocation;
mod special;
