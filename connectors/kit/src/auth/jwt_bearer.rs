//! `jwt_bearer`: an assertion about a user, signed with the app's key (RFC 7523 section 2.1).

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use super::{AccessToken, TokenEndpoint, TokenSource, token_endpoint::plain};
use crate::{error::Result, http::Door, jwt::SigningKey};

/// Signs in with a key, as a user.
#[derive(Debug)]
pub struct JwtBearer {
    /// Where tokens are issued.
    pub endpoint: TokenEndpoint,
    /// `iss`.
    pub client_id: String,
    /// `sub`.
    pub username: String,
    /// Signs the assertion.
    pub key: Arc<SigningKey>,
    /// `scope` claim, for servers that want the scopes in the assertion; left out if it is empty.
    pub scopes: Vec<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    iat: i64,
    exp: i64,
}

#[async_trait]
impl TokenSource for JwtBearer {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        let now = door.clock().now();
        let assertion = self.key.sign(&Claims {
            iss: &self.client_id,
            sub: &self.username,
            aud: &self.endpoint.audience,
            scope: (!self.scopes.is_empty()).then(|| self.scopes.join(" ")),
            iat: now.as_second(),
            exp: now.plus(self.endpoint.assertion_life).as_second(),
        })?;
        let grant_type = plain("urn:ietf:params:oauth:grant-type:jwt-bearer");
        self.endpoint
            .request(door, vec![("grant_type", grant_type), ("assertion", assertion)], None)
            .await
    }
}
