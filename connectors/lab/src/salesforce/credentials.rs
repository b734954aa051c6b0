//! What a scanner needs to sign in to an org; the key itself is made by [`crate::keys`].

use std::fmt;

/// What a scanner needs to sign in to one org.
#[derive(Clone)]
pub struct ClientCredentials {
    /// Consumer key of the scanner's app.
    pub client_id: String,
    /// Consumer secret, for the client credentials flow.
    pub client_secret: String,
    /// Username to name in the assertion.
    pub username: String,
    /// The `aud` of the assertion.
    pub audience: String,
    /// RSA private key in PEM (PKCS #8), for the JWT bearer flow.
    pub private_key_pem: String,
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientCredentials")
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
