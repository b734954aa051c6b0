//! The Directory API's grants (`tokens.*`) and app passwords (`asps.*`) of one user. Neither listing
//! has pages.

use serde_json::{Value as Json, json};

use super::Core;
use super::auth::Caller;
use super::error::Refusal;
use super::events::mix;
use super::gate::guard_super_admin;
use super::params::{finish, only};
use super::state::{Password, State};
use super::users::live_user;
use crate::wire::{Reply, Request};

const TOKEN_FIELDS: &str = "kind,etag,clientId,displayText,anonymous,nativeApp,scopes,userKey";
const PASSWORD_FIELDS: &str = "kind,etag,codeId,name,creationTime,lastTimeUsed,userKey";

fn token_json(state: &State, index: u32) -> Json {
    let grant = state.grants.row(index);
    let app = &state.apps[grant.app as usize];
    let mut body = json!({
        "kind": "admin#directory#token",
        "etag": format!("\"lab/{:016x}\"", mix(u64::from(index))),
        "clientId": app.client_id,
        "displayText": app.facts.name,
        "anonymous": app.facts.anonymous,
        "nativeApp": app.facts.native,
        "scopes": state.scopes(grant.scopes),
        "userKey": state.users[grant.user as usize].id,
    });
    if let (Json::Object(fields), true) = (&mut body, state.behaviour.omit_false) {
        fields.retain(|_, value| *value != Json::Bool(false));
    }
    body
}

fn password_json(state: &State, password: &Password) -> Json {
    json!({
        "kind": "admin#directory#asp",
        "etag": "\"lab/asp\"",
        "codeId": password.code,
        "name": password.name,
        "creationTime": password.created.to_string(),
        "lastTimeUsed": password.last_used.to_string(),
        "userKey": state.users[password.user].id,
    })
}

/// A listing without pages; `items` is absent when there are none.
fn listing(kind: &str, items: Vec<Json>) -> Json {
    let mut body = json!({ "kind": kind, "etag": "\"lab/list\"" });
    if !items.is_empty() {
        body["items"] = Json::Array(items);
    }
    body
}

/// The user whose tokens are asked for, if the platform lets anybody read them.
fn readable_user(state: &State, key: &str) -> Result<usize, Refusal> {
    let user = live_user(state, key)?;
    let facts = &state.users[user];
    match facts.facts.tokens_refused {
        Some(401) => Err(Refusal::credentials()),
        Some(_) => Err(Refusal::not_found("userKey")),
        None if facts.suspended && state.behaviour.suspended_tokens_unauthorized => {
            Err(Refusal::credentials())
        }
        None => Ok(user),
    }
}

/// The live grant of a user to a client.
fn grant_of(state: &State, user: usize, client_id: &str) -> Result<u32, Refusal> {
    let app = state.app_of_client(client_id);
    app.and_then(|app| state.grants.find(user, app)).ok_or_else(|| Refusal::not_found("clientId"))
}

/// The place of a user's app password.
fn password_of(state: &State, user: usize, code: &str) -> Result<usize, Refusal> {
    let code: i32 = code.parse().map_err(|_| Refusal::invalid("Invalid Input: codeId"))?;
    let wanted =
        |password: &Password| password.user == user && password.code == code && !password.deleted;
    state.passwords.iter().position(wanted).ok_or_else(|| Refusal::not_found("codeId"))
}

impl Core {
    /// `GET …/users/{userKey}/tokens`.
    pub(super) fn list_tokens(
        &self,
        state: &State,
        key: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let user = readable_user(state, key)?;
        let items: Vec<Json> =
            state.grants.of_user(user).map(|(index, _)| token_json(state, index)).collect();
        if items.is_empty() && state.behaviour.empty_tokens_not_found {
            return Err(Refusal::not_found("userKey"));
        }
        let body = listing("admin#directory#tokenList", items);
        finish(request, body, &format!("kind,etag,items({TOKEN_FIELDS})"))
    }

    /// `GET …/users/{userKey}/tokens/{clientId}`.
    pub(super) fn get_token(
        &self,
        state: &State,
        key: &str,
        client_id: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let user = readable_user(state, key)?;
        let grant = grant_of(state, user, client_id)?;
        finish(request, token_json(state, grant), TOKEN_FIELDS)
    }

    /// `DELETE …/users/{userKey}/tokens/{clientId}`.
    pub(super) fn delete_token(
        &self,
        key: &str,
        client_id: &str,
        caller: &Caller,
        request: &Request,
        now: i64,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let mut state = self.state_mut();
        let user = live_user(&state, key)?;
        guard_super_admin(&state, caller, user)?;
        let grant = grant_of(&state, user, client_id)?;
        state.revoke(grant, now);
        Ok(Reply::empty(204))
    }

    /// `GET …/users/{userKey}/asps`.
    pub(super) fn list_passwords(
        &self,
        state: &State,
        key: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let user = live_user(state, key)?;
        let own = state.passwords.iter().filter(|one| one.user == user && !one.deleted);
        let items = own.map(|password| password_json(state, password)).collect();
        let body = listing("admin#directory#aspList", items);
        finish(request, body, &format!("kind,etag,items({PASSWORD_FIELDS})"))
    }

    /// `GET …/users/{userKey}/asps/{codeId}`.
    pub(super) fn get_password(
        &self,
        state: &State,
        key: &str,
        code: &str,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let user = live_user(state, key)?;
        let password = password_of(state, user, code)?;
        finish(request, password_json(state, &state.passwords[password]), PASSWORD_FIELDS)
    }

    /// `DELETE …/users/{userKey}/asps/{codeId}`.
    pub(super) fn delete_password(
        &self,
        key: &str,
        code: &str,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let mut state = self.state_mut();
        let user = live_user(&state, key)?;
        guard_super_admin(&state, caller, user)?;
        let password = password_of(&state, user, code)?;
        state.passwords[password].deleted = true;
        Ok(Reply::empty(204))
    }
}
