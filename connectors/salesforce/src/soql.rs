//! Writes SOQL. The only place where a value becomes part of a query.

use grantwarden_kit::model::Timestamp;

/// A text literal: quotes and backslashes escaped.
pub(crate) fn text(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('\'');
    for c in value.chars() {
        match c {
            '\'' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// A list of text literals for `IN`.
pub(crate) fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let literals: Vec<String> = values.into_iter().map(text).collect();
    format!("({})", literals.join(","))
}

/// A date and time literal. Rows write `+0000`, which a query does not take.
pub(crate) fn instant(text: &str) -> String {
    text.parse::<Timestamp>().map_or_else(|_| text.to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_literal() {
        assert_eq!(text("O'Brien\\"), r"'O\'Brien\\'");
        assert_eq!(instant("2026-01-31T10:00:00.000+0000"), "2026-01-31T10:00:00Z");
        assert_eq!(texts(["a", "b'"]), r"('a','b\'')");
    }
}
