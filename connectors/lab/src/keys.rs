//! The scanner's own keys and secrets, made at start: an RSA key whose public half the tenants trust,
//! and random texts. Nothing of it is ever in the repository, and it knows no platform.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::DecodingKey;
use rand::Rng;
use rand::distr::Alphanumeric;

/// A key pair: the private half as PEM, the public half ready to verify.
pub(crate) struct SigningKey {
    pub(crate) private_key_pem: String,
    pub(crate) verifier: DecodingKey,
}

/// The key pair of this process; making one takes a while, so all tenants share it.
pub(crate) fn signing_key() -> Result<&'static SigningKey, KeyError> {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key);
    }
    let made = make()?;
    Ok(KEY.get_or_init(|| made))
}

/// The operating system gave no randomness for a key.
#[derive(Debug, thiserror::Error)]
#[error("an RSA key could not be made")]
pub struct KeyError;

fn make() -> Result<SigningKey, KeyError> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError)?;
    Ok(SigningKey {
        private_key_pem: pem("PRIVATE KEY", private.as_ref()),
        verifier: DecodingKey::from_rsa_der(pair.public_key().as_ref()),
    })
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// Random letters and digits.
pub(crate) fn random_text(length: usize) -> String {
    rand::rng().sample_iter(&Alphanumeric).take(length).map(char::from).collect()
}

/// The key pair of an issuer outside the tenants, e.g. of a CI system that signs workload identities.
pub(crate) fn foreign_key() -> Result<&'static SigningKey, KeyError> {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key);
    }
    let made = make()?;
    Ok(KEY.get_or_init(|| made))
}
