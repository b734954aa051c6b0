//! Taking access away: blocks apps, revokes tokens, and looks again by an independent read.
//!
//! A token's `DeleteToken` is enough to revoke it, so it is a secret: it is fetched for the step at hand, and never stored or shown.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{RevocationPlan, Revoke, Step, StepOutcome, Targets, Verification},
    error::{Error, ErrorKind, Result},
    http::{Body, Request},
    model::{App, Grant, GrantKind, Timestamp},
    secret::Secret,
};
use quick_xml::escape::escape;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    api::OauthToken,
    collect::{AppKind, GrantIds, Listing, TokenRow, short_id},
    metadata::{Component, ConnectedApp, ExternalPolicies},
    org::{Api, Org},
    soql,
};

const BLOCK_CONNECTED: &str = "block-connected-app";
const BLOCK_EXTERNAL: &str = "disable-external-client-app";
const REVOKE_TOKEN: &str = "revoke-token";
/// Metadata type that switches an external client app off.
const EXTERNAL_POLICIES: &str = "ExtlClntAppConfigurablePolicies";
const REVOKE_EXTERNAL: &str = "revoke-external-client-app-tokens";
const BUCKET: &str = "revoke";
/// How long it is taken for granted that the revoker may still see everybody's tokens.
const RIGHTS_LAST: Duration = Duration::from_secs(60);

/// One org opened for revocation.
pub(crate) struct Revoker {
    org: Org,
    /// Secrets of the app that is being worked on, by grant id. Only one app's are held at a time.
    secrets: Mutex<Secrets>,
    /// When the revoker last saw that it may see everybody's tokens.
    rights_checked_at: Mutex<Option<Timestamp>>,
}

#[derive(Default)]
struct Secrets {
    app: String,
    by_grant: HashMap<String, Secret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OwnRights {
    permissions_customize_application: Option<bool>,
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
        Self { org, secrets: Mutex::default(), rights_checked_at: Mutex::default() }
    }

    /// The secret that revokes a grant; `None` if the org does not list the grant any more.
    async fn secret(&self, app: &str, grant: &str) -> Result<Option<Secret>> {
        let mut secrets = self.secrets.lock().await;
        if secrets.app != app {
            // Filled only by a listing that is whole: a token that was not listed must not pass for one that is gone.
            *secrets = Secrets::default();
            let by_grant = self.list_secrets(app).await?;
            *secrets = Secrets { app: app.to_owned(), by_grant };
        }
        Ok(secrets.by_grant.get(grant).cloned())
    }

    async fn list_secrets(&self, app: &str) -> Result<HashMap<String, Secret>> {
        self.sees_everybody().await?;
        let condition = Some(format!("AppName={}", soql::text(app)));
        let columns = ["AppName", "UserId", "DeleteToken"];
        let mut listing =
            Listing::start(&self.org, &columns, &["Id", "CreatedDate"], condition).await?;
        let (mut ids, mut by_grant) = (GrantIds::default(), HashMap::new());
        while let Some(rows) = listing.next::<RevocableToken>().await? {
            for RevocableToken { row, delete_token } in rows {
                let id = ids.of(&row);
                by_grant.extend(delete_token.map(|secret| (id, secret)));
            }
        }
        let (counted, listed) = (listing.count().await?, by_grant.len() as u64);
        if listed < counted {
            let message =
                format!("the org counts {counted} tokens of the app and gave {listed} to revoke");
            return Err(self
                .org
                .explain("query OauthToken", Error::new(ErrorKind::Malformed, message)));
        }
        Ok(by_grant)
    }

    /// Without Customize Application the org shows the caller's own tokens only, so that everybody else's would look gone.
    async fn sees_everybody(&self) -> Result<()> {
        const ENDPOINT: &str = "query UserPermissionAccess";
        let now = self.org.door.clock().now();
        let mut checked = self.rights_checked_at.lock().await;
        if checked.is_some_and(|at| at.until(now) < RIGHTS_LAST) {
            return Ok(());
        }
        let soql = "SELECT PermissionsCustomizeApplication FROM UserPermissionAccess";
        let rows: Vec<OwnRights> = self.org.rows(Api::Data, ENDPOINT, soql).await?;
        if !rows.iter().any(|rights| rights.permissions_customize_application == Some(true)) {
            let error = Error::new(
                ErrorKind::Forbidden,
                "the org shows other users' tokens to nobody without Customize Application",
            )
            .with_hint("give the user that revokes the right Customize Application");
            return Err(self.org.explain(ENDPOINT, error));
        }
        *checked = Some(now);
        Ok(())
    }

    async fn revoke_token(&self, step: &Step) -> Result<Done> {
        let Some(secret) = self.secret(step.detail("app_name")?, &step.target).await? else {
            return self.already_gone(step).await;
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
                self.already_gone(step).await
            }
            Err(error) => Err(self.org.explain(request.endpoint, error)),
        }
    }

    /// Looks whether what cannot be revoked is really gone: an app that was renamed since the plan was made lists no token either.
    async fn already_gone(&self, step: &Step) -> Result<Done> {
        match self.look(step).await? {
            0 => Ok(Done::AlreadyGone),
            left => {
                let message =
                    format!("the org counts {left} such tokens and gives none of them to revoke");
                let error = Error::new(ErrorKind::NotFound, message).with_hint(
                    "the app may have another name by now: scan again, and make a new plan",
                );
                Err(self.org.explain("revoke token", error))
            }
        }
    }

    async fn block(&self, step: &Step) -> Result<Done> {
        let name = step.detail("metadata_name")?;
        let (kind, fields) = if step.action == BLOCK_CONNECTED {
            ("ConnectedApp", self.blocked_connected_app(name).await?)
        } else {
            (EXTERNAL_POLICIES, self.disabled_external_app(name).await?)
        };
        let Some(fields) = fields else { return Ok(Done::AlreadyGone) };
        let saved = self.org.update_metadata("block app", kind, name, &fields).await?;
        if saved.success {
            return Ok(Done::Now);
        }
        let why = saved.errors.into_iter().next().unwrap_or_default();
        let why = self.org.door.redactor().clean(&format!("{} {}", why.status_code, why.message));
        let error =
            Error::new(ErrorKind::Forbidden, format!("the org did not save the change: {why}"));
        Err(self.org.explain("block app", error))
    }

    /// The change that disables an external client app; `None` if it is disabled already.
    async fn disabled_external_app(&self, name: &str) -> Result<Option<String>> {
        let policies = self.external_policies(&[name]).await?;
        let policy = policies.into_iter().next().ok_or_else(not_in_metadata)?;
        if policy.is_enabled == Some(false) {
            return Ok(None);
        }
        let app = escape(policy.external_client_application.as_deref().unwrap_or_default());
        let label = escape(policy.label.as_deref().unwrap_or(name));
        // The first and the last are required in every update.
        Ok(Some(format!(
            "<externalClientApplication>{app}</externalClientApplication><isEnabled>false</isEnabled><label>{label}</label>"
        )))
    }

    async fn external_policies(&self, names: &[&str]) -> Result<Vec<ExternalPolicies>> {
        let policies: Vec<ExternalPolicies> = self
            .org
            .read_metadata("read external client app policies", EXTERNAL_POLICIES, names)
            .await?;
        Ok(policies.into_iter().filter(|policy| policy.full_name.is_some()).collect())
    }

    /// The change that blocks a connected app; `None` if it is blocked already. Metadata replaces an app's session policy as a
    /// whole, so its timeout is sent along.
    async fn blocked_connected_app(&self, name: &str) -> Result<Option<String>> {
        let app = self.connected_app(name).await?.ok_or_else(not_in_metadata)?;
        let session = app.session_policy.unwrap_or_default();
        if session.policy_action.as_deref() == Some("Block") {
            return Ok(None);
        }
        let timeout = session
            .session_timeout
            .map(|minutes| format!("<sessionTimeout>{minutes}</sessionTimeout>"))
            .unwrap_or_default();
        let level = session
            .session_level
            .map(|level| format!("<sessionLevel>{}</sessionLevel>", escape(level)))
            .unwrap_or_default();
        // Both are required in every update.
        let label = escape(app.label.as_deref().unwrap_or(name));
        let contact = escape(app.contact_email.as_deref().unwrap_or_default());
        Ok(Some(format!(
            "<contactEmail>{contact}</contactEmail><label>{label}</label>\
             <sessionPolicy><policyAction>Block</policyAction>{level}{timeout}</sessionPolicy>"
        )))
    }

    async fn connected_app(&self, name: &str) -> Result<Option<ConnectedApp>> {
        let apps: Vec<ConnectedApp> =
            self.org.read_metadata("read connected app", "ConnectedApp", &[name]).await?;
        Ok(apps.into_iter().find(|app| app.full_name.as_deref() == Some(name)))
    }

    /// Metadata names of connected apps by the app's short id.
    async fn connected_names(&self) -> Result<BTreeMap<String, String>> {
        Ok(names_by_id(self.org.list_metadata("list connected apps", "ConnectedApp").await?))
    }

    /// Metadata names of external client apps' policies by the app's short id. A policy has an id of its own and names its app.
    async fn external_names(&self) -> Result<BTreeMap<String, String>> {
        let apps = names_by_id(
            self.org
                .list_metadata("list external client apps", "ExternalClientApplication")
                .await?,
        );
        let listed =
            self.org.list_metadata("list external client app policies", EXTERNAL_POLICIES).await?;
        let names: Vec<&str> =
            listed.iter().map(|component| component.full_name.as_str()).collect();
        let policies = self.external_policies(&names).await?;
        let of = |app: &String| {
            let policy = policies
                .iter()
                .find(|policy| policy.external_client_application.as_ref() == Some(app));
            policy.and_then(|policy| policy.full_name.clone())
        };
        Ok(apps.into_iter().filter_map(|(id, app)| Some((id, of(&app)?))).collect())
    }

    async fn tokens_left(&self, condition: &str) -> Result<u64> {
        self.org.count("count OauthToken", &format!("FROM OauthToken WHERE {condition}")).await
    }

    async fn look(&self, step: &Step) -> Result<u64> {
        match step.action.as_str() {
            REVOKE_TOKEN => {
                self.sees_everybody().await?;
                let user = soql::text(step.detail("user_id")?);
                // By date where there is one: it stays the same when an app is renamed.
                let which = match step.details.get("granted_at") {
                    Some(date) => format!("CreatedDate={date}"),
                    None => format!("AppName={}", soql::text(step.detail("app_name")?)),
                };
                self.tokens_left(&format!("UserId={user} AND {which}")).await
            }
            REVOKE_EXTERNAL => {
                self.sees_everybody().await?;
                let app = soql::text(step.detail("app_name")?);
                self.tokens_left(&format!("AppName={app}")).await
            }
            BLOCK_CONNECTED => {
                let app = self.connected_app(step.detail("metadata_name")?).await?;
                let action = app.and_then(|app| app.session_policy?.policy_action);
                Ok(u64::from(action.as_deref() != Some("Block")))
            }
            BLOCK_EXTERNAL => {
                let policies = self.external_policies(&[step.detail("metadata_name")?]).await?;
                let policy = policies.into_iter().next().ok_or_else(not_in_metadata)?;
                Ok(u64::from(policy.is_enabled != Some(false)))
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
            self.connected_names().await?
        } else {
            BTreeMap::new()
        };
        let external = if any(AppKind::ExternalClientApp) {
            self.external_names().await?
        } else {
            BTreeMap::new()
        };
        for app in &targets.apps {
            let names = if is(app, AppKind::ExternalClientApp) { &external } else { &connected };
            match names.get(short_id(&app.id)) {
                Some(name) => plan.steps.push(block_step(app, name)),
                None => plan.by_hand.push(by_hand(app)),
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
            Err(error) => StepOutcome::of_failure(error),
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

/// What a person has to do where no interface blocks an app.
fn by_hand(app: &App) -> String {
    let name = &app.name;
    if app.kind == AppKind::NotInstalled.label() {
        format!(
            "Block {name} by hand: Setup > Connected Apps OAuth Usage > {name} > Block. No interface blocks an app that is not installed."
        )
    } else {
        format!(
            "Block {name} by hand: Setup > {} > {name} > Edit Policies. It is not in the org's metadata.",
            app.kind
        )
    }
}

fn names_by_id(components: Vec<Component>) -> BTreeMap<String, String> {
    let names = components
        .into_iter()
        .filter_map(|component| Some((short_id(&component.id?).to_owned(), component.full_name)));
    names.collect()
}

fn not_in_metadata() -> Error {
    Error::new(ErrorKind::NotFound, "the app is not in the org's metadata any more")
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
        calls: 2,
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
