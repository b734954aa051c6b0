//! Consents to scopes, by app, by user, and by user and client.

use serde_json::{Value as Json, json};

use super::Core;
use super::apps::live_app;
use super::error::Refusal;
use super::events::{Party, Told};
use super::gate::Caller;
use super::pages::later;
use super::params::{limit, only, word};
use super::route::Asked;
use super::state::{Grant, Life, State, grant_id, scope_id};
use super::time::iso;
use super::users::{live_client, live_user};
use crate::wire::{Reply, Request};

/// The platform's page size where none is asked for.
const USUAL: usize = 20;

/// The status word of a life.
pub(super) fn status(life: Life) -> &'static str {
    if life == Life::Active { "ACTIVE" } else { "REVOKED" }
}

fn grant_json(state: &State, number: u32, grant: &Grant, base_url: &str, expand: bool) -> Json {
    let app = &state.apps[grant.app as usize];
    let scope = &state.scope_names[grant.scope as usize];
    let user = grant.user.map(|user| state.users[user as usize].id.clone());
    let maker = grant.user.or(grant.created_by).map(|user| state.users[user as usize].id.clone());
    let id = grant_id(number);
    let own = match &user {
        None => format!("{base_url}/api/v1/apps/{}/grants/{id}", app.id),
        Some(user) => format!("{base_url}/api/v1/users/{user}/grants/{id}"),
    };
    let mut body = json!({
        "id": id,
        "status": status(grant.life),
        "created": iso(grant.created),
        "createdBy": { "id": maker.unwrap_or_else(|| "sprFAKE0000000000000".to_owned()), "type": if grant.user.or(grant.created_by).is_some() { "User" } else { "SystemPrincipal" } },
        "lastUpdated": iso(grant.created),
        "issuer": state.issuer(grant.server, base_url),
        "clientId": app.client_id,
        "scopeId": scope,
        "source": if grant.user.is_some() { "END_USER" } else { "ADMIN" },
        "_links": {
            "app": { "href": format!("{base_url}/api/v1/apps/{}", app.id), "title": app.facts.label },
            "self": { "href": own, "hints": { "allow": ["GET", "DELETE"] } },
            "client": { "href": format!("{base_url}/oauth2/v1/clients/{}", app.client_id), "title": app.facts.label },
        },
    });
    if let Some(user) = user {
        body["userId"] = json!(user);
        body["_links"]["user"] = json!({ "href": format!("{base_url}/api/v1/users/{user}") });
    }
    if expand {
        let server =
            grant.server.map_or("org", |server| state.servers[server as usize].id.as_str());
        body["_embedded"] = json!({ "scope": { "id": scope_id(server, scope), "name": scope } });
    }
    body
}

/// Whether scopes are to be shown with their consents.
fn expanded(request: &Request) -> Result<bool, Refusal> {
    Ok(word(request, "expand", &["scope"])?.is_some())
}

impl Core {
    /// `GET /api/v1/apps/{id}/grants`, which has no pages.
    pub(super) fn app_grants(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand"])?;
        let expand = expanded(request)?;
        let app = live_app(state, asked.part(0))?;
        let own =
            state.shown_grants().filter(|(_, grant)| grant.app == app && grant.server.is_none());
        let rows: Vec<Json> = own
            .map(|(number, grant)| grant_json(state, number, grant, &self.base_url, expand))
            .collect();
        Ok(Reply::json(200, Json::Array(rows).to_string()))
    }

    /// `GET /api/v1/apps/{id}/grants/{grantId}`.
    pub(super) fn app_grant(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand"])?;
        let expand = expanded(request)?;
        let app = live_app(state, asked.part(0))?;
        self.one_grant(state, asked.part(1), expand, |grant| {
            grant.app == app && grant.server.is_none()
        })
    }

    fn one_grant(
        &self,
        state: &State,
        id: &str,
        expand: bool,
        own: impl Fn(&Grant) -> bool,
    ) -> Result<Reply, Refusal> {
        let found = state.grant(id).filter(|place| own(&state.grants[*place]));
        let place = found.ok_or_else(|| Refusal::not_found(id, "OAuth2ScopeConsentGrant"))?;
        let number = super::state::place(place);
        let body = grant_json(state, number, &state.grants[place], &self.base_url, expand);
        Ok(Reply::json(200, body.to_string()))
    }

    /// `DELETE /api/v1/apps/{id}/grants/{grantId}`.
    pub(super) fn delete_app_grant(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let app = live_app(&self.state(), asked.part(0))?;
        self.end_one(asked.part(1), caller, |grant| grant.app == app && grant.server.is_none())
    }

    /// `GET /api/v1/users/{id}/grants`.
    pub(super) fn user_grants(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["scopeId", "expand", "after", "limit"])?;
        let user = live_user(state, asked.part(0))?;
        let scope = request.param("scopeId");
        self.some_grants(state, request, |grant| {
            grant.user == Some(user)
                && scope.is_none_or(|scope| state.scope_names[grant.scope as usize] == scope)
        })
    }

    fn some_grants(
        &self,
        state: &State,
        request: &Request,
        own: impl Fn(&Grant) -> bool,
    ) -> Result<Reply, Refusal> {
        let expand = expanded(request)?;
        let size = limit(request, 1..=200, USUAL)?.min(state.behaviour.grants_page);
        let after = self.after(state, request)?;
        let rows =
            state.shown_grants().filter(|(number, grant)| later(after, *number) && own(grant));
        let rows = rows.map(|(number, grant)| {
            ((0, number), grant_json(state, number, grant, &self.base_url, expand))
        });
        Ok(self.page(request, size, rows))
    }

    /// `GET /api/v1/users/{id}/grants/{grantId}`.
    pub(super) fn user_grant(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand"])?;
        let expand = expanded(request)?;
        let user = live_user(state, asked.part(0))?;
        self.one_grant(state, asked.part(1), expand, |grant| grant.user == Some(user))
    }

    /// `DELETE /api/v1/users/{id}/grants`.
    pub(super) fn delete_user_grants(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let user = live_user(&self.state(), asked.part(0))?;
        self.end_all(caller, |grant| grant.user == Some(user));
        Ok(Reply::empty(204))
    }

    /// `DELETE /api/v1/users/{id}/grants/{grantId}`.
    pub(super) fn delete_user_grant(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let user = live_user(&self.state(), asked.part(0))?;
        self.end_one(asked.part(1), caller, |grant| grant.user == Some(user))
    }

    /// `GET /api/v1/users/{id}/clients/{clientId}/grants`.
    pub(super) fn client_grants(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand", "after", "limit"])?;
        let user = live_user(state, asked.part(0))?;
        let app = live_client(state, asked.part(1))?;
        self.some_grants(state, request, |grant| grant.user == Some(user) && grant.app == app)
    }

    /// `DELETE /api/v1/users/{id}/clients/{clientId}/grants`.
    pub(super) fn delete_client_grants(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let (user, app) = {
            let state = self.state();
            (live_user(&state, asked.part(0))?, live_client(&state, asked.part(1))?)
        };
        self.end_all(caller, |grant| grant.user == Some(user) && grant.app == app);
        Ok(Reply::empty(204))
    }

    fn end_one(
        &self,
        id: &str,
        caller: &Caller,
        own: impl Fn(&Grant) -> bool,
    ) -> Result<Reply, Refusal> {
        let state = self.state();
        let found = state.grant(id).filter(|place| {
            let grant = &state.grants[*place];
            grant.life == Life::Active && own(grant)
        });
        let place = found.ok_or_else(|| Refusal::not_found(id, "OAuth2ScopeConsentGrant"))?;
        drop(state);
        self.end_grants(caller, &[super::state::place(place)]);
        Ok(Reply::empty(204))
    }

    fn end_all(&self, caller: &Caller, own: impl Fn(&Grant) -> bool) {
        let state = self.state();
        let live =
            state.shown_grants().filter(|(_, grant)| grant.life == Life::Active && own(grant));
        let numbers: Vec<u32> = live.map(|(number, _)| number).collect();
        drop(state);
        self.end_grants(caller, &numbers);
    }

    fn end_grants(&self, caller: &Caller, numbers: &[u32]) {
        let now = self.now();
        let mut state = self.state_mut();
        for number in numbers {
            let grant = state.grants[*number as usize];
            let kind = match (grant.user, grant.server) {
                (None, _) => "app.oauth2.admin.consent.revoke",
                (Some(_), None) => "app.oauth2.consent.revoke",
                (Some(_), Some(_)) => "app.oauth2.as.consent.revoke",
            };
            let scope = state.scope_names[grant.scope as usize].clone();
            let targets = vec![
                Party::client(&state, grant.app),
                Party::new(&grant_id(*number), "OAuth2Scope", &scope),
            ];
            let told =
                Told::new(kind, "Revoke consent to OAuth scope", caller.party(&state), targets);
            state.revoke_grant(*number as usize);
            state.tell(now, told);
        }
    }
}
