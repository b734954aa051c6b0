//! [`Policy`]: what the user decides about findings: what rules judge by, how grave a rule's findings are, which are accepted, by whom
//! and until when, and from which severity on a scan fails.
//!
//! It must not know any rule, platform or purpose: what there is comes in as [`Known`], so that rules can read the policy without a
//! circle.

mod about;
mod baseline;
mod baseline_writer;
pub mod custom;
mod date;
mod entries;
mod exceptions;
mod located;
mod nearest;
mod network;
mod parameter;
mod place;
mod rules;
mod selector;
mod span;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, path::PathBuf};

use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Counts, Severity, SubjectKind};
pub use about::{About, Held};
pub use baseline::{Baseline, BaselineError, Gone};
pub use baseline_writer::BaselineWriter;
use custom::CustomRule;
pub use date::Date;
pub use entries::{Allow, AnyScopes, For, Waived, Waiver};
pub use exceptions::{Decision, Exceptions, Hold};
pub use located::Located;
pub use network::{Network, ParseNetworkError};
pub use parameter::{AnyParameter, Fraction, Parameter, ParameterType, Value};
pub use place::{At, PolicyError};
pub use rules::{KnownRule, RuleSettings};
use selector::Match;
pub use selector::Selector;
pub use span::{ParseSpanError, Span};

/// The table `[policy]` of a configuration, or a file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The file that has the policy, beside the configuration; nothing else may then stand in `[policy]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<At<PathBuf>>,
    /// The severity from which on findings make the scan fail (exit code 1). Default `high`; `never` reports only.
    pub fail_on: FailOn,
    /// A grant that nobody used for so long is stale. Default `90d`.
    pub stale_after: Span,
    /// A grant that lives longer than this without anybody acting is durable. Default `30d`.
    pub durable_after: Span,
    /// By rule id: a severity that replaces the rule's own (`off` switches the rule off), and what it judges by. Default empty.
    pub rules: RuleSettings,
    /// How far ahead a waiver may end. Default `366d`.
    pub waiver_at_most: Span,
    /// What differs for single apps and vendors. Default empty.
    #[serde(rename = "for", skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<For>,
    /// What is accepted for good. Default empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Allow>,
    /// What is accepted for a while. Default empty.
    #[serde(rename = "waiver", skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
    /// What the app is for: the id of a purpose class. Only in the policy for one app, see [`Policy::with`].
    #[serde(skip)]
    pub purpose: Option<String>,
    /// From which addresses the app is expected to call. Only in the policy for one app, see [`Policy::with`].
    #[serde(skip)]
    pub networks: Vec<Network>,
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
            rules: RuleSettings::default(),
            file: None,
            waiver_at_most: Span::days(366),
            overrides: Vec::new(),
            allow: Vec::new(),
            waivers: Vec::new(),
            purpose: None,
            networks: Vec::new(),
            allow_incomplete: false,
            custom: Vec::new(),
        }
    }
}

impl Policy {
    /// Checks the policy against what there is, and puts its entries in an order in which that of the file does not matter.
    ///
    /// # Errors
    /// The first unknown word, wrong value or entry that says too little or too much, with its place.
    pub fn checked(mut self, known: &Known<'_>) -> Result<Self, PolicyError> {
        self.rules.check(&known.rules)?;
        self.overrides.iter().try_for_each(|entry| entry.check(known))?;
        self.allow.iter().try_for_each(|entry| entry.check(known))?;
        self.waivers.iter().try_for_each(|entry| entry.check(known))?;
        // What is said later wins: the narrower.
        self.overrides
            .sort_by(|a, b| (a.subject.rank(), &a.subject).cmp(&(b.subject.rank(), &b.subject)));
        self.allow.sort_by(|a, b| a.key().cmp(&b.key()));
        self.waivers.sort_by_cached_key(Waiver::title);
        self.custom.sort_by(|a, b| a.id.cmp(&b.id));
        let twice = |subject: &At<Selector>| {
            Err(subject
                .wrong("another entry says the same about the same subject; make one of the two"))
        };
        if let Some([_, second]) =
            self.overrides.array_windows().find(|[a, b]| a.subject == b.subject)
        {
            return twice(&second.subject);
        }
        if let Some([_, second]) = self.allow.array_windows().find(|[a, b]| a.key() == b.key()) {
            return twice(&second.subject);
        }
        if let Some([_, second]) =
            self.waivers.array_windows().find(|[a, b]| a.title() == b.title())
        {
            return twice(&second.subject);
        }
        Ok(self)
    }

    /// Refuses waivers that end too far ahead of the time that is judged by.
    ///
    /// # Errors
    /// The first such waiver, with its place.
    pub fn check_ends(&self, now: Timestamp) -> Result<(), PolicyError> {
        self.waivers.iter().try_for_each(|waiver| waiver.check_end(now, self.waiver_at_most))
    }

    /// The policy for one app: with what entries of [`Policy::overrides`] say, the later over the earlier, and without any entries.
    #[must_use]
    pub fn with<'a>(&self, entries: impl IntoIterator<Item = &'a For>) -> Self {
        let mut policy = Self {
            overrides: Vec::new(),
            allow: Vec::new(),
            waivers: Vec::new(),
            custom: Vec::new(),
            ..self.clone()
        };
        for entry in entries {
            policy.stale_after = entry.stale_after.unwrap_or(policy.stale_after);
            policy.durable_after = entry.durable_after.unwrap_or(policy.durable_after);
            policy.rules.extend(&entry.rules);
            if let Some(purpose) = &entry.purpose {
                policy.purpose = Some(purpose.value.clone());
            }
            if !entry.networks.is_empty() {
                policy.networks.clone_from(&entry.networks);
            }
        }
        policy
    }

    /// The entries of [`Policy::overrides`] that are meant for an app, by index.
    pub fn overrides_of(&self, about: &About<'_>, kind: SubjectKind) -> Vec<usize> {
        let matches = |entry: &For| entry.subject.matches(about, kind, None) == Match::Yes;
        let found = self.overrides.iter().enumerate().filter(|(_, entry)| matches(entry));
        found.map(|(at, _)| at).collect()
    }

    /// What a rule judges by: the user's value, else the rule's own.
    pub fn get<T: ParameterType>(&self, parameter: &Parameter<T>) -> T {
        self.rules.get(parameter).unwrap_or(parameter.default)
    }

    /// Whether the rule is switched off.
    pub fn is_off(&self, rule: &str) -> bool {
        self.rules.severity(rule) == Some(Setting::Off)
    }

    /// The rules that are switched off, in alphabetical order.
    pub fn switched_off(&self) -> impl Iterator<Item = &str> {
        self.rules.switched_off()
    }

    /// Tenants that entries name, in alphabetical order.
    pub fn named_tenants(&self) -> BTreeSet<&str> {
        let of_settings = self.overrides.iter().map(|entry| &entry.subject.value);
        let accepted = self.allow.iter().map(|entry| &entry.subject.value);
        let waived = self.waivers.iter().map(|entry| &entry.subject.value);
        let subjects = of_settings.chain(accepted).chain(waived);
        subjects.filter_map(|subject| subject.tenant.as_deref()).collect()
    }

    /// The rules that are switched off for single apps or vendors, in the order of the entries, each with its subject.
    pub fn switched_off_for(&self) -> impl Iterator<Item = String> {
        self.overrides.iter().flat_map(|entry| {
            let off = entry.rules.switched_off();
            off.map(|rule| format!("{rule} for {}", entry.subject.value))
        })
    }

    /// The severity that the user gave to all findings of the rule, if any.
    pub fn severity_override(&self, rule: &str) -> Option<Severity> {
        self.rules.severity(rule).and_then(Setting::severity)
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

/// What a policy may name.
#[derive(Debug, Clone, Default)]
pub struct Known<'a> {
    /// The rules and what they judge by.
    pub rules: Vec<KnownRule<'a>>,
    /// The ids of the platforms.
    pub platforms: Vec<&'a str>,
    /// The ids of the purpose classes; none where there is no list of them.
    pub purposes: Option<Vec<&'a str>>,
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
