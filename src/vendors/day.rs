//! [`Day`]: a calendar day in a file that people write.

use std::fmt;

use grantwarden_kit::model::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Seconds of a day.
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// A calendar day in UTC, from its first to its last moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Timestamp);

impl Day {
    /// Reads `2026-01-31`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_bare = text.len() == 10;
        text.parse().ok().filter(|_| is_bare).map(Self)
    }

    /// Whether even its last moment is over.
    pub fn is_over(self, now: Timestamp) -> bool {
        self.0.plus(DAY) <= now
    }

    /// Whole days since its beginning; zero if it has not begun.
    pub fn age(self, now: Timestamp) -> u64 {
        self.0.days_until(now)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.date())
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    /// A date of TOML, or a text that looks like one.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::Datetime(date) => date.to_string(),
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a date; write 2026-01-31")))
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_when_its_last_moment_is() {
        let day = Day::parse("2026-01-31").unwrap();
        assert!(!day.is_over("2026-01-31T23:59:59Z".parse().unwrap()));
        assert!(day.is_over("2026-02-01".parse().unwrap()));
        assert_eq!(day.age("2026-02-02".parse().unwrap()), 2);
    }

    #[test]
    fn only_real_dates_are_read() {
        for text in ["2026-02-30", "2026-1-31", "31.01.2026", "2026-01-31T00:00:00Z", "soon", ""] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
