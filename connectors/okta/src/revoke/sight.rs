//! What is proof that something is gone. One "not found" or one empty list proves nothing: a gateway, a lag, or a role that was taken away
//! gives them as well. Whoever asks has to show that things of that kind can be seen at all.

use grantwarden_kit::error::{Error, ErrorKind, Result};
use serde_json::Value;

use super::Revoker;
use crate::{
    access::Who,
    api::User,
    org::{Call, bucket, is_not_there},
};

const MYSELF: Call =
    Call { endpoint: "look who the API token is", scope: "okta.users.read", bucket: bucket::USER };

impl Revoker {
    /// Whether the app that was "not there" is really gone: Okta says so in its own words, and we can see others.
    ///
    /// # Errors
    /// The error itself, or why we cannot tell.
    pub(super) async fn prove_gone(&self, error: Error, app: &str) -> Result<()> {
        if !is_not_there(&error) {
            return Err(error);
        }
        match self.app(app).await {
            // Only the list was "not there".
            Ok(_) => Err(error),
            Err(second) if is_not_there(&second) => self.prove_sight().await,
            Err(second) => Err(second),
        }
    }

    /// Whether Okta says that something is not there when it is asked for by its id, and we can see others.
    pub(super) async fn prove_absent(&self, call: Call, path: &[&str]) -> Result<()> {
        match self.org.ask::<Value>(call, path, &[]).await {
            Err(error) if is_not_there(&error) => self.prove_sight().await,
            Err(error) => Err(error),
            Ok(_) => {
                let message = "the list does not hold it, and asked for by its id it is there";
                Err(self.org.explain(call.endpoint, Error::new(ErrorKind::Malformed, message)))
            }
        }
    }

    /// The user whose API token asks.
    pub(super) async fn own_user(&self) -> Result<String> {
        let me: User = self.org.ask(MYSELF, &["api", "v1", "users", "me"], &[]).await?;
        Ok(me.id)
    }

    /// Whether we see what must be there: our own app, or our own API token.
    async fn prove_sight(&self) -> Result<()> {
        let access = self.org.connect().await?;
        match &access.who {
            Who::ServiceApp { client_id } => self.app(client_id).await.map(drop),
            Who::ApiToken => {
                let me = self.own_user().await?;
                let tokens = self.api_tokens().await?;
                if tokens.iter().any(|token| token.user_id.given() == Some(&me)) {
                    return Ok(());
                }
                Err(blind("the list of API tokens does not hold the one that asks"))
            }
            Who::Bearer => Err(blind("nobody tells whose access token it is")),
        }
    }
}

fn blind(message: &str) -> Error {
    Error::new(ErrorKind::Forbidden, message).with_hint(
        "what cannot be seen may still be there: look with an administrator role that covers it",
    )
}
