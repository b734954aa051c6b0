//! The audit log's own lists: the actions, by group, and the kinds of object. They are an extract of
//! what the platform publishes, complete for apps; the log may hold actions that are in no list.

use serde_json::{Value as Json, json};

/// Actions by group.
pub(super) const ACTIONS: [(&str, &[&str]); 6] = [
    (
        "workspace_or_org",
        &[
            "workspace_created",
            "workspace_deleted",
            "organization_created",
            "organization_renamed",
            "pref.app_whitelist_enabled",
            "pref.app_dir_only",
            "pref.two_factor_auth_changed",
            "pref.sso_setting_changed",
            "app_allowlist_rule_created",
            "app_allowlist_rule_updated",
        ],
    ),
    (
        "user",
        &[
            "user_created",
            "user_deactivated",
            "user_reactivated",
            "user_login",
            "user_login_failed",
            "user_logout",
            "user_session_reset_by_admin",
            "user_session_invalidated",
            "role_change_to_admin",
            "role_change_to_owner",
            "role_change_to_user",
            "owner_transferred",
        ],
    ),
    (
        "file",
        &[
            "file_downloaded",
            "file_uploaded",
            "file_shared",
            "file_public_link_created",
            "file_deleted",
        ],
    ),
    (
        "channel",
        &[
            "public_channel_created",
            "private_channel_created",
            "user_channel_join",
            "user_channel_leave",
        ],
    ),
    (
        "app",
        &[
            "app_installed",
            "app_uninstalled",
            "app_scopes_expanded",
            "app_approved",
            "app_restricted",
            "app_removed_from_whitelist",
            "app_resources_granted",
            "app_token_preserved",
            "workflow_app_token_preserved",
            "bot_token_upgraded",
            "bot_token_downgraded",
            "org_app_workspace_added",
            "org_app_workspace_removed",
            "org_app_installed",
            "org_app_uninstalled",
            "org_app_future_workspace_install_enabled",
            "org_app_future_workspace_install_disabled",
            "org_app_upgraded_to_org_install",
            "app_allowlist_rule_matched",
            "app_collaborator_added",
            "app_collaborator_removed",
            "app_deleted",
            "app_manifest_created",
            "app_manifest_updated",
            "app_deployed",
            "child_app_auto_installed",
            "app_mcp_server_added",
            "app_mcp_server_updated",
            "app_mcp_server_removed",
            "app_mcp_server_acl_changed",
        ],
    ),
    (
        "workflow_v2",
        &[
            "external_auth_oauth2_token_fetched",
            "external_auth_oauth2_token_refreshed",
            "external_auth_oauth2_token_deleted",
        ],
    ),
];

/// The answer of `/audit/v1/actions`.
pub(super) fn actions() -> Json {
    let mut groups = json!({});
    for (group, names) in ACTIONS {
        groups[group] = json!(names);
    }
    json!({ "actions": groups })
}

/// The answer of `/audit/v1/schemas`.
pub(super) fn schemas() -> Json {
    let place = json!({ "id": "string", "name": "string", "domain": "string" });
    json!({ "schemas": [
        { "type": "workspace", "workspace": place },
        { "type": "enterprise", "enterprise": place },
        { "type": "user", "user": {
            "id": "string", "name": "string", "email": "string", "team": "string",
        } },
        { "type": "app", "app": {
            "id": "string", "name": "string", "is_distributed": "bool",
            "is_directory_approved": "bool", "is_workflow_app": "bool", "scopes": "array",
        } },
    ] })
}

/// Whether the platform has an action of this name.
pub(super) fn knows(action: &str) -> bool {
    ACTIONS.iter().any(|(_, names)| names.contains(&action))
}
