//! The key file of a service account, as Google's console gives it out. It reads the file; what to sign with it is the connector's
//! affair.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    error::{Error, ErrorKind, Result},
    jwt::SigningKey,
    secret::Secret,
};

/// A service account's identity and key.
#[derive(Debug)]
pub struct ServiceAccount {
    /// `client_email`: `iss` of what it signs.
    pub email: String,
    /// `client_id`: the number under which an administrator authorises it; absent in old files.
    pub client_id: Option<String>,
    /// Signs, and names itself in `kid`.
    pub key: Arc<SigningKey>,
}

/// Google's key file (JSON): <https://cloud.google.com/iam/docs/keys-create-delete>
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    #[serde(default)]
    client_id: Option<String>,
    private_key: Secret,
    #[serde(default)]
    private_key_id: Option<String>,
}

impl ServiceAccount {
    /// Reads a key file's content. The address of the token endpoint in it is ignored: the configuration says where tokens come from.
    ///
    /// # Errors
    /// [`ErrorKind::Secret`] with what to do, and nothing of the file's content.
    pub fn from_key_file(file: &Secret) -> Result<Self> {
        let file: KeyFile = serde_json::from_str(file.expose()).map_err(|_| {
            Error::new(ErrorKind::Secret, "the key is not a service account's key file in JSON form")
                .with_hint("Google Cloud console > IAM > Service accounts > Keys > Add key > JSON; the file has client_email and private_key")
        })?;
        let key = SigningKey::from_pem(&file.private_key, file.private_key_id)?;
        Ok(Self { email: file.client_email, client_id: file.client_id, key: Arc::new(key) })
    }
}
