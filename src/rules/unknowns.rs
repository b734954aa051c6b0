//! [`Unknowns`]: what rules could not judge, added up so that a million grants take no more room than one.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use grantwarden_kit::model::{Gap, Reason};

use crate::finding::SubjectKind;

/// A fact that a rule needed and could not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Id of the rule.
    pub rule: Cow<'static, str>,
    /// The fact, see [`super::fact`].
    pub fact: Cow<'static, str>,
    /// Why it could not be seen.
    pub gap: Gap,
}

/// What rules could not judge in one tenant, by facet and reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unknowns(BTreeMap<(String, Reason), Tally>);

/// How much one kind of gap kept from being judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Apps concerned.
    pub apps: u64,
    /// Grants concerned.
    pub grants: u64,
    /// Credentials concerned.
    pub credentials: u64,
    /// Rules that could not judge, or not wholly.
    pub rules: BTreeSet<Cow<'static, str>>,
    /// Facts that they needed.
    pub facts: BTreeSet<Cow<'static, str>>,
    /// What was tried and what came back: the first few in alphabetical order.
    pub details: BTreeSet<String>,
}

impl Tally {
    /// How many details are kept.
    pub const DETAILS: usize = 3;

    /// Adds a detail, and drops the last one when there are too many.
    pub fn detail(&mut self, detail: &str) {
        if self.details.contains(detail) {
            return;
        }
        self.details.insert(detail.to_owned());
        if self.details.len() > Self::DETAILS {
            self.details.pop_last();
        }
    }
}

impl Unknowns {
    /// Adds what the rules could not judge in one record. The record counts once per gap, however many rules met it.
    pub fn add(&mut self, kind: SubjectKind, unknowns: &[Unknown]) {
        let mut counted: Vec<(&str, Reason)> = Vec::new();
        for Unknown { rule, fact, gap } in unknowns {
            let tally = self.0.entry((gap.facet.clone(), gap.reason)).or_default();
            tally.rules.insert(rule.clone());
            tally.facts.insert(fact.clone());
            tally.detail(&gap.detail);
            if counted.contains(&(&gap.facet, gap.reason)) {
                continue;
            }
            counted.push((&gap.facet, gap.reason));
            match kind {
                SubjectKind::App => tally.apps += 1,
                SubjectKind::Grant => tally.grants += 1,
                SubjectKind::Credential => tally.credentials += 1,
                SubjectKind::Tenant
                | SubjectKind::Facet
                | SubjectKind::Vendor
                | SubjectKind::Register
                | SubjectKind::Waiver => {}
            }
        }
    }

    /// The tallies by facet and reason, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Reason, &Tally)> {
        self.0.iter().map(|((facet, reason), tally)| (facet.as_str(), *reason, tally))
    }

    /// Whether something of a facet kept rules from judging.
    pub fn has(&self, facet: &str) -> bool {
        self.0.keys().any(|(other, _)| other == facet)
    }

    /// Whether every rule could judge everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
