//! `client_credentials`: the app signs in as itself with a shared secret (RFC 6749 section 4.4).

use async_trait::async_trait;

use super::{AccessToken, TokenEndpoint, TokenSource, token_endpoint::plain};
use crate::{error::Result, http::Door, secret::Secret};

/// Signs in with a client secret.
#[derive(Debug)]
pub struct ClientCredentials {
    /// Where tokens are issued.
    pub endpoint: TokenEndpoint,
    /// The client identifier.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Secret,
    /// Scopes to ask for; none are asked for if it is empty.
    pub scopes: Vec<String>,
}

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        let mut fields = vec![
            ("grant_type", plain("client_credentials")),
            ("client_id", plain(&self.client_id)),
            ("client_secret", self.client_secret.clone()),
        ];
        if !self.scopes.is_empty() {
            fields.push(("scope", plain(&self.scopes.join(" "))));
        }
        self.endpoint.request(door, fields, None).await
    }
}
