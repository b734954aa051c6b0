//! [`Finding`]: a rule's verdict on one subject, with the facts it rests on and a fingerprint that is the same in every scan.
//!
//! This module says what a verdict is made of. It must not know any rule, any platform or any output format.

use std::{fmt, ops::AddAssign, str::FromStr};

use aws_lc_rs::digest::{Context as Digest, SHA256};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// How much harm the problem can do if nobody acts.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Worth tidying up.
    Low,
    /// Harm to part of the data, or harm that needs a second mistake.
    Medium,
    /// Sensitive data in bulk is one stolen token away.
    High,
    /// The whole tenant is one stolen token away.
    Critical,
}

impl Severity {
    /// From the least to the gravest.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word used in every output and in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word is not a severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a severity; use critical, high, medium, low or info")]
pub struct ParseSeverityError(String);

impl FromStr for Severity {
    type Err = ParseSeverityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| ParseSeverityError(text.to_owned()))
    }
}

/// How sure the rule is that the problem exists. Separate from [`Severity`]: a grave problem may rest on thin facts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// More than one fact is an upper bound, a guess from a name, or not visible.
    Low,
    /// One fact is an upper bound, a guess from a name, or not visible.
    Medium,
    /// Every fact was read from the platform.
    High,
}

impl Confidence {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The confidence that is left when so many facts are not as firm as the platform's own word.
    pub const fn with_reservations(count: usize) -> Self {
        match count {
            0 => Self::High,
            1 => Self::Medium,
            _ => Self::Low,
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One fact that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Short name of the fact: `last used`.
    pub fact: String,
    /// What it is, for a person.
    pub value: String,
    /// The facet of the connector's manifest, or the setting by the name of the platform's pages, that the fact comes from.
    pub source: String,
}

impl Evidence {
    /// A fact, its value and where it comes from.
    pub fn new(
        fact: impl Into<String>,
        value: impl Into<String>,
        source: impl Into<String>,
    ) -> Self {
        Self { fact: fact.into(), value: value.into(), source: source.into() }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Stable across scans within the tenant.
    pub id: String,
    /// For a person.
    pub label: String,
    /// The app that is concerned; `None` for the tenant and its parts.
    pub app: Option<AppRef>,
    /// The principal behind the grant, by sign-in name where known.
    pub principal: Option<String>,
}

/// What kind of thing a [`Subject`] is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// The tenant as a whole.
    Tenant,
    /// A part of the tenant that was not seen; its id is `<facet>/<reason>`.
    Facet,
    /// An app.
    App,
    /// A grant.
    Grant,
    /// A credential.
    Credential,
    /// A vendor with all its apps, across tenants.
    Vendor,
    /// What is known about vendors, or that nothing is.
    Register,
    /// A waiver of the policy.
    Waiver,
}

impl SubjectKind {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Facet => "facet",
            Self::App => "app",
            Self::Grant => "grant",
            Self::Credential => "credential",
            Self::Vendor => "vendor",
            Self::Register => "register",
            Self::Waiver => "waiver",
        }
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An app, as far as a reader of a finding needs to know it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct AppRef {
    /// The app's id in the inventory.
    pub id: String,
    /// The app's name; the id where the app's own record is missing.
    pub name: String,
}

/// A rule's verdict on one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Id of the rule: `drift-pattern`.
    pub rule: String,
    /// After the policy's overrides.
    pub severity: Severity,
    /// How firm the facts are.
    pub confidence: Confidence,
    /// Platform id: `salesforce`. None for a vendor, whose apps may be on several, and for a waiver.
    pub platform: Option<String>,
    /// The user's name for the tenant. None for a vendor, whose apps may be in several.
    pub tenant: Option<String>,
    /// What it is about.
    pub subject: Subject,
    /// One plain sentence: the problem and its consequence. Understandable alone.
    pub message: String,
    /// The facts it rests on, the most important first.
    pub evidence: Vec<Evidence>,
    /// The same for the same rule and subject in every scan and on every machine.
    pub fingerprint: Fingerprint,
    /// Whether it counts, or who accepted it.
    pub status: Status,
}

/// Whether a [`Finding`] counts. All are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It counts.
    #[default]
    Active,
    /// Accepted for a while.
    Waived {
        /// Who answers for that.
        owner: String,
        /// The last day, in UTC.
        until: String,
        /// Why.
        reason: String,
    },
    /// Accepted for good.
    Allowed {
        /// Why.
        reason: String,
    },
    /// It was there when the baseline was written, and is no worse.
    Baseline,
}

/// The identity of a finding: 128 bits, written as 32 lower-case hexadecimal digits.
///
/// Two scans that find the same problem in the same place agree on it, whatever the severity, the wording or the user's name for
/// the tenant. Baselines, waivers and SARIF's `partialFingerprints` rest on that, so its recipe must never change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The first half of SHA-256 over the rule's id, the platform's id, the platform's own id of the tenant (both empty for a vendor), and
    /// the subject's kind and id. Each part goes in with its length in front, so that no two lists of parts run into the same bytes.
    pub fn of(rule: &str, platform: &str, tenant_id: &str, kind: SubjectKind, id: &str) -> Self {
        Self::of_parts([rule, platform, tenant_id, kind.as_str(), id])
    }

    /// The same over other parts, for what is no finding.
    pub fn of_parts<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut digest = Digest::new(&SHA256);
        for part in parts {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        for (byte, hashed) in bytes.iter_mut().zip(digest.finish().as_ref()) {
            *byte = *hashed;
        }
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fingerprint: 32 hexadecimal digits")]
pub struct ParseFingerprintError(String);

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u128::from_str_radix(text, 16) {
            Ok(number) if is_hex => Ok(Self(number.to_be_bytes())),
            _ => Err(ParseFingerprintError(text.to_owned())),
        }
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Fingerprint {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Fingerprint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9a-f]{32}$" })
    }
}

/// For a person.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.write_str("active"),
            Self::Waived { owner, until, reason } => {
                write!(f, "waived until {until} by {owner}, because: {reason}")
            }
            Self::Allowed { reason } => write!(f, "allowed, because: {reason}"),
            Self::Baseline => f.write_str("accepted by the baseline"),
        }
    }
}

/// How many findings there are of each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusCounts {
    /// Those that count.
    pub active: Counts,
    /// Those that are accepted for a while.
    pub waived: Counts,
    /// Those that are accepted for good.
    pub allowed: Counts,
    /// Those that the baseline accepts.
    pub baseline: Counts,
}

impl StatusCounts {
    /// Counts one more.
    pub const fn add(&mut self, status: &Status, severity: Severity) {
        let counts = match status {
            Status::Active => &mut self.active,
            Status::Waived { .. } => &mut self.waived,
            Status::Allowed { .. } => &mut self.allowed,
            Status::Baseline => &mut self.baseline,
        };
        counts.add(severity);
    }

    /// All of them.
    pub fn all(&self) -> Counts {
        let mut all = self.active;
        [self.waived, self.allowed, self.baseline].into_iter().for_each(|counts| all += counts);
        all
    }
}

/// How many findings there are of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Those that are only worth knowing.
    pub info: u64,
}

impl Counts {
    /// Counts one more.
    pub const fn add(&mut self, severity: Severity) {
        *self.of_mut(severity) += 1;
    }

    /// How many there are of one severity, to be changed.
    pub const fn of_mut(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Info => &mut self.info,
            Severity::Low => &mut self.low,
            Severity::Medium => &mut self.medium,
            Severity::High => &mut self.high,
            Severity::Critical => &mut self.critical,
        }
    }

    /// How many there are of one severity.
    pub const fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Info => self.info,
            Severity::Low => self.low,
            Severity::Medium => self.medium,
            Severity::High => self.high,
            Severity::Critical => self.critical,
        }
    }

    /// How many are of this severity or graver.
    pub fn at_least(&self, severity: Severity) -> u64 {
        Severity::ALL
            .into_iter()
            .filter(|other| *other >= severity)
            .map(|other| self.of(other))
            .sum()
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.at_least(Severity::Info)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.critical += other.critical;
        self.high += other.high;
        self.medium += other.medium;
        self.low += other.low;
        self.info += other.info;
    }
}

impl FromIterator<Severity> for Counts {
    fn from_iter<I: IntoIterator<Item = Severity>>(severities: I) -> Self {
        let mut counts = Self::default();
        severities.into_iter().for_each(|severity| counts.add(severity));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(rule: &str, tenant: &str, id: &str) -> String {
        Fingerprint::of(rule, "salesforce", tenant, SubjectKind::Grant, id).to_string()
    }

    /// A changed value here breaks every user's baseline and waivers.
    #[test]
    fn the_recipe_of_the_fingerprint_never_changes() {
        assert_eq!(
            fingerprint("drift-pattern", "00D000000000001", "0CR1"),
            "e7fb4455de9b35f62ec156ea643898aa"
        );
    }

    #[test]
    fn parts_of_a_fingerprint_do_not_run_into_each_other() {
        assert_ne!(fingerprint("a", "bc", "d"), fingerprint("a", "b", "cd"));
        assert_ne!(
            Fingerprint::of("r", "p", "t", SubjectKind::App, "1"),
            Fingerprint::of("r", "p", "t", SubjectKind::Grant, "1"),
        );
    }

    #[test]
    fn a_fingerprint_survives_being_written_and_read() {
        let fingerprint = Fingerprint::of("r", "p", "t", SubjectKind::Tenant, "t");
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        for text in
            ["", "00", "+0000000000000000000000000000001", "g0000000000000000000000000000000"]
        {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn severities_are_ordered_and_read_back() {
        assert!(Severity::ALL.is_sorted());
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().parse(), Ok(severity));
        }
        assert_eq!(
            "High".parse::<Severity>().unwrap_err().to_string(),
            "`High` is not a severity; use critical, high, medium, low or info"
        );
    }

    #[test]
    fn counts_add_up() {
        let counts: Counts = [Severity::Low, Severity::High, Severity::High].into_iter().collect();
        assert_eq!((counts.at_least(Severity::Medium), counts.total()), (2, 3));
    }
}
