//! [`cell`]: a text from outside as a cell of a spreadsheet. Knows no report.

use super::plain;

/// A text that no spreadsheet takes for a formula: an apostrophe goes before a sign that begins one, at the beginning of the cell or
/// after a semicolon, at which some spreadsheets divide lines. A cell that begins with an apostrophe gets another one, so that the first
/// can always be taken away. Without control characters, so that a row is a line.
pub(super) fn cell(text: &str) -> String {
    let text = plain(text);
    let mut cell = String::with_capacity(text.len() + 1);
    let (mut is_start, mut is_first) = (true, true);
    for c in text.chars() {
        // ＝＋－＠ are the full-width forms, which spreadsheets fold.
        let begins = matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
        if is_start && (begins || (is_first && c == '\'')) {
            cell.push('\'');
        }
        is_start = c == ';' || (is_start && (c.is_whitespace() || c == '"'));
        is_first = false;
        cell.push(c);
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, written) in [
            ("Drift", "Drift"),
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'=1"),
            ("\r\n=1", "'=1"),
            ("  =1", "  '=1"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("a;=1", "a;'=1"),
            ("a; \"=1", "a; \"'=1"),
            ("a-b@c", "a-b@c"),
            ("a\u{202e}b", "ab"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
