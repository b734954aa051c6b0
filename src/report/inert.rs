//! [`inert`]: a text from outside as Markdown. Knows no report.

use std::fmt::Write as _;

use super::plain;

/// Characters of one text from outside.
const LONGEST: usize = 400;

/// A text from outside, on one line, of which nothing is markup, a link, a mention or a reference: signs stand as character references,
/// and after those that a forge acts upon in plain text (`@user`, `#1`, `!1`, `www.`) stands a space without width.
pub(super) fn inert(text: &str) -> String {
    const APART: &str = "&#8203;";
    let text = plain(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        if at == LONGEST {
            safe.push('…');
            break;
        }
        match c {
            '@' | '#' | '!' | '$' | '%' | '&' | '~' | '^' => {
                let _ = write!(safe, "&#{};{APART}", u32::from(c));
            }
            // An address begins so.
            ':' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                let _ = write!(safe, "&#58;{APART}");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '{' | '}' | '=' | '+' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            // `www.` is a link wherever it stands.
            '.' if ends_with(&safe, "www") => {
                safe.push_str(APART);
                safe.push('.');
            }
            // `GH-1` is an issue.
            '-' if ends_with(&safe, "gh") => {
                safe.push_str("-&#8203;");
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Whether the text ends so, in whatever case.
fn ends_with(text: &str, end: &str) -> bool {
    let start = text.len().saturating_sub(end.len());
    text.get(start..).is_some_and(|last| last.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_is_inert() {
        for (name, written) in [
            ("Drift (EU), v2.1", "Drift (EU), v2.1"),
            ("@octocat", "&#64;&#8203;octocat"),
            ("a@b.example", "a&#64;&#8203;b.example"),
            ("#12 !3", "&#35;&#8203;12 &#33;&#8203;3"),
            ("[x](http://y)", "&#91;x&#93;(http&#58;&#8203;//y)"),
            ("WWW.evil.example", "WWW&#8203;.evil.example"),
            ("<img src=x>", "&#60;img src&#61;x&#62;"),
            ("a|b`c`\n# d", "a&#124;b&#96;c&#96; &#35;&#8203; d"),
            ("GH-1", "GH-&#8203;1"),
            ("</details>\u{1b}[2J\u{202e}", "&#60;/details&#62;&#91;2J"),
        ] {
            assert_eq!(inert(name), written, "{name:?}");
        }
        assert_eq!(inert(&"x".repeat(10_000)).chars().count(), LONGEST + 1);
    }
}
