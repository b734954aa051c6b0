//! Times as the API writes and reads them.

use jiff::Timestamp;

/// `2026-01-15T12:00:00.000Z`.
pub(crate) fn iso(seconds: i64) -> String {
    iso_millis(seconds.saturating_mul(1_000))
}

/// The same, of milliseconds.
pub(crate) fn iso_millis(millis: i64) -> String {
    let time = Timestamp::from_millisecond(millis).unwrap_or_default();
    format!("{time:.3}")
}

/// Milliseconds of a time that a client wrote.
pub(crate) fn millis(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_of_a_second() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_millis(1_768_478_400_123), "2026-01-15T12:00:00.123Z");
        assert_eq!(millis("2026-01-15T12:00:00.123Z"), Some(1_768_478_400_123));
        assert_eq!(millis("2026-01-15T13:00:00+01:00"), Some(1_768_478_400_000));
        assert_eq!(millis("yesterday"), None);
    }
}
