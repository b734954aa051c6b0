//! The key pairs of the two service apps: real, made at start, trusted by the lab alone.

use std::sync::OnceLock;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value as Json, json};

use crate::keys::{KeyError, foreign_key, signing_key};

/// A key pair of a client.
pub(crate) struct ClientKey {
    pub(crate) kid: &'static str,
    pub(crate) private_key_pem: String,
    /// The public half as clients register it.
    pub(crate) jwk: Json,
}

/// All key pairs.
pub(crate) struct Keyring {
    /// The scanner's RSA key.
    pub(crate) scanner: ClientKey,
    /// The scanner's second key, on the curve P-256.
    pub(crate) scanner_ec: ClientKey,
    /// The revoker's RSA key.
    pub(crate) revoker: ClientKey,
    /// What signs access tokens.
    pub(crate) issuer: EncodingKey,
}

/// The keys of this process.
pub(crate) fn keyring() -> Result<&'static Keyring, KeyError> {
    static RING: OnceLock<Keyring> = OnceLock::new();
    if let Some(ring) = RING.get() {
        return Ok(ring);
    }
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| KeyError)?;
    let scanner = rsa("FAKE-scanner-rsa", &signing_key()?.private_key_pem)?;
    let made = Keyring {
        issuer: EncodingKey::from_rsa_pem(scanner.private_key_pem.as_bytes())
            .map_err(|_| KeyError)?,
        scanner,
        scanner_ec: elliptic("FAKE-scanner-ec", pair.serialize_pem())?,
        revoker: rsa("FAKE-revoker-rsa", &foreign_key()?.private_key_pem)?,
    };
    Ok(RING.get_or_init(|| made))
}

fn rsa(kid: &'static str, pem: &str) -> Result<ClientKey, KeyError> {
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| KeyError)?;
    let jwk = public(&key, Algorithm::RS256, kid)?;
    Ok(ClientKey { kid, private_key_pem: pem.to_owned(), jwk })
}

fn elliptic(kid: &'static str, pem: String) -> Result<ClientKey, KeyError> {
    let key = EncodingKey::from_ec_pem(pem.as_bytes()).map_err(|_| KeyError)?;
    let jwk = public(&key, Algorithm::ES256, kid)?;
    Ok(ClientKey { kid, private_key_pem: pem, jwk })
}

fn public(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Result<Json, KeyError> {
    let jwk = Jwk::from_encoding_key(key, algorithm).map_err(|_| KeyError)?;
    let mut body = serde_json::to_value(jwk).map_err(|_| KeyError)?;
    body["kid"] = json!(kid);
    body["use"] = json!("sig");
    body["alg"] = json!(if algorithm == Algorithm::ES256 { "ES256" } else { "RS256" });
    Ok(body)
}
