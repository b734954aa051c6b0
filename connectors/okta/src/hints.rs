//! What an administrator can do about an error of Okta's.

use grantwarden_kit::error::{Error, ErrorKind};

use crate::{
    access::Who,
    classify::{INSUFFICIENT_SCOPE, NOT_ALLOWED},
};

/// Where scopes are granted to a service app.
const SCOPES_TAB: &str = "Admin Console > Applications > the scanner's app > Okta API Scopes";
/// Where a service app gets its administrator role.
const ROLES_TAB: &str = "Admin Console > Applications > the scanner's app > Admin roles";

/// Where people get their administrator roles.
const ADMINISTRATORS: &str = "Admin Console > Security > Administrators";

/// Adds a hint to an error whose cause is known.
pub(crate) fn advise(error: Error, who: &Who) -> Error {
    let Some(answer) = &error.answer else { return error };
    let hint = match (answer.code.as_deref().unwrap_or_default(), answer.status) {
        ("invalid_scope", _) => format!("none of the scopes that were asked for is granted: {SCOPES_TAB} > Grant"),
        ("invalid_client", _) => {
            "check client_id; that the app's public key belongs to `private_key` and `key_id` (Applications > the app > General > Client Credentials > Public key / Private key), \
             that the app is active, and that base_url is the org's own address: the assertion is made out to its token endpoint"
                .to_owned()
        }
        ("unauthorized_client", _) => {
            "the app must be an API Services app with the grant type Client Credentials and the client authentication Public key / Private key".to_owned()
        }
        ("invalid_dpop_proof" | "use_dpop_nonce", _) => {
            "the proof of possession was not accepted: check this machine's clock, or untick Require Demonstrating Proof of Possession (DPoP) header in token requests \
             on the app's General tab"
                .to_owned()
        }
        ("access_denied", _) => {
            "a policy or network zone of the app keeps the scanner out: Applications > the scanner's app > General > Network".to_owned()
        }
        (INSUFFICIENT_SCOPE, _) => missing_scope(&answer.text),
        (NOT_ALLOWED, _) => match who {
            Who::ServiceApp { .. } => format!(
                "the service app has no administrator role that covers this, or its token lacks the scope: {ROLES_TAB} > Edit assignments; API tokens, app grants and administrators can take a role above Read-Only Administrator"
            ),
            Who::ApiToken => {
                format!("the administrator who made the API token has no role that covers this: {ADMINISTRATORS}")
            }
            Who::Bearer => {
                "whoever the access token stands for has no administrator role that covers this, or the token lacks the scope".to_owned()
            }
        },
        ("E0000011" | "E0000005" | "E0000004", 401) => match who {
            Who::ApiToken => {
                "the API token has ended (30 days without use), was revoked, is bound to a network zone, or its user was deactivated: Admin Console > Security > API > Tokens".to_owned()
            }
            Who::Bearer => {
                "the access token has ended (it lives for an hour), was revoked, or is another org's: make a new one".to_owned()
            }
            Who::ServiceApp { .. } => {
                "the token is refused: check that base_url is the org that issued it, and that the app was not deactivated meanwhile; one made by hand ends after an hour".to_owned()
            }
        },
        ("E0000015" | "E0000038", _) => "the org does not have this feature: custom authorization servers take API Access Management, cross-app access is Early Access".to_owned(),
        _ if error.kind == ErrorKind::Forbidden => {
            format!("grant the scope under {SCOPES_TAB}, and a role that covers it under {ROLES_TAB}")
        }
        _ => return error,
    };
    error.with_hint(hint)
}

/// What to do about a scope that is not granted.
pub(crate) fn missing_scope(scope: &str) -> String {
    format!(
        "grant {scope} to the scanner's app: {SCOPES_TAB} > Grant; it takes a super administrator"
    )
}

/// What to do about a list that leaves out what must be in it.
pub(crate) fn no_role(what: &str, who: &Who) -> String {
    format!("give {} an administrator role that covers {what}: {}", whom(who), roles_of(who))
}

/// What to do about a System Log that shows nothing.
pub(crate) fn no_log(who: &Who) -> String {
    format!(
        "Report Administrator and Read-Only Administrator show the System Log ({}); events come some minutes late, so scan again before changing anything",
        roles_of(who)
    )
}

fn whom(who: &Who) -> &'static str {
    match who {
        Who::ServiceApp { .. } => "the scanner's app",
        Who::ApiToken => "the administrator who made the API token",
        Who::Bearer => "whoever the access token stands for",
    }
}

fn roles_of(who: &Who) -> String {
    match who {
        Who::ServiceApp { .. } => format!("{ROLES_TAB} > Edit assignments"),
        Who::ApiToken | Who::Bearer => ADMINISTRATORS.to_owned(),
    }
}

/// What to do where nothing proves that an empty list is one.
pub(crate) fn shows_roles(who: &Who) -> String {
    format!(
        "with the scope okta.roles.read and a custom role with the permission \"View roles, resources, and admin assignments\" the scanner can show which role it has ({}); or name the facet in `skip`",
        roles_of(who)
    )
}
