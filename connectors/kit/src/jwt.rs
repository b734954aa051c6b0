//! JSON Web Tokens: signs the assertions that we send, and looks into tokens that were given to us. It does not trust, or judge, a token
//! that somebody else made.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rand::Rng as _;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, ErrorKind, Result},
    secret::Secret,
};

/// A private key that signs assertions. An RSA key signs with RS256 (RFC 7518 section 3.3), or, where it has a certificate, with PS256
/// (section 3.5); a key on the curve P-256 or P-384 with ES256 or ES384 (section 3.4).
pub struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
    /// `kid` header (RFC 7515 section 4.1.4), where the authorization server wants one.
    id: Option<String>,
    /// `x5t#S256` header (RFC 7515 section 4.1.8).
    thumbprint: Option<String>,
}

impl SigningKey {
    /// Reads a PEM file's content: PKCS#8, or PKCS#1 for an RSA key.
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
        if let Ok(key) = EncodingKey::from_rsa_pem(text.as_bytes()) {
            return Ok(Self { key, algorithm: Algorithm::RS256, id, thumbprint: None });
        }
        let on_curve = EncodingKey::from_ec_pem(text.as_bytes()).ok().and_then(|key| {
            // The reader does not tell the curves apart; only the right one can sign.
            let mut curves = [Algorithm::ES256, Algorithm::ES384].into_iter();
            let signs = |algorithm: &Algorithm| {
                jsonwebtoken::encode(&Header::new(*algorithm), &(), &key).is_ok()
            };
            curves.find(signs).map(|algorithm| (key, algorithm))
        });
        let (key, algorithm) = on_curve.ok_or_else(|| {
            fail(
                "the private key is neither an RSA key nor one on P-256 or P-384 in PEM form",
                "make one with `openssl req -x509 -newkey rsa:2048 -noenc -keyout scanner.pem -out scanner.crt -days 365 -subj /CN=grantwarden`",
            )
        })?;
        Ok(Self { key, algorithm, id, thumbprint: None })
    }

    /// Signs with PS256 from now on, and names the certificate in `x5t#S256`: what Entra ID asks for.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the text holds no certificate in PEM form, or the key is no RSA key.
    pub fn with_certificate(mut self, pem: &[u8]) -> Result<Self> {
        if self.algorithm != Algorithm::RS256 {
            return Err(Error::new(
                ErrorKind::Configuration,
                "a key with a `certificate` must be an RSA key",
            ));
        }
        let der = first_certificate(pem).ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "`certificate` is not a PEM file with a certificate")
                .with_hint("name the file that starts with -----BEGIN CERTIFICATE-----, which was uploaded to the platform")
        })?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
        self.algorithm = Algorithm::PS256;
        self.thumbprint = Some(URL_SAFE_NO_PAD.encode(digest));
        Ok(self)
    }

    /// Signs claims into a compact JWS (RFC 7515 section 3.1).
    ///
    /// # Errors
    /// [`ErrorKind::Secret`] if the key cannot sign.
    pub fn sign(&self, claims: &impl Serialize) -> Result<Secret> {
        let header = Header {
            kid: self.id.clone(),
            x5t_s256: self.thumbprint.clone(),
            ..Header::new(self.algorithm)
        };
        jsonwebtoken::encode(&header, claims, &self.key)
            .map(Secret::new)
            .map_err(|_| Error::new(ErrorKind::Secret, "the private key cannot sign"))
    }
}

/// A value for `jti` (RFC 7519 section 4.1.7): never the same twice.
pub(crate) fn token_id() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// What a token says about itself, unproven: good enough to name what a call would be refused for, never to allow anything. `None` for a
/// token that is no JSON Web Token, or whose claims are of another shape.
#[expect(clippy::disallowed_methods, reason = "the one place that looks into a token")]
pub fn peek_claims<T: DeserializeOwned>(token: &Secret) -> Option<T> {
    jsonwebtoken::dangerous::insecure_decode_claims(token.expose()).ok()
}

/// The bytes of the first certificate of a PEM file (RFC 7468).
fn first_certificate(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, after) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = after.split_once("-----END CERTIFICATE-----")?;
    let packed: String = body.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(packed).ok().filter(|der| !der.is_empty())
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Claims {
        roles: Vec<String>,
    }

    #[test]
    fn looks_into_a_token_and_gives_nothing_for_what_is_none() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = |claims: &str| {
            let header = part(r#"{"alg":"RS256","typ":"JWT"}"#);
            Secret::new(format!("{header}.{}.{}", part(claims), part("FAKE")))
        };
        let claims: Option<Claims> = peek_claims(&token(r#"{"roles":["A"],"exp":1}"#));
        assert_eq!(claims.unwrap().roles, ["A"]);
        assert!(peek_claims::<Claims>(&token(r#"{"exp":1}"#)).is_none());
        assert!(peek_claims::<Claims>(&Secret::new("FAKE-opaque".into())).is_none());
    }
}
