//! The connector against the lab's org.

mod bodies;
mod conformance;
mod doubt;
mod plan;
mod records;
#[cfg(feature = "revoke")]
mod revocation;
mod sign_in;
mod standing;
mod support;
