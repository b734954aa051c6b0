//! [`Span`]: a length of time as people write it in a configuration: `90d`, `12h`.

use std::{fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// Letters and their seconds, the longest first. Months and years are left out: they have no fixed length.
const UNITS: [(char, u64); 4] = [('w', WEEK), ('d', DAY), ('h', HOUR), ('m', MINUTE)];

/// A length of time in whole seconds, written as a number and one unit: `m` minutes, `h` hours, `d` days, `w` weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

impl Span {
    /// So many days of 24 hours.
    pub const fn days(days: u32) -> Self {
        Self(Duration::from_secs(days as u64 * DAY))
    }

    /// As the standard library's type.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl fmt::Display for Span {
    /// In days where they fit, else in the longest unit that fits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (letter, unit) = UNITS[1..]
            .iter()
            .find(|(_, unit)| seconds.is_multiple_of(*unit) && seconds >= *unit)
            .unwrap_or(&('m', MINUTE));
        write!(f, "{}{letter}", seconds / unit)
    }
}

/// The text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time; write a number and a unit: `90d`, `12h`, `2w`, `30m`")]
pub struct ParseSpanError(String);

impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (_, unit) = UNITS.iter().find(|(letter, _)| text.ends_with(*letter))?;
            let digits = &text[..text.len() - 1];
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            digits.parse::<u64>().ok()?.checked_mul(*unit)
        };
        let seconds = parse().ok_or_else(|| ParseSpanError(text.to_owned()))?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A number and a unit: m minutes, h hours, d days, w weeks.",
            "pattern": "^[0-9]+[mhdw]$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_what_people_write() {
        for (text, seconds, written) in [
            ("90d", 7_776_000, "90d"),
            ("12h", 43_200, "12h"),
            ("48h", 172_800, "2d"),
            ("2w", 1_209_600, "14d"),
            ("90m", 5_400, "90m"),
            ("0d", 0, "0m"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.duration().as_secs(), seconds, "{text}");
            assert_eq!(span.to_string(), written);
        }
    }

    #[test]
    fn says_how_to_write_it() {
        for text in [
            "",
            "d",
            "90",
            "90 d",
            "-1d",
            "+1d",
            "1.5d",
            "3mo",
            "99999999999999999999d",
            "9d\u{e9}",
        ] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains("write a number and a unit"), "{text}: {error}");
        }
    }
}
