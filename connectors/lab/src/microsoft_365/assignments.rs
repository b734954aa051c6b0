//! App role assignments, from the resource's side and from the holder's.

use serde_json::{Value as Json, json};

use super::grants::{row_id, row_of};
use super::json::date;
use super::listing::{PLAIN, Rows, Schema, View};
use super::state::{Holder, State};

/// `appRoleAssignedTo` and `appRoleAssignments`.
pub(crate) const ASSIGNMENTS: Schema = Schema {
    entity: "appRoleAssignment",
    properties: &[
        "id",
        "deletedDateTime",
        "appRoleId",
        "createdDateTime",
        "principalDisplayName",
        "principalId",
        "principalType",
        "resourceDisplayName",
        "resourceId",
    ],
    largest: Some(999),
    ..PLAIN
};

const MARK: [u8; 4] = *b"role";

/// Whose assignments.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    /// All on one resource.
    Resource(u32),
    /// All of one holder.
    Holder(Holder),
}

/// The assignments of one side.
pub(crate) struct AssignmentRows<'s> {
    view: View<'s>,
    rows: &'s [u32],
}

impl<'s> AssignmentRows<'s> {
    pub(crate) fn new(view: View<'s>, side: Side) -> Self {
        let assignments = &view.state.assignments;
        let rows = match side {
            Side::Resource(row) => assignments.by_resource.get(&row),
            Side::Holder(holder) => assignments.by_holder.get(&holder),
        };
        Self { view, rows: rows.map_or(&[], Vec::as_slice) }
    }
}

impl Rows for AssignmentRows<'_> {
    fn length(&self) -> usize {
        self.rows.len()
    }

    fn shown(&self, at: usize) -> bool {
        let state = self.view.state;
        let row = self.rows[at];
        state.assignment_lives(row)
            || state.assignments.gone.contains_key(&row)
                && self.view.shows(&state.assignments.gone, row)
    }

    fn value(&self, at: usize, property: &str) -> Json {
        self.view.state.assignment_value(self.rows[at], property)
    }
}

impl State {
    /// The id of an assignment.
    pub(crate) fn assignment_id(&self, row: u32) -> String {
        let (holder, _, _) = self.held_by(self.assignments.rows[row as usize].holder);
        row_id(holder, MARK, row)
    }

    /// The assignment of this id, even if it is deleted.
    pub(crate) fn assignment_of(&self, id: &str) -> Option<u32> {
        let row = row_of(id, MARK)?;
        let known = (row as usize) < self.assignments.rows.len();
        (known && self.assignment_id(row) == id).then_some(row)
    }

    fn assignment_value(&self, row: u32, property: &str) -> Json {
        let it = &self.assignments.rows[row as usize];
        let resource = &self.principals[it.resource as usize];
        let (holder, kind, name) = self.held_by(it.holder);
        match property {
            "id" => json!(row_id(holder, MARK, row)),
            "appRoleId" => json!(it.role.to_string()),
            "createdDateTime" => json!(date(it.created)),
            "principalDisplayName" => json!(name),
            "principalId" => json!(holder.to_string()),
            "principalType" => json!(kind),
            "resourceDisplayName" => json!(resource.facts.name),
            "resourceId" => json!(resource.id.to_string()),
            _ => Json::Null,
        }
    }

    /// All assignments of one side, as an expanded relation before it is cut.
    pub(crate) fn assignments_of(&self, view: View<'_>, side: Side) -> Json {
        let rows = AssignmentRows::new(view, side);
        let object = |at: usize| -> Json {
            let names = ASSIGNMENTS.properties.iter();
            names.map(|name| ((*name).to_owned(), rows.value(at, name))).collect()
        };
        (0..rows.length()).filter(|at| rows.shown(*at)).map(object).collect()
    }
}
