//! Times as the platform writes them.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// `2026-01-15T12:00:00Z`.
pub(crate) fn zulu(seconds: i64) -> String {
    at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-01-15T14:00:00.000+02:00`, as installations sometimes have it.
pub(crate) fn offset(seconds: i64) -> String {
    let zone = TimeZone::fixed(Offset::constant(2));
    at(seconds).to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S.000%:z").to_string()
}

/// `2026-01-15 12:00:00 UTC`.
pub(crate) fn spoken(seconds: i64) -> String {
    at(seconds).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_times() {
        assert_eq!(zulu(0), "1970-01-01T00:00:00Z");
        assert_eq!(offset(0), "1970-01-01T02:00:00.000+02:00");
        assert_eq!(spoken(0), "1970-01-01 00:00:00 UTC");
    }
}
