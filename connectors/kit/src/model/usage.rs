//! What an app did, folded from the platform's own logs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// What one app did in one stretch of log, as counts. Never a log line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// [`super::App::id`], or the name in the log where no id is logged.
    pub app: String,
    /// The log that this comes from, in the platform's words.
    pub log: String,
    /// Start of the stretch of log that was read.
    pub from: Timestamp,
    /// End of the stretch of log that was read.
    pub to: Timestamp,
    /// Calls, sign-ins or rows.
    pub events: u64,
    /// Source addresses, most frequent first; at most [`Usage::TOP`].
    pub addresses: Vec<Count>,
    /// User agents or client names, most frequent first; at most [`Usage::TOP`].
    pub agents: Vec<Count>,
    /// Objects or operations touched, most frequent first; at most [`Usage::TOP`].
    pub objects: Vec<Count>,
    /// Principals that the app acted as, most frequent first; at most [`Usage::TOP`].
    pub principals: Vec<Count>,
    /// What was done, where the log tells it apart from the object: `REST GET`. Most frequent first; at most [`Usage::TOP`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Count>,
    /// Versions of the platform's API that the app asked for, most frequent first; at most [`Usage::TOP`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Count>,
}

impl Usage {
    /// How many entries each list keeps.
    pub const TOP: usize = 25;
    /// What stands in an app's name or in a list for everything that was not counted apart.
    pub const OTHERS: &str = "(others)";
}

/// How often a value occurred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// As logged.
    pub value: String,
    /// How often.
    pub count: u64,
}
