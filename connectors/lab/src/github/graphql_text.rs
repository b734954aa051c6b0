//! The text of a GraphQL query, read into fields: one query, with variables, arguments and aliases. No
//! fragments, directives, mutations or block texts: they are refused by name.

use serde_json::{Value as Json, json};

/// A value of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    Value(Json),
    Variable(String),
}

/// A field with what it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    alias: Option<String>,
    pub(crate) name: String,
    pub(crate) arguments: Vec<(String, Argument)>,
    pub(crate) fields: Vec<Self>,
}

impl Field {
    /// The name under which the answer has it.
    pub(crate) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(i64),
    Sign(char),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            ' ' | '\t' | '\r' | '\n' | ',' => {}
            '#' => while rest.next_if(|next| *next != '\n').is_some() {},
            '{' | '}' | '(' | ')' | ':' | '$' | '!' | '[' | ']' | '=' => {
                tokens.push(Token::Sign(first));
            }
            '"' => {
                let mut value = String::new();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some('\\') => value.extend(rest.next()),
                        Some(next) => value.push(next),
                        None => return Err("a text does not end".to_owned()),
                    }
                }
                tokens.push(Token::Text(value));
            }
            '-' | '0'..='9' => {
                let mut value = first.to_string();
                while let Some(next) = rest.next_if(char::is_ascii_digit) {
                    value.push(next);
                }
                let number = value.parse().map_err(|_| format!("`{value}` is no number"))?;
                tokens.push(Token::Number(number));
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let mut value = first.to_string();
                while let Some(next) =
                    rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '_')
                {
                    value.push(next);
                }
                tokens.push(Token::Name(value));
            }
            other => return Err(format!("`{other}` is not understood")),
        }
    }
    Ok(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("the query does not end")?;
        self.at += 1;
        Ok(token)
    }

    fn takes(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(format!("`{sign}` is missing")) }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Name(name) => Ok(name),
            other => Err(format!("a name is missing at {other:?}")),
        }
    }

    /// `$name: Type! = value, …`: types are not checked.
    fn variables(&mut self) -> Result<(), String> {
        if !self.takes('(') {
            return Ok(());
        }
        while !self.takes(')') {
            self.next()?;
        }
        Ok(())
    }

    fn argument(&mut self) -> Result<Argument, String> {
        Ok(Argument::Value(match self.next()? {
            Token::Sign('$') => return Ok(Argument::Variable(self.name()?)),
            Token::Text(text) => json!(text),
            Token::Number(number) => json!(number),
            Token::Name(name) => match name.as_str() {
                "true" => json!(true),
                "false" => json!(false),
                "null" => Json::Null,
                _ => json!(name),
            },
            Token::Sign('{') => {
                let mut object = serde_json::Map::new();
                while !self.takes('}') {
                    let name = self.name()?;
                    self.expect(':')?;
                    if let Argument::Value(value) = self.argument()? {
                        object.insert(name, value);
                    }
                }
                Json::Object(object)
            }
            other => return Err(format!("a value is missing at {other:?}")),
        }))
    }

    fn selection(&mut self) -> Result<Vec<Field>, String> {
        let mut fields = Vec::new();
        while !self.takes('}') {
            let mut name = self.name()?;
            let mut alias = None;
            if self.takes(':') {
                alias = Some(std::mem::replace(&mut name, self.name()?));
            }
            let mut arguments = Vec::new();
            if self.takes('(') {
                while !self.takes(')') {
                    let name = self.name()?;
                    self.expect(':')?;
                    arguments.push((name, self.argument()?));
                }
            }
            let fields_of = if self.takes('{') { self.selection()? } else { Vec::new() };
            fields.push(Field { alias, name, arguments, fields: fields_of });
        }
        if fields.is_empty() { Err("an empty selection".to_owned()) } else { Ok(fields) }
    }
}

/// The fields of the one query of a text.
pub(crate) fn parse(text: &str) -> Result<Vec<Field>, String> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0 };
    if let Some(Token::Name(word)) = reader.peek() {
        if word != "query" {
            return Err(format!("LAB: the lab does not serve `{word}`"));
        }
        reader.at += 1;
        if matches!(reader.peek(), Some(Token::Name(_))) {
            reader.at += 1;
        }
        reader.variables()?;
    }
    reader.expect('{')?;
    let fields = reader.selection()?;
    match reader.peek() {
        None => Ok(fields),
        Some(_) => Err("LAB: the lab reads one query at a time".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_arguments_and_aliases() {
        let text = "query Keys($o: String!, $n: Int = 5) { # c\n o: organization(login: $o) { \
                    repositories(first: 100, after: \"x\", orderBy: {field: NAME}) { totalCount } } }";
        let fields = parse(text).unwrap();
        assert_eq!((fields[0].key(), fields[0].name.as_str()), ("o", "organization"));
        assert_eq!(fields[0].arguments[0].1, Argument::Variable("o".to_owned()));
        let repositories = &fields[0].fields[0];
        assert_eq!(repositories.arguments[0].1, Argument::Value(json!(100)));
        assert_eq!(repositories.arguments[2].1, Argument::Value(json!({ "field": "NAME" })));
        assert_eq!(repositories.fields[0].key(), "totalCount");
        for bad in
            ["", "{", "{ }", "mutation { a }", "{ a(b) }", "{ a } { b }", "{ \"a }", "{ ...f }"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
