//! One Google Workspace customer as a world file describes it (`[[google_workspace]]` and its
//! tables). Names follow the APIs; what is left out takes the platform's own default.

use serde::{Deserialize, Serialize};

use super::access::Privilege;
use super::grants::Grant;
use crate::moment::Moment;

/// One customer: the account that owns domains and users.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleWorld {
    /// The customer's name, by which [`Lab::google_workspace`](crate::Lab::google_workspace) finds it.
    pub name: String,
    /// The customer id, `C0…`; one is made from the name if left out.
    pub customer_id: Option<String>,
    /// The primary domain.
    pub domain: String,
    /// The scanner's service account and the admin it acts for.
    pub scanner: GoogleScanner,
    /// What the customer's edition and settings let the APIs tell.
    pub edition: GoogleEdition,
    /// How the lab behaves where tenants or documents differ.
    pub behaviour: GoogleBehaviour,
    /// Users.
    #[serde(rename = "user")]
    pub users: Vec<GoogleUser>,
    /// Third-party apps.
    #[serde(rename = "app")]
    pub apps: Vec<GoogleApp>,
    /// Grants, as `tokens.list` shows them, with their history.
    #[serde(rename = "token")]
    pub tokens: Vec<GoogleToken>,
    /// Authorisations that the platform refused, as `deny` events.
    #[serde(rename = "denied")]
    pub denied: Vec<DeniedEvent>,
    /// App passwords.
    #[serde(rename = "app_password")]
    pub app_passwords: Vec<AppPassword>,
    /// Clients with domain-wide delegation: only their admin events can be seen.
    #[serde(rename = "dwd_client")]
    pub dwd_clients: Vec<DelegatedClient>,
    /// Changes of an app's trust, as admin events.
    #[serde(rename = "trust")]
    pub trust: Vec<TrustEvent>,
    /// Settings, as the Policy API shows them.
    #[serde(rename = "policy")]
    pub policies: Vec<PolicyWorld>,
    /// Browser extensions and apps, as Chrome Management counts them.
    #[serde(rename = "chrome_extension")]
    pub chrome_extensions: Vec<ChromeExtension>,
    /// Grants made by the generator, which are too many for one struct of texts each.
    #[serde(skip)]
    pub(crate) generated: Vec<Grant>,
    /// The scope sets that generated grants point into.
    #[serde(skip)]
    pub(crate) generated_scopes: Vec<Vec<String>>,
}

/// The scanner's service account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleScanner {
    /// The service account's address.
    pub client_email: String,
    /// Its numeric id, which the Admin console wants for domain-wide delegation.
    pub client_id: String,
    /// Its Cloud project's number.
    pub project: String,
    /// Primary email of the admin that it acts for.
    pub subject: String,
    /// OAuth scopes that are authorised for domain-wide delegation; all that the lab knows if left out.
    pub scopes: Option<Vec<String>>,
    /// The service account has an admin role of its own and may sign its own access tokens.
    pub dasa: bool,
    /// The privileges of that role.
    pub privileges: Vec<Privilege>,
}

impl Default for GoogleScanner {
    fn default() -> Self {
        Self {
            client_email: "grantwarden@lab-project.iam.gserviceaccount.com".to_owned(),
            client_id: "100000000000000000001".to_owned(),
            project: "424242424242".to_owned(),
            subject: String::new(),
            scopes: None,
            dasa: false,
            privileges: Vec::new(),
        }
    }
}

/// What the customer's edition and settings let the APIs tell.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleEdition {
    /// The token log has `activity` events (only some editions have them).
    pub token_activity_events: bool,
    /// Chrome Management answers.
    pub chrome: bool,
    /// The Policy API answers.
    pub policy_api: bool,
}

impl Default for GoogleEdition {
    fn default() -> Self {
        Self { token_activity_events: true, chrome: true, policy_api: true }
    }
}

/// How an enum value of a policy is spelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicySpelling {
    /// As the world file writes it.
    #[default]
    AsWritten,
    /// As the documents say, e.g. `BLOCK_ALL`.
    Documented,
    /// As live tenants answer, e.g. `BLOCK_ALL_SCOPES`.
    Live,
}

/// Switches: latency, caps, quotas, and what the documents contradict each other about.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleBehaviour {
    /// Milliseconds that every call takes.
    pub latency_ms: u64,
    /// Seconds after which an access token expires.
    pub token_seconds: u64,
    /// Seconds that the token endpoint's clock runs ahead of ours.
    pub clock_skew_seconds: i64,
    /// Most users on a page, whatever `maxResults` says.
    pub users_page: usize,
    /// Most events on a page.
    pub activities_page: usize,
    /// Most user reports on a page.
    pub usage_page: usize,
    /// Most policies on a page.
    pub policies_page: usize,
    /// Most Chrome apps on a page.
    pub chrome_page: usize,
    /// Empty pages with a `nextPageToken` before the first policy.
    pub policy_empty_pages: usize,
    /// How policies spell their enums.
    pub policy_spelling: PolicySpelling,
    /// Seconds after which a page token expires; three days on the platform.
    pub page_token_seconds: u64,
    /// A page token works once only.
    pub page_token_once: bool,
    /// The published quotas are enforced.
    pub quota: bool,
    /// How much faster quotas refill than on the platform: 60 makes a minute last a second.
    pub time_scale: f64,
    /// Calls a minute that the whole account may make before 429; no limit if left out.
    pub account_per_minute: Option<u32>,
    /// Policy reads a minute (the platform's figure is not published).
    pub policies_per_minute: u32,
    /// Quota refusals are plain text, as front ends sometimes write them.
    pub plain_text_quota: bool,
    /// Days by which usage reports lag.
    pub report_lag_days: i32,
    /// The newest so many report days answer 200 with a warning and without data.
    pub report_empty_days: i32,
    /// Seconds by which events arrive late.
    pub event_lag_seconds: i64,
    /// Counts in usage reports are texts.
    pub counts_as_strings: bool,
    /// A bool that is false is left out of users and tokens.
    pub omit_false: bool,
    /// `tokens.list` answers 401 for suspended users.
    pub suspended_tokens_unauthorized: bool,
    /// `tokens.list` answers 404 for users without grants.
    pub empty_tokens_not_found: bool,
    /// Reports answer 401, not 403, when the admin lacks the privilege.
    pub reports_denied_as_unauthorized: bool,
    /// The Admin SDK API is not enabled in the scanner's project.
    pub admin_api_disabled: bool,
    /// The Cloud Identity API is not enabled in the scanner's project.
    pub policy_api_disabled: bool,
    /// The Chrome Management API is not enabled in the scanner's project.
    pub chrome_api_disabled: bool,
    /// API access is switched off for the whole domain.
    pub domain_api_disabled: bool,
}

impl Default for GoogleBehaviour {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            token_seconds: 3_599,
            clock_skew_seconds: 0,
            users_page: 500,
            activities_page: 1_000,
            usage_page: 1_000,
            policies_page: 100,
            chrome_page: 100,
            policy_empty_pages: 0,
            policy_spelling: PolicySpelling::AsWritten,
            page_token_seconds: 3 * 86_400,
            page_token_once: false,
            quota: true,
            time_scale: 1.0,
            account_per_minute: None,
            policies_per_minute: 60,
            plain_text_quota: false,
            report_lag_days: 2,
            report_empty_days: 0,
            event_lag_seconds: 0,
            counts_as_strings: false,
            omit_false: false,
            suspended_tokens_unauthorized: false,
            empty_tokens_not_found: false,
            reports_denied_as_unauthorized: false,
            admin_api_disabled: false,
            policy_api_disabled: false,
            chrome_api_disabled: false,
            domain_api_disabled: false,
        }
    }
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleUser {
    /// Primary email.
    pub email: String,
    /// `Given Family`; made from the address if left out.
    pub name: Option<String>,
    /// The immutable id, digits; made from the position if left out.
    pub id: Option<String>,
    /// Further addresses.
    pub aliases: Vec<String>,
    /// Path of the organisational unit.
    pub org_unit: String,
    /// Suspended.
    pub suspended: bool,
    /// Why, e.g. `ADMIN`.
    pub suspension_reason: Option<String>,
    /// Archived.
    pub archived: bool,
    /// Super admin.
    pub admin: bool,
    /// Privileges of a delegated admin.
    pub privileges: Vec<Privilege>,
    /// Has a second factor.
    pub enrolled_in_2sv: bool,
    /// Must have one.
    pub enforced_in_2sv: bool,
    /// An account for somebody outside.
    pub guest: bool,
    /// When it was made.
    pub created: Moment,
    /// Last login; never if left out.
    pub last_login: Option<Moment>,
    /// When it was deleted, if it was.
    pub deleted: Option<Moment>,
    /// `tokens.list` always answers this status for the user: 401 or 404.
    pub tokens_refused: Option<u16>,
}

impl Default for GoogleUser {
    fn default() -> Self {
        Self {
            email: String::new(),
            name: None,
            id: None,
            aliases: Vec::new(),
            org_unit: "/".to_owned(),
            suspended: false,
            suspension_reason: None,
            archived: false,
            admin: false,
            privileges: Vec::new(),
            enrolled_in_2sv: false,
            enforced_in_2sv: false,
            guest: false,
            created: Moment::FromNow(-365 * 86_400),
            last_login: None,
            deleted: None,
            tokens_refused: None,
        }
    }
}

/// A third-party app.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleApp {
    /// Display name, by which tokens and events name the app.
    pub name: String,
    /// Client id; made from the project number and the position if left out. A bare domain for an
    /// app that is not registered.
    pub client_id: Option<String>,
    /// Not registered with Google.
    pub anonymous: bool,
    /// Installed on a device.
    pub native: bool,
    /// `client_type` in the token log; WEB or `NATIVE_APPLICATION` if left out.
    pub client_type: Option<String>,
    /// Number of the Cloud project that owns the client.
    pub project: Option<String>,
}

/// A grant of one user to one app. A revoked grant that was given again is two entries.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleToken {
    /// Primary email of the user.
    pub user: String,
    /// Name of the app.
    pub app: String,
    /// Scopes granted.
    pub scopes: Vec<String>,
    /// First authorised.
    pub authorized: Moment,
    /// Authorised again while it was live.
    pub authorized_again: Vec<Moment>,
    /// Last use, if ever.
    pub last_used: Option<Moment>,
    /// Revoked, if it was.
    pub revoked: Option<Moment>,
    /// Address that authorised and used it.
    pub ip: Option<String>,
}

impl Default for GoogleToken {
    fn default() -> Self {
        Self {
            user: String::new(),
            app: String::new(),
            scopes: Vec::new(),
            authorized: Moment::FromNow(-30 * 86_400),
            authorized_again: Vec::new(),
            last_used: None,
            revoked: None,
            ip: None,
        }
    }
}

/// An authorisation that the platform refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeniedEvent {
    /// When.
    pub at: Moment,
    /// Primary email of the user.
    pub user: String,
    /// Name of the app.
    pub app: String,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// `rejection_type`, e.g. `EXPLICIT_ADMIN_BLOCK`.
    pub reason: String,
}

/// An application-specific password.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppPassword {
    /// Primary email of the user.
    pub user: String,
    /// What the user called it.
    pub name: String,
    /// When it was made.
    pub created: Moment,
    /// Last use; never if left out.
    #[serde(default)]
    pub last_used: Option<Moment>,
}

/// A client with domain-wide delegation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegatedClient {
    /// Numeric client id.
    pub client: String,
    /// Scopes it was given.
    pub scopes: Vec<String>,
    /// When it was added; before the log's memory if left out.
    #[serde(default)]
    pub added: Option<Moment>,
    /// When it was removed, if it was.
    #[serde(default)]
    pub removed: Option<Moment>,
    /// Primary email of the admin who did it.
    #[serde(default)]
    pub by: Option<String>,
}

/// A change of an app's trust.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustEvent {
    /// When.
    pub at: Moment,
    /// Event name, e.g. `ADD_TO_BLOCKED_OAUTH2_APPS`.
    pub event: String,
    /// Name of the app, for events about one.
    #[serde(default)]
    pub app: Option<String>,
    /// Path of the organisational unit.
    #[serde(default)]
    pub org_unit: Option<String>,
    /// Primary email of the admin who did it.
    #[serde(default)]
    pub by: Option<String>,
    /// Further parameters, name to text.
    #[serde(default)]
    pub parameters: std::collections::BTreeMap<String, String>,
}

/// A setting of the Policy API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyWorld {
    /// Setting type without `settings/`, e.g. `api_controls.internal_apps`.
    pub setting: String,
    /// Its value, names in camelCase.
    pub value: serde_json::Value,
    /// Path of the organisational unit.
    #[serde(default = "root")]
    pub org_unit: String,
    /// A group instead of a whole unit.
    #[serde(default)]
    pub group: Option<String>,
    /// Set by an admin; otherwise the platform's default.
    #[serde(default)]
    pub by_admin: bool,
    /// `policyQuery.sortOrder`.
    #[serde(default)]
    pub sort_order: f64,
}

fn root() -> String {
    "/".to_owned()
}

/// A browser extension or app.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChromeExtension {
    /// The 32 letters, or an Android package name.
    pub id: String,
    /// Display name.
    pub name: String,
    /// `EXTENSION`, `APP`, `THEME`, `HOSTED_APP`, `ANDROID_APP`.
    pub kind: String,
    /// `NORMAL`, `ADMIN`, `SIDELOAD`, …
    pub install_type: String,
    /// `CHROME_WEBSTORE` or `PLAY_STORE`.
    pub source: String,
    /// Whether it is disabled.
    pub disabled: bool,
    /// Permissions.
    pub permissions: Vec<String>,
    /// Managed browsers that have it.
    pub browsers: u64,
    /// `ChromeOS` users that have it.
    pub os_users: u64,
    /// Browser profiles that have it.
    pub profiles: u64,
}

impl Default for ChromeExtension {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            kind: "EXTENSION".to_owned(),
            install_type: "NORMAL".to_owned(),
            source: "CHROME_WEBSTORE".to_owned(),
            disabled: false,
            permissions: Vec::new(),
            browsers: 0,
            os_users: 0,
            profiles: 0,
        }
    }
}
