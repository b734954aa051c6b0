//! What an administrator can do about an error of Google.

use grantwarden_kit::error::{Error, ErrorKind};

use crate::{
    access::Purpose,
    account::{Account, Actor},
};

/// Where delegations are made.
const DELEGATION: &str = "Admin console > Security > Access and data control > API controls > Manage domain-wide delegation";

/// Adds a hint to an error whose cause is known.
pub(crate) fn advise(error: Error, account: &Account, purpose: Purpose) -> Error {
    let Some(answer) = &error.answer else { return error };
    let (code, text) = (answer.code.as_deref().unwrap_or_default(), answer.text.to_lowercase());
    let scope = purpose.scope();
    let hint = match (code, text.as_str()) {
        ("unauthorized_client" | "access_denied" | "invalid_scope", _) => {
            let client = match &account.actor {
                Actor::Delegate { client_id: Some(id), .. } => format!("client ID {id}"),
                _ => "the service account's numeric client ID".to_owned(),
            };
            format!("authorise {scope} for {client} in {DELEGATION}; it can take up to 24 hours to work")
        }
        ("invalid_grant", text) if text.contains("email") || text.contains("user id") => {
            "`subject` must be the primary email address of an administrator of this account".to_owned()
        }
        ("invalid_grant", text) if text.contains("signature") => {
            "the key was deleted, disabled or has ended: make a new one in the Google Cloud console > IAM & Admin > Service accounts > Keys".to_owned()
        }
        ("invalid_grant", text) if text.contains("jwt") => {
            "the assertion was not accepted: check this machine's clock, and `audience` if it is set".to_owned()
        }
        ("invalid_grant", text) if text.contains("account not found") => {
            "the service account is gone: make a new one and authorise its client ID".to_owned()
        }
        ("disabled_client" | "deleted_client", _) => {
            "the service account is disabled or gone: look at Google Cloud console > IAM & Admin > Service accounts".to_owned()
        }
        ("admin_policy_enforced", _) => {
            format!("the account's API controls do not let the scanner use {scope}: trust it under API controls > Manage app access")
        }
        ("accessNotConfigured" | "SERVICE_DISABLED", _) => {
            let api = match purpose {
                Purpose::Policies => "Cloud Identity API",
                Purpose::Extensions => "Chrome Management API",
                _ => "Admin SDK API",
            };
            format!("enable the {api} in the Google Cloud project of the service account; it takes some minutes to work")
        }
        ("insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT", _) => {
            format!("the token lacks the scope {scope}")
        }
        (_, text) if text.contains("domain cannot use apis") => {
            "API access is off for this domain: Admin console > Security > Access and data control > API controls".to_owned()
        }
        _ if error.kind == ErrorKind::Forbidden => {
            let who = match &account.actor {
                Actor::Delegate { subject, .. } => subject.as_str(),
                Actor::ServiceAccount { email } => email.as_str(),
                Actor::Bearer => "whoever the token belongs to",
            };
            format!("give {who} the {}", privilege(purpose))
        }
        ("authError", _) if error.kind == ErrorKind::Unauthorized && account.is_itself() => {
            "Google did not take the service account's own token: assign an admin role to it, or name an administrator in `subject`".to_owned()
        }
        _ => return error,
    };
    error.with_hint(hint)
}

/// The administrator's privilege that a purpose needs, by the name in the Admin console.
const fn privilege(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Users => "admin privilege Users > Read (Admin API)",
        Purpose::Security => {
            "admin privilege User Security Management; grants of super admins are shown to super admins only"
        }
        Purpose::Audit | Purpose::Usage => "admin privilege Reports",
        Purpose::Policies => "role of a super admin: nobody else may read policies",
        Purpose::Extensions => "admin privilege Chrome management > View reports",
    }
}
