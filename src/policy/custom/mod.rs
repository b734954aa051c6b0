//! Custom rules: a condition in CEL over the documented record, with its severity, its message and its tests beside it.
//!
//! What is written wrong is refused when the policy is read. Filling a record from an inventory is `rules`' work, not done here.

mod expression;
mod facts;
mod fields;
mod template;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PolicyError, located::Located};
use crate::finding::Severity;
pub use expression::{Answer, Expression, ExpressionError};
pub use facts::Facts;
pub use fields::{FIELDS, Field, Kind, Target};
use template::Template;

/// A rule of the user's own: a table `[[policy.custom]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomRule {
    /// Kebab-case statement of the problem; no other rule has it. Never changes: waivers and baselines rest on it.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What it judges. Default `grant`.
    #[serde(default)]
    pub on: Target,
    /// The condition in CEL: true where there is a problem. `grantwarden policy fields` lists what it can read.
    pub when: Located,
    /// How grave a finding is.
    pub severity: Severity,
    /// The sentence of a finding; `{app.name}` gives the value of an expression, `{{` and `}}` a brace.
    pub message: Located,
    /// Why it matters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What to do, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<String>,
    /// Addresses of pages to read on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Records and what the rule must say of them; `grantwarden policy test` asks.
    #[serde(default, rename = "test", skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<CustomTest>,
}

/// A record and what its rule must say of it: a table `[[policy.custom.test]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomTest {
    /// What it shows.
    pub name: String,
    /// Fields that matter, by path; every other one is null, empty, false or 0.
    #[serde(default)]
    pub given: serde_json::Map<String, Value>,
    /// Paths of fields that are not visible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// What the rule must say.
    pub expect: Expected,
    /// The message that the finding must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What a custom rule says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Expected {
    /// It finds the problem.
    Finding,
    /// It does not.
    Pass,
    /// A fact that it needs is not visible.
    Unknown,
}

/// A custom rule, ready to be asked.
#[derive(Debug)]
pub struct Compiled {
    /// As it is written.
    pub rule: CustomRule,
    when: Expression,
    message: Template,
}

/// What a test of a custom rule showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What was expected.
    Passed,
    /// Something else, in words.
    Failed(String),
}

/// The id under which code scanning shows that a scan is incomplete. No rule has it.
pub const INCOMPLETE_SCAN: &str = "incomplete-scan";

/// Compiles the custom rules of a policy. `taken` are the ids of the built-in rules.
///
/// # Errors
/// The first thing that is wrong.
pub fn compile(rules: &[CustomRule], taken: &[&str]) -> Result<Vec<Compiled>, PolicyError> {
    let mut compiled: Vec<Compiled> = Vec::with_capacity(rules.len());
    for rule in rules {
        let fail = |message: String| PolicyError {
            offset: rule.when.offset(),
            message: format!("custom rule `{}`: {message}", rule.id),
        };
        if let Some(problem) = problem_of_id(&rule.id) {
            return Err(fail(problem.to_owned()));
        }
        if taken.contains(&rule.id.as_str())
            || rule.id == INCOMPLETE_SCAN
            || compiled.iter().any(|other| other.rule.id == rule.id)
        {
            return Err(fail("another rule has this id".to_owned()));
        }
        compiled.push(Compiled::new(rule)?);
    }
    Ok(compiled)
}

fn problem_of_id(id: &str) -> Option<&'static str> {
    let is_kebab = !id.is_empty()
        && id.split('-').all(|word| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
    (!is_kebab).then_some("an id is lower-case words joined by hyphens: `no-mail-for-bots`")
}

impl Compiled {
    fn new(rule: &CustomRule) -> Result<Self, PolicyError> {
        let fail = |at: &Located, error: ExpressionError| PolicyError {
            offset: at.offset_of(error.offset),
            message: format!("custom rule `{}`: {}", rule.id, error.message),
        };
        let when = Expression::compile_condition(&rule.when, rule.on)
            .map_err(|error| fail(&rule.when, error))?;
        let message = Template::compile(&rule.message, rule.on)
            .map_err(|error| fail(&rule.message, error))?;
        for path in rule.tests.iter().flat_map(CustomTest::paths) {
            if !rule.on.fields().any(|field| field.path == path) {
                let error = ExpressionError {
                    offset: 0,
                    message: format!(
                        "a test names `{path}`, which a rule about a {} cannot read",
                        rule.on
                    ),
                };
                return Err(fail(&rule.when, error));
            }
        }
        Ok(Self { rule: rule.clone(), when, message })
    }

    /// Whether the record has the problem.
    pub fn holds(&self, facts: &Facts) -> Answer<bool> {
        self.when.holds(facts)
    }

    /// The sentence about a record that has it.
    pub fn message(&self, facts: &Facts) -> String {
        self.message.fill(facts)
    }

    /// The fields that the condition names, in the order of the documentation.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.when.fields()
    }

    /// The fields that it reads, in the condition or for the message.
    pub fn reads(&self) -> impl Iterator<Item = &'static str> {
        self.when.fields().chain(self.message.fields()).map(|field| field.path)
    }

    /// Asks the rule about each record of its tests.
    pub fn test(&self) -> impl Iterator<Item = (&CustomTest, Outcome)> {
        self.rule.tests.iter().map(|test| (test, self.outcome(test)))
    }

    fn outcome(&self, test: &CustomTest) -> Outcome {
        let facts = test.facts(self.rule.on);
        let (said, detail) = match self.holds(&facts) {
            Answer::Known(true) => (Expected::Finding, String::new()),
            Answer::Known(false) => (Expected::Pass, String::new()),
            Answer::Unknown(path, _) => (Expected::Unknown, format!(", because of `{path}`")),
            Answer::Failed(problem) => return Outcome::Failed(problem),
        };
        if said != test.expect {
            return Outcome::Failed(format!("expected {}, got {said}{detail}", test.expect));
        }
        let message = self.message(&facts);
        match &test.message {
            Some(expected) if said == Expected::Finding && *expected != message => {
                Outcome::Failed(format!("expected the message `{expected}`, got `{message}`"))
            }
            Some(_) if said != Expected::Finding => {
                Outcome::Failed(format!("expects a message, but the rule says {said}"))
            }
            _ => Outcome::Passed,
        }
    }
}

impl CustomTest {
    /// Every path that the test names.
    fn paths(&self) -> Vec<String> {
        let mut paths = self.unknown.clone();
        for (variable, value) in &self.given {
            match value {
                Value::Object(fields) => {
                    paths.extend(fields.keys().map(|field| format!("{variable}.{field}")));
                }
                _ => paths.push(variable.clone()),
            }
        }
        paths
    }

    fn facts(&self, target: Target) -> Facts {
        let mut facts = Facts::of_nothing(target);
        for (variable, value) in &self.given {
            match value {
                Value::Object(fields) => {
                    for (field, value) in fields {
                        facts.state(&format!("{variable}.{field}"), value.clone());
                    }
                }
                value => facts.state(variable, value.clone()),
            }
        }
        for path in &self.unknown {
            facts.hide(path);
        }
        facts
    }
}

#[cfg(test)]
mod tests;
