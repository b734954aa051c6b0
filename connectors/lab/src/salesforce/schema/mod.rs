//! The schema as data: which objects an org has, their columns and relations, what may be filtered,
//! sorted and grouped, who may see them, and how a cell is read from the state. One file per family
//! of objects; nothing here parses or runs a query.

mod apps;
mod audit;
mod org;
mod people;
mod tokens;

use std::fmt;
use std::ops::Range;

use super::permission::Permission;
use super::state::State;
use super::value::Value;

/// What a caller looks at: the state, as one user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    pub(crate) caller: usize,
}

/// Which of the two query endpoints asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Data,
    Tooling,
}

/// The type of a column, as a describe names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Id,
    Reference,
    Text,
    Bool,
    Int,
    Time,
}

impl Kind {
    /// The describe's `type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Reference => "reference",
            Self::Text => "string",
            Self::Bool => "boolean",
            Self::Int => "int",
            Self::Time => "datetime",
        }
    }
}

/// Reads a cell.
pub(crate) type Getter = for<'a> fn(View<'a>, usize) -> Value<'a>;

/// A column.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) filterable: bool,
    pub(crate) sortable: bool,
    pub(crate) groupable: bool,
    /// Shown by the Tooling API only.
    pub(crate) tooling_only: bool,
    /// Exists only while this holds.
    pub(crate) when: Option<fn(View<'_>) -> bool>,
    pub(crate) get: Getter,
}

impl Column {
    const fn new(name: &'static str, kind: Kind, get: Getter) -> Self {
        let groupable = !matches!(kind, Kind::Time);
        Self {
            name,
            kind,
            filterable: true,
            sortable: true,
            groupable,
            tooling_only: false,
            when: None,
            get,
        }
    }

    const fn not_filterable(self) -> Self {
        Self { filterable: false, ..self }
    }

    const fn not_sortable(self) -> Self {
        Self { sortable: false, ..self }
    }

    const fn not_groupable(self) -> Self {
        Self { groupable: false, ..self }
    }

    const fn tooling_only(self) -> Self {
        Self { tooling_only: true, ..self }
    }

    const fn when(self, exists: fn(View<'_>) -> bool) -> Self {
        Self { when: Some(exists), ..self }
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Column({})", self.name)
    }
}

pub(crate) const fn id(name: &'static str, get: Getter) -> Column {
    Column::new(name, Kind::Id, get)
}

pub(crate) const fn reference(name: &'static str, get: Getter) -> Column {
    Column::new(name, Kind::Reference, get)
}

pub(crate) const fn text(name: &'static str, get: Getter) -> Column {
    Column::new(name, Kind::Text, get)
}

pub(crate) const fn flag(name: &'static str, get: Getter) -> Column {
    Column::new(name, Kind::Bool, get)
}

pub(crate) const fn int(name: &'static str, get: Getter) -> Column {
    Column::new(name, Kind::Int, get)
}

pub(crate) const fn time(name: &'static str, get: Getter) -> Column {
    Column::new(name, Kind::Time, get)
}

/// One column appears only once Support has enabled API Access Control.
pub(crate) const fn exists_for(permission: Permission) -> Option<fn(View<'_>) -> bool> {
    match permission {
        Permission::UseAnyApiClient => Some(|view| view.state.behaviour.use_any_api_client_column),
        _ => None,
    }
}

/// A lookup to a parent row.
pub(crate) struct Relation {
    pub(crate) name: &'static str,
    pub(crate) to: &'static Entity,
    pub(crate) follow: fn(View<'_>, usize) -> Option<usize>,
}

impl fmt::Debug for Relation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Relation({} -> {})", self.name, self.to.name)
    }
}

/// Who sees the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access {
    /// Every user of the API.
    Anyone,
    /// Users with one of these; for others the type does not exist.
    Needs(&'static [Permission]),
    /// Users with one of these; others see only rows of their own.
    OwnRowsUnless(&'static [Permission], fn(View<'_>, usize) -> bool),
}

/// Rows kept in the order of a time column, so that ranges of it need no scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sorted {
    pub(crate) column: &'static str,
    /// The row at a place.
    pub(crate) at: fn(View<'_>, usize) -> usize,
    /// The places whose time lies within the bounds.
    pub(crate) within: fn(View<'_>, i64, i64) -> Range<usize>,
}

/// An object type.
pub(crate) struct Entity {
    pub(crate) name: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) exists: fn(View<'_>, Api) -> bool,
    pub(crate) access: Access,
    /// Rows, dead ones included.
    pub(crate) rows: fn(View<'_>) -> usize,
    pub(crate) live: fn(View<'_>, usize) -> bool,
    pub(crate) sorted: Option<Sorted>,
    pub(crate) columns: &'static [&'static [Column]],
    pub(crate) relations: &'static [Relation],
}

impl fmt::Debug for Entity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Entity({})", self.name)
    }
}

impl Entity {
    /// The columns that exist here and now.
    pub(crate) fn columns(
        &'static self,
        view: View<'_>,
        api: Api,
    ) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().copied().flatten().filter(move |column| {
            (!column.tooling_only || api == Api::Tooling)
                && column.when.is_none_or(|exists| exists(view))
        })
    }

    /// The column of this name, whatever the case.
    pub(crate) fn column(
        &'static self,
        name: &str,
        view: View<'_>,
        api: Api,
    ) -> Option<&'static Column> {
        self.columns(view, api).find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The relation of this name, whatever the case.
    pub(crate) fn relation(&'static self, name: &str) -> Option<&'static Relation> {
        self.relations.iter().find(|relation| relation.name.eq_ignore_ascii_case(name))
    }

    /// The id of a row.
    pub(crate) fn id(&self, view: View<'_>, row: usize) -> String {
        view.state.id(self.prefix, row).to_string()
    }

    /// Whether the caller may see a live row.
    pub(crate) fn visible(&self, view: View<'_>, row: usize) -> bool {
        (self.live)(view, row)
            && match self.access {
                Access::Anyone | Access::Needs(_) => true,
                Access::OwnRowsUnless(any_of, own) => {
                    view.state.users[view.caller].permissions().has_any(any_of) || own(view, row)
                }
            }
    }
}

/// Defaults for an entity's declaration.
const fn entity(name: &'static str, prefix: &'static str) -> Entity {
    Entity {
        name,
        prefix,
        exists: |_, api| api == Api::Data,
        access: Access::Anyone,
        rows: |_| 0,
        live: |_, _| true,
        sorted: None,
        columns: &[],
        relations: &[],
    }
}

static ENTITIES: &[&Entity] = &[
    &tokens::OAUTH_TOKEN,
    &apps::CONNECTED_APPLICATION,
    &apps::EXTERNAL_CLIENT_APPLICATION,
    &apps::EXTERNAL_POLICY,
    &apps::EXTERNAL_OAUTH_POLICY,
    &apps::EXTERNAL_OAUTH_SETTINGS,
    &apps::EXTERNAL_IP_RANGE,
    &apps::APP_MENU_ITEM,
    &people::USER,
    &people::USER_LOGIN,
    &people::PROFILE,
    &people::PERMISSION_SET,
    &people::PERMISSION_SET_ASSIGNMENT,
    &people::SETUP_ENTITY_ACCESS,
    &people::USER_PERMISSION_ACCESS,
    &org::ORGANIZATION,
    &org::CONNECTED_APP_SETTINGS,
    &org::INSTALLED_SUBSCRIBER_PACKAGE,
    &audit::LOGIN_HISTORY,
    &audit::EVENT_LOG_FILE,
    &audit::SETUP_AUDIT_TRAIL,
];

/// The object types that this caller can see on this endpoint.
pub(crate) fn entities(view: View<'_>, api: Api) -> impl Iterator<Item = &'static Entity> {
    let held = view.state.users[view.caller].permissions();
    ENTITIES.iter().copied().filter(move |entity| {
        let allowed = match entity.access {
            Access::Needs(any_of) => held.has_any(any_of),
            Access::Anyone | Access::OwnRowsUnless(..) => true,
        };
        allowed && (entity.exists)(view, api)
    })
}

/// The object type of this name, whatever the case.
pub(crate) fn find(name: &str, view: View<'_>, api: Api) -> Option<&'static Entity> {
    entities(view, api).find(|entity| entity.name.eq_ignore_ascii_case(name))
}
