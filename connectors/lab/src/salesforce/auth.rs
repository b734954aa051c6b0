//! Signing in and out: the token endpoint, access tokens as sessions, the revocation endpoint. Who
//! may do what once signed in is decided elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::Core;
use super::error::{Refusal, oauth};
use super::state::{State, prefix};
use super::tokens::{NONE, Secret};
use crate::keys::random_text;
use crate::wire::{Reply, Request};

/// The longest life of an assertion, and what clocks may differ by, in seconds.
const ASSERTION_LIFE: i64 = 180;
const ASSERTION_SKEW: i64 = 30;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An access token's state.
#[derive(Debug, Clone, Copy)]
struct Session {
    user: usize,
    app: usize,
    /// The token row that it came from, if it came from a refresh token.
    grant: Option<usize>,
    issued: i64,
    calls: u64,
}

/// All access tokens.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Session>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends every session.
    pub(crate) fn clear(&self) {
        self.with(HashMap::clear);
    }

    /// The user of a live access token, without counting it as a call.
    pub(crate) fn user(&self, token: &str) -> Option<usize> {
        self.with(|sessions| sessions.get(token).map(|session| session.user))
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(deserialize_with = "seconds")]
    exp: i64,
}

/// Seconds as a number or, as simple-salesforce writes them and the platform takes them, as a text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(i64),
        Text(String),
    }
    match Seconds::deserialize(deserializer)? {
        Seconds::Number(seconds) => Ok(seconds),
        Seconds::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn accepts(&self, url: &str) -> bool {
        match self {
            Self::One(audience) => audience == url,
            Self::Many(audiences) => audiences.iter().any(|audience| audience == url),
        }
    }
}

type Fields = Vec<(String, String)>;

fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn only(fields: &Fields, known: &[&str]) -> Result<(), Reply> {
    match fields.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        Some((key, _)) => Err(oauth("invalid_request", &format!("unknown parameter {key}"))),
        None => Ok(()),
    }
}

impl Core {
    /// `POST /services/oauth2/token`.
    pub(super) fn token(&self, request: &Request) -> Reply {
        self.issue(request).unwrap_or_else(|refusal| refusal)
    }

    fn issue(&self, request: &Request) -> Result<Reply, Reply> {
        if request.method != "POST" {
            return Err(oauth("invalid_request", "must use HTTP POST"));
        }
        if let Some((name, _)) = request.query.first() {
            return Err(oauth("invalid_request", &format!("unknown parameter {name}")));
        }
        let fields = request.form().ok_or_else(|| {
            oauth("invalid_request", "must use application/x-www-form-urlencoded")
        })?;
        let state = self.state();
        let session = match field(&fields, "grant_type") {
            Some(JWT_BEARER) => self.by_assertion(&state, &fields)?,
            Some("client_credentials") => self.by_secret(&state, request, &fields)?,
            Some("refresh_token") => self.by_refresh_token(&state, &fields)?,
            _ => return Err(oauth("unsupported_grant_type", "grant type not supported")),
        };
        let token = format!("{}!FAKE.{}", state.org_id().short(), random_text(64));
        self.sessions.with(|sessions| sessions.insert(token.clone(), session));
        let login = if state.sandbox { "test" } else { "login" };
        let user = state.id(prefix::USER, session.user);
        let body = json!({
            "access_token": token,
            "scope": state.wire_scopes(session.app),
            "instance_url": self.base_url,
            "id": format!("https://{login}.salesforce.com/id/{}/{user}", state.org_id()),
            "token_type": "Bearer",
        });
        Ok(Reply::json(200, body.to_string()).with_header("cache-control", "no-store"))
    }

    fn session(&self, user: usize, app: usize, grant: Option<usize>) -> Session {
        Session { user, app, grant, issued: self.clock.wall().as_second(), calls: 0 }
    }

    fn by_assertion(&self, state: &State, fields: &Fields) -> Result<Session, Reply> {
        only(fields, &["grant_type", "assertion", "format"])?;
        let invalid = || oauth("invalid_grant", "invalid assertion");
        let assertion = field(fields, "assertion").ok_or_else(invalid)?;
        let claims = self.claims(assertion).ok_or_else(invalid)?;
        let app = self.app_of(state, &claims.iss)?;
        if app != state.scanner_app || !self.signed(assertion) {
            return Err(invalid());
        }
        let login = if state.sandbox { "test" } else { "login" };
        let audiences = [format!("https://{login}.salesforce.com"), self.base_url.clone()];
        if !audiences.iter().any(|url| claims.aud.accepts(url)) {
            return Err(oauth("invalid_grant", "audience is invalid"));
        }
        let skew = SignedDuration::from_secs(state.behaviour.clock_skew_seconds);
        let in_time = |now: i64| {
            claims.exp > now - ASSERTION_SKEW && claims.exp <= now + ASSERTION_LIFE + ASSERTION_SKEW
        };
        if !self.clock.claims(skew).any(in_time) {
            return Err(invalid());
        }
        let user = state
            .user_named(&claims.sub)
            .ok_or_else(|| oauth("invalid_grant", "user hasn't approved this consumer"))?;
        if !state.users[user].may_log_in() {
            return Err(oauth("invalid_grant", "user is inactive"));
        }
        if state.admin_approved_only(app) && !state.approved(app, user) {
            let description = "user is not admin approved to access this app";
            return Err(oauth("invalid_app_access", description));
        }
        let consented = || {
            let own = |row: &super::tokens::TokenRow| {
                row.app as usize == app && row.user as usize == user
            };
            state.tokens.live().any(|(_, row)| own(row))
        };
        if !state.admin_approved_only(app) && !consented() {
            return Err(oauth("invalid_grant", "user hasn't approved this consumer"));
        }
        Ok(self.session(user, app, None))
    }

    /// The claims of a token whose signature may still be wrong.
    fn claims(&self, assertion: &str) -> Option<Claims> {
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let payload = assertion.split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    fn signed(&self, assertion: &str) -> bool {
        let verifier: &DecodingKey = &self.key.verifier;
        let mut rules = Validation::new(Algorithm::RS256);
        // Dates and audience have refusals of their own.
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        decode::<Claims>(assertion, verifier, &rules).is_ok()
    }

    /// The usable app behind a client id.
    fn app_of(&self, state: &State, client_id: &str) -> Result<usize, Reply> {
        let app = state
            .apps
            .iter()
            .position(|app| app.consumer_key == client_id)
            .ok_or_else(|| oauth("invalid_client_id", "client identifier invalid"))?;
        if state.app_id(app).is_none() {
            return Err(oauth("invalid_client", "app must be installed into org"));
        }
        if !state.usable(app) {
            return Err(oauth("OAUTH_APP_BLOCKED", "this app is blocked by admin"));
        }
        Ok(app)
    }

    fn by_secret(
        &self,
        state: &State,
        request: &Request,
        fields: &Fields,
    ) -> Result<Session, Reply> {
        only(fields, &["grant_type", "client_id", "client_secret", "format"])?;
        let basic = request.header("authorization").and_then(basic);
        let (id, secret) = match (&basic, field(fields, "client_id")) {
            (Some((id, secret)), None) => (id.as_str(), Some(secret.as_str())),
            (None, Some(id)) => (id, field(fields, "client_secret")),
            _ => return Err(oauth("invalid_client_id", "client identifier invalid")),
        };
        let app = self.app_of(state, id)?;
        if app != state.scanner_app || secret != Some(self.client_secret.as_str()) {
            return Err(oauth("invalid_client", "invalid client credentials"));
        }
        let user = state
            .client_credentials_user(app)
            .filter(|user| state.users[*user].may_log_in())
            .ok_or_else(|| oauth("invalid_grant", "no client credentials user enabled"))?;
        Ok(self.session(user, app, None))
    }

    /// What an app does with the refresh token it holds, and so a thief.
    fn by_refresh_token(&self, state: &State, fields: &Fields) -> Result<Session, Reply> {
        only(fields, &["grant_type", "client_id", "client_secret", "refresh_token", "format"])?;
        let expired = || oauth("invalid_grant", "expired access/refresh token");
        let secret = field(fields, "refresh_token").ok_or_else(expired)?;
        let serial = match Secret::read(state.org, secret) {
            Some((Secret::Refresh, serial)) if serial < state.tokens.len() => serial,
            _ => return Err(expired()),
        };
        let row = state.tokens.row(serial);
        let app = row.app as usize;
        if field(fields, "client_id") != Some(state.apps[app].consumer_key.as_str()) {
            return Err(oauth("invalid_client_id", "client identifier invalid"));
        }
        if !state.usable(app) {
            return Err(oauth("OAUTH_APP_BLOCKED", "this app is blocked by admin"));
        }
        let user = row.user as usize;
        if row.revoked || row.user == NONE || !state.users[user].may_log_in() {
            return Err(expired());
        }
        Ok(self.session(user, app, Some(serial)))
    }

    /// The user behind a call, counted against the session's life.
    pub(super) fn signed_in(&self, state: &State, token: &str) -> Result<usize, Refusal> {
        let now = self.clock.wall().as_second();
        let life = i64::try_from(state.behaviour.session_seconds).unwrap_or(i64::MAX);
        let calls = state.behaviour.session_calls.unwrap_or(u64::MAX);
        let session = self.sessions.with(|sessions| {
            let session = sessions.get_mut(token)?;
            session.calls += 1;
            Some(*session)
        });
        session
            .filter(|session| now < session.issued.saturating_add(life) && session.calls <= calls)
            .filter(|session| state.users[session.user].may_log_in() && state.usable(session.app))
            .filter(|session| session.grant.is_none_or(|row| !state.tokens.row(row).revoked))
            .map(|session| session.user)
            .ok_or_else(Refusal::session)
    }

    /// `GET` or `POST /services/oauth2/revoke`.
    pub(super) fn revoke(&self, request: &Request) -> Reply {
        let fields = match request.method.as_str() {
            "GET" => request.query.clone(),
            "POST" if request.query.is_empty() => match request.form() {
                Some(fields) => fields,
                None => return oauth("invalid_request", "must use form encoding"),
            },
            _ => return oauth("invalid_request", "must use HTTP GET or POST"),
        };
        if let Err(refusal) = only(&fields, &["token"]) {
            return refusal;
        }
        let Some(token) = field(&fields, "token").filter(|token| !token.is_empty()) else {
            return oauth("unsupported_token_type", "this token type is not supported");
        };
        if self.sessions.with(|sessions| sessions.remove(token)).is_some() {
            return Reply::empty(200);
        }
        let mut state = self.state_mut();
        match Secret::read(state.org, token) {
            Some((Secret::Delete | Secret::Refresh, row)) if state.tokens.revoke(row) => {
                Reply::empty(200)
            }
            Some((Secret::Request, _)) => {
                oauth("unsupported_token_type", "this token type is not supported")
            }
            _ => oauth("invalid_token", "invalid token"),
        }
    }

    /// `GET /services/oauth2/userinfo`.
    pub(super) fn userinfo(&self, state: &State, user: usize) -> Reply {
        let facts = &state.users[user];
        let body = json!({
            "sub": format!("https://login.salesforce.com/id/{}/{}", state.org_id(), state.id(prefix::USER, user)),
            "user_id": state.id(prefix::USER, user).to_string(),
            "organization_id": state.org_id().to_string(),
            "preferred_username": facts.facts.username,
            "name": facts.name,
        });
        Reply::json(200, body.to_string())
    }
}

/// The access token of an `Authorization` header.
pub(super) fn bearer(request: &Request) -> Result<&str, Refusal> {
    let header = request.header("authorization").ok_or_else(Refusal::session)?;
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") || scheme == "OAuth" => {
            Ok(token)
        }
        _ => Err(Refusal::authorization_header()),
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
