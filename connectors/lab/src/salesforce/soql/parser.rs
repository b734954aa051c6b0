//! Tokens to a tree, by recursive descent. It checks grammar only: names and types are the plan's.

use super::QueryError;
use super::lexer::{Placed, Token, tokens};

/// A query as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    pub(crate) select: Vec<Item>,
    pub(crate) object: Name,
    pub(crate) alias: Option<String>,
    pub(crate) filter: Option<Condition>,
    pub(crate) group_by: Vec<Name>,
    pub(crate) having: Option<Condition>,
    pub(crate) order_by: Vec<OrderBy>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

/// A name or dotted path, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: usize,
}

/// A column or an aggregate of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    Path(Name),
    /// `COUNT()`.
    CountRows(usize),
    Aggregate(Function, Name),
}

/// An aggregate function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    CountDistinct,
    Min,
    Max,
    Sum,
}

/// One thing selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) operand: Operand,
    pub(crate) alias: Option<String>,
}

/// `ORDER BY`, one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderBy {
    pub(crate) operand: Operand,
    pub(crate) descending: bool,
    pub(crate) nulls_last: Option<bool>,
}

/// A condition of `WHERE` or `HAVING`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare(Operand, Operator, Literal),
    In { operand: Operand, negated: bool, values: Vec<Literal> },
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Literal {
    pub(crate) kind: LiteralKind,
    pub(crate) at: usize,
}

/// The kinds of value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LiteralKind {
    Null,
    Bool(bool),
    Number(f64),
    /// Escapes untouched.
    Text(String),
    /// A date or date-time, as written.
    Time(String),
    /// `TODAY`, `LAST_N_DAYS:7`.
    Named(String, Option<i64>),
}

/// Reads a query.
pub(crate) fn parse(soql: &str) -> Result<Query, QueryError> {
    let length = soql.chars().count();
    let mut parser = Parser { tokens: tokens(soql)?, next: 0, length };
    let query = parser.query()?;
    match parser.peek() {
        None => Ok(query),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    length: usize,
}

type Parsed<T> = Result<T, QueryError>;

const RESERVED: [&str; 14] = [
    "AND", "ASC", "DESC", "FROM", "GROUP", "HAVING", "IN", "LIKE", "LIMIT", "NOT", "OR", "ORDER",
    "SELECT", "WHERE",
];

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|placed| &placed.token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.length, |placed| placed.at)
    }

    fn unexpected(&self) -> QueryError {
        let shown = self.peek().map_or_else(|| "<EOF>".to_owned(), Token::shown);
        QueryError::malformed(format!("unexpected token: '{shown}'"), self.place())
    }

    fn is_keyword(&self, ahead: usize, keyword: &str) -> bool {
        matches!(
            self.tokens.get(self.next + ahead).map(|placed| &placed.token),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword)
        )
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(0, keyword);
        self.next += usize::from(found);
        found
    }

    fn expect_keyword(&mut self, keyword: &str) -> Parsed<()> {
        if self.take_keyword(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Mark(found)) if *found == mark);
        self.next += usize::from(found);
        found
    }

    fn expect_mark(&mut self, mark: &str) -> Parsed<()> {
        if self.take_mark(mark) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// A name that is no keyword.
    fn name(&mut self) -> Parsed<Name> {
        let at = self.place();
        match self.peek() {
            Some(Token::Word(word))
                if !RESERVED.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
                    && !word.ends_with('.') =>
            {
                let text = word.clone();
                self.next += 1;
                Ok(Name { text, at })
            }
            _ => Err(self.unexpected()),
        }
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take_mark(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn query(&mut self) -> Parsed<Query> {
        self.expect_keyword("SELECT")?;
        let select = self.list(Self::item)?;
        self.expect_keyword("FROM")?;
        let object = self.name()?;
        let alias = self.alias().map(|name| name.text);
        let filter = if self.take_keyword("WHERE") { Some(self.condition()?) } else { None };
        let mut group_by = Vec::new();
        if self.take_keyword("GROUP") {
            self.expect_keyword("BY")?;
            group_by = self.list(Self::name)?;
        }
        let having = if self.take_keyword("HAVING") { Some(self.condition()?) } else { None };
        let mut order_by = Vec::new();
        if self.take_keyword("ORDER") {
            self.expect_keyword("BY")?;
            order_by = self.list(Self::order_by)?;
        }
        let limit = if self.take_keyword("LIMIT") { Some(self.count()?) } else { None };
        let offset = if self.take_keyword("OFFSET") { Some(self.count()?) } else { None };
        Ok(Query { select, object, alias, filter, group_by, having, order_by, limit, offset })
    }

    /// A name where one may stand, unless the next clause begins.
    fn alias(&mut self) -> Option<Name> {
        if self.is_keyword(0, "OFFSET") {
            return None;
        }
        self.name().ok()
    }

    fn count(&mut self) -> Parsed<u64> {
        match self.peek() {
            Some(Token::Number(text)) => {
                let count = text.parse().map_err(|_| self.unexpected())?;
                self.next += 1;
                Ok(count)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn item(&mut self) -> Parsed<Item> {
        let operand = self.operand()?;
        Ok(Item { operand, alias: self.alias().map(|name| name.text) })
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let name = self.name()?;
        if !self.take_mark("(") {
            return Ok(Operand::Path(name));
        }
        let function = match name.text.to_ascii_uppercase().as_str() {
            "COUNT" if self.take_mark(")") => return Ok(Operand::CountRows(name.at)),
            "COUNT" => Function::Count,
            "COUNT_DISTINCT" => Function::CountDistinct,
            "MIN" => Function::Min,
            "MAX" => Function::Max,
            "SUM" => Function::Sum,
            _ => {
                let message = format!("unknown function: {}", name.text);
                return Err(QueryError::malformed(message, name.at));
            }
        };
        let path = self.name()?;
        self.expect_mark(")")?;
        Ok(Operand::Aggregate(function, path))
    }

    fn order_by(&mut self) -> Parsed<OrderBy> {
        let operand = self.operand()?;
        let descending = if self.take_keyword("DESC") {
            true
        } else {
            self.take_keyword("ASC");
            false
        };
        let mut nulls_last = None;
        if self.take_keyword("NULLS") {
            nulls_last = Some(if self.take_keyword("LAST") {
                true
            } else {
                self.expect_keyword("FIRST")?;
                false
            });
        }
        Ok(OrderBy { operand, descending, nulls_last })
    }

    /// Conditions joined by one connective; the platform refuses a mix without parentheses.
    fn condition(&mut self) -> Parsed<Condition> {
        let first = self.term()?;
        if self.is_keyword(0, "AND") {
            return self.rest(first, "AND").map(Condition::And);
        }
        if self.is_keyword(0, "OR") {
            return self.rest(first, "OR").map(Condition::Or);
        }
        Ok(first)
    }

    fn rest(&mut self, first: Condition, connective: &str) -> Parsed<Vec<Condition>> {
        let mut terms = vec![first];
        while self.take_keyword(connective) {
            terms.push(self.term()?);
        }
        if self.is_keyword(0, "AND") || self.is_keyword(0, "OR") {
            return Err(self.unexpected());
        }
        Ok(terms)
    }

    fn term(&mut self) -> Parsed<Condition> {
        if self.take_keyword("NOT") {
            return Ok(Condition::Not(Box::new(self.term()?)));
        }
        if self.take_mark("(") {
            let inner = self.condition()?;
            self.expect_mark(")")?;
            return Ok(inner);
        }
        let operand = self.operand()?;
        let negated = self.is_keyword(0, "NOT") && self.is_keyword(1, "IN");
        if negated || self.is_keyword(0, "IN") {
            self.next += 1 + usize::from(negated);
            self.expect_mark("(")?;
            let values = self.list(Self::literal)?;
            self.expect_mark(")")?;
            return Ok(Condition::In { operand, negated, values });
        }
        let operator = self.operator()?;
        Ok(Condition::Compare(operand, operator, self.literal()?))
    }

    fn operator(&mut self) -> Parsed<Operator> {
        let operator = match self.peek() {
            Some(Token::Mark("=")) => Operator::Equal,
            Some(Token::Mark("!=" | "<>")) => Operator::NotEqual,
            Some(Token::Mark("<")) => Operator::Less,
            Some(Token::Mark("<=")) => Operator::LessOrEqual,
            Some(Token::Mark(">")) => Operator::Greater,
            Some(Token::Mark(">=")) => Operator::GreaterOrEqual,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("LIKE") => Operator::Like,
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(operator)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let at = self.place();
        let kind = match self.peek() {
            Some(Token::Text(raw)) => LiteralKind::Text(raw.clone()),
            Some(Token::Time(text)) => LiteralKind::Time(text.clone()),
            Some(Token::Number(text)) => match text.parse() {
                Ok(number) => LiteralKind::Number(number),
                Err(_) => return Err(self.unexpected()),
            },
            Some(Token::Word(word)) => match word.to_ascii_uppercase().as_str() {
                "NULL" => LiteralKind::Null,
                "TRUE" => LiteralKind::Bool(true),
                "FALSE" => LiteralKind::Bool(false),
                name if super::dates::is_name(name) => LiteralKind::Named(name.to_owned(), None),
                _ => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        let kind = match kind {
            LiteralKind::Named(name, _) if super::dates::takes_count(&name) => {
                self.expect_mark(":")?;
                let count = self.count()?;
                LiteralKind::Named(name, i64::try_from(count).ok())
            }
            other => other,
        };
        Ok(Literal { kind, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_scanner_writes() {
        for soql in [
            "SELECT COUNT() FROM OauthToken",
            "select id from oauthtoken",
            "SELECT Id, User.Profile.Name FROM OauthToken ORDER BY CreatedDate, UserId LIMIT 2500 OFFSET 5000",
            "SELECT UserId, COUNT(Id) n FROM OauthToken GROUP BY UserId HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC NULLS LAST",
            "SELECT Id FROM OauthToken WHERE (AppName = 'O\\'Neil' OR AppName LIKE 'Data%') AND NOT UserId = null",
            "SELECT Id FROM SetupEntityAccess WHERE SetupEntityType IN ('ConnectedApplication', 'ExternalClientApplication')",
            "SELECT Id FROM LoginHistory WHERE LoginTime = LAST_N_DAYS:90 AND UserId NOT IN ('005LAB000000001AAA')",
            "SELECT Id FROM EventLogFile WHERE LogDate >= 2026-01-14T00:00:00.000+0000 AND EventType = 'ApiTotalUsage'",
            "SELECT t.Id FROM OauthToken t WHERE t.UseCount >= -3.5",
        ] {
            assert!(parse(soql).is_ok(), "{soql}: {:?}", parse(soql));
        }
    }

    #[test]
    fn refuses_what_the_platform_refuses() {
        for (soql, message, at) in [
            ("SELECT Id FORM OauthToken", "unexpected token: 'OauthToken'", 15),
            ("SELECT FROM OauthToken", "unexpected token: 'FROM'", 7),
            ("SELECT Id FROM OauthToken WHERE", "unexpected token: '<EOF>'", 31),
            ("SELECT Id FROM A WHERE a = 1 AND b = 2 OR c = 3", "unexpected token: 'OR'", 39),
            ("SELECT Id FROM A LIMIT x", "unexpected token: 'x'", 23),
            ("SELECT Id FROM A; DROP", "unexpected token: ';'", 16),
            ("SELECT Id FROM A WHERE a = 'open", "unexpected token: '<EOF>'", 27),
            ("SELECT Id FROM A WHERE a = 1 b", "unexpected token: 'b'", 29),
            ("SELECT FOO(Id) FROM A", "unknown function: FOO", 7),
        ] {
            assert_eq!(parse(soql).unwrap_err(), QueryError::malformed(message, at), "{soql}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(words in proptest::collection::vec(
            "SELECT|Id|FROM|WHERE|AND|NOT|IN|[(]|[)]|,|=|LIKE|'a'|'[\\\\]'|LAST_N_DAYS:|-?[0-9]{1,5}|2026-01-|\\PC{0,3}", 0..12,
        )) {
            let _either = parse(&words.join(" "));
        }
    }
}
