//! The whole tool through its binary. Offline: everything it talks to is the lab on this machine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at its first surprise")]

mod advisories;
mod architecture;
mod bad_input;
mod cli;
mod compare;
mod controls;
mod coverage;
mod custom_rules;
mod demo;
mod diff;
mod diff_formats;
mod explain;
mod formats;
mod html;
mod mail_server;
mod metrics;
mod notify;
mod offline;
mod platforms;
mod policy;
mod receiver;
mod register;
mod replays;
mod scan;
mod schedule;
mod store;
mod support;
mod vendors;
