//! The kit's conformance suite against the lab, and what is GitHub's own, by subject.

mod conformance;
mod doubt;
mod hostile;
mod plan;
mod recordings;
mod records;
mod revocation;
mod server;
mod sign_in;
mod support;
