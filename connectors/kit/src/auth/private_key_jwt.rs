//! `private_key_jwt`: the app signs in as itself with a signed assertion (RFC 7523 section 2.2, OpenID Connect Core section 9), and, where
//! the server wants it, for a token that is bound to a key of this process (RFC 9449).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use serde::Serialize;

use super::{AccessToken, Dpop, TokenEndpoint, TokenSource, token_endpoint::plain};
use crate::{
    clock::Clock,
    error::Result,
    http::{Authorize, Door, Reply, Request, Stamp},
    jwt::{SigningKey, token_id},
    secret::Secret,
};

/// Signs in with a key, as the app.
#[derive(Debug)]
pub struct PrivateKeyJwt {
    /// Where tokens are issued.
    pub endpoint: TokenEndpoint,
    /// `iss` and `sub`.
    pub client_id: String,
    /// Signs the assertion.
    pub key: Arc<SigningKey>,
    /// Scopes to ask for; none are asked for if it is empty.
    pub scopes: Vec<String>,
    /// Asks for tokens that are bound to a key, once the server has said that it wants that.
    pub dpop: Option<SenderConstraint>,
}

/// The way to tokens that are bound to a key.
#[derive(Debug)]
pub struct SenderConstraint {
    /// The key.
    pub dpop: Arc<Dpop>,
    /// The server wants proofs. It says so by refusing a request without one.
    is_wanted: AtomicBool,
}

impl SenderConstraint {
    /// Nothing is proven until the server asks for it.
    pub const fn when_asked(dpop: Arc<Dpop>) -> Self {
        Self { dpop, is_wanted: AtomicBool::new(false) }
    }
}

/// A proof is missing or wrong (RFC 9449 section 5).
const PROOF_WANTED: &str = "invalid_dpop_proof";

/// The proof lacks the nonce that came with this answer (RFC 9449 section 8).
const NONCE_WANTED: &str = "use_dpop_nonce";

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
        // The first request may learn that proofs are wanted, the second which nonce they must have.
        let mut tries_left = 2;
        loop {
            let proof = Proof { source: self, dpop: self.wanted(), clock: door.clock() };
            let fields = client_fields(&self.client_id, &self.scopes);
            let error = match self.endpoint.request(door, fields, Some(&proof)).await {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            let may_help = match (error.code(), &self.dpop) {
                (Some(NONCE_WANTED), Some(constraint)) => {
                    constraint.is_wanted.store(true, Ordering::Relaxed);
                    true
                }
                (Some(PROOF_WANTED), Some(constraint)) => {
                    !constraint.is_wanted.swap(true, Ordering::Relaxed)
                }
                _ => false,
            };
            if !may_help || tries_left == 0 {
                return Err(error);
            }
            tries_left -= 1;
        }
    }
}

impl PrivateKeyJwt {
    fn wanted(&self) -> Option<&Dpop> {
        let constraint = self.dpop.as_ref()?;
        constraint.is_wanted.load(Ordering::Relaxed).then_some(constraint.dpop.as_ref())
    }

    fn assertion(&self, clock: &dyn Clock) -> Result<Secret> {
        let now = clock.now();
        self.key.sign(&Claims {
            iss: &self.client_id,
            sub: &self.client_id,
            aud: &self.endpoint.audience,
            nbf: now.as_second(),
            iat: now.as_second(),
            exp: now.plus(self.endpoint.assertion_life).as_second(),
            jti: token_id(),
        })
    }
}

/// What proves the client to the token endpoint; made anew for each sending, because a server may refuse to see an assertion twice.
struct Proof<'a> {
    source: &'a PrivateKeyJwt,
    dpop: Option<&'a Dpop>,
    clock: &'a dyn Clock,
}

#[async_trait]
impl Authorize for Proof<'_> {
    async fn stamp(&self, request: &Request) -> Result<Stamp> {
        let fields = assertion_fields(self.source.assertion(self.clock)?);
        let headers = match self.dpop {
            Some(dpop) => vec![dpop.for_token_request(request, self.clock)?],
            None => Vec::new(),
        };
        Ok(Stamp { headers, fields, ..Stamp::default() })
    }

    async fn refused(&self, _: u64) {}

    fn heed(&self, reply: &Reply) {
        if let Some(constraint) = &self.source.dpop {
            constraint.dpop.heed_token_reply(reply);
        }
    }
}

/// The form of a client that asks for a token for itself (RFC 6749 section 4.4.2).
pub(super) fn client_fields(client_id: &str, scopes: &[String]) -> Vec<(&'static str, Secret)> {
    let mut fields =
        vec![("grant_type", plain("client_credentials")), ("client_id", plain(client_id))];
    if !scopes.is_empty() {
        fields.push(("scope", plain(&scopes.join(" "))));
    }
    fields
}

/// How a client proves itself with an assertion (RFC 7523 section 2.2).
pub(super) fn assertion_fields(assertion: Secret) -> Vec<(&'static str, Secret)> {
    vec![
        ("client_assertion_type", plain("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")),
        ("client_assertion", assertion),
    ]
}
