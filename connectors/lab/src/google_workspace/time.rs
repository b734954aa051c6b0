//! Times as the APIs write them: RFC 3339 with milliseconds, and report days in UTC-8.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The hours by which report days lag behind UTC, in seconds.
const PACIFIC: i64 = 8 * 3_600;

/// `2026-01-14T09:00:00.000Z`, from seconds since the epoch.
pub(crate) fn rfc3339(at: i64) -> String {
    // A world's times lie between 1970 and 2106, so none is out of range.
    let time = Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// The report day that a time lies in.
pub(crate) fn report_day(at: i64) -> Date {
    let time = Timestamp::from_second(at - PACIFIC).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(TimeZone::UTC).date()
}

/// The first second after a report day.
pub(crate) fn end_of_report_day(day: Date) -> i64 {
    let next = day.tomorrow().unwrap_or(day);
    next.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second()) + PACIFIC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_days_are_pacific() {
        let at = "2026-01-15T07:59:59Z".parse::<Timestamp>().unwrap().as_second();
        assert_eq!(report_day(at).to_string(), "2026-01-14");
        assert_eq!(report_day(at + 1).to_string(), "2026-01-15");
        assert_eq!(end_of_report_day(report_day(at)), at + 1);
        assert_eq!(rfc3339(at), "2026-01-15T07:59:59.000Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
    }
}
