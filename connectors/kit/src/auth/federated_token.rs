//! `federated_token`: the app signs in as itself with a token that another issuer gave this workload (RFC 7523 section 2.2), for
//! example a CI job's or a Kubernetes service account's. The scanner keeps no secret of its own.

use async_trait::async_trait;

use super::{
    AccessToken, TokenEndpoint, TokenSource,
    private_key_jwt::{assertion_fields, client_fields},
};
use crate::{error::Result, http::Door, secret::SecretRef};

/// Signs in with another issuer's token.
#[derive(Debug)]
pub struct FederatedToken {
    /// Where tokens are issued.
    pub endpoint: TokenEndpoint,
    /// The client identifier.
    pub client_id: String,
    /// Where the other issuer's token is found. Read at each sign-in: such tokens are short-lived and replaced in place.
    pub assertion: SecretRef,
    /// Scopes to ask for; none are asked for if it is empty.
    pub scopes: Vec<String>,
}

#[async_trait]
impl TokenSource for FederatedToken {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        let assertion = self.assertion.fetch().await?;
        let mut fields = client_fields(&self.client_id, &self.scopes);
        fields.extend(assertion_fields(assertion));
        self.endpoint.request(door, fields, None).await
    }
}
