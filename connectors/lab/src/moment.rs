//! A point in time as world files write it: absolute (`2026-01-15T09:00:00Z`, `2026-01-15`) or
//! relative to the world's now (`-45d`, `-1d12h`, `+30m`, `now`).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, absolute or relative to the world's now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A fixed time.
    At(Timestamp),
    /// Seconds before (negative) or after the world's now.
    FromNow(i64),
}

impl Moment {
    /// Seconds since the epoch, for a world whose now is `now`.
    pub(crate) fn seconds(self, now: Timestamp) -> i64 {
        match self {
            Self::At(time) => time.as_second(),
            Self::FromNow(offset) => now.as_second() + offset,
        }
    }
}

/// Why a text is not a [`Moment`].
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a time: write RFC 3339 (`2026-01-15T09:00:00Z`), a date, or an offset like `-45d`"
)]
pub struct MomentError(String);

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        if text == "now" {
            return Ok(Self::FromNow(0));
        }
        let parsed = match text.strip_prefix('-').map(|rest| (-1, rest)) {
            Some((sign, rest)) => offset(rest).map(|seconds| Self::FromNow(sign * seconds)),
            None => match text.strip_prefix('+') {
                Some(rest) => offset(rest).map(Self::FromNow),
                None => absolute(text).map(Self::At),
            },
        };
        parsed.ok_or_else(|| MomentError(text.to_owned()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time) => write!(out, "{time}"),
            Self::FromNow(0) => out.write_str("now"),
            Self::FromNow(seconds) => write!(out, "{seconds:+}s"),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn absolute(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        let date: Date = text.parse().ok()?;
        date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// Sums `1d12h` into seconds; every number needs its unit.
pub(crate) fn offset(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        let count: i64 = rest.get(..digits)?.parse().ok()?;
        total = total.checked_add(count.checked_mul(unit)?)?;
        rest = rest.get(digits + 1..)?;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_absolute_and_relative_times() {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let at = |text: &str| {
            let seconds = text.parse::<Moment>().unwrap().seconds(now);
            Timestamp::from_second(seconds).unwrap().to_string()
        };
        assert_eq!(at("-45d"), "2025-12-01T12:00:00Z");
        assert_eq!(at("-1d12h"), "2026-01-14T00:00:00Z");
        assert_eq!(at("+30m"), "2026-01-15T12:30:00Z");
        assert_eq!(at("now"), "2026-01-15T12:00:00Z");
        assert_eq!(at("2025-08-08"), "2025-08-08T00:00:00Z");
        assert_eq!(at("2025-08-08T01:02:03+09:00"), "2025-08-07T16:02:03Z");
        for bad in ["", "-", "-45", "45d", "yesterday", "-4x"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }
}
