//! OAuth usage of external client apps (Connect REST, v59 and later). It keeps the platform's trap:
//! a link to a next page stands on every page, the last and the empty ones too.

use serde_json::{Map, Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::id::Id;
use super::permission::Permission::{ExternalClientAppAdmin, ExternalClientAppViewer};
use super::permission::Permissions;
use super::state::{AppKind, State, prefix};
use super::tokens::TokenRow;
use super::value::datetime_zulu;
use crate::wire::{Reply, Request};

/// The first API version that has the resource.
pub(super) const SINCE: u32 = 59;
const PAGE: usize = 100;

impl Core {
    /// Everything under `…/apps/oauth/usage`; `rest` is the path below it.
    pub(super) fn usage(
        &self,
        permissions: Permissions,
        request: &Request,
        rest: &[&str],
    ) -> Result<Reply, Refusal> {
        let forbidden = || Refusal::access("You do not have access to External Client Apps");
        match (request.method.as_str(), rest) {
            ("GET", _)
                if !permissions.has_any(&[ExternalClientAppViewer, ExternalClientAppAdmin]) =>
            {
                Err(forbidden())
            }
            ("DELETE", _) if !permissions.has(ExternalClientAppAdmin) => Err(forbidden()),
            ("GET", []) => {
                let state = self.state();
                let apps = state.external.iter().enumerate().map(|(at, app)| {
                    json!({
                        "identifier": state.id(prefix::EXTERNAL_APP, at).to_string(),
                        "developerName": app.name,
                        "label": app.facts.label,
                    })
                });
                paged(request, "apps", apps.collect())
            }
            ("GET", [app, "users"]) => {
                let state = self.state();
                let app = external(&state, app)?;
                let mut users: Vec<u32> = state
                    .tokens
                    .live()
                    .filter(|(_, row)| {
                        row.app as usize == app && state.users.len() > row.user as usize
                    })
                    .map(|(_, row)| row.user)
                    .collect();
                users.sort_unstable();
                users.dedup();
                let users = users.into_iter().map(|user| {
                    json!({
                        "identifier": state.id(prefix::USER, user as usize).to_string(),
                        "userName": state.users[user as usize].facts.username,
                    })
                });
                paged(request, "users", users.collect())
            }
            ("GET", [app, user, "tokens"]) => {
                super::only_params(request, &[])?;
                let state = self.state();
                let app = external(&state, app)?;
                let user = user_of(&state, user)?;
                let rows = state.tokens.live().filter(|(_, row)| owned(row, app, user));
                let base = request.path.split("/apps/").next().unwrap_or_default();
                let tokens: Vec<Json> =
                    rows.map(|(serial, row)| token(&state, base, app, serial, row)).collect();
                Ok(Reply::json(200, json!({ "tokens": tokens }).to_string()))
            }
            ("DELETE", ["tokens", token]) => {
                super::only_params(request, &[])?;
                let mut state = self.state_mut();
                let serial = Id::parse(token)
                    .and_then(|id| id.serial(prefix::TOKEN))
                    .filter(|serial| *serial < state.tokens.len())
                    .filter(|serial| {
                        let app = state.tokens.row(*serial).app as usize;
                        matches!(state.apps[app].kind, AppKind::External(_))
                    })
                    .ok_or_else(Refusal::not_found)?;
                if state.tokens.revoke(serial) {
                    Ok(Reply::empty(204))
                } else {
                    Err(Refusal::not_found())
                }
            }
            ("DELETE", [app, user, "tokens"]) => {
                super::only_params(request, &[])?;
                let mut state = self.state_mut();
                let app = external(&state, app)?;
                let user = user_of(&state, user)?;
                state.tokens.revoke_where(|row| owned(row, app, user));
                Ok(Reply::empty(204))
            }
            ("DELETE", [app, "tokens"]) => {
                super::only_params(request, &[])?;
                let mut state = self.state_mut();
                let app = external(&state, app)?;
                state.tokens.revoke_where(|row| row.app as usize == app);
                Ok(Reply::empty(204))
            }
            (method, [] | [_, "users"]) => Err(Refusal::method_not_allowed(method, "GET")),
            (method, [_, _, "tokens"]) => Err(Refusal::method_not_allowed(method, "GET,DELETE")),
            (method, ["tokens", _] | [_, "tokens"]) => {
                Err(Refusal::method_not_allowed(method, "DELETE"))
            }
            _ => Err(Refusal::not_found()),
        }
    }
}

fn external(state: &State, id: &str) -> Result<usize, Refusal> {
    let serial = Id::parse(id).and_then(|id| id.serial(prefix::EXTERNAL_APP));
    serial
        .and_then(|serial| state.external.get(serial))
        .map(|app| app.app)
        .ok_or_else(Refusal::not_found)
}

fn user_of(state: &State, id: &str) -> Result<usize, Refusal> {
    let serial = Id::parse(id).and_then(|id| id.serial(prefix::USER));
    serial.filter(|serial| *serial < state.users.len()).ok_or_else(Refusal::not_found)
}

fn owned(row: &TokenRow, app: usize, user: usize) -> bool {
    row.app as usize == app && row.user as usize == user
}

fn token(state: &State, base: &str, app: usize, serial: usize, row: &TokenRow) -> Json {
    let id = state.id(prefix::TOKEN, serial);
    let mut token = Map::new();
    token.insert("accessTokenFormat".to_owned(), "Opaque".into());
    token.insert("appDeveloperName".to_owned(), developer_name(state, app).into());
    let app_id = state.app_id(app).map(|id| id.to_string());
    token.insert("appIdentifier".to_owned(), app_id.into());
    token.insert("initialConnectionAt".to_owned(), datetime_zulu(row.created).into());
    token.insert("lastUsedAt".to_owned(), row.last_used.map(datetime_zulu).into());
    token.insert("revocationUrl".to_owned(), format!("{base}/apps/oauth/usage/tokens/{id}").into());
    Json::Object(token)
}

fn developer_name(state: &State, app: usize) -> &str {
    match state.apps[app].kind {
        AppKind::External(at) => &state.external[at].name,
        AppKind::Connected(_) | AppKind::Uninstalled => "",
    }
}

fn paged(request: &Request, name: &str, all: Vec<Json>) -> Result<Reply, Refusal> {
    super::only_params(request, &["page", "pageSize"])?;
    let number = |name: &str, default: usize| match request.param(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| {
            let message = format!("The value '{text}' for the parameter '{name}' is invalid");
            Refusal::new(400, "ILLEGAL_QUERY_PARAMETER_VALUE", message)
        }),
    };
    let (page, size) = (number("page", 0)?, number("pageSize", PAGE)?.clamp(1, PAGE));
    let items: Vec<Json> = all.into_iter().skip(page.saturating_mul(size)).take(size).collect();
    let link = |page: usize| format!("{}?page={page}&pageSize={size}", request.path);
    let body = json!({
        name: items,
        "currentPageUrl": link(page),
        "nextPageUrl": link(page + 1),
    });
    Ok(Reply::json(200, body.to_string()))
}
