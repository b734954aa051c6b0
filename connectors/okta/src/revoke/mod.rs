//! Taking access away: stop the integration or the app, then its refresh tokens, its scopes, and API tokens. `plan` reads only; `apply` never
//! repeats a change whose outcome is not known; `verify` reads from another side than `apply` wrote. An app's list of secrets, which shows
//! them in clear text, is never asked for.

mod plan;
mod sight;

use std::time::Duration;

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{RevocationPlan, Revoke, Step, StepOutcome, Targets, Verification},
    error::{Error, ErrorKind, Result},
    http::{Body, Request},
};
use reqwest::Method;
use serde::de::DeserializeOwned;

use crate::{
    api::{ApiService, ApiToken, Application, Identified, RefreshToken, ScopeGrant},
    collect::grants::is_live,
    listing::Listing,
    org::{Call, Org, address, bucket, is_not_there},
};

pub(super) const DELETE_SERVICE: &str = "delete-api-service";
pub(super) const DEACTIVATE_APP: &str = "deactivate-app";
pub(super) const DELETE_APP_TOKENS: &str = "delete-app-tokens";
pub(super) const DELETE_TOKEN: &str = "delete-refresh-token";
pub(super) const DELETE_GRANT: &str = "delete-scope-grant";
pub(super) const REVOKE_API_TOKEN: &str = "revoke-api-token";

const APP: Call = Call { endpoint: "look at an app", scope: "okta.apps.read", bucket: bucket::APP };
const GRANTS: Call =
    Call { endpoint: "list grants of an app", scope: "okta.appGrants.read", bucket: bucket::APP };
const TOKENS: Call = Call { endpoint: "list refresh tokens of an app", ..APP };
const API_TOKENS: Call =
    Call { endpoint: "list API tokens", scope: "okta.apiTokens.read", bucket: bucket::DEFAULT };
const SERVICES: Call = Call {
    endpoint: "list API service integrations",
    scope: "okta.oauthIntegrations.read",
    bucket: bucket::SERVICES,
};

/// What a read shows may lag behind a change: looks, and the time between two.
const LOOKS: u32 = 4;
const LAG: Duration = Duration::from_secs(5);

/// Takes access away in one org.
pub(crate) struct Revoker {
    org: Org,
}

enum Done {
    Now,
    AlreadyGone,
}

impl Revoker {
    pub(crate) const fn new(org: Org) -> Self {
        Self { org }
    }

    async fn carry_out(&self, step: &Step) -> Result<Done> {
        let app = || step.detail("app");
        let target = id(&step.target)?;
        match step.action.as_str() {
            DELETE_SERVICE => {
                let path = ["integrations", "api", "v1", "api-services", target];
                let scope = "okta.oauthIntegrations.manage";
                let call = Call { endpoint: "delete API service integration", scope, ..SERVICES };
                self.change(step, call, Method::DELETE, &path).await
            }
            DEACTIVATE_APP => self.deactivate(step, target).await,
            DELETE_APP_TOKENS => {
                let path = ["api", "v1", "apps", target, "tokens"];
                let call = apps_call("delete all refresh tokens of an app");
                self.change(step, call, Method::DELETE, &path).await
            }
            DELETE_TOKEN => {
                let path = token_path(id(app()?)?, target);
                let call = apps_call("delete refresh token");
                self.change(step, call, Method::DELETE, &path).await
            }
            DELETE_GRANT => {
                let path = ["api", "v1", "apps", id(app()?)?, "grants", target];
                let scope = "okta.appGrants.manage";
                let call = Call { endpoint: "delete scope grant", scope, bucket: bucket::APP };
                self.change(step, call, Method::DELETE, &path).await
            }
            REVOKE_API_TOKEN => {
                let path = ["api", "v1", "api-tokens", target];
                let scope = "okta.apiTokens.manage";
                let call = Call { endpoint: "revoke API token", scope, ..API_TOKENS };
                self.change(step, call, Method::DELETE, &path).await
            }
            other => Err(unknown_action(other)),
        }
    }

    async fn deactivate(&self, step: &Step, app: &str) -> Result<Done> {
        match self.app(app).await {
            Ok(seen) if is_off(&seen) => return Ok(Done::AlreadyGone),
            Ok(_) => {}
            Err(error) => return self.prove_gone(error, app).await.map(|()| Done::AlreadyGone),
        }
        let path = ["api", "v1", "apps", app, "lifecycle", "deactivate"];
        let sent = self.change(step, apps_call("deactivate app"), Method::POST, &path).await;
        match sent {
            // One that is inactive may be refused: then it was switched off meanwhile.
            Err(error) if error.kind == ErrorKind::InvalidRequest => match self.app(app).await {
                Ok(seen) if is_off(&seen) => Ok(Done::AlreadyGone),
                _ => Err(error),
            },
            other => other,
        }
    }

    /// Sends a change, never twice. One that found nothing to change is done only if a read from another side finds nothing either.
    async fn change(&self, step: &Step, call: Call, method: Method, path: &[&str]) -> Result<Done> {
        let access = self.org.connect().await?;
        let explain = |error| self.org.explain(call.endpoint, error);
        access.need(call.scope).map_err(explain)?;
        let url = address(&self.org.base, path, &[]).map_err(explain)?;
        let request = Request::post(call.endpoint, url, Body::Empty);
        let request = Request { method, bucket: call.bucket, ..request };
        let error = match self.org.send(&request).await {
            Ok(_) => return Ok(Done::Now),
            Err(error) if is_not_there(&error) => error,
            Err(error) => return Err(error),
        };
        for look in 1..=LOOKS {
            match self.look(step).await {
                Ok(0) => return Ok(Done::AlreadyGone),
                Ok(_) if look < LOOKS => self.org.door.clock().sleep(LAG).await,
                // Still there, or not to be seen: the platform's no stands.
                Ok(_) | Err(_) => break,
            }
        }
        Err(error)
    }

    async fn app(&self, app: &str) -> Result<Application> {
        let seen: Application = self.org.ask(APP, &["api", "v1", "apps", app], &[]).await?;
        if seen.id == app { Ok(seen) } else { Err(self.not_asked_for(APP.endpoint)) }
    }

    /// All rows of a listing. One that cannot be read may be the one that was to go.
    async fn rows<T>(&self, call: Call, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<T>>
    where
        T: Identified + DeserializeOwned,
    {
        let batch = Listing::of(&self.org, call, path, query).await?.all::<T>().await?;
        if batch.odd == 0 {
            return Ok(batch.rows);
        }
        let error = Error::new(ErrorKind::Malformed, "a row is not what the API promises");
        Err(self.org.explain(call.endpoint, error))
    }

    async fn grants(&self, app: &str) -> Result<Vec<ScopeGrant>> {
        let path = ["api", "v1", "apps", app, "grants"];
        let rows: Vec<ScopeGrant> = self.rows(GRANTS, &path, &[]).await?;
        Ok(rows.into_iter().filter(|row| is_live(&row.status)).collect())
    }

    async fn tokens(&self, app: &str) -> Result<Vec<RefreshToken>> {
        let path = ["api", "v1", "apps", app, "tokens"];
        let rows: Vec<RefreshToken> = self.rows(TOKENS, &path, &[("limit", "200")]).await?;
        Ok(rows.into_iter().filter(|row| is_live(&row.status)).collect())
    }

    async fn first_tokens(&self, app: &str) -> Result<Vec<RefreshToken>> {
        let path = ["api", "v1", "apps", app, "tokens"];
        let mut listing = Listing::of(&self.org, TOKENS, &path, &[("limit", "200")]).await?;
        let rows = listing.next::<RefreshToken>().await?.map(|page| page.rows).unwrap_or_default();
        Ok(rows.into_iter().filter(|row| is_live(&row.status)).collect())
    }

    async fn api_tokens(&self) -> Result<Vec<ApiToken>> {
        self.rows(API_TOKENS, &["api", "v1", "api-tokens"], &[]).await
    }

    async fn services(&self) -> Result<Vec<ApiService>> {
        self.rows(SERVICES, &["integrations", "api", "v1", "api-services"], &[]).await
    }

    fn not_asked_for(&self, endpoint: &str) -> Error {
        let message = "Okta gives something else than what was asked for";
        self.org.explain(endpoint, Error::new(ErrorKind::Malformed, message))
    }

    /// How much of what a step was to take away is still there. Nothing is believed to be gone unless we can prove that we would see it.
    async fn look(&self, step: &Step) -> Result<u64> {
        let target = id(&step.target)?;
        match step.action.as_str() {
            DEACTIVATE_APP => match self.app(target).await {
                Ok(seen) => Ok(u64::from(!is_off(&seen))),
                Err(error) => self.prove_gone(error, target).await.map(|()| 0),
            },
            DELETE_APP_TOKENS => {
                let left = self.of_app(target, self.tokens(target).await).await?;
                // One that was there when the plan was made, if there was one.
                if left.is_empty()
                    && let Some(token) = step.details.get("token")
                {
                    return Ok(u64::from(
                        self.works(TOKENS, &token_path(target, id(token)?)).await?,
                    ));
                }
                Ok(left.len() as u64)
            }
            DELETE_TOKEN => {
                let app = id(step.detail("app")?)?;
                if self.works(TOKENS, &token_path(app, target)).await? {
                    return Ok(1);
                }
                // An app may have thousands: the first page shows whether we see any.
                let first = self.of_app(app, self.first_tokens(app).await).await?;
                Ok(count(&first, target))
            }
            DELETE_GRANT => {
                let app = id(step.detail("app")?)?;
                let left = self.of_app(app, self.grants(app).await).await?;
                if left.is_empty() {
                    let path = ["api", "v1", "apps", app, "grants", target];
                    let works = self.works(GRANTS, &path).await?;
                    self.prove_sight_of_grants().await?;
                    return Ok(u64::from(works));
                }
                Ok(count(&left, target))
            }
            REVOKE_API_TOKEN => {
                let left = count(&self.api_tokens().await?, target);
                if left == 0 {
                    self.prove_absent(API_TOKENS, &["api", "v1", "api-tokens", target]).await?;
                }
                Ok(left)
            }
            DELETE_SERVICE => {
                let left = count(&self.services().await?, target);
                if left == 0 {
                    let path = ["integrations", "api", "v1", "api-services", target];
                    self.prove_absent(SERVICES, &path).await?;
                }
                Ok(left)
            }
            other => Err(unknown_action(other)),
        }
    }

    /// The rows of an app's listing; none if the app is gone. An empty list is believed only if the app itself can be seen.
    async fn of_app<T>(&self, app: &str, listed: Result<Vec<T>>) -> Result<Vec<T>> {
        match listed {
            Ok(rows) if rows.is_empty() => match self.app(app).await {
                Ok(_) => Ok(rows),
                Err(error) => self.prove_gone(error, app).await.map(|()| Vec::new()),
            },
            Ok(rows) => Ok(rows),
            Err(error) => self.prove_gone(error, app).await.map(|()| Vec::new()),
        }
    }
}

#[async_trait]
impl Revoke for Revoker {
    async fn plan(&self, targets: &Targets) -> Result<RevocationPlan> {
        plan::plan(self, targets).await
    }

    async fn apply(&self, step: &Step) -> StepOutcome {
        match self.carry_out(step).await {
            Ok(Done::Now) => StepOutcome::Done,
            Ok(Done::AlreadyGone) => StepOutcome::AlreadyGone,
            Err(error) => StepOutcome::of_failure(error),
        }
    }

    async fn verify(&self, step: &Step) -> Verification {
        for look in 1..=LOOKS {
            match self.look(step).await {
                Ok(0) => return Verification::Gone,
                Ok(_) if look < LOOKS => self.org.door.clock().sleep(LAG).await,
                Ok(left) => return Verification::StillThere(left),
                Err(error) => return Verification::CannotTell(error),
            }
        }
        Verification::CannotTell(Error::new(ErrorKind::Timeout, "nothing was looked at"))
    }
}

/// Whether an app is switched off. What is not told is not.
fn is_off(app: &Application) -> bool {
    app.status.given().is_some_and(|status| matches!(status.as_str(), "INACTIVE" | "DELETED"))
}

const fn token_path<'a>(app: &'a str, token: &'a str) -> [&'a str; 6] {
    ["api", "v1", "apps", app, "tokens", token]
}

const fn apps_call(endpoint: &'static str) -> Call {
    Call { endpoint, scope: "okta.apps.manage", bucket: bucket::APP }
}

fn count<T: Identified>(rows: &[T], id: &str) -> u64 {
    rows.iter().filter(|row| row.id() == id).count() as u64
}

fn unknown_action(action: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("`{action}` is no step of this connector"))
        .with_hint("plans are made by `plan`; make a new one")
}

/// An id that may stand in an address.
///
/// # Errors
/// [`ErrorKind::Configuration`] for anything that could lead to another address.
fn id(text: &str) -> Result<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text);
    }
    Err(Error::new(ErrorKind::Configuration, "an id in the plan is not an id of Okta")
        .with_hint("plans are made by `plan`; make a new one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_leads_elsewhere() {
        assert!(id("0oaB-1_x").is_ok());
        for text in ["", "..", "../users/x", "a/b", "a?b", "a#b", "a%2fb", "ä", "a b"] {
            assert!(id(text).is_err(), "{text}");
        }
    }
}
