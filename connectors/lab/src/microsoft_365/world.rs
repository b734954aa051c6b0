//! One Entra directory as a world file describes it (`[[microsoft_365]]` and its tables). Names follow
//! Graph; what is left out takes the platform's own default. Ids that are left out are made from
//! names, so that they are the same at every start.

use serde::{Deserialize, Serialize};

use super::generate::EntraScale;
use crate::moment::Moment;

/// One directory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EntraWorld {
    /// The organisation's name, by which [`Lab::entra`](crate::Lab::entra) finds it.
    pub name: String,
    /// The directory's GUID.
    pub tenant_id: Option<String>,
    /// Verified domains, the first being the default one; the token endpoint takes them too.
    pub domains: Vec<String>,
    /// The scanner's own application.
    pub scanner: Scanner,
    /// Consent and credential policies.
    pub policies: Policies,
    /// How the lab behaves where tenants, clouds or documents differ.
    pub behaviour: Behaviour,
    /// Service principals that are not made from an own application: foreign ones, managed
    /// identities, Microsoft's.
    #[serde(rename = "service_principal")]
    pub service_principals: Vec<ServicePrincipalWorld>,
    /// The organisation's own app registrations, each with its service principal.
    #[serde(rename = "application")]
    pub applications: Vec<ApplicationWorld>,
    /// Users.
    #[serde(rename = "user")]
    pub users: Vec<UserWorld>,
    /// Delegated grants, as `oauth2PermissionGrants` shows them.
    #[serde(rename = "delegated_grant")]
    pub delegated_grants: Vec<DelegatedGrantWorld>,
    /// App role assignments, to apps, users and groups.
    #[serde(rename = "app_role_assignment")]
    pub app_role_assignments: Vec<AppRoleAssignmentWorld>,
    /// Directory role assignments.
    #[serde(rename = "directory_role")]
    pub directory_roles: Vec<DirectoryRoleWorld>,
    /// Consents in the audit log.
    #[serde(rename = "consent")]
    pub consents: Vec<ConsentWorld>,
    /// Other entries of the audit log.
    #[serde(rename = "audit")]
    pub audits: Vec<AuditWorld>,
    /// Single sign-ins.
    #[serde(rename = "sign_in")]
    pub sign_ins: Vec<SignInWorld>,
    /// Last use of apps, as the sign-in activity report shows it.
    #[serde(rename = "activity")]
    pub activities: Vec<ActivityWorld>,
    /// Rows made by the generator when the directory starts, which are too many for texts each.
    #[serde(skip)]
    pub(crate) generated: Option<EntraScale>,
}

/// How the scanner signs in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scanner {
    /// Name of one of the applications; its secret and certificate are made at start.
    pub application: String,
    /// Values of the Microsoft Graph app roles that it holds.
    pub roles: Vec<String>,
    /// When its secret ends.
    pub secret_end: Moment,
    /// When its certificate ends.
    pub certificate_end: Moment,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            application: String::new(),
            roles: Vec::new(),
            secret_end: Moment::FromNow(90 * 86_400),
            certificate_end: Moment::FromNow(180 * 86_400),
        }
    }
}

/// Consent and credential policies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policies {
    /// `defaultUserRolePermissions.permissionGrantPoliciesAssigned`; empty means no user consent.
    pub user_consent: Vec<String>,
    /// `allowUserConsentForRiskyApps`.
    pub risky_consent: bool,
    /// `defaultUserRolePermissions.allowedToCreateApps`.
    pub users_create_apps: bool,
    /// `adminConsentRequestPolicy.isEnabled`.
    pub admin_consent_workflow: bool,
    /// Usernames of the reviewers of consent requests.
    pub reviewers: Vec<String>,
    /// Longest life of an application secret by `defaultAppManagementPolicy`, in days; no rule if
    /// left out.
    pub secret_days: Option<u32>,
    /// Life of access tokens by an organisation-wide `tokenLifetimePolicy`, in hours.
    pub token_hours: Option<u32>,
    /// Custom permission grant policies, beside Microsoft's two.
    #[serde(rename = "grant_policy")]
    pub grant_policies: Vec<GrantPolicyWorld>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            user_consent: vec![
                "ManagePermissionGrantsForSelf.microsoft-user-default-low".to_owned(),
            ],
            risky_consent: false,
            users_create_apps: true,
            admin_consent_workflow: true,
            reviewers: Vec::new(),
            secret_days: None,
            token_hours: None,
            grant_policies: Vec::new(),
        }
    }
}

/// A permission grant policy of the organisation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrantPolicyWorld {
    /// Its id, as `ManagePermissionGrantsForSelf.{id}` names it.
    pub id: String,
    /// Display name; the id if left out.
    pub name: Option<String>,
    /// Whether only apps of verified publishers are included.
    pub verified_only: bool,
    /// Permission ids that are included; all if empty.
    pub permissions: Vec<String>,
}

/// Switches: lifetimes, page sizes, quotas, and what differs between clouds and licences.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Milliseconds that every call takes.
    pub latency_ms: u64,
    /// Rows on a page at most, whatever `$top` asks for.
    pub page_cap: usize,
    /// Rows on a page without `$top`.
    pub default_page: usize,
    /// Every listing that goes on starts with an empty page.
    pub empty_first_pages: bool,
    /// Items of an expanded relation; the rest is cut without a word.
    pub expand_limit: usize,
    /// Milliseconds for which listings still show a deleted row.
    pub replication_ms: i64,
    /// Calls for which listings still show a deleted row.
    pub replication_calls: u64,
    /// Whether the directory has Entra ID P1.
    pub premium: bool,
    /// A national cloud: no beta reports.
    pub national_cloud: bool,
    /// `auditLogs/signIns` needs Directory.Read.All beside AuditLog.Read.All.
    pub sign_ins_need_directory_read: bool,
    /// Seconds after which an access token expires.
    pub token_seconds: i64,
    /// Seconds that the token endpoint's clock runs ahead of ours when it reads an assertion.
    pub clock_skew_seconds: i64,
    /// Assertions of the old form (RS256 with `x5t`) are accepted too.
    pub legacy_assertions: bool,
    /// Seconds after which a page token expires.
    pub page_token_seconds: i64,
    /// Seconds after which a delta token expires.
    pub delta_token_seconds: i64,
    /// Quotas are enforced.
    pub quota: bool,
    /// How much faster quotas refill than the platform's: 60 makes a minute last a second.
    pub time_scale: f64,
    /// Resource units in 10 seconds; by the number of users if left out.
    pub resource_units: Option<u32>,
    /// Calls to `auditLogs` and `reports` in 10 seconds.
    pub report_calls: u32,
    /// Writes in 150 seconds.
    pub writes: u32,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            page_cap: 999,
            default_page: 100,
            empty_first_pages: false,
            expand_limit: 20,
            replication_ms: 0,
            replication_calls: 0,
            premium: true,
            national_cloud: false,
            sign_ins_need_directory_read: true,
            token_seconds: 3_599,
            clock_skew_seconds: 0,
            legacy_assertions: false,
            page_token_seconds: 3_600,
            delta_token_seconds: 7 * 86_400,
            quota: true,
            time_scale: 1.0,
            resource_units: None,
            report_calls: 5,
            writes: 3_000,
        }
    }
}

/// A service principal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServicePrincipalWorld {
    /// `displayName`, by which other tables name it.
    pub name: String,
    /// Object id; made from the name if left out.
    pub id: Option<String>,
    /// Client id; made from the name if left out.
    pub app_id: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `appOwnerOrganizationId`: `microsoft`, `own`, `none` or a GUID; a vendor's made-up tenant if
    /// left out.
    pub owner: Option<String>,
    /// `servicePrincipalType`.
    pub kind: String,
    /// `accountEnabled`.
    pub enabled: bool,
    /// `isDisabled`.
    pub is_disabled: Option<bool>,
    /// `disabledByMicrosoftStatus` is `DisabledDueToViolationOfServicesAgreement`.
    pub disabled_by_microsoft: bool,
    /// `appRoleAssignmentRequired`.
    pub assignment_required: bool,
    /// `signInAudience`.
    pub audience: Option<String>,
    /// Name of the verified publisher; unverified if left out.
    pub publisher: Option<String>,
    /// `homepage`.
    pub homepage: Option<String>,
    /// `replyUrls`.
    pub reply_urls: Vec<String>,
    /// `alternativeNames`, for a managed identity the resource that has it.
    pub alternative_names: Vec<String>,
    /// `tags`.
    pub tags: Vec<String>,
    /// Usernames of owners.
    pub owners: Vec<String>,
    /// Secrets.
    pub passwords: Vec<CredentialWorld>,
    /// Certificates.
    pub keys: Vec<CredentialWorld>,
    /// Values of its app roles, for apps.
    pub app_roles: Vec<String>,
    /// App roles that are not enabled, or for users.
    pub special_app_roles: Vec<SpecialRoleWorld>,
    /// Values of its delegated scopes.
    pub scopes: Vec<String>,
}

impl Default for ServicePrincipalWorld {
    fn default() -> Self {
        Self {
            name: String::new(),
            id: None,
            app_id: None,
            description: None,
            owner: None,
            kind: "Application".to_owned(),
            enabled: true,
            is_disabled: None,
            disabled_by_microsoft: false,
            assignment_required: false,
            audience: None,
            publisher: None,
            homepage: None,
            reply_urls: Vec::new(),
            alternative_names: Vec::new(),
            tags: Vec::new(),
            owners: Vec::new(),
            passwords: Vec::new(),
            keys: Vec::new(),
            app_roles: Vec::new(),
            special_app_roles: Vec::new(),
            scopes: Vec::new(),
        }
    }
}

/// An app role that is more than a value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialRoleWorld {
    /// `value`.
    pub value: String,
    /// `isEnabled`.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `allowedMemberTypes`.
    pub members: Vec<String>,
}

fn yes() -> bool {
    true
}

/// A secret or a certificate. The secret's text is nobody's business, not even the lab's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialWorld {
    /// `displayName`.
    pub name: String,
    /// `keyId`; made from the names if left out.
    pub id: Option<String>,
    /// `startDateTime`.
    pub start: Moment,
    /// `endDateTime`.
    pub end: Moment,
    /// Last use, as the credential report shows it.
    pub last_used: Option<Moment>,
}

impl Default for CredentialWorld {
    fn default() -> Self {
        Self {
            name: String::new(),
            id: None,
            start: Moment::FromNow(-30 * 86_400),
            end: Moment::FromNow(150 * 86_400),
            last_used: None,
        }
    }
}

/// An own app registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApplicationWorld {
    /// `displayName`, by which other tables name it and its service principal.
    pub name: String,
    /// Object id; made from the name if left out.
    pub id: Option<String>,
    /// Client id; made from the name if left out.
    pub app_id: Option<String>,
    /// `createdDateTime`.
    pub created: Moment,
    /// `signInAudience`.
    pub audience: String,
    /// `accountEnabled` of the service principal.
    pub enabled: bool,
    /// Whether the registration has no service principal in its own directory.
    pub without_service_principal: bool,
    /// Redirect URIs of the platform `web`.
    pub redirect_uris: Vec<String>,
    /// Redirect URIs of the platform `spa`.
    pub spa_redirect_uris: Vec<String>,
    /// Redirect URIs of the platform `publicClient`.
    pub public_redirect_uris: Vec<String>,
    /// `isFallbackPublicClient`.
    pub public_client: bool,
    /// `identifierUris`.
    pub identifier_uris: Vec<String>,
    /// `tags`.
    pub tags: Vec<String>,
    /// Usernames of owners.
    pub owners: Vec<String>,
    /// Secrets.
    pub passwords: Vec<CredentialWorld>,
    /// Certificates.
    pub keys: Vec<CredentialWorld>,
    /// Federated credentials.
    pub federated: Vec<FederatedWorld>,
    /// What it asks for: `requiredResourceAccess`.
    pub required: Vec<RequiredWorld>,
    /// Values of its own app roles.
    pub app_roles: Vec<String>,
    /// Values of its own delegated scopes.
    pub scopes: Vec<String>,
}

impl Default for ApplicationWorld {
    fn default() -> Self {
        Self {
            name: String::new(),
            id: None,
            app_id: None,
            created: Moment::FromNow(-400 * 86_400),
            audience: "AzureADMyOrg".to_owned(),
            enabled: true,
            without_service_principal: false,
            redirect_uris: Vec::new(),
            spa_redirect_uris: Vec::new(),
            public_redirect_uris: Vec::new(),
            public_client: false,
            identifier_uris: Vec::new(),
            tags: Vec::new(),
            owners: Vec::new(),
            passwords: Vec::new(),
            keys: Vec::new(),
            federated: Vec::new(),
            required: Vec::new(),
            app_roles: Vec::new(),
            scopes: Vec::new(),
        }
    }
}

/// A federated credential: whoever presents a token of this issuer and subject is the app.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FederatedWorld {
    /// `name`.
    pub name: String,
    /// `issuer`.
    pub issuer: String,
    /// `subject`.
    pub subject: String,
    /// `audiences`; `api://AzureADTokenExchange` if empty.
    pub audiences: Vec<String>,
    /// `description`.
    pub description: Option<String>,
}

/// Permissions that an application asks for on one resource.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequiredWorld {
    /// Name of the resource's service principal; Microsoft Graph if left out.
    pub resource: Option<String>,
    /// Values of delegated scopes.
    pub scopes: Vec<String>,
    /// Values of app roles.
    pub roles: Vec<String>,
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserWorld {
    /// `userPrincipalName`.
    pub username: String,
    /// `displayName`; made from the username if left out.
    pub name: Option<String>,
    /// `mail`; the username if left out.
    pub mail: Option<String>,
    /// `accountEnabled`.
    pub enabled: bool,
    /// `userType` is `Guest`.
    pub guest: bool,
    /// The user was deleted; rows that name the id stay.
    pub deleted: bool,
    /// `createdDateTime`.
    pub created: Moment,
    /// Last interactive sign-in.
    pub last_sign_in: Option<Moment>,
}

impl Default for UserWorld {
    fn default() -> Self {
        Self {
            username: String::new(),
            name: None,
            mail: None,
            enabled: true,
            guest: false,
            deleted: false,
            created: Moment::FromNow(-2 * 365 * 86_400),
            last_sign_in: None,
        }
    }
}

/// A delegated grant.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DelegatedGrantWorld {
    /// Name of the client's service principal.
    pub app: String,
    /// Name of the resource's service principal; Microsoft Graph if left out.
    pub resource: Option<String>,
    /// Username; for all users (`AllPrincipals`) if left out.
    pub user: Option<String>,
    /// `scope`, as it is: parted by spaces, perhaps with one in front.
    pub scope: String,
}

/// App role assignments of one principal on one resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppRoleAssignmentWorld {
    /// Name of a service principal, a username, or the name of a group.
    pub principal: String,
    /// The principal is a group.
    pub group: bool,
    /// Name of the resource's service principal; Microsoft Graph if left out.
    pub resource: Option<String>,
    /// Values of app roles; default access if empty.
    pub roles: Vec<String>,
    /// `createdDateTime`.
    pub created: Moment,
}

impl Default for AppRoleAssignmentWorld {
    fn default() -> Self {
        Self {
            principal: String::new(),
            group: false,
            resource: None,
            roles: Vec::new(),
            created: Moment::FromNow(-300 * 86_400),
        }
    }
}

/// A directory role held by an app or a user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DirectoryRoleWorld {
    /// Name of the role, e.g. `Application Administrator`.
    pub role: String,
    /// Name of a service principal, or a username.
    pub principal: String,
    /// `directoryScopeId`; the whole directory (`/`) if left out.
    pub scope: Option<String>,
}

/// A `Consent to application` entry of the audit log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsentWorld {
    /// Name of the app's service principal.
    pub app: String,
    /// Name of the resource's service principal; Microsoft Graph if left out.
    pub resource: Option<String>,
    /// Who consented.
    pub actor: String,
    /// When.
    pub at: Moment,
    /// For all users (`ConsentContext.OnBehalfOfAll`).
    pub tenant_wide: bool,
    /// By an admin (`ConsentContext.IsAdminConsent`).
    pub admin: bool,
    /// The scopes consented to.
    pub scope: String,
    /// `initiatedBy.user.ipAddress`.
    pub ip: Option<String>,
}

impl Default for ConsentWorld {
    fn default() -> Self {
        Self {
            app: String::new(),
            resource: None,
            actor: String::new(),
            at: Moment::FromNow(-3 * 86_400),
            tenant_wide: false,
            admin: false,
            scope: String::new(),
            ip: None,
        }
    }
}

/// Another entry of the audit log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditWorld {
    /// `activityDisplayName`.
    pub activity: String,
    /// `category`.
    pub category: String,
    /// When.
    pub at: Moment,
    /// Username of who did it, or the name of an app's service principal.
    pub actor: String,
    /// Name of the service principal, or username, that it was done to.
    pub target: String,
    /// What changed.
    pub changes: Vec<ChangeWorld>,
    /// `initiatedBy.user.ipAddress`.
    pub ip: Option<String>,
}

impl Default for AuditWorld {
    fn default() -> Self {
        Self {
            activity: String::new(),
            category: "ApplicationManagement".to_owned(),
            at: Moment::FromNow(-3 * 86_400),
            actor: String::new(),
            target: String::new(),
            changes: Vec::new(),
            ip: None,
        }
    }
}

/// A property that an audited action changed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeWorld {
    /// `displayName`.
    pub name: String,
    /// `oldValue`, without the quotes that the log puts around it.
    pub old: Option<String>,
    /// `newValue`, without the quotes that the log puts around it.
    pub new: Option<String>,
}

/// Sign-ins of one kind by one app, `every_seconds` apart, the last one `at`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInWorld {
    /// Name of the app's service principal.
    pub app: String,
    /// Member of `signInEventTypes`: `servicePrincipal`, `managedIdentity`, `nonInteractiveUser` or
    /// `interactiveUser`.
    pub kind: String,
    /// The user, if it is a user's sign-in.
    pub user: Option<String>,
    /// Name of the resource's service principal; Microsoft Graph if left out.
    pub resource: Option<String>,
    /// When.
    pub at: Moment,
    /// How many.
    pub count: u32,
    /// Seconds between two.
    pub every_seconds: i64,
    /// `ipAddress`.
    pub ip: Option<String>,
    /// Name of the credential used.
    pub credential: Option<String>,
    /// `status.errorCode`.
    pub error: u32,
}

impl Default for SignInWorld {
    fn default() -> Self {
        Self {
            app: String::new(),
            kind: "servicePrincipal".to_owned(),
            user: None,
            resource: None,
            at: Moment::FromNow(-3_600),
            count: 1,
            every_seconds: 3_600,
            ip: None,
            credential: None,
            error: 0,
        }
    }
}

/// Last use of an app. What is left out never happened; an app without a row has no entry in the
/// report at all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActivityWorld {
    /// Name of the app's service principal.
    pub app: String,
    /// `delegatedClientSignInActivity`.
    pub delegated_client: Option<Moment>,
    /// `delegatedResourceSignInActivity`.
    pub delegated_resource: Option<Moment>,
    /// `applicationAuthenticationClientSignInActivity`.
    pub app_client: Option<Moment>,
    /// `applicationAuthenticationResourceSignInActivity`.
    pub app_resource: Option<Moment>,
}
