//! One POST to a token endpoint (RFC 6749 section 3.2) and what comes back.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use url::Url;

use super::{AccessToken, BEARER, SENDER_CONSTRAINED};
use crate::{
    error::Result,
    http::{Authorize, Body, Door, Request},
    secret::Secret,
};

/// Where tokens are issued.
#[derive(Debug, Clone)]
pub struct TokenEndpoint {
    /// The address.
    pub url: Url,
    /// `aud` of assertions (RFC 7523 section 3).
    pub audience: String,
    /// How long an assertion is good for; platforms refuse long ones.
    pub assertion_life: Duration,
}

/// A successful reply (RFC 6749 section 5.1) with what a platform adds to it.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenReply {
    access_token: Secret,
    /// Seconds.
    #[serde(default)]
    expires_in: Option<u64>,
    /// Granted scopes, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// Everything else that is text: `instance_url`, `id`. Never a token.
    #[serde(flatten, deserialize_with = "texts")]
    pub extra: BTreeMap<String, String>,
}

fn texts<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let all = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
    Ok(all
        .into_iter()
        .filter(|(name, _)| !name.contains("token") || name == "token_type")
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .collect())
}

impl TokenEndpoint {
    /// Asks for a token with these form fields, and with what else proves who asks.
    pub(super) async fn request(
        &self,
        door: &Door,
        fields: Vec<(&'static str, Secret)>,
        proof: Option<&dyn Authorize>,
    ) -> Result<AccessToken> {
        // Asking for a token twice does no harm, so a cut connection is tried again.
        let request =
            Request::post("sign in", self.url.clone(), Body::Form(fields.into())).repeatable();
        let request = Request { bucket: "token", ..request };
        let reply: TokenReply = door
            .send(&request, proof)
            .await?
            .json()
            .map_err(|error| door.place(error, request.endpoint))?;
        door.redactor().learn(&reply.access_token);
        let is_bound = reply
            .extra
            .get("token_type")
            .is_some_and(|kind| kind.eq_ignore_ascii_case(SENDER_CONSTRAINED));
        Ok(AccessToken {
            value: reply.access_token.clone(),
            scheme: if is_bound { SENDER_CONSTRAINED } else { BEARER },
            expires_at: reply
                .expires_in
                .map(|life| door.clock().now().plus(Duration::from_secs(life))),
            reply,
        })
    }
}

/// A form field that is no secret.
pub(super) fn plain(value: &str) -> Secret {
    Secret::new(value.to_owned())
}

impl TokenReply {
    /// The reply that a token endpoint would have given for a token made by hand.
    pub(super) const fn of(access_token: Secret) -> Self {
        Self { access_token, expires_in: None, scope: None, extra: BTreeMap::new() }
    }
}
