//! Sender-constrained access tokens (RFC 9449, DPoP): a key made for this process, the proofs signed with it, and the nonces that
//! servers want to see in them. The key never leaves the process; whoever steals the token cannot use it without the key.

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde::Serialize;

use crate::{
    clock::Clock,
    error::{Error, ErrorKind, Result},
    http::{Reply, Request},
    jwt::token_id,
    secret::Secret,
};

/// The header that carries a proof (RFC 9449 section 4.1).
const PROOF: &str = "dpop";

/// The header in which a server gives the nonce for the next proof (RFC 9449 section 8).
const NONCE: &str = "dpop-nonce";

/// One process's key for proofs, with the nonces that were heard.
pub struct Dpop {
    key: EncodingKey,
    public: Jwk,
    /// What the token endpoint wants in the next proof.
    server_nonce: Mutex<Option<String>>,
    /// What the API wants in the next proof, and how often it changed its mind.
    api_nonce: Mutex<(Option<String>, u32)>,
}

/// What a proof says (RFC 9449 section 4.2).
#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    /// The address without query and fragment.
    htu: String,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

impl Dpop {
    /// A new P-256 key.
    ///
    /// # Errors
    /// [`ErrorKind::Secret`] if the operating system gives no randomness.
    pub fn make() -> Result<Self> {
        let fail = || Error::new(ErrorKind::Secret, "no key for DPoP proofs could be made");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| fail())?;
        let private = pair.to_pkcs8v1().map_err(|_| fail())?;
        let key = EncodingKey::from_ec_der(private.as_ref());
        let public = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|_| fail())?;
        Ok(Self { key, public, server_nonce: Mutex::default(), api_nonce: Mutex::default() })
    }

    /// The header of a request to the token endpoint, where there is no token yet.
    pub(super) fn for_token_request(
        &self,
        request: &Request,
        clock: &dyn Clock,
    ) -> Result<(&'static str, Secret)> {
        let nonce = self.server_nonce.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.proof(request, None, nonce, clock)
    }

    /// Takes the token endpoint's nonce from a reply.
    pub(super) fn heed_token_reply(&self, reply: &Reply) {
        if let Some(nonce) = reply.header(NONCE) {
            let mut known = self.server_nonce.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(nonce.to_owned());
        }
    }

    /// The header of one API call: a proof for this token and this request.
    pub(super) fn for_call(
        &self,
        request: &Request,
        token: &Secret,
        clock: &dyn Clock,
    ) -> Result<(&'static str, Secret)> {
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.expose().as_bytes());
        let nonce = self.api_nonce.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
        self.proof(request, Some(URL_SAFE_NO_PAD.encode(digest)), nonce, clock)
    }

    /// How often the API gave another nonce: a call that was refused for an old one needs no new token.
    pub(super) fn changes(&self) -> u32 {
        self.api_nonce.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Takes the API's nonce from a reply.
    pub(super) fn heed(&self, reply: &Reply) {
        let Some(nonce) = reply.header(NONCE) else { return };
        let mut known = self.api_nonce.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0.as_deref() != Some(nonce) {
            *known = (Some(nonce.to_owned()), known.1.wrapping_add(1));
        }
    }

    fn proof(
        &self,
        request: &Request,
        ath: Option<String>,
        nonce: Option<String>,
        clock: &dyn Clock,
    ) -> Result<(&'static str, Secret)> {
        let mut address = request.url.clone();
        address.set_query(None);
        address.set_fragment(None);
        let header = Header {
            typ: Some("dpop+jwt".to_owned()),
            jwk: Some(self.public.clone()),
            ..Header::new(Algorithm::ES256)
        };
        let claims = Claims {
            jti: token_id(),
            htm: request.method.as_str(),
            htu: address.into(),
            iat: clock.now().as_second(),
            ath,
            nonce,
        };
        let proof = jsonwebtoken::encode(&header, &claims, &self.key)
            .map_err(|_| Error::new(ErrorKind::Secret, "the key for DPoP proofs cannot sign"))?;
        Ok((PROOF, Secret::new(proof)))
    }
}

impl std::fmt::Debug for Dpop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dpop").finish_non_exhaustive()
    }
}
