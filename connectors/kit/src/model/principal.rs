//! A principal: the user or service account behind a grant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Observed, Timestamp};

/// The user or service account behind a grant, as far as a rule needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Principal {
    /// The platform's own id; empty if even that is gone.
    pub id: String,
    /// The sign-in name.
    pub name: Observed<String>,
    /// A person or a machine.
    pub kind: Observed<PrincipalKind>,
    /// Whether it can still sign in.
    pub status: Observed<PrincipalStatus>,
    /// The rights that reach beyond the principal's own data, in the platform's words. Known and empty: an ordinary user.
    pub privileges: Observed<Vec<String>>,
    /// When it last signed in. `Absent`: never.
    pub last_login_at: Observed<Timestamp>,
}

impl Principal {
    /// The sign-in name, or the id where the name is not known.
    pub fn label(&self) -> &str {
        match self.name.known() {
            Some(name) => name,
            None if self.id.is_empty() => "an account that is gone",
            None => &self.id,
        }
    }
}

/// A person or a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// Somebody works with this account.
    Person,
    /// The account exists for programs.
    ServiceAccount,
}

/// Whether a principal can still sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalStatus {
    /// It can.
    Active,
    /// An administrator has suspended or frozen it.
    Suspended,
    /// It was deactivated.
    Inactive,
    /// It is gone, and the grant is still there.
    Deleted,
}
