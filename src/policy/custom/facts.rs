//! [`Facts`]: one record as an expression sees it. What is known stands there, what the platform says there is none of is null, and what
//! is not visible is missing, with the reason kept beside.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::model::{Gap, Observed, Reason};
use serde_json::{Map, Value, json};

use super::fields::{self, Field, Kind, Target};

/// One record as an expression sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    variables: BTreeMap<String, Value>,
    /// Why a field is missing, by path.
    gaps: BTreeMap<String, Gap>,
    /// The only paths that are kept; none: all.
    wanted: Option<BTreeSet<&'static str>>,
}

impl Facts {
    /// A record that keeps only these paths: nobody asks for the others.
    pub fn of_only(wanted: BTreeSet<&'static str>) -> Self {
        Self { wanted: Some(wanted), ..Self::default() }
    }

    fn is_wanted(&self, path: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(path))
    }

    /// A record of which nothing is so: null, empty, false or 0.
    pub(super) fn of_nothing(target: Target) -> Self {
        let mut facts = Self::default();
        for field in target.fields() {
            let none = match (field.nullable, field.kind) {
                (false, Kind::Text) => json!(""),
                (false, Kind::Number) => json!(0),
                _ => field.none(),
            };
            facts.state(field.path, none);
        }
        facts
    }

    /// Takes a fact away, for a test.
    pub(super) fn hide(&mut self, path: &str) {
        self.miss(path, Gap::new(Reason::PlatformSilent, "test", "hidden by the test"));
    }

    /// States a fact. A path has a variable and at most one field.
    pub fn state(&mut self, path: &str, value: impl Into<Value>) {
        if !self.is_wanted(path) {
            return;
        }
        let value = value.into();
        match path.split_once('.') {
            None => drop(self.variables.insert(path.to_owned(), value)),
            Some((variable, field)) => {
                let fields = self
                    .variables
                    .entry(variable.to_owned())
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(fields) = fields {
                    fields.insert(field.to_owned(), value);
                }
            }
        }
    }

    /// States a fact as it was seen; where there is none, what stands for that: null, an empty list, false.
    pub fn seen<T: Into<Value>>(&mut self, path: &str, fact: Observed<T>) {
        match fact {
            Observed::Known(value) => self.state(path, value),
            Observed::Absent => {
                self.state(path, fields::find(path).map_or(Value::Null, Field::none));
            }
            Observed::Unknown(gap) => self.miss(path, gap),
        }
    }

    /// Takes a fact away: it is not visible.
    pub fn miss(&mut self, path: &str, gap: Gap) {
        if !self.is_wanted(path) {
            return;
        }
        // The variable itself stays: a field of it is missing, not all of them.
        self.state(path, Value::Null);
        if let Some((variable, field)) = path.split_once('.')
            && let Some(Value::Object(fields)) = self.variables.get_mut(variable)
        {
            fields.remove(field);
        }
        self.gaps.insert(path.to_owned(), gap);
    }

    /// The variables with their values.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.variables.iter()
    }

    /// Which missing field has that last name, and why it is missing.
    pub(super) fn gap(&self, name: &str) -> Option<(&str, &Gap)> {
        self.gaps
            .iter()
            .find(|(path, _)| path.rsplit('.').next() == Some(name))
            .map(|(path, gap)| (path.as_str(), gap))
    }

    /// The fact at a path, if it is known or absent.
    pub fn get(&self, path: &str) -> Option<&Value> {
        match path.split_once('.') {
            None => self.variables.get(path),
            Some((variable, field)) => self.variables.get(variable)?.get(field),
        }
    }
}
