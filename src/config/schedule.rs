//! `[schedule]`: what scans need that no person watches. When they run is the business of the timer that starts them (docs/schedules.md).

use grantwarden_kit::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What scans need that no person watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Who is told that a scan begins and how it ended, so that one that never ran is noticed.
    pub heartbeat: Heartbeat,
}

/// An address of a service that expects to be called by each scan, in the way of healthchecks.io
/// (<https://healthchecks.io/docs/http_api/>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The address for success. Whoever knows it can report in the scanner's name: it is a secret.
    pub url: SecretRef,
}
