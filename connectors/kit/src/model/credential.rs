//! A credential: a secret that proves an app's identity. Its value is never recorded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Observed, Timestamp};

/// A secret that proves an identity, known by its id or thumbprint only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credential {
    /// The platform's id, or a SHA-256 thumbprint in lower-case hexadecimal. Never the secret.
    pub id: String,
    /// [`super::App::id`] of the app that it belongs to.
    pub app: String,
    /// What it is.
    pub kind: CredentialKind,
    /// What its owner calls it; of a federated credential also whose tokens it trusts.
    #[serde(default = "Observed::<String>::not_recorded")]
    pub name: Observed<String>,
    /// When it was added.
    pub created_at: Observed<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Observed<Timestamp>,
    /// When it was last used.
    pub last_used_at: Observed<Timestamp>,
}

/// What a [`Credential`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// A shared client secret.
    ClientSecret,
    /// A certificate or public key whose private half the app keeps.
    Certificate,
    /// Trust in the tokens of another issuer (RFC 7523): who gets such a token is the app.
    FederatedCredential,
}
