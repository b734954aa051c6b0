//! The kit's conformance suite against the lab, and what is Google's own.

mod bench;
mod conformance;
mod doubt;
mod incremental;
mod plan;
mod revocation;
mod special;
