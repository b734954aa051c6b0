//! JSON Web Tokens: signs the assertions that we send. It does not trust, or judge, a token that somebody else made.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::{
    error::{Error, ErrorKind, Result},
    secret::Secret,
};

/// An RSA private key that signs assertions with RS256 (RFC 7518 section 3.3).
pub struct SigningKey {
    key: EncodingKey,
    /// `kid` header (RFC 7515 section 4.1.4), where the authorization server wants one.
    id: Option<String>,
}

impl SigningKey {
    /// Reads a PEM file's content, PKCS#1 or PKCS#8.
    ///
    /// # Errors
    /// [`ErrorKind::Secret`] with what is wrong with the key and what to do, and nothing of its content.
    pub fn from_pem(pem: &Secret, id: Option<String>) -> Result<Self> {
        let text = pem.expose();
        let fail =
            |message: &str, hint: &str| Error::new(ErrorKind::Secret, message).with_hint(hint);
        if text.contains("ENCRYPTED") {
            return Err(fail(
                "the private key is encrypted with a pass phrase",
                "store it decrypted where only the scanner can read it: `openssl pkey -in key.pem -out scanner.pem`, \
                 or give { command = [\"openssl\", \"pkey\", \"-in\", \"key.pem\", \"-passin\", \"env:NAME\"] }",
            ));
        }
        if text.contains("BEGIN CERTIFICATE") && !text.contains("PRIVATE KEY") {
            return Err(fail(
                "the file holds a certificate, not its private key",
                "the certificate is uploaded to the platform; here the private key is needed",
            ));
        }
        let key = EncodingKey::from_rsa_pem(text.as_bytes()).map_err(|_| {
            fail(
                "the private key is not an RSA key in PEM form",
                "make one with `openssl req -x509 -newkey rsa:2048 -noenc -keyout scanner.pem -out scanner.crt -days 365 -subj /CN=grantwarden`",
            )
        })?;
        Ok(Self { key, id })
    }

    /// Signs claims into a compact JWS (RFC 7515 section 3.1).
    ///
    /// # Errors
    /// [`ErrorKind::Secret`] if the key cannot sign.
    pub fn sign(&self, claims: &impl Serialize) -> Result<Secret> {
        let header = Header { kid: self.id.clone(), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, &self.key)
            .map(Secret::new)
            .map_err(|_| Error::new(ErrorKind::Secret, "the private key cannot sign with RS256"))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}
