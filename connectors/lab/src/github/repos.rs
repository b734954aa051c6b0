//! Repositories and their deploy keys.

use serde_json::{Value as Json, json};

use super::Core;
use super::access::{READ_DEPLOY_KEYS, READ_REPOSITORIES, WRITE_DEPLOY_KEYS};
use super::auth::Caller;
use super::error::{Answer, Refusal, answer};
use super::gate::Target;
use super::params::{only, only_pages, word};
use super::people::public_key;
use super::state::State;
use super::time::zulu;
use crate::wire::{Reply, Request};

/// Addresses of a repository that only differ in their last part.
const PLAIN_URLS: [&str; 15] = [
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "hooks",
    "languages",
    "merges",
    "stargazers",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "milestones",
    "labels",
];
/// The same with a part to fill in, and the name of the field.
const TEMPLATE_URLS: [(&str, &str); 21] = [
    ("archive_url", "{archive_format}{/ref}"),
    ("assignees_url", "assignees{/user}"),
    ("blobs_url", "git/blobs{/sha}"),
    ("branches_url", "branches{/branch}"),
    ("collaborators_url", "collaborators{/collaborator}"),
    ("comments_url", "comments{/number}"),
    ("commits_url", "commits{/sha}"),
    ("compare_url", "compare/{base}...{head}"),
    ("contents_url", "contents/{+path}"),
    ("git_commits_url", "git/commits{/sha}"),
    ("git_refs_url", "git/refs{/sha}"),
    ("git_tags_url", "git/tags{/sha}"),
    ("issue_comment_url", "issues/comments{/number}"),
    ("issue_events_url", "issues/events{/number}"),
    ("issues_url", "issues{/number}"),
    ("keys_url", "keys{/key_id}"),
    ("notifications_url", "notifications{?since,all,participating}"),
    ("pulls_url", "pulls{/number}"),
    ("releases_url", "releases{/id}"),
    ("statuses_url", "statuses/{sha}"),
    ("trees_url", "git/trees{/sha}"),
];

impl Core {
    /// A repository in the form that is called minimal.
    pub(super) fn repository_json(&self, state: &State, index: usize) -> Json {
        let row = &state.repositories[index];
        let full = state.full_name(index);
        let url = format!("{}/repos/{full}", self.base_url);
        let mut body = json!({
            "id": row.id,
            "node_id": format!("FAKE_Repository_{}", row.id),
            "name": row.name,
            "full_name": full,
            "owner": self.organisation_account(state, row.organisation),
            "private": !row.public,
            "html_url": format!("https://github.example/{full}"),
            "description": Json::Null,
            "fork": false,
            "url": url,
            "archived": row.archived,
            "disabled": false,
            "visibility": if row.public { "public" } else { "private" },
            "created_at": zulu(row.created),
            "updated_at": zulu(row.created),
            "pushed_at": zulu(row.created),
            "default_branch": "main",
        });
        for name in PLAIN_URLS {
            body[format!("{name}_url")] = json!(format!("{url}/{name}"));
        }
        for (name, rest) in TEMPLATE_URLS {
            body[name] = json!(format!("{url}/{rest}"));
        }
        body
    }

    /// `GET /orgs/{org}/repos`.
    pub(super) fn list_repositories(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, READ_REPOSITORIES, Target::Organisation(organisation))?;
        only(request, &["type", "sort", "direction", "per_page", "page"])?;
        let types = ["all", "public", "private", "forks", "sources", "member", "internal"];
        let kind = word(request, "type", &types)?;
        let sort = word(request, "sort", &["created", "updated", "pushed", "full_name"])?;
        let direction = word(request, "direction", &["asc", "desc"])?;
        let wanted = |index: &usize| {
            let row = &state.repositories[*index];
            row.organisation == organisation
                && match kind {
                    Some("public") => row.public,
                    Some("private") => !row.public,
                    Some("forks" | "internal") => false,
                    _ => true,
                }
        };
        let mut rows: Vec<usize> = (0..state.repositories.len()).filter(wanted).collect();
        let by_name = sort == Some("full_name");
        if by_name {
            rows.sort_by_key(|index| state.repositories[*index].name.to_ascii_lowercase());
        } else {
            rows.sort_by_key(|index| (state.repositories[*index].created, *index));
        }
        if direction.unwrap_or(if by_name { "asc" } else { "desc" }) == "desc" {
            rows.reverse();
        }
        self.page(state, request, None, rows, |index| self.repository_json(state, *index))
    }

    fn key_json(&self, state: &State, index: usize) -> Json {
        let key = &state.deploy_keys[index];
        let full = state.full_name(key.repository);
        json!({
            "id": key.id,
            "key": public_key(key.id),
            "url": format!("{}/repos/{full}/keys/{}", self.base_url, key.id),
            "title": key.title,
            "verified": key.verified,
            "created_at": zulu(key.created),
            "read_only": key.read_only,
            "added_by": key.added_by,
            "last_used": key.last_used.map(zulu),
            "enabled": key.enabled,
        })
    }

    /// `GET /repos/{owner}/{repo}/keys`.
    pub(super) fn list_keys(
        &self,
        state: &State,
        caller: &Caller,
        repository: usize,
        request: &Request,
    ) -> Answer {
        let organisation = state.repositories[repository].organisation;
        self.permit(state, caller, READ_DEPLOY_KEYS, Target::Organisation(organisation))?;
        only_pages(request)?;
        let rows = self.live_keys(state, repository);
        self.page(state, request, None, rows, |index| self.key_json(state, *index))
    }

    /// The deploy keys of a repository that nobody has deleted.
    pub(super) fn live_keys(&self, state: &State, repository: usize) -> Vec<usize> {
        let now = self.wall_ms();
        let here = |index: &usize| {
            let key = &state.deploy_keys[*index];
            key.repository == repository && key.gone > now
        };
        (0..state.deploy_keys.len()).filter(here).collect()
    }

    fn key_of(&self, state: &State, repository: usize, id: &str) -> Result<usize, Refusal> {
        let id: u64 = id.parse().map_err(|_| Refusal::not_found())?;
        let mut keys = self.live_keys(state, repository).into_iter();
        keys.find(|index| state.deploy_keys[*index].id == id).ok_or_else(Refusal::not_found)
    }

    /// `GET /repos/{owner}/{repo}/keys/{key_id}`.
    pub(super) fn get_key(
        &self,
        state: &State,
        caller: &Caller,
        repository: usize,
        id: &str,
    ) -> Answer {
        let organisation = state.repositories[repository].organisation;
        self.permit(state, caller, READ_DEPLOY_KEYS, Target::Organisation(organisation))?;
        let index = self.key_of(state, repository, id)?;
        Ok(answer(200, &self.key_json(state, index)))
    }

    /// `DELETE /repos/{owner}/{repo}/keys/{key_id}`.
    pub(super) fn delete_key(
        &self,
        state: &mut State,
        caller: &Caller,
        repository: usize,
        id: &str,
    ) -> Answer {
        let organisation = state.repositories[repository].organisation;
        self.permit(state, caller, WRITE_DEPLOY_KEYS, Target::Organisation(organisation))?;
        let index = self.key_of(state, repository, id)?;
        state.delete_key(index, self.wall_ms(), self.now());
        Ok(Reply::empty(204))
    }
}
