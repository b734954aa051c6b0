//! Wire types, in Slack's words. What can be missing is an option; what is not known is ignored; no token value is ever read.

use serde::Deserialize;
use serde_json::Value;

use crate::lenient::{Number, Okay, Row, Text, lenient};

/// `auth.test`: <https://docs.slack.dev/reference/methods/auth.test>
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AuthTest {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) team: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) user: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) team_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) user_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) bot_id: Option<String>,
    /// The app whose token it is.
    #[cfg(feature = "revoke")]
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) app_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) enterprise_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_enterprise_install: Option<bool>,
    /// Seconds until the token ends, of an app with token rotation.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) expires_in: Option<Number>,
}

/// An answer of which only the success counts.
#[cfg(feature = "revoke")]
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Done {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
}

/// A page of `admin.teams.list` or `auth.teams.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TeamsPage {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    pub(crate) teams: Vec<Row<Team>>,
}

/// A workspace.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Team {
    pub(crate) id: Text,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<String>,
}

/// A page of `admin.users.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AdminUsersPage {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    pub(crate) users: Vec<Row<AdminUser>>,
}

/// A user as the organisation's administrators see one.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AdminUser {
    pub(crate) id: Text,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) username: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_admin: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_owner: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_primary_owner: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_bot: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_active: Option<bool>,
}

/// A page of `users.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct UsersPage {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    pub(crate) members: Vec<Row<Member>>,
}

/// A member of a workspace.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: Text,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) deleted: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_admin: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_owner: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_primary_owner: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_bot: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) profile: Option<Profile>,
}

/// The part of a member's profile that is read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Profile {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) email: Option<String>,
}

/// `admin.apps.approved.list` and `admin.apps.restricted.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DecisionsPage {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    #[serde(alias = "approved_apps", alias = "restricted_apps")]
    pub(crate) apps: Vec<Row<Decision>>,
}

/// What was decided about an app.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Decision {
    pub(crate) app: AppObject,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) scopes: Option<Vec<ScopeObject>>,
    /// Unix seconds.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) date_updated: Option<Number>,
}

/// An app as the admin listings describe it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AppObject {
    pub(crate) id: Text,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) help_url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) privacy_policy_url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) app_homepage_url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) app_directory_url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_app_directory_approved: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_internal: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) developer_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) socket_mode_enabled: Option<bool>,
}

/// A scope as the admin listings describe it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ScopeObject {
    pub(crate) name: String,
    /// Slack's own mark of risk.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_sensitive: Option<bool>,
    /// `bot` or `user`.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) token_type: Option<String>,
}

/// A page of `admin.apps.requests.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RequestsPage {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    pub(crate) app_requests: Vec<Row<AppRequest>>,
}

/// A member's wish to install an app.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AppRequest {
    pub(crate) id: Text,
    pub(crate) app: AppObject,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) user: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) team: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) scopes: Option<Vec<ScopeObject>>,
    /// Unix seconds.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) date_created: Option<Number>,
}

/// A user or a place by id, with what else tells it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Named {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) id: Option<Text>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) email: Option<String>,
    /// Of a place: `workspace` or `enterprise`.
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub(crate) kind: Option<String>,
}

/// A page of `admin.apps.activities.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ActivitiesPage {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    pub(crate) activities: Vec<Row<Activity>>,
}

/// Something that a workflow app did.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Activity {
    pub(crate) app_id: Text,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) event_type: Option<String>,
    /// Unix microseconds.
    pub(crate) created: Number,
}

/// `admin.apps.config.lookup`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Configs {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    pub(crate) configs: Vec<Row<Config>>,
}

/// What an organisation set up for an app.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Config {
    pub(crate) app_id: Text,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) workflow_auth_strategy: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) domain_restrictions: Option<DomainRestrictions>,
}

/// The domains that an app may write to or call.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DomainRestrictions {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) emails: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) urls: Option<Vec<String>>,
}

/// A page of `admin.apps.mcp.servers.list`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ServersPage {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    pub(crate) servers: Vec<Row<McpServer>>,
}

/// A server for language models on the organisation's list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct McpServer {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) server_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) auth_type: Option<String>,
    pub(crate) app_id: Text,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) app_name: Option<String>,
}

/// A page of `team.integrationLogs`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct IntegrationLogsPage {
    #[expect(dead_code, reason = "that it is there is what counts")]
    ok: Okay,
    pub(crate) logs: Vec<Value>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) paging: Option<PageNumbers>,
}

/// How far a listing by page numbers is.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct PageNumbers {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) total: Option<Number>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) pages: Option<Number>,
}

/// A row of `team.integrationLogs`: of an app, or of a legacy service.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct IntegrationLog {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) app_id: Option<Text>,
    /// The app's name.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) app_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) service_id: Option<Text>,
    /// The service's name.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) service_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) user_id: Option<Text>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) user_name: Option<String>,
    /// Unix seconds.
    pub(crate) date: Number,
    pub(crate) change_type: String,
    /// Scopes, separated by commas; missing or empty for services.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) scope: Option<String>,
    /// Why it was disabled.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) reason: Option<String>,
    /// What an administrator decided.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) resolution: Option<Value>,
    /// Whether it is about a feed.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) rss_feed: Option<Value>,
}

/// A page of the audit log. It has no `ok`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AuditPage {
    pub(crate) entries: Vec<Row<Entry>>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Entry {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) id: Option<Text>,
    /// Unix seconds.
    pub(crate) date_create: Number,
    pub(crate) action: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) actor: Option<Actor>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) entity: Option<Entity>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) context: Option<Context>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) details: Option<Details>,
}

/// Who did it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Actor {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) user: Option<Named>,
}

/// What it was done to.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Entity {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) app: Option<AuditApp>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) workspace: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) enterprise: Option<Named>,
}

/// An app as the audit log describes it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AuditApp {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) id: Option<Text>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_distributed: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_directory_approved: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_workflow_app: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) scopes_bot: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) bot_scopes: Option<Vec<String>>,
}

/// Where and how it was done.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Context {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) location: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) ua: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) ip_address: Option<String>,
    /// The app whose token was used.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) app: Option<AuditApp>,
}

/// What else the log has of an entry.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Details {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) new_scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) previous_scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_internal_integration: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_token_rotation_enabled_app: Option<bool>,
    /// What a setting was changed to.
    #[serde(default)]
    pub(crate) new_value: Option<Value>,
}

/// `/audit/v1/actions`: names by group.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Actions {
    pub(crate) actions: std::collections::BTreeMap<String, Vec<String>>,
}
