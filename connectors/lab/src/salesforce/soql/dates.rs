//! SOQL date literals (`TODAY`, `LAST_N_DAYS:90`) as ranges of seconds, in UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const PLAIN: [&str; 10] = [
    "YESTERDAY",
    "TODAY",
    "TOMORROW",
    "LAST_WEEK",
    "THIS_WEEK",
    "LAST_MONTH",
    "THIS_MONTH",
    "LAST_90_DAYS",
    "LAST_YEAR",
    "THIS_YEAR",
];
const COUNTED: [&str; 5] =
    ["LAST_N_DAYS", "NEXT_N_DAYS", "N_DAYS_AGO", "LAST_N_WEEKS", "LAST_N_MONTHS"];

/// Whether a word is a date literal.
pub(crate) fn is_name(word: &str) -> bool {
    PLAIN.contains(&word) || takes_count(word)
}

/// Whether a date literal ends in `:n`.
pub(crate) fn takes_count(word: &str) -> bool {
    COUNTED.contains(&word)
}

/// The first and last second of a date literal; `None` if it leaves the calendar.
pub(crate) fn range(name: &str, count: Option<i64>, now: Timestamp) -> Option<(i64, i64)> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let n = i32::try_from(count.unwrap_or(0)).ok()?;
    let days = |from: i32, to: i32| {
        Some((
            start(today.checked_add(from.days()).ok()?)?,
            end(today.checked_add(to.days()).ok()?)?,
        ))
    };
    let weekday = i32::from(today.weekday().to_sunday_zero_offset());
    match name {
        "YESTERDAY" => days(-1, -1),
        "TODAY" => days(0, 0),
        "TOMORROW" => days(1, 1),
        "LAST_90_DAYS" => days(-90, 0),
        "LAST_N_DAYS" => days(-n, 0),
        "NEXT_N_DAYS" => days(1, n),
        "N_DAYS_AGO" => days(-n, -n),
        "LAST_WEEK" => days(-weekday - 7, -weekday - 1),
        "THIS_WEEK" => days(-weekday, 6 - weekday),
        "LAST_N_WEEKS" => days(-weekday - 7 * n, -weekday - 1),
        "THIS_MONTH" => months(today, 0, 0),
        "LAST_MONTH" => months(today, -1, -1),
        "LAST_N_MONTHS" => months(today, -n, -1),
        "THIS_YEAR" => Some((start(today.first_of_year())?, end(today.last_of_year())?)),
        "LAST_YEAR" => {
            let last = today.checked_sub(1.year()).ok()?;
            Some((start(last.first_of_year())?, end(last.last_of_year())?))
        }
        _ => None,
    }
}

fn months(today: Date, from: i32, to: i32) -> Option<(i64, i64)> {
    let first = today.first_of_month();
    let last = first.checked_add(to.months()).ok()?.last_of_month();
    Some((start(first.checked_add(from.months()).ok()?)?, end(last)?))
}

fn start(date: Date) -> Option<i64> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

fn end(date: Date) -> Option<i64> {
    Some(start(date)? + 86_399)
}

/// A date-time literal in seconds; a bare date is refused, as the platform does for date-time columns.
pub(crate) fn datetime(text: &str) -> Option<i64> {
    if !text.contains('T') {
        return None;
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_whole_days_in_utc() {
        let now: Timestamp = "2026-01-15T12:34:56Z".parse().unwrap();
        let shown = |name: &str, count| {
            let (from, to) = range(name, count, now).unwrap();
            let show = |second| Timestamp::from_second(second).unwrap().to_string();
            (show(from), show(to))
        };
        let day = |from: &str, to: &str| (format!("{from}T00:00:00Z"), format!("{to}T23:59:59Z"));
        assert_eq!(shown("TODAY", None), day("2026-01-15", "2026-01-15"));
        assert_eq!(shown("LAST_N_DAYS", Some(90)), day("2025-10-17", "2026-01-15"));
        assert_eq!(shown("LAST_MONTH", None), day("2025-12-01", "2025-12-31"));
        assert_eq!(shown("LAST_WEEK", None), day("2026-01-04", "2026-01-10"));
        assert_eq!(shown("LAST_YEAR", None), day("2025-01-01", "2025-12-31"));
        assert_eq!(
            datetime("2026-01-15T00:00:00.000+0000"),
            range("TODAY", None, now).map(|r| r.0)
        );
        assert_eq!(datetime("2026-01-15"), None);
    }
}
