//! As whom the scanner asks, and which scopes it has: the first of Okta's two gates. The second, an administrator role, no token tells.

use std::collections::BTreeSet;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    jwt,
    secret::Secret,
};
use serde::Deserialize;

use crate::{hints, sign_in::Form};

/// What a scan asks for; each facet of `connector.toml` names its own.
pub(crate) const READING: [&str; 11] = [
    "okta.apps.read",
    "okta.appGrants.read",
    "okta.apiTokens.read",
    "okta.oauthIntegrations.read",
    "okta.users.read",
    "okta.roles.read",
    "okta.clients.read",
    "okta.authorizationServers.read",
    "okta.networkZones.read",
    "okta.logs.read",
    "okta.orgs.read",
];

/// What a revocation asks for: to read is to plan and to verify.
#[cfg(feature = "revoke")]
pub(crate) const REVOKING: [&str; 9] = [
    "okta.apps.manage",
    "okta.appGrants.manage",
    "okta.apiTokens.manage",
    "okta.oauthIntegrations.manage",
    "okta.apps.read",
    "okta.appGrants.read",
    "okta.apiTokens.read",
    "okta.oauthIntegrations.read",
    "okta.users.read",
];

/// As whom the scanner asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// A service app that signs in with its key.
    ServiceApp {
        /// Its client id.
        client_id: String,
    },
    /// An API token (SSWS), which has the rights of the administrator who made it.
    ApiToken,
    /// An access token that somebody made by hand.
    Bearer,
}

/// Who asks, with which scopes.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) who: Who,
    /// `None`: nobody told, so every call is tried.
    scopes: Option<BTreeSet<String>>,
    /// Scopes that were asked for and not given.
    pub(crate) missing: Vec<String>,
}

/// What an access token of the org says about itself. Okta asks to treat it as opaque: this spares calls and decides nothing else.
#[derive(Deserialize)]
struct Claims {
    scp: Option<BTreeSet<String>>,
    cid: Option<String>,
}

impl Access {
    /// Of a service app, with what the reply to its request for a token says.
    pub(crate) fn of_service_app(client_id: &str, granted: Option<&str>, asked: &[String]) -> Self {
        let given: BTreeSet<String> = match granted {
            Some(text) => text.split_whitespace().map(ToOwned::to_owned).collect(),
            None => return Self::untold(Who::ServiceApp { client_id: client_id.to_owned() }),
        };
        let missing = asked.iter().filter(|scope| !given.contains(*scope)).cloned().collect();
        let who = Who::ServiceApp { client_id: client_id.to_owned() };
        Self { who, scopes: Some(given), missing }
    }

    /// Of a token that somebody made by hand.
    pub(crate) fn of_token(token: &Secret) -> Self {
        if Form::of(token) == Form::Ssws {
            return Self::untold(Who::ApiToken);
        }
        let claims: Option<Claims> = jwt::peek_claims(token);
        let Some(Claims { scp, cid }) = claims else { return Self::untold(Who::Bearer) };
        let who = cid.map_or(Who::Bearer, |client_id| Who::ServiceApp { client_id });
        Self { who, scopes: scp, missing: Vec::new() }
    }

    const fn untold(who: Who) -> Self {
        Self { who, scopes: None, missing: Vec::new() }
    }

    /// Whether a call has a chance. The scope to change something is taken to be enough to read it.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] naming the scope, if it was not granted.
    pub(crate) fn need(&self, scope: &str) -> Result<()> {
        let Some(scopes) = &self.scopes else { return Ok(()) };
        let manage = scope.strip_suffix(".read").map(|family| format!("{family}.manage"));
        if scopes.contains(scope) || manage.is_some_and(|manage| scopes.contains(&manage)) {
            return Ok(());
        }
        let message = format!("the scanner's app does not have the scope {scope}");
        Err(Error::new(ErrorKind::Forbidden, message).with_hint(hints::missing_scope(scope)))
    }

    /// The client id of the scanner's own app, if it is one.
    pub(crate) fn client_id(&self) -> Option<&str> {
        match &self.who {
            Who::ServiceApp { client_id } => Some(client_id),
            Who::ApiToken | Who::Bearer => None,
        }
    }

    /// For a person.
    pub(crate) fn identity(&self) -> String {
        match &self.who {
            Who::ServiceApp { client_id } => format!("service app {client_id}"),
            Who::ApiToken => "whoever made the configured API token".to_owned(),
            Who::Bearer => "whoever the configured access token belongs to".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_scope_is_named_and_what_nobody_told_is_tried() {
        let asked = ["okta.apps.read", "okta.logs.read"].map(ToOwned::to_owned);
        let access =
            Access::of_service_app("0oa1", Some("okta.logs.manage okta.users.read"), &asked);
        assert!(access.need("okta.logs.read").is_ok());
        let error = access.need("okta.apps.read").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.hint.unwrap().contains("grant okta.apps.read"));
        assert_eq!(access.missing, ["okta.apps.read", "okta.logs.read"]);
        let token = Secret::new(format!("00FAKE{}", "x".repeat(36)));
        let access = Access::of_token(&token);
        assert_eq!(access.who, Who::ApiToken);
        assert!(access.need("okta.apps.read").is_ok());
    }
}
