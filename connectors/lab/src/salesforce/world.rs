//! One Salesforce org as a world file describes it (`[[salesforce]]` and its tables). Names follow
//! Setup and the Metadata API; what is left out takes the platform's own default.

use serde::{Deserialize, Serialize};

use super::permission::Permission;
use super::tokens::TokenRow;
use crate::moment::Moment;

/// One org.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrgWorld {
    /// The org's name, by which [`Lab::salesforce`](crate::Lab::salesforce) finds it.
    pub name: String,
    /// Whether it is a sandbox (then `test.salesforce.com` is the token audience).
    pub sandbox: bool,
    /// `Organization.OrganizationType`.
    pub organization_type: OrganizationType,
    /// `Organization.InstanceName`.
    pub instance: Option<String>,
    /// The scanner's own app and user.
    pub scanner: Scanner,
    /// Org-wide security settings.
    pub settings: OrgSettings,
    /// How the lab behaves where orgs, editions or documents differ.
    pub behaviour: Behaviour,
    /// The API request allowance.
    pub limits: ApiLimits,
    /// Profiles.
    #[serde(rename = "profile")]
    pub profiles: Vec<ProfileWorld>,
    /// Permission sets.
    #[serde(rename = "permission_set")]
    pub permission_sets: Vec<PermissionSetWorld>,
    /// Users.
    #[serde(rename = "user")]
    pub users: Vec<UserWorld>,
    /// Installed managed packages.
    #[serde(rename = "package")]
    pub packages: Vec<PackageWorld>,
    /// Connected apps that are installed or local, and so have readable policies.
    #[serde(rename = "connected_app")]
    pub connected_apps: Vec<ConnectedAppWorld>,
    /// External client apps.
    #[serde(rename = "external_client_app")]
    pub external_client_apps: Vec<ExternalClientAppWorld>,
    /// Apps that users authorised and nobody installed: only their tokens can be seen.
    #[serde(rename = "uninstalled_app")]
    pub uninstalled_apps: Vec<UninstalledAppWorld>,
    /// Tokens, as `OauthToken` shows them.
    #[serde(rename = "token")]
    pub tokens: Vec<TokenWorld>,
    /// Logins, as `LoginHistory` shows them.
    #[serde(rename = "login")]
    pub logins: Vec<LoginWorld>,
    /// API calls, as the `ApiTotalUsage` event log shows them.
    #[serde(rename = "api_usage")]
    pub api_usage: Vec<ApiUsageWorld>,
    /// Setup audit trail entries.
    #[serde(rename = "audit")]
    pub audit: Vec<AuditWorld>,
    /// Tokens made by the generator, which are too many for one struct of texts each.
    #[serde(skip)]
    pub(crate) generated: Vec<TokenRow>,
}

/// `Organization.OrganizationType`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrganizationType {
    /// Enterprise Edition.
    #[default]
    #[serde(rename = "Enterprise Edition")]
    Enterprise,
    /// Unlimited Edition.
    #[serde(rename = "Unlimited Edition")]
    Unlimited,
    /// Developer Edition.
    #[serde(rename = "Developer Edition")]
    Developer,
}

impl OrganizationType {
    /// The text of the column.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "Enterprise Edition",
            Self::Unlimited => "Unlimited Edition",
            Self::Developer => "Developer Edition",
        }
    }
}

/// How the scanner signs in: an app of this org, by name, and the user it runs as.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scanner {
    /// Name of the connected app or external client app; its key and secret are made at start.
    pub app: String,
    /// Username of the scanner's user.
    pub username: String,
}

/// Org-wide security settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrgSettings {
    /// API Access Control: `ConnectedAppSettings.IsAdminApprovedAppsOnlyEnabled`.
    pub api_access_control: bool,
    /// The same for customers and partners.
    pub api_access_control_external: bool,
    /// `OauthOidcSettings.blockOAuthUnPwFlow`.
    pub block_username_password_flow: bool,
    /// `OauthOidcSettings.blockOAuthUsrAgtFlow`.
    pub block_user_agent_flow: bool,
    /// `SecuritySettings.sessionSettings.enforceIpRangesEveryRequest`.
    pub enforce_ip_ranges_every_request: bool,
    /// `SecuritySettings.sessionSettings.sessionTimeout`.
    pub session_timeout: String,
    /// Trusted ranges, `SecuritySettings.networkAccess.ipRanges`: they skip the login challenge and
    /// bind no API traffic.
    pub trusted_ranges: Vec<IpRange>,
}

impl Default for OrgSettings {
    fn default() -> Self {
        Self {
            api_access_control: false,
            api_access_control_external: false,
            block_username_password_flow: false,
            block_user_agent_flow: false,
            enforce_ip_ranges_every_request: false,
            session_timeout: "TwoHours".to_owned(),
            trusted_ranges: Vec::new(),
        }
    }
}

/// An inclusive range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpRange {
    /// First address.
    pub start: String,
    /// Last address.
    pub end: String,
    /// What the admin wrote about it.
    #[serde(default)]
    pub description: Option<String>,
}

/// Switches: lifetimes, page sizes, and what the documents contradict each other about.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Milliseconds that every call takes.
    pub latency_ms: u64,
    /// Seconds after which an access token expires.
    pub session_seconds: u64,
    /// Calls after which an access token expires.
    pub session_calls: Option<u64>,
    /// Seconds that the org's clock runs ahead of ours when it reads an assertion's dates.
    pub clock_skew_seconds: i64,
    /// Seconds after which a query locator expires.
    pub locator_seconds: u64,
    /// Query locators a user may hold; a new one releases the oldest.
    pub open_locators: usize,
    /// Rows on a page, unless the client asks for fewer.
    pub page_size: usize,
    /// `OauthToken` rows on a page.
    pub oauth_token_page: usize,
    /// `OauthToken` rows in one query; after these the platform says that it is done.
    pub oauth_token_cap: usize,
    /// `OauthToken.Id` is always null, as one document says.
    pub oauth_token_id_null: bool,
    /// `OauthToken` has no `CreatedDate` column.
    pub oauth_token_without_created_date: bool,
    /// `OFFSET` beyond 2,000 is refused for `OauthToken` too.
    pub oauth_token_offset_refused: bool,
    /// Without Customize Application `OauthToken` answers 403, not the caller's own rows.
    pub oauth_token_forbidden_without_permission: bool,
    /// The org has no API at all (`API_DISABLED_FOR_ORG`).
    pub api_disabled: bool,
    /// The org has not opted in to external client apps (`INVALID_TYPE`).
    pub without_external_client_apps: bool,
    /// External client app policies answer on the Tooling API only.
    pub policies_tooling_only: bool,
    /// `PermissionsUseAnyApiClient` exists, as it does once Support enabled API Access Control.
    pub use_any_api_client_column: bool,
    /// `InstalledSubscriberPackage` does not show publisher names.
    pub without_publisher_names: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            session_seconds: 7_200,
            session_calls: None,
            clock_skew_seconds: 0,
            locator_seconds: 900,
            open_locators: 1_000,
            page_size: 2_000,
            oauth_token_page: 500,
            oauth_token_cap: 2_500,
            oauth_token_id_null: false,
            oauth_token_without_created_date: false,
            oauth_token_offset_refused: false,
            oauth_token_forbidden_without_permission: false,
            api_disabled: false,
            without_external_client_apps: false,
            policies_tooling_only: false,
            use_any_api_client_column: false,
            without_publisher_names: false,
        }
    }
}

/// The org's API request allowance over 24 hours.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiLimits {
    /// Requests allowed.
    pub max: u64,
    /// Requests already made when the lab starts.
    pub used: u64,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self { max: 115_000, used: 0 }
    }
}

/// A profile.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileWorld {
    /// Label, e.g. `System Administrator`.
    pub name: String,
    /// Its permissions, by API name.
    pub permissions: Vec<Permission>,
    /// Login IP ranges.
    pub login_ip_ranges: Vec<IpRange>,
}

/// A permission set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PermissionSetWorld {
    /// API name.
    pub name: String,
    /// Label; the name if left out.
    pub label: Option<String>,
    /// Its permissions, by API name.
    pub permissions: Vec<Permission>,
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserWorld {
    /// Username, in the form of an e-mail address.
    pub username: String,
    /// E-mail address; the username if left out.
    pub email: Option<String>,
    /// Full name; made from the username if left out.
    pub name: Option<String>,
    /// Label of the profile.
    pub profile: String,
    /// API names of permission sets.
    pub permission_sets: Vec<String>,
    /// `User.UserType`.
    pub user_type: String,
    /// Whether the user may log in.
    pub active: bool,
    /// Whether an admin froze the user (`UserLogin.IsFrozen`).
    pub frozen: bool,
    /// When the user was made.
    pub created: Moment,
    /// Last interactive login.
    pub last_login: Option<Moment>,
}

impl Default for UserWorld {
    fn default() -> Self {
        Self {
            username: String::new(),
            email: None,
            name: None,
            profile: String::new(),
            permission_sets: Vec::new(),
            user_type: "Standard".to_owned(),
            active: true,
            frozen: false,
            created: Moment::FromNow(-2 * 365 * 86_400),
            last_login: None,
        }
    }
}

/// An installed managed package.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PackageWorld {
    /// Name.
    pub name: String,
    /// Namespace prefix, by which apps name it.
    pub namespace: String,
    /// Publisher.
    pub publisher: String,
    /// `major.minor.patch.build`.
    pub version: String,
    /// Whether it passed the security review.
    pub security_reviewed: bool,
}

/// A connected app, in the words of the Metadata API type `ConnectedApp`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectedAppWorld {
    /// Label, which is also what tokens call it.
    pub label: String,
    /// Developer name; the label with underscores if left out.
    pub name: Option<String>,
    /// Namespace of the package it came with.
    pub package: Option<String>,
    /// Consumer key; made up if left out.
    pub consumer_key: Option<String>,
    /// `contactEmail`.
    pub contact_email: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `infoUrl`.
    pub info_url: Option<String>,
    /// `startUrl`.
    pub start_url: Option<String>,
    /// `oauthConfig.callbackUrl`, one address per line.
    pub callback_url: Option<String>,
    /// `oauthConfig.scopes`.
    pub scopes: Vec<String>,
    /// `oauthConfig.isAdminApproved`: only users whom an admin approved may use it.
    pub admin_approved: bool,
    /// `oauthPolicy.refreshTokenPolicy`: `infinite`, `zero`, `specific_lifetime:n:UNIT`,
    /// `specific_inactivity:n:UNIT`.
    pub refresh_token_policy: String,
    /// `oauthPolicy.ipRelaxation`: `ENFORCE`, `BYPASS`, `BYPASS_2FACTOR`, `ENFORCE_RELAXREFRESH`.
    pub ip_relaxation: String,
    /// `ipRanges`.
    pub ip_ranges: Vec<IpRange>,
    /// `sessionPolicy.sessionTimeout` in minutes.
    pub session_timeout: Option<u32>,
    /// `sessionPolicy.sessionLevel`.
    pub session_level: Option<String>,
    /// Whether an admin blocked it (`sessionPolicy.policyAction = Block`).
    pub blocked: bool,
    /// Username behind the client credentials flow; the flow is off without one.
    pub client_credentials_user: Option<String>,
    /// `oauthConfig.isIntrospectAllTokens`.
    pub introspect_all_tokens: bool,
    /// `oauthConfig.isDeviceFlowEnabled`.
    pub device_flow: bool,
    /// `oauthConfig.isPkceRequired`.
    pub pkce_required: bool,
    /// `oauthConfig.isRefreshTokenRotationEnabled`.
    pub refresh_token_rotation: bool,
    /// `oauthConfig.isSecretRequiredForRefreshToken`.
    pub secret_required_for_refresh: bool,
    /// `oauthConfig.isConsumerSecretOptional`.
    pub consumer_secret_optional: bool,
    /// Whether it has a certificate for signed assertions.
    pub certificate: bool,
    /// Permission sets approved for it.
    pub permission_sets: Vec<String>,
    /// Profiles approved for it.
    pub profiles: Vec<String>,
    /// When it was made or installed.
    pub created: Moment,
    /// When its policies changed last; `created` if left out.
    pub modified: Option<Moment>,
}

impl Default for ConnectedAppWorld {
    fn default() -> Self {
        Self {
            label: String::new(),
            name: None,
            package: None,
            consumer_key: None,
            contact_email: None,
            description: None,
            info_url: None,
            start_url: None,
            callback_url: None,
            scopes: Vec::new(),
            admin_approved: false,
            refresh_token_policy: "infinite".to_owned(),
            ip_relaxation: "ENFORCE".to_owned(),
            ip_ranges: Vec::new(),
            session_timeout: None,
            session_level: None,
            blocked: false,
            client_credentials_user: None,
            introspect_all_tokens: false,
            device_flow: false,
            pkce_required: false,
            refresh_token_rotation: false,
            secret_required_for_refresh: true,
            consumer_secret_optional: false,
            certificate: false,
            permission_sets: Vec::new(),
            profiles: Vec::new(),
            created: Moment::FromNow(-365 * 86_400),
            modified: None,
        }
    }
}

/// An external client app with its policies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalClientAppWorld {
    /// Label, which is also what tokens call it.
    pub label: String,
    /// Developer name; the label with underscores if left out.
    pub name: Option<String>,
    /// Namespace of the package it came with.
    pub package: Option<String>,
    /// Consumer key; made up if left out.
    pub consumer_key: Option<String>,
    /// `ContactEmail`.
    pub contact_email: Option<String>,
    /// `DistributionState`: `Local`, `Packaged`, `Managed`, `AutoInstalled`.
    pub distribution_state: String,
    /// Scopes by the suffix of their columns: `API`, `FULL`, `REFRESH_TOKEN`, `CHATTER_REST_API`, …
    pub scopes: Vec<String>,
    /// `PermittedUsersPolicyType`: `AllSelfAuthorized` or `AdminApprovedPreAuthorized`.
    pub permitted_users: String,
    /// `IpRelaxationPolicyType`: `Enforce`, `Bypass`, `Bypass_2factor`, `Enforce_RelaxRefresh`.
    pub ip_relaxation: String,
    /// App-level address ranges.
    pub ip_ranges: Vec<IpRange>,
    /// `RefreshTokenPolicyType`: `Infinite`, `Zero`, `SpecificLifetime`, `SpecificInactivity`.
    pub refresh_token_policy: String,
    /// `RefreshTokenValidityPeriod`.
    pub refresh_token_validity: Option<u32>,
    /// `RefreshTokenValidityUnit`: `Days`, `Hours`, `Months`.
    pub refresh_token_unit: Option<String>,
    /// Username behind the client credentials flow; the flow is off without one.
    pub client_credentials_user: Option<String>,
    /// `IsTokenExchangeFlowEnabled`.
    pub token_exchange: bool,
    /// `PolicyAction`: `Block` or `RaiseSessionLevel`.
    pub policy_action: Option<String>,
    /// `RequiredSessionLevel`.
    pub required_session_level: Option<String>,
    /// `SessionTimeoutInMinutes`.
    pub session_timeout_minutes: Option<u32>,
    /// `ExtlClntAppPlcyCnfg.IsEnabled`.
    pub enabled: bool,
    /// `ExtlClntAppPlcyCnfg.OauthPluginStatus`.
    pub oauth_plugin_status: String,
    /// Permission sets approved for it.
    pub permission_sets: Vec<String>,
    /// Profiles approved for it.
    pub profiles: Vec<String>,
    /// When it was made.
    pub created: Moment,
    /// When it changed last; `created` if left out.
    pub modified: Option<Moment>,
}

impl Default for ExternalClientAppWorld {
    fn default() -> Self {
        Self {
            label: String::new(),
            name: None,
            package: None,
            consumer_key: None,
            contact_email: None,
            distribution_state: "Local".to_owned(),
            scopes: Vec::new(),
            permitted_users: "AllSelfAuthorized".to_owned(),
            ip_relaxation: "Enforce".to_owned(),
            ip_ranges: Vec::new(),
            refresh_token_policy: "Infinite".to_owned(),
            refresh_token_validity: None,
            refresh_token_unit: None,
            client_credentials_user: None,
            token_exchange: false,
            policy_action: None,
            required_session_level: None,
            session_timeout_minutes: None,
            enabled: true,
            oauth_plugin_status: "Enabled".to_owned(),
            permission_sets: Vec::new(),
            profiles: Vec::new(),
            created: Moment::FromNow(-365 * 86_400),
            modified: None,
        }
    }
}

/// An app known only by its tokens.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UninstalledAppWorld {
    /// The name it gave itself.
    pub label: String,
}

/// A token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenWorld {
    /// Label of the app.
    pub app: String,
    /// Username of the grantor; left out if that user was deleted.
    #[serde(default)]
    pub user: Option<String>,
    /// `CreatedDate`.
    pub created: Moment,
    /// `LastUsedDate`; left out if never used.
    #[serde(default)]
    pub last_used: Option<Moment>,
    /// `UseCount`.
    #[serde(default)]
    pub use_count: u32,
}

/// One or more like logins.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginWorld {
    /// Username.
    pub user: String,
    /// `Application`: the app's label, or `Browser`.
    pub app: String,
    /// The newest of them.
    pub at: Moment,
    /// How many.
    pub count: u32,
    /// Seconds between them.
    pub every_seconds: i64,
    /// `LoginType`.
    pub login_type: String,
    /// `LoginSubType`.
    pub login_sub_type: Option<String>,
    /// `SourceIp`.
    pub source_ip: String,
    /// `CountryIso`.
    pub country: Option<String>,
    /// `Status`.
    pub status: String,
    /// `Browser`.
    pub browser: String,
    /// `Platform`.
    pub platform: String,
    /// `ClientVersion`.
    pub client_version: Option<String>,
    /// `ApiType`.
    pub api_type: Option<String>,
    /// `ApiVersion`.
    pub api_version: Option<String>,
}

impl Default for LoginWorld {
    fn default() -> Self {
        Self {
            user: String::new(),
            app: String::new(),
            at: Moment::FromNow(-3_600),
            count: 1,
            every_seconds: 86_400,
            login_type: "Remote Access 2.0".to_owned(),
            login_sub_type: Some("OauthRefreshToken".to_owned()),
            source_ip: "203.0.113.10".to_owned(),
            country: Some("US".to_owned()),
            status: "Success".to_owned(),
            browser: "Unknown".to_owned(),
            platform: "Unknown".to_owned(),
            client_version: None,
            api_type: None,
            api_version: None,
        }
    }
}

/// One or more like API calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiUsageWorld {
    /// Label of the app.
    pub app: String,
    /// Username.
    pub user: String,
    /// The newest of them.
    pub at: Moment,
    /// How many.
    pub count: u32,
    /// Seconds between them.
    pub every_seconds: i64,
    /// `CLIENT_IP`.
    pub ip: String,
    /// `CLIENT_NAME`, the agent.
    pub agent: String,
    /// `API_FAMILY`.
    pub family: String,
    /// `API_VERSION`.
    pub version: String,
    /// `API_RESOURCE`.
    pub resource: String,
    /// `HTTP_METHOD`.
    pub method: String,
    /// `ENTITY_NAME`.
    pub entity: String,
    /// `STATUS_CODE`.
    pub status: u16,
}

impl Default for ApiUsageWorld {
    fn default() -> Self {
        Self {
            app: String::new(),
            user: String::new(),
            at: Moment::FromNow(-3_600),
            count: 1,
            every_seconds: 600,
            ip: "203.0.113.10".to_owned(),
            agent: String::new(),
            family: "REST".to_owned(),
            version: "61.0".to_owned(),
            resource: "/services/data/v61.0/query".to_owned(),
            method: "GET".to_owned(),
            entity: "Account".to_owned(),
            status: 200,
        }
    }
}

/// A setup audit trail entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditWorld {
    /// `CreatedDate`.
    pub at: Moment,
    /// Username of the admin; left out for the platform itself.
    #[serde(default)]
    pub user: Option<String>,
    /// `Action`.
    pub action: String,
    /// `Section`.
    #[serde(default)]
    pub section: Option<String>,
    /// `Display`.
    pub display: String,
    /// `DelegateUser`.
    #[serde(default)]
    pub delegate: Option<String>,
}
