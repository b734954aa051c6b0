//! Delegated grants: compact rows, since a large directory has a million, and their ids.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use super::filter::{Clause, Filter, Operator};
use super::guid::Guid;
use super::listing::{Rows, View};
use super::state::{GoneRows, Object, State, number};

/// No user: the grant is for all.
const ALL: u32 = u32::MAX;

/// One delegated grant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    pub(crate) client: u32,
    pub(crate) resource: u32,
    user: u32,
    scope: u32,
}

impl Grant {
    /// The user whose grant it is; none if it is for all.
    pub(crate) fn user(&self) -> Option<u32> {
        (self.user != ALL).then_some(self.user)
    }
}

/// All delegated grants. Scope texts repeat, so each is kept once.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub(crate) rows: Vec<Grant>,
    pub(crate) gone: GoneRows,
    scopes: Vec<Box<str>>,
    known_scopes: HashMap<Box<str>, u32>,
}

impl Grants {
    /// Adds a grant and gives its row.
    pub(crate) fn add(
        &mut self,
        client: u32,
        resource: u32,
        user: Option<u32>,
        scope: &str,
    ) -> u32 {
        let scope = self.scope_number(scope);
        self.rows.push(Grant { client, resource, user: user.unwrap_or(ALL), scope });
        number(self.rows.len() - 1)
    }

    /// Gives a grant other scopes.
    pub(crate) fn set_scope(&mut self, row: u32, scope: &str) {
        let scope = self.scope_number(scope);
        self.rows[row as usize].scope = scope;
    }

    fn scope_number(&mut self, scope: &str) -> u32 {
        if let Some(known) = self.known_scopes.get(scope) {
            return *known;
        }
        let new = number(self.scopes.len());
        self.scopes.push(scope.into());
        self.known_scopes.insert(scope.into(), new);
        new
    }
}

/// Ids of grants and assignments: the client's GUID, a mark, and the row, in 43 characters.
pub(crate) fn row_id(owner: Guid, mark: [u8; 4], row: u32) -> String {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&owner.bytes());
    bytes[16..20].copy_from_slice(b"FAKE");
    bytes[20..24].copy_from_slice(&mark);
    bytes[28..].copy_from_slice(&row.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The row in an id of this mark; whether the id is really that row's is for the caller to check.
pub(crate) fn row_of(id: &str, mark: [u8; 4]) -> Option<u32> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
    if bytes[16..20] != *b"FAKE" || bytes[20..24] != mark {
        return None;
    }
    Some(u32::from_be_bytes(bytes[28..].try_into().ok()?))
}

const MARK: [u8; 4] = *b"gran";

impl State {
    /// The id of a grant.
    pub(crate) fn grant_id(&self, row: u32) -> String {
        let client = self.grants.rows[row as usize].client;
        row_id(self.principals[client as usize].id, MARK, row)
    }

    /// The grant of this id, even if it is deleted.
    pub(crate) fn grant_of(&self, id: &str) -> Option<u32> {
        let row = row_of(id, MARK)?;
        ((row as usize) < self.grants.rows.len() && self.grant_id(row) == id).then_some(row)
    }

    /// A property of a grant.
    pub(crate) fn grant_value(&self, row: u32, property: &str) -> Json {
        let grant = &self.grants.rows[row as usize];
        let principal = |row: u32| json!(self.principals[row as usize].id.to_string());
        match property {
            "id" => json!(self.grant_id(row)),
            "clientId" => principal(grant.client),
            "resourceId" => principal(grant.resource),
            "consentType" => {
                json!(if grant.user().is_some() { "Principal" } else { "AllPrincipals" })
            }
            "principalId" => grant
                .user()
                .map_or(Json::Null, |user| json!(self.users[user as usize].id.to_string())),
            "scope" => json!(self.grants.scopes[grant.scope as usize]),
            _ => Json::Null,
        }
    }
}

/// A condition on a grant, resolved to row numbers so that a million rows are quick to test.
enum Test {
    Client(Option<u32>),
    Resource(Option<u32>),
    User(Option<u32>),
    ForAll(bool),
    Never,
}

/// The grants that meet a filter.
pub(crate) struct GrantRows<'s> {
    view: View<'s>,
    tests: Vec<Test>,
}

impl<'s> GrantRows<'s> {
    pub(crate) fn new(view: View<'s>, filter: &Filter) -> Self {
        let test = |clause: &Clause| resolve(view.state, clause);
        Self { view, tests: filter.clauses.iter().map(test).collect() }
    }
}

fn resolve(state: &State, clause: &Clause) -> Test {
    let text = match (clause.operator, clause.values.as_slice()) {
        (Operator::Equal, [value]) => value.as_str().unwrap_or_default(),
        _ => return Test::Never,
    };
    let object = Guid::parse(text).and_then(|id| state.objects.get(&id));
    let principal = match object {
        Some(Object::Principal(row)) => Some(*row),
        _ => None,
    };
    match clause.property.as_str() {
        "clientId" => Test::Client(principal),
        "resourceId" => Test::Resource(principal),
        "principalId" => match object {
            Some(Object::User(row)) => Test::User(Some(*row)),
            _ => Test::User(None),
        },
        _ if text.eq_ignore_ascii_case("AllPrincipals") => Test::ForAll(true),
        _ if text.eq_ignore_ascii_case("Principal") => Test::ForAll(false),
        _ => Test::Never,
    }
}

impl Rows for GrantRows<'_> {
    fn length(&self) -> usize {
        self.view.state.grants.rows.len()
    }

    fn shown(&self, at: usize) -> bool {
        let state = self.view.state;
        let grant = &state.grants.rows[at];
        let meets = self.tests.iter().all(|test| match test {
            Test::Client(row) => *row == Some(grant.client),
            Test::Resource(row) => *row == Some(grant.resource),
            Test::User(row) => row.is_some() && *row == grant.user(),
            Test::ForAll(all) => grant.user().is_none() == *all,
            Test::Never => false,
        });
        meets
            && self.view.shows(&state.grants.gone, number(at))
            && state.principal_lives(grant.client)
            && state.principal_lives(grant.resource)
    }

    fn value(&self, at: usize, property: &str) -> Json {
        self.view.state.grant_value(number(at), property)
    }
}
