//! [`Uses`]: what the exceptions of a policy were needed for, and what a user should hear about them.

use std::collections::BTreeSet;

use super::Judged;
use crate::policy::{Decision, Hold, Policy, Selector, Waiver};

/// Texts that a [`Use`] keeps.
const NAMED: usize = 3;

/// How many findings each exception was meant for, in the order of the policy.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    /// Of [`Policy::waivers`].
    pub waivers: Vec<Use>,
    /// Of [`Policy::allow`].
    pub allow: Vec<Use>,
}

/// What one exception was needed for.
#[derive(Debug, Clone, Default)]
pub struct Use {
    /// Findings for which it holds.
    pub holds: u64,
    /// Findings for which it would hold if its end had not come.
    pub over: u64,
    /// Findings for which it broke: there is more than it accepts.
    pub broken: u64,
    /// What more there is: the first few.
    pub beyond: BTreeSet<String>,
    /// Findings of apps that only claim to be the vendor's.
    pub claimed: u64,
}

impl Use {
    fn add(&mut self, hold: &Hold) {
        match hold {
            Hold::Yes => self.holds += 1,
            Hold::Over => self.over += 1,
            Hold::Claimed => self.claimed += 1,
            Hold::Beyond(what) => {
                self.broken += 1;
                if self.beyond.len() < NAMED && !self.beyond.contains(what) {
                    self.beyond.insert(what.clone());
                }
            }
        }
    }

    /// Whether nothing was found that it is meant for.
    pub const fn is_unused(&self) -> bool {
        self.holds == 0 && self.over == 0 && self.broken == 0 && self.claimed == 0
    }
}

impl Uses {
    pub(super) fn of(policy: &Policy) -> Self {
        Self {
            waivers: vec![Use::default(); policy.waivers.len()],
            allow: vec![Use::default(); policy.allow.len()],
        }
    }

    pub(super) fn add(&mut self, decision: &Decision) {
        decision.waivers.iter().for_each(|(at, hold)| self.waivers[*at].add(hold));
        decision.allows.iter().for_each(|(at, hold)| self.allow[*at].add(hold));
    }
}

impl Judged<'_> {
    /// What a user should hear about the exceptions of the policy: one sentence each, in the order of the policy.
    pub fn warnings(&self) -> Vec<String> {
        let policy = self.policy();
        let mut all = Vec::new();
        for (waiver, used) in policy.waivers.iter().zip(&self.uses.waivers) {
            let Waiver { subject, owner, until, .. } = waiver;
            let name = format!("waiver for {} by {} until {}", waiver.title(), **owner, **until);
            // That it is over is a finding.
            if used.is_unused() && !waiver.until.is_over(self.surroundings.now) {
                all.extend(self.unused(&name, subject));
            }
            all.extend(in_vain(&name, used));
        }
        for (allow, used) in policy.allow.iter().zip(&self.uses.allow) {
            let rules: Vec<&str> = allow.rules.iter().map(|rule| rule.as_str()).collect();
            let what = if rules.is_empty() {
                allow.subject.to_string()
            } else {
                format!("{} of {}", rules.join(", "), *allow.subject)
            };
            let name = format!("allowed {what}");
            if used.is_unused() {
                all.extend(self.unused(&name, &allow.subject));
            }
            all.extend(in_vain(&name, used));
        }
        for (at, entry) in policy.overrides.iter().enumerate() {
            let name = format!("settings for {}", *entry.subject);
            match self.surroundings.apps_with(at) {
                0 => all.extend(self.unused(&name, &entry.subject)),
                apps if entry.subject.app_name.is_some() => all.push(format!(
                    "{name}: weak, they hold for {apps} app(s) by a name that anybody can take; name the app by its id"
                )),
                _ => {}
            }
        }
        if let Some(baseline) = self.baseline() {
            let (gone, day) = (baseline.gone(), baseline.judged_at().date());
            if !baseline.is_whole() {
                all.push(format!("baseline of {day}: it was made from an incomplete scan, so that what was hidden then counts as new"));
            }
            if gone > 0 && self.is_whole() {
                all.push(format!(
                    "baseline of {day}: {gone} finding(s) no longer found, can be removed; write it anew with --write-baseline"
                ));
            } else if gone > 0 {
                all.push(format!(
                    "baseline of {day}: {gone} finding(s) not found, but the scan is incomplete: they may still be there"
                ));
            }
        }
        all
    }

    /// Nothing is said about a tenant that was not scanned.
    fn unused(&self, name: &str, subject: &Selector) -> Option<String> {
        let tenants = &self.inventory.tenants;
        if let Some(wanted) = &subject.tenant
            && !tenants.iter().any(|tenant| tenant.end.name == *wanted)
        {
            return None;
        }
        Some(match (self.is_whole(), &subject.tenant) {
            (true, Some(_)) => format!("{name}: nothing in this scan needs it; remove it"),
            (true, None) => {
                format!(
                    "{name}: nothing in this scan needs it; remove it, unless another tenant does"
                )
            }
            (false, _) => {
                format!("{name}: nothing in this scan needs it, but the scan is incomplete")
            }
        })
    }
}

/// Says for whom an exception was meant and does not hold.
fn in_vain(name: &str, used: &Use) -> impl Iterator<Item = String> {
    let beyond: Vec<&str> = used.beyond.iter().map(String::as_str).collect();
    let broken = (used.broken > 0).then(|| {
        format!(
            "{name}: broken for {} finding(s), there is more than was accepted: {}",
            used.broken,
            beyond.join("; ")
        )
    });
    let claimed = (used.claimed > 0).then(|| {
        format!(
            "{name}: not held for {} finding(s) of apps that only have the vendor's name; name each by its tenant and id",
            used.claimed
        )
    });
    [broken, claimed].into_iter().flatten()
}
