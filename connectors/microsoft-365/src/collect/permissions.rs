//! Application permissions: what apps may do as themselves. Read from the resources' side, where a few listings hold the assignments of
//! all apps.

use std::collections::BTreeMap;

use grantwarden_kit::{
    http::Request,
    ledger::Ledger,
    model::{Gap, Observed, Reason, Timestamp},
    seen::Seen,
};

use super::{directory::Directory, rows::book_odd, time};
use crate::{
    api::{AppRoleAssignment, Row},
    graph::Graph,
};

pub(super) const FACET: &str = "app-permissions";
/// "Default access": an assignment, and no permission.
pub(crate) const DEFAULT_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

/// What one app may do with one resource.
#[derive(Default)]
pub(super) struct Held {
    /// Role values in order; a role that the resource does not name by its id.
    pub(super) roles: Vec<Box<str>>,
    /// When the newest was given; `None` if one has no readable date.
    pub(super) newest: Option<Timestamp>,
    pub(super) is_undated: bool,
}

impl Held {
    pub(super) fn granted_at(&self) -> Observed<Timestamp> {
        match self.newest {
            Some(newest) if !self.is_undated => Observed::Known(newest),
            _ => {
                let detail = "Graph does not tell when the permission was given";
                Observed::unknown(Reason::PlatformSilent, FACET, detail)
            }
        }
    }
}

/// Application permissions by app and resource, both by object id.
#[derive(Default)]
pub(super) struct Permissions {
    pub(super) held: BTreeMap<Box<str>, Vec<(Box<str>, Held)>>,
    /// Why the list is not whole, if it is not.
    pub(super) gap: Option<Gap>,
}

impl Permissions {
    pub(super) async fn read(graph: &Graph, ledger: &Ledger, directory: &Directory) -> Self {
        let mut permissions = Self::default();
        if let Some(gap) = ledger.skipped(FACET) {
            permissions.gap = Some(gap);
            return permissions;
        }
        ledger.settle(FACET);
        if let Some(gap) = &directory.gap {
            // Which resources there are is not wholly known.
            let detail = format!("not every service principal is known: {}", gap.detail);
            let gap = Gap { facet: FACET.to_owned(), detail, reason: gap.reason };
            ledger.lose(gap.clone(), None);
            permissions.gap = Some(gap);
        }
        let resources: Vec<&str> = directory.resources.keys().map(|id| &**id).collect();
        let first = |id: &&str| -> grantwarden_kit::error::Result<Request> {
            let path = format!("servicePrincipals/{id}/appRoleAssignedTo");
            graph.get("list app role assignments", &path, "$top=999")
        };
        let firsts: Vec<Request> = match resources.iter().map(first).collect() {
            Ok(firsts) => firsts,
            Err(error) => {
                permissions.gap = Some(ledger.fail(FACET, &error));
                return permissions;
            }
        };
        let (mut odd, mut read) = (0, 0);
        // A listing that was begun anew gives rows twice.
        let mut seen = Seen::default();
        let failed = graph
            .read_listings(&firsts, |at, page: Vec<Row<AppRoleAssignment>>| {
                for row in page {
                    match row {
                        Row::Good(row) => {
                            match is_permission_of_app(&row, resources[at], directory) {
                                Some(true) if seen.is_new(&row.id) => {
                                    read += 1;
                                    permissions.add(resources[at], row, directory);
                                }
                                Some(_) => {}
                                None => odd += 1,
                            }
                        }
                        Row::Odd(_) => odd += 1,
                    }
                }
            })
            .await;
        for (at, error) in failed {
            if graph.is_gone(&error, &format!("servicePrincipals/{}", resources[at])).await {
                let detail = "a resource was deleted during the scan";
                ledger.lose(Gap::new(Reason::Vanished, FACET, detail), None);
            } else {
                permissions.gap = Some(ledger.fail(FACET, &error));
            }
        }
        if let Some(gap) = book_odd(ledger, FACET, odd) {
            permissions.gap = Some(gap);
        }
        ledger.read(FACET, read);
        permissions
    }

    fn add(&mut self, resource: &str, row: AppRoleAssignment, directory: &Directory) {
        let (Some(client), Some(role)) = (row.principal_id, row.app_role_id) else { return };
        let of_client = self.held.entry(client.into()).or_default();
        let at = of_client.iter().position(|(of, _)| **of == *resource).unwrap_or_else(|| {
            of_client.push((resource.into(), Held::default()));
            of_client.len() - 1
        });
        let held = &mut of_client[at].1;
        let value = directory.resources.get(resource).and_then(|roles| roles.get(role.as_str()));
        let value = value.cloned().unwrap_or_else(|| role.into());
        if let Err(at) = held.roles.binary_search(&value) {
            held.roles.insert(at, value);
        }
        match row.created_date_time.as_deref().map(|text| time(FACET, text)) {
            Some(Observed::Known(at)) => held.newest = held.newest.max(Some(at)),
            _ => held.is_undated = true,
        }
    }

    /// What an app may do as itself, by resource.
    pub(super) fn of(&self, client: &str) -> impl Iterator<Item = (&str, &Held)> {
        self.held.get(client).into_iter().flatten().map(|(resource, held)| (&**resource, held))
    }

    /// Whether an app holds a role of a resource, by the role's value.
    pub(super) fn has(&self, client: &str, resource: &str, role: &str) -> bool {
        let mut of_resource = self.of(client).filter(|(of, _)| *of == resource);
        of_resource.any(|(_, held)| held.roles.iter().any(|own| **own == *role))
    }
}

/// Whether the assignment is a permission that an app holds, and not a user's or a group's: whatever else may come to hold one is an app.
/// `None`: the row does not tell whose and what it is, or belongs to another resource than the one that was asked.
fn is_permission_of_app(
    row: &AppRoleAssignment,
    resource: &str,
    directory: &Directory,
) -> Option<bool> {
    let (holder, role) = (row.principal_id.as_deref()?, row.app_role_id.as_deref()?);
    if row.resource_id.as_deref().is_some_and(|of| !of.eq_ignore_ascii_case(resource)) {
        return None;
    }
    match row.principal_type.as_deref() {
        Some(kind) if ["User", "Group"].iter().any(|own| own.eq_ignore_ascii_case(kind)) => {
            return Some(false);
        }
        Some(_) => {}
        None if directory.clients.contains_key(holder) => {}
        None => return None,
    }
    Some(role != DEFAULT_ACCESS)
}
