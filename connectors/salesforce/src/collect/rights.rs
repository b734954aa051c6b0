//! The scanner's own rights. Salesforce shows less without an error when a right is missing, so a listing proves nothing by itself.

use std::collections::BTreeMap;

use grantwarden_kit::{
    error::Result,
    ledger::{Ledger, gap_of},
    model::{Gap, Observed, Reason},
};

use crate::org::{Api, Org, Select};

/// Columns of `UserPermissionAccess` (API 41 and later):
/// <https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userpermissionaccess.htm>
const OPTIONAL: [&str; 5] =
    [VIEW_SETUP, EXTERNAL_APPS_VIEWER, EXTERNAL_APPS_ADMIN, MANAGE_USERS, MONITOR_LOGINS];
pub(super) const CUSTOMIZE_APPLICATION: &str = "PermissionsCustomizeApplication";
pub(super) const VIEW_SETUP: &str = "PermissionsViewSetup";
pub(super) const EXTERNAL_APPS_VIEWER: &str = "PermissionsExternalClientAppViewer";
pub(super) const MANAGE_USERS: &str = "PermissionsManageUsers";
pub(super) const MONITOR_LOGINS: &str = "PermissionsMonitorLoginHistory";
pub(super) const EXTERNAL_APPS_ADMIN: &str = "PermissionsExternalClientAppAdmin";

/// What a missing right hides without an error: column, label, facets.
const HIDES: [(&str, &str, &[&str]); 4] = [
    (EXTERNAL_APPS_ADMIN, "Manage External Client Apps", &["external-client-apps"]),
    (CUSTOMIZE_APPLICATION, "Customize Application", &["grants", "apps"]),
    (VIEW_SETUP, "View Setup and Configuration", &["privileges", "app-access"]),
    (
        EXTERNAL_APPS_VIEWER,
        "View all External Client Apps, view their settings",
        &["external-client-apps"],
    ),
];

/// The scanner's own rights, as far as the org tells.
pub(super) struct Rights(Result<BTreeMap<String, bool>, Gap>);

impl Rights {
    pub(super) async fn read(org: &Org) -> Self {
        let select = Select {
            api: Api::Data,
            endpoint: "query UserPermissionAccess",
            columns: &[CUSTOMIZE_APPLICATION],
            optional: &OPTIONAL,
            from: "FROM UserPermissionAccess",
            // A right that the org does not have is one that the scanner does not need.
            books: None,
        };
        let rows = org.select::<BTreeMap<String, serde_json::Value>>(&select).await;
        Self(match rows {
            Ok(rows) => Ok(rows
                .into_iter()
                .flatten()
                .filter_map(|(column, value)| Some((column, value.as_bool()?)))
                .collect()),
            Err(error) => Err(gap_of("", &error)),
        })
    }

    /// Whether the scanner has a right; `Absent` if the org has no such right.
    pub(super) fn has(&self, column: &str, facet: &str) -> Observed<bool> {
        match &self.0 {
            Ok(rights) => Observed::from_option(rights.get(column).copied()),
            Err(gap) => Observed::Unknown(Gap::new(
                gap.reason,
                facet,
                format!("the scanner's own rights could not be read: {}", gap.detail),
            )),
        }
    }

    /// Books what a right that was lost since `before` may have hidden: from then on Salesforce showed less, without an error.
    pub(super) fn book_lost(&self, before: &Self, ledger: &Ledger) {
        for (column, label, facets) in HIDES {
            for facet in facets {
                if before.has(column, facet) != Observed::Known(true) {
                    continue;
                }
                match self.has(column, facet) {
                    Observed::Known(true) => {}
                    Observed::Known(false) | Observed::Absent => {
                        let detail = format!("the scanner lost the right {label} during the scan");
                        ledger.lose(Gap::new(Reason::Permission, facet, detail), None);
                    }
                    // Whether it was lost is not known, so that nothing proves the listing whole.
                    Observed::Unknown(gap) => ledger.lose(gap, None),
                }
            }
        }
    }
}
