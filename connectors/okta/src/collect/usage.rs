//! [`Usages`]: what apps did, by the System Log, folded into counts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    model::{Count, Record, Timestamp, Usage},
};

use crate::{api::LogEvent, told::Told};

/// The log by the name that a report gives.
const LOG: &str = "System Log: tokens given";
/// Different values kept per list and app; what is rarer and comes later is counted as one.
const DISTINCT: usize = 2_000;
const RARE: &str = "(others)";

/// What apps did, kept between the scan that reads the log and the usage records that are made from it.
#[derive(Default)]
pub(crate) struct Usages(Mutex<Folded>);

/// Counts by client id.
#[derive(Default)]
pub(super) struct Folded {
    apps: BTreeMap<String, Tally>,
    pub(super) stretch: Option<(Timestamp, Timestamp)>,
}

impl Usages {
    /// Streams what was folded, once.
    pub(crate) async fn stream(&self, sink: &Sink) -> Result<()> {
        let folded = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let Some((from, to)) = folded.stretch else { return Ok(()) };
        for (app, tally) in folded.apps {
            sink.send(Record::Usage(tally.finish(app, from, to))).await?;
        }
        Ok(())
    }

    pub(super) fn keep(&self, folded: Folded) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = folded;
    }
}

impl Folded {
    /// Counts an event for a client.
    pub(super) fn add(&mut self, client: &str, event: &LogEvent, user: Option<&str>) {
        let known = self.apps.contains_key(client) || self.apps.len() < DISTINCT;
        let tally = self.apps.entry(if known { client } else { RARE }.to_owned()).or_default();
        tally.events += 1;
        let through = &event.client;
        tally.addresses.add(text(through.field(|client| &client.ip_address)));
        let agent = through.field(|client| &client.user_agent);
        tally.agents.add(text(agent.field(|agent| &agent.raw_user_agent)));
        tally.objects.add(Some(&event.event_type));
        tally.principals.add(user);
    }

    /// Calls the counts of a client by the id of its app.
    pub(super) fn rename(&mut self, name: impl Fn(&str) -> Option<String>) {
        let apps = std::mem::take(&mut self.apps);
        for (client, tally) in apps {
            let app = name(&client).unwrap_or(client);
            // Some events name the client, and others the app itself.
            self.apps.entry(app).or_default().add(tally);
        }
    }
}

pub(super) fn text(told: &Told<String>) -> Option<&str> {
    told.given().map(String::as_str)
}

/// Counts of one app.
#[derive(Default)]
struct Tally {
    events: u64,
    addresses: Histogram,
    agents: Histogram,
    objects: Histogram,
    principals: Histogram,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.addresses.merge(other.addresses);
        self.agents.merge(other.agents);
        self.objects.merge(other.objects);
        self.principals.merge(other.principals);
    }

    fn finish(self, app: String, from: Timestamp, to: Timestamp) -> Usage {
        Usage {
            app,
            log: LOG.to_owned(),
            from,
            to,
            events: self.events,
            addresses: self.addresses.top(),
            agents: self.agents.top(),
            objects: self.objects.top(),
            principals: self.principals.top(),
        }
    }
}

/// How often each value occurred, for a bounded number of values.
#[derive(Default)]
struct Histogram(HashMap<String, u64>);

impl Histogram {
    fn add(&mut self, value: Option<&str>) {
        if let Some(value) = value {
            self.count(value, 1);
        }
    }

    fn merge(&mut self, other: Self) {
        for (value, count) in other.0 {
            self.count(&value, count);
        }
    }

    fn count(&mut self, value: &str, times: u64) {
        if let Some(count) = self.0.get_mut(value) {
            *count += times;
        } else {
            let value = if self.0.len() < DISTINCT { value } else { RARE };
            *self.0.entry(value.to_owned()).or_default() += times;
        }
    }

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

    /// Some events name the client, and others the app: neither is lost.
    #[test]
    fn what_is_told_under_two_names_of_an_app_is_counted_together() {
        let text = r#"{"uuid":"1","published":"2026-01-01T00:00:00Z","eventType":"app.oauth2.token.grant"}"#;
        let event: LogEvent = serde_json::from_str(text).unwrap();
        let mut folded = Folded::default();
        for name in ["board-web", "0oa1", "0oa1"] {
            folded.add(name, &event, Some("a@b.example"));
        }
        folded.rename(|name| (name == "board-web").then(|| "0oa1".to_owned()));
        assert_eq!(folded.apps.len(), 1);
        let tally = &folded.apps["0oa1"];
        assert_eq!((tally.events, tally.principals.0["a@b.example"]), (3, 3));
    }
}
