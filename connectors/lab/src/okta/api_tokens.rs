//! API tokens (SSWS): listing, reading, binding to network zones, revoking. The secret itself is never shown.

use serde_json::{Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::events::{Party, Told};
use super::gate::Caller;
use super::params::{body, only};
use super::route::Asked;
use super::state::{ApiToken, State};
use super::time::iso;
use crate::wire::{Reply, Request};

fn network_json(token: &ApiToken) -> Json {
    if token.include.is_empty() && token.exclude.is_empty() {
        return json!({ "connection": "ANYWHERE" });
    }
    let mut network = json!({ "connection": "ZONE" });
    for (name, zones) in [("include", &token.include), ("exclude", &token.exclude)] {
        if !zones.is_empty() {
            network[name] = json!(zones);
        }
    }
    network
}

fn token_json(state: &State, token: &ApiToken, base_url: &str) -> Json {
    let own = format!("{base_url}/api/v1/api-tokens/{}", token.id);
    let user = &state.users[token.user as usize].id;
    json!({
        "name": token.name,
        "userId": user,
        "tokenWindow": format!("P{}D", token.window_days),
        "network": network_json(token),
        "id": token.id,
        "clientName": token.client_name,
        "expiresAt": iso(token.expires()),
        "created": iso(token.created),
        "lastUpdated": iso(token.updated),
        "_link": {
            "self": { "href": own, "hints": { "allow": ["GET", "DELETE"] } },
            "user": { "href": format!("{base_url}/api/v1/users/{user}"), "hints": { "allow": ["GET"] } },
        },
    })
}

fn live(state: &State, id: &str, now: i64) -> Result<usize, Refusal> {
    let listed = |token: &ApiToken| token.id == id && state.lists(token, now);
    let found = state.api_tokens.iter().position(listed);
    found.ok_or_else(|| Refusal::not_found(id, "ApiToken"))
}

/// Zone ids of a list in a body; every one must exist.
fn zones(state: &State, network: &Json, name: &str) -> Result<Vec<String>, Refusal> {
    let Some(list) = network.get(name) else { return Ok(Vec::new()) };
    let wrong =
        || Refusal::validation("network", format!("network.{name}: must be ids of network zones"));
    let ids = list.as_array().ok_or_else(wrong)?;
    let known = |id: &Json| {
        let id = id.as_str()?;
        state.zones.iter().find(|zone| zone.id == id).map(|zone| zone.id.clone())
    };
    ids.iter().map(|id| known(id).ok_or_else(wrong)).collect()
}

impl Core {
    /// `GET /api/v1/api-tokens`, which has no pages.
    pub(super) fn list_api_tokens(
        &self,
        state: &State,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let listed = state.api_tokens.iter().filter(|token| state.lists(token, now));
        let rows: Vec<Json> =
            listed.map(|token| token_json(state, token, &self.base_url)).collect();
        Ok(Reply::json(200, Json::Array(rows).to_string()))
    }

    /// `GET /api/v1/api-tokens/{id}`.
    pub(super) fn get_api_token(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let token = live(state, asked.part(0), self.now())?;
        Ok(Reply::json(
            200,
            token_json(state, &state.api_tokens[token], &self.base_url).to_string(),
        ))
    }

    /// `PUT /api/v1/api-tokens/{id}`: its name and where it works from.
    pub(super) fn update_api_token(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let fields = body(request, &["name", "userId", "network", "clientName", "created"])?;
        let mut state = self.state_mut();
        let place = live(&state, asked.part(0), now)?;
        let name = fields.get("name").and_then(Json::as_str);
        let name = name
            .ok_or_else(|| Refusal::validation("name", "name: The field cannot be left blank"))?;
        let owner = &state.users[state.api_tokens[place].user as usize].id;
        if fields.get("userId").is_some_and(|user| user != owner) {
            return Err(Refusal::validation("userId", "userId: cannot be changed"));
        }
        let mut lists = None;
        if let Some(network) = fields.get("network") {
            let (include, exclude) =
                (zones(&state, network, "include")?, zones(&state, network, "exclude")?);
            let none = include.is_empty() && exclude.is_empty();
            match (network["connection"].as_str(), none) {
                (Some("ANYWHERE"), true) | (Some("ZONE"), false) => {
                    lists = Some((include, exclude));
                }
                _ => {
                    let cause = "network.connection: must be ANYWHERE, or ZONE with network zones";
                    return Err(Refusal::validation("network", cause));
                }
            }
        }
        let name = name.to_owned();
        let token = &mut state.api_tokens[place];
        token.name = name;
        if let Some((include, exclude)) = lists {
            token.include = include;
            token.exclude = exclude;
        }
        let target = Party::new(&token.id, "Token", &token.name);
        let told = Told::new(
            "system.api_token.update",
            "Update API token",
            caller.party(&state),
            vec![target],
        );
        state.tell(now, told);
        Ok(Reply::json(
            200,
            token_json(&state, &state.api_tokens[place], &self.base_url).to_string(),
        ))
    }

    /// `DELETE /api/v1/api-tokens/{id}`.
    pub(super) fn delete_api_token(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let mut state = self.state_mut();
        let place = live(&state, asked.part(0), now)?;
        let token = &mut state.api_tokens[place];
        token.gone = true;
        let target = Party::new(&token.id, "Token", &token.name);
        let told = Told::new(
            "system.api_token.revoke",
            "Revoke API token",
            caller.party(&state),
            vec![target],
        );
        state.tell(now, told);
        Ok(Reply::empty(204))
    }
}
