//! Unit tests of what needs no org, and the kit's conformance suite against the lab.
