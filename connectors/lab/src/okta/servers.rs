//! Custom authorization servers with their policies, rules, scopes and clients. Without the product they are closed.

use serde_json::{Value as Json, json};

use super::Core;
use super::behaviour::OktaMissingProduct;
use super::error::Refusal;
use super::pages::later;
use super::params::{limit, only};
use super::route::Asked;
use super::state::{Life, Policy, Server, State, place, scope_id};
use super::time::iso;
use super::users::client_json;
use super::world::OktaRule;
use crate::wire::{Reply, Request};

/// Scopes that every authorization server has.
const SYSTEM_SCOPES: [&str; 7] =
    ["openid", "profile", "email", "address", "phone", "offline_access", "device_sso"];

fn product(state: &State) -> Result<(), Refusal> {
    if state.api_access_management {
        return Ok(());
    }
    Err(match state.behaviour.missing_product {
        OktaMissingProduct::NotEnabled => {
            let summary = "You do not have permission to access the feature you are requesting";
            Refusal::new(401, "E0000015", summary)
        }
        OktaMissingProduct::NotAllowed => Refusal::new(
            403,
            "E0000038",
            "This operation is not allowed in the current state of the org.",
        ),
        OktaMissingProduct::NotFound => Refusal::not_found("authorizationServers", "Endpoint"),
    })
}

/// The place of an authorization server that a path names.
pub(super) fn live_server(state: &State, id: &str) -> Result<u32, Refusal> {
    product(state)?;
    let found = state.servers.iter().position(|server| server.id == id);
    found.map(place).ok_or_else(|| Refusal::not_found(id, "AuthorizationServer"))
}

fn server_json(server: &Server, base_url: &str) -> Json {
    let own = format!("{base_url}/api/v1/authorizationServers/{}", server.id);
    json!({
        "id": server.id,
        "name": server.name,
        "description": format!("Tokens for {}", server.audience),
        "audiences": [server.audience],
        "issuer": format!("{base_url}/oauth2/{}", server.id),
        "issuerMode": "ORG_URL",
        "status": server.status,
        "created": iso(server.created),
        "lastUpdated": iso(server.created),
        "credentials": { "signing": { "kid": format!("FAKE-{}", server.id), "rotationMode": "AUTO" } },
        "_links": {
            "self": { "href": own, "hints": { "allow": ["GET", "DELETE", "PUT"] } },
            "scopes": { "href": format!("{own}/scopes"), "hints": { "allow": ["GET"] } },
            "policies": { "href": format!("{own}/policies"), "hints": { "allow": ["GET"] } },
        },
    })
}

fn policy_json(server: &Server, policy: &Policy, priority: usize, base_url: &str) -> Json {
    let own =
        format!("{base_url}/api/v1/authorizationServers/{}/policies/{}", server.id, policy.id);
    let clients = match policy.clients.is_empty() {
        true => vec!["ALL_CLIENTS".to_owned()],
        false => policy.clients.clone(),
    };
    json!({
        "id": policy.id,
        "status": "ACTIVE",
        "name": policy.name,
        "description": "An access policy",
        "priority": priority,
        "system": false,
        "type": "OAUTH_AUTHORIZATION_POLICY",
        "conditions": { "clients": { "include": clients } },
        "created": iso(server.created),
        "lastUpdated": iso(server.created),
        "_links": { "self": { "href": own }, "rules": { "href": format!("{own}/rules") } },
    })
}

fn rule_json(server: &Server, (id, rule): &(String, OktaRule), priority: usize) -> Json {
    json!({
        "id": id,
        "status": "ACTIVE",
        "name": rule.name,
        "priority": priority,
        "system": false,
        "type": "RESOURCE_ACCESS",
        "conditions": {
            "people": { "users": { "include": [], "exclude": [] }, "groups": { "include": ["EVERYONE"], "exclude": [] } },
            "grantTypes": { "include": rule.grant_types },
            "scopes": { "include": rule.scopes },
        },
        "actions": {
            "token": {
                "accessTokenLifetimeMinutes": rule.access_minutes,
                "refreshTokenLifetimeMinutes": rule.refresh_minutes,
                "refreshTokenWindowMinutes": rule.window_minutes,
            },
        },
        "created": iso(server.created),
        "lastUpdated": iso(server.created),
    })
}

fn scope_json(server: &Server, name: &str, system: bool) -> Json {
    json!({
        "id": scope_id(&server.id, name),
        "name": name,
        "description": format!("The scope {name}"),
        "system": system,
        "default": false,
        "optional": false,
        "consent": "IMPLICIT",
        "metadataPublish": if system { "ALL_CLIENTS" } else { "NO_CLIENTS" },
    })
}

fn array(rows: Vec<Json>) -> Reply {
    Reply::json(200, Json::Array(rows).to_string())
}

impl Core {
    /// `GET /api/v1/authorizationServers`.
    pub(super) fn list_servers(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        only(request, &["q", "limit", "after"])?;
        product(state)?;
        let size = limit(request, 1..=200, 200)?;
        let after = self.after(state, request)?;
        let start = request.param("q").map(str::to_lowercase);
        let wanted = state.servers.iter().enumerate().filter(|(number, server)| {
            later(after, place(*number))
                && start.as_ref().is_none_or(|start| server.name.to_lowercase().contains(start))
        });
        let rows = wanted
            .map(|(number, server)| ((0, place(number)), server_json(server, &self.base_url)));
        Ok(self.page(request, size, rows))
    }

    /// `GET /api/v1/authorizationServers/{id}`.
    pub(super) fn get_server(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let server = &state.servers[live_server(state, asked.part(0))? as usize];
        Ok(Reply::json(200, server_json(server, &self.base_url).to_string()))
    }

    /// `GET …/{id}/policies`.
    pub(super) fn list_policies(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let server = &state.servers[live_server(state, asked.part(0))? as usize];
        let policies = (1..).zip(&server.policies);
        Ok(array(
            policies.map(|(it, policy)| policy_json(server, policy, it, &self.base_url)).collect(),
        ))
    }

    /// `GET …/{id}/policies/{policyId}/rules`.
    pub(super) fn list_rules(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let server = &state.servers[live_server(state, asked.part(0))? as usize];
        let policy = server.policies.iter().find(|policy| policy.id == asked.part(1));
        let policy = policy.ok_or_else(|| Refusal::not_found(asked.part(1), "Policy"))?;
        Ok(array((1..).zip(&policy.rules).map(|(it, rule)| rule_json(server, rule, it)).collect()))
    }

    /// `GET …/{id}/scopes`.
    pub(super) fn server_scopes(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["q", "filter", "after", "limit"])?;
        let server = &state.servers[live_server(state, asked.part(0))? as usize];
        let size = limit(request, 1..=200, 200)?;
        let after = self.after(state, request)?;
        let own = server.scopes.iter().map(|scope| (scope.as_str(), false));
        let all = SYSTEM_SCOPES.iter().map(|scope| (*scope, true)).chain(own);
        let rows = (0_u32..).zip(all).filter(|(number, _)| later(after, *number));
        let rows =
            rows.map(|(number, (scope, system))| ((0, number), scope_json(server, scope, system)));
        Ok(self.page(request, size, rows))
    }

    /// `GET …/{id}/clients`: those that have refresh tokens of the server.
    pub(super) fn server_clients(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let server = live_server(state, asked.part(0))?;
        let tokens = state.shown_tokens(self.now());
        let own = tokens.filter(|(_, it)| it.server == Some(server) && it.life == Life::Active);
        let mut apps: Vec<u32> = own.map(|(_, token)| token.app).collect();
        apps.sort_unstable();
        apps.dedup();
        Ok(array(apps.into_iter().map(|app| client_json(state, app, &self.base_url)).collect()))
    }
}
