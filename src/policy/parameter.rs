//! [`Parameter`]: a number or a length of time that a rule judges by and that the user may change, per rule and per app.
//!
//! A rule declares each as a `static` and asks with it, so that a misspelt key or a wrong type does not compile.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, Visitor},
};

use super::Span;

/// Something that a rule judges by: `policy.get(&AT_MOST)`.
#[derive(Debug)]
pub struct Parameter<T: 'static> {
    /// Id of the rule that has it.
    pub rule: &'static str,
    /// The key in `[policy.rules.<rule>]`: `at_most`.
    pub key: &'static str,
    /// Its value where the user gives none.
    pub default: T,
    /// One line: what it means, in the words of an administrator; no full stop.
    pub meaning: &'static str,
}

/// A [`Parameter`] of any type, for lists.
#[derive(Debug, Clone, Copy)]
pub enum AnyParameter {
    /// A length of time: `"90d"`.
    Span(&'static Parameter<Span>),
    /// A whole number: `5`.
    Number(&'static Parameter<u64>),
    /// A share of a whole: `0.2`.
    Fraction(&'static Parameter<Fraction>),
}

impl AnyParameter {
    /// Id of the rule that has it.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Span(parameter) => parameter.rule,
            Self::Number(parameter) => parameter.rule,
            Self::Fraction(parameter) => parameter.rule,
        }
    }

    /// The key in `[policy.rules.<rule>]`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Span(parameter) => parameter.key,
            Self::Number(parameter) => parameter.key,
            Self::Fraction(parameter) => parameter.key,
        }
    }

    /// What it means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Span(parameter) => parameter.meaning,
            Self::Number(parameter) => parameter.meaning,
            Self::Fraction(parameter) => parameter.meaning,
        }
    }

    /// Its value where the user gives none.
    pub const fn default(self) -> Value {
        match self {
            Self::Span(parameter) => Value::Span(parameter.default),
            Self::Number(parameter) => Value::Number(parameter.default),
            Self::Fraction(parameter) => Value::Fraction(parameter.default),
        }
    }

    /// Whether a value is of the parameter's type.
    pub(super) fn takes(self, value: &Value) -> bool {
        match self {
            Self::Span(_) => Span::of(value).is_some(),
            Self::Number(_) => u64::of(value).is_some(),
            Self::Fraction(_) => Fraction::of(value).is_some(),
        }
    }

    /// What a value has to be, in words.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Span(_) => "a length of time such as \"90d\"",
            Self::Number(_) => "a whole number",
            Self::Fraction(_) => "a share from 0 to 1",
        }
    }
}

/// A share of a whole in millionths, so that it is equal to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fraction(u32);

impl Fraction {
    const WHOLE: u32 = 1_000_000;

    /// So many hundredths; at most 100.
    pub const fn percent(percent: u8) -> Self {
        Self(if percent >= 100 { Self::WHOLE } else { percent as u32 * (Self::WHOLE / 100) })
    }

    /// Whether a part of a whole is at least this share. Nothing is no share of nothing.
    pub fn is_reached_by(self, part: u64, whole: u64) -> bool {
        whole > 0
            && u128::from(part) * u128::from(Self::WHOLE) >= u128::from(whole) * u128::from(self.0)
    }

    fn read(share: f64) -> Option<Self> {
        // In range, the cast loses only what is finer than a millionth.
        (0.0..=1.0).contains(&share).then(|| Self((share * f64::from(Self::WHOLE)).round() as u32))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / f64::from(Self::WHOLE))
    }
}

/// The value of a parameter as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text that is a length of time.
    Span(Span),
    /// A whole number.
    Number(u64),
    /// A number with a point, from 0 to 1.
    Fraction(Fraction),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(span) => write!(f, "\"{span}\""),
            Self::Number(number) => write!(f, "{number}"),
            Self::Fraction(fraction) => write!(f, "{fraction}"),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Span(span) => span.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Fraction(Fraction(parts)) => {
                serializer.serialize_f64(f64::from(*parts) / f64::from(Fraction::WHOLE))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as \"90d\", or a number")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
                text.parse().map(Value::Span).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
                u64::try_from(number)
                    .map(Value::Number)
                    .map_err(|_| E::custom(format!("{number} is below zero")))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
                Ok(Value::Number(number))
            }

            fn visit_f64<E: serde::de::Error>(self, share: f64) -> Result<Value, E> {
                Fraction::read(share)
                    .map(Value::Fraction)
                    .ok_or_else(|| E::custom(format!("{share} is no share from 0 to 1")))
            }
        }
        deserializer.deserialize_any(Read).map_err(D::Error::custom)
    }
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What a rule judges by: a number, or a length of time such as \"90d\".",
            "anyOf": [
                { "type": "string", "pattern": "^[0-9]+[mhdw]$" },
                { "type": "number", "minimum": 0 },
            ],
        })
    }
}

/// What a parameter can be.
pub trait ParameterType: Copy {
    /// The value, if it is of this type.
    fn of(value: &Value) -> Option<Self>;
}

impl ParameterType for Span {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Span(span) => Some(*span),
            _ => None,
        }
    }
}

impl ParameterType for u64 {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl ParameterType for Fraction {
    /// All and nothing may be written without a point.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Fraction(fraction) => Some(*fraction),
            Value::Number(0) => Some(Self(0)),
            Value::Number(1) => Some(Self(Self::WHOLE)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_counted_not_rounded() {
        let fifth = Fraction::percent(20);
        assert!(fifth.is_reached_by(1, 5) && !fifth.is_reached_by(1, 6));
        assert!(!Fraction::percent(0).is_reached_by(0, 0));
        assert_eq!(fifth.to_string(), "0.2");
        assert_eq!(Fraction::read(0.2), Some(fifth));
        assert_eq!(Fraction::read(1.01), None);
        assert_eq!(Fraction::of(&Value::Number(1)), Some(Fraction::percent(100)));
        assert_eq!(Fraction::of(&Value::Number(2)), None);
    }
}
