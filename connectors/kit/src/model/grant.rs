//! A grant: a right that was given to an app.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Approval, NetworkPolicy, Observed, Principal, Setting, Timestamp};

/// A right given to an app (or to a bearer): by a user, by an administrator for everybody, or to the app itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// Stable across scans within the tenant.
    pub id: String,
    /// [`super::App::id`] of the app that holds the right.
    pub app: String,
    /// The app's name as the listing of grants gives it; of a token or key without an app the name that its owner gave it.
    pub app_name: String,
    /// How the right was given.
    pub kind: GrantKind,
    /// For whom the app acts with it.
    pub holder: Holder,
    /// What it allows, in the platform's own words.
    pub scopes: Observed<Vec<Scope>>,
    /// When it was given.
    pub granted_at: Observed<Timestamp>,
    /// The sign-in name of whoever gave it.
    #[serde(default = "Observed::<String>::not_recorded")]
    pub granted_by: Observed<String>,
    /// When it was last used. `Absent`: never.
    pub last_used_at: Observed<Timestamp>,
    /// How often it was used.
    pub use_count: Observed<u64>,
    /// When it ends by itself.
    pub expires: Observed<Expiry>,
    /// Whether it carries a refresh token (RFC 6749 section 1.5), or can be renewed without a person.
    pub refreshable: Observed<bool>,
    /// Where it works from.
    pub network: NetworkPolicy,
    /// Whether the token is bound to a key of its holder (RFC 8705, RFC 9449), so that a thief cannot use it.
    pub sender_constrained: Observed<bool>,
    /// Whether an administrator stands behind it.
    pub approval: Observed<Approval>,
    /// Further facts that bear on what the grant reaches: which part of the tenant it was given for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
}

/// How a grant was given.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GrantKind {
    /// By one user, for that user.
    Delegated,
    /// By an administrator, for every user.
    AdminConsented,
    /// To the app itself; it acts without a user present.
    AppOnly,
    /// By installing the app into a tenant or a part of it.
    Installation,
    /// A token that a person made for use by hand or in a script.
    PersonalToken,
    /// A token that belongs to the tenant or to a service account.
    ApiToken,
    /// The right to act as any user of the tenant.
    Delegation,
    /// A public key that the platform lets in: whoever holds its private half needs no token.
    Key,
    /// An address outside to which the tenant sends what happens in it.
    Webhook,
}

/// For whom an app acts with a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// One user or service account.
    Principal(Principal),
    /// Everybody in the tenant.
    Tenant,
    /// The app itself, with its own rights.
    App,
}

impl Holder {
    /// The one principal behind the grant, if there is one.
    pub const fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Principal(principal) => Some(principal),
            Self::Tenant | Self::App => None,
        }
    }
}

/// A raw permission string as the platform writes it, and the resource that it is a permission on.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Scope {
    /// For example `api` or `https://mail.google.com/`.
    pub name: String,
    /// The API that the scope belongs to, where a platform has several with scopes of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl Scope {
    /// A scope of the platform's only resource.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), resource: None }
    }
}

/// When a grant ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// It does not.
    Never,
    /// At this time.
    At(Timestamp),
    /// After not being used for so long; each use starts the time anew.
    Idle(Duration),
}
