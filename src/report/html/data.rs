//! JSON in the page, and the table of strings that keeps it small. Nothing that is written here can end the script element around it.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use serde::Serialize;

use crate::inventory::harmless::write_json_in_page;

/// Bytes of text that the table of strings holds; what comes later stands where it is used.
const MOST_BYTES: usize = 8 << 20;

/// A longer text is hardly said twice.
const LONGEST: usize = 400;

/// Writes a data block with these attributes.
pub(super) fn block(
    to: &mut dyn Write,
    attributes: &str,
    value: &impl Serialize,
) -> io::Result<()> {
    open(to, attributes)?;
    json(to, value)?;
    close(to)
}

/// Begins a data block. Scripts of this type are never run.
pub(super) fn open(to: &mut dyn Write, attributes: &str) -> io::Result<()> {
    write!(to, "<script type=\"application/json\" {attributes}>")
}

/// Ends a data block.
pub(super) fn close(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(b"</script>\n")
}

/// Writes a value as JSON without any `<`.
pub(super) fn json(to: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    write_json_in_page(to, value)
}

/// A text, or its place in the table of strings.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Text {
    /// Index into the table.
    Known(u32),
    /// The text itself.
    Here(String),
}

/// The table of strings.
#[derive(Debug, Default)]
pub(super) struct Texts {
    places: HashMap<String, u32>,
    bytes: usize,
}

impl Texts {
    /// The place of a text, which is entered if there is room.
    pub(super) fn text(&mut self, text: String) -> Text {
        if let Some(place) = self.places.get(&text) {
            return Text::Known(*place);
        }
        if text.len() > LONGEST || self.bytes + text.len() > MOST_BYTES {
            return Text::Here(text);
        }
        let Ok(place) = u32::try_from(self.places.len()) else { return Text::Here(text) };
        self.bytes += text.len();
        self.places.insert(text, place);
        Text::Known(place)
    }

    /// Writes the table as a data block.
    pub(super) fn write(self, to: &mut dyn Write, attributes: &str) -> io::Result<()> {
        let mut texts: Vec<(u32, String)> =
            self.places.into_iter().map(|(text, place)| (place, text)).collect();
        texts.sort_unstable();
        let texts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        block(to, attributes, &texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_element() {
        let mut out = Vec::new();
        let text = "</script><!-- <script> \u{2028} \" \\ ]]>";
        block(&mut out, "id=\"x\"", &[text]).unwrap();
        let out = String::from_utf8(out).unwrap();
        let inner = out.strip_prefix("<script type=\"application/json\" id=\"x\">").unwrap();
        let inner = inner.strip_suffix("</script>\n").unwrap();
        assert!(!inner.contains('<'), "{inner}");
        assert_eq!(serde_json::from_str::<[String; 1]>(inner).unwrap(), [text]);
    }

    #[test]
    fn a_text_is_said_once_while_there_is_room() {
        let mut texts = Texts::default();
        assert_eq!(texts.text("a".to_owned()), Text::Known(0));
        assert_eq!(texts.text("b".to_owned()), Text::Known(1));
        assert_eq!(texts.text("a".to_owned()), Text::Known(0));
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(texts.text(long.clone()), Text::Here(long));
        texts.bytes = MOST_BYTES;
        assert_eq!(texts.text("c".to_owned()), Text::Here("c".to_owned()));
        let mut out = Vec::new();
        texts.write(&mut out, "id=\"s\"").unwrap();
        assert!(String::from_utf8(out).unwrap().contains(r#"["a","b"]"#));
    }
}
