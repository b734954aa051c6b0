//! [`Changes`]: what a scan changed in the findings that are remembered. Data only; whoever tells people about it decides what is worth telling.

use grantwarden_kit::model::Timestamp;
use serde::Serialize;

use crate::finding::{Counts, Fingerprint, Severity};

/// Findings that a [`Listed`] holds one by one; of more only the number is known.
pub const MOST_LISTED: usize = 500;

/// What a scan changed, compared with what was remembered before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Number of the scan in the store.
    pub scan: i64,
    /// When it began.
    pub taken_at: Timestamp,
    /// When the scan before it began, of any of the same tenants; `None` if there was none.
    pub before: Option<Timestamp>,
    /// The tenants that were scanned, by the user's names for them.
    pub tenants: Vec<String>,
    /// Tenants of which a promised part was not read: nothing of theirs counts as resolved.
    pub incomplete: Vec<String>,
    /// Findings that count now.
    pub active: Counts,
    /// Findings that were never seen before.
    pub new: Listed,
    /// Findings that were gone and are back.
    pub reopened: Listed,
    /// Findings that were there and are graver now, or were accepted and count now.
    pub worse: Listed,
    /// Findings that are gone from tenants that were read whole.
    pub resolved: Listed,
}

/// Findings of one kind of change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// How many there are.
    pub counts: Counts,
    /// The gravest of them, by severity, then fingerprint; at most [`MOST_LISTED`].
    pub first: Vec<Item>,
}

/// As much of a finding as a message needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The finding's identity.
    pub fingerprint: Fingerprint,
    /// Id of the rule.
    pub rule: String,
    /// How grave it is; of a resolved one how grave it was.
    pub severity: Severity,
    /// Platform id; none for a vendor and for the policy.
    pub platform: Option<String>,
    /// The user's name for the tenant; none for a vendor and for the policy.
    pub tenant: Option<String>,
    /// The app's name, if one is concerned.
    pub app: Option<String>,
    /// What it is about, for a person.
    pub subject: String,
    /// One plain sentence.
    pub message: String,
}

impl Changes {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        [&self.new, &self.reopened, &self.worse, &self.resolved]
            .iter()
            .all(|list| list.counts.total() == 0)
    }
}
