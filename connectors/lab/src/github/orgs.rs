//! An organisation itself and the names of its Actions secrets.

use serde_json::{Value as Json, json};

use super::Core;
use super::access::READ_SECRETS;
use super::auth::Caller;
use super::error::{Answer, answer};
use super::gate::Target;
use super::params::{only, only_pages};
use super::state::{Role, State};
use super::time::zulu;
use crate::wire::Request;

impl Core {
    /// `GET /orgs/{org}`: the public profile, and the settings for those who may read them.
    pub(super) fn get_organisation(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        only(request, &[])?;
        if !matches!(caller, Caller::Anonymous | Caller::App(_)) {
            let need = super::access::ANYBODY;
            let outsider = self.permit(state, caller, need, Target::Organisation(organisation));
            if let Err(refusal) = outsider
                && refusal.status == 403
                && !self.foreign(state, caller, organisation)
            {
                return Err(refusal);
            }
        }
        let (settings, plan) = self.sees(state, caller, organisation);
        let row = &state.organisations[organisation];
        let url = format!("{}/orgs/{}", self.base_url, row.facts.login);
        let repositories = || {
            state.repositories.iter().filter(|repository| repository.organisation == organisation)
        };
        let public = repositories().filter(|repository| repository.public).count();
        let mut body = json!({
            "login": row.facts.login,
            "id": row.id,
            "node_id": format!("FAKE_Organization_{}", row.id),
            "url": url,
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events"),
            "hooks_url": format!("{url}/hooks"),
            "issues_url": format!("{url}/issues"),
            "members_url": format!("{url}/members{{/member}}"),
            "public_members_url": format!("{url}/public_members{{/member}}"),
            "avatar_url": format!("https://avatars.github.example/u/{}?v=4", row.id),
            "description": Json::Null,
            "name": row.facts.name.as_ref().unwrap_or(&row.facts.login),
            "has_organization_projects": true,
            "has_repository_projects": true,
            "public_repos": public,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "html_url": format!("https://github.example/{}", row.facts.login),
            "created_at": zulu(row.created),
            "updated_at": zulu(row.created),
            "archived_at": Json::Null,
            "type": "Organization",
        });
        if settings {
            body["total_private_repos"] = json!(repositories().count() - public);
            body["two_factor_requirement_enabled"] = json!(row.facts.two_factor_required);
            body["deploy_keys_enabled_for_repositories"] = json!(row.facts.deploy_keys_enabled);
            body["members_can_create_repositories"] = json!(true);
        }
        if plan {
            let seats = state.users.iter().filter(|user| user.role(organisation).is_some()).count();
            body["plan"] = json!({
                "name": row.facts.plan,
                "space": 976_562_499,
                "private_repos": 999_999,
                "filled_seats": seats,
                "seats": seats + 10,
            });
        }
        Ok(answer(200, &body))
    }

    /// Whether a caller is of another organisation, and so sees the public profile.
    fn foreign(&self, state: &State, caller: &Caller, organisation: usize) -> bool {
        match caller {
            Caller::Installation(row, _) => state.installations[*row].organisation != organisation,
            _ => false,
        }
    }

    /// Whether a caller sees an organisation's settings, and its plan.
    fn sees(&self, state: &State, caller: &Caller, organisation: usize) -> (bool, bool) {
        match caller {
            Caller::Classic(row) => {
                let token = &state.classic[*row];
                let owner = state.users[token.user].role(organisation) == Some(Role::Owner);
                let scope = token
                    .scopes
                    .iter()
                    .any(|scope| ["admin:org", "write:org", "read:org"].contains(&scope.as_str()));
                (owner && scope, owner && scope)
            }
            _ if self.foreign(state, caller, organisation) => (false, false),
            _ => {
                let permissions = caller.permissions(state).unwrap_or_default();
                let settings = permissions.contains_key("organization_administration");
                (settings, settings || permissions.contains_key("organization_plan"))
            }
        }
    }

    /// `GET /orgs/{org}/actions/secrets`.
    pub(super) fn list_secrets(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, READ_SECRETS, Target::Organisation(organisation))?;
        only_pages(request)?;
        let here = |index: &usize| state.secrets[*index].organisation == organisation;
        let rows: Vec<usize> = (0..state.secrets.len()).filter(here).collect();
        let login = &state.organisations[organisation].facts.login;
        self.page(state, request, Some("secrets"), rows, |index| {
            let secret = &state.secrets[*index];
            let mut body = json!({
                "name": secret.name,
                "created_at": zulu(secret.created),
                "updated_at": zulu(secret.updated),
                "visibility": secret.visibility,
            });
            if secret.visibility == "selected" {
                let path = format!("orgs/{login}/actions/secrets/{}/repositories", secret.name);
                body["selected_repositories_url"] = json!(format!("{}/{path}", self.base_url));
            }
            body
        })
    }
}
