//! [`Exceptions`]: looks a finding up in allow-lists, waivers and baseline, and says whether it counts.
//!
//! Looked up finding by finding: no finding is kept. The same finding, policy, baseline and time always give the same answer.

use std::collections::BTreeMap;

use grantwarden_kit::model::Timestamp;

use super::{
    About, Allow, At, Baseline, Policy, Waiver,
    baseline::Said,
    selector::{Match, Selector},
};
use crate::finding::{Evidence, Finding, Fingerprint, Status, SubjectKind};

/// What notes in the evidence name as their source.
const WAIVER: &str = "policy.waiver";
const ALLOW: &str = "policy.allow";
const BASELINE: &str = "baseline";

/// The exceptions of a policy, ready to be looked up.
#[derive(Debug)]
pub struct Exceptions<'a> {
    policy: &'a Policy,
    baseline: Option<&'a Baseline>,
    now: Timestamp,
    waivers: Index<'a>,
    allows: Index<'a>,
}

/// Positions of entries by what findings are asked for.
#[derive(Debug, Default)]
struct Index<'a> {
    by_fingerprint: BTreeMap<Fingerprint, Vec<usize>>,
    by_rule: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn add(&mut self, at: usize, subject: &Selector, rules: &'a [At<String>]) {
        if let Some(fingerprint) = subject.fingerprint {
            self.by_fingerprint.entry(fingerprint).or_default().push(at);
        }
        for rule in rules {
            self.by_rule.entry(rule.as_str()).or_default().push(at);
        }
    }

    fn of(&self, finding: &Finding) -> impl Iterator<Item = usize> {
        let named = self.by_fingerprint.get(&finding.fingerprint);
        let by_rule = self.by_rule.get(finding.rule.as_str());
        [named, by_rule].into_iter().flatten().flatten().copied()
    }
}

/// What the exceptions say about a finding.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether it counts.
    pub status: Status,
    /// Exceptions that are meant for it and do not hold, for its evidence.
    pub notes: Vec<Evidence>,
    /// The waivers that are meant for it, by index, and how it is with each.
    pub waivers: Vec<(usize, Hold)>,
    /// The allow-lists that are meant for it, by index, and how it is with each.
    pub allows: Vec<(usize, Hold)>,
}

/// How it is with an entry that is meant for a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// It holds.
    Yes,
    /// Its end has come.
    Over,
    /// There is more than it accepts: what.
    Beyond(String),
    /// Only what anybody could have written says that the app is of this vendor.
    Claimed,
}

impl<'a> Exceptions<'a> {
    /// The exceptions of a policy and of a baseline, as of a time.
    pub fn new(policy: &'a Policy, baseline: Option<&'a Baseline>, now: Timestamp) -> Self {
        let mut waivers = Index::default();
        for (at, waiver) in policy.waivers.iter().enumerate() {
            waivers.add(at, &waiver.subject, &waiver.rules);
        }
        let mut allows = Index::default();
        for (at, allow) in policy.allow.iter().enumerate() {
            allows.add(at, &allow.subject, &allow.rules);
        }
        Self { policy, baseline, now, waivers, allows }
    }

    /// The baseline.
    pub const fn baseline(&self) -> Option<&'a Baseline> {
        self.baseline
    }

    /// Whether a waiver's last day is over.
    pub fn is_over(&self, waiver: &Waiver) -> bool {
        waiver.until.is_over(self.now)
    }

    /// Notes that a finding is still there.
    pub fn saw(&self, finding: &Finding) {
        if let Some(baseline) = self.baseline {
            baseline.saw(finding.fingerprint);
        }
    }

    /// Says whether a finding counts. That a waiver is over cannot itself be waived.
    pub fn decide(&self, finding: &Finding, about: &About<'_>) -> Decision {
        let mut decision = Decision::default();
        if finding.subject.kind != SubjectKind::Waiver {
            self.look_up(finding, about, &mut decision);
        }
        if decision.status == Status::Active
            && finding.subject.kind != SubjectKind::Waiver
            && let Some(baseline) = self.baseline
        {
            match baseline.says(finding, &|| about.held()) {
                Said::New => {}
                Said::Accepted => decision.status = Status::Baseline,
                Said::Worse(how) => {
                    let value = format!(
                        "accepted on {}, but worse since: {how}",
                        baseline.judged_at().date()
                    );
                    decision.notes.push(Evidence::new("baseline", value, BASELINE));
                }
            }
        }
        if decision.status != Status::Active {
            decision.notes.clear();
        }
        decision
    }

    fn look_up(&self, finding: &Finding, about: &About<'_>, decision: &mut Decision) {
        let (kind, fingerprint) = (finding.subject.kind, Some(finding.fingerprint));
        for at in self.allows.of(finding) {
            let allow: &Allow = &self.policy.allow[at];
            let hold = match allow.subject.matches(about, kind, fingerprint) {
                Match::No => continue,
                Match::Claimed => Hold::Claimed,
                Match::Yes => allow.beyond(&about.held()).map_or(Hold::Yes, Hold::Beyond),
            };
            if let Some(why) = why_not(&hold) {
                let value = format!("accepted for {}, but {why}", *allow.subject);
                decision.notes.push(Evidence::new("allowed", value, ALLOW));
            } else if decision.status == Status::Active {
                decision.status = Status::Allowed { reason: allow.reason.value.clone() };
            }
            decision.allows.push((at, hold));
        }
        let mut best: Option<&Waiver> = None;
        for at in self.waivers.of(finding) {
            let waiver: &Waiver = &self.policy.waivers[at];
            let hold = match waiver.subject.matches(about, kind, fingerprint) {
                Match::No => continue,
                _ if self.is_over(waiver) => Hold::Over,
                Match::Claimed => Hold::Claimed,
                Match::Yes => waiver.beyond(&about.held()).map_or(Hold::Yes, Hold::Beyond),
            };
            if let Some(why) = why_not(&hold) {
                let (owner, until) = (&*waiver.owner, &*waiver.until);
                let value = format!("waived by {owner} until {until}, but {why}");
                decision.notes.push(Evidence::new("waiver", value, WAIVER));
            } else if best.is_none_or(|best| *waiver.until > *best.until) {
                best = Some(waiver);
            }
            decision.waivers.push((at, hold));
        }
        if let (Some(waiver), Status::Active) = (best, &decision.status) {
            decision.status = Status::Waived {
                owner: waiver.owner.value.clone(),
                until: waiver.until.to_string(),
                reason: waiver.reason.value.clone(),
            };
        }
    }
}

/// Why an entry does not hold, in words; `None` if it does.
fn why_not(hold: &Hold) -> Option<String> {
    match hold {
        Hold::Yes => None,
        Hold::Over => Some("that is over".to_owned()),
        Hold::Beyond(scopes) => Some(format!("there is more than was accepted: {scopes}")),
        Hold::Claimed => Some(
            "only a name that anybody can take says that the app is this vendor's; name it by its id and tenant".to_owned(),
        ),
    }
}
