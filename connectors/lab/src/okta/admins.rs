//! Who is an admin: roles of users and of clients, and the list of all users that have one.

use serde_json::{Value as Json, json};

use super::Core;
use super::error::Refusal;
use super::pages::{cut, later};
use super::params::{limit, only};
use super::roles::Role;
use super::route::Asked;
use super::state::State;
use super::users::{live_client, live_user};
use crate::wire::{Reply, Request};

impl Core {
    fn roles(&self, roles: &[Role], whose: &str, assignment: &str) -> Reply {
        let rows: Vec<Json> =
            roles.iter().map(|role| role.json(whose, assignment, &self.base_url)).collect();
        Reply::json(200, Json::Array(rows).to_string())
    }

    /// `GET /api/v1/users/{id}/roles`.
    pub(super) fn user_roles(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["expand"])?;
        let user = &state.users[live_user(state, asked.part(0))? as usize];
        Ok(self.roles(&user.roles, &user.id, "USER"))
    }

    /// `GET /oauth2/v1/clients/{clientId}/roles`.
    pub(super) fn client_roles(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let app = &state.apps[live_client(state, asked.part(0))? as usize];
        Ok(self.roles(&app.roles, &app.client_id, "CLIENT"))
    }

    /// `GET /api/v1/iam/assignees/users`, whose pages are linked in the body.
    pub(super) fn list_assignees(
        &self,
        state: &State,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["after", "limit"])?;
        let size = limit(request, 1..=100, 100)?.min(state.behaviour.assignees_page);
        let after = self.after(state, request)?;
        let admins = (0_u32..).zip(&state.users).filter(|(number, user)| {
            later(after, *number) && !user.deleted && !user.roles.is_empty()
        });
        let rows = admins.map(|(number, user)| {
            let body = json!({
                "id": user.id,
                "orn": format!("orn:okta:directory:{}:users:{}", state.org_id, user.id),
                "_links": {
                    "self": { "href": format!("{}/api/v1/users/{}", self.base_url, user.id) },
                    "roles": { "href": format!("{}/api/v1/users/{}/roles", self.base_url, user.id) },
                },
            });
            ((0, number), body)
        });
        let (items, next) = cut(size, rows);
        let mut links = json!({ "self": { "href": self.own_address(request) } });
        if let Some(position) = next {
            links["next"] = json!({ "href": self.next_address(request, position) });
        }
        Ok(Reply::json(200, json!({ "value": items, "_links": links }).to_string()))
    }
}
