//! Secrets and keys of clients. Whoever lists an app's secrets gets them in the clear, and the log tells it.

use serde_json::{Value as Json, json};

use super::Core;
use super::apps::live_app;
use super::error::Refusal;
use super::events::{Party, Told};
use super::gate::Caller;
use super::id::letters;
use super::params::only;
use super::route::{Asked, Op};
use super::state::{Credential, State};
use super::time::iso;
use crate::wire::{Reply, Request};

/// What happens to a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It works again.
    Activate,
    /// It stops working.
    Deactivate,
    /// It goes.
    Delete,
}

impl Change {
    /// What an operation does.
    pub(super) fn of(op: Op) -> Self {
        match op {
            Op::ActivateSecret | Op::ActivateKey | Op::ActivateServiceSecret => Self::Activate,
            Op::DeactivateSecret | Op::DeactivateKey | Op::DeactivateServiceSecret => {
                Self::Deactivate
            }
            _ => Self::Delete,
        }
    }

    /// Its event type.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Activate => "app.oauth2.credentials.lifecycle.activate",
            Self::Deactivate => "app.oauth2.credentials.lifecycle.deactivate",
            Self::Delete => "app.oauth2.credentials.lifecycle.delete",
        }
    }

    /// Does it: the credential as it is then, or none if it is deleted. The only active one cannot be switched off, and an active one
    /// cannot be deleted.
    pub(super) fn apply(
        self,
        credentials: &mut Vec<Credential>,
        id: &str,
        now: i64,
    ) -> Result<Option<Credential>, Refusal> {
        let place = credentials.iter().position(|it| it.id == id);
        let place = place.ok_or_else(|| Refusal::not_found(id, "OAuthClientCredential"))?;
        let active = credentials.iter().filter(|it| it.active).count();
        let this = &mut credentials[place];
        match self {
            Self::Deactivate if this.active && active == 1 => {
                let cause = "The only active credential of a client cannot be deactivated.";
                return Err(Refusal::validation("status", cause));
            }
            Self::Delete if this.active => {
                return Err(Refusal::validation(
                    "status",
                    "An active credential cannot be deleted.",
                ));
            }
            Self::Delete => {
                credentials.remove(place);
                return Ok(None);
            }
            Self::Activate | Self::Deactivate => {}
        }
        this.active = self == Self::Activate;
        this.updated = now;
        Ok(Some(this.clone()))
    }
}

/// What can be done next with a credential.
pub(super) fn next_step(credential: &Credential) -> &'static str {
    if credential.active { "deactivate" } else { "activate" }
}

fn status(credential: &Credential) -> &'static str {
    if credential.active { "ACTIVE" } else { "INACTIVE" }
}

/// The way to the other status, and away.
fn links(own: &str, credential: &Credential) -> Json {
    let step = next_step(credential);
    json!({ step: { "href": format!("{own}/lifecycle/{step}"), "hints": { "allow": ["POST"] } } })
}

fn secret_json(app: &str, secret: &Credential, base_url: &str) -> Json {
    let seed =
        secret.id.bytes().fold(17, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    json!({
        "id": secret.id,
        "status": status(secret),
        "client_secret": format!("FAKE{}", letters(seed, 36)),
        "secret_hash": format!("FAKE{}", letters(seed + 1, 18)),
        "created": iso(secret.created),
        "lastUpdated": iso(secret.updated),
        "_links": links(&format!("{base_url}/api/v1/apps/{app}/credentials/secrets/{}", secret.id), secret),
    })
}

fn key_json(app: &str, key: &Credential, base_url: &str) -> Json {
    let known = || {
        json!({
            "kid": format!("FAKE-{}", key.id),
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "e": "AQAB",
            "n": format!("FAKE{}", "0".repeat(338)),
        })
    };
    let mut body = key.jwk.clone().unwrap_or_else(known);
    body["id"] = json!(key.id);
    body["status"] = json!(status(key));
    body["created"] = json!(iso(key.created));
    body["lastUpdated"] = json!(iso(key.updated));
    body["_links"] =
        links(&format!("{base_url}/api/v1/apps/{app}/credentials/jwks/{}", key.id), key);
    body
}

impl Core {
    /// `GET /api/v1/apps/{id}/credentials/secrets`: in the clear, and the log tells who read them.
    pub(super) fn list_secrets(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let mut state = self.state_mut();
        let app = live_app(&state, asked.part(0))?;
        let told = Told::new(
            "app.oauth2.client.read_client_secret",
            "Read client secret",
            caller.party(&state),
            vec![Party::client(&state, app)],
        );
        state.tell(now, told);
        state.secrets_read += 1;
        let app = &state.apps[app as usize];
        let rows: Vec<Json> =
            app.secrets.iter().map(|it| secret_json(&app.id, it, &self.base_url)).collect();
        Ok(Reply::json(200, Json::Array(rows).to_string()))
    }

    /// `GET /api/v1/apps/{id}/credentials/jwks`: an object, unlike all other listings.
    pub(super) fn list_keys(
        &self,
        state: &State,
        asked: &Asked,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let app = &state.apps[live_app(state, asked.part(0))? as usize];
        let keys: Vec<Json> =
            app.keys.iter().map(|key| key_json(&app.id, key, &self.base_url)).collect();
        Ok(Reply::json(200, json!({ "jwks": { "keys": keys } }).to_string()))
    }

    /// `POST …/secrets/{id}/lifecycle/{activate,deactivate}`, `DELETE …/secrets/{id}`.
    pub(super) fn change_secret(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        self.change(
            asked,
            caller,
            request,
            |state, app| &mut state.apps[app as usize].secrets,
            secret_json,
        )
    }

    /// `POST …/jwks/{id}/lifecycle/{activate,deactivate}`, `DELETE …/jwks/{id}`.
    pub(super) fn change_key(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        self.change(
            asked,
            caller,
            request,
            |state, app| &mut state.apps[app as usize].keys,
            key_json,
        )
    }

    fn change(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
        list: impl Fn(&mut State, u32) -> &mut Vec<Credential>,
        shown: impl Fn(&str, &Credential, &str) -> Json,
    ) -> Result<Reply, Refusal> {
        only(request, &[])?;
        let now = self.now();
        let mut state = self.state_mut();
        let app = live_app(&state, asked.part(0))?;
        let change = Change::of(asked.op);
        let changed = change.apply(list(&mut state, app), asked.part(1), now)?;
        let told = Told::new(
            change.event(),
            "Change client credential",
            caller.party(&state),
            vec![Party::client(&state, app)],
        );
        state.tell(now, told);
        let id = &state.apps[app as usize].id;
        Ok(match changed {
            None => Reply::empty(204),
            Some(changed) => Reply::json(200, shown(id, &changed, &self.base_url).to_string()),
        })
    }
}
