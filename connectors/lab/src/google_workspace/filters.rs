//! The `filters` parameter of reports (`client_id==X,num_response_bytes>100`): parsing and comparing.
//! Whose values are compared is the resource's business.

use std::cmp::Ordering;

use super::error::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Two letters before one, so that `<=` is not read as `<`.
const OPERATORS: [(&str, Operator); 7] = [
    ("==", Operator::Equal),
    ("<>", Operator::NotEqual),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) name: String,
    operator: Operator,
    value: String,
}

impl Filter {
    /// Reads the whole parameter; all filters must hold.
    pub(crate) fn parse(text: Option<&str>) -> Result<Vec<Self>, Refusal> {
        let Some(text) = text else { return Ok(Vec::new()) };
        text.split(',').map(Self::one).collect()
    }

    fn one(text: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::parameter("filters", format!("Invalid filter: {text}"));
        let at = text.find(['=', '<', '>', '!']).ok_or_else(invalid)?;
        let (name, rest) = text.split_at(at);
        let found = OPERATORS
            .iter()
            .find_map(|(sign, operator)| rest.strip_prefix(sign).map(|value| (*operator, value)));
        match found {
            Some((operator, value)) if !name.is_empty() && !value.is_empty() => {
                Ok(Self { name: name.to_owned(), operator, value: value.to_owned() })
            }
            _ => Err(invalid()),
        }
    }

    /// Whether one of the values compares; for "not equal", whether there are some and none is equal.
    pub(crate) fn holds<S: AsRef<str>>(&self, values: &[S]) -> bool {
        let compare = |value: &S| self.order(value.as_ref());
        let any = |wanted: fn(Ordering) -> bool| values.iter().map(compare).any(wanted);
        match self.operator {
            Operator::Equal => any(Ordering::is_eq),
            Operator::NotEqual => !values.is_empty() && !any(Ordering::is_eq),
            Operator::Less => any(Ordering::is_lt),
            Operator::LessOrEqual => any(Ordering::is_le),
            Operator::Greater => any(Ordering::is_gt),
            Operator::GreaterOrEqual => any(Ordering::is_ge),
        }
    }

    /// Numbers compare as numbers, everything else as text.
    fn order(&self, value: &str) -> Ordering {
        match (value.parse::<i64>(), self.value.parse::<i64>()) {
            (Ok(value), Ok(wanted)) => value.cmp(&wanted),
            _ => value.cmp(&self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_by_every_operator() {
        for (filter, values, holds) in [
            ("client_id==a", &["a"][..], true),
            ("client_id==a", &["b"], false),
            ("scope==a", &["b", "a"], true),
            ("client_id<>a", &["b"], true),
            ("client_id<>a", &[], false),
            ("scope!=a", &["b", "a"], false),
            ("bytes<10", &["9"], true),
            ("bytes<=10", &["10"], true),
            ("bytes>10", &["9"], false),
            ("bytes>=10", &["100"], true),
        ] {
            let filters = Filter::parse(Some(filter)).unwrap();
            assert_eq!(filters[0].holds(values), holds, "{filter} on {values:?}");
        }
        assert_eq!(Filter::parse(Some("a==1,b<>2")).unwrap().len(), 2);
        for bad in ["", "client_id", "client_id=a", "==a", "a==", "a==1,"] {
            assert!(Filter::parse(Some(bad)).is_err(), "{bad}");
        }
    }
}
