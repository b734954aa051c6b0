//! Texts as the page shows them: harmless, and no longer than a page can bear. What is cut says so.
//!
//! Escaping is not done here: askama does it for what is HTML, [`super::data`] for what is JSON.

use crate::report::plain;

/// Characters of a name that are shown.
const NAME: usize = 160;

/// Characters of a sentence, or of a fact's value, that are shown.
const SENTENCE: usize = 1_500;

/// A name from outside.
pub(in crate::report) fn name(text: &str) -> String {
    shown(text, NAME)
}

/// A sentence with names from outside in it.
pub(in crate::report) fn sentence(text: &str) -> String {
    shown(text, SENTENCE)
}

fn shown(text: &str, most: usize) -> String {
    let text = plain(text);
    let Some((end, _)) = text.char_indices().nth(most) else { return text };
    let more = text[end..].chars().count();
    format!("{}… ({more} more characters)", &text[..end])
}

/// A number with its thousands set apart: `12,345`.
pub(in crate::report) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 grant`, `12,345 grants`.
pub(in crate::report) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {noun}s", number(count)) }
}

/// The first few of a list of names, and how many there are besides.
pub(in crate::report) fn some<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<String> = names.iter().take(most).map(|text| name(text.as_ref())).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_cut_says_so() {
        assert_eq!(name("Drift\u{202e}\u{7}"), "Drift");
        let long = name(&"é".repeat(10_000));
        assert!(long.ends_with("é… (9840 more characters)"), "{long}");
        assert_eq!(long.matches('é').count(), NAME);
    }

    #[test]
    fn thousands_are_set_apart() {
        let numbers = [0, 999, 1_000, 1_234_567];
        assert_eq!(numbers.map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            (counted(1, "grant"), counted(1_000, "app")),
            ("1 grant".into(), "1,000 apps".into())
        );
        assert_eq!(some(&["a", "b", "c"], 2), "a, b and 1 more");
    }
}
