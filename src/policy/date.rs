//! [`Date`]: a day of the calendar in UTC, in a file that people write.

use std::{fmt, time::Duration};

use grantwarden_kit::model::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A day of the calendar in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(Timestamp);

impl Date {
    const DAY: Duration = Duration::from_secs(86_400);

    /// Whether the whole day lies before this time.
    pub fn is_over(self, now: Timestamp) -> bool {
        self.0.plus(Self::DAY) <= now
    }

    /// Whole days since its beginning; 0 if it has not begun.
    pub fn age(self, now: Timestamp) -> u64 {
        self.0.days_until(now)
    }

    /// Whole days from this time to the day's beginning; 0 if it has begun.
    pub(super) fn days_ahead(self, now: Timestamp) -> u64 {
        let begun = now.until(self.0).as_secs();
        begun.div_ceil(Self::DAY.as_secs())
    }

    fn read(text: &str) -> Option<Self> {
        let day: Timestamp = text.parse().ok()?;
        (text == day.date()).then_some(Self(day))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.date())
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Both `2026-12-31` and `"2026-12-31"`: TOML has dates, and people write texts.
impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            toml::Value::Datetime(date) => date.to_string(),
            other => other.to_string(),
        };
        Self::read(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is not a day; write it as 2026-12-31"))
        })
    }
}

impl JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_lasts_to_its_end_in_utc() {
        let day = Date::read("2026-12-31").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(!day.is_over(at("2026-12-31T23:59:59Z")));
        assert!(day.is_over(at("2027-01-01T00:00:00Z")));
        assert!(day.is_over(at("2026-12-31T23:59:59-01:00")));
        assert_eq!(day.days_ahead(at("2026-12-30T12:00:00Z")), 1);
        assert_eq!(day.days_ahead(at("2026-12-31T12:00:00Z")), 0);
        assert_eq!(day.days_ahead(at("2025-12-31")), 365);
        assert_eq!((day.age(at("2027-01-02")), day.age(at("2026-12-30"))), (2, 0));
        for text in ["2026-02-30", "2026-1-1", "2026-12-31T00:00:00Z", "tomorrow", ""] {
            assert_eq!(Date::read(text), None, "{text}");
        }
    }
}
