//! Secrets and certificates of apps as the directory shows them: never the secret itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::guid::Guid;
use super::json::date;
use super::world::CredentialWorld;

/// A secret or a certificate.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) id: Guid,
    pub(crate) name: String,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) last_used: Option<i64>,
    /// SHA-256 of a certificate in DER, if the lab knows the certificate.
    pub(crate) thumbprint: Option<Vec<u8>>,
}

impl Credential {
    /// Resolves the credentials of one object.
    pub(crate) fn all(
        place: &str,
        worlds: Vec<CredentialWorld>,
        now: Timestamp,
    ) -> Result<Vec<Self>, String> {
        let resolve = |it: CredentialWorld| {
            let id = match &it.id {
                Some(text) => Guid::parse(text).ok_or_else(|| format!("`{text}` is not a GUID"))?,
                None => Guid::of(&format!("{place}/{}", it.name)),
            };
            Ok(Self {
                id,
                start: it.start.seconds(now),
                end: it.end.seconds(now),
                last_used: it.last_used.map(|at| at.seconds(now)),
                thumbprint: None,
                name: it.name,
            })
        };
        worlds.into_iter().map(resolve).collect()
    }

    /// As a member of `passwordCredentials`.
    pub(crate) fn as_password(&self) -> Json {
        json!({
            "customKeyIdentifier": null,
            "displayName": self.name,
            "endDateTime": date(self.end),
            "hint": "FAK",
            "keyId": self.id.to_string(),
            "secretText": null,
            "startDateTime": date(self.start),
        })
    }

    /// As a member of `keyCredentials`.
    pub(crate) fn as_key(&self) -> Json {
        let thumbprint = self.thumbprint.as_ref().map(|bytes| STANDARD.encode(bytes));
        json!({
            "customKeyIdentifier": thumbprint,
            "displayName": self.name,
            "endDateTime": date(self.end),
            "key": null,
            "keyId": self.id.to_string(),
            "startDateTime": date(self.start),
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        })
    }
}
