//! [`Located`]: a text of a policy that knows where in the file it stands, so that an error inside it can be shown at its place.

use std::{borrow::Cow, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

/// A text with its place. Two are equal if their texts are.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Located {
    text: String,
    /// Byte offset of the first quote.
    #[serde(skip)]
    at: usize,
    /// Bytes between `at` and the text: its quotes.
    #[serde(skip)]
    quotes: usize,
}

impl Located {
    /// Where the value begins: byte offset into the file.
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// Where a byte of the text stands: exact for literal strings, near it where escapes came before.
    pub const fn offset_of(&self, inner: usize) -> usize {
        self.at + self.quotes + inner
    }
}

impl Deref for Located {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Located {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Located {}

impl<'de> Deserialize<'de> for Located {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = toml::Spanned::<String>::deserialize(deserializer)?;
        let span = spanned.span();
        let text = spanned.into_inner();
        // One quote on each side, or three, with a line break after the opening ones that is not part of the text.
        let around = span.len().saturating_sub(text.len());
        let quotes = if around >= 6 { around.saturating_sub(3) } else { 1 };
        Ok(Self { text, at: span.start, quotes })
    }
}

impl JsonSchema for Located {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
