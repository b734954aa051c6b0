//! Small pieces of JSON that several resources share.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// `2026-01-15T12:00:00Z`.
pub(crate) fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// A date, or null.
pub(crate) fn date_or_null(seconds: Option<i64>) -> Json {
    seconds.map_or(Json::Null, |at| json!(date(at)))
}
