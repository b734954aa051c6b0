//! The org itself: its name, its settings, its network zones, its clients as OAuth sees them, and who has which share of the rate
//! limits.

use serde_json::{Value as Json, json};

use super::Core;
use super::build::auth_method;
use super::error::Refusal;
use super::id::named;
use super::pages::later;
use super::params::{limit, only};
use super::state::{State, place};
use super::time::iso;
use crate::wire::{Reply, Request};

impl Core {
    /// `GET /api/v1/org`.
    pub(super) fn org(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let body = json!({
            "id": state.org_id,
            "subdomain": state.subdomain,
            "companyName": state.name,
            "status": "ACTIVE",
            "website": null,
            "address1": null,
            "city": null,
            "country": null,
            "phoneNumber": null,
            "created": iso(0),
            "lastUpdated": iso(0),
            "expiresAt": null,
            "_links": { "clientPrivilegesSetting": { "href": format!("{}/api/v1/org/settings/clientPrivilegesSetting", self.base_url) } },
        });
        Ok(Reply::json(200, body.to_string()))
    }

    /// `GET /api/v1/org/settings/clientPrivilegesSetting`.
    pub(super) fn client_privileges(
        &self,
        state: &State,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let body = json!({ "clientPrivilegesSetting": state.client_privileges_setting });
        Ok(Reply::json(200, body.to_string()))
    }

    /// `GET /api/v1/zones`.
    pub(super) fn list_zones(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        only(request, &["after", "limit"])?;
        let size = limit(request, 1..=200, 20)?;
        let after = self.after(state, request)?;
        let wanted =
            state.zones.iter().enumerate().filter(|(number, _)| later(after, place(*number)));
        let rows = wanted.map(|(number, zone)| {
            let gateways: Vec<Json> = zone
                .facts
                .cidrs
                .iter()
                .map(|cidr| json!({ "type": "CIDR", "value": cidr }))
                .collect();
            let own = format!("{}/api/v1/zones/{}", self.base_url, zone.id);
            let body = json!({
                "type": "IP",
                "id": zone.id,
                "name": zone.facts.name,
                "status": "ACTIVE",
                "usage": if zone.facts.blocklist { "BLOCKLIST" } else { "POLICY" },
                "created": iso(0),
                "lastUpdated": iso(0),
                "system": false,
                "gateways": gateways,
                "proxies": null,
                "_links": { "self": { "href": own } },
            });
            ((0, place(number)), body)
        });
        Ok(self.page(request, size, rows))
    }

    /// `GET /oauth2/v1/clients`.
    pub(super) fn list_clients(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        only(request, &["q", "after", "limit"])?;
        let size = limit(request, 1..=200, 20)?.min(state.behaviour.clients_page);
        let after = self.after(state, request)?;
        let start = request.param("q").map(str::to_lowercase);
        let wanted = (0_u32..).zip(&state.apps).filter(|(number, app)| {
            later(after, *number)
                && app.is_oidc()
                && !app.deleted
                && start
                    .as_ref()
                    .is_none_or(|start| app.facts.label.to_lowercase().starts_with(start))
        });
        let rows = wanted.map(|(number, app)| {
            let body = json!({
                "client_id": app.client_id,
                "client_id_issued_at": app.created,
                "client_secret_expires_at": 0,
                "client_name": app.facts.label,
                "client_uri": null,
                "logo_uri": null,
                "application_type": app.facts.kind.application_type(),
                "token_endpoint_auth_method": auth_method(&app.facts),
                "redirect_uris": app.facts.redirect_uris.clone().unwrap_or_default(),
                "initiate_login_uri": null,
            });
            ((0, number), body)
        });
        Ok(self.page(request, size, rows))
    }

    /// `GET /api/v1/principal-rate-limits`, for one kind of principal.
    pub(super) fn rate_limits(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        const FILTERS: [(&str, &[&str]); 2] =
            [("principalType", &["eq"]), ("principalId", &["eq"])];
        only(request, &["filter", "after", "limit"])?;
        let size = limit(request, 1..=50, 20)?;
        let Some(filter) = request.param("filter") else {
            return Err(Refusal::validation("filter", "filter: The field cannot be left blank"));
        };
        let filter = super::filter::Filter::parse(filter, &FILTERS)?;
        let after = self.after(state, request)?;
        let wanted = state.shares.iter().enumerate().filter(|(number, share)| {
            let field = |name: &str| match name {
                "principalType" => vec![share.kind.to_owned()],
                _ => vec![share.principal.clone()],
            };
            later(after, place(*number)) && filter.holds(&field)
        });
        let rows = wanted.map(|(number, share)| {
            let body = json!({
                "id": named("prl", &share.principal),
                "orgId": state.org_id,
                "principalId": share.principal,
                "principalType": share.kind,
                "defaultPercentage": share.percentage,
                "defaultConcurrencyPercentage": 75,
                "createdDate": iso(0),
                "createdBy": null,
                "lastUpdate": iso(0),
                "lastUpdatedBy": null,
            });
            ((0, place(number)), body)
        });
        Ok(self.page(request, size, rows))
    }
}
