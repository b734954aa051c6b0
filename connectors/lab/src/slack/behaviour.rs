//! The switches of a Slack tenant: latency, caps, quotas, and what the documents leave open. Each
//! stands for something that a client must be able to live with; none changes what the tenant holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Switches: latency, caps, quotas, and what the documents leave open.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackBehaviour {
    /// Milliseconds that every call takes.
    pub latency_ms: u64,
    /// The published tiers are enforced.
    pub quota: bool,
    /// How much faster time passes than on the platform: 60 makes a minute last a second.
    pub time_scale: f64,
    /// Calls a minute that other apps make to the audit logs, whose 50 all apps share.
    pub siem_calls_per_minute: u32,
    /// Seconds after which a cursor ends.
    pub cursor_seconds: u64,
    /// A cursor works once only.
    pub cursor_once: bool,
    /// The first page of every cursor listing is empty, with a cursor.
    pub empty_first_page: bool,
    /// At the end of a listing `response_metadata` is absent; otherwise the cursor is an empty text.
    pub end_without_metadata: bool,
    /// Most decisions, requests and servers on a page.
    pub apps_page: usize,
    /// Most workspaces on a page.
    pub teams_page: usize,
    /// Most users on a page of `users.list`.
    pub users_page: usize,
    /// Most users on a page of `admin.users.list`.
    pub admin_users_page: usize,
    /// Most events on a page of the audit logs.
    pub audit_page: usize,
    /// Most rows on a page of `team.integrationLogs`; more are cut to it without a word.
    pub logs_page: usize,
    /// `users.list` without `limit` answers `limit_required` above so many users.
    pub limit_required_above: usize,
    /// Error that a method answers always, by the method's name (`audit.logs` for the audit log);
    /// `*` is every method. The status is 200.
    pub errors: BTreeMap<String, String>,
    /// The admin and audit APIs are there; otherwise `feature_not_enabled`.
    pub admin_api: bool,
    /// The scanner and the revoker are installed on the organisation; otherwise
    /// `app_management_app_not_installed_on_org`.
    pub org_installed: bool,
    /// The first `admin.apps.approved.list` takes the approval of apps over, as the first decision
    /// does. The documents do not say that it does.
    pub reading_takes_over_approval: bool,
    /// Seconds (of the platform) after which events of calls show in the audit log.
    pub audit_lag_seconds: u64,
    /// Days that the audit log reaches back; to March 2018 if left out.
    pub audit_retention_days: Option<i64>,
    /// Days that the integration log reaches back; for ever if left out.
    pub log_retention_days: Option<i64>,
    /// What the audit log answers to an Admin who is no Owner. The documents name no code.
    pub audit_refusal: String,
    /// What `admin.apps.uninstall` answers for an app that is not installed there: an error, or `ok`.
    pub uninstall_absent: String,
    /// `admin.apps.uninstall` answers that all is well, and nothing happens.
    pub uninstall_ignored: bool,
    /// `service_id` is a number.
    pub service_ids_as_numbers: bool,
    /// The integration log gives the oldest row first. The documents name no order.
    pub logs_oldest_first: bool,
    /// A change of scopes is `expanded` in the integration log; otherwise `updated`.
    pub expanded_rows: bool,
    /// An integration without scopes has no `scope`; otherwise an empty text.
    pub scope_absent_when_empty: bool,
    /// Installs on the whole organisation are in every workspace's integration log. The documents do
    /// not say.
    pub org_installs_in_workspace_logs: bool,
    /// `app_scopes_expanded` names the app as its entity, as other app events do.
    pub expanded_names_app: bool,
    /// `auth.test` gives the first workspace as `team_id` for a token of the organisation; otherwise
    /// the organisation itself. The documents show neither.
    pub org_token_has_workspace: bool,
    /// Seconds that `auth.test` gives as `expires_in`, as for an app with token rotation.
    pub expires_in: Option<u64>,
}

impl Default for SlackBehaviour {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            quota: true,
            time_scale: 1.0,
            siem_calls_per_minute: 0,
            cursor_seconds: 3_600,
            cursor_once: false,
            empty_first_page: false,
            end_without_metadata: false,
            apps_page: 1_000,
            teams_page: 1_000,
            users_page: 1_000,
            admin_users_page: 100,
            audit_page: 9_999,
            logs_page: 1_000,
            limit_required_above: 5_000,
            errors: BTreeMap::new(),
            admin_api: true,
            org_installed: true,
            reading_takes_over_approval: false,
            audit_lag_seconds: 0,
            audit_retention_days: None,
            log_retention_days: None,
            audit_refusal: "not_allowed".to_owned(),
            uninstall_absent: "app_not_found".to_owned(),
            uninstall_ignored: false,
            service_ids_as_numbers: false,
            logs_oldest_first: false,
            expanded_rows: false,
            scope_absent_when_empty: false,
            org_installs_in_workspace_logs: false,
            expanded_names_app: false,
            org_token_has_workspace: false,
            expires_in: None,
        }
    }
}
