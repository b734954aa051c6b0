//! Tries channels out with a made-up finding that says so. It asks no memory and leaves none, and goes to every channel whatever it filters.

use futures::future::join_all;
use grantwarden_kit::{connector::Kit, model::Timestamp};

use super::{Delivery, Message, Outcome, Preview, Told, deliver, outcome, preview};
use crate::{
    config::{Channel, Event},
    finding::{Counts, Fingerprint, Severity, SubjectKind},
    store::{Changes, Item, Listed},
};

/// Sends every channel a message that says that it is a test.
pub async fn trial(channels: &[Channel], kit: &Kit) -> Vec<Outcome> {
    let changes = made_up(kit.clock.now());
    let tell = async |channel| match deliver::deliver(&message(&changes, channel), kit).await {
        Ok(remarks) => outcome(channel, Ok(Delivery::Sent { findings: 1 }), remarks),
        Err(trouble) => outcome(channel, Err(trouble), Vec::new()),
    };
    join_all(channels.iter().map(tell)).await
}

/// What [`trial`] would send at a time.
pub fn preview_trial(channels: &[Channel], now: Timestamp) -> Vec<Preview> {
    let changes = made_up(now);
    channels.iter().map(|channel| preview::of_message(&message(&changes, channel))).collect()
}

fn message<'a>(changes: &'a Changes, channel: &'a Channel) -> Message<'a> {
    let told = changes.new.first.iter().map(|item| Told { event: Event::New, item });
    Message {
        is_test: true,
        changes,
        channel,
        told: told.collect(),
        incomplete: Vec::new(),
        unlisted: 0,
    }
}

fn made_up(now: Timestamp) -> Changes {
    let item = Item {
        fingerprint: Fingerprint::of("drift-pattern", "", "", SubjectKind::App, "test"),
        rule: "drift-pattern".to_owned(),
        severity: Severity::High,
        platform: Some("salesforce".to_owned()),
        tenant: Some("example".to_owned()),
        app: Some("Example app".to_owned()),
        subject: "Example app".to_owned(),
        message: "This finding is made up: it only tries out the channel.".to_owned(),
    };
    let counts: Counts = std::iter::once(item.severity).collect();
    Changes {
        scan: 0,
        taken_at: now.whole_second(),
        before: None,
        tenants: vec!["example".to_owned()],
        incomplete: Vec::new(),
        active: counts,
        new: Listed { counts, first: vec![item] },
        reopened: Listed::default(),
        worse: Listed::default(),
        resolved: Listed::default(),
    }
}
