//! The lines of an inventory file.

use std::borrow::Cow;

use grantwarden_kit::{
    error::Error,
    model::{Coverage, Record, Timestamp},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the format. A reader refuses a higher one.
pub const SCHEMA: u32 = 2;

/// One line. Exactly one of `snapshot`, `record`, `tenant_end` and `end` is there; `tenant` stands beside `record`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line<'a> {
    /// The first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Header>,
    /// The name of the tenant that the record belongs to.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Cow<'a, str>>,
    /// One thing found. An app comes before its grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// The last line of a tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_end: Option<TenantEnd>,
    /// The last line of the file: how many `record` lines came before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
}

/// The first line of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of the tool that wrote it.
    pub tool: String,
    /// When the scan began.
    pub taken_at: Timestamp,
}

impl Header {
    /// Of an inventory that this version writes. Its time has microseconds, as the store keeps times: since when a finding is there is then
    /// the very time of a scan.
    pub fn new(taken_at: Timestamp) -> Self {
        let taken_at = Timestamp::from_microsecond(taken_at.as_microsecond()).unwrap_or(taken_at);
        Self { schema: SCHEMA, tool: env!("CARGO_PKG_VERSION").to_owned(), taken_at }
    }
}

/// What is known about a tenant once its scan is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantEnd {
    /// The user's name for it.
    pub name: String,
    /// Platform id.
    pub platform: String,
    /// When its scan began.
    pub started_at: Timestamp,
    /// When its scan ended.
    pub finished_at: Timestamp,
    /// HTTP calls sent.
    pub calls: u64,
    /// What was read and what was not.
    pub coverage: Coverage,
    /// Why nothing was read at all, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Why a tenant could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What happened, with the platform's answer.
    pub message: String,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        Self { message, hint: error.hint.clone() }
    }
}

impl TenantEnd {
    /// Whether everything that the connector promises was read.
    pub fn is_whole(&self) -> bool {
        self.failure.is_none() && self.coverage.is_whole()
    }
}
