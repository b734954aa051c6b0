//! [`Timestamp`]: an instant in UTC. The only place that knows which time library is underneath.

use std::{fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An instant in UTC, written as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; `None` outside the years -9999 to 9999.
    pub fn from_second(seconds: i64) -> Option<Self> {
        jiff::Timestamp::from_second(seconds).ok().map(Self)
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded towards zero.
    pub fn as_second(self) -> i64 {
        self.0.as_second()
    }

    /// Microseconds since 1970-01-01T00:00:00Z; `None` outside the years -9999 to 9999.
    pub fn from_microsecond(microseconds: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(microseconds).ok().map(Self)
    }

    /// Microseconds since 1970-01-01T00:00:00Z, rounded towards zero.
    pub fn as_microsecond(self) -> i64 {
        self.0.as_microsecond()
    }

    /// This instant without fractions of a second: for sentences, and for platforms that document whole seconds only.
    #[must_use]
    pub fn whole_second(self) -> Self {
        Self::from_second(self.as_second()).unwrap_or(self)
    }

    /// How long before `later` this instant lies; zero if it does not.
    pub fn until(self, later: Self) -> Duration {
        later.0.duration_since(self.0).try_into().unwrap_or(Duration::ZERO)
    }

    /// Whole days from this instant to `later`; zero if `later` is earlier.
    pub fn days_until(self, later: Self) -> u64 {
        self.until(later).as_secs() / 86_400
    }

    /// This instant moved forward; saturates at the end of time.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span).unwrap_or(jiff::Timestamp::MAX))
    }

    /// This instant moved back; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span).unwrap_or(jiff::Timestamp::MIN))
    }

    /// The calendar date in UTC, `2026-01-31`.
    pub fn date(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(inner: jiff::Timestamp) -> Self {
        Self(inner)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The text is not a point in time.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a time; write it as 2026-01-31T12:00:00Z or 2026-01-31")]
pub struct ParseTimestampError {
    text: String,
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Reads RFC 3339, RFC 3339 with an offset without colon (`+0000`, as Salesforce writes it), or a bare date (midnight UTC).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseTimestampError { text: text.to_owned() };
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(instant));
        }
        if let Ok(instant) = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
            return Ok(Self(instant));
        }
        let date: jiff::civil::Date = text.parse().map_err(|_| fail())?;
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| fail())?;
        Ok(Self(midnight.timestamp()))
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_platforms_write() {
        let expected = "2026-01-31T00:00:00Z".parse::<Timestamp>().unwrap();
        for text in ["2026-01-31", "2026-01-31T00:00:00.000+0000", "2026-01-31T01:00:00+01:00"] {
            assert_eq!(text.parse::<Timestamp>().unwrap(), expected, "{text}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert!("2026-02-30".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_later_instant_is_zero_days_before_an_earlier_one() {
        let early: Timestamp = "2026-01-01".parse().unwrap();
        let late: Timestamp = "2026-03-02".parse().unwrap();
        assert_eq!(early.days_until(late), 60);
        assert_eq!(late.days_until(early), 0);
    }
}
