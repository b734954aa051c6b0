//! Several requests in one: a platform's envelope as data, and sending again only those parts that failed.

use reqwest::header::HeaderMap;

use super::{
    Authorize, Door, Reply, Request,
    door::{Failure, Patience},
};
use crate::error::{Error, ErrorKind, Result};

/// How a platform packs several requests into one. Each part is judged as if it had been sent alone.
pub trait Envelope: Send + Sync {
    /// Most parts in one envelope.
    fn largest(&self) -> usize;

    /// The one request that holds these.
    ///
    /// # Errors
    /// If a part cannot be packed.
    fn pack(&self, parts: &[&Request]) -> Result<Request>;

    /// The replies in an envelope's reply, with the position of their request in [`Self::pack`].
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if the reply is not such an envelope.
    fn unpack(&self, reply: &Reply) -> Result<Vec<(usize, Reply)>>;
}

impl Door {
    /// Sends requests that are repeatable in as few envelopes as possible, one after the other, and gives a result for each, in their
    /// order. A part that the platform answers with "slow down", or does not answer, is sent again without the others.
    pub async fn send_batch(
        &self,
        parts: &[Request],
        envelope: &dyn Envelope,
        authorize: &dyn Authorize,
    ) -> Vec<Result<Reply>> {
        let mut results = Vec::with_capacity(parts.len());
        for chunk in parts.chunks(envelope.largest().max(1)) {
            results.extend(self.send_envelope(chunk, envelope, authorize).await);
        }
        results
    }

    async fn send_envelope(
        &self,
        parts: &[Request],
        envelope: &dyn Envelope,
        authorize: &dyn Authorize,
    ) -> Vec<Result<Reply>> {
        let mut results: Vec<Option<Result<Reply>>> = parts.iter().map(|_| None).collect();
        let mut patience = Patience::default();
        let mut signed_in_again = false;
        loop {
            let open: Vec<usize> = (0..parts.len()).filter(|at| results[*at].is_none()).collect();
            let Some(first) = open.first().map(|at| &parts[*at]) else { break };
            let exchanged = self.exchange(parts, &open, envelope, authorize).await;
            let (bucket, replies) = match exchanged {
                Ok(exchanged) => exchanged,
                Err(error) => {
                    // The envelope itself failed, after all the patience that a request gets.
                    for at in open {
                        results[at] = Some(Err(error.echo()));
                    }
                    break;
                }
            };
            // What fails a part that may be sent again, and the longest wait that a part was asked for.
            let mut failed: Option<Error> = None;
            let mut asked = None;
            let mut refused = false;
            for (at, reply) in replies {
                let failure = match self.judge(&reply, &parts[at]) {
                    Ok(()) => {
                        results[at] = Some(Ok(reply));
                        continue;
                    }
                    Err(failure) => failure,
                };
                match failure {
                    Failure::Final(error) => {
                        results[at] = Some(Err(self.place(error, parts[at].endpoint)));
                    }
                    Failure::SignInAgain(error) if signed_in_again => {
                        results[at] = Some(Err(self.place(error, parts[at].endpoint)));
                    }
                    Failure::SignInAgain(error) => {
                        refused = true;
                        failed = Some(error);
                    }
                    Failure::Passing(error, wait) => {
                        asked = asked.max(wait);
                        failed = Some(error);
                    }
                }
            }
            if results.iter().all(Option::is_some) {
                break;
            }
            if refused {
                signed_in_again = true;
                // The token that is now in use is the one that the parts were sent with.
                if let Ok(stamp) = authorize.stamp(first).await {
                    authorize.refused(stamp.generation).await;
                }
            }
            let error = failed.unwrap_or_else(|| {
                Error::new(ErrorKind::Malformed, "the answer has no reply to some of the requests")
            });
            // The envelope's bucket is the one that has to slow down.
            let paced = Request { bucket, ..first.clone() };
            if let Err(error) = self.wait(&paced, &mut patience, error, asked).await {
                for slot in results.iter_mut().filter(|slot| slot.is_none()) {
                    *slot = Some(Err(error.echo()));
                }
            }
        }
        results.into_iter().flatten().collect()
    }

    /// Sends the open parts once. The bucket that it took, and the replies with their positions among all parts.
    async fn exchange(
        &self,
        parts: &[Request],
        open: &[usize],
        envelope: &dyn Envelope,
        authorize: &dyn Authorize,
    ) -> Result<(&'static str, Vec<(usize, Reply)>)> {
        let packed: Vec<&Request> = open.iter().map(|at| &parts[*at]).collect();
        let outer = envelope.pack(&packed)?;
        let reply = self.send(&outer, Some(authorize)).await?;
        let replies = envelope.unpack(&reply).map_err(|error| self.place(error, outer.endpoint))?;
        // A reply to nothing that was asked is no reply.
        let asked = |(at, reply): (usize, Reply)| Some((*open.get(at)?, reply));
        Ok((outer.bucket, replies.into_iter().filter_map(asked).collect()))
    }
}

impl Reply {
    /// A part's reply.
    pub fn part(
        status: reqwest::StatusCode,
        headers: HeaderMap,
        body: impl Into<bytes::Bytes>,
    ) -> Self {
        Self { status, headers, body: body.into() }
    }
}
