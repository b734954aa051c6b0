//! [`Change`] and [`NotCompared`]: what a comparison says, as data for every format.

use grantwarden_kit::model::Reason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

use super::Kind;
use crate::finding::AppRef;

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Platform id.
    pub platform: String,
    /// The user's name for the tenant, in the newer snapshot if it is there.
    pub tenant: String,
    /// What changed.
    pub kind: Kind,
    /// Of what.
    pub subject: Subject,
    /// The app that is concerned; null for a tenant.
    pub app: Option<AppRef>,
    /// The principal behind the grant, by sign-in name where known; null where there is none.
    pub principal: Option<String>,
    /// What is there now and was not: scopes, hosts. Of a new grant all its scopes, as far as they are visible.
    pub added: Vec<String>,
    /// What was there and is not: scopes, hosts. Of a grant that is gone all its scopes, as far as they were visible.
    pub removed: Vec<String>,
    /// What it was; null where nothing was, or where `added` and `removed` say it.
    pub before: Option<String>,
    /// What it is; null where nothing is, or where `added` and `removed` say it.
    pub after: Option<String>,
    /// How many grants are concerned: 1 for a grant; those of the app that the principal stands behind; all of a new tenant. Null where
    /// it is not about grants.
    pub grants: Option<u64>,
    /// One plain sentence.
    pub message: String,
}

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// The platform's id, as in the inventory; of something that took the place of another the newer id.
    pub id: String,
    /// For a person.
    pub label: String,
}

/// What kind of thing a [`Subject`] is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Display, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum SubjectKind {
    /// The tenant as a whole.
    Tenant,
    /// An app.
    App,
    /// A grant.
    Grant,
    /// A credential of an app.
    Credential,
    /// A principal behind grants.
    Principal,
}

/// Which of the two snapshots did not see something.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Side {
    /// The older one.
    Old,
    /// The newer one.
    New,
    /// Both.
    Both,
}

impl Side {
    /// The same with the snapshots the other way round.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Old => Self::New,
            Self::New => Self::Old,
            Self::Both => Self::Both,
        }
    }
}

/// Something that cannot be compared because a snapshot did not see it. It is neither new nor gone nor unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotCompared {
    /// Platform id.
    pub platform: String,
    /// The user's name for the tenant.
    pub tenant: String,
    /// What: `tenant`, a part (`part: OAuth tokens of all users`), or a fact (`grant.scopes`).
    pub what: String,
    /// Which snapshot did not see it.
    pub side: Side,
    /// Why.
    pub reason: Reason,
    /// The facet that was to deliver it; empty if it is not one facet's.
    pub facet: String,
    /// The reason in a sentence.
    pub detail: String,
    /// How many records are concerned: those whose fact is not visible; of a part those that only the other snapshot has, and that are
    /// therefore neither new nor gone.
    pub records: u64,
    /// Whether it makes the comparison incomplete (exit code 3). Not so where neither snapshot could see it and no other right, time or
    /// try would show it.
    pub counts: bool,
}

impl NotCompared {
    pub(super) fn order(&self) -> (&str, &str, &str, Side, Reason, &str, &str) {
        let Self { tenant, platform, what, side, reason, facet, detail, .. } = self;
        (tenant, platform, what, *side, *reason, facet, detail)
    }
}
