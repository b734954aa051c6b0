//! The token endpoint: client credentials with a secret, with a certificate, or with another
//! issuer's token. What a token then may do is decided elsewhere.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};

use super::Core;
use super::error::{Refusal, TokenRefusal};
use super::guid::Guid;
use super::state::{Application, State};
use crate::keys::{KeyError, SigningKey, random_text};
use crate::wire::{Reply, Request};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What clocks may differ by, in seconds.
const SKEW: i64 = 300;

/// An access token's state.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) app: Guid,
    /// The app roles when it was issued; one granted later needs a new token.
    pub(crate) roles: Vec<String>,
    ends: i64,
}

/// All access tokens, and the ids of all assertions seen.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    alive: Mutex<HashMap<String, Session>>,
    seen: Mutex<HashSet<String>>,
}

impl Sessions {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Session>) -> T) -> T {
        work(&mut self.alive.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends every session.
    pub(crate) fn clear(&self) {
        self.with(HashMap::clear);
    }

    /// The session of a token, dead or alive.
    pub(crate) fn get(&self, token: &str) -> Option<Session> {
        self.with(|sessions| sessions.get(token).cloned())
    }

    fn first_seen(&self, assertion: &str) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(assertion.to_owned())
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(deserialize_with = "seconds")]
    exp: i64,
    #[serde(default, deserialize_with = "perhaps_seconds")]
    nbf: Option<i64>,
    jti: Option<String>,
}

/// Seconds since the epoch, which a JWT may give with a fraction and msal does.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second is meant to go")]
    Ok(number as i64)
}

fn perhaps_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    seconds(deserializer).map(Some)
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn accepts(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Many(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

/// The access token of an `Authorization` header.
pub(crate) fn bearer(request: &Request) -> Result<&str, Refusal> {
    let header =
        request.header("authorization").ok_or_else(|| Refusal::token("Access token is empty."))?;
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        _ => Err(Refusal::token("CompactToken parsing failed with error code: 80049217")),
    }
}

impl Core {
    /// The session behind a call.
    pub(super) fn signed_in(&self, state: &State, request: &Request) -> Result<Session, Refusal> {
        let expired = || Refusal::token("Access token has expired or is not yet valid.");
        let session = self.sessions.get(bearer(request)?).ok_or_else(expired)?;
        let enabled = state.principals[state.scanner.principal as usize].facts.enabled;
        if self.clock.wall().as_second() >= session.ends || !enabled {
            return Err(expired());
        }
        Ok(session)
    }

    /// Whether a segment of the path names this directory.
    fn is_tenant(state: &State, segment: &str) -> bool {
        Guid::parse(segment) == Some(state.tenant)
            || state.domains.iter().any(|domain| domain.eq_ignore_ascii_case(segment))
    }

    fn unknown_tenant(segment: &str) -> TokenRefusal {
        let message = format!(
            "Tenant '{segment}' not found. Check to make sure you have the correct tenant ID."
        );
        TokenRefusal::new(400, "invalid_request", 90_002, message)
    }

    /// `GET /{tenant}/v2.0/.well-known/openid-configuration`.
    pub(super) fn discovery(&self, segment: &str) -> Reply {
        let state = self.state();
        if !Self::is_tenant(&state, segment) {
            return Self::unknown_tenant(segment).reply(self.clock.wall());
        }
        let base = format!("{}/{segment}", self.base_url);
        let body = json!({
            "issuer": format!("{}/{}/v2.0", self.base_url, state.tenant),
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        Reply::json(200, body.to_string())
    }

    /// `POST /{tenant}/oauth2/v2.0/token`.
    pub(super) fn token(&self, segment: &str, request: &Request) -> Reply {
        self.issue(segment, request).unwrap_or_else(|refusal| refusal.reply(self.clock.wall()))
    }

    fn issue(&self, segment: &str, request: &Request) -> Result<Reply, TokenRefusal> {
        let invalid = |number, message: &str| {
            TokenRefusal::new(400, "invalid_request", number, message.to_owned())
        };
        if request.method != "POST" {
            return Err(invalid(900_561, "The endpoint only accepts POST requests."));
        }
        let form = request.form().ok_or_else(|| {
            invalid(900_144, "The request body must contain the following parameter: 'grant_type'.")
        })?;
        let field =
            |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        const KNOWN: [&str; 8] = [
            "grant_type",
            "client_id",
            "client_secret",
            "client_assertion",
            "client_assertion_type",
            "scope",
            // Sent by Microsoft's own library.
            "client_info",
            "claims",
        ];
        if let Some((name, _)) = form.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            return Err(invalid(9_002_313, &format!("Invalid request. Unknown parameter {name}.")));
        }
        let state = self.state();
        if !Self::is_tenant(&state, segment) {
            return Err(Self::unknown_tenant(segment));
        }
        if field("grant_type") != Some("client_credentials") {
            let message = "The app requested an unsupported grant type.";
            return Err(TokenRefusal::new(400, "unsupported_grant_type", 70_003, message));
        }
        let client_id = field("client_id").ok_or_else(|| {
            invalid(900_144, "The request body must contain the following parameter: 'client_id'.")
        })?;
        let application = Guid::parse(client_id)
            .and_then(|id| state.applications.iter().find(|it| it.app_id == id))
            .ok_or_else(|| {
                let message = format!("Application with identifier '{client_id}' was not found in the directory '{}'.", state.name);
                TokenRefusal::new(400, "unauthorized_client", 700_016, message)
            })?;
        let enabled = application.principal.is_some_and(|row| {
            state.principals[row as usize].facts.enabled && state.principal_lives(row)
        });
        if !enabled {
            let message =
                format!("Application '{client_id}'({}) is disabled.", application.facts.name);
            return Err(TokenRefusal::new(400, "unauthorized_client", 7_000_112, message));
        }
        self.check_scope(field("scope"))?;
        match (field("client_secret"), field("client_assertion")) {
            (Some(secret), None) => self.check_secret(application, secret)?,
            (None, Some(assertion)) => {
                if field("client_assertion_type") != Some(ASSERTION_TYPE) {
                    return Err(invalid(
                        900_144,
                        "The request body must contain the following parameter: 'client_assertion_type'.",
                    ));
                }
                self.check_assertion(&state, application, assertion, request)?;
            }
            _ => {
                let message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
                return Err(TokenRefusal::new(401, "invalid_client", 7_000_218, message));
            }
        }
        Ok(self.grant(&state, application))
    }

    fn check_scope(&self, scope: Option<&str>) -> Result<(), TokenRefusal> {
        let scope = scope.unwrap_or_default();
        let own = format!("{}/.default", self.base_url);
        if scope == own || scope == "https://graph.microsoft.com/.default" {
            return Ok(());
        }
        Err(match scope.strip_suffix("/.default") {
            Some(resource) => {
                let message =
                    format!("The resource principal named {resource} was not found in the tenant.");
                TokenRefusal::new(400, "invalid_resource", 500_011, message)
            }
            None => {
                let message = format!(
                    "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
                );
                TokenRefusal::new(400, "invalid_scope", 1_002_012, message)
            }
        })
    }

    fn check_secret(&self, application: &Application, secret: &str) -> Result<(), TokenRefusal> {
        let app_id = application.app_id;
        let id = Guid::of(&format!("{app_id}/lab-secret"));
        let known = application.passwords.iter().find(|it| it.id == id);
        let Some(known) = known.filter(|_| secret == self.client_secret) else {
            let message = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app_id}'."
            );
            return Err(TokenRefusal::new(401, "invalid_client", 7_000_215, message));
        };
        if known.end <= self.clock.world().as_second() {
            let message = format!(
                "The provided client secret keys for app '{app_id}' are expired. Visit the Azure portal to create new keys for your app."
            );
            return Err(TokenRefusal::new(401, "invalid_client", 7_000_222, message));
        }
        Ok(())
    }

    fn check_assertion(
        &self,
        state: &State,
        application: &Application,
        assertion: &str,
        request: &Request,
    ) -> Result<(), TokenRefusal> {
        let malformed = || TokenRefusal::assertion("The assertion could not be parsed.");
        let header = part(assertion, 0).ok_or_else(malformed)?;
        let claims = part(assertion, 1).ok_or_else(malformed)?;
        let claims: Claims = serde_json::from_value(claims).map_err(|_| malformed())?;
        let client_id = application.app_id.to_string();
        if claims.iss != client_id && claims.iss.starts_with("https://") {
            return self.check_foreign(application, assertion, &claims);
        }
        if claims.iss != client_id || claims.sub != client_id {
            let message = "Client assertion contains an invalid issuer or subject: both must be the client id.";
            return Err(TokenRefusal::new(401, "invalid_client", 700_021, message));
        }
        let modern = header["alg"] == "PS256" && header["x5t#S256"].is_string();
        let legacy = header["alg"] == "RS256" && header["x5t"].is_string();
        if !(modern || legacy && state.behaviour.legacy_assertions) {
            return Err(TokenRefusal::assertion(
                "The algorithm or the thumbprint is not of the accepted form.",
            ));
        }
        if modern {
            // Padding does not belong there, but msal writes it and the platform takes it.
            let named = header["x5t#S256"].as_str().unwrap_or_default().trim_end_matches('=');
            let registered = application.keys.iter().find(|key| {
                key.thumbprint.as_ref().is_some_and(|it| URL_SAFE_NO_PAD.encode(it) == named)
            });
            let Some(registered) = registered else {
                return Err(TokenRefusal::assertion("The key was not found."));
            };
            if registered.end <= self.clock.world().as_second() {
                return Err(TokenRefusal::assertion("The certificate has expired."));
            }
        }
        let algorithm = if modern { Algorithm::PS256 } else { Algorithm::RS256 };
        if !signed(assertion, algorithm, &self.key.verifier) {
            return Err(TokenRefusal::assertion("The signature is invalid."));
        }
        let own = format!("{}{}", self.base_url, request.path);
        let canonical = self.token_url(state);
        if !claims.aud.accepts(&own) && !claims.aud.accepts(&canonical) {
            let message = "Client assertion audience claim does not match Realm issuer.";
            return Err(TokenRefusal::new(401, "invalid_client", 700_023, message));
        }
        let skew = SignedDuration::from_secs(state.behaviour.clock_skew_seconds);
        let in_time =
            |now: i64| now < claims.exp + SKEW && claims.nbf.is_none_or(|from| from <= now + SKEW);
        if !self.clock.claims(skew).any(in_time) {
            let message = "Client assertion is not within its valid time range.";
            return Err(TokenRefusal::new(401, "invalid_client", 700_024, message));
        }
        let Some(id) = claims.jti else {
            return Err(TokenRefusal::assertion("The claim jti is missing."));
        };
        if !self.sessions.first_seen(&id) {
            return Err(TokenRefusal::assertion("The claim jti was used before."));
        }
        Ok(())
    }

    /// A token of another issuer, whose key the lab holds too.
    fn check_foreign(
        &self,
        application: &Application,
        assertion: &str,
        claims: &Claims,
    ) -> Result<(), TokenRefusal> {
        let refuse = |number, what: &str| {
            let message = format!(
                "No matching federated identity record found for presented assertion {what}."
            );
            Err(TokenRefusal::new(401, "invalid_client", number, message))
        };
        let issued: Vec<_> =
            application.federated.iter().filter(|it| it.issuer == claims.iss).collect();
        if issued.is_empty() {
            return refuse(700_211, "issuer");
        }
        let named: Vec<_> = issued.into_iter().filter(|it| it.subject == claims.sub).collect();
        if named.is_empty() {
            return refuse(700_213, "subject");
        }
        let meant = |audiences: Vec<String>| audiences.iter().any(|it| claims.aud.accepts(it));
        if !named.into_iter().any(|it| meant(it.accepted())) {
            return refuse(700_212, "audience");
        }
        if !signed(assertion, Algorithm::RS256, &self.foreign_key.verifier) {
            return Err(TokenRefusal::assertion("The signature is invalid."));
        }
        if !self.clock.claims(SignedDuration::ZERO).any(|now| now < claims.exp + SKEW) {
            let message = "Client assertion is not within its valid time range.";
            return Err(TokenRefusal::new(401, "invalid_client", 700_024, message));
        }
        Ok(())
    }

    fn grant(&self, state: &State, application: &Application) -> Reply {
        let now = self.clock.wall().as_second();
        let life = state.behaviour.token_seconds;
        let scanner = state.applications[state.scanner.application as usize].app_id;
        let roles: Vec<String> = if application.app_id == scanner {
            state.scanner_roles().into_iter().map(str::to_owned).collect()
        } else {
            Vec::new()
        };
        let object = application.principal.map(|row| state.principals[row as usize].id.to_string());
        let mut claims = json!({
            "aud": "https://graph.microsoft.com",
            "iss": format!("https://sts.windows.net/{}/", state.tenant),
            "iat": now,
            "nbf": now,
            "exp": now + life,
            "app_displayname": application.facts.name,
            "appid": application.app_id.to_string(),
            "idtyp": "app",
            "oid": object,
            "sub": object,
            "tid": state.tenant.to_string(),
            "uti": random_text(22),
            "ver": "1.0",
        });
        if !roles.is_empty() {
            claims["roles"] = json!(roles);
        }
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "FAKE" });
        let encoded = |part: &Json| URL_SAFE_NO_PAD.encode(part.to_string());
        let token = format!("{}.{}.FAKE{}", encoded(&header), encoded(&claims), random_text(60));
        let session = Session { app: application.app_id, roles, ends: now + life };
        self.sessions.with(|sessions| sessions.insert(token.clone(), session));
        let body = json!({
            "token_type": "Bearer",
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": token,
        });
        Reply::json(200, body.to_string()).with_header("cache-control", "no-store, no-cache")
    }

    /// The token endpoint under the directory's GUID.
    pub(super) fn token_url(&self, state: &State) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.base_url, state.tenant)
    }
}

/// A token of the other issuer, as its CI system would hand it out, for the scanner's first federated
/// credential. It is made once for a directory, and so lives for a day.
pub(crate) fn mint(state: &State, key: &SigningKey, now: i64) -> Result<String, KeyError> {
    let application = &state.applications[state.scanner.application as usize];
    let record = application.federated.first().cloned().unwrap_or_default();
    let claims = json!({
        "iss": record.issuer,
        "sub": record.subject,
        "aud": record.accepted().first(),
        "iat": now,
        "exp": now + 86_400,
        "jti": random_text(20),
    });
    let key = EncodingKey::from_rsa_pem(key.private_key_pem.as_bytes()).map_err(|_| KeyError)?;
    encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(|_| KeyError)
}

fn part(token: &str, place: usize) -> Option<Json> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(place)?).ok()?).ok()
}

fn signed(assertion: &str, algorithm: Algorithm, verifier: &DecodingKey) -> bool {
    let mut rules = Validation::new(algorithm);
    // Dates and audience have refusals of their own.
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    decode::<Claims>(assertion, verifier, &rules).is_ok()
}
