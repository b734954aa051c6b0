//! Chooses what of a scan's changes a channel is told: its events, severities and tenants, without what it was told before.

use std::collections::BTreeSet;

use super::{Key, Message, Told, message::keys};
use crate::{
    config::{Channel, Event},
    store::{Changes, Listed},
};

/// What a channel would be told if it had never been told anything.
pub(super) struct Candidates<'a> {
    changes: &'a Changes,
    channel: &'a Channel,
    told: Vec<Told<'a>>,
    incomplete: Vec<&'a str>,
    unlisted: u64,
}

impl<'a> Candidates<'a> {
    /// Picks from the changes.
    pub(super) fn of(changes: &'a Changes, channel: &'a Channel) -> Self {
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
        Self { changes, channel, told, incomplete, unlisted }
    }

    /// Their keys.
    pub(super) fn keys(&self) -> Vec<Key> {
        keys(self.changes, &self.told, &self.incomplete, self.unlisted)
    }

    /// The message about those that the channel was not told yet; `None` if there are none.
    pub(super) fn into_message(self, sent: &BTreeSet<Key>) -> Option<Message<'a>> {
        let Self { changes, channel, mut told, mut incomplete, unlisted } = self;
        told.retain(|told| {
            !sent.contains(&Key::of_finding(changes.scan, told.event, told.item.fingerprint))
        });
        incomplete.retain(|tenant| !sent.contains(&Key::of_incomplete(changes.taken_at, tenant)));
        // Nobody knows of which tenants they are: some may be this channel's.
        let is_more = unlisted > 0 && !sent.contains(&Key::of_unlisted(changes.scan));
        let is_new = !told.is_empty() || !incomplete.is_empty() || is_more;
        is_new.then_some(Message { is_test: false, changes, channel, told, incomplete, unlisted })
    }
}

fn lists(changes: &Changes) -> [(Event, &Listed); 4] {
    [
        (Event::New, &changes.new),
        (Event::Reopened, &changes.reopened),
        (Event::Worse, &changes.worse),
        (Event::Resolved, &changes.resolved),
    ]
}
