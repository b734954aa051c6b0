//! Which scope a call needs and who must have installed the app, so that a scope that is missing is told before a call is wasted.

use grantwarden_kit::error::{Error, ErrorKind, Result};

/// A scope that the connector uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// The audit log.
    AuditLogs,
    /// Workspaces of an organisation.
    Teams,
    /// Users of an organisation.
    AdminUsers,
    /// Members of a workspace.
    Users,
    /// Integration logs.
    Admin,
    /// Runs of workflow apps.
    Activities,
    /// Decisions about apps.
    Apps,
    /// Changing decisions, removing apps.
    #[cfg(feature = "revoke")]
    AppsWrite,
}

impl Right {
    /// The scope by the name that OAuth & Permissions shows.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::AuditLogs => "auditlogs:read",
            Self::Teams => "admin.teams:read",
            Self::AdminUsers => "admin.users:read",
            Self::Users => "users:read",
            Self::Admin => "admin",
            Self::Activities => "admin.app_activities:read",
            Self::Apps => "admin.apps:read",
            #[cfg(feature = "revoke")]
            Self::AppsWrite => "admin.apps:write",
        }
    }

    /// Who must have installed the app, and where.
    pub(crate) const fn installer(self) -> &'static str {
        match self {
            Self::AuditLogs => "an Owner of the organisation, on the whole organisation",
            Self::Users | Self::Admin => "an Admin or Owner of the workspace",
            _ => "an Admin or Owner of the organisation, on the whole organisation",
        }
    }

    /// What the administrator has to do.
    pub(crate) fn hint(self) -> String {
        format!(
            "add {} to the User Token Scopes of the scanner's app, and have it installed again by {}",
            self.scope(),
            self.installer()
        )
    }
}

/// The scopes that a token holds, as the sign-in tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held(Option<Vec<String>>);

impl Held {
    /// From the header `X-OAuth-Scopes`; without it, or if it is empty, nobody knows, and each call has to tell.
    pub(crate) fn of_header(header: Option<&str>) -> Self {
        let scopes = |list: &str| {
            let scopes = list.split(',').map(str::trim).filter(|scope| !scope.is_empty());
            scopes.map(ToOwned::to_owned).collect()
        };
        Self(header.map(scopes).filter(|scopes: &Vec<String>| !scopes.is_empty()))
    }

    /// Whether the token is known to hold a scope.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.0.as_ref().is_some_and(|held| held.iter().any(|own| own == scope))
    }

    /// Whether an umbrella of classic apps stands for a scope (<https://docs.slack.dev/legacy/legacy-authentication/legacy-oauth-scopes>).
    fn has_umbrella(&self, right: Right) -> bool {
        right == Right::Users && (self.has("read") || self.has("client"))
    }

    /// Refuses a call that is known to be refused.
    pub(crate) fn check(&self, right: Right) -> Result<()> {
        match &self.0 {
            Some(_) if !self.has(right.scope()) && !self.has_umbrella(right) => Err(Error::new(
                ErrorKind::Forbidden,
                format!("the token lacks the scope {}", right.scope()),
            )
            .with_hint(right.hint())),
            _ => Ok(()),
        }
    }

    /// The scopes, for a person.
    pub(crate) fn describe(&self) -> String {
        self.0.as_ref().map_or_else(|| "not told".to_owned(), |held| held.join(", "))
    }

    /// Scopes that change things and that a scanner does not need.
    pub(crate) fn writes(&self) -> Vec<&str> {
        let held = self.0.iter().flatten().map(String::as_str);
        held.filter(|scope| scope.ends_with(":write") || *scope == "admin").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_scope_is_known_before_the_call() {
        let held = Held::of_header(Some("auditlogs:read, admin.teams:read"));
        assert!(held.check(Right::AuditLogs).is_ok());
        let refused = held.check(Right::Apps).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Forbidden);
        assert!(refused.message.contains("admin.apps:read"));
        assert!(refused.hint.unwrap().contains("on the whole organisation"));
        // Whoever is not told must ask.
        assert!(Held::of_header(None).check(Right::Apps).is_ok());
        assert!(Held::of_header(Some("")).check(Right::Apps).is_ok());
        let classic = Held::of_header(Some("identify,read,post,client,apps"));
        assert!(classic.check(Right::Users).is_ok() && classic.check(Right::Admin).is_err());
    }
}
