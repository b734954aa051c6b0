//! Directory roles, of apps and of users, from one listing of assignments.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    error::{Error, Result},
    http::{Reply, Request},
    ledger::Ledger,
    model::{Gap, Observed, Reason},
};

use super::{directory::Directory, rows::book_odd};
use crate::{
    api::{Page, RoleAssignment, RoleDefinition, Row},
    graph::Graph,
};

pub(super) const OF_APPS: &str = "directory-roles";
pub(super) const OF_USERS: &str = "privileges";
/// `resource` of the scopes that stand for directory roles.
pub(super) const RESOURCE: &str = "Directory role";

/// Directory roles by object id of who holds them.
pub(super) struct Roles {
    by_holder: BTreeMap<String, BTreeSet<String>>,
    /// Why some roles of a holder may not be known, if so.
    gap: Option<Gap>,
}

/// The requests for the first pages; they travel with others in one batch.
pub(super) fn requests(graph: &Graph) -> Result<[Request; 2]> {
    Ok([
        graph.get("list directory roles", "roleManagement/directory/roleDefinitions", "")?,
        graph.get(
            "list directory role assignments",
            "roleManagement/directory/roleAssignments",
            "$expand=principal",
        )?,
    ])
}

/// What was read before it is booked.
pub(super) struct Read {
    assignments: BTreeMap<String, RoleAssignment>,
    names: BTreeMap<String, String>,
    odd: u64,
}

impl Read {
    /// Takes the first pages and reads the others.
    pub(super) async fn from_first_pages(
        graph: &Graph,
        definitions: Result<Reply>,
        assignments: Result<Reply>,
    ) -> Result<Self> {
        let [of_definitions, of_assignments] = requests(graph)?;
        let mut read = Self { assignments: BTreeMap::new(), names: BTreeMap::new(), odd: 0 };
        let definitions: Vec<RoleDefinition> =
            read.rest(graph, &of_definitions, definitions?).await?;
        read.names = definitions
            .into_iter()
            .filter_map(|role| Some((role.id, role.display_name?)))
            .collect();
        let assignments: Vec<RoleAssignment> =
            read.rest(graph, &of_assignments, assignments?).await?;
        read.assignments = assignments.into_iter().map(|row| (row.id.clone(), row)).collect();
        Ok(read)
    }

    async fn rest<T: serde::de::DeserializeOwned>(
        &mut self,
        graph: &Graph,
        first: &Request,
        reply: Reply,
    ) -> Result<Vec<T>> {
        let mut page: Page<T> = graph.decode(first, &reply)?;
        let mut rows = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            let count = page.value.len();
            let before = rows.len();
            rows.extend(page.value.into_iter().filter_map(Row::good));
            self.odd += (count - (rows.len() - before)) as u64;
            let Some(link) = page.next else { return Ok(rows) };
            if !seen.insert(link.clone()) {
                let message = "the listing leads back to a page that was read before";
                let error = Error::new(grantwarden_kit::error::ErrorKind::Malformed, message);
                return Err(graph.explain(first.endpoint, error));
            }
            page = graph.read(&graph.follow(first, &link)?).await?;
        }
    }
}

impl Roles {
    /// Books what was read. `None`: the user gave up both facets.
    pub(super) fn book(ledger: &Ledger, directory: &Directory, read: Option<Result<Read>>) -> Self {
        let skipped = [ledger.skipped(OF_APPS), ledger.skipped(OF_USERS)];
        let unknown = |gap: Gap| Self { by_holder: BTreeMap::new(), gap: Some(gap) };
        let facets: Vec<&str> = [OF_APPS, OF_USERS]
            .into_iter()
            .zip(&skipped)
            .filter(|(_, gap)| gap.is_none())
            .map(|(facet, _)| facet)
            .collect();
        facets.iter().for_each(|facet| ledger.settle(facet));
        match read {
            Some(Ok(read)) => Self::of(ledger, directory, read, &facets),
            Some(Err(error)) => {
                let gaps: Vec<Gap> =
                    facets.iter().map(|facet| ledger.fail(facet, &error)).collect();
                unknown(gaps.into_iter().next_back().unwrap_or_else(|| not_asked(OF_USERS)))
            }
            None => {
                let gap = skipped.into_iter().flatten().next_back();
                unknown(gap.unwrap_or_else(|| not_asked(OF_USERS)))
            }
        }
    }

    fn of(ledger: &Ledger, directory: &Directory, read: Read, facets: &[&str]) -> Self {
        let mut by_holder: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let (mut of_groups, mut untold, mut odd) = (false, false, read.odd);
        let (mut of_apps, mut of_users) = (0, 0);
        for row in read.assignments.into_values() {
            let (Some(holder), Some(role)) = (row.principal_id, row.role_definition_id) else {
                odd += 1;
                continue;
            };
            let kind = row.principal.and_then(|principal| principal.kind).unwrap_or_default();
            let is_app = directory.clients.contains_key(holder.as_str());
            if kind.ends_with("group") {
                of_groups = true;
            } else if kind.ends_with("servicePrincipal") || is_app {
                of_apps += 1;
            } else {
                // One that Graph does not tell may be a group.
                untold |= !kind.ends_with("user");
                of_users += 1;
            }
            let name = read.names.get(&role).cloned().unwrap_or(role);
            let name = match row.directory_scope_id.as_deref() {
                None | Some("/") => name,
                Some(scope) => format!("{name} (only in {scope})"),
            };
            by_holder.entry(holder).or_default().insert(name);
        }
        let through_groups = match (of_groups, untold) {
            (true, _) => {
                Some("some directory roles are held by groups, whose members are not read")
            }
            (false, true) => Some(
                "Graph does not tell who holds some directory roles; it may be a group, whose members are not read",
            ),
            (false, false) => None,
        };
        let mut gap = None;
        for facet in facets {
            ledger.read(facet, if *facet == OF_APPS { of_apps } else { of_users });
            ledger.note(facet, "only active assignments are read, not eligible ones");
            if let Some(detail) = through_groups {
                let of_groups = Gap::new(Reason::PlatformSilent, facet, detail);
                ledger.lose(of_groups.clone(), None);
                gap = Some(of_groups);
            }
        }
        for facet in facets {
            gap = book_odd(ledger, facet, odd).or(gap);
        }
        Self { by_holder, gap }
    }

    /// The roles of an app.
    pub(super) fn of_app(&self, id: &str) -> impl Iterator<Item = &String> {
        self.by_holder.get(id).into_iter().flatten()
    }

    /// The roles of a user. A list that may lack some is not given as the list; the gap names those that were seen.
    pub(super) fn of_user(&self, id: &str) -> Observed<Vec<String>> {
        let seen: Vec<String> = self.by_holder.get(id).into_iter().flatten().cloned().collect();
        match &self.gap {
            None => Observed::Known(seen),
            Some(gap) if seen.is_empty() => Observed::Unknown(gap.clone()),
            Some(gap) => {
                let detail = format!("{}; seen: {}", gap.detail, seen.join(", "));
                Observed::Unknown(Gap { detail, ..gap.clone() })
            }
        }
    }
}

fn not_asked(facet: &str) -> Gap {
    Gap::new(Reason::CallFailed, facet, "directory roles were not read")
}
