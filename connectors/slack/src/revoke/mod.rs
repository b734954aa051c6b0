//! Taking access away: restrict apps, so that nobody installs them again, then uninstall them. Restricting alone removes nothing, and a
//! single user's token no administrator can end.
//!
//! `plan` reads only; `apply` never sends a change twice whose outcome is not known; `verify` reads the decisions and the audit log.

mod plan;
mod proof;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{
        Kit, RevocationPlan, Revoke, Step, StepOutcome, Targets, TenantConfig, Verification,
    },
    error::{Error, ErrorKind, Result},
    http::Request,
    model::Timestamp,
};

use crate::{
    account::{Account, Reach, form},
    api::Done,
    collect::of_app,
    rights::Right,
};

const RESTRICT: &str = "restrict-app";
const CANCEL_REQUEST: &str = "cancel-request";
const UNINSTALL: &str = "uninstall-app";

/// The audit log may show a removal later than it happened: looks, and the time between two.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_secs(15);
/// For so long after a removal a log that does not show it proves nothing.
const LAG: Duration = Duration::from_secs(600);

/// Takes access away in one organisation.
pub(crate) struct Revoker {
    account: Account,
    /// When apps were uninstalled in this session, by app id.
    uninstalled: Mutex<HashMap<String, Timestamp>>,
}

enum Outcome {
    Now,
    AlreadyGone,
}

impl Revoker {
    /// Prepares to revoke. Does not touch the network.
    ///
    /// # Errors
    /// As [`grantwarden_kit::connector::Connector::open`].
    pub(crate) fn open(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        Ok(Self { account: Account::open(tenant, kit)?, uninstalled: Mutex::default() })
    }

    async fn carry_out(&self, step: &Step) -> Result<Outcome> {
        match step.action.as_str() {
            RESTRICT => self.restrict(step).await,
            CANCEL_REQUEST => self.cancel(step).await,
            UNINSTALL => self.uninstall(step).await,
            other => Err(proof::unknown_action(other)),
        }
    }

    async fn restrict(&self, step: &Step) -> Result<Outcome> {
        let (app, enterprise) = (proof::app(step)?, proof::enterprise(step, &self.account).await?);
        let fields = [("app_id", app), ("enterprise_id", enterprise)];
        match self.change("restrict app", "admin.apps.restrict", "restrict", &fields).await {
            Ok(()) => Ok(Outcome::Now),
            // It may have been decided otherwise: only the list of restricted apps tells.
            Err(error) if error.code() == Some("request_already_resolved") => {
                match proof::is_open(&self.account, step).await {
                    Ok(false) => Ok(Outcome::AlreadyGone),
                    Ok(true) | Err(_) => Err(error.with_hint(
                        "Slack says that the app was decided about already, and its list of restricted apps does not show that it is restricted: look at Admin dashboard > Integrations",
                    )),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn cancel(&self, step: &Step) -> Result<Outcome> {
        let enterprise = proof::enterprise(step, &self.account).await?;
        let place = proof::request_place(step, enterprise)?;
        let fields = [("request_id", proof::request(step)?), place];
        let method = "admin.apps.requests.cancel";
        match self.change("cancel app request", method, "cancel", &fields).await {
            Ok(()) => Ok(Outcome::Now),
            Err(error) if error.code() == Some("request_already_resolved") => {
                Ok(Outcome::AlreadyGone)
            }
            Err(error) => Err(error),
        }
    }

    async fn uninstall(&self, step: &Step) -> Result<Outcome> {
        let (app, enterprise) = (proof::app(step)?, proof::enterprise(step, &self.account).await?);
        let teams = proof::teams(step)?;
        let place = match &teams {
            Some(teams) => ("team_ids", teams.join(",")),
            None => ("enterprise_id", enterprise.to_owned()),
        };
        let fields = [("app_id", app), (place.0, place.1.as_str())];
        let changed =
            self.change("uninstall app", "admin.apps.uninstall", "uninstall", &fields).await;
        let error = match changed {
            Ok(()) => {
                self.remember(app);
                return Ok(Outcome::Now);
            }
            Err(error) => error,
        };
        if error.kind == ErrorKind::OutcomeUnknown {
            self.remember(app);
        }
        match error.code() {
            // The same words for an app that is gone and for one that cannot be removed: the log decides.
            Some("app_not_found" | "can_not_uninstall") => {
                match self.remaining(step).await {
                    Ok(0) => Ok(Outcome::AlreadyGone),
                    Ok(_) | Err(_) => Err(error.with_hint(
                        "Slack says so both of apps that are gone and of apps that cannot be removed, and the audit log does not show that it is gone: look at the Installed apps page",
                    )),
                }
            }
            Some("must_revoke_access") => Err(error.with_hint(
                "the app is installed on the whole organisation, and Slack removes it from there only: make a plan for the app, or for its install on the organisation",
            )),
            _ => Err(error),
        }
    }

    fn remember(&self, app: &str) {
        let mut uninstalled = self.uninstalled.lock().unwrap_or_else(PoisonError::into_inner);
        uninstalled.insert(app.to_owned(), self.account.door.clock().now());
    }

    /// Whether an app was uninstalled so short a time ago that the log need not show it.
    fn is_recent(&self, app: &str) -> bool {
        let uninstalled = self.uninstalled.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.account.door.clock().now();
        uninstalled.get(app).is_some_and(|at| at.until(now) < LAG)
    }

    async fn change(
        &self,
        endpoint: &'static str,
        method: &str,
        bucket: &'static str,
        fields: &[(&'static str, &str)],
    ) -> Result<()> {
        // A change is sent again only where it is certain that it was not made.
        let read = self.account.post(endpoint, method, bucket, fields)?;
        let request = Request { repeatable: false, body: form(fields), ..read };
        self.account.ask::<Done>(&request, Some(Right::AppsWrite)).await.map(drop).map_err(
            |error| {
                if error.kind == ErrorKind::Malformed {
                    let message = "the change was sent and its outcome is not known";
                    let unknown = Error::new(ErrorKind::OutcomeUnknown, message)
                        .with_hint("verify before anything else; it was not sent again");
                    return self.account.door.place(unknown, endpoint).with_source(error);
                }
                error
            },
        )
    }

    /// In how many of the places that a step names the app still is, by the audit log.
    ///
    /// # Errors
    /// Also when a place has no entry of the app's removal.
    async fn remaining(&self, step: &Step) -> Result<u64> {
        let (app, enterprise) = (proof::app(step)?, proof::enterprise(step, &self.account).await?);
        let log = of_app::read(&self.account, enterprise, app).await?;
        let wanted = proof::places(step, enterprise, &log)?;
        let live = wanted.iter().filter(|place| log.live.contains(*place)).count();
        if live > 0 {
            return Ok(u64::try_from(live).unwrap_or(u64::MAX));
        }
        // The organisation's own removal ends what came with it.
        let is_covered = |place: &&String| log.removed.contains(*place);
        match wanted.iter().find(|place| !is_covered(place)) {
            None => Ok(0),
            Some(place) => {
                let message = format!("the audit log has no removal of the app from {place}");
                let error = Error::new(ErrorKind::Malformed, message).with_hint(
                    "the log may be some minutes late, or the install older than the log: look at the Installed apps page",
                );
                Err(self.account.door.place(error, "verify"))
            }
        }
    }

    async fn look(&self, step: &Step) -> Verification {
        let app = match proof::target(step) {
            Ok(app) => app,
            Err(error) => return Verification::CannotTell(error),
        };
        if step.action != UNINSTALL {
            let listed = match step.action.as_str() {
                RESTRICT => proof::is_open(&self.account, step).await,
                CANCEL_REQUEST => proof::is_pending(&self.account, step).await,
                other => Err(proof::unknown_action(other)),
            };
            return match listed {
                Ok(false) => Verification::Gone,
                Ok(true) => Verification::StillThere(1),
                Err(error) => Verification::CannotTell(error),
            };
        }
        let is_recent = self.is_recent(app);
        let mut look = 1;
        loop {
            let seen = self.remaining(step).await;
            if let Ok(0) = seen {
                return Verification::Gone;
            }
            // Time mends a log that is late, and no missing right.
            let may_come = match &seen {
                Ok(_) => true,
                Err(error) => error.kind == ErrorKind::Malformed,
            };
            if is_recent && may_come && look < LOOKS {
                look += 1;
                self.account.door.clock().sleep(BETWEEN_LOOKS).await;
                continue;
            }
            return match seen {
                Err(error) => Verification::CannotTell(error),
                Ok(_) if self.is_recent(app) => {
                    let message = "the audit log does not show the removal yet";
                    let error = Error::new(ErrorKind::Malformed, message)
                        .with_hint("it can be some minutes late: verify again");
                    Verification::CannotTell(self.account.door.place(error, "verify"))
                }
                Ok(left) => Verification::StillThere(left),
            };
        }
    }
}

#[async_trait]
impl Revoke for Revoker {
    async fn plan(&self, targets: &Targets) -> Result<RevocationPlan> {
        let identity = self.account.identity().await?;
        Ok(match &identity.reach {
            Reach::Organization(id) => {
                let mut plan = plan::of_organization(targets, id, identity.app.as_deref());
                // What changes comes first; without the others nothing can be verified.
                for right in [Right::AuditLogs, Right::Apps, Right::AppsWrite] {
                    if let Err(error) = identity.held.check(right)
                        && !plan.steps.is_empty()
                    {
                        let hint = error.hint.unwrap_or_default();
                        plan.by_hand
                            .insert(0, format!("Before anything else: {}; {hint}.", error.message));
                    }
                }
                plan
            }
            Reach::Workspace(_) => plan::of_workspace(targets, identity.url.as_deref()),
        })
    }

    async fn apply(&self, step: &Step) -> StepOutcome {
        match self.carry_out(step).await {
            Ok(Outcome::Now) => StepOutcome::Done,
            Ok(Outcome::AlreadyGone) => StepOutcome::AlreadyGone,
            Err(error) => StepOutcome::of_failure(error),
        }
    }

    async fn verify(&self, step: &Step) -> Verification {
        self.look(step).await
    }
}
