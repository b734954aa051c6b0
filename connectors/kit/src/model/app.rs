//! An app: a third-party integration that a tenant knows.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Observed, Scope, Setting, Timestamp};

/// A third-party integration known to a tenant: connected app, service principal, GitHub App, Slack app, OAuth client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct App {
    /// Stable across scans within the tenant: the platform's own id where there is one.
    pub id: String,
    /// The name that the platform shows to a user who consents.
    pub name: String,
    /// What the platform calls this kind of app, for a person: `connected app`, `external client app`.
    pub kind: String,
    /// OAuth 2.0 client identifiers (RFC 6749 section 2.2).
    pub client_ids: Observed<Vec<String>>,
    /// The company that says it is behind the app. `Absent`, together with `client_ids`, where the record stands for people's own tokens
    /// or keys of one kind and nobody is behind it.
    pub publisher: Observed<Publisher>,
    /// The tenant of the same platform in which the app is registered; ties an app to a vendor.
    #[serde(default = "Observed::<String>::not_recorded")]
    pub home_tenant: Observed<String>,
    /// The namespace of the package that brought the app in; ties an app to a vendor.
    pub namespace: Observed<String>,
    /// Host names of the redirection endpoints (RFC 6749 section 3.1.2); ties an app to a vendor.
    pub redirect_domains: Observed<Vec<String>>,
    /// Host names of the app's own pages, such as its home page; ties an app to a vendor, as far as nobody made them up.
    #[serde(default = "Observed::<Vec<String>>::not_recorded")]
    pub web_domains: Observed<Vec<String>>,
    /// Whose app it is.
    pub origin: Origin,
    /// Whether the tenant installed it. An app that is not installed can still hold grants, and its settings are then invisible.
    pub installed: Observed<bool>,
    /// Whether the tenant has blocked it.
    pub blocked: Observed<bool>,
    /// Who may start using the app.
    pub approval: Observed<Approval>,
    /// The profiles, groups or permission sets whose members an administrator approved for the app.
    pub assigned_to: Observed<Vec<String>>,
    /// The scopes that the app's registration allows. A grant never has more.
    pub scopes: Observed<Vec<Scope>>,
    /// How long the app's tokens live.
    pub token_policy: TokenPolicy,
    /// The OAuth flows switched on besides authorization code.
    pub flows: Observed<Vec<Flow>>,
    /// Whether the app may introspect tokens that were issued to other apps (RFC 7662).
    pub introspects_all_tokens: Observed<bool>,
    /// When the tenant first had it.
    pub created_at: Observed<Timestamp>,
    /// When its settings last changed.
    pub changed_at: Observed<Timestamp>,
    /// Further settings that bear on what the app may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
}

/// The company that says it is behind an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Publisher {
    /// As the platform writes it.
    pub name: String,
    /// Whether the platform itself vouches for it. Context only: it never lowers a severity.
    pub verified: Observed<bool>,
}

/// Whose app it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Another company's, or not provably anybody else's.
    ThirdParty,
    /// Made inside the tenant.
    Own,
    /// The platform's own product, recognised by owner, not by name.
    Platform,
}

/// Who may start using an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Only principals whom an administrator named.
    AdminApproved,
    /// Any user by their own consent.
    SelfAuthorized,
}

/// How long an app's tokens live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenPolicy {
    /// Life of one access token.
    pub access_lifetime: Observed<Duration>,
    /// What ends a refresh token.
    pub refresh: Observed<RefreshPolicy>,
    /// Whether each use of a refresh token replaces it (RFC 9700 section 4.14.2).
    pub rotation: Observed<bool>,
}

/// What ends a refresh token by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshPolicy {
    /// Nothing: it lives until somebody revokes it.
    Never,
    /// Not being used for so long. A thief who keeps using it keeps it alive.
    Idle(Duration),
    /// So long after it was issued, whatever happens.
    Absolute(Duration),
    /// It is never usable: ends as it is issued.
    Immediately,
}

/// An OAuth flow by the name of its grant type.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// RFC 6749 section 4.4: the app signs in as itself, no user, no refresh token.
    ClientCredentials,
    /// RFC 7523: the app signs in with a key.
    JwtBearer,
    /// RFC 8628: open to phishing by phone.
    DeviceCode,
    /// RFC 8693.
    TokenExchange,
}
