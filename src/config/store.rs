//! `[store]`: where scans are remembered, and for how long.

use std::path::PathBuf;

use grantwarden_kit::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::Span;

/// Where scans are remembered; without it in a file of this user's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// A file of SQLite's; a relative path starts at the folder of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// A PostgreSQL server: a reference to `postgres://user:password@host/database?sslmode=verify-full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<SecretRef>,
    /// Which snapshots are kept; without it all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
}

/// Which snapshots are kept. Findings and what became of them are never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Of each tenant at least the newest so many.
    #[serde(default = "Keep::snapshots")]
    pub snapshots: usize,
    /// And all that are not older than this.
    #[serde(default = "Keep::age")]
    pub age: Span,
}

impl Keep {
    const fn snapshots() -> usize {
        30
    }

    const fn age() -> Span {
        Span::days(400)
    }
}
