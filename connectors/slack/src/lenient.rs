//! Reading fields whose type Slack's pages do not promise: what has another type counts as missing, so that one odd field does not lose
//! a row, and one odd row does not lose a page.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

/// A field that is missing, null or of another type is `None`.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// A row of a listing; `None` if it has a form that is not known.
#[derive(Debug, Clone)]
pub(crate) struct Row<T>(pub(crate) Option<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Row<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lenient(deserializer).map(Self)
    }
}

/// Text, or a number that stands for it: Slack writes some ids both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) if !text.is_empty() => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            _ => Err(D::Error::custom("neither a text nor a number")),
        }
    }
}

/// A count of seconds or pages: a number, or a text of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(pub(crate) i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map(Self).ok_or_else(|| D::Error::custom("no whole number"))
    }
}

/// `true`. Anything else in this place means that the answer is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Okay;

impl<'de> Deserialize<'de> for Okay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => Ok(Self),
            false => Err(D::Error::custom("the answer is not ok")),
        }
    }
}

/// A number of things for a reader: `1 row`, `2 rows`. `one` is the singular; the first word takes the plural.
pub(crate) fn count(number: u64, one: &str) -> String {
    let (first, rest) = one.split_at(one.find(' ').unwrap_or(one.len()));
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {first}{ending}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Odd {
        id: Text,
        #[serde(default, deserialize_with = "lenient")]
        scopes: Option<Vec<String>>,
    }

    #[test]
    fn one_odd_row_does_not_lose_the_others() {
        let text = r#"[{"id":7,"scopes":"x"},{"id":"A","scopes":["a"]},{"scopes":[]},3,{"id":""}]"#;
        let rows: Vec<Row<Odd>> = serde_json::from_str(text).unwrap();
        let ids: Vec<Option<String>> =
            rows.iter().map(|row| row.0.as_ref().map(|odd| odd.id.0.clone())).collect();
        assert_eq!(ids, [Some("7".to_owned()), Some("A".to_owned()), None, None, None]);
        assert!(rows[0].0.as_ref().unwrap().scopes.is_none());
        assert_eq!(rows[1].0.as_ref().unwrap().scopes.as_deref(), Some(&["a".to_owned()][..]));
    }

    #[test]
    fn numbers_come_as_texts_too() {
        let numbers: Vec<Number> = serde_json::from_str(r#"[1,"1392163200"," 3 "]"#).unwrap();
        assert_eq!(numbers, [Number(1), Number(1_392_163_200), Number(3)]);
        assert!(serde_json::from_str::<Number>(r#""soon""#).is_err());
    }

    #[test]
    fn one_thing_is_not_many() {
        assert_eq!(count(1, "expansion of scopes"), "1 expansion of scopes");
        assert_eq!(count(0, "row"), "0 rows");
        assert_eq!(count(2, "expansion of scopes"), "2 expansions of scopes");
    }

    #[test]
    fn only_true_is_an_answer() {
        assert!(serde_json::from_str::<Okay>("true").is_ok());
        assert!(serde_json::from_str::<Okay>("false").is_err());
    }
}
