//! What a scanner needs to sign in to a directory: a secret and a certificate, made at start.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};

use crate::keys::SigningKey;

/// What a scanner needs to sign in to one directory.
#[derive(Clone)]
pub struct EntraClient {
    /// The directory's GUID.
    pub tenant_id: String,
    /// Client id of the scanner's application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// RSA private key in PEM (PKCS #8), for assertions.
    pub private_key_pem: String,
    /// The certificate that is registered with the application, in PEM.
    pub certificate_pem: String,
    /// The token endpoint, which is also the audience of an assertion.
    pub token_url: String,
}

impl fmt::Debug for EntraClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EntraClient")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("token_url", &self.token_url)
            .finish_non_exhaustive()
    }
}

/// The scanner's certificate.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) pem: String,
    /// SHA-256 of the DER form, which an assertion names in `x5t#S256`.
    pub(crate) thumbprint: Vec<u8>,
}

/// The certificate cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the scanner's certificate could not be made")]
pub struct CertificateError(#[from] rcgen::Error);

impl Certificate {
    /// Signs a certificate with its own key, valid between two times.
    pub(crate) fn make(
        key: &SigningKey,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Self, CertificateError> {
        let pair = KeyPair::from_pem_and_sign_algo(&key.private_key_pem, &PKCS_RSA_SHA256)?;
        let mut facts = CertificateParams::default();
        facts.distinguished_name.push(DnType::CommonName, "Grantwarden lab scanner (made up)");
        let day = |at: Timestamp| {
            let date = at.to_zoned(TimeZone::UTC).date();
            let part = |number: i8| u8::try_from(number).unwrap_or(1);
            rcgen::date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
        };
        facts.not_before = day(start);
        facts.not_after = day(end);
        let certificate = facts.self_signed(&pair)?;
        let thumbprint = digest(&SHA256, certificate.der()).as_ref().to_vec();
        Ok(Self { pem: certificate.pem(), thumbprint })
    }
}
