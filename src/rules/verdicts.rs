//! [`Verdicts`]: where a rule puts what it found and what it could not judge.

use grantwarden_kit::model::Gap;

use super::Unknown;
use crate::finding::{Confidence, Evidence, Severity, Subject};

/// A problem as a rule states it; the engine adds whose, where and the fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Before the policy's overrides.
    pub severity: Severity,
    /// How firm the facts are.
    pub confidence: Confidence,
    /// One plain sentence: the problem and its consequence.
    pub message: String,
    /// The facts it rests on, the most important first.
    pub evidence: Vec<Evidence>,
}

/// What one rule says about one record.
#[derive(Debug, Default)]
pub struct Verdicts {
    problems: Vec<(Option<Subject>, Problem)>,
    unknowns: Vec<(&'static str, Gap)>,
}

impl Verdicts {
    /// States a problem of the record. At most once per record: the fingerprint names rule and record.
    pub fn find(&mut self, problem: Problem) {
        self.problems.push((None, problem));
    }

    /// States a problem of something else than the record.
    pub fn find_on(&mut self, subject: Subject, problem: Problem) {
        self.problems.push((Some(subject), problem));
    }

    /// Says that the rule could not judge, or not wholly, because a fact is not visible.
    pub fn unknown(&mut self, fact: &'static str, gap: &Gap) {
        self.unknowns.push((fact, gap.clone()));
    }

    pub(super) fn unknowns(&self, rule: &'static str) -> Vec<Unknown> {
        let unknown = |(fact, gap): &(&'static str, Gap)| Unknown {
            rule: rule.into(),
            fact: (*fact).into(),
            gap: gap.clone(),
        };
        self.unknowns.iter().map(unknown).collect()
    }

    pub(super) fn into_problems(self) -> Vec<(Option<Subject>, Problem)> {
        self.problems
    }
}
