//! Signing in: the token endpoint for service accounts, access tokens, and assertions that a service
//! account uses as access tokens itself. What a caller may do once known is decided elsewhere.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::json;

use super::Core;
use super::access::known_scope;
use super::error::{Refusal, oauth};
use super::state::State;
use crate::keys::random_text;
use crate::wire::{Reply, Request};

/// The platform's own address for assertions.
const TOKEN_AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// The audience of an assertion that is used as an access token.
const ADMIN_AUDIENCE: &str = "https://admin.googleapis.com/";
/// The longest life of an assertion, and what clocks may differ by, in seconds.
const ASSERTION_LIFE: i64 = 65 * 60;
const ASSERTION_SKEW: i64 = 300;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Who calls: a user that the service account acts for, or the service account itself.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Option<usize>,
    /// Scopes of the token; `None` if it was made without.
    scopes: Option<Arc<BTreeSet<String>>>,
}

impl Caller {
    /// Whether the token has a scope that is still authorised.
    pub(crate) fn has_scope(&self, state: &State, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(scope))
            && (self.user.is_none() || state.delegated.contains(scope))
    }
}

#[derive(Debug)]
struct Session {
    caller: Caller,
    issued: i64,
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
}

#[derive(Debug, Clone, Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    scope: Option<String>,
    aud: String,
    iat: i64,
    exp: i64,
}

/// The claims of a token whose signature may still be wrong.
fn claims(assertion: &str) -> Option<Claims> {
    let mut parts = assertion.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// The access token of an `Authorization` header.
fn bearer(request: &Request) -> Result<&str, Refusal> {
    let header = request.header("authorization").ok_or_else(Refusal::no_credentials)?;
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        _ => Err(Refusal::credentials()),
    }
}

fn scope_set(text: &str) -> BTreeSet<String> {
    text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

impl Core {
    /// `POST /token`.
    pub(super) fn token(&self, request: &Request) -> Reply {
        self.issue(request).unwrap_or_else(|refusal| refusal)
    }

    fn issue(&self, request: &Request) -> Result<Reply, Reply> {
        let bad = |description: &str| oauth(400, "invalid_request", description);
        if request.method != "POST" {
            return Err(bad("Only POST is allowed."));
        }
        let fields = request.form().ok_or_else(|| bad("The body must be a form."))?;
        let field = |name: &str| {
            let mut values = fields.iter().filter(|(key, _)| key == name);
            values.next().map(|(_, value)| value.as_str()).filter(|_| values.next().is_none())
        };
        let known = ["grant_type", "assertion"];
        if let Some((name, _)) =
            fields.iter().chain(&request.query).find(|(name, _)| !known.contains(&name.as_str()))
        {
            return Err(bad(&format!("Parameter not allowed for this message type: {name}")));
        }
        match field("grant_type") {
            Some(JWT_BEARER) => {}
            None => return Err(bad("Required parameter is missing: grant_type")),
            Some(other) => {
                let description = format!("Invalid grant_type: {other}");
                return Err(oauth(400, "unsupported_grant_type", &description));
            }
        }
        let assertion =
            field("assertion").ok_or_else(|| bad("Required parameter is missing: assertion"))?;
        let state = self.state();
        let caller = self.by_assertion(&state, assertion)?;
        let token = format!("ya29.FAKE.{}", random_text(64));
        let issued = self.clock.wall().as_second();
        self.sessions.with(|sessions| sessions.insert(token.clone(), Session { caller, issued }));
        let body = json!({
            "access_token": token,
            "expires_in": state.behaviour.token_seconds,
            "token_type": "Bearer",
        });
        Ok(Reply::json(200, body.to_string()).with_header("cache-control", "no-store"))
    }

    fn by_assertion(&self, state: &State, assertion: &str) -> Result<Caller, Reply> {
        let invalid = |description: &str| oauth(400, "invalid_grant", description);
        let claims = claims(assertion).ok_or_else(|| invalid("Invalid JWT: not a JWT."))?;
        if claims.iss != state.scanner.client_email {
            return Err(invalid("Invalid grant: account not found"));
        }
        if !self.signed(assertion) {
            return Err(invalid("Invalid JWT Signature."));
        }
        if claims.aud != TOKEN_AUDIENCE && claims.aud != format!("{}/token", self.base_url) {
            let description = format!("Invalid JWT: Failed audience check. Use {TOKEN_AUDIENCE}");
            return Err(invalid(&description));
        }
        if !self.in_time(state, &claims) {
            let description = "Invalid JWT: Token must be a short-lived token (60 minutes) and in \
                a reasonable timeframe. Check your iat and exp values in the JWT claim.";
            return Err(invalid(description));
        }
        let scopes = scope_set(claims.scope.as_deref().unwrap_or_default());
        let odd = |scope: &String| !scope.starts_with("https://") && !known_scope(scope);
        if scopes.is_empty() || scopes.iter().any(|scope| odd(scope) || scope.contains(',')) {
            let description = "Invalid OAuth scope or ID token audience provided.";
            return Err(oauth(400, "invalid_scope", description));
        }
        let user = match claims.sub.as_deref() {
            None => None,
            Some(sub) if sub == claims.iss => None,
            Some(sub) => Some(
                state
                    .user(sub)
                    .filter(|user| !state.users[*user].suspended)
                    .ok_or_else(|| invalid("Invalid email or User ID"))?,
            ),
        };
        if user.is_some() && !scopes.is_subset(&state.delegated) {
            let description = "Client is unauthorized to retrieve access tokens using this method, \
                or client not authorized for any of the scopes requested.";
            return Err(oauth(401, "unauthorized_client", description));
        }
        Ok(Caller { user, scopes: Some(Arc::new(scopes)) })
    }

    fn in_time(&self, state: &State, claims: &Claims) -> bool {
        let skew = SignedDuration::from_secs(state.behaviour.clock_skew_seconds);
        let life = claims.exp - claims.iat;
        (0..=ASSERTION_LIFE).contains(&life)
            && self
                .clock
                .claims(skew)
                .any(|now| claims.exp > now && claims.iat <= now + ASSERTION_SKEW)
    }

    /// Whether the scanner's own key signed it, and says so.
    fn signed(&self, assertion: &str) -> bool {
        let named = decode_header(assertion).ok().and_then(|header| header.kid);
        if named.as_deref() != Some(self.key_id.as_str()) {
            return false;
        }
        let mut rules = Validation::new(Algorithm::RS256);
        // Dates and audience have refusals of their own.
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        decode::<Claims>(assertion, &self.key.verifier, &rules).is_ok()
    }

    /// Who makes a call.
    pub(super) fn caller(&self, state: &State, request: &Request) -> Result<Caller, Refusal> {
        let token = bearer(request)?;
        if let Some(claims) = claims(token) {
            return self.by_own_assertion(state, token, &claims);
        }
        let now = self.clock.wall().as_second();
        let life = i64::try_from(state.behaviour.token_seconds).unwrap_or(i64::MAX);
        let caller = self.sessions.with(|sessions| {
            let session = sessions.get(token)?;
            (now < session.issued.saturating_add(life)).then(|| session.caller.clone())
        });
        let usable = |user: usize| {
            let user = &state.users[user];
            user.deleted.is_none() && !user.suspended
        };
        caller.filter(|caller| caller.user.is_none_or(usable)).ok_or_else(Refusal::credentials)
    }

    /// A service account with an admin role of its own signs its access tokens itself.
    fn by_own_assertion(
        &self,
        state: &State,
        token: &str,
        claims: &Claims,
    ) -> Result<Caller, Refusal> {
        let own = claims.iss == state.scanner.client_email
            && claims.sub.as_ref().is_none_or(|sub| *sub == claims.iss);
        let audience = claims.aud == ADMIN_AUDIENCE || claims.aud == format!("{}/", self.base_url);
        if !state.scanner.dasa
            || !own
            || !audience
            || !self.in_time(state, claims)
            || !self.signed(token)
        {
            return Err(Refusal::credentials());
        }
        let scopes = claims.scope.as_deref().map(|text| Arc::new(scope_set(text)));
        Ok(Caller { user: None, scopes })
    }

    /// The name of whoever calls, for the log.
    pub(super) fn caller_name(&self, state: &State, request: &Request) -> Option<String> {
        let caller = self.caller(state, request).ok()?;
        Some(self.name_of(state, &caller))
    }

    /// The name that quotas and logs know a caller by.
    pub(super) fn name_of(&self, state: &State, caller: &Caller) -> String {
        match caller.user {
            Some(user) => state.users[user].facts.email.clone(),
            None => state.scanner.client_email.clone(),
        }
    }
}

/// What a call to the token endpoint asks for: the grant type and the scopes, unchecked.
pub(crate) fn asked(request: &Request) -> Option<String> {
    let fields = request.form()?;
    let field =
        |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let kind = field("grant_type")?;
    let scopes = field("assertion").and_then(claims).and_then(|claims| claims.scope);
    Some(format!("{kind} {}", scopes.unwrap_or_default()).trim_end().to_owned())
}
