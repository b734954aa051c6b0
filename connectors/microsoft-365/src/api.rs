//! Wire types, in Microsoft Graph's own words. Every field but an id may be missing. No token and no secret is ever selected.

use serde::{Deserialize, Serialize, de::IgnoredAny};

/// One page of a collection: <https://learn.microsoft.com/en-us/graph/paging>
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) value: Vec<Row<T>>,
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next: Option<String>,
    /// On the last page of a delta query.
    #[serde(rename = "@odata.deltaLink")]
    pub(crate) delta: Option<String>,
}

/// A row, or something else in its place: one row of another shape must not cost the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Row<T> {
    Good(T),
    Odd(IgnoredAny),
}

impl<T> Row<T> {
    pub(crate) fn good(self) -> Option<T> {
        match self {
            Self::Good(row) => Some(row),
            Self::Odd(_) => None,
        }
    }
}

/// Something with an object id.
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
    ServicePrincipal,
    Application,
    PermissionGrant,
    RoleAssignment,
    AppRoleAssignment,
    FederatedCredential,
    TrustingApplication,
    User
);

/// `$select` for [`ServicePrincipal`].
pub(crate) const SERVICE_PRINCIPAL: &str = "id,appId,displayName,appOwnerOrganizationId,servicePrincipalType,accountEnabled,isDisabled,\
     disabledByMicrosoftStatus,appRoleAssignmentRequired,signInAudience,verifiedPublisher,replyUrls,tags,passwordCredentials,keyCredentials,appRoles";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePrincipal {
    pub(crate) id: String,
    pub(crate) app_id: Option<String>,
    pub(crate) display_name: Option<String>,
    /// The tenant that registered the app; null for a managed identity and for old ones.
    pub(crate) app_owner_organization_id: Option<String>,
    pub(crate) service_principal_type: Option<String>,
    pub(crate) account_enabled: Option<bool>,
    pub(crate) is_disabled: Option<bool>,
    pub(crate) disabled_by_microsoft_status: Option<String>,
    pub(crate) app_role_assignment_required: Option<bool>,
    pub(crate) sign_in_audience: Option<String>,
    pub(crate) verified_publisher: Option<VerifiedPublisher>,
    pub(crate) reply_urls: Option<Vec<String>>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) password_credentials: Option<Vec<PasswordCredential>>,
    pub(crate) key_credentials: Option<Vec<KeyCredential>>,
    pub(crate) app_roles: Option<Vec<AppRole>>,
}

/// Unverified: all null.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerifiedPublisher {
    pub(crate) display_name: Option<String>,
    pub(crate) verified_publisher_id: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PasswordCredential {
    pub(crate) key_id: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) start_date_time: Option<String>,
    pub(crate) end_date_time: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyCredential {
    pub(crate) key_id: Option<String>,
    pub(crate) display_name: Option<String>,
    /// `Verify`: proves the app. `Sign`: Entra signs SAML assertions with it.
    pub(crate) usage: Option<String>,
    pub(crate) start_date_time: Option<String>,
    pub(crate) end_date_time: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppRole {
    pub(crate) id: Option<String>,
    pub(crate) value: Option<String>,
    /// `Application`, `User`.
    pub(crate) allowed_member_types: Option<Vec<String>>,
}

/// `$select` for [`Application`].
pub(crate) const APPLICATION: &str = "id,appId,displayName,createdDateTime,signInAudience,passwordCredentials,keyCredentials,requiredResourceAccess,\
     verifiedPublisher,publisherDomain,web,spa,publicClient,isFallbackPublicClient,servicePrincipalLockConfiguration";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) app_id: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) created_date_time: Option<String>,
    pub(crate) sign_in_audience: Option<String>,
    pub(crate) password_credentials: Option<Vec<PasswordCredential>>,
    pub(crate) key_credentials: Option<Vec<KeyCredential>>,
    pub(crate) required_resource_access: Option<Vec<RequiredResourceAccess>>,
    pub(crate) verified_publisher: Option<VerifiedPublisher>,
    pub(crate) publisher_domain: Option<String>,
    pub(crate) web: Option<RedirectUris>,
    pub(crate) spa: Option<RedirectUris>,
    pub(crate) public_client: Option<RedirectUris>,
    pub(crate) is_fallback_public_client: Option<bool>,
    pub(crate) service_principal_lock_configuration: Option<LockConfiguration>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequiredResourceAccess {
    pub(crate) resource_app_id: Option<String>,
    pub(crate) resource_access: Option<Vec<ResourceAccess>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ResourceAccess {
    pub(crate) id: Option<String>,
    /// `Scope` or `Role`.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RedirectUris {
    pub(crate) redirect_uris: Option<Vec<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LockConfiguration {
    pub(crate) is_enabled: Option<bool>,
}

/// <https://learn.microsoft.com/en-us/graph/api/resources/oauth2permissiongrant>
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionGrant {
    pub(crate) id: String,
    /// Object id of the service principal that holds the grant.
    pub(crate) client_id: String,
    /// `AllPrincipals` or `Principal`.
    pub(crate) consent_type: Option<String>,
    pub(crate) principal_id: Option<String>,
    /// Object id of the resource's service principal.
    pub(crate) resource_id: Option<String>,
    /// Parted by spaces; may begin with one.
    pub(crate) scope: Option<String>,
}

impl PermissionGrant {
    pub(crate) fn is_tenant_wide(&self) -> bool {
        self.consent_type.as_deref() == Some("AllPrincipals")
    }

    /// Whether it says for whom it is: for everybody, or for a user by id. Of any other kind nobody can say how far it reaches.
    pub(crate) fn names_its_holder(&self) -> bool {
        let has_user = self.principal_id.as_deref().is_some_and(|id| !id.is_empty());
        self.is_tenant_wide() || (self.consent_type.as_deref() == Some("Principal") && has_user)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppRoleAssignment {
    pub(crate) id: String,
    pub(crate) app_role_id: Option<String>,
    pub(crate) created_date_time: Option<String>,
    pub(crate) principal_id: Option<String>,
    /// `User`, `Group`, `ServicePrincipal`.
    pub(crate) principal_type: Option<String>,
    pub(crate) resource_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FederatedCredential {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
}

/// `applications?$select=id&$expand=federatedIdentityCredentials`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrustingApplication {
    pub(crate) id: String,
    pub(crate) federated_identity_credentials: Option<Vec<Row<FederatedCredential>>>,
}

/// `roleManagement/directory/roleAssignments?$expand=principal`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleAssignment {
    pub(crate) id: String,
    pub(crate) principal_id: Option<String>,
    pub(crate) role_definition_id: Option<String>,
    /// `/` for the whole directory.
    pub(crate) directory_scope_id: Option<String>,
    pub(crate) principal: Option<DirectoryObject>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DirectoryObject {
    #[serde(rename = "@odata.type")]
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleDefinition {
    pub(crate) id: String,
    pub(crate) display_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) user_principal_name: Option<String>,
    pub(crate) account_enabled: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) display_name: Option<String>,
    pub(crate) assigned_plans: Option<Vec<AssignedPlan>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssignedPlan {
    pub(crate) capability_status: Option<String>,
    pub(crate) service_plan_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizationPolicy {
    pub(crate) allow_user_consent_for_risky_apps: Option<bool>,
    pub(crate) default_user_role_permissions: Option<DefaultUserRolePermissions>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DefaultUserRolePermissions {
    pub(crate) allowed_to_create_apps: Option<bool>,
    /// Without an entry for `ManagePermissionGrantsForSelf` users cannot consent.
    pub(crate) permission_grant_policies_assigned: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminConsentRequestPolicy {
    pub(crate) is_enabled: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PermissionGrantPolicy {
    pub(crate) id: String,
    pub(crate) includes: Option<Vec<ConditionSet>>,
    pub(crate) excludes: Option<Vec<ConditionSet>>,
}

/// <https://learn.microsoft.com/en-us/graph/api/resources/permissiongrantconditionset>
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConditionSet {
    pub(crate) permission_classification: Option<String>,
    pub(crate) permissions: Option<Vec<String>>,
    pub(crate) resource_application: Option<String>,
    pub(crate) client_application_ids: Option<Vec<String>>,
    pub(crate) client_application_tenant_ids: Option<Vec<String>>,
    pub(crate) client_application_publisher_ids: Option<Vec<String>>,
    pub(crate) client_applications_from_verified_publisher_only: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppManagementPolicy {
    pub(crate) is_enabled: Option<bool>,
    pub(crate) application_restrictions: Option<Restrictions>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Restrictions {
    pub(crate) password_credentials: Option<Vec<Restriction>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Restriction {
    pub(crate) restriction_type: Option<String>,
    /// ISO 8601 duration.
    pub(crate) max_lifetime: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenLifetimePolicy {
    pub(crate) is_organization_default: Option<bool>,
    /// JSON texts: `{"TokenLifetimePolicy":{"Version":1,"AccessTokenLifetime":"08:00:00"}}`.
    pub(crate) definition: Option<Vec<String>>,
}

/// `BETA/reports/servicePrincipalSignInActivities`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignInActivities {
    pub(crate) app_id: Option<String>,
    pub(crate) delegated_client_sign_in_activity: Option<SignInActivity>,
    pub(crate) application_authentication_client_sign_in_activity: Option<SignInActivity>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignInActivity {
    pub(crate) last_sign_in_date_time: Option<String>,
}

/// `BETA/reports/appCredentialSignInActivities`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialActivity {
    pub(crate) key_id: Option<String>,
    pub(crate) sign_in_activity: Option<SignInActivity>,
}

/// `auditLogs/directoryAudits`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DirectoryAudit {
    pub(crate) id: String,
    pub(crate) activity_display_name: Option<String>,
    pub(crate) activity_date_time: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) initiated_by: Option<Initiator>,
    pub(crate) target_resources: Option<Vec<TargetResource>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Initiator {
    pub(crate) user: Option<InitiatingUser>,
    pub(crate) app: Option<InitiatingApp>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InitiatingUser {
    pub(crate) id: Option<String>,
    pub(crate) user_principal_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InitiatingApp {
    pub(crate) display_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TargetResource {
    pub(crate) id: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) modified_properties: Option<Vec<ModifiedProperty>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModifiedProperty {
    pub(crate) display_name: Option<String>,
    /// A JSON text in a text: `"\"True\""`.
    pub(crate) new_value: Option<String>,
}
