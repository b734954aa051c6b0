//! What an administrator can do about an error of Salesforce.

use grantwarden_kit::error::{Error, ErrorKind};

/// Adds a hint to an error whose cause is known.
pub(crate) fn advise(error: Error) -> Error {
    let Some(answer) = &error.answer else { return error };
    let (code, text) = (answer.code.as_deref().unwrap_or_default(), answer.text.to_lowercase());
    let hint = match (code, text.as_str()) {
        ("invalid_grant", text) if text.contains("approved this consumer") => {
            "pre-authorize the user: in the app's policies set Permitted Users to \"Admin approved users are pre-authorized\" and add \
             a permission set that the user has"
        }
        ("invalid_grant", text) if text.contains("audience") => {
            "set `audience` to https://login.salesforce.com for a production org, https://test.salesforce.com for a sandbox"
        }
        ("invalid_grant", text) if text.contains("not supported on this domain") => {
            "client_credentials works on the My Domain address only: base_url must be https://NAME.my.salesforce.com"
        }
        ("invalid_grant", text) if text.contains("expired") => {
            "the assertion had ended when it arrived: check this machine's clock"
        }
        ("invalid_grant", text) if text.contains("assertion") => {
            "the certificate at the app does not belong to the private key, or it has ended: upload the certificate again; check this machine's clock too"
        }
        ("invalid_grant", text) if text.contains("inactive") => {
            "the user in `username` is inactive or frozen"
        }
        ("invalid_grant", text) if text.contains("client credentials user") => {
            "name an execution user (Run As) in the app's policies under Client Credentials Flow"
        }
        ("invalid_app_access", _) => "assign the app to a profile or permission set of the user",
        ("invalid_client", text) if text.contains("installed") => {
            "the app is not installed in this org"
        }
        ("invalid_client" | "invalid_client_id", _) => {
            "check client_id and the secret; a new or changed app takes 2 to 10 minutes to work"
        }
        ("OAUTH_APP_BLOCKED", _) => {
            "the scanner's own app is blocked in this org: Setup > Connected Apps OAuth Usage > Unblock"
        }
        ("API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED", _) => {
            "the org's edition has no API, or the user lacks API Enabled"
        }
        ("INVALID_SESSION_ID", _) => {
            "the session ends at once: look at the session settings of the app and the user's profile, and at the user's login IP ranges"
        }
        ("REQUEST_LIMIT_EXCEEDED", _) if error.kind == ErrorKind::Quota => {
            "the org's API calls of the last 24 hours are used up; run the scan later"
        }
        _ => return error,
    };
    error.with_hint(hint)
}
