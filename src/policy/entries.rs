//! The entries of a policy that are about one app, vendor, tenant or finding: settings, allow-lists and waivers.

use std::collections::BTreeSet;

use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{
    At, Date, Held, Known, Network, PolicyError, RuleSettings, Selector, Span, nearest, rules,
    selector::Use,
};

/// `[[policy.for]]`: what differs for one app or for the apps of one vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct For {
    /// Which app, or whose.
    pub subject: At<Selector>,
    /// In place of the policy's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Span>,
    /// In place of the policy's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durable_after: Option<Span>,
    /// What the app is for: the id of a purpose class. Says how much access is too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<At<String>>,
    /// From which addresses the app is expected to call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Network>,
    /// What differs by rule.
    #[serde(default)]
    pub rules: RuleSettings,
}

/// `[[policy.allow]]`: what is accepted for good. Counted and shown, but no reason to fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Of whom.
    pub subject: At<Selector>,
    /// Findings of these rules.
    pub rules: Vec<At<String>>,
    /// Only as long as there is no scope besides these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<At<String>>,
    /// Why.
    pub reason: At<String>,
}

/// `[[policy.waiver]]`: what is accepted for a while, by whom and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Of whom.
    pub subject: At<Selector>,
    /// Findings of these rules; not with a fingerprint, which names one finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<At<String>>,
    /// The scopes that are waived: with any other the waiver breaks.
    #[serde(default)]
    pub scopes: Waived,
    /// Why.
    pub reason: At<String>,
    /// Who answers for it.
    pub owner: At<String>,
    /// The last day on which it holds, in UTC.
    pub until: At<Date>,
}

/// Scopes that are waived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Waived {
    /// No others than these.
    These(Vec<At<String>>),
    /// `"any"`: whatever they are or become, and also if they are not visible.
    Any(AnyScopes),
}

/// The word `any`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnyScopes {
    /// `"any"`
    Any,
}

impl Default for Waived {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

/// Not derived: serde's `untagged` forgets where things stand.
impl<'de> Deserialize<'de> for Waived {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> serde::de::Visitor<'de> for Read {
            type Value = Waived;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of scopes, or \"any\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Waived, E> {
                match text {
                    "any" => Ok(Waived::Any(AnyScopes::Any)),
                    _ => Err(E::custom(format!("`{text}` must be a list of scopes, or \"any\""))),
                }
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Waived, A::Error> {
                Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))
                    .map(Waived::These)
            }
        }
        deserializer.deserialize_any(Read).map_err(D::Error::custom)
    }
}

impl For {
    pub(super) fn check(&self, known: &Known<'_>) -> Result<(), PolicyError> {
        self.subject.check(Use::Settings, known).map_err(|why| self.subject.wrong(why))?;
        if let (Some(purpose), Some(classes)) = (&self.purpose, &known.purposes)
            && !classes.contains(&purpose.as_str())
        {
            let hint = nearest::hint(purpose, classes, "purposes");
            return Err(purpose.wrong(format!("there is no purpose `{}`; {hint}", **purpose)));
        }
        if self.subject.app_name.is_some() && self.rules.switched_off().next().is_some() {
            let why = "anybody can take a name, and so escape the rule; name the app by its id";
            return Err(self.subject.wrong(why));
        }
        self.rules.check(&known.rules)
    }
}

impl Allow {
    pub(super) fn check(&self, known: &Known<'_>) -> Result<(), PolicyError> {
        let place = Use::Allow { has_scopes: !self.scopes.is_empty() };
        self.subject.check(place, known).map_err(|why| self.subject.wrong(why))?;
        named_rules(&self.subject, &self.rules, known)?;
        plain_scopes(&self.scopes)?;
        said("reason", &self.reason)
    }

    /// What scopes there are besides the allowed; empty if it holds.
    pub(super) fn beyond(&self, held: &Held) -> Option<String> {
        if self.scopes.is_empty() { None } else { beyond(&self.scopes, held) }
    }

    /// The same for the same subject and rules, wherever it stands.
    pub(super) fn key(&self) -> (String, Vec<&str>, Vec<&str>) {
        (self.subject.to_string(), sorted(&self.rules), sorted(&self.scopes))
    }
}

impl Waiver {
    pub(super) fn check(&self, known: &Known<'_>) -> Result<(), PolicyError> {
        self.subject.check(Use::Waiver, known).map_err(|why| self.subject.wrong(why))?;
        named_rules(&self.subject, &self.rules, known)?;
        match &self.scopes {
            Waived::These(scopes) => plain_scopes(scopes)?,
            Waived::Any(_) if self.subject.fingerprint.is_none() => {
                let why = "`scopes = \"any\"` is too much for more than one finding; name the finding by its `fingerprint`, or the scopes";
                return Err(self.subject.wrong(why));
            }
            Waived::Any(_) => {}
        }
        said("reason", &self.reason)?;
        said("owner", &self.owner)
    }

    /// Refuses an end that lies too far ahead.
    pub(super) fn check_end(&self, now: Timestamp, at_most: Span) -> Result<(), PolicyError> {
        let days = at_most.duration().as_secs() / 86_400;
        if self.until.days_ahead(now) <= days {
            return Ok(());
        }
        Err(self.until.wrong(format!(
            "a waiver ends at most {days} days after the day that is judged by ({}); {} is later. `waiver_at_most` sets the limit, \
             `--now` the day",
            now.date(),
            *self.until
        )))
    }

    /// What scopes there are besides the waived; `None` if it holds.
    pub(super) fn beyond(&self, held: &Held) -> Option<String> {
        match &self.scopes {
            Waived::Any(_) => None,
            Waived::These(scopes) => beyond(scopes, held),
        }
    }

    /// What it is about, for a person: `no-expiry of app 3MVG9 on salesforce`. The same as long as subject and rules are.
    pub fn title(&self) -> String {
        match sorted(&self.rules).as_slice() {
            [] => self.subject.to_string(),
            rules => format!("{} of {}", rules.join(", "), *self.subject),
        }
    }
}

/// Which scopes there are besides these, in words; `None` if there are no others.
fn beyond(scopes: &[At<String>], held: &Held) -> Option<String> {
    let held = match held {
        Held::None => return None,
        Held::Hidden => return Some("scopes that are not visible".to_owned()),
        Held::Known(held) => held,
    };
    let waived: BTreeSet<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let others: Vec<String> = held
        .iter()
        .filter(|scope| !waived.contains(scope.as_str()))
        .map(|scope| format!("`{scope}`"))
        .collect();
    (!others.is_empty()).then(|| others.join(", "))
}

fn sorted(texts: &[At<String>]) -> Vec<&str> {
    let texts: BTreeSet<&str> = texts.iter().map(|text| text.as_str()).collect();
    texts.into_iter().collect()
}

fn named_rules(
    subject: &At<Selector>,
    rules: &[At<String>],
    known: &Known<'_>,
) -> Result<(), PolicyError> {
    match (subject.fingerprint.is_some(), rules.first()) {
        (true, Some(rule)) => {
            return Err(rule.wrong("`fingerprint` names one finding; leave `rules` out"));
        }
        (false, None) => {
            return Err(subject.wrong("`rules` must say for which rules, each by its id"));
        }
        _ => {}
    }
    rules.iter().try_for_each(|rule| rules::find(rule, &known.rules).map(|_| ()))
}

fn plain_scopes(scopes: &[At<String>]) -> Result<(), PolicyError> {
    match scopes.iter().find(|scope| scope.trim().is_empty() || scope.contains('*')) {
        Some(scope) => Err(scope.wrong(format!(
            "`{}` names no scope; there are no wildcards, name each one as the platform writes it",
            **scope
        ))),
        None => Ok(()),
    }
}

/// A text that has to say something.
fn said(key: &str, text: &At<String>) -> Result<(), PolicyError> {
    if text.trim().is_empty() {
        return Err(text.wrong(format!("`{key}` is empty; say it, for those who come later")));
    }
    Ok(())
}
