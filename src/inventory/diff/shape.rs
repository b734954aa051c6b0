//! [`Shapes`]: whether the texts of a grant's line are what they must be. It keeps nothing of what they say.

use grantwarden_kit::model::{
    Approval, Expiry, GrantKind, IpRange, LookAlike, Observed, PrincipalKind, PrincipalStatus,
    Scope, Timestamp,
};
use serde::de::DeserializeOwned;

/// Whether a text is of its type, and if so whether it is a fact that is not visible.
type Check = fn(&str) -> Option<bool>;

/// How many of [`CHECKS`] are facts that may not be visible, in the order of [`super::fact::Fact::OF_GRANT`].
pub(super) const FACTS: usize = 8;
/// How many of [`CHECKS`] are compared; the rest is use, or tells no more than the others.
pub(super) const COMPARED: usize = 10;

/// Those of a grant, in the order in which a [`super::light::Light`] gives their texts.
pub(super) const CHECKS: [Check; 19] = [
    observed::<Vec<Scope>>,
    time,
    observed::<Expiry>,
    observed::<Vec<IpRange>>,
    observed::<Approval>,
    observed::<PrincipalStatus>,
    observed::<bool>,
    observed::<bool>,
    plain::<GrantKind>,
    plain::<String>,
    plain::<String>,
    text,
    time,
    number,
    plain::<Vec<LookAlike>>,
    text,
    observed::<PrincipalKind>,
    observed::<Vec<String>>,
    time,
];

/// What the last text of each check was, and what came of it: most lines say the same as the one before.
#[derive(Default)]
pub(super) struct Shapes([(String, bool); CHECKS.len()]);

impl Shapes {
    /// As [`Check`] says. No text is empty.
    pub(super) fn check(&mut self, at: usize, text: &str) -> Option<bool> {
        let (last, is_unseen) = self.0.get_mut(at)?;
        if last != text {
            *is_unseen = CHECKS.get(at)?(text)?;
            text.clone_into(last);
        }
        Some(*is_unseen)
    }
}

/// A text by the full reader's own types, unless a glance tells: most are absent or plain.
pub(super) fn text(text: &str) -> Option<bool> {
    let is_plain = inside(text).is_some_and(|inner| !inner.contains(['"', '\\']));
    if is_plain { Some(false) } else { observed::<String>(text) }
}

/// A number, in the same way.
fn number(text: &str) -> Option<bool> {
    let digits = text.strip_prefix("{\"known\":").and_then(|rest| rest.strip_suffix('}'));
    // 19 digits always fit.
    let is_plain = digits
        .is_some_and(|digits| digits.len() < 20 && digits.bytes().all(|one| one.is_ascii_digit()));
    if is_plain { Some(false) } else { observed::<u64>(text) }
}

/// A time, in the same way: `2026-01-31T00:00:00Z`, but for the last days of months.
fn time(text: &str) -> Option<bool> {
    let is_plain = inside(text).is_some_and(|inner| {
        let parts = inner.as_bytes();
        let two = |at: usize, most: u8| match (parts[at], parts[at + 1]) {
            (tens @ b'0'..=b'9', ones @ b'0'..=b'9') => (tens - b'0') * 10 + ones - b'0' <= most,
            _ => false,
        };
        parts.len() == 20
            && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')]
                .iter()
                .all(|(at, mark)| parts[*at] == *mark)
            && [(0, 99), (2, 99), (5, 12), (8, 28), (11, 23), (14, 59), (17, 59)]
                .iter()
                .all(|(at, most)| two(*at, *most))
            && &parts[5..7] != b"00"
            && &parts[8..10] != b"00"
    });
    if is_plain { Some(false) } else { observed::<Timestamp>(text) }
}

/// What stands in the quotes of a known text.
fn inside(text: &str) -> Option<&str> {
    text.strip_prefix("{\"known\":\"")?.strip_suffix("\"}")
}

fn observed<T: DeserializeOwned>(text: &str) -> Option<bool> {
    if text == "\"absent\"" {
        return Some(false);
    }
    match serde_json::from_str::<Observed<T>>(text).ok()? {
        Observed::Unknown(_) => Some(true),
        Observed::Known(_) | Observed::Absent => Some(false),
    }
}

fn plain<T: DeserializeOwned>(text: &str) -> Option<bool> {
    serde_json::from_str::<T>(text).ok().map(|_| false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A glance never takes what the full reader would not.
    #[test]
    fn a_glance_agrees_with_the_full_reader() {
        let times = [
            "2026-01-31T00:00:00Z",
            "2026-02-28T23:59:59Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01 00:00:00Z",
            "0000-01-01T00:00:00Z",
            "2026-01-01T00:00:00.5Z",
            "",
            "2O26-01-01T00:00:00Z",
            "\u{e9}\u{e9}26-01-01T00:00:00Z",
        ];
        for text in times.map(|time| format!("{{\"known\":\"{time}\"}}")) {
            assert_eq!(time(&text), observed::<Timestamp>(&text), "{text}");
        }
        for known in
            ["5", "-5", "5.0", "18446744073709551615", "18446744073709551616", "\"5\"", "null"]
        {
            let known = format!("{{\"known\":{known}}}");
            assert_eq!(number(&known), observed::<u64>(&known), "{known}");
            assert_eq!(text(&known), observed::<String>(&known), "{known}");
        }
        for wrong in [
            r#"{"known":"a","known":"b"}"#,
            r#"{"known":"\ud800"}"#,
            r#"{"known":"a\"}"#,
            r#""absent""#,
            "null",
        ] {
            assert_eq!(text(wrong), observed::<String>(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_text_is_of_its_type_or_not_whatever_came_before() {
        let mut shapes = Shapes::default();
        let gap = r#"{"unknown":{"reason":"permission","facet":"grants","detail":""}}"#;
        for (text, expected) in [
            (r#"{"known":"never"}"#, Some(false)),
            (r#"{"known":5}"#, None),
            (r#"{"known":5}"#, None),
            (gap, Some(true)),
            (gap, Some(true)),
            (r#""absent""#, Some(false)),
            ("null", None),
        ] {
            assert_eq!(shapes.check(2, text), expected, "{text}");
        }
    }
}
