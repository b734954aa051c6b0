//! `[policy.rules.<id>]`: what the user decides about one rule. Which rules and parameters there are comes in as data.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};

use super::{AnyParameter, At, Parameter, ParameterType, PolicyError, Setting, Value, nearest};

/// A rule as the policy needs to know it.
#[derive(Debug, Clone, Copy)]
pub struct KnownRule<'a> {
    /// Its id.
    pub id: &'a str,
    /// What the user may change about it.
    pub parameters: &'static [AnyParameter],
}

/// Settings by rule id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RuleSettings(BTreeMap<At<String>, OfRule>);

/// What the user decides about one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct OfRule {
    /// The severity of all its findings, or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Setting>,
    /// Its parameters by key.
    #[serde(flatten)]
    parameters: BTreeMap<At<String>, At<Value>>,
}

impl RuleSettings {
    /// Gives all findings of a rule a severity, or switches it off.
    pub fn set_severity(&mut self, rule: &str, setting: Setting) {
        self.0.entry(rule.to_owned().into()).or_default().severity = Some(setting);
    }

    /// Changes what a rule judges by.
    pub fn set(&mut self, rule: &str, key: &str, value: Value) {
        let of_rule = self.0.entry(rule.to_owned().into()).or_default();
        of_rule.parameters.insert(key.to_owned().into(), value.into());
    }

    pub(super) fn severity(&self, rule: &str) -> Option<Setting> {
        self.0.get(rule)?.severity
    }

    /// The rules that are switched off, in alphabetical order.
    pub(super) fn switched_off(&self) -> impl Iterator<Item = &str> {
        let off = |of_rule: &OfRule| of_rule.severity == Some(Setting::Off);
        self.0.iter().filter(move |(_, of_rule)| off(of_rule)).map(|(id, _)| id.as_str())
    }

    pub(super) fn get<T: ParameterType>(&self, parameter: &Parameter<T>) -> Option<T> {
        T::of(self.0.get(parameter.rule)?.parameters.get(parameter.key)?)
    }

    /// What the other settings say wins; what they leave out stays.
    pub(super) fn extend(&mut self, other: &Self) {
        for (rule, theirs) in &other.0 {
            let ours = self.0.entry(rule.clone()).or_default();
            ours.severity = theirs.severity.or(ours.severity);
            ours.parameters.extend(theirs.parameters.clone());
        }
    }

    /// Refuses a rule or a parameter that there is not: a misspelt `off` must not look as if it worked.
    pub(super) fn check(&self, known: &[KnownRule<'_>]) -> Result<(), PolicyError> {
        for (id, of_rule) in &self.0 {
            let rule = find(id, known)?;
            for (key, value) in &of_rule.parameters {
                let Some(parameter) = rule.parameters.iter().find(|known| known.key() == **key)
                else {
                    let keys: Vec<&str> = std::iter::once("severity")
                        .chain(rule.parameters.iter().map(|known| known.key()))
                        .collect();
                    let hint = nearest::hint(key, &keys, "settings of this rule");
                    return Err(key.wrong(format!("`{}` has no setting `{}`; {hint}", **id, **key)));
                };
                if !parameter.takes(value) {
                    let message =
                        format!("`{}` takes {}, not {}", **key, parameter.kind(), **value);
                    return Err(value.wrong(message));
                }
            }
        }
        Ok(())
    }
}

/// The rule with this id.
pub(super) fn find<'a>(
    id: &At<String>,
    known: &[KnownRule<'a>],
) -> Result<KnownRule<'a>, PolicyError> {
    known.iter().find(|rule| rule.id == **id).copied().ok_or_else(|| {
        let ids: Vec<&str> = known.iter().map(|rule| rule.id).collect();
        id.wrong(format!("there is no rule `{}`; {}", **id, nearest::hint(id, &ids, "rules")))
    })
}

/// Not derived: serde's `flatten` forgets where things stand.
impl<'de> Deserialize<'de> for OfRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = OfRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table: { severity = \"low\" }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OfRule, A::Error> {
                let mut of_rule = OfRule::default();
                while let Some(key) = map.next_key::<At<String>>()? {
                    if *key == "severity" {
                        of_rule.severity = Some(map.next_value()?);
                    } else {
                        of_rule.parameters.insert(key, map.next_value()?);
                    }
                }
                Ok(of_rule)
            }
        }
        deserializer.deserialize_map(Read)
    }
}

impl JsonSchema for OfRule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OfRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What the user decides about one rule: its severity, and what it judges by.",
            "type": "object",
            "properties": { "severity": generator.subschema_for::<Setting>() },
            "additionalProperties": generator.subschema_for::<Value>(),
        })
    }
}
