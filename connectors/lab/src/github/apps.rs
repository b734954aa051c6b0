//! Apps and their installations: what an App learns of itself with its JWT, the tokens it makes, and
//! which Apps an organisation has.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::Core;
use super::access::{READ_ORGANISATION, known_permission, level};
use super::auth::{Caller, suspended};
use super::error::{Answer, Refusal, answer};
use super::gate::Target;
use super::params::{body, only, only_pages};
use super::state::{App, Installation, State};
use super::time::{offset, zulu};
use super::world::Permissions;
use crate::wire::{Reply, Request};

/// The App that a JWT speaks for; nothing else opens these endpoints.
fn own(caller: &Caller) -> Result<usize, Refusal> {
    match caller {
        Caller::App(app) => Ok(*app),
        _ => Err(Refusal::new(401, "A JSON web token could not be decoded")),
    }
}

impl Core {
    fn app_json(&self, state: &State, index: usize) -> Json {
        let App { id, slug, name, client_id, owner, permissions, events, .. } = &state.apps[index];
        let app = &state.apps[index];
        json!({
            "id": id,
            "slug": slug,
            "node_id": format!("FAKE_App_{id}"),
            "client_id": client_id,
            "owner": self.owner_json(owner),
            "name": name,
            "description": Json::Null,
            "external_url": app.external_url,
            "html_url": format!("https://github.example/apps/{slug}"),
            "created_at": zulu(app.created),
            "updated_at": zulu(app.created),
            "permissions": permissions,
            "events": events,
        })
    }

    pub(super) fn installation_json(&self, state: &State, index: usize) -> Json {
        let row = &state.installations[index];
        let app = &state.apps[row.app];
        let organisation = &state.organisations[row.organisation];
        let date =
            |seconds| if state.behaviour.offset_dates { offset(seconds) } else { zulu(seconds) };
        let mut body = json!({
            "id": row.id,
            "account": self.organisation_account(state, row.organisation),
            "repository_selection": selection(row),
            "access_tokens_url": format!("{}/app/installations/{}/access_tokens", self.base_url, row.id),
            "repositories_url": format!("{}/installation/repositories", self.base_url),
            "html_url": format!(
                "https://github.example/organizations/{}/settings/installations/{}",
                organisation.facts.login, row.id
            ),
            "app_id": app.id,
            "app_slug": app.slug,
            "client_id": app.client_id,
            "target_id": organisation.id,
            "target_type": "Organization",
            "permissions": row.permissions,
            "events": row.events,
            "created_at": date(row.created),
            "updated_at": date(row.updated),
            "single_file_name": Json::Null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": Json::Null,
            "suspended_at": Json::Null,
        });
        if let Some(at) = row.suspended {
            body["suspended_at"] = json!(date(at));
            body["suspended_by"] = row.by.map_or(Json::Null, |user| self.user_json(state, user));
        }
        if let (true, Json::Object(fields)) = (state.behaviour.without_client_id, &mut body) {
            fields.remove("client_id");
        }
        body
    }

    fn enterprise_installation_json(&self, state: &State, index: usize) -> Json {
        let row = &state.enterprise_installations[index];
        let app = &state.apps[row.app];
        let (slug, name) = state
            .enterprise
            .as_ref()
            .map_or(("", ""), |enterprise| (&enterprise.slug, &enterprise.name));
        json!({
            "id": row.id,
            "account": {
                "id": super::ENTERPRISE_ID,
                "slug": slug,
                "name": name,
                "node_id": format!("FAKE_Enterprise_{}", super::ENTERPRISE_ID),
                "avatar_url": "https://avatars.github.example/b/1?v=4",
                "description": Json::Null,
                "website_url": Json::Null,
                "html_url": format!("https://github.example/enterprises/{slug}"),
                "created_at": zulu(row.created),
                "updated_at": zulu(row.created),
            },
            "repository_selection": "all",
            "access_tokens_url": format!("{}/app/installations/{}/access_tokens", self.base_url, row.id),
            "repositories_url": format!("{}/installation/repositories", self.base_url),
            "html_url": format!("https://github.example/enterprises/{slug}/settings/installations/{}", row.id),
            "app_id": app.id,
            "app_slug": app.slug,
            "client_id": app.client_id,
            "target_id": super::ENTERPRISE_ID,
            "target_type": "Enterprise",
            "permissions": row.permissions,
            "events": [],
            "created_at": zulu(row.created),
            "updated_at": zulu(row.created),
            "single_file_name": Json::Null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": Json::Null,
            "suspended_at": Json::Null,
        })
    }

    /// `GET /app`.
    pub(super) fn get_app(&self, state: &State, caller: &Caller, request: &Request) -> Answer {
        let app = own(caller)?;
        only(request, &[])?;
        let now = self.wall_ms();
        let mut body = self.app_json(state, app);
        let count =
            state.installations.iter().filter(|row| row.app == app && row.gone > now).count();
        body["installations_count"] = json!(count);
        Ok(answer(200, &body))
    }

    /// `GET /apps/{app_slug}`: a private App is there for itself and its owner only.
    pub(super) fn get_app_by_slug(
        &self,
        state: &State,
        caller: &Caller,
        slug: &str,
        request: &Request,
    ) -> Answer {
        only(request, &[])?;
        let found = state.apps.iter().position(|app| app.slug == slug);
        let app = found.ok_or_else(Refusal::not_found)?;
        let facts = &state.apps[app];
        let owner = match caller {
            Caller::Classic(row) => {
                let user = &state.users[state.classic[*row].user];
                let organisation = state.organisation(&facts.owner.login);
                user.login == facts.owner.login
                    || organisation.is_some_and(|place| user.role(place).is_some())
            }
            _ => caller.app(state) == Some(app),
        };
        if !facts.public && !owner {
            return Err(Refusal::not_found());
        }
        Ok(answer(200, &self.app_json(state, app)))
    }

    /// `GET /app/installations`.
    pub(super) fn list_own_installations(
        &self,
        state: &State,
        caller: &Caller,
        request: &Request,
    ) -> Answer {
        let app = own(caller)?;
        only(request, &["per_page", "page", "since", "outdated"])?;
        let since = super::params::time(request, "since")?;
        let now = self.wall_ms();
        let mut rows: Vec<(bool, usize)> = Vec::new();
        for (index, row) in state.enterprise_installations.iter().enumerate() {
            if row.app == app {
                rows.push((true, index));
            }
        }
        for (index, row) in state.installations.iter().enumerate() {
            let fresh = since.is_none_or(|since| row.updated > since);
            if row.app == app && row.gone > now && fresh {
                rows.push((false, index));
            }
        }
        self.page(state, request, None, rows, |(enterprise, index)| {
            if *enterprise {
                self.enterprise_installation_json(state, *index)
            } else {
                self.installation_json(state, *index)
            }
        })
    }

    /// `GET /app/installations/{installation_id}`.
    pub(super) fn get_own_installation(&self, state: &State, caller: &Caller, id: &str) -> Answer {
        let app = own(caller)?;
        match self.own_installation(state, app, id)? {
            Place::Organisation(row) => Ok(answer(200, &self.installation_json(state, row))),
            Place::Enterprise(row) => {
                Ok(answer(200, &self.enterprise_installation_json(state, row)))
            }
        }
    }

    fn own_installation(&self, state: &State, app: usize, id: &str) -> Result<Place, Refusal> {
        let id: u64 = id.parse().map_err(|_| Refusal::not_found())?;
        let now = self.wall_ms();
        let row = state
            .installations
            .iter()
            .position(|row| row.id == id && row.app == app && row.gone > now);
        if let Some(row) = row {
            return Ok(Place::Organisation(row));
        }
        let row =
            state.enterprise_installations.iter().position(|row| row.id == id && row.app == app);
        row.map(Place::Enterprise).ok_or_else(Refusal::not_found)
    }

    /// `GET /orgs/{org}/installation`.
    pub(super) fn get_organisation_installation(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
    ) -> Answer {
        let app = own(caller)?;
        let row =
            state.installed(organisation, app, self.wall_ms()).ok_or_else(Refusal::not_found)?;
        Ok(answer(200, &self.installation_json(state, row)))
    }

    /// `GET /enterprises/{enterprise}/installation`.
    pub(super) fn get_enterprise_installation(&self, state: &State, caller: &Caller) -> Answer {
        let app = own(caller)?;
        let row = state.enterprise_installations.iter().position(|row| row.app == app);
        let row = row.ok_or_else(Refusal::not_found)?;
        Ok(answer(200, &self.enterprise_installation_json(state, row)))
    }

    /// `POST /app/installations/{installation_id}/access_tokens`.
    pub(super) fn create_token(
        &self,
        state: &State,
        caller: &Caller,
        id: &str,
        request: &Request,
    ) -> Answer {
        let app = own(caller)?;
        only(request, &[])?;
        let fields = body(request, &["permissions", "repositories", "repository_ids"])?;
        let place = self.own_installation(state, app, id)?;
        let (held, caller) = match place {
            Place::Organisation(row) => {
                let installation = &state.installations[row];
                if installation.suspended.is_some() {
                    return Err(suspended());
                }
                let narrowed = narrowed(&installation.permissions, &fields)?;
                let held = narrowed.clone().unwrap_or_else(|| installation.permissions.clone());
                (held, Caller::Installation(row, narrowed.map(Arc::new)))
            }
            Place::Enterprise(row) => {
                if !fields.is_empty() {
                    let message = "Tokens of an installation on an enterprise cannot be narrowed.";
                    return Err(Refusal::unprocessable(message));
                }
                let held = state.enterprise_installations[row].permissions.clone();
                (held, Caller::EnterpriseInstallation(row))
            }
        };
        let selected = match place {
            Place::Organisation(row) => selection(&state.installations[row]),
            Place::Enterprise(_) => "all",
        };
        let now = self.clock.wall().as_second();
        let app_id = state.apps[app].id;
        let token = self.sessions.start(caller, app_id, state.behaviour.long_tokens, now);
        let life = i64::try_from(state.behaviour.token_seconds).unwrap_or(i64::MAX);
        let body = json!({
            "token": token,
            "expires_at": zulu(now.saturating_add(life)),
            "permissions": held,
            "repository_selection": selected,
        });
        Ok(answer(201, &body))
    }

    /// `DELETE /installation/token`.
    pub(super) fn end_token(&self, caller: &Caller, request: &Request) -> Answer {
        match caller {
            Caller::Installation(..) | Caller::EnterpriseInstallation(_) => {}
            _ => return Err(Refusal::new(403, "Resource not accessible by personal access token")),
        }
        let ended = Self::own_token(request).is_some_and(|token| self.sessions.end(token));
        if ended { Ok(Reply::empty(204)) } else { Err(Refusal::credentials()) }
    }

    /// `GET /orgs/{org}/installations`.
    pub(super) fn list_installations(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, READ_ORGANISATION, Target::Organisation(organisation))?;
        only_pages(request)?;
        let now = self.wall_ms();
        let here = |index: &usize| {
            let row = &state.installations[*index];
            row.organisation == organisation && row.gone > now
        };
        let rows: Vec<usize> = (0..state.installations.len()).filter(here).collect();
        self.page(state, request, Some("installations"), rows, |index| {
            self.installation_json(state, *index)
        })
    }
}

/// What an installation is on.
enum Place {
    Organisation(usize),
    Enterprise(usize),
}

/// `repository_selection`.
pub(crate) fn selection(row: &Installation) -> &'static str {
    if row.repositories.is_some() { "selected" } else { "all" }
}

/// The permissions that a token was asked for; `None` if all.
fn narrowed(
    held: &Permissions,
    fields: &Map<String, Json>,
) -> Result<Option<Permissions>, Refusal> {
    let Some(asked) = fields.get("permissions") else { return Ok(None) };
    let refused = || {
        Refusal::unprocessable("The permissions requested are not granted to this installation.")
    };
    let asked: Permissions = serde_json::from_value(asked.clone()).map_err(|_| refused())?;
    // PyGithub always sends an empty map, and gets everything.
    if asked.is_empty() {
        return Ok(None);
    }
    let too_much = |(name, text): (&String, &String)| {
        let wanted = super::access::Level::parse(text);
        !known_permission(name) || wanted.is_none() || level(held, name) < wanted
    };
    if asked.iter().any(too_much) { Err(refused()) } else { Ok(Some(asked)) }
}
