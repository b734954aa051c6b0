//! Which application permission makes which facet visible: <https://learn.microsoft.com/en-us/graph/permissions-reference>. A token that
//! names its permissions spares calls that would be refused; one that does not is simply tried.

use std::collections::BTreeSet;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    jwt,
    secret::Secret,
};
use serde::Deserialize;

/// Permissions of which one is enough. The first is the one to ask an administrator for.
type AnyOf = &'static [&'static str];

const USERS: AnyOf = &[
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "User.ReadBasic.All",
];
const APPLICATIONS: AnyOf = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const GRANTS: AnyOf =
    &["Directory.Read.All", "Directory.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"];
const ORGANIZATION: AnyOf = &[
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
];
const ROLES: AnyOf = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "RoleManagement.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const POLICIES: AnyOf = &["Policy.Read.All"];
const GRANT_POLICIES: AnyOf =
    &["Policy.Read.PermissionGrant", "Policy.ReadWrite.PermissionGrant", "Policy.Read.All"];
const AUDIT_LOG: AnyOf = &["AuditLog.Read.All"];
/// The reports of sign-ins take either.
const REPORTS: AnyOf = &["AuditLog.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"];

/// A part of Graph that takes a permission of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Organization,
    Applications,
    Grants,
    Users,
    Roles,
    Policies,
    GrantPolicies,
    AuditLog,
    Reports,
}

impl Area {
    const fn any_of(self) -> AnyOf {
        match self {
            Self::Organization => ORGANIZATION,
            Self::Applications => APPLICATIONS,
            Self::Grants => GRANTS,
            Self::Users => USERS,
            Self::Roles => ROLES,
            Self::Policies => POLICIES,
            Self::GrantPolicies => GRANT_POLICIES,
            Self::AuditLog => AUDIT_LOG,
            Self::Reports => REPORTS,
        }
    }
}

/// What an access token says about itself.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Claims {
    /// The application permissions that were granted to the scanner. Not in a token that acts for a user.
    roles: Option<BTreeSet<String>>,
    /// What it may do for a user; only in a token that acts for one.
    scp: Option<String>,
    /// `app` or `user`, if the directory tells.
    idtyp: Option<String>,
    /// The directory.
    pub(crate) tid: Option<String>,
    /// The scanner's own client id.
    pub(crate) appid: Option<String>,
    /// The scanner's own name.
    pub(crate) app_displayname: Option<String>,
}

impl Claims {
    /// Reads a token, without trusting it; nothing is known of one that is not readable.
    pub(crate) fn of(token: &Secret) -> Self {
        jwt::peek_claims(token).unwrap_or_default()
    }

    /// Whether the token acts for a user, and so sees no more than that user does.
    pub(crate) fn acts_for_a_user(&self) -> bool {
        let says_user = self.idtyp.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("user"));
        says_user || self.scp.as_deref().is_some_and(|scopes| !scopes.trim().is_empty())
    }

    /// Whether a call in this area has a chance.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] naming the permission, if the token says that it is not granted.
    pub(crate) fn allow(&self, area: Area) -> Result<()> {
        let Some(roles) = &self.roles else { return Ok(()) };
        let any_of = area.any_of();
        if any_of.iter().any(|role| roles.contains(*role)) {
            return Ok(());
        }
        let right = any_of.first().copied().unwrap_or_default();
        Err(Error::new(
            ErrorKind::Forbidden,
            format!("the scanner's app does not have the application permission {right}"),
        )
        .with_hint(
            "App registrations > the scanner's app > API permissions: add it, then Grant admin consent",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_is_named_and_an_unreadable_token_is_tried() {
        let claims = Claims {
            roles: Some(BTreeSet::from(["Application.Read.All".to_owned()])),
            ..Claims::default()
        };
        assert!(claims.allow(Area::Applications).is_ok());
        let error = claims.allow(Area::AuditLog).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.message.contains("AuditLog.Read.All"), "{error}");
        assert!(Claims::of(&Secret::new("FAKE-opaque".into())).allow(Area::AuditLog).is_ok());
    }

    #[test]
    fn a_token_that_acts_for_a_user_is_told() {
        let of = |scp: Option<&str>, idtyp: Option<&str>| Claims {
            scp: scp.map(ToOwned::to_owned),
            idtyp: idtyp.map(ToOwned::to_owned),
            ..Claims::default()
        };
        assert!(of(Some("User.Read"), None).acts_for_a_user());
        assert!(of(None, Some("user")).acts_for_a_user());
        assert!(!of(None, Some("app")).acts_for_a_user());
        assert!(!of(None, None).acts_for_a_user());
    }
}
