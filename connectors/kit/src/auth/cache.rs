//! [`Tokens`]: caches what a token source gives.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{AccessToken, Dpop, SENDER_CONSTRAINED, TokenSource};
use crate::{
    error::{Answer, Error, ErrorKind, Result},
    http::{Authorize, Door, Reply, Request, Stamp},
};

/// A token is renewed this long before it ends, so that it does not end on the way.
const MARGIN: Duration = Duration::from_secs(60);

/// One session's tokens: cached, renewed when they end or are refused, with one sign-in at a time.
pub struct Tokens {
    source: Box<dyn TokenSource>,
    door: Arc<Door>,
    /// Signs the proofs that go with a sender-constrained token.
    dpop: Option<Arc<Dpop>>,
    /// Held while signing in, so that everybody else waits for the same token.
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    token: Option<AccessToken>,
    generation: u32,
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
        Self { source, door, dpop: None, current: Mutex::default() }
    }

    /// Proves possession of this key with every call, if the token turns out to be bound to it.
    #[must_use]
    pub fn with_dpop(mut self, dpop: Arc<Dpop>) -> Self {
        self.dpop = Some(dpop);
        self
    }

    /// The token now in use and what came with it, signing in if need be.
    ///
    /// # Errors
    /// As [`TokenSource::fetch`].
    pub async fn get(&self) -> Result<(AccessToken, u32)> {
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
        current.generation = current.generation.wrapping_add(1);
        current.token = Some(token.clone());
        Ok((token, current.generation))
    }
}

#[async_trait]
impl Authorize for Tokens {
    async fn stamp(&self, request: &Request) -> Result<Stamp> {
        let (token, generation) = self.get().await?;
        let AccessToken { value, scheme, .. } = token;
        let mut stamp = Stamp { generation: u64::from(generation) << 32, ..Stamp::default() };
        if scheme == SENDER_CONSTRAINED {
            let dpop = self.dpop.as_ref().ok_or_else(|| {
                Error::new(ErrorKind::SignIn, "the token is bound to a key that we do not have")
            })?;
            stamp.generation |= u64::from(dpop.changes());
            stamp.headers = vec![dpop.for_call(request, &value, self.door.clock())?];
        }
        stamp.token = Some((scheme, value));
        Ok(stamp)
    }

    fn heed(&self, reply: &Reply) {
        if let Some(dpop) = &self.dpop {
            dpop.heed(reply);
        }
    }

    async fn refused(&self, generation: u64) {
        let mut current = self.current.lock().await;
        let changes = self.dpop.as_ref().map_or(0, |dpop| dpop.changes());
        let newest = u64::from(current.generation) << 32 | u64::from(changes);
        // Several requests may come back with the same refused token; only the first throws it away. And a call that was refused
        // because its proof lacked the newest nonce says nothing about the token.
        if newest == generation {
            current.token = None;
            current.refused = true;
        }
    }
}
