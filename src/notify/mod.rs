//! Tells people what a scan changed: one file per form (JSON, Slack, Teams, mail) and per way to send it.
//!
//! It chooses nothing that the configuration does not say, judges nothing, and shows nothing but what is in [`Changes`]: no address, no key.
//! One channel's failure does not keep the others from being told.

mod command;
mod deliver;
mod delivered;
mod http;
mod mail;
mod message;
mod payload;
mod pick;
mod preview;
mod slack;
mod smtp;
mod teams;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trial;
mod webhook;

use std::{collections::BTreeSet, fmt};

use futures::future::join_all;
use grantwarden_kit::connector::Kit;

pub use delivered::{Delivered, DeliveredError, InMemory, InStore, Key};
pub use payload::{Change, Data, Payload, SCHEMA};
pub use preview::{Preview, preview};
pub use trial::{preview_trial, trial};

use crate::{
    config::{Channel, ChannelKind},
    store::Changes,
};
use message::{Message, Told};
use pick::Candidates;

/// How telling one channel ended.
#[derive(Debug)]
pub struct Outcome {
    /// The channel's name.
    pub channel: String,
    /// Its kind.
    pub kind: ChannelKind,
    /// What became of the message.
    pub result: Delivery,
    /// What else should be known.
    pub remarks: Vec<String>,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver took it. What it does with it is not seen from here.
    Sent {
        /// Findings that it tells.
        findings: u64,
    },
    /// There was nothing to tell.
    Nothing,
    /// It did not arrive, or that is not known.
    Failed {
        /// Why, without a secret.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl Outcome {
    /// Whether somebody was not told.
    pub const fn is_failure(&self) -> bool {
        matches!(self.result, Delivery::Failed { .. })
    }
}

/// On one line, for standard error.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "notify `{}` ({}): ", self.channel, self.kind)?;
        match &self.result {
            Delivery::Sent { findings: 1 } => f.write_str("sent, 1 finding"),
            Delivery::Sent { findings } => write!(f, "sent, {findings} findings"),
            Delivery::Nothing => f.write_str("nothing to tell"),
            Delivery::Failed { message, .. } => write!(f, "not sent: {message}"),
        }
    }
}

/// Why a message did not arrive.
#[derive(Debug)]
struct Trouble {
    message: String,
    hint: Option<String>,
}

impl Trouble {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Tells each channel what is new for it, all channels at the same time, and remembers what was told.
///
/// What `delivered` cannot say counts as not told. Nothing is remembered of a message that failed: the next run tells it.
pub async fn send(
    changes: &Changes,
    channels: &[Channel],
    delivered: &dyn Delivered,
    kit: &Kit,
) -> Vec<Outcome> {
    join_all(channels.iter().map(|channel| tell(changes, channel, delivered, kit))).await
}

async fn tell(
    changes: &Changes,
    channel: &Channel,
    delivered: &dyn Delivered,
    kit: &Kit,
) -> Outcome {
    let (message, remark) = message(changes, channel, delivered).await;
    let mut remarks: Vec<String> = remark.into_iter().collect();
    let Some(message) = message else {
        return outcome(channel, Ok(Delivery::Nothing), remarks);
    };
    let result = match deliver::deliver(&message, kit).await {
        Ok(said) => {
            remarks.extend(said);
            if let Err(error) = delivered.mark(&channel.name, &message.keys()).await {
                remarks.push(format!("that it was sent could not be noted: {error}"));
            }
            Ok(Delivery::Sent { findings: message.told.len() as u64 })
        }
        Err(trouble) => Err(trouble),
    };
    outcome(channel, result, remarks)
}

/// What the channel was not told yet.
async fn message<'a>(
    changes: &'a Changes,
    channel: &'a Channel,
    delivered: &dyn Delivered,
) -> (Option<Message<'a>>, Option<String>) {
    let candidates = Candidates::of(changes, channel);
    let (sent, remark) = match delivered.sent(&channel.name, &candidates.keys()).await {
        Ok(sent) => (sent, None),
        Err(error) => {
            let remark = format!("what was told before is not known, some may come twice: {error}");
            (BTreeSet::new(), Some(remark))
        }
    };
    (candidates.into_message(&sent), remark)
}

fn outcome(channel: &Channel, result: Result<Delivery, Trouble>, remarks: Vec<String>) -> Outcome {
    let result =
        result.unwrap_or_else(|Trouble { message, hint }| Delivery::Failed { message, hint });
    Outcome { channel: channel.name.to_string(), kind: channel.kind, result, remarks }
}
