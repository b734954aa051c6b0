//! The user permissions that the lab enforces or shows, under their API names: `ApiEnabled` is the
//! column `PermissionsApiEnabled`.

use serde::{Deserialize, Serialize};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// A user permission, as profiles and permission sets grant it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            /// The permission of this API name, with or without `Permissions` in front.
            pub fn parse(name: &str) -> Option<Self> {
                match name.strip_prefix("Permissions").unwrap_or(name) {
                    $(stringify!($name) => Some(Self::$name),)+
                    _ => None,
                }
            }
        }

        /// Makes the `Permissions…` columns of an object from a way to find a row's permissions.
        macro_rules! permission_columns {
            ($held:expr) => {
                &[$($crate::salesforce::schema::Column {
                    when: $crate::salesforce::schema::exists_for(
                        $crate::salesforce::permission::Permission::$name,
                    ),
                    ..$crate::salesforce::schema::flag(
                        concat!("Permissions", stringify!($name)),
                        |view, row| {
                            let held: $crate::salesforce::permission::Permissions = $held(view, row);
                            $crate::salesforce::value::Value::Bool(held.has(
                                $crate::salesforce::permission::Permission::$name,
                            ))
                        },
                    )
                },)+]
            };
        }
        pub(crate) use permission_columns;
    };
}

permissions! {
    /// Access any Salesforce API.
    ApiEnabled,
    /// Only the API, no user interface.
    ApiUserOnly,
    /// Customize the organization; see all OAuth tokens.
    CustomizeApplication,
    /// Create, edit and delete any record.
    ModifyAllData,
    /// View any record.
    ViewAllData,
    /// Manage users, profiles and their logins.
    ManageUsers,
    /// View all users.
    ViewAllUsers,
    /// View Setup and configuration.
    ViewSetup,
    /// View the setup audit trail.
    ViewSetupAuditTrail,
    /// Monitor login history.
    MonitorLoginHistory,
    /// View event log files.
    ViewEventLogFiles,
    /// Modify metadata through the Metadata API.
    ModifyMetadata,
    /// Manage connected apps.
    ManageRemoteAccess,
    /// View all external client apps and their settings.
    ExternalClientAppViewer,
    /// Manage external client apps.
    ExternalClientAppAdmin,
    /// Approve uninstalled connected apps.
    CanApproveUninstalledApps,
    /// Use any API authentication.
    UseAnyApiAuth,
    /// Use any API client.
    UseAnyApiClient,
    /// Author Apex.
    AuthorApex,
    /// Export reports.
    ExportReport,
    /// Hard delete through the Bulk API.
    BulkApiHardDelete,
    /// Password never expires.
    PasswordNeverExpires,
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Permissions(u32);

impl Permissions {
    pub(crate) fn has(self, permission: Permission) -> bool {
        self.0 & Self::bit(permission) != 0
    }

    pub(crate) fn has_any(self, permissions: &[Permission]) -> bool {
        permissions.iter().any(|permission| self.has(*permission))
    }

    pub(crate) fn set(&mut self, permission: Permission, held: bool) {
        if held {
            self.0 |= Self::bit(permission);
        } else {
            self.0 &= !Self::bit(permission);
        }
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn bit(permission: Permission) -> u32 {
        1 << permission as u32
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut set = Self::default();
        for permission in permissions {
            set.set(permission, true);
        }
        set
    }
}
