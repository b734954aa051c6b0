//! A cell of a table: what SOQL compares, groups and shows.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::id::Id;

/// A cell. Times are whole seconds, as the platform stores them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Time(i64),
    Id(Id),
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// A text cell that borrows.
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A text cell that owns.
    pub(crate) fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// A text cell or null.
    pub(crate) fn maybe(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    /// A whole number.
    pub(crate) fn int(number: impl TryInto<i64>) -> Self {
        number.try_into().map_or(Self::Null, Self::Int)
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The platform's order: null first, texts without regard to case.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) | (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Id(a), Self::Id(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => fold_case(a, b),
            // Columns have one type, so this is never asked.
            _ => Ordering::Equal,
        }
    }
}

/// Compares texts without regard to case.
pub(crate) fn fold_case(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        let (a, b) = (a.bytes(), b.bytes());
        return a.map(|c| c.to_ascii_lowercase()).cmp(b.map(|c| c.to_ascii_lowercase()));
    }
    a.to_lowercase().cmp(&b.to_lowercase())
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(bit) => serializer.serialize_bool(*bit),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Time(seconds) => serializer.serialize_str(&datetime(*seconds)),
            Self::Id(id) => serializer.collect_str(id),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// `2026-01-15T09:00:00.000+0000`, the form of the REST API.
pub(crate) fn datetime(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{}", time.strftime("%Y-%m-%dT%H:%M:%S.000+0000"))
}

/// `2026-01-15T09:00:00.000Z`, the form of SOAP and of event logs.
pub(crate) fn datetime_zulu(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{}", time.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
}
