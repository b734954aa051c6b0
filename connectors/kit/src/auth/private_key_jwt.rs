//! `private_key_jwt`: the app signs in as itself with a signed assertion (RFC 7523 section 2.2, OpenID Connect Core section 9).

use async_trait::async_trait;
use rand::Rng;
use serde::Serialize;

use super::{AccessToken, TokenEndpoint, TokenSource, token_endpoint::plain};
use crate::{error::Result, http::Door, jwt::SigningKey, secret::Secret};

/// Signs in with a key, as the app.
#[derive(Debug)]
pub struct PrivateKeyJwt {
    /// Where tokens are issued.
    pub endpoint: TokenEndpoint,
    /// `iss` and `sub`.
    pub client_id: String,
    /// Signs the assertion.
    pub key: SigningKey,
    /// Scopes to ask for; none are asked for if it is empty.
    pub scopes: Vec<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    nbf: i64,
    iat: i64,
    exp: i64,
    /// Never the same twice: the server may refuse a replay.
    jti: String,
}

#[async_trait]
impl TokenSource for PrivateKeyJwt {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        let now = door.clock().now();
        let assertion = self.key.sign(&Claims {
            iss: &self.client_id,
            sub: &self.client_id,
            aud: &self.endpoint.audience,
            nbf: now.as_second(),
            iat: now.as_second(),
            exp: now.plus(self.endpoint.assertion_life).as_second(),
            jti: format!("{:032x}", rand::rng().random::<u128>()),
        })?;
        let fields = assertion_fields(&self.client_id, assertion, &self.scopes);
        self.endpoint.request(door, fields).await
    }
}

/// The form of a client that proves itself with an assertion (RFC 7523 section 2.2).
pub(super) fn assertion_fields(
    client_id: &str,
    assertion: Secret,
    scopes: &[String],
) -> Vec<(&'static str, Secret)> {
    let mut fields = vec![
        ("grant_type", plain("client_credentials")),
        ("client_id", plain(client_id)),
        ("client_assertion_type", plain("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")),
        ("client_assertion", assertion),
    ];
    if !scopes.is_empty() {
        fields.push(("scope", plain(&scopes.join(" "))));
    }
    fields
}
