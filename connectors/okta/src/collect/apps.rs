//! The listing of app integrations, and what it must hold to be believed.

use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    model::{Gap, Reason},
};

use super::{
    listed::{self, Listed},
    standing::Standing,
};
use crate::{
    access::Access,
    api::Application,
    hints,
    org::{Call, Org, bucket},
    told::Told,
};

pub(super) const FACET: &str = "apps";
pub(super) const LIST: Call =
    Call { endpoint: "list apps", scope: "okta.apps.read", bucket: bucket::APPS };
pub(super) const ONE: Call =
    Call { endpoint: "look at an app", scope: "okta.apps.read", bucket: bucket::APP };
/// Apps that users sign in to with tokens of Okta's.
const OIDC: &str = "OPENID_CONNECT";
/// Okta's own apps, by the keys that no other app can have: its Admin Console, dashboard, browser plug-in and governance.
const OKTAS: [&str; 4] = ["saasure", "okta_enduser", "okta_browser_plugin", "okta_iga_reviewer"];
/// What an app is told by is no provisioning.
const SIGN_IN_FEATURES: [&str; 6] =
    ["SSO", "MFA", "AUTHN_CONTEXT", "JIT_PROVISIONING", "DESKTOP_SSO", "FEDERATED_PROFILE"];

/// Reads all apps, those that are switched off too.
pub(super) async fn read(
    org: &Org,
    ledger: &Ledger,
    access: &Access,
    standing: &Standing<'_>,
) -> Result<Listed<Application>> {
    let query = [("limit", "200"), ("includeNonDeleted", "true")];
    let mut listed: Listed<Application> =
        listed::read(org, ledger, FACET, LIST, &["api", "v1", "apps"], &query).await;
    if ledger.skipped(FACET).is_some() || listed.gap().is_some() {
        return Ok(listed);
    }
    if let Some(own) = access.client_id() {
        // The scanner's own app is one: a list without it leaves others out, too.
        let is_own = |app: &Application| app.id == own || client_id(app) == Some(own);
        if !listed.rows.iter().any(is_own) {
            let detail = format!(
                "Okta's list of apps does not hold the scanner's own, so others may be missing; {}",
                hints::no_role("all apps")
            );
            let gap = Gap::new(Reason::Permission, FACET, detail);
            ledger.lose(gap.clone(), None);
            listed.gap = Some(gap);
        }
    } else if listed.rows.is_empty() {
        listed.gap = standing.believe_empty(ledger, FACET, "apps").await;
    }
    Ok(listed)
}

/// The client id of an app: its own, unless another was chosen.
pub(crate) fn client_id(app: &Application) -> Option<&str> {
    let told = app
        .credentials
        .field(|credentials| &credentials.oauth_client)
        .field(|client| &client.client_id);
    told.given().map(String::as_str)
}

/// Whether it is an OAuth client. What does not tell how users sign in is taken for one.
pub(crate) fn is_oidc(app: &Application) -> bool {
    match &app.sign_on_mode {
        Told::Given(mode) => mode == OIDC,
        Told::Missing | Told::Null => {
            app.settings.field(|settings| &settings.oauth_client).given().is_some()
        }
        Told::Odd => true,
    }
}

/// Whether it is Okta's own.
pub(crate) fn is_oktas(app: &Application) -> bool {
    app.name.given().is_some_and(|name| OKTAS.contains(&name.as_str()))
}

/// Whether Okta pushes people into it, or reads them out of it: it has credentials of its own, and data of the org.
pub(super) fn is_provisioned(app: &Application) -> bool {
    let is_more = |feature: &String| !SIGN_IN_FEATURES.contains(&feature.as_str());
    app.features.given().is_some_and(|features| features.iter().any(is_more))
}

/// The name of an app, for a person.
pub(crate) fn label(app: &Application) -> &str {
    app.label.given().map_or(app.id.as_str(), String::as_str)
}

/// Whether an app can get refresh tokens, as far as is told.
pub(super) fn may_refresh(app: &Application) -> bool {
    grant_types(app).given().is_none_or(|types| types.iter().any(|kind| kind == "refresh_token"))
}

/// Whether an app signs in as itself.
pub(super) fn acts_as_itself(app: &Application) -> bool {
    let is_service = application_type(app) == Some("service");
    let by_flow = grant_types(app).given();
    is_service || by_flow.is_some_and(|types| types.iter().any(|kind| kind == "client_credentials"))
}

pub(super) fn client(app: &Application) -> &Told<crate::api::ClientSettings> {
    app.settings.field(|settings| &settings.oauth_client)
}

pub(super) fn grant_types(app: &Application) -> &Told<Vec<String>> {
    client(app).field(|client| &client.grant_types)
}

pub(super) fn application_type(app: &Application) -> Option<&str> {
    client(app).field(|client| &client.application_type).given().map(String::as_str)
}
