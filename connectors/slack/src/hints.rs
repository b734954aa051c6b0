//! What an administrator can do about an error of Slack.

use grantwarden_kit::error::{Error, ErrorKind};

use crate::rights::Right;

/// Adds a hint to an error whose cause is known.
pub(crate) fn advise(error: Error, right: Option<Right>) -> Error {
    let hint = match error.code().unwrap_or_default() {
        "missing_scope" => match right {
            Some(right) => right.hint(),
            None => "the token's scopes do not reach so far".to_owned(),
        },
        // The scope is there: whoever gave the token may not do it.
        "not_an_admin" | "no_permission" | "not_allowed" | "permission_denied" => {
            let who = right.map_or("an Admin or Owner", Right::installer);
            format!(
                "the token's user may not do this (any more), whatever scopes the token has: have the app of this token installed again by {who}"
            )
        }
        "restricted_action" => {
            "a policy of the organisation keeps the token's user from it".to_owned()
        }
        "not_allowed_token_type" => {
            "use a user token (xoxp-…): OAuth & Permissions > User OAuth Token. A bot token (xoxb-…) works for none of this".to_owned()
        }
        "app_management_app_not_installed_on_org" => {
            "an Owner must install the scanner's app on the whole organisation, not on a workspace: the corner of the install page names which".to_owned()
        }
        "feature_not_enabled" => {
            "the admin API exists in the Enterprise plan only".to_owned()
        }
        "invalid_auth" | "not_authed" => {
            "the token is not one of this organisation or workspace, was copied wrong, or its app lets only other addresses in (OAuth & Permissions > Restrict API Token Usage)".to_owned()
        }
        "token_revoked" | "account_inactive" => {
            "the token was revoked, its app was removed, or its user was deactivated: install the scanner's app again".to_owned()
        }
        "token_expired" => {
            "the scanner's app has token rotation switched on, and the token has ended: use an app without rotation".to_owned()
        }
        "team_added_to_org" => {
            "the workspace is just being moved into an organisation: scan again later, and use a token of the organisation".to_owned()
        }
        "org_login_required" => {
            "the workspace belongs to an organisation: use a token that is installed on the organisation".to_owned()
        }
        "enterprise_is_restricted" => {
            "this method cannot be called for an organisation: use a token of the workspace".to_owned()
        }
        "ekm_access_denied" => {
            "administrators have suspended access (Enterprise Key Management)".to_owned()
        }
        "access_denied" | "accesslimited" => {
            "the organisation's policy does not let this token in from here: ask whoever manages its session and network settings".to_owned()
        }
        "two_factor_setup_required" => {
            "the token's user must set up a second factor first".to_owned()
        }
        "not_an_enterprise" => "the token does not belong to an Enterprise organisation".to_owned(),
        "" if error.kind == ErrorKind::Forbidden => {
            "the refusal is not in Slack's words: look at what stands between the scanner and Slack, such as a proxy".to_owned()
        }
        _ => return error,
    };
    error.with_hint(hint)
}
