//! An org as a world file writes it: `[[okta]]` and the tables below it. Names refer to each other by label or login; what contradicts
//! itself is refused when the lab starts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::behaviour::{OktaBehaviour, OktaLimits};
use super::generate::OktaScale;
use crate::moment::Moment;

/// One org.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaWorld {
    /// The name that tests and the demo know it by.
    pub name: String,
    /// The org's id, `00o…`; made from the name if left out.
    pub org_id: Option<String>,
    /// The first part of the org's own domain.
    pub subdomain: String,
    /// The service app of the scanner.
    pub scanner: OktaServiceApp,
    /// The service app that may revoke; it has a key of its own.
    pub revoker: OktaServiceApp,
    /// Login of the admin whose API token the scanner has, if it has one.
    pub scanner_user: Option<String>,
    /// Whether the org has bought API Access Management, without which custom authorization servers are closed.
    pub api_access_management: bool,
    /// Whether admin roles may be given to public clients by default (`clientPrivilegesSetting`).
    pub client_privileges_setting: bool,
    /// Users.
    #[serde(rename = "user")]
    pub users: Vec<OktaUser>,
    /// App integrations.
    #[serde(rename = "app")]
    pub apps: Vec<OktaApp>,
    /// Consents to one scope each.
    #[serde(rename = "grant")]
    pub grants: Vec<OktaGrant>,
    /// Refresh tokens.
    #[serde(rename = "refresh_token")]
    pub refresh_tokens: Vec<OktaRefreshToken>,
    /// API tokens (SSWS).
    #[serde(rename = "api_token")]
    pub api_tokens: Vec<OktaApiToken>,
    /// API service integrations.
    #[serde(rename = "api_service")]
    pub api_services: Vec<OktaApiService>,
    /// Custom authorization servers.
    #[serde(rename = "authorization_server")]
    pub authorization_servers: Vec<OktaAuthorizationServer>,
    /// Network zones.
    #[serde(rename = "network_zone")]
    pub network_zones: Vec<OktaNetworkZone>,
    /// Custom admin roles.
    #[serde(rename = "custom_role")]
    pub custom_roles: Vec<OktaCustomRole>,
    /// Cross-app access: which app may ask another for a user's data.
    #[serde(rename = "cross_app_connection")]
    pub cross_app_connections: Vec<OktaCrossAppConnection>,
    /// Shares of the rate limits that are not the default.
    #[serde(rename = "principal_rate_limit")]
    pub principal_rate_limits: Vec<OktaPrincipalRateLimit>,
    /// Log events beside those that follow from the tables' dates.
    #[serde(rename = "event")]
    pub events: Vec<OktaEvent>,
    /// Calls a minute.
    pub limits: OktaLimits,
    /// Switches.
    pub behaviour: OktaBehaviour,
    /// Rows that the generator adds when the lab starts.
    #[serde(skip)]
    pub generated: Option<OktaScale>,
}

impl Default for OktaWorld {
    fn default() -> Self {
        Self {
            name: String::new(),
            org_id: None,
            subdomain: "lab".to_owned(),
            scanner: OktaServiceApp::default(),
            revoker: OktaServiceApp::default(),
            scanner_user: None,
            api_access_management: true,
            client_privileges_setting: false,
            users: Vec::new(),
            apps: Vec::new(),
            grants: Vec::new(),
            refresh_tokens: Vec::new(),
            api_tokens: Vec::new(),
            api_services: Vec::new(),
            authorization_servers: Vec::new(),
            network_zones: Vec::new(),
            custom_roles: Vec::new(),
            cross_app_connections: Vec::new(),
            principal_rate_limits: Vec::new(),
            events: Vec::new(),
            limits: OktaLimits::default(),
            behaviour: OktaBehaviour::default(),
            generated: None,
        }
    }
}

/// Everything that can be read.
pub(super) const READ_SCOPES: [&str; 12] = [
    "okta.apiTokens.read",
    "okta.appGrants.read",
    "okta.apps.read",
    "okta.authorizationServers.read",
    "okta.clients.read",
    "okta.logs.read",
    "okta.networkZones.read",
    "okta.oauthIntegrations.read",
    "okta.orgs.read",
    "okta.principalRateLimits.read",
    "okta.roles.read",
    "okta.users.read",
];

/// Everything that a revocation needs beside the reading.
pub(super) const MANAGE_SCOPES: [&str; 9] = [
    "okta.apiTokens.manage",
    "okta.appGrants.manage",
    "okta.apps.manage",
    "okta.authorizationServers.manage",
    "okta.clients.manage",
    "okta.oauthIntegrations.manage",
    "okta.roles.manage",
    "okta.sessions.manage",
    "okta.users.manage",
];

/// A service app of ours: an OIDC app of the type `service` that signs in with a key. It is listed like every other app, and its
/// scopes are grants. What is left out is the scanner's or the revoker's default.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaServiceApp {
    /// Label; `Grantwarden` or `Grantwarden revoker`.
    pub label: Option<String>,
    /// Client id, which is the app's id too; made from the label.
    pub client_id: Option<String>,
    /// Scopes granted by an admin; every read scope for the scanner, everything for the revoker.
    pub scopes: Option<Vec<String>>,
    /// Admin roles: standard types or labels of custom roles; `READ_ONLY_ADMIN` for the scanner, `SUPER_ADMIN` for the revoker.
    pub roles: Option<Vec<String>>,
    /// When it was made; forty days ago.
    pub created: Option<Moment>,
}

/// A user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaUser {
    /// Login, an address.
    pub login: String,
    /// First and last name; from the login if left out.
    pub name: Option<String>,
    /// Id, `00u…`; made from the login if left out.
    pub id: Option<String>,
    /// `ACTIVE`, `STAGED`, `PROVISIONED`, `RECOVERY`, `PASSWORD_EXPIRED`, `LOCKED_OUT`, `SUSPENDED` or `DEPROVISIONED`; active if
    /// empty.
    pub status: String,
    /// Admin roles: standard types or labels of custom roles.
    pub roles: Vec<String>,
    /// Department in the profile.
    pub department: Option<String>,
    /// When the user was made; two years ago if left out.
    pub created: Option<Moment>,
    /// When the user signed in last.
    pub last_login: Option<Moment>,
    /// When the status changed last.
    pub status_changed: Option<Moment>,
}

/// What kind of app integration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OktaAppKind {
    /// OIDC, with a server of its own.
    #[default]
    Web,
    /// OIDC, a single page in a browser.
    Browser,
    /// OIDC, installed.
    Native,
    /// OIDC, a machine.
    Service,
    /// SAML 2.0.
    Saml,
    /// A link.
    Bookmark,
}

impl OktaAppKind {
    /// The `application_type` of an OIDC app.
    pub(super) fn application_type(self) -> Option<&'static str> {
        match self {
            Self::Web => Some("web"),
            Self::Browser => Some("browser"),
            Self::Native => Some("native"),
            Self::Service => Some("service"),
            Self::Saml | Self::Bookmark => None,
        }
    }
}

/// An app integration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaApp {
    /// Label, unique in a world.
    pub label: String,
    /// Id, `0oa…`; made from the label if left out.
    pub id: Option<String>,
    /// Client id of an OIDC app, if it is not the id.
    pub client_id: Option<String>,
    /// The key of the integration in the catalogue; `oidc_client`, `bookmark` or one of its own if left out.
    pub name: Option<String>,
    /// What it is.
    pub kind: OktaAppKind,
    /// `ACTIVE` or `INACTIVE`; active if empty.
    pub status: String,
    /// When it was made.
    pub created: Moment,
    /// When it was changed last; when it was made if left out.
    pub last_updated: Option<Moment>,
    /// Login of the admin who made it, for the log.
    pub created_by: Option<String>,
    /// Grant types; the usual ones of its kind if left out.
    pub grant_types: Option<Vec<String>>,
    /// How the client proves itself; the usual way of its kind if left out.
    pub auth_method: Option<String>,
    /// Redirect addresses; one made from the label if left out.
    pub redirect_uris: Option<Vec<String>>,
    /// Whether redirect addresses may have a wildcard.
    pub wildcard_redirect: bool,
    /// Whether users are asked for consent (`REQUIRED`) or not (`TRUSTED`).
    pub consent_required: bool,
    /// Whether its access tokens are bound to a key.
    pub dpop: bool,
    /// Whether PKCE is required.
    pub pkce: bool,
    /// Whether refresh tokens rotate (`ROTATE`) or stay (`STATIC`).
    pub rotate: bool,
    /// Admin roles of the client: standard types or labels of custom roles.
    pub roles: Vec<String>,
    /// Client secrets; one as old as the app if left out and the client proves itself with one.
    #[serde(rename = "secret")]
    pub secrets: Option<Vec<OktaCredential>>,
    /// Client keys; one as old as the app if left out and the client proves itself with one.
    #[serde(rename = "key")]
    pub keys: Option<Vec<OktaCredential>>,
    /// Network zones that clients must come from; anywhere if empty.
    pub zones: Vec<String>,
}

impl Default for OktaApp {
    fn default() -> Self {
        Self {
            label: String::new(),
            id: None,
            client_id: None,
            name: None,
            kind: OktaAppKind::Web,
            status: String::new(),
            created: Moment::FromNow(-400 * 86_400),
            last_updated: None,
            created_by: None,
            grant_types: None,
            auth_method: None,
            redirect_uris: None,
            wildcard_redirect: false,
            consent_required: false,
            dpop: false,
            pkce: false,
            rotate: false,
            roles: Vec::new(),
            secrets: None,
            keys: None,
            zones: Vec::new(),
        }
    }
}

/// A secret or a key of a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaCredential {
    /// When it was made.
    pub created: Moment,
    /// Whether it works.
    #[serde(default = "yes")]
    pub active: bool,
}

fn yes() -> bool {
    true
}

/// A consent to one scope.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaGrant {
    /// Label of the app.
    pub app: String,
    /// The scope's name.
    pub scope: String,
    /// Login of the user who consented (`END_USER`); an admin's consent for all (`ADMIN`) if left out.
    #[serde(default)]
    pub user: Option<String>,
    /// Name of the custom authorization server; the org's own if left out.
    #[serde(default)]
    pub server: Option<String>,
    /// When.
    pub created: Option<Moment>,
    /// Login of the admin who consented.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Whether it is revoked already.
    #[serde(default)]
    pub revoked: bool,
}

/// A refresh token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaRefreshToken {
    /// Label of the app.
    pub app: String,
    /// Login of the user.
    pub user: String,
    /// Scopes.
    pub scopes: Vec<String>,
    /// Name of the custom authorization server; the org's own if left out.
    #[serde(default)]
    pub server: Option<String>,
    /// When it was given.
    pub created: Option<Moment>,
    /// When it was used last, which is when it was updated.
    #[serde(default)]
    pub last_used: Option<Moment>,
    /// When it ends; ninety days after it was given if left out.
    #[serde(default)]
    pub expires: Option<Moment>,
}

/// An API token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaApiToken {
    /// Its name.
    pub name: String,
    /// Login of the user whose rights it has.
    pub user: String,
    /// Id, `00T…`; made from the name if left out.
    #[serde(default)]
    pub id: Option<String>,
    /// What made it; `Okta API` if left out.
    #[serde(default)]
    pub client_name: Option<String>,
    /// When it was made.
    pub created: Option<Moment>,
    /// When it was used last; it ends a window after that.
    #[serde(default)]
    pub last_used: Option<Moment>,
    /// Days of its window; 30 if left out.
    #[serde(default)]
    pub window_days: Option<u32>,
    /// Names of the network zones that it works from; anywhere if empty.
    #[serde(default)]
    pub zones: Vec<String>,
}

/// An API service integration: a vendor's machine access to the org's API.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaApiService {
    /// Its name.
    pub name: String,
    /// Its key in the catalogue; made from the name if left out.
    #[serde(default)]
    pub kind: Option<String>,
    /// Id, `0oa…`; made from the name if left out.
    #[serde(default)]
    pub id: Option<String>,
    /// Scopes that it was given.
    pub scopes: Vec<String>,
    /// When it was authorised.
    pub created: Option<Moment>,
    /// Login of the admin who authorised it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Client secrets; one as old as itself if empty.
    #[serde(default, rename = "secret")]
    pub secrets: Vec<OktaCredential>,
}

/// A custom authorization server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaAuthorizationServer {
    /// Its name; `default` has that id too.
    pub name: String,
    /// Who its tokens are for.
    pub audience: String,
    /// `ACTIVE` or `INACTIVE`; active if left out.
    #[serde(default)]
    pub status: Option<String>,
    /// Its own scopes, beside the system's.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When it was made.
    #[serde(default)]
    pub created: Option<Moment>,
    /// Access policies, first wins.
    #[serde(default, rename = "policy")]
    pub policies: Vec<OktaPolicy>,
}

/// An access policy of an authorization server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaPolicy {
    /// Its name.
    pub name: String,
    /// Labels of the apps that it is for; all if empty.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Rules, first wins.
    #[serde(default, rename = "rule")]
    pub rules: Vec<OktaRule>,
}

/// A rule of an access policy: which grants, and how long the tokens live.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaRule {
    /// Its name.
    pub name: String,
    /// Grant types.
    pub grant_types: Vec<String>,
    /// Scopes; all (`*`) if left out.
    pub scopes: Vec<String>,
    /// Life of an access token, in minutes.
    pub access_minutes: u32,
    /// Life of a refresh token, in minutes; 0 is without end.
    pub refresh_minutes: u32,
    /// How long a refresh token may lie unused, in minutes.
    pub window_minutes: u32,
}

impl Default for OktaRule {
    fn default() -> Self {
        Self {
            name: String::new(),
            grant_types: vec!["authorization_code".to_owned()],
            scopes: vec!["*".to_owned()],
            access_minutes: 60,
            refresh_minutes: 0,
            window_minutes: 10_080,
        }
    }
}

/// A network zone of addresses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaNetworkZone {
    /// Its name.
    pub name: String,
    /// Address blocks; none is a zone that nobody is in.
    #[serde(default)]
    pub cidrs: Vec<String>,
    /// Whether it blocks instead of describing.
    #[serde(default)]
    pub blocklist: bool,
}

/// A custom admin role.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaCustomRole {
    /// Its label, by which apps and users name it.
    pub label: String,
    /// What it may do, spelt like scopes: `okta.apps.read`, `okta.users.manage`, ….
    pub permissions: Vec<String>,
}

/// A link between two apps for cross-app access.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaCrossAppConnection {
    /// Label of the app that asks.
    pub requesting: String,
    /// Label of the app that gives.
    pub resource: String,
    /// When it was made.
    #[serde(default)]
    pub created: Option<Moment>,
    /// Whether it is switched off.
    #[serde(default)]
    pub inactive: bool,
}

/// A share of the rate limits that one principal has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaPrincipalRateLimit {
    /// Label of an app or name of an API token.
    pub principal: String,
    /// Percent of each bucket.
    pub percentage: u32,
}

/// A log event.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OktaEvent {
    /// When.
    pub at: Option<Moment>,
    /// Its type, e.g. `app.oauth2.token.detect_reuse`.
    pub kind: String,
    /// What it says; made from the type if left out.
    #[serde(default)]
    pub message: Option<String>,
    /// Login of the user or label of the app that did it; the system if left out.
    #[serde(default)]
    pub actor: Option<String>,
    /// Logins and labels of what it was done to.
    #[serde(default)]
    pub targets: Vec<String>,
    /// `SUCCESS`, `FAILURE`, …; success if left out.
    #[serde(default)]
    pub result: Option<String>,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
    /// Address of the caller.
    #[serde(default)]
    pub ip: Option<String>,
    /// `debugContext.debugData`.
    #[serde(default)]
    pub debug: BTreeMap<String, String>,
}
