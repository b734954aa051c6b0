//! Words that several rules put into their messages.

use std::time::Duration;

use grantwarden_kit::model::{CredentialKind, IpRange};

use crate::vendors::{Confidence, Match};

/// What a credential is.
pub(super) const fn credential(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ClientSecret => "the client secret",
        CredentialKind::Certificate => "the certificate",
        CredentialKind::FederatedCredential => "the federated credential",
    }
}

/// A length of time in the unit that reads best: `412 days`, `2 hours`.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 86_400, seconds / 3_600, seconds / 60) {
        (0, 0, minutes) => counted(minutes, "minute"),
        (days, hours, _) if days < 3 && hours % 24 != 0 => counted(hours, "hour"),
        (0, hours, _) => counted(hours, "hour"),
        (days, _, _) => counted(days, "day"),
    }
}

/// `1 grant`, `2 grants`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `1 person`, `2 people`.
pub(super) fn people(number: u64) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{number} people") }
}

/// The first few of a list, and how many there are besides: `a, b and 3 more`.
pub(super) fn some<S: AsRef<str>>(list: &[S], most: usize) -> String {
    let shown: Vec<&str> = list.iter().take(most).map(AsRef::as_ref).collect();
    match list.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A list as a sentence has it: `a, b and c`.
pub(super) fn list<S: AsRef<str>>(list: impl IntoIterator<Item = S>) -> String {
    let list: Vec<S> = list.into_iter().collect();
    let names: Vec<&str> = list.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        names => names.concat(),
    }
}

/// How sure it is that an entry of the register is the right one.
pub(super) fn entry(found: &Match<'_>) -> String {
    let name = found.entry.name();
    match found.confidence {
        Confidence::Claimed => {
            format!("{name}, by name only ({}): look before you act on it", found.by)
        }
        sure => format!("{name}, by {} ({sure})", found.by),
    }
}

/// The first few of the ranges.
pub(super) fn ranges(ranges: &[IpRange]) -> String {
    let list: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    some(&list, 3)
}

/// The text with a capital first letter, for the start of a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_well() {
        for (seconds, expected) in [
            (0, "0 minutes"),
            (60, "1 minute"),
            (7_200, "2 hours"),
            (86_400, "1 day"),
            (129_600, "36 hours"),
            (35_596_800, "412 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn lists_are_cut() {
        assert_eq!(some(&["a", "b"], 2), "a, b");
        assert_eq!(some(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(list(["a"]), "a");
        assert_eq!(list(["a", "b", "c"]), "a, b and c");
    }
}
