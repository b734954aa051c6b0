//! A bearer token that the scanner signs itself, for APIs that take a service account's own JWT in place of an access token.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::Serialize;

use super::{AccessToken, TokenSource};
use crate::{error::Result, http::Door, jwt::SigningKey};

/// How long such a token is good for.
const LIFE: Duration = Duration::from_secs(3_600);

/// Signs in with a key, without an authorization server.
#[derive(Debug)]
pub struct SelfSignedJwt {
    /// `iss` and `sub`.
    pub issuer: String,
    /// `aud`: the API.
    pub audience: String,
    /// Signs the token.
    pub key: Arc<SigningKey>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[async_trait]
impl TokenSource for SelfSignedJwt {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        let now = door.clock().now();
        let expires_at = now.plus(LIFE);
        let token = self.key.sign(&Claims {
            iss: &self.issuer,
            sub: &self.issuer,
            aud: &self.audience,
            iat: now.as_second(),
            exp: expires_at.as_second(),
        })?;
        door.redactor().learn(&token);
        Ok(AccessToken { expires_at: Some(expires_at), ..AccessToken::plain(token) })
    }
}
