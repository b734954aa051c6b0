//! JSON in which no text from outside steers a terminal or ends an element of a page. A reader gets the same text: only its writing differs.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

/// Writes a value as JSON. What [`steers`] stands as `\uXXXX`.
///
/// # Errors
/// If the writer fails, or the value is none for JSON.
pub fn write_json(to: impl Write, value: &impl Serialize) -> io::Result<()> {
    let harmless = Harmless { is_in_page: false };
    Ok(value.serialize(&mut Serializer::with_formatter(to, harmless))?)
}

/// The same for a script element of a page: without any `<`, so that `</script` and `<!--` cannot stand in it.
///
/// # Errors
/// As [`write_json`].
pub fn write_json_in_page(to: impl Write, value: &impl Serialize) -> io::Result<()> {
    let harmless = Harmless { is_in_page: true };
    Ok(value.serialize(&mut Serializer::with_formatter(to, harmless))?)
}

/// Whether a character steers a terminal: a control character, or one that turns the direction of what follows (Unicode standard annex 9).
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes what JSON itself lets stand. Only strings can hold a `<`.
struct Harmless {
    is_in_page: bool,
}

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        let harm = |c: char| steers(c) || (self.is_in_page && c == '<');
        while let Some((before, c)) =
            rest.char_indices().find(|(_, c)| harm(*c)).map(|(at, c)| (&rest[..at], c))
        {
            to.write_all(before.as_bytes())?;
            // All of them are in the first plane, so that four digits do.
            write!(to, "\\u{:04x}", u32::from(c))?;
            rest = &rest[before.len() + c.len_utf8()..];
        }
        to.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_a_number_and_stays_the_same_text() {
        let text = "a\u{7f}b\u{85}\u{9b}31m\u{202e}c\u{2066}\u{61c}ü😀\n\"<\\";
        let mut out = Vec::new();
        write_json(&mut out, &text).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, r#""a\u007fb\u0085\u009b31m\u202ec\u2066\u061cü😀\n\"<\\""#);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        let mut page = Vec::new();
        write_json_in_page(&mut page, &text).unwrap();
        assert_eq!(String::from_utf8(page).unwrap(), out.replace('<', "\\u003c"));
    }
}
