//! The kit's conformance suite against the lab, and what is Entra's own, by subject.

mod conformance;
mod doubt;
mod incremental;
mod limits;
mod plan;
mod records;
mod revocation;
mod sign_in;
mod support;
mod unproven;
