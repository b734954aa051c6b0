//! `$filter`, as far as the resources here take it: comparisons joined by `and`, `in`, `not`, `any` over
//! a list, `startswith`. Everything else is refused, as Graph refuses what a resource does not support.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::error::Refusal;

/// How a property is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    AtLeast,
    AtMost,
    In,
    Any,
    StartsWith,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    pub(crate) property: String,
    pub(crate) operator: Operator,
    pub(crate) values: Vec<Json>,
    negated: bool,
}

impl Clause {
    /// Whether it needs `ConsistencyLevel: eventual`.
    fn advanced(&self) -> bool {
        self.negated || self.operator == Operator::NotEqual
    }

    fn meets(&self, value: &Json) -> bool {
        let equals = |wanted: &Json| match (value, wanted) {
            (Json::String(have), Json::String(want)) => have.eq_ignore_ascii_case(want),
            (have, want) => have == want,
        };
        let dated = |order: fn(Timestamp, Timestamp) -> bool| {
            let read = |value: Option<&Json>| value?.as_str()?.parse::<Timestamp>().ok();
            match (read(Some(value)), read(self.values.first())) {
                (Some(have), Some(want)) => order(have, want),
                _ => false,
            }
        };
        let met = match self.operator {
            Operator::Equal | Operator::In => self.values.iter().any(equals),
            Operator::NotEqual => !self.values.iter().any(equals),
            Operator::AtLeast => dated(|have, want| have >= want),
            Operator::AtMost => dated(|have, want| have <= want),
            Operator::Any => value.as_array().is_some_and(|list| {
                list.iter().any(|item| self.values.iter().any(|want| want == item))
            }),
            Operator::StartsWith => match (value.as_str(), self.values.first()) {
                (Some(have), Some(Json::String(want))) => {
                    have.to_lowercase().starts_with(&want.to_lowercase())
                }
                _ => false,
            },
        };
        met != self.negated
    }
}

/// All comparisons of a `$filter`; all must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filter {
    pub(crate) clauses: Vec<Clause>,
}

/// Properties that a resource lets filter, each with its operators.
pub(crate) type Filterable = &'static [(&'static str, &'static [Operator])];

impl Filter {
    /// Reads a filter for a resource.
    pub(crate) fn parse(text: &str, known: Filterable) -> Result<Self, Refusal> {
        let invalid = || Refusal::bad_request("Invalid filter clause");
        let tokens = tokens(text).ok_or_else(invalid)?;
        let mut reader = Reader { tokens: &tokens };
        let mut clauses = Vec::new();
        loop {
            clauses.push(reader.clause().ok_or_else(invalid)?);
            match reader.next() {
                None => break,
                Some(Token::Word(word)) if word == "and" => {}
                Some(Token::Word(word)) if word == "or" => {
                    return Err(Refusal::unsupported(
                        "Unsupported or invalid query filter clause specified: 'or'.",
                    ));
                }
                Some(_) => return Err(invalid()),
            }
        }
        for clause in &clauses {
            let operators = known.iter().find(|(name, _)| *name == clause.property);
            let supported = operators.is_some_and(|(_, list)| list.contains(&clause.operator));
            if !supported {
                let message = format!(
                    "Unsupported or invalid query filter clause specified for property '{}' of resource.",
                    clause.property
                );
                return Err(Refusal::unsupported(message));
            }
            let dates = matches!(clause.operator, Operator::AtLeast | Operator::AtMost);
            let dated =
                |value: &Json| value.as_str().is_some_and(|it| it.parse::<Timestamp>().is_ok());
            if dates && !clause.values.iter().all(dated) {
                return Err(invalid());
            }
        }
        Ok(Self { clauses })
    }

    /// Whether it needs `ConsistencyLevel: eventual`.
    pub(crate) fn advanced(&self) -> bool {
        self.clauses.iter().any(Clause::advanced)
    }

    /// Whether a row with these values meets it.
    pub(crate) fn meets(&self, value: impl Fn(&str) -> Json) -> bool {
        self.clauses.iter().all(|clause| clause.meets(&value(&clause.property)))
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == ' ' {
            rest = &rest[1..];
        } else if first == '\'' {
            let mut end = 1;
            loop {
                end += rest.get(end..)?.find('\'')? + 1;
                if rest.get(end..).is_some_and(|tail| tail.starts_with('\'')) {
                    end += 1;
                } else {
                    break;
                }
            }
            tokens.push(Token::Text(rest.get(1..end - 1)?.replace("''", "'")));
            rest = rest.get(end..)?;
        } else if first == '(' || first == ')' || first == ',' || first == ':' {
            tokens.push(Token::Sign(first));
            rest = &rest[1..];
        } else {
            let dated = first.is_ascii_digit();
            let ends = |c: char| " (),'".contains(c) || c == ':' && !dated;
            let end = rest.find(ends).unwrap_or(rest.len());
            tokens.push(Token::Word(rest.get(..end)?.to_owned()));
            rest = rest.get(end..)?;
        }
    }
    Some(tokens)
}

struct Reader<'t> {
    tokens: &'t [Token],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn word(&mut self) -> Option<String> {
        match self.next()? {
            Token::Word(word) => Some(word),
            Token::Text(_) | Token::Sign(_) => None,
        }
    }

    fn sign(&mut self, sign: char) -> Option<()> {
        (self.next()? == Token::Sign(sign)).then_some(())
    }

    fn clause(&mut self) -> Option<Clause> {
        let word = self.word()?;
        if word == "not" {
            let wrapped = self.tokens.first() == Some(&Token::Sign('('));
            if wrapped {
                self.sign('(')?;
            }
            let mut clause = self.clause()?;
            if wrapped {
                self.sign(')')?;
            }
            clause.negated = !clause.negated;
            return Some(clause);
        }
        if word == "startswith" {
            self.sign('(')?;
            let property = self.word()?;
            self.sign(',')?;
            let value = self.value()?;
            self.sign(')')?;
            return Some(clause(property, Operator::StartsWith, vec![value]));
        }
        if let Some(property) = word.strip_suffix("/any") {
            self.sign('(')?;
            let variable = self.word()?;
            self.sign(':')?;
            let same = self.word()? == variable && self.word()? == "eq";
            let value = self.value()?;
            self.sign(')')?;
            return same.then(|| clause(property.to_owned(), Operator::Any, vec![value]));
        }
        let operator = match self.word()?.as_str() {
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "ge" => Operator::AtLeast,
            "le" => Operator::AtMost,
            "in" => Operator::In,
            _ => return None,
        };
        if operator != Operator::In {
            let value = self.value()?;
            return Some(clause(word, operator, vec![value]));
        }
        self.sign('(')?;
        let mut values = vec![self.value()?];
        loop {
            match self.next()? {
                Token::Sign(',') => values.push(self.value()?),
                Token::Sign(')') => return Some(clause(word, operator, values)),
                _ => return None,
            }
        }
    }

    fn value(&mut self) -> Option<Json> {
        Some(match self.next()? {
            Token::Text(text) => json!(text),
            Token::Word(word) => match word.as_str() {
                "true" => json!(true),
                "false" => json!(false),
                "null" => Json::Null,
                _ if word.starts_with(|c: char| c.is_ascii_hexdigit()) => json!(word),
                _ => return None,
            },
            Token::Sign(_) => return None,
        })
    }
}

fn clause(property: String, operator: Operator, values: Vec<Json>) -> Clause {
    Clause { property, operator, values, negated: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Filterable = &[
        ("name", &[Operator::Equal, Operator::NotEqual, Operator::In, Operator::StartsWith]),
        ("at", &[Operator::AtLeast, Operator::AtMost]),
        ("kinds", &[Operator::Any]),
        ("on", &[Operator::Equal]),
    ];

    #[test]
    fn compares_rows() {
        let row = json!({ "name": "O'Neil", "at": "2026-01-10T00:00:00Z", "kinds": ["a", "b"], "on": false });
        for (text, expected) in [
            ("name eq 'o''neil'", true),
            ("name ne 'o''neil'", false),
            ("not(name eq 'x')", true),
            ("not name eq 'x'", true),
            ("name in ('x', 'O''Neil')", true),
            ("startswith(name,'o')", true),
            ("at ge 2026-01-10T00:00:00Z and at le 2026-01-11T00:00:00Z", true),
            ("at ge 2026-01-10T00:00:01Z", false),
            ("kinds/any(t: t eq 'b')", true),
            ("kinds/any(t:t eq 'c')", false),
            ("on eq false and name eq 'x'", false),
        ] {
            let filter = Filter::parse(text, KNOWN).unwrap();
            assert_eq!(filter.meets(|name| row[name].clone()), expected, "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for (text, code) in [
            ("name eq 'x' or name eq 'y'", "Request_UnsupportedQuery"),
            ("other eq 'x'", "Request_UnsupportedQuery"),
            ("name ge 'x'", "Request_UnsupportedQuery"),
            ("at ge 'yesterday'", "Request_BadRequest"),
            ("name eq", "Request_BadRequest"),
            ("name eq 'x", "Request_BadRequest"),
            ("name like 'x'", "Request_BadRequest"),
            ("kinds/any(t: u eq 'b')", "Request_BadRequest"),
            ("", "Request_BadRequest"),
        ] {
            assert_eq!(Filter::parse(text, KNOWN).unwrap_err().code, code, "{text}");
        }
    }
}
