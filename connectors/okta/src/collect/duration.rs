//! Spans of time as Okta writes them (ISO 8601): `P30D`, `PT5M`.

use std::time::Duration;

/// `None` for another form, and for months and years, which have no fixed length.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (rest, None),
    };
    let mut seconds = units(days, &[('W', 604_800), ('D', 86_400)])?;
    if let Some(time) = time {
        if time.is_empty() {
            return None;
        }
        let more = units(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
        seconds = seconds.checked_add(more)?;
    }
    let is_empty = days.is_empty() && time.is_none();
    (!is_empty).then(|| Duration::from_secs(seconds))
}

/// Adds up numbers with units, which come in this order.
fn units(text: &str, known: &[(char, u64)]) -> Option<u64> {
    let (mut rest, mut total, mut known) = (text, 0_u64, known);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        let at = known.iter().position(|(name, _)| *name == unit)?;
        total = total.checked_add(number.checked_mul(known[at].1)?)?;
        known = &known[at + 1..];
        rest = &rest[end + 1..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_okta_writes_and_nothing_vague() {
        let seconds = |text| parse(text).map(|span| span.as_secs());
        assert_eq!(seconds("P30D"), Some(2_592_000));
        assert_eq!(seconds("PT5M"), Some(300));
        assert_eq!(seconds("P1W"), Some(604_800));
        assert_eq!(seconds("P1DT2H3S"), Some(93_603));
        for text in [
            "",
            "P",
            "30D",
            "P1M",
            "P1Y",
            "PT",
            "P1DT",
            "PT1.5S",
            "P1D1W",
            "PD",
            "P99999999999999999999D",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
