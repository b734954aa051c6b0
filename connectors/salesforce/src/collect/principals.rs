//! Who is behind a token: administrative rights, machine accounts, frozen users. Only users with a special right are held in memory.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    model::{Gap, Observed, Principal, PrincipalKind, PrincipalStatus, Reason},
};
use serde_json::Value;

use super::{
    group,
    rights::{Rights, VIEW_SETUP},
    time,
};
use crate::{
    api::{User, UserLogin},
    org::{Api, Org, missing_column},
};

/// Columns of `PermissionSet` that matter, and the names that the set-up pages show.
const RIGHTS: [(&str, &str); 9] = [
    ("PermissionsModifyAllData", "Modify All Data"),
    ("PermissionsViewAllData", "View All Data"),
    ("PermissionsCustomizeApplication", "Customize Application"),
    ("PermissionsManageUsers", "Manage Users"),
    ("PermissionsAuthorApex", "Author Apex"),
    ("PermissionsModifyMetadata", "Modify Metadata"),
    (APPROVE_UNINSTALLED, "Approve Uninstalled Connected Apps"),
    ("PermissionsUseAnyApiAuth", "Use Any API Auth"),
    (API_ONLY, "API Only User"),
];
const APPROVE_UNINSTALLED: &str = "PermissionsCanApproveUninstalledApps";
const API_ONLY: &str = "PermissionsApiUserOnly";
/// Exists only where Salesforce Support switched API Access Control on.
const USE_ANY_API_CLIENT: &str = "PermissionsUseAnyApiClient";
/// Rights that let their holder bring in an app past the consent settings.
pub(super) const BYPASSES: [&str; 2] = ["Approve Uninstalled Connected Apps", "Use Any API Client"];

/// Users with special rights.
pub(super) struct People {
    /// Rights by user id; a user that is missing here has none.
    rights: Observed<BTreeMap<String, BTreeSet<&'static str>>>,
    /// Sign-in names of active holders of a bypass.
    bypass_holders: Observed<BTreeMap<&'static str, BTreeSet<String>>>,
    frozen: Observed<BTreeSet<String>>,
}

impl People {
    pub(super) async fn read(org: &Org, ledger: &Ledger, own: &Rights) -> Self {
        let assignments = ledger.look("privileges", assignments(org)).await;
        // Without View Setup and Configuration the query answers with the scanner's own assignments.
        let assignments = match (assignments, own.has(VIEW_SETUP, "privileges")) {
            (Observed::Known(rows), Observed::Known(true)) => {
                ledger.read("privileges", rows.len() as u64);
                Observed::Known(rows)
            }
            (Observed::Known(_), Observed::Unknown(gap)) => {
                ledger.lose(gap.clone(), None);
                Observed::Unknown(gap)
            }
            (Observed::Known(_), _) => {
                let gap = Gap::new(
                    Reason::Permission,
                    "privileges",
                    "only the scanner's own rights are shown",
                );
                ledger.lose(gap.clone(), None);
                Observed::Unknown(gap)
            }
            (other, _) => other,
        };
        let frozen = ledger.look("frozen-users", frozen(org)).await;
        if let Observed::Known(frozen) = &frozen {
            ledger.read("frozen-users", frozen.len() as u64);
        }
        Self {
            rights: assignments.as_ref().map(|rows| {
                group(
                    rows.iter()
                        .flat_map(|row| row.rights.iter().map(|right| (row.user.clone(), *right))),
                )
            }),
            bypass_holders: assignments.map(|rows| {
                group(rows.into_iter().filter(|row| row.is_active).flat_map(|row| {
                    let name = row.name.unwrap_or(row.user);
                    row.rights
                        .into_iter()
                        .filter(|right| BYPASSES.contains(right))
                        .map(move |right| (right, name.clone()))
                }))
            }),
            frozen,
        }
    }

    /// Active holders of a right that gets past the consent settings.
    pub(super) fn bypass_holders(&self, right: &'static str) -> Observed<Vec<String>> {
        self.bypass_holders
            .as_ref()
            .map(|holders| holders.get(right).into_iter().flatten().cloned().collect())
    }

    /// The principal behind a token. `Absent`: the user is gone.
    pub(super) fn principal(&self, id: &str, user: &Observed<&User>) -> Principal {
        let user = match user {
            Observed::Known(user) => user,
            Observed::Absent => {
                let detail = "the user is gone, and with it what was known about it";
                let gap = Gap::new(Reason::Vanished, "grants", detail);
                return nobody(id, Observed::Known(PrincipalStatus::Deleted), &gap);
            }
            Observed::Unknown(gap) => return nobody(id, Observed::Unknown(gap.clone()), gap),
        };
        let rights = self.rights.as_ref().map(|rights| rights.get(id).cloned().unwrap_or_default());
        let is_machine_type =
            matches!(user.user_type.as_deref(), Some("AutomatedProcess" | "CloudIntegrationUser"));
        Principal {
            id: id.to_owned(),
            name: user.username.clone().map_or_else(
                || {
                    Observed::unknown(
                        Reason::CallFailed,
                        "grants",
                        "the org does not tell the sign-in name",
                    )
                },
                Observed::Known,
            ),
            kind: match &rights {
                _ if is_machine_type => Observed::Known(PrincipalKind::ServiceAccount),
                Observed::Known(rights) if rights.contains("API Only User") => {
                    Observed::Known(PrincipalKind::ServiceAccount)
                }
                Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
                _ => Observed::Known(PrincipalKind::Person),
            },
            status: self.status(id, user),
            privileges: rights.map(|rights| {
                rights
                    .into_iter()
                    .filter(|right| *right != "API Only User")
                    .map(ToOwned::to_owned)
                    .collect()
            }),
            last_login_at: time("grants", user.last_login_date.as_deref()),
        }
    }

    fn status(&self, id: &str, user: &User) -> Observed<PrincipalStatus> {
        match (user.is_active, &self.frozen) {
            (Some(false), _) => Observed::Known(PrincipalStatus::Inactive),
            (Some(true), Observed::Known(frozen)) if frozen.contains(id) => {
                Observed::Known(PrincipalStatus::Suspended)
            }
            (Some(true), Observed::Unknown(gap)) => Observed::Unknown(gap.clone()),
            (Some(true), _) => Observed::Known(PrincipalStatus::Active),
            (None, _) => Observed::unknown(
                Reason::PlatformSilent,
                "grants",
                "the platform does not say whether the user is active",
            ),
        }
    }
}

/// A principal of which only the id is known.
fn nobody(id: &str, status: Observed<PrincipalStatus>, gap: &Gap) -> Principal {
    Principal {
        id: id.to_owned(),
        name: Observed::Unknown(gap.clone()),
        kind: Observed::Unknown(gap.clone()),
        status,
        privileges: Observed::Unknown(gap.clone()),
        last_login_at: Observed::Unknown(gap.clone()),
    }
}

/// One user's rights through one permission set or profile.
#[derive(Clone)]
struct Assignment {
    user: String,
    name: Option<String>,
    is_active: bool,
    rights: Vec<&'static str>,
}

/// Every assignment of a set that has one of [`RIGHTS`]. Columns that the org does not have are left out, from the list and from
/// the condition alike.
async fn assignments(org: &Org) -> Result<Vec<Assignment>> {
    let mut rights = RIGHTS.to_vec();
    let mut assignments = loop {
        match holders(org, &rights).await {
            Ok(rows) => break rows,
            Err(error) => {
                let columns: Vec<&str> = rights.iter().map(|(column, _)| *column).collect();
                match missing_column(&error, &columns) {
                    Some(at) if rights.len() > 1 => drop(rights.remove(at)),
                    _ => return Err(error),
                }
            }
        }
    };
    // Asked for alone: where the column does not exist, the right does not exist.
    match holders(org, &[(USE_ANY_API_CLIENT, "Use Any API Client")]).await {
        Ok(more) => assignments.extend(more),
        Err(error) if missing_column(&error, &[USE_ANY_API_CLIENT]).is_some() => {}
        Err(error) => return Err(error),
    }
    Ok(assignments)
}

async fn holders(org: &Org, rights: &[(&'static str, &'static str)]) -> Result<Vec<Assignment>> {
    let columns: Vec<String> =
        rights.iter().map(|(column, _)| format!("PermissionSet.{column}")).collect();
    let condition: Vec<String> = columns.iter().map(|column| format!("{column}=true")).collect();
    let soql = format!(
        "SELECT AssigneeId,Assignee.Username,Assignee.IsActive,{} FROM PermissionSetAssignment WHERE {}",
        columns.join(","),
        condition.join(" OR ")
    );
    let rows: Vec<Value> = org.rows(Api::Data, "query PermissionSetAssignment", &soql).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let held =
                |(column, _): &&(&str, _)| row["PermissionSet"][*column].as_bool() == Some(true);
            Some(Assignment {
                user: row["AssigneeId"].as_str()?.to_owned(),
                name: row["Assignee"]["Username"].as_str().map(ToOwned::to_owned),
                is_active: row["Assignee"]["IsActive"].as_bool() != Some(false),
                rights: rights.iter().filter(held).map(|(_, name)| *name).collect(),
            })
        })
        .collect())
}

async fn frozen(org: &Org) -> Result<BTreeSet<String>> {
    let soql = "SELECT UserId FROM UserLogin WHERE IsFrozen=true";
    let rows: Vec<UserLogin> = org.rows(Api::Data, "query UserLogin", soql).await?;
    Ok(rows.into_iter().map(|row| row.user_id).collect())
}
