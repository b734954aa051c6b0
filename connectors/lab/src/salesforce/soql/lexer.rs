//! SOQL text to tokens, each with its place in the text.

use super::QueryError;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A name, a path with dots, or a keyword.
    Word(String),
    /// A string literal, between the quotes, escapes untouched.
    Text(String),
    /// A number.
    Number(String),
    /// A date or date-time literal.
    Time(String),
    /// Punctuation or an operator.
    Mark(&'static str),
}

impl Token {
    /// The token as an error message quotes it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Word(text) | Self::Number(text) | Self::Time(text) => text.clone(),
            Self::Text(text) => format!("'{text}'"),
            Self::Mark(mark) => (*mark).to_owned(),
        }
    }
}

/// A token and where it starts, in characters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) at: usize,
}

const MARKS: [&str; 12] = ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", ":", "."];

/// Splits a query.
pub(crate) fn tokens(soql: &str) -> Result<Vec<Placed>, QueryError> {
    let text: Vec<char> = soql.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (token, end) = if c == '\'' {
            string(&text, at)?
        } else if c.is_ascii_digit() || (matches!(c, '-' | '+') && digit_at(&text, at + 1)) {
            number_or_time(&text, at)
        } else if c.is_alphabetic() || c == '_' {
            let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
            let end = run(&text, at, word);
            (Token::Word(text[at..end].iter().collect()), end)
        } else {
            mark(&text, at)
                .ok_or_else(|| QueryError::malformed(format!("unexpected token: '{c}'"), at))?
        };
        tokens.push(Placed { token, at });
        at = end;
    }
    Ok(tokens)
}

fn digit_at(text: &[char], at: usize) -> bool {
    text.get(at).is_some_and(char::is_ascii_digit)
}

fn run(text: &[char], from: usize, belongs: impl Fn(char) -> bool) -> usize {
    text[from..].iter().position(|c| !belongs(*c)).map_or(text.len(), |length| from + length)
}

fn string(text: &[char], at: usize) -> Result<(Token, usize), QueryError> {
    let mut end = at + 1;
    loop {
        match text.get(end) {
            None => return Err(QueryError::malformed("unexpected token: '<EOF>'", at)),
            Some('\'') => break,
            Some('\\') => {
                let known = "nNrRtTbBfF\"'\\_%uU";
                if !text.get(end + 1).is_some_and(|c| known.contains(*c)) {
                    let escape: String = text[end..].iter().take(2).collect();
                    let message = format!(
                        "invalid string literal. Illegal character sequence '{escape}' in string literal"
                    );
                    return Err(QueryError::malformed(message, end));
                }
                end += 2;
            }
            Some(_) => end += 1,
        }
    }
    Ok((Token::Text(text[at + 1..end].iter().collect()), end + 1))
}

/// `12`, `-3.5`, `2026-01-15`, `2026-01-15T09:00:00Z`, `…+09:00`, `….000+0000`.
fn number_or_time(text: &[char], at: usize) -> (Token, usize) {
    let digits = run(text, at + 1, |c| c.is_ascii_digit());
    let is_date = digits - at == 4 && text.get(digits) == Some(&'-');
    if is_date {
        let end =
            run(text, at, |c| c.is_ascii_digit() || matches!(c, '-' | '+' | ':' | '.' | 'T' | 'Z'));
        return (Token::Time(text[at..end].iter().collect()), end);
    }
    let end = run(text, at + 1, |c| c.is_ascii_digit() || c == '.');
    (Token::Number(text[at..end].iter().collect()), end)
}

fn mark(text: &[char], at: usize) -> Option<(Token, usize)> {
    MARKS.into_iter().find_map(|mark| {
        let matches = mark.chars().enumerate().all(|(n, c)| text.get(at + n) == Some(&c));
        matches.then(|| (Token::Mark(mark), at + mark.len()))
    })
}

/// A string literal with its escapes resolved. `\_` and `\%` lose their backslash.
pub(crate) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some('r' | 'R') => out.push('\r'),
            Some('t' | 'T') => out.push('\t'),
            Some('b' | 'B') => out.push('\u{8}'),
            Some('f' | 'F') => out.push('\u{c}'),
            Some('u' | 'U') => {
                let code: String = chars.by_ref().take(4).collect();
                out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}
