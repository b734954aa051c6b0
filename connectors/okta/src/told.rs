//! [`Told`]: a field of an answer as far as Okta told it. A field of another form must not cost its row, and a missing one is no fact.

use grantwarden_kit::model::{Gap, Observed, Reason};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A field as far as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Told<T> {
    /// Not in the answer.
    #[default]
    Missing,
    /// There, and null.
    Null,
    /// There, and of the form that is known.
    Given(T),
    /// There, and of another form.
    Odd,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        Ok(serde_json::from_value(value).map_or(Self::Odd, Self::Given))
    }
}

impl<T> Told<T> {
    /// The value, if it was told.
    pub(crate) const fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Missing | Self::Null | Self::Odd => None,
        }
    }

    /// A field inside; not told if this one is not.
    pub(crate) fn field<'a, U>(&'a self, inner: impl FnOnce(&'a T) -> &'a Told<U>) -> &'a Told<U> {
        match self {
            Self::Given(value) => inner(value),
            Self::Odd => &Told::Odd,
            Self::Missing | Self::Null => &Told::Missing,
        }
    }

    /// The fact, where no value is no answer. `what` is what Okta was to tell: `whether the app is active`.
    pub(crate) fn observed<'a, U>(
        &'a self,
        facet: &str,
        what: &str,
        value: impl FnOnce(&'a T) -> U,
    ) -> Observed<U> {
        match self {
            Self::Given(given) => Observed::Known(value(given)),
            Self::Missing | Self::Null => Observed::Unknown(untold(facet, what)),
            Self::Odd => Observed::Unknown(odd(facet, what)),
        }
    }

    /// The fact, where null says that there is none.
    pub(crate) fn or_absent<'a, U>(
        &'a self,
        facet: &str,
        what: &str,
        value: impl FnOnce(&'a T) -> U,
    ) -> Observed<U> {
        match self {
            Self::Null => Observed::Absent,
            other => other.observed(facet, what, value),
        }
    }
}

/// The gap of a fact that Okta did not tell.
pub(crate) fn untold(facet: &str, what: &str) -> Gap {
    Gap::new(Reason::PlatformSilent, facet, format!("Okta did not tell {what}"))
}

/// The gap of a fact that Okta told in a form that is not known.
pub(crate) fn odd(facet: &str, what: &str) -> Gap {
    Gap::new(Reason::CallFailed, facet, format!("Okta told {what} in a form that is not known"))
}

/// The gap of a value that is not known.
pub(crate) fn unknown_value<T>(facet: &str, what: &str, value: &str) -> Observed<T> {
    let detail = format!("Okta says {what}: `{value}`, which this version does not know");
    Observed::unknown(Reason::PlatformSilent, facet, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Line {
        name: Told<String>,
        count: Told<u32>,
        end: Told<u32>,
        other: Told<bool>,
    }

    #[test]
    fn tells_missing_null_given_and_odd_apart() {
        let line: Line = serde_json::from_str(r#"{"name":"a","count":"x","end":null}"#).unwrap();
        assert_eq!(line.name, Told::Given("a".to_owned()));
        assert_eq!(line.count, Told::Odd);
        assert_eq!(line.end, Told::Null);
        assert_eq!(line.other, Told::Missing);
        assert_eq!(line.end.or_absent("f", "the end", |end| *end), Observed::Absent);
        assert!(line.other.or_absent("f", "it", |it| *it).gap().is_some());
        assert_eq!(
            line.count.observed("f", "it", |it| *it).gap().unwrap().reason,
            Reason::CallFailed
        );
    }
}
