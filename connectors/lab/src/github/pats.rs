//! Fine-grained personal access tokens with access to an organisation, and requests for it. Only Apps may
//! read or change them.

use serde_json::{Value as Json, json};

use super::Core;
use super::access::{READ_PAT_REQUESTS, READ_PATS, WRITE_PAT_REQUESTS, WRITE_PATS};
use super::audit::Happening;
use super::auth::Caller;
use super::error::{Answer, Refusal, answer};
use super::gate::Target;
use super::params::{body, choice, list, numbers, only, only_pages, time, word};
use super::state::{NEVER, Pat, State};
use super::time::zulu;
use super::world::PatSelection;
use crate::wire::{Reply, Request};

const FILTERS: [&str; 10] = [
    "per_page",
    "page",
    "sort",
    "direction",
    "owner[]",
    "repository",
    "permission",
    "last_used_before",
    "last_used_after",
    "token_id[]",
];
const MOST_OWNERS: usize = 10;
const MOST_TOKENS: usize = 50;

impl Core {
    fn pat_json(&self, state: &State, pat: &Pat, kind: &str) -> Json {
        let login = &state.organisations[pat.organisation as usize].facts.login;
        let selection = match pat.selection {
            PatSelection::None => "none",
            PatSelection::All => "all",
            PatSelection::Subset => "subset",
        };
        json!({
            "id": pat.id,
            "owner": self.user_json(state, pat.user as usize),
            "repository_selection": selection,
            "repositories_url": format!("{}/orgs/{login}/{kind}/{}/repositories", self.base_url, pat.id),
            "permissions": state.pat_permissions[pat.permissions as usize],
            "token_id": pat.token_id,
            "token_name": pat.name,
            "token_expired": pat.expires.is_some_and(|at| at <= self.now()),
            "token_expires_at": pat.expires.map(zulu),
            "token_last_used_at": pat.last_used.map(zulu),
        })
    }

    /// Indices of the tokens that a listing's filters want, in its order.
    fn filtered<'s>(
        state: &State,
        request: &Request,
        rows: impl Iterator<Item = (usize, &'s Pat)>,
    ) -> Result<Vec<usize>, Refusal> {
        only(request, &FILTERS)?;
        word(request, "sort", &["created_at"])?;
        let ascending = word(request, "direction", &["asc", "desc"])? == Some("asc");
        let owners = list(request, "owner[]");
        let tokens = list(request, "token_id[]");
        if owners.len() > MOST_OWNERS || tokens.len() > MOST_TOKENS {
            return Err(Refusal::validation("Request", "owner", "invalid", "too many values"));
        }
        let before = time(request, "last_used_before")?;
        let after = time(request, "last_used_after")?;
        let repository = request.param("repository");
        let permission = request.param("permission");
        let wanted = |pat: &Pat| {
            let login = &state.users[pat.user as usize].login;
            let named =
                |index: &u32| Some(state.repositories[*index as usize].name.as_str()) == repository;
            (owners.is_empty() || owners.iter().any(|owner| owner.eq_ignore_ascii_case(login)))
                && (tokens.is_empty() || tokens.contains(&pat.token_id.to_string().as_str()))
                && before.is_none_or(|limit| pat.last_used.is_some_and(|at| at < limit))
                && after.is_none_or(|limit| pat.last_used.is_some_and(|at| at > limit))
                && (repository.is_none()
                    || pat.selection == PatSelection::All
                    || pat.repositories.iter().any(named))
                && permission.is_none_or(|wanted| has_permission(state, pat, wanted))
        };
        let mut found: Vec<(i64, usize)> =
            rows.filter(|(_, pat)| wanted(pat)).map(|(index, pat)| (pat.granted, index)).collect();
        found.sort_unstable();
        if !ascending {
            found.reverse();
        }
        Ok(found.into_iter().map(|(_, index)| index).collect())
    }

    /// `GET /orgs/{org}/personal-access-tokens`.
    pub(super) fn list_pats(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, READ_PATS, Target::Organisation(organisation))?;
        let now = self.wall_ms();
        let live = state
            .pats
            .iter()
            .enumerate()
            .filter(|(_, pat)| pat.organisation as usize == organisation && pat.gone > now);
        let rows = Self::filtered(state, request, live)?;
        self.page(state, request, None, rows, |index| {
            let pat = &state.pats[*index];
            let mut body = self.pat_json(state, pat, "personal-access-tokens");
            body["access_granted_at"] = json!(zulu(pat.granted));
            body
        })
    }

    /// `GET /orgs/{org}/personal-access-token-requests`.
    pub(super) fn list_pat_requests(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, READ_PAT_REQUESTS, Target::Organisation(organisation))?;
        let now = self.wall_ms();
        let open = state.pat_requests.iter().map(|row| &row.pat).enumerate();
        let open =
            open.filter(|(_, pat)| pat.organisation as usize == organisation && pat.gone > now);
        let rows = Self::filtered(state, request, open)?;
        self.page(state, request, None, rows, |index| {
            let row = &state.pat_requests[*index];
            let mut body = self.pat_json(state, &row.pat, "personal-access-token-requests");
            body["reason"] = json!(row.reason);
            body["created_at"] = json!(zulu(row.pat.granted));
            body
        })
    }

    fn pat_of(&self, state: &State, organisation: usize, id: u64) -> Option<usize> {
        let now = self.wall_ms();
        state.pats.iter().position(|pat| {
            pat.id == id && pat.organisation as usize == organisation && pat.gone > now
        })
    }

    fn request_of(&self, state: &State, organisation: usize, id: u64) -> Option<usize> {
        let now = self.wall_ms();
        state.pat_requests.iter().position(|row| {
            let pat = &row.pat;
            pat.id == id && pat.organisation as usize == organisation && pat.gone > now
        })
    }

    /// `GET …/personal-access-tokens/{pat_id}/repositories`, and the same of a request.
    pub(super) fn list_pat_repositories(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        (id, asked): (&str, bool),
        request: &Request,
    ) -> Answer {
        let need = if asked { READ_PAT_REQUESTS } else { READ_PATS };
        self.permit(state, caller, need, Target::Organisation(organisation))?;
        only_pages(request)?;
        let id: u64 = id.parse().map_err(|_| Refusal::not_found())?;
        let pat = if asked {
            self.request_of(state, organisation, id).map(|index| &state.pat_requests[index].pat)
        } else {
            self.pat_of(state, organisation, id).map(|index| &state.pats[index])
        };
        let pat = pat.ok_or_else(Refusal::not_found)?;
        self.page(state, request, None, pat.repositories.clone(), |index| {
            self.repository_json(state, *index as usize)
        })
    }

    /// `POST /orgs/{org}/personal-access-tokens`: queued.
    pub(super) fn revoke_pats(
        &self,
        state: &mut State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, WRITE_PATS, Target::Organisation(organisation))?;
        let fields = body(request, &["action", "pat_ids"])?;
        choice(&fields, "action", &["revoke"])?;
        let ids = numbers(&fields, "pat_ids", 100)?;
        let found: Option<Vec<usize>> =
            ids.iter().map(|id| self.pat_of(state, organisation, *id)).collect();
        let found = found.ok_or_else(|| {
            Refusal::validation("ProgrammaticAccessGrant", "pat_ids", "invalid", "")
        })?;
        let (gone, at) = (self.effective(state), self.now());
        for index in found {
            state.revoke_pat(index, gone, at);
        }
        Ok(answer(202, &json!({})))
    }

    /// `POST /orgs/{org}/personal-access-tokens/{pat_id}`.
    pub(super) fn revoke_pat(
        &self,
        state: &mut State,
        caller: &Caller,
        organisation: usize,
        id: &str,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, WRITE_PATS, Target::Organisation(organisation))?;
        let fields = body(request, &["action"])?;
        choice(&fields, "action", &["revoke"])?;
        let id: u64 = id.parse().map_err(|_| Refusal::not_found())?;
        let index = self.pat_of(state, organisation, id).ok_or_else(Refusal::not_found)?;
        let (now, at) = (self.wall_ms(), self.now());
        state.revoke_pat(index, now, at);
        Ok(Reply::empty(204))
    }

    /// `POST /orgs/{org}/personal-access-token-requests`, or of one request.
    pub(super) fn review_pat_requests(
        &self,
        state: &mut State,
        caller: &Caller,
        organisation: usize,
        id: Option<&str>,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, WRITE_PAT_REQUESTS, Target::Organisation(organisation))?;
        let known: &[&str] = match id {
            Some(_) => &["action", "reason"],
            None => &["action", "reason", "pat_request_ids"],
        };
        let fields = body(request, known)?;
        let approve = choice(&fields, "action", &["approve", "deny"])? == "approve";
        let ids = match id {
            Some(text) => vec![text.parse().map_err(|_| Refusal::not_found())?],
            None => numbers(&fields, "pat_request_ids", 100)?,
        };
        let found: Option<Vec<usize>> =
            ids.iter().map(|id| self.request_of(state, organisation, *id)).collect();
        let missing = || match id {
            Some(_) => Refusal::not_found(),
            None => Refusal::validation(
                "ProgrammaticAccessGrantRequest",
                "pat_request_ids",
                "invalid",
                "",
            ),
        };
        let (now, at) = (self.wall_ms(), self.now());
        for index in found.ok_or_else(missing)? {
            let pat = &mut state.pat_requests[index].pat;
            pat.gone = now;
            if approve {
                let mut pat = pat.clone();
                pat.gone = NEVER;
                pat.granted = at;
                pat.id = state.fresh_id();
                state.pats.push(pat);
                state.log.push(at, Happening::PatMade(state.pats.len() - 1));
            } else {
                state.log.push(at, Happening::PatDenied(index));
            }
        }
        Ok(if id.is_some() { Reply::empty(204) } else { answer(202, &json!({})) })
    }
}

/// `issues_read`: a permission and a level that a token has at least.
fn has_permission(state: &State, pat: &Pat, wanted: &str) -> bool {
    let Some((name, least)) = wanted.rsplit_once('_') else { return false };
    let least = super::access::Level::parse(least);
    let held = &state.pat_permissions[pat.permissions as usize];
    [&held.organization, &held.repository, &held.other].iter().any(|map| {
        let level = super::access::level(map, name);
        least.is_some() && level >= least
    })
}
