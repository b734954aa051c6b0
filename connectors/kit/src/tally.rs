//! [`Tallies`]: folds the lines of a platform's log into counts per app, in bounded memory. It keeps no line, and judges nothing.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Count, Timestamp, Usage};

/// Apps, and values of one list of an app, that are counted apart; what comes later is counted as one.
const DISTINCT: usize = 2_000;

/// What stands for everything that is not counted apart.
const RARE: &str = Usage::OTHERS;

/// What apps did, by [`Usage::app`].
#[derive(Debug, Default)]
pub struct Tallies(BTreeMap<String, Tally>);

/// What one app did.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls, sign-ins or rows.
    pub events: u64,
    /// Source addresses.
    pub addresses: Histogram,
    /// User agents or client names.
    pub agents: Histogram,
    /// Objects or operations touched.
    pub objects: Histogram,
    /// Principals that the app acted as.
    pub principals: Histogram,
    /// What was done, where the log tells it apart from the object.
    pub operations: Histogram,
    /// Versions of the platform's API.
    pub versions: Histogram,
}

/// How often each value occurred, for a bounded number of values.
#[derive(Debug, Default)]
pub struct Histogram(HashMap<String, u64>);

impl Tallies {
    /// The counts of an app, by its id or its name in the log.
    pub fn of(&mut self, app: &str) -> &mut Tally {
        let is_apart = self.0.contains_key(app) || self.0.len() < DISTINCT;
        self.0.entry(if is_apart { app } else { RARE }.to_owned()).or_default()
    }

    /// Calls the counts of an app by another name, where there is one.
    pub fn rename(&mut self, name: impl Fn(&str) -> Option<String>) {
        for (app, tally) in std::mem::take(&mut self.0) {
            self.of(&name(&app).unwrap_or(app)).merge(tally);
        }
    }

    /// The counts, app by app, for a stretch of this log.
    pub fn finish(
        self,
        log: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = Usage> + use<> {
        let log = log.to_owned();
        self.0.into_iter().map(move |(app, tally)| Usage {
            app,
            log: log.clone(),
            from,
            to,
            events: tally.events,
            addresses: tally.addresses.top(),
            agents: tally.agents.top(),
            objects: tally.objects.top(),
            principals: tally.principals.top(),
            operations: tally.operations.top(),
            versions: tally.versions.top(),
        })
    }

    /// Adds the counts of another part of the log.
    pub fn merge(&mut self, other: Self) {
        for (app, tally) in other.0 {
            self.of(&app).merge(tally);
        }
    }
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.events = self.events.saturating_add(other.events);
        self.addresses.merge(other.addresses);
        self.agents.merge(other.agents);
        self.objects.merge(other.objects);
        self.principals.merge(other.principals);
        self.operations.merge(other.operations);
        self.versions.merge(other.versions);
    }
}

impl Histogram {
    /// Counts a value once more. Nothing and an empty text are not counted.
    pub fn add(&mut self, value: Option<&str>) {
        if let Some(value) = value {
            self.add_times(value, 1);
        }
    }

    /// Counts a value so often.
    pub fn add_times(&mut self, value: &str, times: u64) {
        if value.is_empty() {
            return;
        }
        let is_apart = self.0.contains_key(value) || self.0.len() < DISTINCT;
        let value = if is_apart { value } else { RARE };
        match self.0.get_mut(value) {
            Some(count) => *count = count.saturating_add(times),
            None => drop(self.0.insert(value.to_owned(), times)),
        }
    }

    fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(value, count)| self.add_times(&value, count));
    }

    /// The most frequent values, [`Usage::TOP`] of them; of equals the first in the alphabet.
    fn top(self) -> Vec<Count> {
        let mut counts: Vec<Count> =
            self.0.into_iter().map(|(value, count)| Count { value, count }).collect();
        counts.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        counts.truncate(Usage::TOP);
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_values_is_counted_in_bounded_memory() {
        let mut tallies = Tallies::default();
        for number in 0..5_000 {
            let tally = tallies.of(&format!("app-{number}"));
            tally.events += 1;
            let tally = tallies.of("app-0");
            tally.addresses.add(Some(&format!("192.0.2.{number}")));
        }
        assert_eq!(tallies.0.len(), DISTINCT + 1);
        assert_eq!(tallies.0["app-0"].addresses.0.len(), DISTINCT + 1);
        let at: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let usages: Vec<Usage> = tallies.finish("a log", at, at).collect();
        let others = usages.iter().find(|usage| usage.app == RARE).unwrap();
        assert_eq!(others.events, 3_000);
        let first = usages.iter().find(|usage| usage.app == "app-0").unwrap();
        assert_eq!((first.addresses.len(), first.addresses[0].count), (Usage::TOP, 3_000));
    }

    #[test]
    fn two_names_of_one_app_are_counted_together() {
        let mut tallies = Tallies::default();
        tallies.of("client-1").principals.add(Some("a"));
        tallies.of("client-2").principals.add(Some("a"));
        tallies.of("client-2").principals.add(Some(""));
        tallies.rename(|client| (client == "client-2").then(|| "client-1".to_owned()));
        assert_eq!(tallies.0.len(), 1);
        assert_eq!(tallies.0["client-1"].principals.0["a"], 2);
    }
}
