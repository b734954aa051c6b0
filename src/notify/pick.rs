//! Chooses what of a scan's changes a channel is told: its events, severities and tenants, without what it was told before.

use std::collections::BTreeSet;

use super::{Key, Message, Told};
use crate::{
    config::{Channel, Event},
    finding::Severity,
    store::{Changes, Item, Listed},
};

/// What a channel would be told if it had never been told anything.
pub(super) struct Candidates<'a> {
    told: Vec<Told<'a>>,
    incomplete: Vec<&'a str>,
    unlisted: u64,
}

impl<'a> Candidates<'a> {
    /// Picks from the changes.
    pub(super) fn of(changes: &'a Changes, channel: &Channel) -> Self {
        let is_meant = |tenant: &str| {
            channel.tenants.is_empty() || channel.tenants.iter().any(|name| &**name == tenant)
        };
        let mut told = Vec::new();
        let mut unlisted = 0;
        for (event, list) in lists(changes) {
            if !channel.events.contains(&event) {
                continue;
            }
            let grave = || list.first.iter().filter(|item| item.severity >= channel.min_severity);
            // What belongs to no tenant may concern this one: not knowing is no reason to keep quiet.
            let meant = grave().filter(|item| item.tenant.as_deref().is_none_or(is_meant));
            told.extend(meant.map(|item| Told { event, item }));
            let counted = list.counts.at_least(channel.min_severity);
            unlisted += counted.saturating_sub(grave().count() as u64);
        }
        told.sort_by_key(|told| {
            (std::cmp::Reverse(told.item.severity), told.event, told.item.fingerprint)
        });
        let incomplete = if channel.events.contains(&Event::Incomplete) {
            changes.incomplete.iter().map(String::as_str).filter(|name| is_meant(name)).collect()
        } else {
            Vec::new()
        };
        Self { told, incomplete, unlisted }
    }

    /// Their keys.
    pub(super) fn keys(&self) -> Vec<Key> {
        let incomplete = self.incomplete.iter().map(|tenant| Key::of_incomplete(tenant));
        self.told.iter().map(Told::key).chain(incomplete).collect()
    }

    /// The message about those that the channel was not told yet; `None` if there are none.
    pub(super) fn into_message(
        mut self,
        changes: &'a Changes,
        channel: &'a Channel,
        sent: &BTreeSet<Key>,
    ) -> Option<Message<'a>> {
        self.told.retain(|told| !sent.contains(&told.key()));
        self.incomplete.retain(|tenant| !sent.contains(&Key::of_incomplete(tenant)));
        if self.told.is_empty() && self.incomplete.is_empty() {
            return None;
        }
        Some(Message {
            is_test: false,
            changes,
            channel,
            told: self.told,
            incomplete: self.incomplete,
            unlisted: self.unlisted,
        })
    }
}

/// The keys of what is over, and may be told when it comes again.
pub(super) fn over(changes: &Changes) -> Vec<Key> {
    let mut keys = Vec::new();
    for (event, list) in lists(changes) {
        for Item { fingerprint, severity, .. } in &list.first {
            match event {
                Event::New | Event::Reopened => {
                    keys.push(Key::of_finding(Event::Resolved, *fingerprint, *severity));
                }
                Event::Resolved => {
                    let of = |event, severity| Key::of_finding(event, *fingerprint, severity);
                    keys.extend([Event::New, Event::Reopened].map(|event| of(event, *severity)));
                    keys.extend(Severity::ALL.map(|severity| of(Event::Worse, severity)));
                }
                Event::Worse | Event::Incomplete => {}
            }
        }
    }
    let whole = changes.tenants.iter().filter(|tenant| !changes.incomplete.contains(tenant));
    keys.extend(whole.map(|tenant| Key::of_incomplete(tenant)));
    keys
}

fn lists(changes: &Changes) -> [(Event, &Listed); 4] {
    [
        (Event::New, &changes.new),
        (Event::Reopened, &changes.reopened),
        (Event::Worse, &changes.worse),
        (Event::Resolved, &changes.resolved),
    ]
}
