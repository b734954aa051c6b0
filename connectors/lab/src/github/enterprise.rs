//! What a GitHub App on the enterprise does with the Apps of the enterprise's organisations.

use serde_json::{Value as Json, json};

use super::Core;
use super::access::{
    ENTERPRISE_CHANGE_REPOSITORIES, ENTERPRISE_INSTALLATIONS, ENTERPRISE_REPOSITORIES,
    ENTERPRISE_UNINSTALL,
};
use super::apps::selection;
use super::audit::Happening;
use super::auth::Caller;
use super::error::{Answer, Refusal, answer};
use super::gate::Target;
use super::params::{body, choice, only_pages, texts};
use super::state::State;
use super::time::zulu;
use crate::wire::{Reply, Request};

/// Most repositories in one call.
const MOST: usize = 50;

impl Core {
    fn accessible_json(state: &State, index: usize) -> Json {
        let row = &state.repositories[index];
        json!({ "id": row.id, "name": row.name, "full_name": state.full_name(index) })
    }

    /// `GET /enterprises/{enterprise}/apps/installable_organizations`.
    pub(super) fn list_installable(
        &self,
        state: &State,
        caller: &Caller,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, ENTERPRISE_INSTALLATIONS, Target::Enterprise)?;
        only_pages(request)?;
        let slug = state.enterprise.as_ref().map_or("", |enterprise| &enterprise.slug);
        let above = format!("{}/enterprises/{slug}/apps/installable_organizations", self.base_url);
        let rows: Vec<usize> = (0..state.organisations.len()).collect();
        self.page(state, request, None, rows, |index| {
            let row = &state.organisations[*index];
            let login = &row.facts.login;
            json!({
                "id": row.id,
                "login": login,
                "accessible_repositories_url": format!("{above}/{login}/accessible_repositories"),
            })
        })
    }

    /// `GET …/installable_organizations/{org}/accessible_repositories`.
    pub(super) fn list_accessible(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, ENTERPRISE_REPOSITORIES, Target::Enterprise)?;
        only_pages(request)?;
        let rows = Self::repositories_of(state, organisation);
        self.page(state, request, None, rows, |index| Self::accessible_json(state, *index))
    }

    fn repositories_of(state: &State, organisation: usize) -> Vec<usize> {
        let here = |index: &usize| state.repositories[*index].organisation == organisation;
        (0..state.repositories.len()).filter(here).collect()
    }

    /// `GET /enterprises/{enterprise}/apps/organizations/{org}/installations`: a plain array.
    pub(super) fn list_enterprise_installations(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, ENTERPRISE_INSTALLATIONS, Target::Enterprise)?;
        only_pages(request)?;
        let now = self.wall_ms();
        let here = |index: &usize| {
            let row = &state.installations[*index];
            row.organisation == organisation && row.gone > now
        };
        let rows: Vec<usize> = (0..state.installations.len()).filter(here).collect();
        let slug = state.enterprise.as_ref().map_or("", |enterprise| &enterprise.slug);
        let login = &state.organisations[organisation].facts.login;
        let above = format!("{}/enterprises/{slug}/apps/organizations/{login}", self.base_url);
        self.page(state, request, None, rows, |index| {
            let row = &state.installations[*index];
            let app = &state.apps[row.app];
            json!({
                "id": row.id,
                "app_slug": app.slug,
                "client_id": app.client_id,
                "repository_selection": selection(row),
                "repositories_url": format!("{above}/installations/{}/repositories", row.id),
                "permissions": row.permissions,
                "events": row.events,
                "created_at": zulu(row.created),
                "updated_at": zulu(row.updated),
            })
        })
    }

    fn installation_of(
        &self,
        state: &State,
        organisation: usize,
        id: &str,
    ) -> Result<usize, Refusal> {
        let id: u64 = id.parse().map_err(|_| Refusal::not_found())?;
        let now = self.wall_ms();
        let found = state
            .installations
            .iter()
            .position(|row| row.id == id && row.organisation == organisation && row.gone > now);
        found.ok_or_else(Refusal::not_found)
    }

    /// `DELETE …/installations/{installation_id}`.
    pub(super) fn uninstall(
        &self,
        state: &mut State,
        caller: &Caller,
        organisation: usize,
        id: &str,
    ) -> Answer {
        self.permit(state, caller, ENTERPRISE_UNINSTALL, Target::Enterprise)?;
        let index = self.installation_of(state, organisation, id)?;
        state.uninstall(index, self.wall_ms(), self.now());
        Ok(Reply::empty(204))
    }

    /// `GET …/installations/{installation_id}/repositories`.
    pub(super) fn list_installation_repositories(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        id: &str,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, ENTERPRISE_REPOSITORIES, Target::Enterprise)?;
        only_pages(request)?;
        let index = self.installation_of(state, organisation, id)?;
        let rows = match &state.installations[index].repositories {
            Some(repositories) => repositories.iter().map(|index| *index as usize).collect(),
            None => Self::repositories_of(state, organisation),
        };
        self.page(state, request, None, rows, |index| Self::accessible_json(state, *index))
    }

    /// `PATCH …/installations/{installation_id}/repositories`.
    pub(super) fn select_repositories(
        &self,
        state: &mut State,
        caller: &Caller,
        organisation: usize,
        id: &str,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, ENTERPRISE_CHANGE_REPOSITORIES, Target::Enterprise)?;
        let index = self.installation_of(state, organisation, id)?;
        let fields = body(request, &["repository_selection", "repositories"])?;
        let selected = match choice(&fields, "repository_selection", &["all", "selected"])? {
            "all" if fields.contains_key("repositories") => {
                return Err(Refusal::validation("Installation", "repositories", "invalid", ""));
            }
            "all" => None,
            _ => Some(named(state, organisation, &texts(&fields, "repositories", MOST)?)?),
        };
        let at = self.now();
        let row = &mut state.installations[index];
        let narrowed = selected.is_some();
        row.repositories = selected;
        row.updated = at;
        if narrowed {
            state.log.push(at, Happening::InstallationNarrowed(index));
        }
        Ok(answer(200, &self.installation_json(state, index)))
    }

    /// `PATCH …/repositories/add` and `…/remove`.
    pub(super) fn change_repositories(
        &self,
        state: &mut State,
        caller: &Caller,
        (organisation, id): (usize, &str),
        add: bool,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, ENTERPRISE_CHANGE_REPOSITORIES, Target::Enterprise)?;
        let index = self.installation_of(state, organisation, id)?;
        let fields = body(request, &["repositories"])?;
        let named = named(state, organisation, &texts(&fields, "repositories", MOST)?)?;
        let at = self.now();
        let row = &mut state.installations[index];
        let Some(selected) = &mut row.repositories else {
            if add {
                return Ok(answer(200, &json!([])));
            }
            let message = "Repositories cannot be removed from an installation on all of them.";
            return Err(Refusal::unprocessable(message));
        };
        let changed: Vec<u32> =
            named.into_iter().filter(|one| selected.contains(one) != add).collect();
        if add {
            selected.extend(&changed);
        } else if changed.len() == selected.len() {
            let message = "The last repository of an installation cannot be removed.";
            return Err(Refusal::unprocessable(message));
        } else {
            selected.retain(|one| !changed.contains(one));
        }
        row.updated = at;
        if !add {
            state.log.push(at, Happening::InstallationNarrowed(index));
        }
        let rows = changed.iter().map(|index| Self::accessible_json(state, *index as usize));
        Ok(answer(200, &rows.collect()))
    }
}

/// The repositories of these names.
fn named(state: &State, organisation: usize, names: &[&str]) -> Result<Vec<u32>, Refusal> {
    let place = |name: &&str| {
        state.repository(organisation, name).and_then(|index| u32::try_from(index).ok())
    };
    let found: Option<Vec<u32>> = names.iter().map(place).collect();
    found.ok_or_else(|| Refusal::validation("Installation", "repositories", "invalid", ""))
}
