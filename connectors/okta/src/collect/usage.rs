//! [`Usages`]: what apps did, by the System Log, folded into counts.

use std::sync::{Mutex, PoisonError};

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    model::{Record, Timestamp},
    tally::Tallies,
};

use crate::{api::LogEvent, told::Told};

/// The log by the name that a report gives.
const LOG: &str = "System Log: tokens given";

/// What apps did, kept between the scan that reads the log and the usage records that are made from it.
#[derive(Default)]
pub(crate) struct Usages(Mutex<Folded>);

/// Counts by client id.
#[derive(Default)]
pub(super) struct Folded {
    apps: Tallies,
    pub(super) stretch: Option<(Timestamp, Timestamp)>,
}

impl Usages {
    /// Streams what was folded, once.
    pub(crate) async fn stream(&self, sink: &Sink) -> Result<()> {
        let folded = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let Some((from, to)) = folded.stretch else { return Ok(()) };
        for usage in folded.apps.finish(LOG, from, to) {
            sink.send(Record::Usage(usage)).await?;
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
        let tally = self.apps.of(client);
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
        // Some events name the client, and others the app itself.
        self.apps.rename(name);
    }
}

pub(super) fn text(told: &Told<String>) -> Option<&str> {
    told.given().map(String::as_str)
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
        let at = "2026-01-15T12:00:00Z".parse().unwrap();
        let usages: Vec<_> = folded.apps.finish(LOG, at, at).collect();
        assert_eq!((usages.len(), usages[0].app.as_str()), (1, "0oa1"));
        assert_eq!((usages[0].events, usages[0].principals[0].count), (3, 3));
    }
}
