//! A change of the tenant's set-up that concerns integrations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Observed, Timestamp};

/// One entry of the platform's audit trail that concerns an app, a grant or a consent setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEvent {
    /// The platform's id of the entry.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Observed<String>,
    /// The platform's code for what was done.
    pub action: String,
    /// The platform's sentence about it.
    pub summary: String,
}
