//! The listing of app integrations, and what it must hold to be believed.

use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    model::{Gap, Reason},
};

use super::{
    listed::{self, Listed},
    standing::{Doubtful, Reach, Shown, Standing},
};
use crate::{
    access::Access,
    api::Application,
    hints,
    listing::Listing,
    org::{Call, Org, bucket, is_not_there},
    told::Told,
};

pub(super) const FACET: &str = "apps";
pub(super) const LIST: Call =
    Call { endpoint: "list apps", scope: "okta.apps.read", bucket: bucket::APPS };
pub(super) const ONE: Call =
    Call { endpoint: "look at an app", scope: "okta.apps.read", bucket: bucket::APP };
/// Those that are switched off, too.
const QUERY: [(&str, &str); 2] = [("limit", "200"), ("includeNonDeleted", "true")];
/// Apps that users sign in to with tokens of Okta's.
const OIDC: &str = "OPENID_CONNECT";
/// All other modes of Okta's API description. A mode that is not known may be one with tokens.
const WITHOUT_TOKENS: [&str; 8] = [
    "AUTO_LOGIN",
    "BASIC_AUTH",
    "BOOKMARK",
    "BROWSER_PLUGIN",
    "SAML_1_1",
    "SAML_2_0",
    "SECURE_PASSWORD_STORE",
    "WS_FEDERATION",
];
pub(super) const DOUBTFUL: Doubtful =
    Doubtful { facet: FACET, what: "apps", shown: Shown::Readers };
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
    let mut listed: Listed<Application> =
        listed::read(org, ledger, FACET, LIST, &["api", "v1", "apps"], &QUERY).await;
    if ledger.skipped(FACET).is_some() || listed.gap().is_some() {
        return Ok(listed);
    }
    let own = access.client_id();
    if own.is_none() && listed.rows.is_empty() {
        listed.gap = standing.believe_empty(ledger, DOUBTFUL).await;
        return Ok(listed);
    }
    // The scanner's own app is one: a list without it leaves others out, too.
    let gap = if own.is_some_and(|own| !listed.rows.iter().any(|app| is_client(app, own))) {
        Some(hidden(standing))
    } else {
        limited(ledger, standing).await
    };
    if let Some(gap) = &gap {
        ledger.lose(gap.clone(), None);
    }
    listed.gap = gap;
    Ok(listed)
}

fn hidden(standing: &Standing<'_>) -> Gap {
    let detail = format!(
        "Okta's list of apps does not hold the scanner's own, so others may be missing; {}",
        hints::no_role("all apps", standing.who())
    );
    Gap::new(Reason::Permission, FACET, detail)
}

/// A role that is given for some apps shows these as if there were no others. The gap of a role that may be one; a role that cannot be
/// seen is said in a note.
pub(super) async fn limited(ledger: &Ledger, standing: &Standing<'_>) -> Option<Gap> {
    match standing.reach().await {
        Reach::All => None,
        Reach::Some(roles) => {
            let own = if roles.is_empty() {
                "Okta lists no administrator role of the scanner's, so others may be missing"
                    .to_owned()
            } else {
                let roles = roles.join(", ");
                format!(
                    "the scanner's role ({roles}) may be given for some apps only, and then Okta lists no others"
                )
            };
            let hint = hints::no_role("all apps, such as Read-Only Administrator", standing.who());
            Some(Gap::new(Reason::Permission, FACET, format!("{own}; {hint}")))
        }
        Reach::Untold(why) => {
            let note = format!(
                "whether the scanner's role covers all apps cannot be seen ({why}); {}",
                hints::shows_roles(standing.who())
            );
            ledger.note(FACET, note);
            None
        }
    }
}

/// Whether an app is the one with a client id.
pub(crate) fn is_client(app: &Application, client: &str) -> bool {
    app.id == client || client_id(app) == Some(client)
}

/// The app with a client id. Most have the client id for their id; the others are looked for in the list.
pub(crate) async fn of_client(org: &Org, client: &str) -> Result<Application> {
    let refusal = match org.ask::<Application>(ONE, &["api", "v1", "apps", client], &[]).await {
        Err(error) if is_not_there(&error) => error,
        other => return other,
    };
    let path = ["api", "v1", "apps"];
    let mut listing = Listing::of(org, LIST, &path, &QUERY).await?;
    while let Some(batch) = listing.next::<Application>().await? {
        if let Some(found) = batch.rows.into_iter().find(|app| is_client(app, client)) {
            return Ok(found);
        }
    }
    Err(refusal)
}

/// The client id of an app: its own, unless another was chosen.
pub(crate) fn client_id(app: &Application) -> Option<&str> {
    let told = app
        .credentials
        .field(|credentials| &credentials.oauth_client)
        .field(|client| &client.client_id);
    told.given().map(String::as_str)
}

/// Whether it is an OAuth client. What does not tell how users sign in, or in a way that is not known, is taken for one.
pub(crate) fn is_oidc(app: &Application) -> bool {
    match &app.sign_on_mode {
        Told::Given(mode) => mode == OIDC || !WITHOUT_TOKENS.contains(&mode.as_str()),
        Told::Missing | Told::Null => {
            let settings = app.settings.given();
            settings.is_none_or(|settings| settings.oauth_client.given().is_some())
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
pub(crate) fn may_refresh(app: &Application) -> bool {
    grant_types(app).given().is_none_or(|types| types.iter().any(|kind| kind == "refresh_token"))
}

/// Whether an app signs in as itself.
pub(super) fn acts_as_itself(app: &Application) -> bool {
    let is_service = application_type(app) == Some("service");
    let by_flow = grant_types(app).given();
    is_service || by_flow.is_some_and(|types| types.iter().any(|kind| kind == "client_credentials"))
}

/// Whether an app may sign in as itself, and so may have roles of its own: what does not tell is asked.
pub(super) fn may_act_as_itself(app: &Application) -> bool {
    acts_as_itself(app) || grant_types(app).given().is_none()
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
