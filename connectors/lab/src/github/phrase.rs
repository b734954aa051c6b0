//! The search phrase of the audit logs: qualifiers `action:`, `created:`, `actor:`, `repo:`, `org:` and
//! their negations. A qualifier that is repeated means any of its values. Free text is refused, so that
//! no answer says less than was asked.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::audit::Event;
use super::error::Refusal;
use super::state::State;

/// A phrase, read.
#[derive(Debug, Default)]
pub(crate) struct Phrase {
    /// Qualifier, value, whether it is negated.
    words: Vec<(&'static str, String, bool)>,
    /// Bounds of `created:`, in milliseconds, both inclusive.
    created: Vec<(i64, i64)>,
}

const QUALIFIERS: [&str; 5] = ["action", "actor", "org", "repo", "user"];

impl Phrase {
    /// Reads a phrase.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut phrase = Self::default();
        for word in text.split_whitespace() {
            let (negated, word) = match word.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, word),
            };
            let (name, value) = word.split_once(':').ok_or_else(|| invalid(word))?;
            let value = value.trim_matches('"');
            if value.is_empty() {
                return Err(invalid(word));
            }
            if name == "created" && !negated {
                phrase.created.push(bounds(value).ok_or_else(|| invalid(word))?);
                continue;
            }
            let name =
                QUALIFIERS.iter().find(|known| **known == name).ok_or_else(|| invalid(word))?;
            phrase.words.push((name, value.to_owned(), negated));
        }
        Ok(phrase)
    }

    /// Whether it says when.
    pub(crate) fn dated(&self) -> bool {
        !self.created.is_empty()
    }

    /// Whether an event is meant.
    pub(crate) fn wants(&self, state: &State, event: &Event) -> bool {
        // Several bounds are one span together.
        let in_time = self.created.iter().all(|(from, to)| (*from..=*to).contains(&event.at));
        in_time
            && QUALIFIERS.iter().all(|name| {
                let of_name = || self.words.iter().filter(|(other, _, _)| other == name);
                let hit = |value: &str| matches(state, event, name, value);
                let asked = || of_name().filter(|(_, _, negated)| !negated);
                (asked().next().is_none() || asked().any(|(_, value, _)| hit(value)))
                    && !of_name().any(|(_, value, negated)| *negated && hit(value))
            })
    }
}

fn invalid(word: &str) -> Refusal {
    let message = format!("LAB: the lab does not understand `{word}` in a phrase");
    Refusal::validation("AuditLog", "phrase", "invalid", &message)
}

fn matches(state: &State, event: &Event, name: &str, value: &str) -> bool {
    match name {
        "action" => {
            let action = state.action(event.happening);
            // A category names all of its actions.
            action == value || action.split_once('.').is_some_and(|(category, _)| category == value)
        }
        "actor" => state
            .event_actor(event.happening)
            .is_some_and(|actor| actor.eq_ignore_ascii_case(value)),
        "org" => state.event_organisation(event.happening).is_some_and(|index| {
            state.organisations[index].facts.login.eq_ignore_ascii_case(value)
        }),
        _ => state
            .event_field(event.happening, name)
            .is_some_and(|text| text.eq_ignore_ascii_case(value)),
    }
}

/// `>=2026-01-01`, `2026-01-01..2026-01-31`, `2026-01-01`: milliseconds, both ends inclusive.
fn bounds(value: &str) -> Option<(i64, i64)> {
    if let Some(rest) = value.strip_prefix(">=") {
        return Some((span(rest)?.0, i64::MAX));
    }
    if let Some(rest) = value.strip_prefix("<=") {
        return Some((i64::MIN, span(rest)?.1));
    }
    if let Some(rest) = value.strip_prefix('>') {
        return Some((span(rest)?.1 + 1, i64::MAX));
    }
    if let Some(rest) = value.strip_prefix('<') {
        return Some((i64::MIN, span(rest)?.0 - 1));
    }
    if let Some((from, to)) = value.split_once("..") {
        let from = if from == "*" { i64::MIN } else { span(from)?.0 };
        let to = if to == "*" { i64::MAX } else { span(to)?.1 };
        return Some((from, to));
    }
    span(value)
}

/// The first and last millisecond of a day, or of a second.
fn span(text: &str) -> Option<(i64, i64)> {
    if let Ok(time) = text.parse::<Timestamp>() {
        let at = time.as_second() * 1_000;
        return Some((at, at + 999));
    }
    let date: Date = text.parse().ok()?;
    let start = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some((start, start + 86_400_000 - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bounds() {
        assert_eq!(bounds("1970-01-02"), Some((86_400_000, 172_799_999)));
        assert_eq!(bounds(">=1970-01-02"), Some((86_400_000, i64::MAX)));
        assert_eq!(bounds(">1970-01-01"), Some((86_400_000, i64::MAX)));
        assert_eq!(bounds("<1970-01-02"), Some((i64::MIN, 86_399_999)));
        assert_eq!(bounds("*..1970-01-01T00:00:01Z"), Some((i64::MIN, 1_999)));
        assert_eq!(bounds("yesterday"), None);
        assert!(Phrase::parse("action:a action:b created:>=2026-01-01").unwrap().dated());
        for bad in ["hello", "colour:red", "action:", "created:x", "-created:2026-01-01"] {
            assert!(Phrase::parse(bad).is_err(), "{bad}");
        }
    }
}
