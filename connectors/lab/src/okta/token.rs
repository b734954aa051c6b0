//! Signing in: the org authorization server's token endpoint for service apps with a key, its revocation endpoint, and the access
//! tokens. What a token then may do is decided elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header, encode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Core;
use super::behaviour::OktaDpop;
use super::dpop::{ALGORITHMS, Occasion};
use super::error::oauth;
use super::keys::keyring;
use super::state::{App, State};
use crate::keys::random_text;
use crate::wire::{Reply, Request};

/// The endpoints.
pub(crate) const TOKEN_PATH: &str = "/oauth2/v1/token";
pub(crate) const REVOKE_PATH: &str = "/oauth2/v1/revoke";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest life of an assertion, and what clocks may differ by, in seconds.
const ASSERTION_LIFE: i64 = 3_600;
const SKEW: i64 = 300;

/// An access token's state.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The client, by its place.
    pub(crate) app: u32,
    pub(crate) scopes: Arc<Vec<String>>,
    /// The thumbprint of the key that it is bound to.
    pub(crate) bound: Option<String>,
    pub(crate) ends: i64,
}

/// All access tokens.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Session>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends every access token.
    pub(crate) fn clear(&self) {
        self.with(HashMap::clear);
    }

    /// The session of a token, dead or alive.
    pub(crate) fn get(&self, token: &str) -> Option<Session> {
        self.with(|sessions| sessions.get(token).cloned())
    }

    /// Takes a scope out of every access token of a client.
    pub(crate) fn without(&self, app: u32, scope: &str) {
        self.with(|sessions| {
            for session in sessions.values_mut().filter(|session| session.app == app) {
                Arc::make_mut(&mut session.scopes).retain(|known| known != scope);
            }
        });
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Json,
    exp: f64,
    iat: Option<f64>,
    jti: Option<String>,
}

/// The form fields of a request; some clients put them into the query.
fn fields(request: &Request) -> Vec<(String, String)> {
    let mut fields = request.form().unwrap_or_default();
    fields.extend(request.query.iter().cloned());
    fields
}

fn one<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    let mut values = fields.iter().filter(|(key, _)| key == name);
    values.next().map(|(_, value)| value.as_str()).filter(|_| values.next().is_none())
}

fn unauthorized(description: &str) -> Reply {
    oauth(401, "invalid_client", description)
}

impl Core {
    /// `POST /oauth2/v1/token`.
    pub(super) fn token(&self, request: &Request) -> Reply {
        self.issue(request)
            .unwrap_or_else(|refusal| refusal)
            .with_header("cache-control", "no-store")
    }

    fn issue(&self, request: &Request) -> Result<Reply, Reply> {
        let state = self.state();
        let fields = fields(request);
        let bad = |description: &str| oauth(400, "invalid_request", description);
        const KNOWN: [&str; 5] =
            ["grant_type", "scope", "client_assertion_type", "client_assertion", "client_id"];
        if let Some((name, _)) = fields.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            return Err(bad(&format!("The parameter '{name}' is not expected here.")));
        }
        match one(&fields, "grant_type") {
            Some("client_credentials") => {}
            None => return Err(bad("The grant_type parameter is missing.")),
            Some(_) => {
                let description =
                    "The authorization grant type is not supported by the authorization server.";
                return Err(oauth(400, "unsupported_grant_type", description));
            }
        }
        let app = self.client(&state, &fields, TOKEN_PATH)?;
        let bound = self.binding(&state, request)?;
        let scopes = self.scopes(&state, app, one(&fields, "scope").unwrap_or_default())?;
        let now = self.clock.wall().as_second();
        let life = i64::try_from(state.behaviour.token_seconds).unwrap_or(i64::MAX);
        let client = &state.apps[app as usize];
        let mut claims = json!({
            "ver": 1,
            "jti": format!("AT.FAKE.{}", random_text(32)),
            "iss": self.base_url,
            "aud": self.base_url,
            "sub": client.client_id,
            "cid": client.client_id,
            "iat": now,
            "exp": now.saturating_add(life),
            "scp": scopes,
        });
        if let Some(thumbprint) = &bound {
            claims["cnf"] = json!({ "jkt": thumbprint });
        }
        let signed = keyring()
            .ok()
            .and_then(|ring| encode(&Header::new(Algorithm::RS256), &claims, &ring.issuer).ok());
        let token =
            signed.ok_or_else(|| oauth(500, "server_error", "The token could not be signed."))?;
        let kind = if bound.is_some() { "DPoP" } else { "Bearer" };
        let body = json!({
            "token_type": kind,
            "expires_in": state.behaviour.token_seconds,
            "access_token": token,
            "scope": scopes.join(" "),
        });
        let session =
            Session { app, scopes: Arc::new(scopes), bound, ends: now.saturating_add(life) };
        self.sessions.with(|sessions| sessions.insert(token, session));
        Ok(Reply::json(200, body.to_string()))
    }

    /// `POST /oauth2/v1/revoke`: whatever the token is, the answer is the same.
    pub(super) fn revoke(&self, request: &Request) -> Reply {
        let state = self.state();
        let fields = fields(request);
        let app = match self.client(&state, &fields, REVOKE_PATH) {
            Ok(app) => app,
            Err(refusal) => return refusal,
        };
        let Some(token) = one(&fields, "token") else {
            return oauth(400, "invalid_request", "The token parameter is missing.");
        };
        self.sessions.with(|sessions| {
            if sessions.get(token).is_some_and(|session| session.app == app) {
                sessions.remove(token);
            }
        });
        Reply::empty(200)
    }

    /// The client behind an assertion.
    fn client(&self, state: &State, fields: &[(String, String)], path: &str) -> Result<u32, Reply> {
        if one(fields, "client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(unauthorized(
                "Client authentication failed. Either the client or the client credentials are invalid.",
            ));
        }
        let assertion = one(fields, "client_assertion")
            .ok_or_else(|| unauthorized("The client_assertion parameter is missing."))?;
        let unsigned: Option<Claims> = assertion
            .split('.')
            .nth(1)
            .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let claims = unsigned.ok_or_else(|| {
            unauthorized("The client_assertion is not a JWT with the expected claims.")
        })?;
        let named = one(fields, "client_id").unwrap_or(&claims.sub);
        if claims.iss != claims.sub || claims.sub != named {
            return Err(unauthorized(
                "The issuer and the subject of the client_assertion must both be the client id.",
            ));
        }
        let unknown = || unauthorized("Invalid value for 'client_id' parameter.");
        let app = state.app(&claims.sub).ok_or_else(unknown)?;
        let client = &state.apps[app as usize];
        if client.client_id != claims.sub || !client.active || !client.is_oidc() {
            return Err(unknown());
        }
        if !signed(client, assertion) {
            return Err(unauthorized("The client_assertion signature is invalid."));
        }
        let wanted = format!("{}{path}", self.base_url);
        let meant = match &claims.aud {
            Json::String(audience) => *audience == wanted,
            Json::Array(audiences) => audiences.len() == 1 && audiences[0] == json!(wanted),
            _ => false,
        };
        if !meant {
            return Err(unauthorized(
                "The audience claim for client_assertion must be the endpoint invoked for the request.",
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a fraction of a second is meant to go"
        )]
        let (ends, issued) = (claims.exp as i64, claims.iat.map(|iat| iat as i64));
        let skew = SignedDuration::from_secs(state.behaviour.clock_skew_seconds);
        let mut clocks = self.clock.claims(skew).map(|now| match () {
            () if ends <= now => "The client_assertion token is expired.",
            () if ends > now + ASSERTION_LIFE + 60 => {
                "The client_assertion token has an expiration too far into the future."
            }
            () if issued.is_some_and(|issued| issued > now + SKEW) => {
                "The client_assertion is not valid yet."
            }
            () => "",
        });
        let first = clocks.next().unwrap_or_default();
        if !first.is_empty() && !clocks.any(str::is_empty) {
            return Err(unauthorized(first));
        }
        let Some(id) = claims.jti.filter(|id| !id.is_empty()) else {
            return Err(unauthorized("The client_assertion has no jti."));
        };
        if !self.once.first("assertion", &format!("{}/{id}", claims.sub)) {
            return Err(unauthorized("The client_assertion was used before."));
        }
        Ok(app)
    }

    /// The key that the new token is bound to.
    fn binding(&self, state: &State, request: &Request) -> Result<Option<String>, Reply> {
        let proof = match (state.behaviour.dpop, request.header("dpop")) {
            (OktaDpop::Off, _) | (OktaDpop::Optional, None) => return Ok(None),
            (OktaDpop::Required, None) => {
                return Err(oauth(
                    400,
                    "invalid_dpop_proof",
                    "The DPoP proof JWT header is missing.",
                ));
            }
            (_, Some(proof)) => proof,
        };
        let occasion = Occasion {
            method: request.method.as_str(),
            path: &request.path,
            token: None,
            nonce: true,
            skew: state.behaviour.clock_skew_seconds,
        };
        self.proven(proof, &occasion).map(Some).map_err(|problem| {
            let refusal = oauth(400, problem.error, problem.description);
            match problem.error {
                "use_dpop_nonce" => refusal.with_header("dpop-nonce", self.once.nonce()),
                _ => refusal,
            }
        })
    }

    /// The scopes that are asked for, all of them granted by an admin.
    fn scopes(&self, state: &State, app: u32, asked: &str) -> Result<Vec<String>, Reply> {
        let granted: Vec<&str> = state.admin_scopes(app).collect();
        let mut scopes: Vec<&str> = asked.split(' ').filter(|scope| !scope.is_empty()).collect();
        if scopes.is_empty() {
            let description = "The authorization server resource does not have any configured default scopes, 'scope' must be provided.";
            return Err(oauth(400, "invalid_scope", description));
        }
        let before = scopes.len();
        scopes.retain(|scope| granted.contains(scope));
        if scopes.is_empty() || scopes.len() < before && !state.behaviour.partial_scopes {
            let description = "One or more scopes are not granted to the client.";
            return Err(oauth(400, "invalid_scope", description));
        }
        Ok(scopes.into_iter().map(str::to_owned).collect())
    }
}

/// Whether an active key of the client signed it.
fn signed(client: &App, assertion: &str) -> bool {
    let Ok(header) = decode_header(assertion) else { return false };
    if !ALGORITHMS.contains(&header.alg) {
        return false;
    }
    let usable = client.keys.iter().filter(|key| key.active).filter_map(|key| key.jwk.as_ref());
    let mut fitting: Vec<&Json> = usable
        .filter(|jwk| header.kid.as_ref().is_none_or(|kid| jwk["kid"] == json!(kid)))
        .collect();
    // Without a key id there must be no doubt.
    if header.kid.is_none() && fitting.len() > 1 {
        fitting.clear();
    }
    let mut rules = Validation::new(header.alg);
    // Dates and audience have refusals of their own.
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    fitting.into_iter().any(|jwk| {
        let key = serde_json::from_value(jwk.clone()).ok();
        let key = key.and_then(|jwk| DecodingKey::from_jwk(&jwk).ok());
        key.is_some_and(|key| decode::<Claims>(assertion, &key, &rules).is_ok())
    })
}

/// What a call to an endpoint asks for: the grant type and the scopes, unchecked.
pub(crate) fn asked(request: &Request) -> Option<String> {
    let fields = fields(request);
    let kind = one(&fields, "grant_type").unwrap_or("revoke");
    let scopes = one(&fields, "scope").unwrap_or_default();
    Some(format!("{kind} {scopes}").trim_end().to_owned())
}
