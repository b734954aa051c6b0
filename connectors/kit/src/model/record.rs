//! The unit of a scan's stream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{App, AuditEvent, Credential, Grant, Tenant, Usage};

/// One thing that a connector found. In JSON it is an object whose only member names the kind: `{"grant": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The account itself; comes first.
    Tenant(Tenant),
    /// An integration; comes before its grants.
    App(App),
    /// A right given to an app.
    Grant(Box<Grant>),
    /// A secret that proves an app's identity.
    Credential(Credential),
    /// What an app did.
    Usage(Usage),
    /// A change of the set-up.
    AuditEvent(AuditEvent),
}
