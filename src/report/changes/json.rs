//! `json`: everything, for programs. Written piece by piece: changes never stand in memory together.
//!
//! The form is documented in `docs/diff.md`; its JSON schema is `grantwarden schema diff`.

use std::{collections::BTreeMap, io::Write};

use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{super::stream::Object, ChangesError};
use crate::inventory::diff::{Change, Diff, Kind, NotCompared, Outline, TenantDiff};

/// The version of the form. It grows when a reader must change.
pub const SCHEMA: u32 = 1;

/// The whole document. Only the schema is made from this type; the writer gives its members one after the other.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of the tool that wrote it.
    pub tool: String,
    /// The older snapshot.
    pub old: Header,
    /// The newer snapshot.
    pub new: Header,
    /// The tenants of both, by name.
    pub tenants: Vec<TenantDiff>,
    /// What cannot be compared: neither new nor gone nor unchanged. By tenant.
    pub not_compared: Vec<NotCompared>,
    /// What is not as it was: by tenant, app, kind and id.
    pub changes: Vec<Change>,
    /// The result.
    pub summary: Summary,
}

/// A snapshot.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Header {
    /// When the scan began.
    pub taken_at: Timestamp,
    /// The version of the tool that took it.
    pub tool: String,
}

/// The result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// How many changes are listed.
    pub changes: u64,
    /// How many of each kind; kinds without any are left out.
    pub by_kind: BTreeMap<Kind, u64>,
    /// How many changes concern the platforms' own apps and are not listed.
    pub hidden: u64,
    /// Whether everything that two scans can see was compared; if not, the exit code is 3, or 1 with `--exit-code` and changes.
    pub complete: bool,
}

pub(super) fn write(diff: &Diff<'_>, to: &mut dyn Write) -> Result<(), ChangesError> {
    let mut object = Object::open(to)?;
    object.member("schema", &SCHEMA)?;
    object.member("tool", &env!("CARGO_PKG_VERSION"))?;
    object.member("old", &Header::of(diff.old))?;
    object.member("new", &Header::of(diff.new))?;
    object.member("tenants", &diff.tenants)?;
    object.member("not_compared", &diff.not_compared)?;
    let mut list = object.list("changes")?;
    diff.for_each::<ChangesError>(|change| Ok(list.item(change)?))?;
    list.close()?;
    object.member("summary", &Summary::of(diff))?;
    object.close()?;
    Ok(())
}

impl Header {
    pub(super) fn of(outline: &Outline) -> Self {
        Self { taken_at: outline.header.taken_at, tool: outline.header.tool.clone() }
    }
}

impl Summary {
    pub(super) fn of(diff: &Diff<'_>) -> Self {
        Self {
            changes: diff.len(),
            by_kind: diff.counts(),
            hidden: diff.hidden(),
            complete: diff.is_whole(),
        }
    }
}
