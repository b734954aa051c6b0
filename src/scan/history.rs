//! Since when findings are there. What a store remembers of them is looked up in batches while they go by one by one, so that a million
//! findings take no more memory than a thousand.
//!
//! Nothing is claimed that the store does not tell, nor anything that was learned after the scan.

use std::collections::BTreeMap;

use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{JudgeError, Judged, RuleCount};
use crate::{
    finding::{Finding, Fingerprint, Status, SubjectKind},
    store::{Compared, Past, StoreError},
};

/// Findings that are looked up at once.
const BATCH: usize = 1_000;

/// Where it is looked up what is remembered of findings.
pub trait History {
    /// What is remembered of some findings; what is not remembered is left out.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn past(&self, fingerprints: &[Fingerprint])
    -> Result<BTreeMap<Fingerprint, Past>, StoreError>;

    /// What the scan can be compared with.
    fn compared(&self) -> Compared;
}

/// Since when a finding is there, as it was known when the scan was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Since {
    /// When the scan began that found it first; null if no scan up to this one is remembered to have found it.
    pub first_seen: Option<Timestamp>,
    /// When the scan began that found it again after it was gone, the last time; null if it never came back, or if that is not known.
    pub reopened_at: Option<Timestamp>,
    /// How it compares with the scan before; none if that is not known.
    #[serde(skip)]
    pub news: Option<News>,
}

/// How a finding compares with the scan before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It was never seen before.
    New,
    /// It was gone, and is there again.
    Back,
    /// It was there already.
    Unchanged,
}

impl Since {
    /// What was known of a finding when the scan was made that began at this time.
    fn of(past: &Past, taken_at: Timestamp, is_comparable: bool) -> Self {
        // The store keeps microseconds.
        let taken_at = taken_at.as_microsecond();
        let by_then = |time: &Timestamp| time.as_microsecond() <= taken_at;
        let is_of_scan = |time: Timestamp| time.as_microsecond() == taken_at;
        let first_seen = Some(past.first_seen).filter(by_then);
        let reopened_at = past.reopened_at.filter(by_then);
        let is_there = past.last_seen.as_microsecond() >= taken_at;
        // It came back later for the last time; whether it did so before or in this scan is remembered only if that was the only time.
        let is_vague = past.reopened_at.is_some() && reopened_at.is_none() && past.reopened > 1;
        let news = match first_seen {
            Some(first) if is_comparable && is_there && !is_vague => Some(if is_of_scan(first) {
                News::New
            } else if reopened_at.is_some_and(is_of_scan) {
                News::Back
            } else {
                News::Unchanged
            }),
            _ => None,
        };
        Self { first_seen, reopened_at, news }
    }
}

/// What of the findings that count is new, by app and rule.
#[derive(Debug, Default)]
pub struct Novelties {
    /// When the scan before began; none if there was none: everything is new then, and nothing worth a mark.
    pub since: Option<Timestamp>,
    /// How many were never seen before.
    pub new: u64,
    /// How many were gone and are there again.
    pub back: u64,
    /// Of how many it is not known.
    pub unknown: u64,
    /// New ones and those that are back.
    by_rule: BTreeMap<Key, (u64, u64)>,
}

/// What tells the findings of one [`RuleCount`] from all others: tenant, the id of what they are about, rule.
type Key = (Option<String>, String, String);

fn key(finding: &Finding) -> Key {
    let subject = &finding.subject;
    let about = match (&finding.tenant, &subject.app, subject.kind) {
        (Some(_), Some(app), _) => app.id.clone(),
        (Some(_), None, _) | (None, _, SubjectKind::Register | SubjectKind::Waiver) => {
            String::new()
        }
        (None, _, _) => subject.id.clone(),
    };
    (finding.tenant.clone(), about, finding.rule.clone())
}

impl Novelties {
    fn add(&mut self, finding: &Finding, news: Option<News>) {
        let (new, back) = match news {
            None => {
                self.unknown += 1;
                return;
            }
            Some(News::Unchanged) => return,
            Some(News::New) => (1, 0),
            Some(News::Back) => (0, 1),
        };
        self.new += new;
        self.back += back;
        let of_rule = self.by_rule.entry(key(finding)).or_default();
        of_rule.0 += new;
        of_rule.1 += back;
    }

    /// What of the findings of a rule is new, in words: `new`, `2 new, 1 back`. None if nothing is, and in a first scan.
    pub fn mark(&self, rule: &RuleCount) -> Option<String> {
        self.since?;
        let (new, back) = self.by_rule.get(&key(&rule.worst)).copied()?;
        let total = rule.counts.total();
        let part = |count: u64, word: &str| match count {
            0 => None,
            _ if count == total => Some(word.to_owned()),
            _ => Some(format!("{count} {word}")),
        };
        let parts = [part(new, "new"), part(back, "back")];
        Some(parts.into_iter().flatten().collect::<Vec<String>>().join(", "))
    }

    /// The whole in one sentence, without the full stop.
    pub fn sentence(&self) -> String {
        let mut text = match self.since {
            None => "No earlier scan is remembered: all findings are new".to_owned(),
            Some(since) => {
                format!("{} new, {} back since {}", self.new, self.back, since.whole_second())
            }
        };
        if self.unknown > 0 {
            text.push_str(&format!("; of {} it is not known", self.unknown));
        }
        text
    }
}

impl<'a> Judged<'a> {
    /// With what a store remembers of the findings.
    #[must_use]
    pub fn with_history(mut self, history: impl History + 'a) -> Self {
        self.history = Some(Box::new(history));
        self
    }

    /// Whether a store tells since when findings are there.
    pub const fn has_history(&self) -> bool {
        self.history.is_some()
    }

    /// Gives every finding in the order of [`Self::for_each_finding`], with what a store remembers of it; none without a store.
    ///
    /// # Errors
    /// If the inventory or the store cannot be read; also what `each` returns.
    pub fn for_each_dated(
        &self,
        mut each: impl FnMut(&Finding, Option<&Since>) -> Result<(), JudgeError>,
    ) -> Result<(), JudgeError> {
        if !self.has_history() {
            return self.for_each_finding(|finding, _| each(finding, None));
        }
        let mut batch: Vec<Finding> = Vec::new();
        let mut pass_on = |batch: &mut Vec<Finding>| {
            let names: Vec<Fingerprint> = batch.iter().map(|finding| finding.fingerprint).collect();
            let dates = self.dates(&names)?;
            batch.drain(..).try_for_each(|finding| each(&finding, dates.get(&finding.fingerprint)))
        };
        self.for_each_finding(|finding, _| {
            batch.push(finding.clone());
            if batch.len() == BATCH { pass_on(&mut batch) } else { Ok(()) }
        })?;
        pass_on(&mut batch)
    }

    /// What a store remembers of some findings, no more than a page shows: one entry for each of them; none without a store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn dates(
        &self,
        fingerprints: &[Fingerprint],
    ) -> Result<BTreeMap<Fingerprint, Since>, JudgeError> {
        let Some(history) = &self.history else { return Ok(BTreeMap::new()) };
        let taken_at = self.inventory.header.taken_at;
        let is_comparable = history.compared() != Compared::Unknown;
        let past = history.past(fingerprints)?;
        let since = |name: &Fingerprint| {
            past.get(name).map(|past| Since::of(past, taken_at, is_comparable)).unwrap_or_default()
        };
        Ok(fingerprints.iter().map(|name| (*name, since(name))).collect())
    }

    /// What of the findings that count is new since the scan before; none if no store tells.
    ///
    /// # Errors
    /// If the inventory or the store cannot be read.
    pub fn novelties(&self) -> Result<Option<Novelties>, JudgeError> {
        let since = match self.history.as_ref().map(|history| history.compared()) {
            None | Some(Compared::Unknown) => return Ok(None),
            Some(Compared::First) => None,
            Some(Compared::With(time)) => Some(time),
        };
        let mut novelties = Novelties { since, ..Novelties::default() };
        self.for_each_dated(|finding, dated| {
            if finding.status == Status::Active {
                novelties.add(finding, dated.and_then(|dated| dated.news));
            }
            Ok(())
        })?;
        Ok(Some(novelties))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u8) -> Timestamp {
        format!("2026-01-{day:02}T00:00:00Z").parse().unwrap()
    }

    fn past(first: u8, last: u8, reopened: u64, reopened_at: Option<u8>) -> Past {
        Past {
            first_seen: at(first),
            last_seen: at(last),
            resolved_at: None,
            reopened,
            reopened_at: reopened_at.map(at),
        }
    }

    #[test]
    fn a_scan_knows_nothing_that_was_learned_after_it() {
        let first = |past| Since::of(&past, at(10), true).first_seen;
        let back = |past| Since::of(&past, at(10), true).reopened_at;
        let news = |past| Since::of(&past, at(10), true).news;
        for (remembered, expected) in [
            (past(10, 10, 0, None), Some(News::New)),
            (past(10, 20, 0, None), Some(News::New)),
            (past(5, 10, 0, None), Some(News::Unchanged)),
            (past(5, 10, 1, Some(10)), Some(News::Back)),
            (past(5, 10, 1, Some(7)), Some(News::Unchanged)),
            // It came back later: that was the only time, or this scan may have been another.
            (past(5, 20, 1, Some(15)), Some(News::Unchanged)),
            (past(5, 20, 2, Some(15)), None),
            // Only later scans found it, or none since.
            (past(12, 20, 0, None), None),
            (past(5, 8, 0, None), None),
        ] {
            assert_eq!(news(remembered), expected, "{remembered:?}");
        }
        assert_eq!(
            (first(past(5, 20, 0, None)), first(past(12, 20, 0, None))),
            (Some(at(5)), None)
        );
        assert_eq!(back(past(5, 20, 1, Some(7))), Some(at(7)));
        assert_eq!(back(past(5, 20, 1, Some(15))), None);
        assert_eq!(Since::of(&past(5, 10, 0, None), at(10), false).news, None);
    }

    #[test]
    fn the_sentence_says_what_is_not_known() {
        let mut novelties = Novelties { new: 2, back: 1, ..Novelties::default() };
        assert_eq!(novelties.sentence(), "No earlier scan is remembered: all findings are new");
        novelties.since = Some(at(1));
        assert_eq!(novelties.sentence(), "2 new, 1 back since 2026-01-01T00:00:00Z");
        novelties.unknown = 3;
        assert!(novelties.sentence().ends_with("; of 3 it is not known"));
    }
}
