//! Wire types, in Salesforce's own words. Every field may be missing: columns differ by API version, edition and right.

use serde::Deserialize;

/// One page of a query: <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm>
#[derive(Debug, Deserialize)]
pub(crate) struct QueryPage<T> {
    #[serde(rename = "totalSize")]
    pub(crate) total_size: u64,
    /// Whether this is the last page.
    pub(crate) done: Option<bool>,
    #[serde(rename = "nextRecordsUrl")]
    pub(crate) next_records_url: Option<String>,
    pub(crate) records: Vec<T>,
}

/// A related object of which only the name is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named {
    pub(crate) name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) is_sandbox: Option<bool>,
}

/// A row of `OauthToken`. The token values themselves are never selected here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OauthToken {
    /// Null in some orgs.
    pub(crate) id: Option<String>,
    pub(crate) app_name: Option<String>,
    /// Null: the app is not installed.
    pub(crate) app_menu_item: Option<AppMenuItemRef>,
    pub(crate) user_id: Option<String>,
    /// Null: the user is gone.
    pub(crate) user: Option<User>,
    pub(crate) created_date: Option<String>,
    pub(crate) last_used_date: Option<String>,
    pub(crate) use_count: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AppMenuItemRef {
    pub(crate) application_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct User {
    pub(crate) id: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) is_active: Option<bool>,
    pub(crate) user_type: Option<String>,
    pub(crate) last_login_date: Option<String>,
    pub(crate) profile_id: Option<String>,
    pub(crate) profile: Option<Named>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConnectedApplication {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_date: Option<String>,
    pub(crate) last_modified_date: Option<String>,
    pub(crate) options_allow_admin_approved_users_only: Option<bool>,
    pub(crate) start_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AppMenuItem {
    pub(crate) application_id: Option<String>,
    pub(crate) namespace_prefix: Option<String>,
    pub(crate) info_url: Option<String>,
    pub(crate) start_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InstalledSubscriberPackage {
    pub(crate) subscriber_package: Option<SubscriberPackage>,
    pub(crate) subscriber_package_version: Option<SubscriberPackageVersion>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SubscriberPackage {
    pub(crate) name: Option<String>,
    pub(crate) namespace_prefix: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SubscriberPackageVersion {
    pub(crate) publisher_name: Option<String>,
    pub(crate) app_exchange_publisher_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SetupEntityAccess {
    pub(crate) parent: Option<AccessParent>,
    pub(crate) setup_entity_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AccessParent {
    pub(crate) name: Option<String>,
    /// Set when the permission set stands for a profile.
    pub(crate) profile: Option<Named>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExternalClientApplication {
    pub(crate) id: String,
    pub(crate) developer_name: Option<String>,
    pub(crate) master_label: Option<String>,
    pub(crate) namespace_prefix: Option<String>,
    pub(crate) created_date: Option<String>,
    pub(crate) last_modified_date: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EcaOauthPolicy {
    pub(crate) external_client_application_id: String,
    pub(crate) permitted_users_policy_type: Option<String>,
    pub(crate) ip_relaxation_policy_type: Option<String>,
    pub(crate) refresh_token_policy_type: Option<String>,
    pub(crate) refresh_token_validity_period: Option<u32>,
    pub(crate) refresh_token_validity_unit: Option<String>,
    pub(crate) is_client_credentials_flow_enabled: Option<bool>,
    pub(crate) client_credentials_flow_user: Option<String>,
    pub(crate) is_token_exchange_flow_enabled: Option<bool>,
    pub(crate) policy_action: Option<String>,
    pub(crate) session_timeout_in_minutes: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EcaPolicy {
    pub(crate) external_client_application_id: String,
    pub(crate) is_enabled: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConnectedAppSettings {
    pub(crate) is_admin_approved_apps_only_enabled: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserLogin {
    pub(crate) user_id: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LoginCount {
    pub(crate) user_id: Option<String>,
    pub(crate) application: Option<String>,
    #[serde(rename = "n")]
    pub(crate) count: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EventLogFile {
    pub(crate) log_date: Option<String>,
    /// `Daily` or `Hourly`.
    pub(crate) interval: Option<String>,
    /// A path relative to the org's address.
    pub(crate) log_file: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SetupAuditTrail {
    pub(crate) id: String,
    pub(crate) action: Option<String>,
    pub(crate) display: Option<String>,
    pub(crate) created_date: Option<String>,
    pub(crate) created_by: Option<Creator>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Creator {
    pub(crate) username: Option<String>,
}

/// One version in `/services/data/`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ApiVersion {
    pub(crate) version: String,
}
