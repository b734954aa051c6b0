//! Taking access away: narrow and uninstall apps, take authorisations and tokens out of the organisation, delete keys and webhooks. `plan`
//! reads only; `apply` never repeats a change whose outcome is not known; `verify` reads the listing that the step's object stood in.
//!
//! What would end everything at once (`revoke-all` and the like) is never planned: it may end the scanner's own token as well.

mod left_behind;
mod look;
mod plan;
mod steps;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{RevocationPlan, Revoke, Step, StepOutcome, Targets, Verification},
    error::{Error, ErrorKind, Result},
    http::{Body, Reply, Request},
    model::Timestamp,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use self::steps::{
    DELETE_DEPLOY_KEY, DELETE_SITE_TOKEN, DELETE_WEBHOOK, DISABLE_WEBHOOK, NARROW,
    REVOKE_CREDENTIAL, REVOKE_TOKEN, UNINSTALL, repository_path,
};
use crate::client::{Client, dressed};

const BUCKET: &str = "revoke";
/// What a read shows may lag behind a change: looks, and the time between two.
const LOOKS: u32 = 4;
const LAG: Duration = Duration::from_secs(5);
/// A change that GitHub accepted to carry out later takes effect within five minutes (API sheet, section 5).
const QUEUE: Duration = Duration::from_secs(300);

/// Takes access away in one account.
pub(crate) struct Revoker {
    client: Client,
    /// Changes that GitHub accepted to carry out later, and when.
    accepted: Mutex<BTreeMap<String, Timestamp>>,
}

enum Done {
    Now,
    AlreadyGone,
}

impl Revoker {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, accepted: Mutex::default() }
    }

    async fn carry_out(&self, step: &Step) -> Result<Done> {
        self.client.connect().await?;
        let request = self.change(step)?;
        let sent = self.client.send(&request).await;
        self.done(step, sent).await
    }

    /// The one call of a step; never sent again once its outcome is unknown.
    fn change(&self, step: &Step) -> Result<Request> {
        let account = self.client.site.account.path();
        let in_account = |path: &[&str]| -> Result<url::Url> {
            let path: Vec<&str> = account.iter().chain(path).copied().collect();
            self.client.url(&path)
        };
        let target = steps::number(&step.target)?;
        let own = self.client.held().installation().map(|own| own.installation.to_string());
        if matches!(step.action.as_str(), NARROW | UNINSTALL) && own.as_deref() == Some(target) {
            let message = "the step is about the installation that we revoke with";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let (method, url, body) = match step.action.as_str() {
            NARROW => {
                let path = self.installation_path(step)?;
                let path: Vec<&str> =
                    path.iter().map(String::as_str).chain(["repositories"]).collect();
                let only = step.detail("quarantine")?;
                let body = json!({ "repository_selection": "selected", "repositories": [only] });
                (Method::PATCH, in_account(&path)?, Body::Json(body.into()))
            }
            UNINSTALL => {
                let path = self.installation_path(step)?;
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                (Method::DELETE, in_account(&path)?, Body::Empty)
            }
            REVOKE_CREDENTIAL => {
                (Method::DELETE, in_account(&["credential-authorizations", target])?, Body::Empty)
            }
            REVOKE_TOKEN => {
                let body = Body::Json(json!({ "action": "revoke" }).into());
                (Method::POST, in_account(&["personal-access-tokens", target])?, body)
            }
            DELETE_DEPLOY_KEY => {
                let [repos, owner, name] = self.repository_path(step)?;
                (
                    Method::DELETE,
                    self.client.url(&[repos, owner, name, "keys", target])?,
                    Body::Empty,
                )
            }
            DISABLE_WEBHOOK => {
                let body = Body::Json(json!({ "active": false }).into());
                (Method::PATCH, self.hook_url(step, Some(target))?, body)
            }
            DELETE_WEBHOOK => (Method::DELETE, self.hook_url(step, Some(target))?, Body::Empty),
            DELETE_SITE_TOKEN => {
                (Method::DELETE, self.client.url(&["admin", "tokens", target])?, Body::Empty)
            }
            other => return Err(unknown_action(other)),
        };
        let request = Request { method, bucket: BUCKET, ..Request::post("revoke", url, body) };
        Ok(dressed(request))
    }

    /// Below the enterprise.
    fn installation_path(&self, step: &Step) -> Result<[String; 5]> {
        let organization = steps::name(step.detail("organization")?)?;
        let installation = steps::number(&step.target)?;
        Ok(["apps", "organizations", organization, "installations", installation]
            .map(ToOwned::to_owned))
    }

    /// The path of a step's repository, which is the account's own.
    fn repository_path<'a>(&self, step: &'a Step) -> Result<[&'a str; 3]> {
        let path = repository_path(step)?;
        if path[1].eq_ignore_ascii_case(self.client.site.account.name()) {
            return Ok(path);
        }
        let message = "the step is about a repository of another account";
        Err(Error::new(ErrorKind::Configuration, message)
            .with_hint("plans are made by `plan`; make a new one"))
    }

    /// The webhooks of the organisation or of a repository, or one of them.
    fn hook_url(&self, step: &Step, hook: Option<&str>) -> Result<url::Url> {
        let place = match step.details.contains_key("repository") {
            true => self.repository_path(step)?.to_vec(),
            false => self.client.site.account.path().to_vec(),
        };
        let path: Vec<&str> = place.into_iter().chain(["hooks"]).chain(hook).collect();
        self.client.url(&path)
    }

    /// What became of a change. One that found nothing to change is done only if the listing shows nothing either: GitHub says "not found"
    /// of what we may not see, too.
    async fn done(&self, step: &Step, sent: Result<Reply>) -> Result<Done> {
        let error = match sent {
            Ok(reply) => {
                if reply.status == StatusCode::ACCEPTED {
                    let now = self.client.door.clock().now();
                    let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
                    accepted.insert(key(step), now);
                }
                return Ok(Done::Now);
            }
            Err(error) if error.kind == ErrorKind::NotFound => error,
            Err(error) => return Err(error),
        };
        for at in 1..=LOOKS {
            match self.look(step).await {
                Ok(0) => return Ok(Done::AlreadyGone),
                Ok(_) if at < LOOKS => self.client.door.clock().sleep(LAG).await,
                // Still there, or not to be seen: GitHub's no stands.
                Ok(_) | Err(_) => break,
            }
        }
        Err(error)
    }

    /// Whether GitHub may still be about to carry a step out.
    fn is_queued(&self, step: &Step) -> bool {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.client.door.clock().now();
        accepted.get(&key(step)).is_some_and(|at| at.until(now) < QUEUE)
    }

    async fn verified(&self, step: &Step) -> Result<Verification> {
        self.client.connect().await?;
        for at in 1..=LOOKS {
            match self.look(step).await? {
                0 => return Ok(Verification::Gone),
                _ if at < LOOKS => self.client.door.clock().sleep(LAG).await,
                left if !self.is_queued(step) => return Ok(Verification::StillThere(left)),
                _ => {}
            }
        }
        let message = "GitHub has accepted the change and not made it yet";
        let error = Error::new(ErrorKind::OutcomeUnknown, message);
        Err(error.with_hint("verify again in five minutes"))
    }
}

fn key(step: &Step) -> String {
    format!("{} {} {}", step.action, step.target, plan::place_of(step))
}

#[async_trait]
impl Revoke for Revoker {
    async fn plan(&self, targets: &Targets) -> Result<RevocationPlan> {
        self.client.connect().await?;
        plan::make(&self.client, targets).await
    }

    async fn apply(&self, step: &Step) -> StepOutcome {
        match self.carry_out(step).await {
            Ok(Done::Now) => StepOutcome::Done,
            Ok(Done::AlreadyGone) => StepOutcome::AlreadyGone,
            Err(error) => StepOutcome::of_failure(error),
        }
    }

    /// The listings that this reads refuse whoever may not see them, so that one without the row is proof; but they may lag behind.
    async fn verify(&self, step: &Step) -> Verification {
        self.verified(step).await.unwrap_or_else(Verification::CannotTell)
    }
}

fn unknown_action(action: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("GitHub has no revocation step `{action}`"))
}
