//! [`Tokens`]: caches what a token source gives.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{AccessToken, TokenSource};
use crate::{
    error::{Answer, Error, ErrorKind, Result},
    http::{Authorize, Door, Stamp},
};

/// A token is renewed this long before it ends, so that it does not end on the way.
const MARGIN: Duration = Duration::from_secs(60);

/// One session's tokens: cached, renewed when they end or are refused, with one sign-in at a time.
pub struct Tokens {
    source: Box<dyn TokenSource>,
    door: Arc<Door>,
    /// Held while signing in, so that everybody else waits for the same token.
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    token: Option<AccessToken>,
    generation: u64,
    /// The API has refused a token.
    refused: bool,
    /// How the authorization server refused to sign us in. Asking again gives the same, and may lock the account.
    refusal: Option<Refusal>,
}

struct Refusal {
    message: String,
    answer: Option<Answer>,
    hint: Option<String>,
}

impl Refusal {
    fn error(&self) -> Error {
        let mut error = Error::new(ErrorKind::SignIn, self.message.clone());
        error.answer.clone_from(&self.answer);
        error.hint.clone_from(&self.hint);
        error
    }
}

impl Tokens {
    /// No token yet; the first request signs in.
    pub fn new(source: Box<dyn TokenSource>, door: Arc<Door>) -> Self {
        Self { source, door, current: Mutex::default() }
    }

    /// The token now in use and what came with it, signing in if need be.
    ///
    /// # Errors
    /// As [`TokenSource::fetch`].
    pub async fn get(&self) -> Result<(AccessToken, u64)> {
        let mut current = self.current.lock().await;
        let now = self.door.clock().now();
        if let Some(token) = &current.token
            && token.expires_at.is_none_or(|end| now.plus(MARGIN) < end)
        {
            return Ok((token.clone(), current.generation));
        }
        if current.refused && !self.source.is_renewable() {
            return Err(Error::new(ErrorKind::Unauthorized, "the API refused the configured token")
                .with_hint("the token has ended or was revoked: make a new one, or use a sign-in method that renews itself"));
        }
        if let Some(refusal) = &current.refusal {
            return Err(refusal.error());
        }
        let token = match self.source.fetch(&self.door).await {
            Ok(token) => token,
            Err(error) => {
                if error.kind == ErrorKind::SignIn {
                    let Error { message, answer, hint, .. } = &error;
                    let (message, answer, hint) = (message.clone(), answer.clone(), hint.clone());
                    current.refusal = Some(Refusal { message, answer, hint });
                }
                return Err(error);
            }
        };
        current.generation += 1;
        current.token = Some(token.clone());
        Ok((token, current.generation))
    }
}

#[async_trait]
impl Authorize for Tokens {
    async fn stamp(&self) -> Result<Stamp> {
        let (token, generation) = self.get().await?;
        Ok(Stamp { scheme: "Bearer", token: token.value, generation })
    }

    async fn refused(&self, generation: u64) {
        let mut current = self.current.lock().await;
        // Several requests may come back with the same refused token; only the first throws it away.
        if current.generation == generation {
            current.token = None;
            current.refused = true;
        }
    }
}
