//! [`Advisory`]: the file format, and what must be true of a file beyond its form.

use std::path::Path;

use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{AdvisoryError, Certainty, Key, check};
use crate::vendors;

/// The breach of one vendor, or an incident of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Advisory {
    /// Lower-case words and digits with hyphens, ending in a year: `salesloft-drift-2025`.
    pub id: String,
    /// A few words.
    pub title: String,
    /// The company whose breach it is; for an own incident, the own company.
    pub vendor: String,
    /// Further names of the company and its products, whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brands: Vec<String>,
    /// Credentials and grants issued before it count as exposed: a date (midnight UTC) or a time. Without it, all do.
    #[serde(default, deserialize_with = "optional_time", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub safe_date: Option<Timestamp>,
    /// What the safe date rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_date_basis: Option<String>,
    /// What to revoke, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<String>,
    /// What else to rotate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_rotate: Vec<String>,
    /// The vendor's products, as far as they are told apart.
    #[serde(default, rename = "product", skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<Product>,
    /// By what the vendor's apps are recognised.
    #[serde(rename = "match")]
    pub keys: Vec<Key>,
    /// When it happened.
    #[serde(default, rename = "window", skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Traces in logs.
    #[serde(default, rename = "indicator", skip_serializing_if = "Vec::is_empty")]
    pub indicators: Vec<Indicator>,
    /// How what is known changed, the oldest first.
    #[serde(default, rename = "revision", skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<Revision>,
    /// Where to read on.
    #[serde(default, rename = "reference", skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Link>,
}

/// A product of the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its name; match keys refer to it.
    pub name: String,
    /// Whether it is concerned.
    pub status: Status,
    /// Where this is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Whether a product is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Status {
    /// What it holds counts as stolen.
    Affected,
    /// Nobody has said that it is, and it was cut off all the same.
    Precaution,
    /// It is another product, or said not to be concerned.
    NotAffected,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Whose.
    pub whose: Whose,
    /// The tenant's name, for `whose = "tenant"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Its beginning; without it, not known.
    #[serde(default, deserialize_with = "optional_time", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<Timestamp>,
    /// Its end; a bare date means the whole day. Without it, not known.
    #[serde(default, deserialize_with = "end_of_day", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub to: Option<Timestamp>,
    /// Where this is said.
    pub source: String,
}

/// Whose [`Window`] it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// The thieves were at work, at any of the vendor's customers.
    Campaign,
    /// They were in this tenant, by its own logs.
    Tenant,
}

/// A trace in logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// What it is.
    pub kind: IndicatorKind,
    /// The address, the agent, or the query in words.
    pub value: String,
    /// How much it says by itself.
    pub confidence: Weight,
    /// What it was used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Where this is said.
    pub source: String,
    /// From when on it says nothing any more: addresses pass to others.
    #[serde(default, deserialize_with = "optional_time", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<Timestamp>,
}

/// What an [`Indicator`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum IndicatorKind {
    /// An IP address. Needs `expires`.
    Address,
    /// A user agent or client name, whole.
    Agent,
    /// What was asked, for a person who reads logs.
    Query,
}

/// How much an indicator says by itself.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Weight {
    /// Many others have it, too: a Tor exit, a common library.
    Low,
    /// Few others have it.
    Medium,
    /// Nobody else is known to have it.
    High,
}

/// A change in what is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// When.
    #[serde(deserialize_with = "time")]
    #[schemars(with = "String")]
    pub date: Timestamp,
    /// What became known.
    pub text: String,
}

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// For a person.
    pub title: String,
    /// Where it is.
    pub url: String,
}

/// A date as people write it in TOML: with quotes or without.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a date: \"2026-01-31\", or a time: \"2026-01-31T12:00:00Z\"")]
enum Written {
    Text(String),
    Date(toml::value::Datetime),
}

impl Written {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Date(date) => date.to_string(),
        }
    }
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Written::deserialize(deserializer)?.text().parse().map_err(D::Error::custom)
}

fn optional_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    time(deserializer).map(Some)
}

/// A bare date ends with its last second.
fn end_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    const BARE: usize = "2026-01-31".len();
    let text = Written::deserialize(deserializer)?.text();
    let time: Timestamp = text.parse().map_err(D::Error::custom)?;
    let last_second = std::time::Duration::from_secs(86_399);
    Ok(Some(if text.len() == BARE { time.plus(last_second) } else { time }))
}

impl Advisory {
    /// Reads and checks the text of a file. `path` is for errors only.
    ///
    /// # Errors
    /// [`AdvisoryError::Wrong`] with line and column.
    pub fn parse(path: &Path, text: &str) -> Result<Self, AdvisoryError> {
        let advisory: Self = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            AdvisoryError::at(path, text, offset, error.message())
        })?;
        check::check(&advisory)
            .map_err(|wrong| AdvisoryError::at(path, text, wrong.offset(text), wrong.message))?;
        Ok(advisory)
    }

    /// The product of this name.
    pub fn product(&self, name: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.name == name)
    }

    /// Whether this company is meant: the vendor, or one of its brands.
    pub fn is_about(&self, company: &str) -> bool {
        let wanted = vendors::company(company);
        let mut names = std::iter::once(&self.vendor).chain(&self.brands);
        !wanted.is_empty() && names.any(|name| vendors::company(name) == wanted)
    }

    /// Whether a stretch of time overlaps a window of the campaign or of this tenant; `None` if the advisory names no window.
    pub fn overlaps_window(&self, tenant: &str, from: Timestamp, to: Timestamp) -> Option<bool> {
        let mut windows = self
            .windows
            .iter()
            .filter(|window| window.tenant.as_deref().is_none_or(|name| name == tenant))
            .peekable();
        windows.peek()?;
        Some(windows.any(|window| {
            window.from.is_none_or(|begin| begin <= to) && window.to.is_none_or(|end| from <= end)
        }))
    }

    /// The surest kind of match that its keys allow.
    pub fn surest(&self) -> Certainty {
        self.keys.iter().map(Key::certainty).min().unwrap_or(Certainty::Review)
    }
}
