//! Filter expressions as the platform takes them: comparisons of attributes, joined by `and`, `or` and brackets. It knows no resource.

use super::error::Refusal;
use super::time::{iso_millis, millis};

/// Comparison operators.
const OPERATORS: [&str; 9] = ["eq", "ne", "sw", "co", "gt", "ge", "lt", "le", "pr"];

/// A filter, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All of them.
    All(Vec<Self>),
    /// One of them.
    Any(Vec<Self>),
    /// One comparison.
    Compare {
        /// The attribute's path.
        attribute: String,
        /// The operator.
        operator: &'static str,
        /// What it is compared with; empty for `pr`.
        value: String,
    },
}

impl Filter {
    /// Reads a filter over some attributes, each with the operators that it allows. Attributes that end in `published`, `created` or
    /// `lastUpdated` are times.
    pub(crate) fn parse(text: &str, known: &[(&str, &[&str])]) -> Result<Self, Refusal> {
        let tokens =
            tokens(text).ok_or_else(|| Refusal::filter(format!("Unreadable filter: {text}")))?;
        let mut reader = Reader { tokens: &tokens, known };
        let filter = reader.any()?;
        match reader.tokens.first() {
            None => Ok(filter),
            Some(token) => Err(Refusal::filter(format!("Unexpected '{}' in filter", token.text()))),
        }
    }

    /// Whether some part of it speaks of an attribute.
    pub(crate) fn mentions(&self, wanted: &str) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.mentions(wanted)),
            Self::Compare { attribute, .. } => attribute == wanted,
        }
    }

    /// Whether it holds for something whose attributes `field` tells.
    pub(crate) fn holds(&self, field: &dyn Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(field)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(field)),
            Self::Compare { attribute, operator, value } => {
                let found = field(attribute);
                let compare = |it: &String| match *operator {
                    "eq" | "ne" => it == value,
                    "sw" => it.starts_with(value.as_str()),
                    "co" => it.contains(value.as_str()),
                    "gt" => it > value,
                    "ge" => it >= value,
                    "lt" => it < value,
                    "le" => it <= value,
                    _ => true,
                };
                found.iter().any(compare) != (*operator == "ne")
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Text(text) => text,
            Self::Open => "(",
            Self::Close => ")",
        }
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => {
                let mut value = String::new();
                let mut letters = rest.char_indices().skip(1);
                let end = loop {
                    match letters.next()? {
                        (place, '"') => break place,
                        (_, '\\') => value.push(letters.next()?.1),
                        (_, letter) => value.push(letter),
                    }
                };
                tokens.push(Token::Text(value));
                rest = rest.get(end..)?;
            }
            _ => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || "()\"".contains(c))
                    .unwrap_or(rest.len());
                let (word, _) = rest.split_at(end);
                tokens.push(Token::Word(word.to_owned()));
                rest = rest.get(end..)?.trim_start();
                continue;
            }
        }
        rest = rest.get(1..)?.trim_start();
    }
    Some(tokens)
}

struct Reader<'t> {
    tokens: &'t [Token],
    known: &'t [(&'t str, &'t [&'t str])],
}

impl Reader<'_> {
    fn take(&mut self) -> Result<Token, Refusal> {
        let Some((first, rest)) = self.tokens.split_first() else {
            return Err(Refusal::filter("The filter ends too early"));
        };
        self.tokens = rest;
        Ok(first.clone())
    }

    fn joined(&mut self, word: &str) -> bool {
        let next =
            matches!(self.tokens.first(), Some(Token::Word(it)) if it.eq_ignore_ascii_case(word));
        if next {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        next
    }

    fn any(&mut self) -> Result<Filter, Refusal> {
        let mut parts = vec![self.all()?];
        while self.joined("or") {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter, Refusal> {
        let mut parts = vec![self.one()?];
        while self.joined("and") {
            parts.push(self.one()?);
        }
        Ok(Filter::All(parts))
    }

    fn one(&mut self) -> Result<Filter, Refusal> {
        let attribute = match self.take()? {
            Token::Open => {
                let inner = self.any()?;
                return match self.take()? {
                    Token::Close => Ok(inner),
                    other => Err(Refusal::filter(format!("Expected ')', not '{}'", other.text()))),
                };
            }
            Token::Word(word) => word,
            other => {
                return Err(Refusal::filter(format!("Unexpected '{}' in filter", other.text())));
            }
        };
        let operator = self.take()?;
        let operator = OPERATORS
            .iter()
            .find(|it| it.eq_ignore_ascii_case(operator.text()))
            .ok_or_else(|| {
                Refusal::filter(format!("Unrecognized attribute operator '{}'", operator.text()))
            })?;
        let allowed = self.known.iter().find(|(name, _)| *name == attribute);
        let (_, allowed) = allowed
            .ok_or_else(|| Refusal::filter(format!("Unsupported attribute '{attribute}'")))?;
        if !allowed.contains(operator) {
            return Err(Refusal::filter(format!(
                "Operator '{operator}' is not supported for '{attribute}'"
            )));
        }
        let mut value = String::new();
        if *operator != "pr" {
            value = match self.take()? {
                Token::Text(text) => text,
                Token::Word(word) if ["true", "false"].contains(&word.as_str()) => word,
                other => {
                    return Err(Refusal::filter(format!("'{}' must be in quotes", other.text())));
                }
            };
        }
        if ["published", "created", "lastUpdated"].contains(&attribute.as_str())
            && *operator != "pr"
        {
            let time = millis(&value)
                .ok_or_else(|| Refusal::filter(format!("'{value}' is not a date")))?;
            value = iso_millis(time);
        }
        Ok(Filter::Compare { attribute, operator, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [(&str, &[&str]); 3] =
        [("eventType", &["eq", "sw", "ne"]), ("published", &["gt", "lt"]), ("id", &["eq", "pr"])];

    fn holds(text: &str) -> bool {
        let field = |name: &str| match name {
            "eventType" => vec!["app.oauth2.token.grant".to_owned()],
            "published" => vec!["2026-01-15T12:00:00.000Z".to_owned()],
            _ => Vec::new(),
        };
        Filter::parse(text, &KNOWN).unwrap().holds(&field)
    }

    #[test]
    fn comparisons_and_their_joints() {
        assert!(holds("eventType sw \"app.oauth2\" and published gt \"2026-01-15T11:59:59Z\""));
        assert!(!holds("eventType sw \"app.oauth2\" and published gt \"2026-01-15T12:00:00Z\""));
        assert!(holds("id eq \"x\" or eventType eq \"app.oauth2.token.grant\""));
        assert!(!holds("(id pr or eventType ne \"app.oauth2.token.grant\")"));
        assert!(holds("eventType sw \"app\" AND (id pr OR published lt \"2027-01-01T00:00:00Z\")"));
        assert!(!holds("eventType eq \"a\\\"b\""));
    }

    #[test]
    fn what_the_platform_would_not_read_is_refused() {
        for bad in [
            "",
            "eventType",
            "eventType sw",
            "eventType sw app",
            "eventType gt \"a\"",
            "color eq \"red\"",
            "eventType eq \"a\" \"b\"",
            "(eventType eq \"a\"",
            "eventType eq \"a",
            "published gt \"soon\"",
            "id [ \"a\" ]",
        ] {
            assert!(Filter::parse(bad, &KNOWN).is_err(), "{bad}");
        }
    }
}
