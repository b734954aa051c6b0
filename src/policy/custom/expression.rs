//! One CEL expression over the documented record: compiled, checked against the fields that there are, and asked.
//!
//! A fact that is not visible is missing from the record; reading it gives neither yes nor no, and the answer says which one it was.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use cel::{
    Context, Env, ExecutionError, IdedExpr, Program, Value,
    common::ast::{ComprehensionExpr, Expr, LiteralValue},
};
use grantwarden_kit::model::Gap;

use super::{
    facts::Facts,
    fields::{self, FIELDS, Field, Kind, Target},
};

/// Longest expression in bytes: an operator's rule is a line or two, and the parser is not made for more.
const LONGEST: usize = 4_000;

/// Stack for the parser, which takes some 100 KiB per bracket in a debug build and would otherwise end the program.
const PARSER_STACK: usize = 256 << 20;

/// How deep operators and calls may stand in each other, so that asking fits on any thread's stack. `&&` and `||` count as one, however
/// many follow each other.
const DEEPEST_TREE: usize = 24;

/// How deep `exists` and its like may stand in each other: each level multiplies the work per record.
const DEEPEST: usize = 3;

/// The CEL standard library, made once: it is the same for every expression.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Functions of the CEL standard library that work on what the record holds; operators are recognised by their internal names.
const FUNCTIONS: [&str; 12] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "type",
    "dyn",
];

/// A compiled expression.
pub struct Expression {
    program: Program,
    source: String,
    fields: BTreeSet<&'static str>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// What is wrong with an expression, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    /// Byte offset into the expression.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

/// The answer to a question that was asked of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<T> {
    /// It has one.
    Known(T),
    /// A fact is not visible: its path, and why.
    Unknown(String, Gap),
    /// The expression does not fit the record: what CEL says.
    Failed(String),
}

impl Expression {
    /// Compiles an expression about such a target.
    ///
    /// # Errors
    /// What CEL's parser does not understand; a variable, field or function that there is not; a pattern that is none.
    pub fn compile(source: &str, target: Target) -> Result<Self, ExpressionError> {
        if source.len() > LONGEST {
            let message = format!("the expression is longer than {LONGEST} bytes");
            return Err(ExpressionError { offset: LONGEST, message });
        }
        let (program, fields) = std::thread::scope(|scope| {
            let parser = std::thread::Builder::new().stack_size(PARSER_STACK);
            let parser = parser.spawn_scoped(scope, || parse(source, target));
            let parsed = parser.map(std::thread::ScopedJoinHandle::join);
            let failed = || ExpressionError {
                offset: 0,
                message: "the parser could not be run on this machine".to_owned(),
            };
            parsed.map_err(|_| failed())?.map_err(|_| failed())?
        })?;
        Ok(Self { program, source: source.to_owned(), fields })
    }

    /// Compiles an expression that must give true or false for every record.
    ///
    /// # Errors
    /// As [`Self::compile`]; also if it gives something else, or fails, for a made-up record, or where a field of it is null.
    pub fn compile_condition(source: &str, target: Target) -> Result<Self, ExpressionError> {
        let expression = Self::compile(source, target)?;
        let nullable = expression.fields().filter(|field| field.nullable);
        let trials: Vec<Option<&Field>> = [None].into_iter().chain(nullable.map(Some)).collect();
        for (null, flag) in trials.into_iter().flat_map(|null| [(null, true), (null, false)]) {
            let facts = fields::sample(target, flag, |field| Some(field) == null);
            if let Answer::Failed(problem) = expression.holds(&facts) {
                let message = match null {
                    Some(field) => format!(
                        "`{path}` may be null, and then {problem}; ask `{path} != null` first",
                        path = field.path
                    ),
                    None => problem,
                };
                return Err(ExpressionError { offset: 0, message });
            }
        }
        Ok(expression)
    }

    /// The fields that it names, in the order of the documentation.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(|field| self.fields.contains(field.path))
    }

    /// Whether the expression holds for the record.
    pub fn holds(&self, facts: &Facts) -> Answer<bool> {
        match self.ask(facts) {
            Answer::Known(Value::Bool(holds)) => Answer::Known(holds),
            Answer::Known(other) => {
                Answer::Failed(format!("it gives {}, and must give true or false", other.type_of()))
            }
            Answer::Unknown(path, gap) => Answer::Unknown(path, gap),
            Answer::Failed(message) => Answer::Failed(message),
        }
    }

    /// What the expression gives, as a text for a message.
    pub fn text(&self, facts: &Facts) -> String {
        match self.ask(facts) {
            Answer::Known(value) => said(&value),
            Answer::Unknown(..) => "(not visible)".to_owned(),
            Answer::Failed(_) => "(none)".to_owned(),
        }
    }

    fn ask(&self, facts: &Facts) -> Answer<Value> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        for (name, value) in facts.variables() {
            if let Err(error) = context.add_variable(name.as_str(), value) {
                return Answer::Failed(error.to_string());
            }
        }
        match self.program.execute(&context) {
            Ok(value) => Answer::Known(value),
            Err(ExecutionError::NoSuchKey(key)) => match facts.gap(&key) {
                Some((path, gap)) => Answer::Unknown(path.to_owned(), gap.clone()),
                None => Answer::Failed(format!("there is no `{key}`")),
            },
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

/// Parses and checks.
fn parse(
    source: &str,
    target: Target,
) -> Result<(Program, BTreeSet<&'static str>), ExpressionError> {
    let program = Program::compile(source).map_err(|errors| {
        let first = errors.errors.first();
        let message = first.map_or_else(|| errors.to_string(), |error| error.msg.clone());
        ExpressionError {
            offset: first.map_or(0, |error| offset(source, error.pos)),
            message: if message.contains("Recursion limit") {
                "the expression is too deeply nested".to_owned()
            } else {
                message
            },
        }
    })?;
    let mut check = Check { program: &program, target, fields: BTreeSet::new() };
    check.expression(program.expression(), &mut Vec::new(), 0, 0)?;
    let fields = check.fields;
    Ok((program, fields))
}

/// A value for a sentence.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::List(values) => values.iter().map(said).collect::<Vec<_>>().join(", "),
        Value::Null => "none".to_owned(),
        other => other.type_of().to_string(),
    }
}

/// The byte offset of CEL's line and column, both from 1.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let skip = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
    let start: usize = source.split_inclusive('\n').take(skip).map(str::len).sum();
    let column = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
    start.saturating_add(column).min(source.len())
}

/// What an expression stands for, as far as the check needs to know.
#[derive(Debug, Clone)]
enum Shape {
    /// A variable, or a table of fields: its path.
    Fields(String),
    /// A field of that kind.
    Field(&'static str, Kind),
    /// Something that CEL made.
    Made,
}

/// Reads an expression for what it names.
struct Check<'a> {
    program: &'a Program,
    target: Target,
    /// The fields that it names.
    fields: BTreeSet<&'static str>,
}

impl Check<'_> {
    fn fail<T>(&self, at: &IdedExpr, message: impl Into<String>) -> Result<T, ExpressionError> {
        let offset = self.program.source_info().offset_for(at.id).map_or(0, |(start, _)| start);
        Err(ExpressionError {
            offset: usize::try_from(offset).unwrap_or(0),
            message: message.into(),
        })
    }

    /// `depth` counts comprehensions, `level` everything. `local` are the names that `exists` and its like introduce, each with what it stands for.
    fn expression(
        &mut self,
        at: &IdedExpr,
        local: &mut Vec<(String, Shape)>,
        depth: usize,
        level: usize,
    ) -> Result<Shape, ExpressionError> {
        if level > DEEPEST_TREE {
            return self.fail(at, "the expression is too deeply nested");
        }
        match &at.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(Shape::Made),
            Expr::Ident(name) => self.variable(at, name, local),
            Expr::Select(select) => {
                let operand = self.expression(&select.operand, local, depth, level + 1)?;
                self.select(at, &operand, &select.field)
            }
            Expr::Call(call) => {
                if !is_operator(&call.func_name) && !FUNCTIONS.contains(&call.func_name.as_str()) {
                    let known = FUNCTIONS.join(", ");
                    let message =
                        format!("there is no function `{}`; there are {known}", call.func_name);
                    return self.fail(at, message);
                }
                let mut field = None;
                for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                    let shape = self.expression(part, local, depth, level + 1)?;
                    if let Shape::Field(path, kind) = shape {
                        field = Some((path, kind));
                    }
                    if let Shape::Fields(name) = shape {
                        return self.fail(
                            part,
                            format!("`{name}` as a whole is no value; name one of its fields"),
                        );
                    }
                }
                if let ("_==_" | "_!=_", Some((path, kind))) = (call.func_name.as_str(), field)
                    && call.args.iter().any(|part| is_of_other_kind(&part.expr, kind))
                {
                    let message = format!("`{path}` is a {kind} and never equal to that");
                    return self.fail(at, message);
                }
                if call.func_name == "matches" {
                    self.pattern(at, call.args.last())?;
                }
                Ok(Shape::Made)
            }
            Expr::List(list) => {
                list.elements.iter().try_for_each(|part| {
                    self.expression(part, local, depth, level + 1).map(drop)
                })?;
                Ok(Shape::Made)
            }
            Expr::Map(_) | Expr::Struct(_) => {
                self.fail(at, "tables cannot be made in a rule; compare fields with values")
            }
            Expr::Comprehension(comprehension) => {
                self.comprehension(at, comprehension, local, depth, level + 1)
            }
        }
    }

    fn variable(
        &mut self,
        at: &IdedExpr,
        name: &str,
        local: &[(String, Shape)],
    ) -> Result<Shape, ExpressionError> {
        if let Some((_, shape)) = local.iter().rev().find(|(known, _)| known == name) {
            return Ok(shape.clone());
        }
        let variables = self.target.variables();
        if !variables.contains(&name) {
            let known = variables.join(", ");
            let message = format!(
                "there is no `{name}` in a rule about a {}; there are {known}",
                self.target
            );
            return self.fail(at, message);
        }
        Ok(match fields::find(name) {
            Some(field) => {
                self.fields.insert(field.path);
                Shape::Field(field.path, field.kind)
            }
            None => Shape::Fields(name.to_owned()),
        })
    }

    fn select(
        &mut self,
        at: &IdedExpr,
        operand: &Shape,
        name: &str,
    ) -> Result<Shape, ExpressionError> {
        match operand {
            Shape::Made => Ok(Shape::Made),
            Shape::Field(_, Kind::Table) => Ok(Shape::Made),
            Shape::Field(path, kind) => {
                self.fail(at, format!("`{path}` is a {kind} and has no field `{name}`"))
            }
            Shape::Fields(path) => {
                let path = format!("{path}.{name}");
                if let Some(field) = fields::find(&path) {
                    self.fields.insert(field.path);
                    return Ok(Shape::Field(field.path, field.kind));
                }
                if fields::is_parent(&path) {
                    return Ok(Shape::Fields(path));
                }
                self.fail(
                    at,
                    format!("there is no field `{path}`; `grantwarden policy fields` lists them"),
                )
            }
        }
    }

    fn comprehension(
        &mut self,
        at: &IdedExpr,
        comprehension: &ComprehensionExpr,
        local: &mut Vec<(String, Shape)>,
        depth: usize,
        level: usize,
    ) -> Result<Shape, ExpressionError> {
        if depth == DEEPEST {
            let message = format!("`exists` and its like stand more than {DEEPEST} deep");
            return self.fail(at, message);
        }
        let range = self.expression(&comprehension.iter_range, local, depth, level + 1)?;
        if let Shape::Field(path, kind @ (Kind::Text | Kind::Number | Kind::Flag)) = range {
            return self.fail(at, format!("`{path}` is a {kind} and no list"));
        }
        let before = local.len();
        local.push((comprehension.iter_var.clone(), Shape::Made));
        local.extend(comprehension.iter_var2.iter().map(|name| (name.clone(), Shape::Made)));
        local.push((comprehension.accu_var.clone(), Shape::Made));
        let inner = [
            &comprehension.accu_init,
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ];
        let checked = inner
            .into_iter()
            .try_for_each(|part| self.expression(part, local, depth + 1, level + 1).map(drop));
        local.truncate(before);
        checked.map(|()| Shape::Made)
    }

    /// A pattern must stand there as it is, so that a bad one is found before any record.
    fn pattern(&self, at: &IdedExpr, pattern: Option<&IdedExpr>) -> Result<(), ExpressionError> {
        let Some(Expr::Literal(LiteralValue::String(pattern))) = pattern.map(|at| &at.expr) else {
            return self.fail(at, "`matches` needs its pattern as a text in quotes");
        };
        let mut context = Context::default();
        context.add_variable_from_value("pattern", pattern.inner().to_owned());
        let asked = Program::compile("''.matches(pattern)").map(|trial| trial.execute(&context));
        match asked {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => self.fail(at, format!("the pattern cannot be used: {error}")),
            Err(error) => self.fail(at, error.to_string()),
        }
    }
}

/// Whether it is a value that a field of that kind can never have.
const fn is_of_other_kind(expression: &Expr, kind: Kind) -> bool {
    let Expr::Literal(literal) = expression else { return false };
    !matches!(
        (literal, kind),
        (LiteralValue::Null, Kind::Text | Kind::Number)
            | (LiteralValue::String(_), Kind::Text)
            | (LiteralValue::Boolean(_), Kind::Flag)
            | (
                LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_),
                Kind::Number
            )
    )
}

/// CEL's internal names of operators.
const OPERATORS: [&str; 18] = [
    "_&&_", "_||_", "!_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "_/_",
    "_%_", "-_", "_?_:_", "_[_]", "@in",
];

/// Whether the name is that of an operator, or of what `all` and its like are made of.
fn is_operator(name: &str) -> bool {
    OPERATORS.contains(&name) || name == "@not_strictly_false"
}
