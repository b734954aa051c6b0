//! What is proof that something is gone. One "not found" or one empty list proves nothing: a gateway, a lag, or a role that was taken away
//! gives them as well. Whoever asks has to show that things of that kind can be seen at all.

use grantwarden_kit::error::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::Value;

use super::Revoker;
use crate::{
    access::Who,
    collect::{apps::of_client, grants::is_live, standing::own_user},
    org::{Call, is_not_there},
    told::Told,
};

/// A consent or a refresh token, asked for by its id. Others have no status.
#[derive(Deserialize)]
struct Thing {
    id: String,
    #[serde(default)]
    status: Told<String>,
}

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

    /// Whether a thing that is asked for by its id, the last part of the path, is there and works. One that was revoked may be shown as that.
    pub(super) async fn works(&self, call: Call, path: &[&str]) -> Result<bool> {
        match self.org.ask::<Thing>(call, path, &[]).await {
            Ok(thing) if path.last() == Some(&thing.id.as_str()) => Ok(is_live(&thing.status)),
            Ok(_) => Err(self.not_asked_for(call.endpoint)),
            Err(error) if is_not_there(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether we see grants of apps at all: a service app that asks has some of its own, which are its scopes.
    pub(super) async fn prove_sight_of_grants(&self) -> Result<()> {
        let Some(client_id) = self.org.connect().await?.client_id() else { return Ok(()) };
        let own = of_client(&self.org, client_id).await?;
        if self.grants(&own.id).await?.is_empty() {
            return Err(blind("Okta lists no scopes of the app that asks, which has some"));
        }
        Ok(())
    }

    /// Whether we see what must be there: our own app, or our own API token.
    async fn prove_sight(&self) -> Result<()> {
        let access = self.org.connect().await?;
        match &access.who {
            Who::ServiceApp { client_id } => of_client(&self.org, client_id).await.map(drop),
            Who::ApiToken => {
                let me = own_user(&self.org).await?;
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
