//! Proofs of possession (RFC 9449): reading and verifying them, their nonces, and which were used before. What follows from a good or
//! a bad one is decided elsewhere.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value as Json;

use super::Core;
use crate::keys::random_text;

/// What clocks may differ by, in seconds.
const SKEW: i64 = 300;
/// Algorithms of proofs and client assertions.
pub(crate) const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];

/// Nonces in use, and the ids of all tokens seen that may be used once.
#[derive(Debug, Default)]
pub(crate) struct Once {
    nonce: Mutex<String>,
    seen: Mutex<HashSet<String>>,
}

impl Once {
    /// The nonce that proofs must carry now.
    pub(crate) fn nonce(&self) -> String {
        let mut nonce = self.nonce.lock().unwrap_or_else(PoisonError::into_inner);
        if nonce.is_empty() {
            *nonce = format!("FAKE{}", random_text(28));
        }
        nonce.clone()
    }

    /// Another nonce from now on.
    pub(crate) fn rotate(&self) {
        self.nonce.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether an id is seen for the first time. `family` keeps proofs and assertions apart.
    pub(crate) fn first(&self, family: &str, id: &str) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(format!("{family}/{id}"))
    }
}

/// Why a proof is not accepted.
#[derive(Debug)]
pub(crate) struct BadProof {
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

fn bad(description: &'static str) -> BadProof {
    BadProof { error: "invalid_dpop_proof", description }
}

#[derive(Debug, Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    iat: i64,
    jti: String,
    nonce: Option<String>,
    ath: Option<String>,
}

/// What a proof must be about.
#[derive(Debug)]
pub(crate) struct Occasion<'o> {
    pub(crate) method: &'o str,
    pub(crate) path: &'o str,
    /// The access token that it goes with; none at the token endpoint.
    pub(crate) token: Option<&'o str>,
    /// Whether it must carry the nonce.
    pub(crate) nonce: bool,
    /// Seconds that our clock runs ahead.
    pub(crate) skew: i64,
}

impl Core {
    /// The thumbprint of the key that a proof proves, if it is a good one.
    pub(super) fn proven(&self, proof: &str, occasion: &Occasion<'_>) -> Result<String, BadProof> {
        let header = decode_header(proof).map_err(|_| bad("The DPoP proof JWT is malformed."))?;
        if header.typ.as_deref() != Some("dpop+jwt") {
            return Err(bad("The type of the DPoP proof JWT must be 'dpop+jwt'."));
        }
        if !ALGORITHMS.contains(&header.alg) {
            return Err(bad("The algorithm of the DPoP proof JWT is not supported."));
        }
        let jwk = header.jwk.ok_or_else(|| bad("The DPoP proof JWT must have a 'jwk' header."))?;
        let raw = proof.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let raw: Option<Json> = raw.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if raw.is_none_or(|header| header["jwk"].get("d").is_some()) {
            return Err(bad("The 'jwk' header must not hold a private key."));
        }
        let mut rules = Validation::new(header.alg);
        // Dates are judged below.
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let unsigned = || bad("The signature of the DPoP proof JWT is invalid.");
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| unsigned())?;
        let claims = decode::<Claims>(proof, &key, &rules).map_err(|_| unsigned())?.claims;
        if claims.htm != occasion.method {
            return Err(bad("The 'htm' claim is not the method of the request."));
        }
        if claims.htu != format!("{}{}", self.base_url, occasion.path) {
            return Err(bad(
                "The 'htu' claim is not the URL of the request without query and fragment.",
            ));
        }
        let skew = SignedDuration::from_secs(occasion.skew);
        if !self.clock.claims(skew).any(|now| (now - claims.iat).abs() <= SKEW) {
            return Err(bad("The 'iat' claim is too far from now."));
        }
        let hash =
            occasion.token.map(|token| URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
        if hash.is_some() && claims.ath != hash {
            return Err(bad("The 'ath' claim is not the hash of the access token."));
        }
        if occasion.nonce && claims.nonce.as_deref() != Some(self.once.nonce().as_str()) {
            return Err(BadProof {
                error: "use_dpop_nonce",
                description: "Authorization server requires nonce in DPoP proof.",
            });
        }
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| unsigned())?;
        if claims.jti.is_empty()
            || !self.once.first("proof", &format!("{thumbprint}/{}", claims.jti))
        {
            return Err(bad("The 'jti' claim was used before."));
        }
        Ok(thumbprint)
    }
}
