//! App integrations: listing, reading, switching off and on, deleting.

use serde_json::{Value as Json, json};

use super::Core;
use super::build::auth_method;
use super::error::Refusal;
use super::events::{Party, Told};
use super::filter::Filter;
use super::gate::Caller;
use super::pages::later;
use super::params::{flag, limit, only};
use super::route::Asked;
use super::state::{App, State, place};
use super::time::iso;
use super::world::OktaAppKind;
use crate::wire::{Reply, Request};

/// What filters of the listing know.
const FILTERS: [(&str, &[&str]); 5] = [
    ("id", &["eq"]),
    ("status", &["eq"]),
    ("name", &["eq"]),
    ("credentials.signing.kid", &["eq"]),
    ("settings.slo.enabled", &["eq"]),
];
/// The platform's page size where none is asked for.
const USUAL: usize = 20;

/// The place of an app that a path names.
pub(super) fn live_app(state: &State, id: &str) -> Result<u32, Refusal> {
    let app = state.app(id).filter(|app| state.apps[*app as usize].id == id);
    app.ok_or_else(|| Refusal::not_found(id, "AppInstance"))
}

/// The key of an integration in the catalogue.
fn name_of(state: &State, app: &App) -> String {
    if let Some(name) = &app.facts.name {
        return name.clone();
    }
    match app.facts.kind {
        OktaAppKind::Saml => {
            let slug =
                app.facts.label.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "");
            format!("{}_{slug}_1", state.subdomain)
        }
        OktaAppKind::Bookmark => "bookmark".to_owned(),
        _ => "oidc_client".to_owned(),
    }
}

fn grant_types(app: &App) -> Vec<String> {
    if let Some(types) = &app.facts.grant_types {
        return types.clone();
    }
    let usual: &[&str] = match app.facts.kind {
        OktaAppKind::Service => &["client_credentials"],
        _ => &["authorization_code", "refresh_token"],
    };
    usual.iter().map(|kind| (*kind).to_owned()).collect()
}

fn oauth_settings(app: &App, kind: &str) -> Json {
    let facts = &app.facts;
    let host = facts.label.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let service = facts.kind == OktaAppKind::Service;
    let redirects = facts.redirect_uris.clone().unwrap_or_else(|| match service {
        true => Vec::new(),
        false => vec![format!("https://{host}.example/callback")],
    });
    let network = match app.zones.is_empty() {
        true => json!({ "connection": "ANYWHERE" }),
        false => json!({ "connection": "ZONE", "include": app.zones }),
    };
    let mut client = json!({
        "client_uri": null,
        "logo_uri": null,
        "redirect_uris": redirects,
        "post_logout_redirect_uris": [],
        "response_types": if service { ["token"] } else { ["code"] },
        "grant_types": grant_types(app),
        "initiate_login_uri": null,
        "application_type": kind,
        "consent_method": if facts.consent_required { "REQUIRED" } else { "TRUSTED" },
        "issuer_mode": "ORG_URL",
        "idp_initiated_login": { "mode": "DISABLED", "default_scope": [] },
        "wildcard_redirect": if facts.wildcard_redirect { "SUBDOMAIN" } else { "DISABLED" },
        "dpop_bound_access_tokens": facts.dpop,
        "network": network,
    });
    if grant_types(app).iter().any(|kind| kind == "refresh_token") {
        let (rotation, leeway) = if facts.rotate { ("ROTATE", 30) } else { ("STATIC", 0) };
        client["refresh_token"] = json!({ "rotation_type": rotation, "leeway": leeway });
    }
    let keys: Vec<&Json> = app.keys.iter().filter_map(|key| key.jwk.as_ref()).collect();
    if !keys.is_empty() {
        client["jwks"] = json!({ "keys": keys });
    }
    client
}

/// An app as the platform lists it.
pub(super) fn app_json(state: &State, app: &App, base_url: &str) -> Json {
    let facts = &app.facts;
    let name = name_of(state, app);
    let own = format!("{base_url}/api/v1/apps/{}", app.id);
    let template = json!({ "template": "${source.login}", "type": "BUILT_IN" });
    let mut links = json!({
        "self": { "href": own },
        "users": { "href": format!("{own}/users") },
        "groups": { "href": format!("{own}/groups") },
    });
    let step = if app.active { "deactivate" } else { "activate" };
    links[step] = json!({ "href": format!("{own}/lifecycle/{step}") });
    let mut body = json!({
        "id": app.id,
        "orn": format!("orn:okta:idp:{}:apps:{name}:{}", state.org_id, app.id),
        "name": name,
        "label": facts.label,
        "status": if app.active { "ACTIVE" } else { "INACTIVE" },
        "lastUpdated": iso(app.updated),
        "created": iso(app.created),
        "accessibility": { "selfService": false, "errorRedirectUrl": null, "loginRedirectUrl": null },
        "visibility": {
            "autoLaunch": false,
            "autoSubmitToolbar": false,
            "hide": { "iOS": true, "web": true },
            "appLinks": {},
        },
        "features": [],
        "_links": links,
    });
    let settings = json!({
        "app": {},
        "notifications": { "vpn": { "network": { "connection": "DISABLED" }, "message": null, "helpUrl": null } },
        "manualProvisioning": false,
        "implicitAssignment": false,
        "notes": { "admin": null, "enduser": null },
    });
    body["settings"] = settings;
    body["credentials"] = json!({ "userNameTemplate": template });
    match facts.kind.application_type() {
        Some(kind) => {
            body["signOnMode"] = json!("OPENID_CONNECT");
            body["credentials"]["signing"] = json!({ "kid": format!("FAKE-{}", app.id) });
            body["credentials"]["oauthClient"] = json!({
                "autoKeyRotation": true,
                "client_id": app.client_id,
                "token_endpoint_auth_method": auth_method(facts),
                "pkce_required": facts.pkce,
            });
            body["settings"]["oauthClient"] = oauth_settings(app, kind);
        }
        None if facts.kind == OktaAppKind::Saml => {
            body["signOnMode"] = json!("SAML_2_0");
            body["credentials"]["signing"] = json!({ "kid": format!("FAKE-{}", app.id) });
            body["settings"]["signOn"] = json!({
                "destination": "https://saml.example/acs",
                "audience": "https://saml.example",
                "allowMultipleAcsEndpoints": false,
                "assertionSigned": true,
                "responseSigned": true,
                "requestCompressed": false,
                "honorForceAuthn": true,
            });
        }
        None => {
            body["signOnMode"] = json!("BOOKMARK");
            body["settings"]["app"] =
                json!({ "requestIntegration": false, "url": "https://bookmark.example" });
        }
    }
    body
}

fn field(state: &State, app: &App, name: &str) -> Vec<String> {
    match name {
        "id" => vec![app.id.clone()],
        "status" => vec![if app.active { "ACTIVE" } else { "INACTIVE" }.to_owned()],
        "name" => vec![name_of(state, app)],
        "credentials.signing.kid" => vec![format!("FAKE-{}", app.id)],
        _ => vec!["false".to_owned()],
    }
}

impl Core {
    /// `GET /api/v1/apps`.
    pub(super) fn list_apps(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        only(
            request,
            &["q", "after", "limit", "filter", "expand", "includeNonDeleted", "useOptimization"],
        )?;
        // A lab without its figures for this would answer something else than the platform.
        if flag(request, "useOptimization", false)? {
            return Err(Refusal::validation(
                "useOptimization",
                "useOptimization: the lab has no such subset",
            ));
        }
        if request.param("expand").is_some_and(|expand| !expand.starts_with("user/")) {
            return Err(Refusal::validation("expand", "expand: must be user/{userId}"));
        }
        let size = limit(request, 1..=200, USUAL)?.min(state.behaviour.apps_page);
        let filter =
            request.param("filter").map(|text| Filter::parse(text, &FILTERS)).transpose()?;
        let any_status = flag(request, "includeNonDeleted", false)?
            || filter
                .as_ref()
                .is_some_and(|filter| filter.mentions("status") || filter.mentions("id"));
        let start = request.param("q").map(str::to_lowercase);
        let after = self.after(state, request)?;
        let rows = (0_u32..).zip(&state.apps).filter(|(number, app)| {
            later(after, *number)
                && !app.deleted
                && (app.active || any_status)
                && filter
                    .as_ref()
                    .is_none_or(|filter| filter.holds(&|name| field(state, app, name)))
                && start.as_ref().is_none_or(|start| {
                    app.facts.label.to_lowercase().starts_with(start)
                        || name_of(state, app).to_lowercase().starts_with(start)
                })
        });
        let rows = rows.map(|(number, app)| ((0, number), app_json(state, app, &self.base_url)));
        Ok(self.page(request, size, rows))
    }

    /// `GET /api/v1/apps/{id}`.
    pub(super) fn get_app(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand"])?;
        let app = live_app(state, asked.part(0))?;
        let body = app_json(state, &state.apps[app as usize], &self.base_url);
        Ok(Reply::json(200, body.to_string()))
    }

    /// `POST /api/v1/apps/{id}/lifecycle/{activate,deactivate}`.
    pub(super) fn switch_app(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
        on: bool,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let mut state = self.state_mut();
        let app = live_app(&state, asked.part(0))?;
        let already = state.apps[app as usize].active == on;
        if already && state.behaviour.second_deactivation_refused {
            return Err(Refusal::validation("status", "status: the app has this status already"));
        }
        if !already {
            let changed = &mut state.apps[app as usize];
            changed.active = on;
            changed.updated = now;
            let (kind, message) = match on {
                true => ("application.lifecycle.activate", "Activate application"),
                false => ("application.lifecycle.deactivate", "Deactivate application"),
            };
            let told =
                Told::new(kind, message, caller.party(&state), vec![Party::app(&state, app)]);
            state.tell(now, told);
        }
        Ok(Reply::json(200, "{}"))
    }

    /// `DELETE /api/v1/apps/{id}`.
    pub(super) fn delete_app(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let mut state = self.state_mut();
        let app = live_app(&state, asked.part(0))?;
        if state.apps[app as usize].active {
            return Err(Refusal::new(403, "E0000056", "Delete application forbidden."));
        }
        let gone: Vec<u32> =
            state.shown_tokens(now).filter(|(_, it)| it.app == app).map(|(it, _)| it).collect();
        gone.into_iter().for_each(|token| state.revoke_token(token as usize));
        let gone: Vec<u32> =
            state.shown_grants().filter(|(_, it)| it.app == app).map(|(it, _)| it).collect();
        gone.into_iter().for_each(|grant| state.revoke_grant(grant as usize));
        let told = Told::new(
            "application.lifecycle.delete",
            "Delete application",
            caller.party(&state),
            vec![Party::app(&state, app)],
        );
        state.apps[app as usize].deleted = true;
        state.tell(now, told);
        Ok(Reply::empty(204))
    }

    /// `GET /api/v1/apps/{id}/cwo/connections`.
    pub(super) fn list_connections(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["after", "limit"])?;
        let app = live_app(state, asked.part(0))?;
        let size = limit(request, 1..=200, 50)?;
        let after = self.after(state, request)?;
        let own = state.connections.iter().enumerate().filter(|(number, link)| {
            later(after, place(*number)) && [link.requesting, link.resource].contains(&app)
        });
        let rows = own.map(|(number, link)| {
            let body = json!({
                "id": link.id,
                "requestingAppInstanceId": state.apps[link.requesting as usize].id,
                "resourceAppInstanceId": state.apps[link.resource as usize].id,
                "status": if link.active { "ACTIVE" } else { "INACTIVE" },
                "created": iso(link.created),
                "lastUpdated": iso(link.created),
            });
            ((0, place(number)), body)
        });
        Ok(self.page(request, size, rows))
    }
}
