//! Taking access away: blocks apps, revokes tokens, and looks again by an independent read.
//!
//! A token's `DeleteToken` is enough to revoke it, so it is a secret: it is fetched for the step at hand, and never stored or shown.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{RevocationPlan, Revoke, Step, StepOutcome, Targets, Verification},
    error::{Error, ErrorKind, Result},
    http::{Body, Request},
    model::{App, Grant, GrantKind},
    secret::Secret,
};
use quick_xml::escape::escape;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    api::OauthToken,
    collect::{AppKind, Listing, TokenRow, grant_id},
    metadata::ConnectedApp,
    org::Org,
    soql,
};

const BLOCK_CONNECTED: &str = "block-connected-app";
const BLOCK_EXTERNAL: &str = "disable-external-client-app";
const REVOKE_TOKEN: &str = "revoke-token";
const REVOKE_EXTERNAL: &str = "revoke-external-client-app-tokens";
const BUCKET: &str = "revoke";

/// One org opened for revocation.
pub(crate) struct Revoker {
    org: Org,
    /// Secrets of the app that is being worked on, by grant id. Only one app's are held at a time.
    secrets: Mutex<Secrets>,
}

#[derive(Default)]
struct Secrets {
    app: String,
    by_grant: HashMap<String, Secret>,
}

/// A row of `OauthToken` with the secret that revokes it.
#[derive(Deserialize)]
struct RevocableToken {
    #[serde(flatten)]
    row: OauthToken,
    #[serde(rename = "DeleteToken")]
    delete_token: Option<Secret>,
}

impl TokenRow for RevocableToken {
    fn created(&self) -> Option<&str> {
        self.row.created_date.as_deref()
    }
}

impl Revoker {
    pub(crate) fn new(org: Org) -> Self {
        Self { org, secrets: Mutex::default() }
    }

    /// The secret that revokes a grant; `None` if the org does not list the grant any more.
    async fn secret(&self, app: &str, grant: &str) -> Result<Option<Secret>> {
        let mut secrets = self.secrets.lock().await;
        if secrets.app != app {
            secrets.by_grant.clear();
            app.clone_into(&mut secrets.app);
            let condition = Some(format!("AppName={}", soql::text(app)));
            let columns = ["AppName", "UserId", "DeleteToken"];
            let mut listing =
                Listing::start(&self.org, &columns, &["Id", "CreatedDate"], condition).await?;
            let mut nth: BTreeMap<String, u32> = BTreeMap::new();
            while let Some(rows) = listing.next::<RevocableToken>().await? {
                for RevocableToken { row, delete_token } in rows {
                    let Some(secret) = delete_token else { continue };
                    let id = row.id.clone().unwrap_or_else(|| {
                        let derived = grant_id(&row);
                        let nth = nth.entry(derived.clone()).or_insert(0);
                        *nth += 1;
                        if *nth == 1 { derived } else { format!("{derived}~{nth}") }
                    });
                    secrets.by_grant.insert(id, secret);
                }
            }
        }
        Ok(secrets.by_grant.get(grant).cloned())
    }

    async fn revoke_token(&self, step: &Step) -> Result<Done> {
        let Some(secret) = self.secret(detail(step, "app_name")?, &step.target).await? else {
            return Ok(Done::AlreadyGone);
        };
        let body = Body::Form([("token", secret)].into());
        let mut request =
            Request::post("revoke token", self.org.url("/services/oauth2/revoke")?, body);
        request.bucket = BUCKET;
        // The secret itself is the authority; the endpoint takes no access token.
        match self.org.door.send(&request, None).await {
            Ok(_) => Ok(Done::Now),
            Err(error)
                if matches!(error.code(), Some("invalid_token" | "unsupported_token_type")) =>
            {
                Ok(Done::AlreadyGone)
            }
            Err(error) => Err(self.org.explain(request.endpoint, error)),
        }
    }

    async fn block(&self, step: &Step) -> Result<Done> {
        let (kind, fields) = if step.action == BLOCK_CONNECTED {
            ("ConnectedApp", self.blocked_connected_app(step).await?)
        } else {
            ("ExtlClntAppConfigurablePolicies", Some("<isEnabled>false</isEnabled>".to_owned()))
        };
        let Some(fields) = fields else { return Ok(Done::AlreadyGone) };
        let saved = self
            .org
            .update_metadata("block app", kind, detail(step, "metadata_name")?, &fields)
            .await?;
        if saved.success {
            return Ok(Done::Now);
        }
        let why = saved.errors.into_iter().next().unwrap_or_default();
        Err(self.org.explain(
            "block app",
            Error::new(
                ErrorKind::Forbidden,
                format!(
                    "the org did not save the change: {} {}",
                    why.status_code,
                    self.org.door.redactor().clean(&why.message)
                ),
            ),
        ))
    }

    /// The change that blocks a connected app; `None` if it is blocked already. Metadata replaces an app's session policy as a
    /// whole, so its timeout is sent along.
    async fn blocked_connected_app(&self, step: &Step) -> Result<Option<String>> {
        let name = detail(step, "metadata_name")?;
        let app = self.connected_app(name).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the app is not in the org's metadata any more")
        })?;
        let session = app.session_policy.unwrap_or_default();
        if session.policy_action.as_deref() == Some("Block") {
            return Ok(None);
        }
        let timeout = session
            .session_timeout
            .map(|minutes| format!("<sessionTimeout>{minutes}</sessionTimeout>"))
            .unwrap_or_default();
        // Both are required in every update.
        let label = escape(app.label.as_deref().unwrap_or(name));
        let contact = escape(app.contact_email.as_deref().unwrap_or_default());
        Ok(Some(format!(
            "<contactEmail>{contact}</contactEmail><label>{label}</label>\
             <sessionPolicy><policyAction>Block</policyAction>{timeout}</sessionPolicy>"
        )))
    }

    async fn connected_app(&self, name: &str) -> Result<Option<ConnectedApp>> {
        let apps: Vec<ConnectedApp> =
            self.org.read_metadata("read connected app", "ConnectedApp", &[name]).await?;
        Ok(apps.into_iter().find(|app| app.full_name.as_deref() == Some(name)))
    }

    /// Metadata names of connected apps by id.
    async fn metadata_names(&self, kind: &str) -> Result<BTreeMap<String, String>> {
        let components = self.org.list_metadata("list apps", kind).await?;
        Ok(components
            .into_iter()
            .filter_map(|c| Some((c.id?.get(..15)?.to_owned(), c.full_name)))
            .collect())
    }

    async fn tokens_left(&self, condition: &str) -> Result<u64> {
        self.org.count("count OauthToken", &format!("FROM OauthToken WHERE {condition}")).await
    }

    async fn look(&self, step: &Step) -> Result<u64> {
        match step.action.as_str() {
            REVOKE_TOKEN => {
                let app = soql::text(detail(step, "app_name")?);
                let user = soql::text(detail(step, "user_id")?);
                let date = step.details.get("granted_at");
                let date = date.map(|date| format!(" AND CreatedDate={date}")).unwrap_or_default();
                self.tokens_left(&format!("AppName={app} AND UserId={user}{date}")).await
            }
            REVOKE_EXTERNAL => {
                let app = soql::text(detail(step, "app_name")?);
                self.tokens_left(&format!("AppName={app}")).await
            }
            BLOCK_CONNECTED => {
                let app = self.connected_app(detail(step, "metadata_name")?).await?;
                let action = app.and_then(|app| app.session_policy?.policy_action);
                Ok(u64::from(action.as_deref() != Some("Block")))
            }
            BLOCK_EXTERNAL => {
                let id = soql::text(&step.target);
                let from = format!(
                    "FROM ExtlClntAppPlcyCnfg WHERE ExternalClientApplicationId={id} AND IsEnabled=true"
                );
                self.org.count("count enabled policies", &from).await
            }
            other => Err(unknown_action(other)),
        }
    }

    async fn carry_out(&self, step: &Step) -> Result<Done> {
        match step.action.as_str() {
            REVOKE_TOKEN => self.revoke_token(step).await,
            BLOCK_CONNECTED | BLOCK_EXTERNAL => self.block(step).await,
            REVOKE_EXTERNAL => {
                let mut request = Request::delete(
                    "revoke all tokens of the app",
                    self.org.data(&format!("apps/oauth/usage/{}/tokens", step.target))?,
                );
                request.bucket = BUCKET;
                match self.org.send(&request).await {
                    Ok(_) => Ok(Done::Now),
                    Err(error) if error.kind == ErrorKind::NotFound => Ok(Done::AlreadyGone),
                    Err(error) => Err(error),
                }
            }
            other => Err(unknown_action(other)),
        }
    }
}

enum Done {
    Now,
    AlreadyGone,
}

#[async_trait]
impl Revoke for Revoker {
    async fn plan(&self, targets: &Targets) -> Result<RevocationPlan> {
        let mut plan = RevocationPlan::default();
        let is = |app: &App, kind: AppKind| app.kind == kind.label();
        let any = |kind| targets.apps.iter().any(|app| is(app, kind));
        let connected = if any(AppKind::ConnectedApp) {
            self.metadata_names("ConnectedApp").await?
        } else {
            BTreeMap::new()
        };
        let external = if any(AppKind::ExternalClientApp) {
            self.metadata_names("ExtlClntAppConfigurablePolicies").await?
        } else {
            BTreeMap::new()
        };
        for app in &targets.apps {
            let names = if is(app, AppKind::ExternalClientApp) { &external } else { &connected };
            match app.id.get(..15).and_then(|id| names.get(id)) {
                Some(name) => plan.steps.push(block_step(app, name)),
                None => plan.by_hand.push(format!(
                    "Block {} by hand: Setup > Connected Apps OAuth Usage > {} > Block. No interface blocks an app that is not installed.",
                    app.name, app.name
                )),
            }
        }
        let whole: Vec<&App> =
            targets.apps.iter().filter(|app| is(app, AppKind::ExternalClientApp)).collect();
        plan.steps.extend(whole.iter().map(|app| revoke_external_step(app)));
        for grant in &targets.grants {
            if whole.iter().any(|app| app.id == grant.app) {
                continue;
            }
            if grant.kind == GrantKind::AppOnly {
                if !targets.apps.iter().any(|app| app.id == grant.app) {
                    plan.by_hand.push(format!(
                        "The app {} signs in as itself, without a token that could be revoked: block the app, or deactivate its execution user {}.",
                        grant.app,
                        grant.holder.principal().map_or("", |principal| principal.label())
                    ));
                }
                continue;
            }
            plan.steps.push(revoke_step(grant, targets));
        }
        Ok(plan)
    }

    async fn apply(&self, step: &Step) -> StepOutcome {
        match self.carry_out(step).await {
            Ok(Done::Now) => StepOutcome::Done,
            Ok(Done::AlreadyGone) => StepOutcome::AlreadyGone,
            Err(error)
                if matches!(error.kind, ErrorKind::OutcomeUnknown | ErrorKind::Cancelled) =>
            {
                StepOutcome::Unknown(error)
            }
            Err(error) => StepOutcome::Refused(error),
        }
    }

    async fn verify(&self, step: &Step) -> Verification {
        match self.look(step).await {
            Ok(0) => Verification::Gone,
            Ok(left) => Verification::StillThere(left),
            Err(error) => Verification::CannotTell(error),
        }
    }
}

fn detail<'a>(step: &'a Step, name: &str) -> Result<&'a str> {
    step.details.get(name).map(String::as_str).ok_or_else(|| {
        Error::new(
            ErrorKind::Configuration,
            format!("the step {} {} lacks `{name}`", step.action, step.target),
        )
        .with_hint("plans are made by `plan`; make a new one")
    })
}

fn unknown_action(action: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("Salesforce has no revocation step `{action}`"))
}

fn block_step(app: &App, metadata_name: &str) -> Step {
    let is_external = app.kind == AppKind::ExternalClientApp.label();
    let action = if is_external { BLOCK_EXTERNAL } else { BLOCK_CONNECTED };
    Step {
        action: action.to_owned(),
        target: app.id.clone(),
        title: format!("Block the {} {}", app.kind, app.name),
        breaks: format!("{} stops for every user at once; nobody can connect it again", app.name),
        undo: Some(if is_external {
            "Setup > External Client App Manager > Edit Policies: enable the app".to_owned()
        } else {
            "Setup > Connected Apps OAuth Usage > Unblock; users then sign in again".to_owned()
        }),
        calls: if is_external { 1 } else { 2 },
        details: [("metadata_name".to_owned(), metadata_name.to_owned())].into(),
    }
}

fn revoke_external_step(app: &App) -> Step {
    Step {
        action: REVOKE_EXTERNAL.to_owned(),
        target: app.id.clone(),
        title: format!("Revoke all refresh tokens of {}", app.name),
        breaks: format!("every user's connection to {} ends", app.name),
        undo: None,
        calls: 1,
        details: [("app_name".to_owned(), app.name.clone())].into(),
    }
}

fn revoke_step(grant: &Grant, targets: &Targets) -> Step {
    let principal = grant.holder.principal();
    let who = principal.map_or("the app itself", |principal| principal.label());
    let mut details = BTreeMap::from([("app_name".to_owned(), grant.app_name.clone())]);
    if let Some(principal) = principal {
        details.insert("user_id".to_owned(), principal.id.clone());
    }
    if let Some(at) = grant.granted_at.known() {
        details.insert("granted_at".to_owned(), at.to_string());
    }
    let is_blocked = targets.apps.iter().any(|app| app.id == grant.app);
    Step {
        action: REVOKE_TOKEN.to_owned(),
        target: grant.id.clone(),
        title: format!("Revoke the token of {} for {who}", grant.app_name),
        breaks: if is_blocked {
            format!("{} can no longer act as {who}", grant.app_name)
        } else {
            format!("{} can no longer act as {who}, until {who} connects it again", grant.app_name)
        },
        undo: None,
        calls: 1,
        details,
    }
}
