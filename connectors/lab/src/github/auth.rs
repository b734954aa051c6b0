//! Signing in: the JWT of a GitHub App, installation tokens, personal access tokens. What a caller may
//! do once known is decided elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, Validation, decode};
use serde::Deserialize;
use serde_json::Value as Json;

use super::Core;
use super::access::{Level, level};
use super::error::Refusal;
use super::state::{Signer, State};
use super::world::Permissions;
use crate::keys::random_text;
use crate::wire::Request;

/// The longest life of an App's JWT, and how far ahead its `iat` may be, in seconds.
const JWT_LIFE: i64 = 600;
const JWT_AHEAD: i64 = 60;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// An App itself, by its JWT.
    App(usize),
    /// An App's installation on an organisation, with what its token was narrowed to.
    Installation(usize, Option<Arc<Permissions>>),
    /// An App's installation on the enterprise.
    EnterpriseInstallation(usize),
    /// A user's classic personal access token.
    Classic(usize),
    /// A user's fine-grained personal access token.
    FineGrained,
}

impl Caller {
    /// Permissions that the caller has this moment; `None` for callers without a permission map.
    pub(crate) fn permissions(&self, state: &State) -> Option<Permissions> {
        match self {
            Self::Installation(row, None) => Some(state.installations[*row].permissions.clone()),
            Self::Installation(row, Some(narrowed)) => {
                Some(both(narrowed, &state.installations[*row].permissions))
            }
            Self::EnterpriseInstallation(row) => {
                Some(state.enterprise_installations[*row].permissions.clone())
            }
            Self::FineGrained => state.fine_grained.as_ref().map(|token| token.permissions.clone()),
            Self::Anonymous | Self::App(_) | Self::Classic(_) => None,
        }
    }

    /// The App that calls, itself or by an installation.
    pub(crate) fn app(&self, state: &State) -> Option<usize> {
        match self {
            Self::App(app) => Some(*app),
            Self::Installation(row, _) => Some(state.installations[*row].app),
            Self::EnterpriseInstallation(row) => Some(state.enterprise_installations[*row].app),
            Self::Anonymous | Self::Classic(_) | Self::FineGrained => None,
        }
    }

    /// The name that limits and logs know the caller by.
    pub(crate) fn name(&self, state: &State) -> String {
        match self {
            Self::Anonymous => "127.0.0.1".to_owned(),
            Self::App(app) => format!("app {}", state.apps[*app].slug),
            Self::Installation(row, _) => {
                let row = &state.installations[*row];
                let login = &state.organisations[row.organisation].facts.login;
                format!("{} on {login}", state.apps[row.app].slug)
            }
            Self::EnterpriseInstallation(row) => {
                let app = state.enterprise_installations[*row].app;
                format!("{} on the enterprise", state.apps[app].slug)
            }
            Self::Classic(row) => state.users[state.classic[*row].user].login.clone(),
            Self::FineGrained => match &state.fine_grained {
                Some(token) => state.users[token.user].login.clone(),
                None => String::new(),
            },
        }
    }
}

/// What both maps allow.
fn both(one: &Permissions, other: &Permissions) -> Permissions {
    let lesser =
        |name: &String| -> Option<Level> { Some(level(one, name)?.min(level(other, name)?)) };
    one.keys().filter_map(|name| Some((name.clone(), lesser(name)?.text().to_owned()))).collect()
}

#[derive(Debug)]
struct Session {
    caller: Caller,
    issued: i64,
}

/// All installation tokens.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Session>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends every installation token.
    pub(crate) fn clear(&self) {
        self.with(HashMap::clear);
    }

    /// Ends one.
    pub(crate) fn end(&self, token: &str) -> bool {
        self.with(|sessions| sessions.remove(token).is_some())
    }

    /// A new token.
    pub(crate) fn start(&self, caller: Caller, app_id: u64, long: bool, now: i64) -> String {
        let token = if long {
            // As long as the platform's own: its parts are a JWT's, and nobody can verify them.
            format!(
                "ghs_{app_id}_FAKE{}.{}.{}",
                random_text(32),
                random_text(136),
                random_text(332)
            )
        } else {
            format!("ghs_FAKE{}", random_text(32))
        };
        self.with(|sessions| sessions.insert(token.clone(), Session { caller, issued: now }));
        token
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Claims {
    iss: Json,
    #[serde(default)]
    iat: Json,
    #[serde(default)]
    exp: Json,
}

/// The token of an `Authorization` header, in either of the platform's schemes.
pub(crate) fn bearer(request: &Request) -> Result<Option<&str>, Refusal> {
    let Some(header) = request.header("authorization") else { return Ok(None) };
    let known = |scheme: &str| {
        scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")
    };
    match header.split_once(' ') {
        Some((scheme, token)) if known(scheme) && !token.is_empty() => Ok(Some(token)),
        _ => Err(Refusal::credentials()),
    }
}

/// The claims of a JWT whose signature may still be wrong.
fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn undecodable() -> Refusal {
    Refusal::new(401, "A JSON web token could not be decoded")
}

impl Core {
    /// Who makes a call.
    pub(super) fn caller(&self, state: &State, request: &Request) -> Result<Caller, Refusal> {
        let Some(token) = bearer(request)? else { return Ok(Caller::Anonymous) };
        let wall = self.clock.wall();
        let gone = wall.as_millisecond();
        if token.starts_with("ghs_") {
            return self.by_session(state, token);
        }
        let world = self.now();
        let live = |until: Option<i64>| until.is_none_or(|until| until > world);
        let classic = state.classic.iter().position(|classic| {
            classic.text == token && classic.gone > gone && live(classic.expires)
        });
        if let Some(row) = classic {
            return Ok(Caller::Classic(row));
        }
        let own = |row: &&super::state::FineGrained| row.text == token && row.gone > gone;
        if state.fine_grained.as_ref().filter(own).is_some() {
            return Ok(Caller::FineGrained);
        }
        match claims(token) {
            Some(claims) => self.by_jwt(state, token, &claims),
            None => Err(Refusal::credentials()),
        }
    }

    fn by_session(&self, state: &State, token: &str) -> Result<Caller, Refusal> {
        let wall = self.clock.wall();
        let life = i64::try_from(state.behaviour.token_seconds).unwrap_or(i64::MAX);
        let caller = self.sessions.with(|sessions| {
            let session = sessions.get(token)?;
            let live = wall.as_second() < session.issued.saturating_add(life);
            live.then(|| session.caller.clone())
        });
        let caller = caller.ok_or_else(Refusal::credentials)?;
        if let Caller::Installation(row, _) = &caller {
            let row = &state.installations[*row];
            if row.gone <= wall.as_millisecond() {
                return Err(Refusal::credentials());
            }
            if row.suspended.is_some() {
                return Err(suspended());
            }
        }
        Ok(caller)
    }

    fn by_jwt(&self, state: &State, token: &str, claims: &Claims) -> Result<Caller, Refusal> {
        let issuer = match &claims.iss {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            _ => return Err(undecodable()),
        };
        let found = state
            .apps
            .iter()
            .position(|app| app.client_id == issuer || app.id.to_string() == issuer)
            .ok_or_else(|| Refusal::new(404, "Integration not found"))?;
        let verifier = match state.apps[found].signer {
            Signer::Scanner => &self.key.verifier,
            Signer::Revoker => &self.revoker_key.verifier,
            Signer::Vendor => return Err(undecodable()),
        };
        let mut rules = Validation::new(Algorithm::RS256);
        // Dates have refusals of their own.
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        if decode::<Json>(token, verifier, &rules).is_err() {
            return Err(undecodable());
        }
        let skew = SignedDuration::from_secs(state.behaviour.clock_skew_seconds);
        // The wall's refusal is told, not the frozen world's.
        let mut refusal = None;
        for now in self.clock.claims(skew) {
            match dates(claims, now) {
                Ok(()) => return Ok(Caller::App(found)),
                Err(other) => refusal = refusal.or(Some(other)),
            }
        }
        Err(refusal.unwrap_or_else(undecodable))
    }
}

/// Whether a JWT is of now.
fn dates(claims: &Claims, now: i64) -> Result<(), Refusal> {
    let wrong = |message: &str| Err(Refusal::new(401, message));
    let Some(exp) = claims.exp.as_i64().filter(|exp| *exp > now) else {
        return wrong(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time \
             at which the assertion expires",
        );
    };
    if exp > now + JWT_LIFE {
        return wrong("'Expiration time' claim ('exp') is too far in the future");
    }
    if claims.iat.as_i64().is_none_or(|iat| iat > now + JWT_AHEAD) {
        return wrong(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion \
             was issued",
        );
    }
    Ok(())
}

/// The caller's own installation is suspended.
pub(crate) fn suspended() -> Refusal {
    Refusal::new(403, "This installation has been suspended")
}
