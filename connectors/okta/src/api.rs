//! Wire types, in Okta's own words (release 2026.06 of its API description). Every field but an id may be missing or of another form. No
//! secret is ever selected: answers that hold one lose it while they are read.

use grantwarden_kit::model::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

pub(crate) use crate::log_api::{LogEvent, Party};
use crate::told::Told;

/// A row, or something else in its place: one row of another form must not cost the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Row<T> {
    Good(T),
    Odd(IgnoredAny),
}

/// Something with an id of its own, by which a row that is listed twice is known.
pub(crate) trait Identified {
    fn id(&self) -> &str;
}

macro_rules! identified {
    ($($kind:ty),+) => {
        $(impl Identified for $kind {
            fn id(&self) -> &str {
                &self.id
            }
        })+
    };
}

identified!(
    Application,
    ScopeGrant,
    RefreshToken,
    ApiToken,
    ApiService,
    Secret,
    Role,
    User,
    Assignee,
    AuthorizationServer,
    Policy,
    Rule,
    Zone,
    Connection
);

impl Identified for Client {
    fn id(&self) -> &str {
        &self.client_id
    }
}

/// `GET /api/v1/org`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OrgSettings {
    pub(crate) id: String,
    #[serde(default, rename = "companyName")]
    pub(crate) company_name: Told<String>,
    #[serde(default)]
    pub(crate) subdomain: Told<String>,
}

/// An app integration: `GET /api/v1/apps`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Application {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) label: Told<String>,
    /// `oidc_client`, or the key in Okta's catalogue.
    #[serde(default)]
    pub(crate) name: Told<String>,
    #[serde(default)]
    pub(crate) sign_on_mode: Told<String>,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) created: Told<Timestamp>,
    #[serde(default)]
    pub(crate) last_updated: Told<Timestamp>,
    #[serde(default)]
    pub(crate) features: Told<Vec<String>>,
    #[serde(default)]
    pub(crate) accessibility: Told<Accessibility>,
    #[serde(default)]
    pub(crate) credentials: Told<AppCredentials>,
    #[serde(default)]
    pub(crate) settings: Told<AppSettings>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Accessibility {
    #[serde(default)]
    pub(crate) self_service: Told<bool>,
}

/// `client_secret` may stand here, and is not read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppCredentials {
    #[serde(default)]
    pub(crate) oauth_client: Told<ClientCredentials>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ClientCredentials {
    #[serde(default)]
    pub(crate) client_id: Told<String>,
    #[serde(default)]
    pub(crate) token_endpoint_auth_method: Told<String>,
    #[serde(default)]
    pub(crate) pkce_required: Told<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppSettings {
    #[serde(default)]
    pub(crate) oauth_client: Told<ClientSettings>,
    /// Everybody in the org has the app.
    #[serde(default)]
    pub(crate) implicit_assignment: Told<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ClientSettings {
    #[serde(default)]
    pub(crate) application_type: Told<String>,
    #[serde(default)]
    pub(crate) grant_types: Told<Vec<String>>,
    #[serde(default)]
    pub(crate) redirect_uris: Told<Vec<String>>,
    #[serde(default)]
    pub(crate) wildcard_redirect: Told<String>,
    #[serde(default)]
    pub(crate) consent_method: Told<String>,
    #[serde(default)]
    pub(crate) dpop_bound_access_tokens: Told<bool>,
    #[serde(default)]
    pub(crate) refresh_token: Told<RefreshSettings>,
    #[serde(default)]
    pub(crate) jwks: Told<Keys>,
    #[serde(default)]
    pub(crate) jwks_uri: Told<String>,
    #[serde(default)]
    pub(crate) network: Told<Network>,
    #[serde(default)]
    pub(crate) client_uri: Told<String>,
    #[serde(default)]
    pub(crate) policy_uri: Told<String>,
    #[serde(default)]
    pub(crate) tos_uri: Told<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RefreshSettings {
    #[serde(default)]
    pub(crate) rotation_type: Told<String>,
}

/// From where something works: `ANYWHERE`, or by zones.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Network {
    #[serde(default)]
    pub(crate) connection: Told<String>,
    #[serde(default)]
    pub(crate) include: Told<Vec<String>>,
    #[serde(default)]
    pub(crate) exclude: Told<Vec<String>>,
}

/// A set of keys. `GET /api/v1/apps/{id}/credentials/jwks` packs it once more.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Keys {
    #[serde(default)]
    pub(crate) keys: Told<Vec<Row<Key>>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KeySet {
    pub(crate) jwks: Keys,
}

/// A public key of a client.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Key {
    #[serde(default)]
    pub(crate) id: Told<String>,
    #[serde(default)]
    pub(crate) kid: Told<String>,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) created: Told<Timestamp>,
}

/// The consent to one scope: `GET /api/v1/apps/{id}/grants`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScopeGrant {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) created: Told<Timestamp>,
    #[serde(default)]
    pub(crate) created_by: Told<Actor>,
    #[serde(default)]
    pub(crate) issuer: Told<String>,
    #[serde(default, alias = "client_id")]
    pub(crate) client_id: Told<String>,
    /// The scope's name.
    #[serde(default)]
    pub(crate) scope_id: Told<String>,
    #[serde(default)]
    pub(crate) source: Told<String>,
    #[serde(default)]
    pub(crate) user_id: Told<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Actor {
    #[serde(default)]
    pub(crate) id: Told<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: Told<String>,
}

/// `GET /api/v1/apps/{id}/tokens`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefreshToken {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) created: Told<Timestamp>,
    #[serde(default)]
    pub(crate) expires_at: Told<Timestamp>,
    #[serde(default)]
    pub(crate) issuer: Told<String>,
    #[serde(default)]
    pub(crate) user_id: Told<String>,
    #[serde(default)]
    pub(crate) scopes: Told<Vec<String>>,
}

/// `GET /api/v1/api-tokens`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiToken {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Told<String>,
    #[serde(default)]
    pub(crate) user_id: Told<String>,
    #[serde(default)]
    pub(crate) client_name: Told<String>,
    #[serde(default)]
    pub(crate) created: Told<Timestamp>,
    #[serde(default)]
    pub(crate) expires_at: Told<Timestamp>,
    #[serde(default)]
    pub(crate) token_window: Told<String>,
    #[serde(default)]
    pub(crate) network: Told<Network>,
}

/// `GET /integrations/api/v1/api-services`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiService {
    pub(crate) id: String,
    /// The key in Okta's catalogue.
    #[serde(default, rename = "type")]
    pub(crate) kind: Told<String>,
    #[serde(default)]
    pub(crate) name: Told<String>,
    #[serde(default)]
    pub(crate) created_at: Told<Timestamp>,
    #[serde(default)]
    pub(crate) created_by: Told<String>,
    #[serde(default)]
    pub(crate) config_guide_url: Told<String>,
    #[serde(default)]
    pub(crate) granted_scopes: Told<Vec<String>>,
}

/// A secret of an API service integration: its value is masked by Okta, and not read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Secret {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) created: Told<Timestamp>,
}

/// `GET /oauth2/v1/clients`. Its names are those of RFC 7591; `client_secret` is not read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Client {
    pub(crate) client_id: String,
    /// Seconds; 0 is never.
    #[serde(default)]
    pub(crate) client_secret_expires_at: Told<i64>,
}

/// `GET /oauth2/v1/clients/{id}/roles`, `GET /api/v1/users/{id}/roles`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Role {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) label: Told<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: Told<String>,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) created: Told<Timestamp>,
}

/// `GET /api/v1/users`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) last_login: Told<Timestamp>,
    #[serde(default)]
    pub(crate) profile: Told<Profile>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Profile {
    #[serde(default)]
    pub(crate) login: Told<String>,
}

/// `GET /api/v1/iam/assignees/users`
#[derive(Debug, Deserialize)]
pub(crate) struct Assignees {
    pub(crate) value: Vec<Row<Assignee>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Assignee {
    pub(crate) id: String,
}

/// `GET /api/v1/authorizationServers`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AuthorizationServer {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) issuer: Told<String>,
    #[serde(default)]
    pub(crate) status: Told<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Policy {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) conditions: Told<PolicyConditions>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PolicyConditions {
    #[serde(default)]
    pub(crate) clients: Told<Included>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Included {
    #[serde(default)]
    pub(crate) include: Told<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) actions: Told<RuleActions>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RuleActions {
    #[serde(default)]
    pub(crate) token: Told<TokenLife>,
}

/// Minutes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenLife {
    #[serde(default)]
    pub(crate) access_token_lifetime_minutes: Told<u64>,
    /// 0 is without end.
    #[serde(default)]
    pub(crate) refresh_token_lifetime_minutes: Told<u64>,
    #[serde(default)]
    pub(crate) refresh_token_window_minutes: Told<u64>,
}

/// `GET /api/v1/zones`: <https://developer.okta.com/docs/api/openapi/okta-management/management/tag/NetworkZone/>
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Zone {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Told<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: Told<String>,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) gateways: Told<Vec<Address>>,
    #[serde(default)]
    pub(crate) proxies: Told<Vec<Address>>,
}

/// `CIDR` or `RANGE`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Address {
    #[serde(default, rename = "type")]
    pub(crate) kind: Told<String>,
    #[serde(default)]
    pub(crate) value: Told<String>,
}

/// `GET /api/v1/apps/{id}/cwo/connections`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) requesting_app_instance_id: Told<String>,
    #[serde(default)]
    pub(crate) resource_app_instance_id: Told<String>,
    #[serde(default)]
    pub(crate) status: Told<String>,
    #[serde(default)]
    pub(crate) created: Told<Timestamp>,
}
