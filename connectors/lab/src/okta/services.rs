//! API service integrations: vendors' machine access to the org's API, and their secrets, which are masked.

use serde_json::{Value as Json, json};

use super::Core;
use super::credentials::{self, Change};
use super::error::Refusal;
use super::events::{Party, Told};
use super::gate::Caller;
use super::pages::later;
use super::params::only;
use super::route::Asked;
use super::state::{Credential, Service, State, place};
use super::time::iso;
use crate::wire::{Reply, Request};

fn service_json(state: &State, service: &Service, base_url: &str) -> Json {
    let own = format!("{base_url}/integrations/api/v1/api-services/{}", service.id);
    let maker = service.created_by.map(|user| state.users[user as usize].id.clone());
    json!({
        "id": service.id,
        "type": service.kind,
        "name": service.name,
        "createdAt": iso(service.created),
        "createdBy": maker.unwrap_or_else(|| "00uFAKE0000000000000".to_owned()),
        "configGuideUrl": "https://vendor.example/guide",
        "grantedScopes": service.scopes,
        "_links": {
            "self": { "href": own },
            "client": { "href": format!("{base_url}/oauth2/v1/clients/{}", service.id) },
            "logo": { "href": "https://vendor.example/logo.png" },
        },
    })
}

fn secret_json(service: &str, secret: &Credential, base_url: &str) -> Json {
    let own = format!(
        "{base_url}/integrations/api/v1/api-services/{service}/credentials/secrets/{}",
        secret.id
    );
    json!({
        "id": secret.id,
        "status": if secret.active { "ACTIVE" } else { "INACTIVE" },
        "client_secret": "***FAKE",
        "secret_hash": format!("FAKE{}", secret.id),
        "created": iso(secret.created),
        "lastUpdated": iso(secret.updated),
        "_links": { credentials::next_step(secret): { "href": format!("{own}/lifecycle/{}", credentials::next_step(secret)) } },
    })
}

fn live(state: &State, id: &str) -> Result<usize, Refusal> {
    let found = state.service(id).filter(|place| state.services[*place].id == id);
    found.ok_or_else(|| Refusal::not_found(id, "ApiServiceIntegrationInstance"))
}

impl Core {
    /// `GET /integrations/api/v1/api-services`; its page size is the platform's.
    pub(super) fn list_services(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        only(request, &["after"])?;
        let after = self.after(state, request)?;
        let live = state
            .services
            .iter()
            .enumerate()
            .filter(|(number, it)| !it.gone && later(after, place(*number)));
        let rows = live.map(|(number, service)| {
            ((0, place(number)), service_json(state, service, &self.base_url))
        });
        Ok(self.page(request, state.behaviour.services_page, rows))
    }

    /// `GET /integrations/api/v1/api-services/{id}`.
    pub(super) fn get_service(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let service = live(state, asked.part(0))?;
        Ok(Reply::json(
            200,
            service_json(state, &state.services[service], &self.base_url).to_string(),
        ))
    }

    /// `DELETE /integrations/api/v1/api-services/{id}`.
    pub(super) fn delete_service(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let mut state = self.state_mut();
        let place = live(&state, asked.part(0))?;
        let service = &mut state.services[place];
        service.gone = true;
        let target = Party::new(&service.id, "AppInstance", &service.name);
        let told = Told::new(
            "integration.api_service.lifecycle.revoke",
            "Revoke API service integration",
            caller.party(&state),
            vec![target],
        );
        state.tell(now, told);
        Ok(Reply::empty(204))
    }

    /// `GET …/{id}/credentials/secrets`, masked.
    pub(super) fn service_secrets(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let service = &state.services[live(state, asked.part(0))?];
        let rows: Vec<Json> = service
            .secrets
            .iter()
            .map(|secret| secret_json(&service.id, secret, &self.base_url))
            .collect();
        Ok(Reply::json(200, Json::Array(rows).to_string()))
    }

    /// `POST …/secrets/{id}/lifecycle/{activate,deactivate}`, `DELETE …/secrets/{id}`.
    pub(super) fn change_service_secret(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let mut state = self.state_mut();
        let place = live(&state, asked.part(0))?;
        let change = Change::of(asked.op);
        let changed = change.apply(&mut state.services[place].secrets, asked.part(1), now)?;
        let service = &state.services[place];
        let target = Party::new(&service.id, "AppInstance", &service.name);
        let told =
            Told::new(change.event(), "Change client secret", caller.party(&state), vec![target]);
        let reply = match changed {
            None => Reply::empty(204),
            Some(secret) => {
                Reply::json(200, secret_json(&service.id, &secret, &self.base_url).to_string())
            }
        };
        state.tell(now, told);
        Ok(reply)
    }
}
