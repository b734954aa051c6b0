//! What a site administrator of a GitHub Enterprise Server sees: all tokens, keys and global webhooks.

use serde_json::{Value as Json, json};

use super::Core;
use super::access::SITE_ADMIN;
use super::audit::hashed_token;
use super::auth::Caller;
use super::error::{Answer, Refusal};
use super::gate::Target;
use super::params::{only, only_pages};
use super::people::public_key;
use super::state::{SiteRow, State};
use super::time::zulu;
use crate::wire::{Reply, Request};

/// What one row of `/admin/keys` is of.
enum SiteKey {
    User(usize, u64),
    Deploy(usize),
}

impl Core {
    fn site_token_json(&self, state: &State, row: &SiteRow) -> Json {
        let app = match &row.app {
            Some(name) => json!({
                "client_id": format!("FAKE{:016x}", row.id),
                "name": name,
                "url": "https://oauth.example",
            }),
            None => json!({
                "client_id": "00000000000000000000",
                "name": row.note,
                "url": "https://docs.github.com/rest",
            }),
        };
        json!({
            "id": row.id,
            "url": format!("{}/authorizations/{}", self.base_url, row.id),
            "app": app,
            "token": "",
            "hashed_token": hashed_token(row.id),
            "token_last_eight": format!("FAKE{:04}", row.id % 10_000),
            "note": row.note,
            "note_url": Json::Null,
            "created_at": zulu(row.created),
            "updated_at": zulu(row.updated),
            "scopes": row.scopes,
            "fingerprint": Json::Null,
            "expires_at": row.expires.map(zulu),
            "user": self.user_json(state, row.user),
            "installation": Json::Null,
        })
    }

    /// `GET /admin/tokens`.
    pub(super) fn list_site_tokens(
        &self,
        state: &State,
        caller: &Caller,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, SITE_ADMIN, Target::Site)?;
        only_pages(request)?;
        let now = self.wall_ms();
        let rows: Vec<&SiteRow> = state.site_tokens.iter().filter(|row| row.gone > now).collect();
        self.page(state, request, None, rows, |row| self.site_token_json(state, row))
    }

    /// `DELETE /admin/tokens/{token_id}`.
    pub(super) fn delete_site_token(
        &self,
        state: &mut State,
        caller: &Caller,
        id: &str,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, SITE_ADMIN, Target::Site)?;
        let now = self.wall_ms();
        let id: u64 = id.parse().map_err(|_| Refusal::not_found())?;
        let found = state.site_tokens.iter_mut().find(|row| row.id == id && row.gone > now);
        let row = found.ok_or_else(Refusal::not_found)?;
        if row.token.is_some() && row.token.as_deref() == Self::own_token(request) {
            return Err(Refusal::new(403, "The token in use cannot be deleted."));
        }
        row.gone = now;
        let text = row.token.clone();
        for token in &mut state.classic {
            if Some(&token.text) == text.as_ref() {
                token.gone = now;
            }
        }
        Ok(Reply::empty(204))
    }

    /// `GET /admin/keys`.
    pub(super) fn list_site_keys(
        &self,
        state: &State,
        caller: &Caller,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, SITE_ADMIN, Target::Site)?;
        only(request, &["per_page", "page", "direction", "sort", "since"])?;
        let now = self.wall_ms();
        let mut rows = Vec::new();
        for (index, user) in state.users.iter().enumerate() {
            rows.extend((0..).take(user.ssh_keys.len()).map(|n| SiteKey::User(index, n)));
        }
        let live = |index: &usize| state.deploy_keys[*index].gone > now;
        rows.extend((0..state.deploy_keys.len()).filter(live).map(SiteKey::Deploy));
        self.page(state, request, None, rows, |row| match row {
            SiteKey::User(user, number) => {
                let facts = &state.users[*user];
                let id = facts.id * 100 + number;
                json!({
                    "id": id,
                    "key": public_key(id),
                    "user_id": facts.id,
                    "repository_id": Json::Null,
                    "url": format!("{}/user/keys/{id}", self.base_url),
                    "title": usize::try_from(*number).ok().and_then(|n| facts.ssh_keys.get(n)),
                    "read_only": false,
                    "verified": true,
                    "created_at": zulu(0),
                    "added_by": facts.login,
                    "last_used": Json::Null,
                })
            }
            SiteKey::Deploy(index) => {
                let key = &state.deploy_keys[*index];
                let full = state.full_name(key.repository);
                json!({
                    "id": key.id,
                    "key": public_key(key.id),
                    "user_id": Json::Null,
                    "repository_id": state.repositories[key.repository].id,
                    "url": format!("{}/repos/{full}/keys/{}", self.base_url, key.id),
                    "title": key.title,
                    "read_only": key.read_only,
                    "verified": key.verified,
                    "created_at": zulu(key.created),
                    "added_by": key.added_by,
                    "last_used": key.last_used.map(zulu),
                })
            }
        })
    }

    /// `GET /admin/hooks`: global webhooks, of which a world has none.
    pub(super) fn list_site_hooks(
        &self,
        state: &State,
        caller: &Caller,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, SITE_ADMIN, Target::Site)?;
        only_pages(request)?;
        self.page(state, request, None, Vec::<Json>::new(), Json::clone)
    }
}
