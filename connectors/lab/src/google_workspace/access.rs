//! Who may call what: the OAuth scopes, admin privileges and APIs that the lab knows, and which of
//! them each operation needs. It holds no state.

use serde::{Deserialize, Serialize};

/// The prefix of every scope that the lab knows.
pub(crate) const SCOPE_PREFIX: &str = "https://www.googleapis.com/auth/";

/// Every scope of the served endpoints, without the prefix.
pub(crate) const SCOPES: [&str; 16] = [
    "admin.directory.user",
    "admin.directory.user.readonly",
    "admin.directory.user.security",
    "admin.directory.orgunit",
    "admin.directory.orgunit.readonly",
    "admin.directory.rolemanagement.readonly",
    "admin.directory.customer.readonly",
    "admin.directory.domain.readonly",
    "admin.reports.audit.readonly",
    "admin.reports.usage.readonly",
    "cloud-identity.policies",
    "cloud-identity.policies.readonly",
    "chrome.management.reports.readonly",
    "chrome.management.appdetails.readonly",
    "cloud-platform",
    "cloud-platform.read-only",
];

/// Whether a full scope URL is one that the platform has, as far as the lab knows.
pub(crate) fn known_scope(scope: &str) -> bool {
    matches!(scope, "openid" | "email" | "profile" | "https://mail.google.com/")
        || scope.strip_prefix(SCOPE_PREFIX).is_some_and(|name| SCOPES.contains(&name))
}

macro_rules! privileges {
    ($($(#[$doc:meta])* $name:ident = $wire:literal,)+) => {
        /// An admin privilege, under the name that the Directory API's roles give it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Privilege {
            $($(#[$doc])* #[serde(rename = $wire)] $name,)+
        }

        impl Privilege {
            /// The privilege of this name. `None` if the lab knows none.
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($wire => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

privileges! {
    /// All privileges.
    SuperAdmin = "SUPER_ADMIN",
    /// Everything about users.
    UsersAll = "USERS_ALL",
    /// Read users.
    UsersRetrieve = "USERS_RETRIEVE",
    /// Change users.
    UsersUpdate = "USERS_UPDATE",
    /// Suspend users.
    UsersSuspend = "USERS_SUSPEND",
    /// Read and revoke tokens and app passwords, sign users out.
    UserSecurityAll = "USER_SECURITY_ALL",
    /// Read usage reports and audit logs.
    AdminReportingAccess = "ADMIN_REPORTING_ACCESS",
    /// Read audit logs.
    ReportingAuditAccess = "REPORTING_AUDIT_ACCESS",
    /// Read all Chrome reports.
    ViewChromeReports = "VIEW_CHROME_REPORTS",
    /// Read the report of Chrome extensions.
    ViewChromeExtensionsReport = "VIEW_CHROME_EXTENSIONS_REPORT",
}

impl Privilege {
    /// The privilege that this one is a part of.
    fn whole(self) -> Option<Self> {
        match self {
            Self::SuperAdmin => None,
            Self::UsersRetrieve | Self::UsersUpdate => Some(Self::UsersAll),
            Self::UsersSuspend => Some(Self::UsersUpdate),
            Self::ReportingAuditAccess => Some(Self::AdminReportingAccess),
            Self::ViewChromeExtensionsReport => Some(Self::ViewChromeReports),
            Self::UsersAll
            | Self::UserSecurityAll
            | Self::AdminReportingAccess
            | Self::ViewChromeReports => Some(Self::SuperAdmin),
        }
    }
}

/// A set of privileges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Privileges(u16);

impl Privileges {
    pub(crate) fn holds(self, privilege: Privilege) -> bool {
        self.0 & (1 << privilege as u16) != 0
    }

    pub(crate) fn set(&mut self, privilege: Privilege, held: bool) {
        let bit = 1 << privilege as u16;
        self.0 = if held { self.0 | bit } else { self.0 & !bit };
    }
}

impl FromIterator<Privilege> for Privileges {
    fn from_iter<I: IntoIterator<Item = Privilege>>(privileges: I) -> Self {
        let mut set = Self::default();
        for privilege in privileges {
            set.set(privilege, true);
        }
        set
    }
}

/// Who acts: what a role gives, and what tests give or take beside it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Role {
    assigned: Privileges,
    granted: Privileges,
    denied: Privileges,
}

impl Role {
    pub(crate) fn new(super_admin: bool, privileges: &[Privilege]) -> Self {
        let all = super_admin.then_some(Privilege::SuperAdmin);
        let assigned = privileges.iter().copied().chain(all).collect();
        Self { assigned, ..Self::default() }
    }

    /// Whether the role has a privilege by itself or as part of a larger one.
    pub(crate) fn holds(self, privilege: Privilege) -> bool {
        !self.denied.holds(privilege)
            && (self.assigned.holds(privilege)
                || self.granted.holds(privilege)
                || privilege.whole().is_some_and(|whole| self.holds(whole)))
    }

    pub(crate) fn set(&mut self, privilege: Privilege, held: bool) {
        self.granted.set(privilege, held);
        self.denied.set(privilege, !held);
    }
}

/// The APIs, each enabled and measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Api {
    Directory,
    Reports,
    Policy,
    Chrome,
}

impl Api {
    /// The service's host name, as its refusals give it.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::Directory | Self::Reports => "admin.googleapis.com",
            Self::Policy => "cloudidentity.googleapis.com",
            Self::Chrome => "chromemanagement.googleapis.com",
        }
    }

    /// The service's title, as its refusals give it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Directory | Self::Reports => "Admin SDK API",
            Self::Policy => "Cloud Identity API",
            Self::Chrome => "Chrome Management API",
        }
    }

    /// Whether its refusals have the older `errors` list.
    pub(crate) fn classic(self) -> bool {
        matches!(self, Self::Directory | Self::Reports)
    }
}

/// What one operation needs: any of the scopes, the privilege.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    pub(crate) api: Api,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) privilege: Privilege,
}

/// `users.list`, `users.get`.
pub(crate) const READ_USERS: Need = Need {
    api: Api::Directory,
    scopes: &["admin.directory.user.readonly", "admin.directory.user", "cloud-platform"],
    privilege: Privilege::UsersRetrieve,
};

/// `users.patch`.
pub(crate) const SUSPEND_USERS: Need = Need {
    api: Api::Directory,
    scopes: &["admin.directory.user"],
    privilege: Privilege::UsersSuspend,
};

/// `tokens.*`, `asps.*`, `users.signOut`: there is no read-only scope.
pub(crate) const USER_SECURITY: Need = Need {
    api: Api::Directory,
    scopes: &["admin.directory.user.security"],
    privilege: Privilege::UserSecurityAll,
};

/// `activities.list`.
pub(crate) const READ_AUDIT: Need = Need {
    api: Api::Reports,
    scopes: &["admin.reports.audit.readonly"],
    privilege: Privilege::ReportingAuditAccess,
};

/// `customerUsageReports.get`, `userUsageReport.get`.
pub(crate) const READ_USAGE: Need = Need {
    api: Api::Reports,
    scopes: &["admin.reports.usage.readonly"],
    privilege: Privilege::AdminReportingAccess,
};

/// `policies.list`.
pub(crate) const READ_POLICIES: Need = Need {
    api: Api::Policy,
    scopes: &["cloud-identity.policies.readonly", "cloud-identity.policies"],
    privilege: Privilege::SuperAdmin,
};

/// `countInstalledApps`.
pub(crate) const READ_CHROME: Need = Need {
    api: Api::Chrome,
    scopes: &["chrome.management.reports.readonly"],
    privilege: Privilege::ViewChromeExtensionsReport,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_super_admin_holds_everything_but_what_was_taken() {
        let mut role = Role::new(true, &[]);
        assert!(role.holds(Privilege::UserSecurityAll));
        role.set(Privilege::UserSecurityAll, false);
        assert!(!role.holds(Privilege::UserSecurityAll) && role.holds(Privilege::SuperAdmin));
        role.set(Privilege::SuperAdmin, false);
        assert!(!role.holds(Privilege::UsersRetrieve));
        role.set(Privilege::UsersRetrieve, true);
        assert!(role.holds(Privilege::UsersRetrieve) && !role.holds(Privilege::UsersSuspend));
        let auditor = Role::new(false, &[Privilege::ReportingAuditAccess]);
        assert!(auditor.holds(Privilege::ReportingAuditAccess));
        assert!(!auditor.holds(Privilege::AdminReportingAccess), "a part is not the whole");
        let manager = Role::new(false, &[Privilege::UsersAll]);
        assert!(manager.holds(Privilege::UsersSuspend) && !manager.holds(Privilege::SuperAdmin));
    }
}
