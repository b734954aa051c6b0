//! [`Observed`]: a fact, its proven absence, or the reason why it could not be seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One fact about the tenant as far as the scan could see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    /// The platform gave this value.
    Known(T),
    /// The platform says that there is none.
    Absent,
    /// Not visible; the gap says why. Never to be read as `Absent`.
    Unknown(Gap),
}

impl<T> Observed<T> {
    /// The value, if it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unknown(_) => None,
        }
    }

    /// The gap, if the fact could not be seen.
    pub const fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Unknown(gap) => Some(gap),
            Self::Known(_) | Self::Absent => None,
        }
    }

    /// `Known(value)` or `Absent`, for a field whose null means "there is none".
    pub fn from_option(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }

    /// Changes a known value and keeps the other two as they are.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Known(value) => Observed::Known(change(value)),
            Self::Absent => Observed::Absent,
            Self::Unknown(gap) => Observed::Unknown(gap),
        }
    }

    /// Borrows the value.
    pub fn as_ref(&self) -> Observed<&T> {
        match self {
            Self::Known(value) => Observed::Known(value),
            Self::Absent => Observed::Absent,
            Self::Unknown(gap) => Observed::Unknown(gap.clone()),
        }
    }

    /// For a fact that records did not have when they were written down.
    pub(super) fn not_recorded() -> Self {
        Self::unknown(Reason::PlatformSilent, "", "written down before this was recorded")
    }

    /// `Unknown` for the given reason.
    pub fn unknown(reason: Reason, facet: &str, detail: impl Into<String>) -> Self {
        Self::Unknown(Gap::new(reason, facet, detail))
    }
}

/// Why something that exists on the platform could not be seen.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Gap {
    /// The class of cause; decides whether the scan counts as incomplete.
    pub reason: Reason,
    /// The facet of the connector's manifest that was to deliver the fact, for example `grants`.
    pub facet: String,
    /// One sentence for a person: what was tried and what came back.
    pub detail: String,
}

impl Gap {
    /// A gap in one facet.
    pub fn new(reason: Reason, facet: &str, detail: impl Into<String>) -> Self {
        Self { reason, facet: facet.to_owned(), detail: detail.into() }
    }
}

/// The class of cause of a [`Gap`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The scanner's identity lacks a right that an administrator can give.
    Permission,
    /// The tenant has not bought, or not switched on, the product that would tell.
    Licence,
    /// The platform has no interface that tells.
    PlatformSilent,
    /// A call failed in spite of retries, or its answer could not be read.
    CallFailed,
    /// The tenant's quota was used up, or kept back by the quota guard.
    Quota,
    /// The object went away between being listed and being read.
    Vanished,
    /// Counts taken before and after do not agree with what was read.
    CountMismatch,
    /// The scan was cancelled first.
    Cancelled,
    /// The configuration says not to look (`skip`).
    Skipped,
    /// There is no earlier scan, or none that saw enough, to compare with.
    NothingBefore,
}

impl Reason {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::Licence => "licence",
            Self::PlatformSilent => "platform-silent",
            Self::CallFailed => "call-failed",
            Self::Quota => "quota",
            Self::Vanished => "vanished",
            Self::CountMismatch => "count-mismatch",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::NothingBefore => "nothing-before",
        }
    }

    /// Whether a promised part with such a gap makes the scan incomplete (exit code 3).
    ///
    /// What nobody can see (`PlatformSilent`, `Licence`), what is gone (`Vanished`), what the user gave up (`Skipped`) and what no
    /// earlier scan tells (`NothingBefore`) is said in the report, but another scan with other rights would not see it either.
    pub const fn is_loss(self) -> bool {
        match self {
            Self::Permission
            | Self::CallFailed
            | Self::Quota
            | Self::CountMismatch
            | Self::Cancelled => true,
            Self::Licence
            | Self::PlatformSilent
            | Self::Vanished
            | Self::Skipped
            | Self::NothingBefore => false,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Credential;

    /// An inventory of an older version is read, and what it lacks is not known.
    #[test]
    fn a_fact_that_was_not_recorded_is_unknown() {
        let text = r#"{"id":"1","app":"2","kind":"certificate","created_at":"absent","expires_at":"absent","last_used_at":"absent"}"#;
        let credential: Credential = serde_json::from_str(text).unwrap();
        assert!(credential.name.gap().is_some());
    }
}
