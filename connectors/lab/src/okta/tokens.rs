//! Refresh tokens, by app, by user and client, and by authorization server and client.

use serde_json::{Value as Json, json};

use super::Core;
use super::apps::live_app;
use super::error::Refusal;
use super::events::{Party, Told};
use super::gate::Caller;
use super::grants::status;
use super::pages::later;
use super::params::{limit, only, word};
use super::route::Asked;
use super::servers::live_server;
use super::state::{Life, RefreshToken, State, place, scope_id, token_id};
use super::time::iso;
use super::users::{live_client, live_user};
use crate::wire::{Reply, Request};

/// The platform's page size where none is asked for.
const USUAL: usize = 20;

fn token_json(
    state: &State,
    number: u32,
    token: &RefreshToken,
    base_url: &str,
    expand: bool,
) -> Json {
    let app = &state.apps[token.app as usize];
    let user = &state.users[token.user as usize];
    let id = token_id(number);
    let own = format!("{base_url}/api/v1/apps/{}/tokens/{id}", app.id);
    let scopes = &state.scope_sets[token.scopes as usize];
    let mut body = json!({
        "id": id,
        "status": status(token.life),
        "created": iso(token.created),
        "lastUpdated": iso(token.updated),
        "expiresAt": iso(token.expires),
        "issuer": state.issuer(token.server, base_url),
        "clientId": app.client_id,
        "userId": user.id,
        "scopes": scopes,
        "_links": {
            "app": { "href": format!("{base_url}/api/v1/apps/{}", app.id), "title": app.facts.label },
            "self": { "href": own, "hints": { "allow": ["GET", "DELETE"] } },
            "revoke": { "href": own, "hints": { "allow": ["DELETE"] } },
            "client": { "href": format!("{base_url}/oauth2/v1/clients/{}", app.client_id), "title": app.facts.label },
            "user": { "href": format!("{base_url}/api/v1/users/{}", user.id), "title": user.facts.name },
        },
    });
    if expand {
        let server =
            token.server.map_or("org", |server| state.servers[server as usize].id.as_str());
        let shown = scopes.iter().map(|scope| {
            json!({ "id": scope_id(server, scope), "name": scope, "displayName": scope, "description": format!("The scope {scope}") })
        });
        body["_embedded"] = json!({ "scopes": shown.collect::<Vec<_>>() });
    }
    body
}

impl Core {
    fn some_tokens(
        &self,
        state: &State,
        request: &Request,
        own: impl Fn(&RefreshToken) -> bool,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand", "after", "limit"])?;
        let expand = word(request, "expand", &["scope"])?.is_some();
        let size = limit(request, 1..=200, USUAL)?.min(state.behaviour.tokens_page);
        let after = self.after(state, request)?;
        let rows = state.shown_tokens(self.now());
        let rows = rows.filter(|(number, token)| later(after, *number) && own(token));
        let rows = rows.map(|(number, token)| {
            ((0, number), token_json(state, number, token, &self.base_url, expand))
        });
        Ok(self.page(request, size, rows))
    }

    /// `GET /api/v1/apps/{id}/tokens`.
    pub(super) fn app_tokens(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let app = live_app(state, asked.part(0))?;
        self.some_tokens(state, request, |token| token.app == app)
    }

    /// `GET /api/v1/apps/{id}/tokens/{tokenId}`.
    pub(super) fn app_token(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand"])?;
        let expand = word(request, "expand", &["scope"])?.is_some();
        let app = live_app(state, asked.part(0))?;
        let found =
            state.token(asked.part(1), self.now()).filter(|it| state.tokens[*it].app == app);
        let found = found.ok_or_else(|| Refusal::not_found(asked.part(1), "OAuth2RefreshToken"))?;
        let body = token_json(state, place(found), &state.tokens[found], &self.base_url, expand);
        Ok(Reply::json(200, body.to_string()))
    }

    /// `DELETE /api/v1/apps/{id}/tokens`.
    pub(super) fn delete_app_tokens(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let app = live_app(&self.state(), asked.part(0))?;
        self.end_tokens(caller, |token| token.app == app);
        Ok(Reply::empty(204))
    }

    /// `DELETE /api/v1/apps/{id}/tokens/{tokenId}`.
    pub(super) fn delete_app_token(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let app = live_app(&self.state(), asked.part(0))?;
        self.end_token(asked.part(1), caller, |token| token.app == app)
    }

    /// `GET /api/v1/users/{id}/clients/{clientId}/tokens`.
    pub(super) fn client_tokens(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let user = live_user(state, asked.part(0))?;
        let app = live_client(state, asked.part(1))?;
        self.some_tokens(state, request, |token| token.user == user && token.app == app)
    }

    /// `DELETE /api/v1/users/{id}/clients/{clientId}/tokens`.
    pub(super) fn delete_client_tokens(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let (user, app) = self.user_and_client(asked)?;
        self.end_tokens(caller, |token| token.user == user && token.app == app);
        Ok(Reply::empty(204))
    }

    /// `DELETE /api/v1/users/{id}/clients/{clientId}/tokens/{tokenId}`.
    pub(super) fn delete_client_token(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let (user, app) = self.user_and_client(asked)?;
        self.end_token(asked.part(2), caller, |token| token.user == user && token.app == app)
    }

    fn user_and_client(&self, asked: &Asked) -> Result<(u32, u32), Refusal> {
        let state = self.state();
        Ok((live_user(&state, asked.part(0))?, live_client(&state, asked.part(1))?))
    }

    /// `GET /api/v1/authorizationServers/{id}/clients/{clientId}/tokens`.
    pub(super) fn server_tokens(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let server = live_server(state, asked.part(0))?;
        let app = live_client(state, asked.part(1))?;
        self.some_tokens(state, request, |token| token.server == Some(server) && token.app == app)
    }

    /// `DELETE /api/v1/authorizationServers/{id}/clients/{clientId}/tokens`.
    pub(super) fn delete_server_tokens(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let (server, app) = {
            let state = self.state();
            (live_server(&state, asked.part(0))?, live_client(&state, asked.part(1))?)
        };
        self.end_tokens(caller, |token| token.server == Some(server) && token.app == app);
        Ok(Reply::empty(204))
    }

    fn end_token(
        &self,
        id: &str,
        caller: &Caller,
        own: impl Fn(&RefreshToken) -> bool,
    ) -> Result<Reply, Refusal> {
        let found = {
            let state = self.state();
            state.token(id, self.now()).filter(|found| {
                let token = &state.tokens[*found];
                token.life == Life::Active && own(token)
            })
        };
        let found = found.ok_or_else(|| Refusal::not_found(id, "OAuth2RefreshToken"))?;
        self.end_numbers(caller, &[place(found)]);
        Ok(Reply::empty(204))
    }

    /// Ends every refresh token of a kind.
    pub(super) fn end_tokens(&self, caller: &Caller, own: impl Fn(&RefreshToken) -> bool) {
        let numbers: Vec<u32> = {
            let state = self.state();
            let live = state.shown_tokens(self.now());
            live.filter(|(_, token)| token.life == Life::Active && own(token))
                .map(|(it, _)| it)
                .collect()
        };
        self.end_numbers(caller, &numbers);
    }

    fn end_numbers(&self, caller: &Caller, numbers: &[u32]) {
        let now = self.now();
        let mut state = self.state_mut();
        for number in numbers {
            let token = state.tokens[*number as usize];
            let kind = if token.server.is_some() {
                "app.oauth2.as.token.revoke"
            } else {
                "app.oauth2.token.revoke"
            };
            let targets = vec![
                Party::client(&state, token.app),
                Party::user(&state, token.user),
                Party::new(&token_id(*number), "refresh_token", "Refresh Token"),
            ];
            let told = Told::new(kind, "OAuth token is revoked", caller.party(&state), targets);
            state.revoke_token(*number as usize);
            state.tell(now, told);
        }
    }
}
