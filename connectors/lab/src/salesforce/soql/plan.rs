//! The tree checked against the schema: names become columns, literals become values, and every use
//! that a column does not allow is refused. A plan holds no rows and outlives the call, as a query
//! locator needs.

use jiff::Timestamp;

use super::parser::{Condition, Function, Literal, LiteralKind, Name, Operand, Operator, Query};
use super::{QueryError, dates, lexer};
use crate::salesforce::id::{Id, looks_like_id};
use crate::salesforce::schema::{self, Api, Column, Entity, Kind, Relation, View};
use crate::salesforce::value::Value;

/// A checked query.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) entity: &'static Entity,
    pub(crate) shape: Shape,
    pub(crate) filter: Option<Test>,
    /// Bounds that the filter puts on the column that rows are kept in the order of.
    pub(crate) bounds: (i64, i64),
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

/// What comes out.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// `COUNT()`: a number and no records.
    Count,
    /// Records.
    Rows { fields: Fields, order: Vec<Key<Path>> },
    /// Aggregate results.
    Groups { by: Vec<Path>, outputs: Vec<Output>, having: Option<GroupTest>, order: Vec<Key<Cell>> },
}

/// A column, reached over relations.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) hops: Vec<&'static Relation>,
    pub(crate) column: &'static Column,
}

impl Path {
    /// The row that the column belongs to, or none if a relation is null.
    fn row(&self, view: View<'_>, row: usize) -> Option<usize> {
        self.hops.iter().try_fold(row, |row, hop| (hop.follow)(view, row))
    }

    /// The cell.
    pub(crate) fn value<'a>(&self, view: View<'a>, row: usize) -> Value<'a> {
        self.row(view, row).map_or(Value::Null, |row| (self.column.get)(view, row))
    }
}

/// The tree of selected fields, in the order of selection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    pub(crate) columns: Vec<&'static Column>,
    pub(crate) parents: Vec<(&'static Relation, Self)>,
}

impl Fields {
    fn add(&mut self, path: &Path) {
        let mut node = self;
        for hop in &path.hops {
            let known = node.parents.iter().position(|(relation, _)| relation.name == hop.name);
            let at = known.unwrap_or_else(|| {
                node.parents.push((hop, Self::default()));
                node.parents.len() - 1
            });
            node = &mut node.parents[at].1;
        }
        node.columns.push(path.column);
    }
}

/// A sort key.
#[derive(Debug, Clone)]
pub(crate) struct Key<T> {
    pub(crate) by: T,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
}

/// A value of a group: one of its keys, or an aggregate.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Key(usize),
    Aggregate(Function, Path),
}

/// A column of an aggregate result.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) cell: Cell,
}

/// A filter on rows.
pub(crate) type Test = Tree<Path>;
/// A filter on groups.
pub(crate) type GroupTest = Tree<Cell>;

/// A checked condition.
#[derive(Debug, Clone)]
pub(crate) enum Tree<T> {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Leaf(T, Match),
}

impl<T> Tree<T> {
    /// Whether it holds, given a way to read an operand.
    pub(crate) fn holds<'a>(&self, read: &impl Fn(&T) -> Value<'a>) -> bool {
        match self {
            Self::And(terms) => terms.iter().all(|term| term.holds(read)),
            Self::Or(terms) => terms.iter().any(|term| term.holds(read)),
            Self::Not(term) => !term.holds(read),
            Self::Leaf(operand, test) => test.holds(&read(operand)),
        }
    }
}

/// What a value must be.
#[derive(Debug, Clone)]
pub(crate) enum Match {
    Compare(Operator, Value<'static>),
    CompareNumber(Operator, f64),
    /// A date literal is a range of seconds.
    CompareRange(Operator, i64, i64),
    Like(Pattern),
    AnyOf(Vec<Self>),
    NoneOf(Vec<Self>),
}

impl Match {
    fn holds(&self, value: &Value<'_>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let by = |operator: Operator, order| match operator {
            Operator::Equal | Operator::Like => order == Equal,
            Operator::NotEqual => order != Equal,
            Operator::Less => order == Less,
            Operator::LessOrEqual => order != Greater,
            Operator::Greater => order == Greater,
            Operator::GreaterOrEqual => order != Less,
        };
        match self {
            Self::Compare(operator, wanted) => {
                if value.is_null() || wanted.is_null() {
                    return match operator {
                        Operator::Equal => value.is_null() && wanted.is_null(),
                        Operator::NotEqual => value.is_null() != wanted.is_null(),
                        _ => false,
                    };
                }
                by(*operator, value.order(wanted))
            }
            Self::CompareNumber(operator, wanted) => match value {
                #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
                Value::Int(number) => by(*operator, (*number as f64).total_cmp(wanted)),
                _ => *operator == Operator::NotEqual,
            },
            Self::CompareRange(operator, from, to) => match value {
                Value::Time(time) => match operator {
                    Operator::Equal | Operator::Like => (*from..=*to).contains(time),
                    Operator::NotEqual => !(*from..=*to).contains(time),
                    Operator::Less => time < from,
                    Operator::LessOrEqual => time <= to,
                    Operator::Greater => time > to,
                    Operator::GreaterOrEqual => time >= from,
                },
                _ => *operator == Operator::NotEqual,
            },
            Self::Like(pattern) => match value {
                Value::Text(text) => pattern.matches(text),
                Value::Id(id) => pattern.matches(&id.to_string()),
                _ => false,
            },
            Self::AnyOf(matches) => matches.iter().any(|one| one.holds(value)),
            Self::NoneOf(matches) => !matches.iter().any(|one| one.holds(value)),
        }
    }
}

/// A `LIKE` pattern, in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    One,
    Any,
    Letter(char),
}

impl Pattern {
    fn new(raw: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = raw;
        while let Some(c) = rest.chars().next() {
            let (part, length) = match c {
                '%' => (Part::Any, 1),
                '_' => (Part::One, 1),
                '\\' => {
                    let length = if rest.starts_with("\\u") { 6 } else { 2 };
                    let escape: String = rest.chars().take(length).collect();
                    let letter = lexer::unescape(&escape).chars().next().unwrap_or('\\');
                    (Part::Letter(letter), escape.len())
                }
                other => (Part::Letter(other), other.len_utf8()),
            };
            parts.push(match part {
                Part::Letter(letter) => Part::Letter(lower(letter)),
                other => other,
            });
            rest = rest.get(length..).unwrap_or_default();
        }
        Self(parts)
    }

    /// Backtracks to the last `%` only, so it is quadratic at worst.
    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().map(lower).collect();
        let (mut at, mut part, mut resume) = (0, 0, None);
        while at < text.len() {
            match self.0.get(part) {
                Some(Part::Any) => {
                    part += 1;
                    resume = Some((at, part));
                }
                Some(Part::One) => (at, part) = (at + 1, part + 1),
                Some(Part::Letter(letter)) if *letter == text[at] => {
                    (at, part) = (at + 1, part + 1);
                }
                _ => match resume {
                    Some((from, after)) => {
                        (at, part) = (from + 1, after);
                        resume = Some((at, after));
                    }
                    None => return false,
                },
            }
        }
        self.0[part..].iter().all(|rest| *rest == Part::Any)
    }
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

const LARGEST_OFFSET: u64 = 2_000;

/// Checks a query for one caller on one endpoint.
pub(crate) fn plan(
    query: &Query,
    view: View<'_>,
    api: Api,
    now: Timestamp,
) -> Result<Plan, QueryError> {
    let entity = schema::find(&query.object.text, view, api)
        .ok_or_else(|| QueryError::object(&query.object.text, query.object.at))?;
    let planner = Planner { query, entity, view, api, now };
    let offset = planner.offset()?;
    let filter = query.filter.as_ref().map(|c| planner.row_test(c)).transpose()?;
    let bounds = filter.as_ref().map_or((i64::MIN, i64::MAX), |test| bounds(entity, test));
    Ok(Plan {
        entity,
        shape: planner.shape()?,
        filter,
        bounds,
        limit: query.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        offset,
    })
}

struct Planner<'a> {
    query: &'a Query,
    entity: &'static Entity,
    view: View<'a>,
    api: Api,
    now: Timestamp,
}

impl Planner<'_> {
    fn offset(&self) -> Result<usize, QueryError> {
        let offset = self.query.offset.unwrap_or(0);
        let unlimited = self.entity.name == "OauthToken"
            && !self.view.state.behaviour.oauth_token_offset_refused;
        if offset > LARGEST_OFFSET && !unlimited {
            let message = format!("Maximum SOQL offset allowed is {LARGEST_OFFSET}");
            return Err(QueryError::plain("NUMBER_OUTSIDE_VALID_RANGE", message));
        }
        Ok(usize::try_from(offset).unwrap_or(usize::MAX))
    }

    fn shape(&self) -> Result<Shape, QueryError> {
        let select = &self.query.select;
        if let Some(at) = select.iter().find_map(|item| match item.operand {
            Operand::CountRows(at) => Some(at),
            _ => None,
        }) {
            if select.len() > 1
                || !self.query.group_by.is_empty()
                || !self.query.order_by.is_empty()
            {
                return Err(QueryError::malformed(
                    "COUNT() must be the only element in the SELECT list and takes no GROUP BY or \
                     ORDER BY",
                    at,
                ));
            }
            return Ok(Shape::Count);
        }
        let aggregates = select.iter().any(|item| matches!(item.operand, Operand::Aggregate(..)));
        if aggregates || !self.query.group_by.is_empty() {
            return self.groups();
        }
        if self.query.having.is_some() {
            return Err(QueryError::malformed(
                "Having clause is not supported without a Group By clause",
                self.query.object.at,
            ));
        }
        let mut fields = Fields::default();
        for item in select {
            let name = plain(&item.operand)?;
            if item.alias.is_some() {
                let message = "only aggregate expressions use field aliasing";
                return Err(QueryError::malformed(message, name.at));
            }
            fields.add(&self.path(name)?);
        }
        let order = self.order(|operand| {
            let name = plain(operand)?;
            let path = self.path(name)?;
            sortable(&path, name)?;
            Ok(path)
        })?;
        Ok(Shape::Rows { fields, order })
    }

    fn groups(&self) -> Result<Shape, QueryError> {
        if self.entity.name == "SetupAuditTrail" {
            let message = "SetupAuditTrail does not support aggregate operators";
            return Err(QueryError::malformed(message, self.query.object.at));
        }
        let mut by = Vec::new();
        for name in &self.query.group_by {
            let path = self.path(name)?;
            if !path.column.groupable {
                let message = format!("field '{}' can not be grouped in a query call", name.text);
                return Err(QueryError::malformed(message, name.at));
            }
            by.push(path);
        }
        let mut outputs = Vec::new();
        let mut unnamed = 0;
        for item in &self.query.select {
            let cell = self.cell(&item.operand)?;
            let name = match (&item.alias, &item.operand) {
                (Some(alias), _) => alias.clone(),
                (None, Operand::Path(name)) => {
                    name.text.rsplit('.').next().unwrap_or(&name.text).to_owned()
                }
                (None, _) => {
                    unnamed += 1;
                    format!("expr{}", unnamed - 1)
                }
            };
            outputs.push(Output { name, cell });
        }
        let having = self
            .query
            .having
            .as_ref()
            .map(|condition| {
                self.tree(condition, &|operand| {
                    let cell = self.cell(operand)?;
                    let kind = match &cell {
                        Cell::Aggregate(Function::Min | Function::Max, path) => path.column.kind,
                        Cell::Aggregate(..) => Kind::Int,
                        Cell::Key(_) => self.path(plain(operand)?)?.column.kind,
                    };
                    Ok((cell, kind))
                })
            })
            .transpose()?;
        let order = self.order(|operand| self.cell(operand))?;
        Ok(Shape::Groups { by, outputs, having, order })
    }

    /// An operand of a grouped query: an aggregate, or one of the grouped fields.
    fn cell(&self, operand: &Operand) -> Result<Cell, QueryError> {
        match operand {
            Operand::Path(name) => {
                let wanted = self.strip(&name.text);
                self.query
                    .group_by
                    .iter()
                    .position(|key| self.strip(&key.text).eq_ignore_ascii_case(wanted))
                    .map(Cell::Key)
                    .ok_or_else(|| {
                        let message = format!("Field must be grouped or aggregated: {}", name.text);
                        QueryError::malformed(message, name.at)
                    })
            }
            Operand::Aggregate(function, name) => {
                let path = self.path(name)?;
                let numeric = path.column.kind == Kind::Int;
                let orderly = numeric || matches!(path.column.kind, Kind::Text | Kind::Time);
                let allowed = match function {
                    Function::Count | Function::CountDistinct => true,
                    Function::Min | Function::Max => orderly,
                    Function::Sum => numeric,
                };
                if !allowed {
                    let message = format!(
                        "field {} does not support aggregate operator {function:?}",
                        name.text
                    );
                    return Err(QueryError::malformed(message, name.at));
                }
                Ok(Cell::Aggregate(*function, path))
            }
            Operand::CountRows(at) => {
                Err(QueryError::malformed("COUNT() must be the only element", *at))
            }
        }
    }

    fn order<T>(
        &self,
        resolve: impl Fn(&Operand) -> Result<T, QueryError>,
    ) -> Result<Vec<Key<T>>, QueryError> {
        let keys = self.query.order_by.iter().map(|key| {
            Ok(Key {
                by: resolve(&key.operand)?,
                descending: key.descending,
                nulls_last: key.nulls_last.unwrap_or(key.descending),
            })
        });
        keys.collect()
    }

    /// A path without the alias or name of the object in front.
    fn strip<'n>(&self, text: &'n str) -> &'n str {
        let first = |name: &str| {
            text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
                && text[name.len()..].starts_with('.')
        };
        let alias = self.query.alias.as_deref().filter(|alias| first(alias));
        let object = Some(self.query.object.text.as_str()).filter(|object| first(object));
        alias.or(object).map_or(text, |name| &text[name.len() + 1..])
    }

    fn path(&self, name: &Name) -> Result<Path, QueryError> {
        let mut parts: Vec<&str> = self.strip(&name.text).split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut entity = self.entity;
        let mut hops = Vec::new();
        for part in parts {
            let relation = entity.relation(part).ok_or_else(|| {
                let message = format!(
                    "Didn't understand relationship '{part}' in field path. If you are attempting \
                     to use a custom relationship, be sure to append the '__r' after the custom \
                     relationship name. Please reference your WSDL or the describe call for the \
                     appropriate names."
                );
                QueryError::field(message, name.at)
            })?;
            hops.push(relation);
            entity = relation.to;
        }
        let column = entity.column(last, self.view, self.api).ok_or_else(|| {
            let message = format!(
                "No such column '{last}' on entity '{}'. If you are attempting to use a custom \
                 field, be sure to append the '__c' after the custom field name. Please reference \
                 your WSDL or the describe call for the appropriate names.",
                entity.name
            );
            QueryError::field(message, name.at)
        })?;
        Ok(Path { hops, column })
    }

    fn row_test(&self, condition: &Condition) -> Result<Test, QueryError> {
        self.tree(condition, &|operand| {
            let name = plain(operand)?;
            let path = self.path(name)?;
            if !path.column.filterable {
                let message = format!("field '{}' can not be filtered in a query call", name.text);
                return Err(QueryError::field(message, name.at));
            }
            let kind = path.column.kind;
            Ok((path, kind))
        })
    }

    fn tree<T>(
        &self,
        condition: &Condition,
        resolve: &impl Fn(&Operand) -> Result<(T, Kind), QueryError>,
    ) -> Result<Tree<T>, QueryError> {
        let all = |terms: &[Condition]| {
            terms.iter().map(|term| self.tree(term, resolve)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match condition {
            Condition::And(terms) => Tree::And(all(terms)?),
            Condition::Or(terms) => Tree::Or(all(terms)?),
            Condition::Not(term) => Tree::Not(Box::new(self.tree(term, resolve)?)),
            Condition::Compare(operand, operator, literal) => {
                let (subject, kind) = resolve(operand)?;
                Tree::Leaf(subject, self.compare(operand, kind, *operator, literal)?)
            }
            Condition::In { operand, negated, values } => {
                let (subject, kind) = resolve(operand)?;
                let equal = |literal| self.compare(operand, kind, Operator::Equal, literal);
                let matches = values.iter().map(equal).collect::<Result<Vec<_>, _>>()?;
                let test = if *negated { Match::NoneOf(matches) } else { Match::AnyOf(matches) };
                Tree::Leaf(subject, test)
            }
        })
    }

    fn compare(
        &self,
        operand: &Operand,
        kind: Kind,
        operator: Operator,
        literal: &Literal,
    ) -> Result<Match, QueryError> {
        let orderly = !matches!(operator, Operator::Equal | Operator::NotEqual | Operator::Like);
        if kind == Kind::Bool && orderly {
            return Err(QueryError::field("invalid operator on boolean field", literal.at));
        }
        if operator == Operator::Like {
            return match (&literal.kind, kind) {
                (LiteralKind::Text(raw), Kind::Text) => Ok(Match::Like(Pattern::new(raw))),
                _ => Err(QueryError::plain(
                    "INVALID_QUERY_FILTER_OPERATOR",
                    "invalid operator on id field",
                )),
            };
        }
        let value = match (&literal.kind, kind) {
            (LiteralKind::Null, _) => Value::Null,
            (LiteralKind::Bool(bit), Kind::Bool) => Value::Bool(*bit),
            (LiteralKind::Text(raw), Kind::Text) => Value::owned(lexer::unescape(raw)),
            (LiteralKind::Text(raw), Kind::Id | Kind::Reference) => {
                let text = lexer::unescape(raw);
                if !looks_like_id(&text) {
                    return Err(QueryError::plain(
                        "INVALID_QUERY_FILTER_OPERATOR",
                        format!("invalid ID field: {text}"),
                    ));
                }
                // An id of another org matches nothing, like one past the last serial.
                Value::Id(Id::parse(&text).unwrap_or(Id::new("000", 61, usize::MAX)))
            }
            (LiteralKind::Number(number), Kind::Int) => {
                return Ok(Match::CompareNumber(operator, *number));
            }
            (LiteralKind::Time(text), Kind::Time) => match dates::datetime(text) {
                Some(seconds) => Value::Time(seconds),
                None => return Err(self.wrong_type(operand, kind, literal)),
            },
            (LiteralKind::Named(name, count), Kind::Time) => {
                let (from, to) = dates::range(name, *count, self.now)
                    .ok_or_else(|| self.wrong_type(operand, kind, literal))?;
                return Ok(Match::CompareRange(operator, from, to));
            }
            _ => return Err(self.wrong_type(operand, kind, literal)),
        };
        Ok(Match::Compare(operator, value))
    }

    fn wrong_type(&self, operand: &Operand, kind: Kind, literal: &Literal) -> QueryError {
        let name = match operand {
            Operand::Path(name) | Operand::Aggregate(_, name) => self.strip(&name.text),
            Operand::CountRows(_) => "COUNT()",
        };
        let (wanted, quotes) = match kind {
            Kind::Time => ("dateTime", "should not be enclosed in quotes"),
            Kind::Int => ("int", "should not be enclosed in quotes"),
            Kind::Bool => ("boolean", "should not be enclosed in quotes"),
            Kind::Id | Kind::Reference => ("id", "should be enclosed in quotes"),
            Kind::Text => ("string", "should be enclosed in quotes"),
        };
        let message = format!(
            "value of filter criterion for field '{name}' must be of type {wanted} and {quotes}"
        );
        QueryError::field(message, literal.at)
    }
}

fn plain(operand: &Operand) -> Result<&Name, QueryError> {
    match operand {
        Operand::Path(name) => Ok(name),
        Operand::Aggregate(_, Name { at, .. }) | Operand::CountRows(at) => {
            Err(QueryError::malformed("aggregate functions are not allowed here", *at))
        }
    }
}

fn sortable(path: &Path, name: &Name) -> Result<(), QueryError> {
    if path.column.sortable {
        return Ok(());
    }
    let message = format!("field '{}' can not be sorted in a query call", name.text);
    Err(QueryError::field(message, name.at))
}

/// What a filter demands of the sorted column wherever it holds: only conjunctions are looked into.
fn bounds(entity: &Entity, test: &Test) -> (i64, i64) {
    let whole = (i64::MIN, i64::MAX);
    let Some(sorted) = entity.sorted else { return whole };
    match test {
        Tree::And(terms) => terms
            .iter()
            .map(|term| bounds(entity, term))
            .fold(whole, |(from, to), (a, b)| (from.max(a), to.min(b))),
        Tree::Leaf(path, test) if path.hops.is_empty() && path.column.name == sorted.column => {
            let (operator, from, to) = match test {
                Match::Compare(operator, Value::Time(time)) => (operator, *time, *time),
                Match::CompareRange(operator, from, to) => (operator, *from, *to),
                _ => return whole,
            };
            match operator {
                Operator::Equal => (from, to),
                Operator::Less => (i64::MIN, from.saturating_sub(1)),
                Operator::LessOrEqual => (i64::MIN, to),
                Operator::Greater => (to.saturating_add(1), i64::MAX),
                Operator::GreaterOrEqual => (from, i64::MAX),
                Operator::NotEqual | Operator::Like => whole,
            }
        }
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_patterns_match_as_sql_does() {
        for (pattern, text, matches) in [
            ("Drift", "drift", true),
            ("Dr%", "Drift", true),
            ("%ift", "Drift", true),
            ("%r%f%", "Drift", true),
            ("Dr_ft", "Drift", true),
            ("Dr_t", "Drift", false),
            ("100\\%", "100%", true),
            ("100\\%", "1000", false),
            ("%", "", true),
            ("_", "", false),
            ("a%b%c", "aXbXXc", true),
            ("a%b%c", "aXbXX", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), matches, "{pattern} on {text}");
        }
    }
}
