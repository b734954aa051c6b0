//! Users, the clients that they use, and the end of their sessions.

use serde_json::{Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::events::{Party, Told};
use super::filter::Filter;
use super::gate::Caller;
use super::pages::later;
use super::params::{flag, limit, only, word};
use super::route::Asked;
use super::state::{Life, State, User};
use super::time::iso;
use crate::wire::{Reply, Request};

/// What `filter` and `search` know.
const FILTERS: [(&str, &[&str]); 7] = [
    ("id", &["eq"]),
    ("status", &["eq", "ne"]),
    ("lastUpdated", &["eq", "gt", "ge", "lt", "le"]),
    ("profile.login", &["eq", "sw"]),
    ("profile.email", &["eq", "sw"]),
    ("profile.firstName", &["eq", "sw"]),
    ("profile.lastName", &["eq", "sw"]),
];

/// The place of a user that a path names by id or login.
pub(super) fn live_user(state: &State, key: &str) -> Result<u32, Refusal> {
    state.user(key).ok_or_else(|| Refusal::not_found(key, "User"))
}

/// The place of an OIDC app that a path names by client id.
pub(super) fn live_client(state: &State, client_id: &str) -> Result<u32, Refusal> {
    let app = state.app(client_id).filter(|app| {
        let app = &state.apps[*app as usize];
        app.is_oidc() && app.client_id == client_id
    });
    app.ok_or_else(|| Refusal::not_found(client_id, "PublicClientApp"))
}

/// A client as users and authorization servers list it.
pub(super) fn client_json(state: &State, app: u32, base_url: &str) -> Json {
    let app = &state.apps[app as usize];
    json!({
        "client_id": app.client_id,
        "client_name": app.facts.label,
        "client_uri": null,
        "logo_uri": null,
        "_links": {
            "self": { "href": format!("{base_url}/oauth2/v1/clients/{}", app.client_id) },
        },
    })
}

fn names(user: &User) -> (&str, &str) {
    let name = user.facts.name.as_deref().unwrap_or_default();
    // The platform wants both.
    name.split_once(' ').unwrap_or((name, name))
}

fn updated(user: &User) -> i64 {
    user.status_changed.unwrap_or(user.created)
}

fn user_json(user: &User, base_url: &str) -> Json {
    let (first, last) = names(user);
    let staged = user.status == "STAGED";
    let mut body = json!({
        "id": user.id,
        "status": user.status,
        "created": iso(user.created),
        "activated": if staged { Json::Null } else { json!(iso(user.created)) },
        "statusChanged": user.status_changed.map(iso),
        "lastLogin": user.last_login.map(iso),
        "lastUpdated": iso(updated(user)),
        "passwordChanged": if staged { Json::Null } else { json!(iso(user.created)) },
        "type": { "id": "otyFAKE0000000000000" },
        "profile": {
            "firstName": first,
            "lastName": last,
            "mobilePhone": null,
            "secondEmail": null,
            "login": user.facts.login,
            "email": user.facts.login,
        },
        "credentials": { "provider": { "type": "OKTA", "name": "OKTA" } },
        "_links": { "self": { "href": format!("{base_url}/api/v1/users/{}", user.id) } },
    });
    if let Some(department) = &user.facts.department {
        body["profile"]["department"] = json!(department);
    }
    body
}

fn field(user: &User, name: &str) -> Vec<String> {
    let (first, last) = names(user);
    vec![match name {
        "id" => user.id.clone(),
        "status" => user.status.to_owned(),
        "lastUpdated" => iso(updated(user)),
        "profile.firstName" => first.to_owned(),
        "profile.lastName" => last.to_owned(),
        _ => user.facts.login.clone(),
    }]
}

impl Core {
    /// `GET /api/v1/users`. Without `filter` or `search` the deactivated are left out.
    pub(super) fn list_users(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        only(request, &["filter", "search", "q", "after", "limit", "sortBy", "sortOrder"])?;
        word(request, "sortOrder", &["asc", "desc"])?;
        if request.param("sortBy").is_some_and(|sort| sort != "id" && sort != "created") {
            return Err(Refusal::validation(
                "sortBy",
                "sortBy: the lab sorts by its own order only",
            ));
        }
        let size = limit(request, 1..=200, 200)?.min(state.behaviour.users_page);
        let parse =
            |name| request.param(name).map(|text| Filter::parse(text, &FILTERS)).transpose();
        let filters: Vec<Filter> =
            [parse("filter")?, parse("search")?].into_iter().flatten().collect();
        let start = request.param("q").map(str::to_lowercase);
        let after = self.after(state, request)?;
        let wanted = |user: &User| {
            let (first, last) = names(user);
            let named = |start: &String| {
                [first, last, &user.facts.login]
                    .iter()
                    .any(|it| it.to_lowercase().starts_with(start))
            };
            !user.deleted
                && (!filters.is_empty() || user.status != "DEPROVISIONED")
                && filters.iter().all(|filter| filter.holds(&|name| field(user, name)))
                && start.as_ref().is_none_or(named)
        };
        let rows = (0_u32..)
            .zip(&state.users)
            .filter(|(number, user)| later(after, *number) && wanted(user));
        let rows = rows.map(|(number, user)| ((0, number), user_json(user, &self.base_url)));
        Ok(self.page(request, size, rows))
    }

    /// `GET /api/v1/users/{id}`; `me` is whoever has the API token.
    pub(super) fn get_user(
        &self,
        state: &State,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand"])?;
        let user = match (asked.part(0), caller) {
            ("me", Caller::ApiToken(token)) => state.api_tokens[*token].user,
            (key, _) => live_user(state, key)?,
        };
        let body = user_json(&state.users[user as usize], &self.base_url);
        Ok(Reply::json(200, body.to_string()))
    }

    /// `GET /api/v1/users/{id}/clients`, which has no pages.
    pub(super) fn user_clients(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let user = live_user(state, asked.part(0))?;
        let consents =
            state.shown_grants().filter(|(_, it)| it.user == Some(user) && it.life == Life::Active);
        let tokens = state
            .shown_tokens(self.now())
            .filter(|(_, it)| it.user == user && it.life == Life::Active);
        let mut apps: Vec<u32> =
            consents.map(|(_, it)| it.app).chain(tokens.map(|(_, it)| it.app)).collect();
        apps.sort_unstable();
        apps.dedup();
        let rows: Vec<Json> =
            apps.into_iter().map(|app| client_json(state, app, &self.base_url)).collect();
        Ok(Reply::json(200, Json::Array(rows).to_string()))
    }

    /// `DELETE /api/v1/users/{id}/sessions`, with the user's refresh tokens if asked.
    pub(super) fn delete_sessions(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["oauthTokens", "forgetDevices"])?;
        flag(request, "forgetDevices", true)?;
        let tokens = flag(request, "oauthTokens", false)?;
        let user = live_user(&self.state(), asked.part(0))?;
        if tokens {
            self.end_tokens(caller, |token| token.user == user);
        }
        let now = self.now();
        let mut state = self.state_mut();
        let told = Told::new(
            "user.session.clear",
            "Clear user session",
            caller.party(&state),
            vec![Party::user(&state, user)],
        );
        state.tell(now, told);
        Ok(Reply::empty(204))
    }
}
