//! [`Policy`]: what the user decides about findings: which thresholds rules judge by, how grave a rule's findings are, and from
//! which severity on a scan fails.
//!
//! It must not know any rule: ids come in as a list, so that rules can read the policy without a circle.

pub mod custom;
mod located;
mod span;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Counts, Severity};
use custom::CustomRule;
pub use located::Located;
pub use span::{ParseSpanError, Span};

/// The table `[policy]` of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The severity from which on findings make the scan fail (exit code 1). Default `high`; `never` reports only.
    pub fail_on: FailOn,
    /// A grant that nobody used for so long is stale. Default `90d`.
    pub stale_after: Span,
    /// A grant that lives longer than this without anybody acting is durable. Default `30d`.
    pub durable_after: Span,
    /// Severities by rule id that replace the rule's own; `off` switches the rule off. Default empty.
    pub severity: BTreeMap<String, Setting>,
    /// Whether a scan that could not read everything it promises may still exit with 0. Default `false`.
    pub allow_incomplete: bool,
    /// Rules of the user's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom: Vec<CustomRule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fail_on: FailOn::High,
            stale_after: Span::days(90),
            durable_after: Span::days(30),
            severity: BTreeMap::new(),
            allow_incomplete: false,
            custom: Vec::new(),
        }
    }
}

impl Policy {
    /// Refuses a rule id that no rule has: a misspelt `off` must not look as if it worked.
    ///
    /// # Errors
    /// The first unknown id, with the nearest known one and all of them.
    pub fn check(&self, known: &[&str]) -> Result<(), UnknownRule> {
        match self.severity.keys().find(|id| !known.contains(&id.as_str())) {
            Some(id) => Err(UnknownRule::new(id, known)),
            None => Ok(()),
        }
    }

    /// Whether the rule is switched off.
    pub fn is_off(&self, rule: &str) -> bool {
        self.severity.get(rule) == Some(&Setting::Off)
    }

    /// The rules that are switched off, in alphabetical order.
    pub fn switched_off(&self) -> impl Iterator<Item = &str> {
        self.severity.iter().filter(|(_, setting)| **setting == Setting::Off).map(|(id, _)| &**id)
    }

    /// The severity that the user gave to all findings of the rule, if any.
    pub fn severity_override(&self, rule: &str) -> Option<Severity> {
        self.severity.get(rule).and_then(|setting| setting.severity())
    }

    /// Whether these findings make the scan fail.
    pub fn verdict(&self, counts: &Counts) -> Verdict {
        let Some(threshold) = self.fail_on.severity() else { return Verdict::Pass };
        match counts.at_least(threshold) {
            0 => Verdict::Pass,
            findings => Verdict::Fail { threshold, findings },
        }
    }
}

/// What a policy says about a set of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No finding reaches the threshold, or there is none.
    Pass,
    /// So many findings are at or above the threshold.
    Fail {
        /// [`Policy::fail_on`].
        threshold: Severity,
        /// At least one.
        findings: u64,
    },
}

/// From which severity on a scan fails.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Any finding.
    Info,
    /// Low and graver.
    Low,
    /// Medium and graver.
    Medium,
    /// High and critical.
    High,
    /// Critical only.
    Critical,
    /// Findings never make a scan fail.
    Never,
}

impl FailOn {
    /// The threshold; `None` for [`FailOn::Never`].
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Info => Some(Severity::Info),
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Critical => Some(Severity::Critical),
            Self::Never => None,
        }
    }
}

/// What the user says about one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Setting {
    /// All its findings are for information.
    Info,
    /// All its findings are low.
    Low,
    /// All its findings are medium.
    Medium,
    /// All its findings are high.
    High,
    /// All its findings are critical.
    Critical,
    /// It does not run; reports list it as switched off.
    Off,
}

impl Setting {
    /// The severity; `None` for [`Setting::Off`].
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Info => Some(Severity::Info),
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Critical => Some(Severity::Critical),
            Self::Off => None,
        }
    }
}

/// A policy names a rule that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule `{id}`; did you mean `{nearest}`? The rules are {known}")]
pub struct UnknownRule {
    id: String,
    nearest: String,
    known: String,
}

impl UnknownRule {
    /// The id, and the rules that there are.
    pub fn new(id: &str, known: &[&str]) -> Self {
        let nearest =
            known.iter().min_by_key(|other| edits(id, other)).copied().unwrap_or_default();
        Self { id: id.to_owned(), nearest: nearest.to_owned(), known: known.join(", ") }
    }
}

/// Levenshtein distance, in bytes: rule ids are ASCII.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Result<Policy, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn an_empty_policy_is_the_documented_default() {
        let policy = policy("").unwrap();
        assert_eq!(policy, Policy::default());
        assert_eq!(policy.fail_on, FailOn::High);
        assert_eq!(policy.stale_after.to_string(), "90d");
        assert_eq!(policy.durable_after.to_string(), "30d");
        assert!(!policy.allow_incomplete);
    }

    #[test]
    fn reads_thresholds_and_severities() {
        let policy = policy(
            r#"
            fail_on = "never"
            stale_after = "26w"
            severity = { "no-expiry" = "low", "stale-unused" = "off" }
            "#,
        )
        .unwrap();
        assert_eq!(policy.stale_after, Span::days(182));
        assert_eq!(policy.severity_override("no-expiry"), Some(Severity::Low));
        assert!(policy.is_off("stale-unused"));
        assert_eq!(policy.switched_off().collect::<Vec<_>>(), ["stale-unused"]);
        assert_eq!(policy.severity_override("drift-pattern"), None);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(policy("stale_affter = \"90d\"").is_err());
        assert!(policy("fail_on = \"severe\"").is_err());
        let misspelt = policy("severity = { \"stale-unsed\" = \"off\" }").unwrap();
        let error = misspelt.check(&["drift-pattern", "stale-unused"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no rule `stale-unsed`; did you mean `stale-unused`? \
             The rules are drift-pattern, stale-unused"
        );
        assert!(Policy::default().check(&[]).is_ok());
    }

    #[test]
    fn the_verdict_follows_the_threshold() {
        let counts: Counts = [Severity::Low, Severity::Medium].into_iter().collect();
        assert_eq!(Policy::default().verdict(&counts), Verdict::Pass);
        let strict = Policy { fail_on: FailOn::Low, ..Policy::default() };
        assert_eq!(
            strict.verdict(&counts),
            Verdict::Fail { threshold: Severity::Low, findings: 2 }
        );
        let never = Policy { fail_on: FailOn::Never, ..Policy::default() };
        assert_eq!(never.verdict(&[Severity::Critical].into_iter().collect()), Verdict::Pass);
    }

    #[test]
    fn counts_edits() {
        for (from, to, expected) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3)] {
            assert_eq!(edits(from, to), expected, "{from} -> {to}");
        }
    }
}
