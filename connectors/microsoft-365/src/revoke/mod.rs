//! Taking access away: stop the app, then take its permissions, grants and local credentials, then end the users' sessions. `plan` reads
//! only; `apply` never repeats a change whose outcome is not known; `verify` reads from the other side than `apply` wrote.

mod credential;
mod plan;
mod proof;

use std::time::Duration;

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{RevocationPlan, Revoke, Step, StepOutcome, Targets, Verification},
    error::{Error, ErrorKind, Result},
    http::{Body, Request},
    model::Timestamp,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use self::proof::{guid, id};

use crate::{
    api::{AppRoleAssignment, Page, PermissionGrant, Row},
    graph::{Graph, RESTARTS},
};

pub(super) const DISABLE_APP: &str = "disable-app";
pub(super) const DELETE_ASSIGNMENT: &str = "delete-app-role-assignment";
pub(super) const DELETE_GRANT: &str = "delete-delegated-grant";
pub(super) const REMOVE_CREDENTIAL: &str = "remove-credential";
pub(super) const REVOKE_SESSIONS: &str = "revoke-sessions";

const BUCKET: &str = "revoke";
/// What a read shows may lag behind a change: looks, and the time between two.
const LOOKS: u32 = 4;
const LAG: Duration = Duration::from_secs(5);

/// Takes access away in one directory.
pub(crate) struct Revoker {
    graph: Graph,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Enabled {
    account_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sessions {
    sign_in_sessions_valid_from_date_time: Option<String>,
}

#[derive(Deserialize)]
struct Revoked {
    value: Option<bool>,
}

enum Done {
    Now,
    AlreadyGone,
}

impl Revoker {
    pub(crate) const fn new(graph: Graph) -> Self {
        Self { graph }
    }

    async fn carry_out(&self, step: &Step) -> Result<Done> {
        match step.action.as_str() {
            DISABLE_APP => self.disable(step).await,
            DELETE_ASSIGNMENT => {
                let (resource, target) = (id(step.detail("resource_id")?)?, id(&step.target)?);
                let path = format!("servicePrincipals/{resource}/appRoleAssignedTo/{target}");
                self.delete(step, "delete app role assignment", &path).await
            }
            DELETE_GRANT => {
                let path = format!("oauth2PermissionGrants/{}", id(&step.target)?);
                self.delete(step, "delete permission grant", &path).await
            }
            REMOVE_CREDENTIAL => self.remove_credential(step).await,
            REVOKE_SESSIONS => self.revoke_sessions(step).await,
            other => Err(unknown_action(other)),
        }
    }

    async fn disable(&self, step: &Step) -> Result<Done> {
        match self.is_enabled(&step.target).await? {
            None | Some(false) => return Ok(Done::AlreadyGone),
            Some(true) => {}
        }
        let body = Body::Json(json!({ "accountEnabled": false }).into());
        let path = format!("servicePrincipals/{}", id(&step.target)?);
        let request = self.change("disable service principal", Method::PATCH, &path, body)?;
        let sent = self.graph.send(&request).await;
        self.done(step, sent).await
    }

    /// Whether an app can be signed in to; `None` if it is gone.
    async fn is_enabled(&self, app: &str) -> Result<Option<bool>> {
        let path = format!("servicePrincipals/{}", id(app)?);
        let request =
            self.graph.get("read service principal", &path, "$select=id,accountEnabled")?;
        match self.graph.read::<Enabled>(&request).await {
            Ok(Enabled { account_enabled: Some(enabled) }) => Ok(Some(enabled)),
            Ok(_) => {
                let message = "Graph does not tell whether the app is enabled";
                Err(self.graph.explain(request.endpoint, Error::new(ErrorKind::Malformed, message)))
            }
            Err(error) => self.prove_gone(error, app).await.map(|()| None),
        }
    }

    async fn delete(&self, step: &Step, endpoint: &'static str, path: &str) -> Result<Done> {
        let request = self.change(endpoint, Method::DELETE, path, Body::Empty)?;
        let sent = self.graph.send(&request).await;
        self.done(step, sent).await
    }

    async fn revoke_sessions(&self, step: &Step) -> Result<Done> {
        let path = format!("users/{}/revokeSignInSessions", id(&step.target)?);
        let request = self.change("revoke sessions", Method::POST, &path, Body::Empty)?;
        let sent = self.graph.send(&request).await;
        if let Ok(reply) = &sent
            && reply.json::<Revoked>().is_ok_and(|revoked| revoked.value == Some(false))
        {
            let error = Error::new(ErrorKind::InvalidRequest, "Graph did not end the sessions");
            return Err(self.graph.explain("revoke sessions", error));
        }
        self.done(step, sent).await
    }

    /// A change: never sent again once its outcome is unknown.
    fn change(
        &self,
        endpoint: &'static str,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Request> {
        let request = Request::post(endpoint, self.graph.url("v1.0", path, "")?, body);
        Ok(Request { method, bucket: BUCKET, ..request })
    }

    /// All rows of a listing that is small by nature.
    async fn rows<T>(&self, endpoint: &'static str, path: &str, query: &str) -> Result<Vec<T>>
    where
        T: serde::de::DeserializeOwned,
    {
        let first = self.graph.get(endpoint, path, query)?;
        let mut restarts = 0;
        loop {
            match self.rows_once(&first).await {
                Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                    restarts += 1;
                }
                other => return other,
            }
        }
    }

    async fn rows_once<T>(&self, first: &Request) -> Result<Vec<T>>
    where
        T: serde::de::DeserializeOwned,
    {
        let mut pages = self.graph.pages(first);
        let mut rows = Vec::new();
        let explain = |error| self.graph.explain(first.endpoint, error);
        while let Some(page) = pages.next::<Page<T>>().await.map_err(explain)? {
            for row in page.value {
                // A row that cannot be read may be the one that was to go.
                rows.push(match row {
                    Row::Good(row) => row,
                    Row::Odd(_) => {
                        let message = "a row is not what the API promises";
                        return Err(explain(Error::new(ErrorKind::Malformed, message)));
                    }
                });
            }
        }
        Ok(rows)
    }

    /// The delegated grants of an app. A listing that is not there proves nothing.
    async fn grants_of(&self, client: &str) -> Result<Vec<PermissionGrant>> {
        let endpoint = "list permission grants of the app";
        let query = format!("$top=999&$filter=clientId eq '{}'", guid(client)?);
        let rows: Vec<PermissionGrant> =
            self.rows(endpoint, "oauth2PermissionGrants", &query).await?;
        let is_own = |row: &PermissionGrant| row.client_id.eq_ignore_ascii_case(client);
        if rows.iter().all(is_own) { Ok(rows) } else { Err(self.not_asked_for(endpoint)) }
    }

    /// The application permissions of an app; none if the app is gone.
    async fn assignments_of(&self, client: &str) -> Result<Vec<AppRoleAssignment>> {
        let endpoint = "list app role assignments of the app";
        let path = format!("servicePrincipals/{}/appRoleAssignments", id(client)?);
        let rows: Vec<AppRoleAssignment> = match self.rows(endpoint, &path, "$top=999").await {
            Ok(rows) => rows,
            Err(error) => return self.prove_gone(error, client).await.map(|()| Vec::new()),
        };
        let is_own = |row: &AppRoleAssignment| {
            row.principal_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(client))
        };
        if rows.iter().all(is_own) { Ok(rows) } else { Err(self.not_asked_for(endpoint)) }
    }

    /// The listing gives rows of something else: it cannot be trusted to give those that it was asked for.
    fn not_asked_for(&self, endpoint: &str) -> Error {
        let message = "Graph gives rows of another app than the one that was asked for";
        self.graph.explain(endpoint, Error::new(ErrorKind::Malformed, message))
    }

    /// How much of what a step was to take away is still there.
    async fn look(&self, step: &Step) -> Result<u64> {
        let is_there = match step.action.as_str() {
            DISABLE_APP => self.is_enabled(&step.target).await? == Some(true),
            DELETE_ASSIGNMENT => {
                let rows = self.assignments_of(step.detail("client_id")?).await?;
                rows.iter().any(|row| row.id == step.target)
            }
            DELETE_GRANT => {
                let rows = self.grants_of(step.detail("client_id")?).await?;
                rows.iter().any(|row| row.id == step.target)
            }
            REMOVE_CREDENTIAL => self.has_credential(step).await?,
            REVOKE_SESSIONS => self.has_old_sessions(step).await?,
            other => return Err(unknown_action(other)),
        };
        Ok(u64::from(is_there))
    }

    /// Whether sessions from before the plan was made still count.
    async fn has_old_sessions(&self, step: &Step) -> Result<bool> {
        let planned: Timestamp = step.detail("planned_at")?.parse().map_err(|_| {
            Error::new(ErrorKind::Configuration, "the step's `planned_at` is not a time")
        })?;
        let path = format!("users/{}", id(&step.target)?);
        let query = "$select=id,signInSessionsValidFromDateTime";
        let request = self.graph.get("read user", &path, query)?;
        match self.graph.read::<Sessions>(&request).await {
            Ok(sessions) => {
                let text = sessions.sign_in_sessions_valid_from_date_time;
                let from = text.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
                let from = from.ok_or_else(|| {
                    let message = "Graph does not tell from when the user's sessions are valid";
                    self.graph.explain("read user", Error::new(ErrorKind::Malformed, message))
                })?;
                Ok(from < planned)
            }
            Err(error) => self.prove_gone(error, &step.target).await.map(|()| false),
        }
    }
}

#[async_trait]
impl Revoke for Revoker {
    async fn plan(&self, targets: &Targets) -> Result<RevocationPlan> {
        plan::make(self, targets).await
    }

    async fn apply(&self, step: &Step) -> StepOutcome {
        match self.carry_out(step).await {
            Ok(Done::Now) => StepOutcome::Done,
            Ok(Done::AlreadyGone) => StepOutcome::AlreadyGone,
            Err(error) => StepOutcome::of_failure(error),
        }
    }

    /// Graph answers a read without the right to it with an error, so that an answer without the row is proof; but it may lag behind.
    async fn verify(&self, step: &Step) -> Verification {
        let mut looks = 0;
        loop {
            looks += 1;
            match self.look(step).await {
                Ok(0) => return Verification::Gone,
                Ok(left) if looks == LOOKS => return Verification::StillThere(left),
                Ok(_) => self.graph.door.clock().sleep(LAG).await,
                Err(error) => return Verification::CannotTell(error),
            }
        }
    }
}

fn unknown_action(action: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("Microsoft 365 has no revocation step `{action}`"))
}

/// An object as Graph gives it, for a change that must keep what it does not mean to change.
type Object = serde_json::Map<String, Value>;
