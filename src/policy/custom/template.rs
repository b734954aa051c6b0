//! The message of a custom rule: a text with expressions in braces.

use super::{
    expression::{Expression, ExpressionError},
    facts::Facts,
    fields::{Field, Target},
};

/// A compiled message.
#[derive(Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Value(Expression),
}

impl Template {
    /// Reads `text {expression} text`; `{{` and `}}` are braces.
    ///
    /// # Errors
    /// An expression that cannot be compiled; a brace without its other half; an empty message.
    pub(super) fn compile(source: &str, target: Target) -> Result<Self, ExpressionError> {
        let fail = |offset: usize, message: &str| ExpressionError {
            offset,
            message: format!("message: {message}"),
        };
        if source.trim().is_empty() {
            return Err(fail(0, "it is empty"));
        }
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            let offset = source.len() - rest.len() + at;
            text.push_str(&rest[..at]);
            let after = &rest[at..];
            if let Some(escaped) = after.strip_prefix("{{").or_else(|| after.strip_prefix("}}")) {
                text.push_str(&after[..1]);
                rest = escaped;
                continue;
            }
            let Some(inner) = after.strip_prefix('{') else {
                return Err(fail(offset, "a `}` without its `{`; write `}}` for a brace"));
            };
            let Some(end) = inner.find('}') else {
                return Err(fail(offset, "a `{` without its `}`; write `{{` for a brace"));
            };
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            let expression = Expression::compile(&inner[..end], target).map_err(|error| {
                fail(offset.saturating_add(1).saturating_add(error.offset), &error.message)
            })?;
            pieces.push(Piece::Value(expression));
            rest = &inner[end + 1..];
        }
        text.push_str(rest);
        pieces.push(Piece::Text(text));
        Ok(Self(pieces))
    }

    /// The fields that its expressions name.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.0
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text(_) => None,
                Piece::Value(expression) => Some(expression.fields()),
            })
            .flatten()
    }

    /// The message about a record.
    pub(super) fn fill(&self, facts: &Facts) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(expression) => expression.text(facts),
        });
        pieces.collect()
    }
}
