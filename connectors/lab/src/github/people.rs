//! Accounts as the platform shows them, members, outside collaborators and users' own keys.

use serde_json::{Value as Json, json};

use super::Core;
use super::access::READ_MEMBERS;
use super::auth::Caller;
use super::error::Answer;
use super::gate::Target;
use super::params::{only, only_pages, word};
use super::state::{Owner, Role, State};
use crate::wire::Request;

/// A made-up public key.
pub(crate) fn public_key(id: u64) -> String {
    format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFAKE{id:039}")
}

impl Core {
    /// A user or an organisation, in the form that is called simple user.
    pub(super) fn account(&self, login: &str, id: u64, kind: &str) -> Json {
        let url = format!("{}/users/{login}", self.base_url);
        let html = format!("https://github.example/{login}");
        json!({
            "login": login,
            "id": id,
            "node_id": format!("FAKE_{kind}_{id}"),
            "avatar_url": format!("https://avatars.github.example/u/{id}?v=4"),
            "gravatar_id": "",
            "url": url,
            "html_url": html,
            "followers_url": format!("{url}/followers"),
            "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"),
            "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"),
            "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"),
            "type": kind,
            "user_view_type": "public",
            "site_admin": false,
        })
    }

    pub(super) fn user_json(&self, state: &State, user: usize) -> Json {
        let user = &state.users[user];
        let mut body = self.account(&user.login, user.id, "User");
        body["site_admin"] = json!(user.site_admin);
        body
    }

    pub(super) fn organisation_account(&self, state: &State, organisation: usize) -> Json {
        let row = &state.organisations[organisation];
        self.account(&row.facts.login, row.id, "Organization")
    }

    pub(super) fn owner_json(&self, owner: &Owner) -> Json {
        let kind = if owner.user { "User" } else { "Organization" };
        self.account(&owner.login, owner.id, kind)
    }

    /// `GET /orgs/{org}/members`.
    pub(super) fn list_members(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, READ_MEMBERS, Target::Organisation(organisation))?;
        only(request, &["filter", "role", "per_page", "page"])?;
        let role = word(request, "role", &["all", "admin", "member"])?;
        let filter = word(request, "filter", &["all", "2fa_disabled", "2fa_insecure"])?;
        let wanted = |user: &usize| {
            let facts = &state.users[*user];
            let by_role = matches!(
                (facts.role(organisation), role),
                (Some(Role::Owner), Some("admin"))
                    | (Some(Role::Member), Some("member"))
                    | (Some(Role::Owner | Role::Member), None | Some("all"))
            );
            by_role
                && match filter {
                    Some("2fa_disabled") => facts.without_two_factor,
                    Some("2fa_insecure") => false,
                    _ => true,
                }
        };
        let rows: Vec<usize> = (0..state.users.len()).filter(wanted).collect();
        self.page(state, request, None, rows, |user| self.user_json(state, *user))
    }

    /// `GET /orgs/{org}/outside_collaborators`.
    pub(super) fn list_outside(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, READ_MEMBERS, Target::Organisation(organisation))?;
        only(request, &["filter", "per_page", "page"])?;
        let filter = word(request, "filter", &["all", "2fa_disabled", "2fa_insecure"])?;
        let wanted = |user: &usize| {
            let facts = &state.users[*user];
            facts.role(organisation) == Some(Role::Outside)
                && match filter {
                    Some("2fa_disabled") => facts.without_two_factor,
                    Some("2fa_insecure") => false,
                    _ => true,
                }
        };
        let rows: Vec<usize> = (0..state.users.len()).filter(wanted).collect();
        self.page(state, request, None, rows, |user| self.user_json(state, *user))
    }

    /// `GET /users/{login}/keys`: public to everybody.
    pub(super) fn list_user_keys(
        &self,
        state: &State,
        caller: &Caller,
        login: &str,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, super::access::ANYBODY, Target::Public)?;
        only_pages(request)?;
        let user = state.user(login).ok_or_else(super::error::Refusal::not_found)?;
        let facts = &state.users[user];
        let rows: Vec<u64> = (0..).take(facts.ssh_keys.len()).map(|n| facts.id * 100 + n).collect();
        self.page(state, request, None, rows, |id| json!({ "id": id, "key": public_key(*id) }))
    }
}
