//! [`Message`]: what one channel is told, before it is written in the channel's own form. Texts in it are as the platforms wrote them:
//! each form makes them harmless in its own way.

use super::{Key, delivered::digest};
use crate::{
    config::{Channel, Event},
    finding::{Counts, Severity},
    store::{Changes, Item},
};

/// What one channel is told.
pub(super) struct Message<'a> {
    /// Whether it only tries the channel.
    pub(super) is_test: bool,
    /// What the scan changed, for all channels.
    pub(super) changes: &'a Changes,
    /// Who is told.
    pub(super) channel: &'a Channel,
    /// The findings, the gravest first.
    pub(super) told: Vec<Told<'a>>,
    /// Tenants that were not read whole.
    pub(super) incomplete: Vec<&'a str>,
    /// Findings of which only the number is known; at most so many are for this channel.
    pub(super) unlisted: u64,
}

/// A finding that changed.
pub(super) struct Told<'a> {
    /// How it changed.
    pub(super) event: Event,
    /// The finding.
    pub(super) item: &'a Item,
}

impl Told<'_> {
    /// `critical, new`; of what is gone: `was critical, resolved`.
    pub(super) fn what(&self) -> String {
        let was = if self.event == Event::Resolved { "was " } else { "" };
        format!("{was}{}, {}", self.item.severity, self.event)
    }

    /// `drift-pattern, acme-crm (salesforce)`: the rule and where.
    pub(super) fn place(&self) -> String {
        let Item { rule, tenant, platform, .. } = self.item;
        match (tenant, platform) {
            (Some(tenant), Some(platform)) => format!("{rule}, {tenant} ({platform})"),
            (Some(one), None) | (None, Some(one)) => format!("{rule}, {one}"),
            (None, None) => rule.clone(),
        }
    }

    /// What it is about: the app, and the subject where it is another.
    pub(super) fn about(&self) -> String {
        match &self.item.app {
            Some(app) if !self.item.subject.contains(app.as_str()) => {
                format!("{app}: {}", self.item.subject)
            }
            _ => self.item.subject.clone(),
        }
    }
}

impl Message<'_> {
    /// One line of the tool's own words and numbers: nothing that a platform wrote.
    pub(super) fn title(&self) -> String {
        let test = if self.is_test { "[TEST] " } else { "" };
        let mut parts: Vec<String> = [Event::New, Event::Reopened, Event::Worse, Event::Resolved]
            .into_iter()
            .filter_map(|event| {
                let count = self.told.iter().filter(|told| told.event == event).count();
                (count > 0).then(|| format!("{count} {event}"))
            })
            .collect();
        if self.unlisted > 0 {
            let more = if parts.is_empty() { "" } else { " more" };
            parts.push(format!("up to {}{more}", self.unlisted));
        }
        let grave = in_words(&self.counts(|told| told.event != Event::Resolved));
        let grave = if grave.is_empty() { grave } else { format!(" ({grave})") };
        let incomplete = match self.incomplete.len() {
            0 => String::new(),
            1 => "1 tenant not read whole".to_owned(),
            more => format!("{more} tenants not read whole"),
        };
        let findings = if parts.is_empty() {
            String::new()
        } else {
            let is_one = self.told.len() as u64 + self.unlisted == 1;
            let noun = if is_one { "finding" } else { "findings" };
            format!("{} {noun}{grave}", parts.join(", "))
        };
        let all: Vec<String> =
            [findings, incomplete].into_iter().filter(|part| !part.is_empty()).collect();
        format!("{test}Grantwarden: {}", all.join("; "))
    }

    /// Lines that come before the findings.
    pub(super) fn opening(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.is_test {
            lines.push(
                "This message only tries out the channel. The finding below is made up.".to_owned(),
            );
        }
        if !self.incomplete.is_empty() {
            lines.push(format!(
                "Not read whole: {}. What is not seen there does not count as resolved.",
                self.incomplete.join(", ")
            ));
        }
        lines
    }

    /// Lines that come after the findings, of which so many were shown.
    pub(super) fn closing(&self, shown: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let hidden = self.told.len().saturating_sub(shown) as u64;
        match (hidden, self.unlisted) {
            (0, 0) => {}
            (0, unlisted) if self.told.is_empty() => lines.push(format!(
                "Up to {unlisted} findings that changed may concern this channel: too many changed to say whose they are. The report has them."
            )),
            (hidden, 0) => lines.push(format!("{hidden} more are in the report.")),
            (hidden, unlisted) => {
                lines.push(format!("Up to {} more are in the report.", hidden + unlisted));
            }
        }
        let Changes { scan, taken_at, before, active, .. } = self.changes;
        let before = before.map_or_else(
            || "there was none before it".to_owned(),
            |before| format!("compared with that of {}", before.whole_second()),
        );
        lines.push(format!("Scan {scan} of {}, {before}.", taken_at.whole_second()));
        let active = in_words(active);
        lines.push(match active.as_str() {
            "" => "No finding counts now.".to_owned(),
            active => format!("Counting now: {active}."),
        });
        lines
    }

    /// How many are told, by severity.
    pub(super) fn counts(&self, which: impl Fn(&Told<'_>) -> bool) -> Counts {
        self.told.iter().filter(|told| which(told)).map(|told| told.item.severity).collect()
    }

    /// The keys of everything that it tells.
    pub(super) fn keys(&self) -> Vec<Key> {
        keys(self.changes, &self.told, &self.incomplete, self.unlisted)
    }

    /// The same for the same content: a receiver that gets a message twice knows it by this.
    pub(super) fn id(&self) -> String {
        let keys: Vec<String> = self.keys().iter().map(ToString::to_string).collect();
        let (scan, taken_at) = (self.changes.scan.to_string(), self.changes.taken_at.to_string());
        let test = if self.is_test { "test" } else { "" };
        let id = digest(&[&self.channel.name, test, &scan, &taken_at, &keys.join(" ")]);
        format!("msg_{id}")
    }
}

/// By what these are remembered: first the findings, then the tenants, then those of which only the number is known.
pub(super) fn keys(
    changes: &Changes,
    told: &[Told<'_>],
    incomplete: &[&str],
    unlisted: u64,
) -> Vec<Key> {
    let finding =
        |told: &Told<'_>| Key::of_finding(changes.scan, told.event, told.item.fingerprint);
    let tenant = |tenant: &&str| Key::of_incomplete(changes.taken_at, tenant);
    let more = (unlisted > 0).then(|| Key::of_unlisted(changes.scan));
    told.iter().map(finding).chain(incomplete.iter().map(tenant)).chain(more).collect()
}

/// `2 critical, 1 high`; empty if there is nothing.
fn in_words(counts: &Counts) -> String {
    let graver_first = Severity::ALL.into_iter().rev();
    let words = graver_first.filter(|severity| counts.of(*severity) > 0);
    words
        .map(|severity| format!("{} {severity}", counts.of(severity)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// At most so many characters; what is cut off is marked.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}
