//! Token sources: how the scanner signs in. They go through the [`crate::http::Door`] like everything else.
//!
//! One file per method. [`Tokens`] caches what a source gives, renews it once when the API refuses it, and lets only one sign-in run
//! at a time.

mod cache;
mod client_credentials;
mod dpop;
mod federated_token;
mod jwt_bearer;
mod private_key_jwt;
mod self_signed_jwt;
mod service_account;
mod static_token;
#[cfg(test)]
mod tests;
mod token_endpoint;

use async_trait::async_trait;
pub use cache::Tokens;
pub use client_credentials::ClientCredentials;
pub use dpop::Dpop;
pub use federated_token::FederatedToken;
pub use jwt_bearer::JwtBearer;
pub use private_key_jwt::{PrivateKeyJwt, SenderConstraint};
pub use self_signed_jwt::SelfSignedJwt;
pub use service_account::ServiceAccount;
pub use static_token::StaticToken;
pub use token_endpoint::{TokenEndpoint, TokenReply};

use crate::{
    error::Result,
    http::Door,
    model::Timestamp,
    secret::{Secret, SecretRef},
};

/// The scheme of a token that whoever holds it can use (RFC 6750).
pub(crate) const BEARER: &str = "Bearer";

/// The scheme of a token that works with its key only (RFC 9449 section 7.1).
pub(crate) const SENDER_CONSTRAINED: &str = "DPoP";

/// How to sign in, with secrets fetched.
#[derive(Debug)]
pub enum Credentials {
    /// RFC 7523 section 2.1: an assertion about a user, signed with the app's key.
    JwtBearer {
        /// `iss`: the client identifier.
        client_id: String,
        /// `sub`: the user to act as.
        username: String,
        /// RSA key in PEM form.
        private_key: Secret,
        /// `kid` header.
        key_id: Option<String>,
    },
    /// RFC 6749 section 4.4 with a shared secret.
    ClientCredentials {
        /// The client identifier.
        client_id: String,
        /// The client secret.
        client_secret: Secret,
        /// `scope`, where the platform wants it asked for.
        scopes: Vec<String>,
    },
    /// RFC 6749 section 4.4, the client authenticated by a signed assertion (RFC 7523 section 2.2).
    PrivateKeyJwt {
        /// The client identifier.
        client_id: String,
        /// RSA key, or one on a NIST curve, in PEM form.
        private_key: Secret,
        /// `kid` header.
        key_id: Option<String>,
        /// The key's X.509 certificate, for servers that want it named (`x5t#S256`, RFC 7515 section 4.1.8). A PEM file's content.
        certificate: Option<Vec<u8>>,
        /// `scope`, where the platform wants it asked for.
        scopes: Vec<String>,
    },
    /// RFC 6749 section 4.4, the client authenticated by a token that another issuer gave this workload (RFC 7523 section 2.2).
    FederatedToken {
        /// The client identifier.
        client_id: String,
        /// Where that token is found; read at each sign-in.
        assertion: SecretRef,
        /// `scope`, where the platform wants it asked for.
        scopes: Vec<String>,
    },
    /// A service account's key file, acting for a user (domain-wide delegation) or as itself.
    ServiceAccount {
        /// The key file's content.
        key: Secret,
        /// `sub`: the user to act as; without one the service account acts as itself.
        subject: Option<String>,
    },
    /// A GitHub App's key: the app signs a statement about itself and gets a token for one of its installations.
    GithubApp {
        /// The app's client identifier, or its number.
        client_id: String,
        /// RSA key in PEM form.
        private_key: Secret,
    },
    /// A token that somebody made by hand.
    Static {
        /// The access token.
        token: Secret,
    },
}

impl Credentials {
    /// The `method` as written in a configuration.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::JwtBearer { .. } => "jwt_bearer",
            Self::ClientCredentials { .. } => "client_credentials",
            Self::PrivateKeyJwt { .. } => "private_key_jwt",
            Self::FederatedToken { .. } => "federated_token",
            Self::ServiceAccount { .. } => "service_account",
            Self::GithubApp { .. } => "github_app",
            Self::Static { .. } => "static",
        }
    }
}

/// Gives access tokens.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// Signs in.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::SignIn`] with the authorization server's own words, or a transport error.
    async fn fetch(&self, door: &Door) -> Result<AccessToken>;

    /// Whether fetching again can give another token.
    fn is_renewable(&self) -> bool {
        true
    }
}

/// An access token and what came with it.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub value: Secret,
    /// The scheme of the `Authorization` header that it goes with: `Bearer`.
    pub scheme: &'static str,
    /// When it ends, if the server said so.
    pub expires_at: Option<Timestamp>,
    /// The reply that it came in, for what a platform adds to it.
    pub reply: TokenReply,
}

impl AccessToken {
    /// A token that did not come from a token endpoint: it has no known end.
    pub fn plain(value: Secret) -> Self {
        Self {
            value: value.clone(),
            scheme: BEARER,
            expires_at: None,
            reply: TokenReply::of(value),
        }
    }
}
