//! `static`: a token that somebody made by hand. It cannot be renewed.

use async_trait::async_trait;

use super::{AccessToken, TokenSource};
use crate::{error::Result, http::Door, secret::Secret};

/// Gives the same token each time.
#[derive(Debug)]
pub struct StaticToken {
    /// The access token.
    pub token: Secret,
}

#[async_trait]
impl TokenSource for StaticToken {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        door.redactor().learn(&self.token);
        Ok(AccessToken::plain(self.token.clone()))
    }

    fn is_renewable(&self) -> bool {
        false
    }
}
