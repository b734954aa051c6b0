//! The parts of a fingerprint, each compared with the app's own past.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use grantwarden_kit::model::{Count, Timestamp, Usage};

use super::super::{operations::is_cut, words};

/// Fewer events more than usual are no volume.
const LEAST_EVENTS: f64 = 100.0;
/// Events of less time than this are taken as those of so much: bursts are normal.
const SHORTEST: Duration = Duration::from_secs(86_400);
/// A value that may have been cut off the past's list counts as new from so many times the rarest that was kept.
const OVER_RAREST: u64 = 10;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Agent,
    Version,
    Network,
    Objects,
    Volume,
    /// The app itself, in a log that did not have it.
    First,
}

impl Part {
    /// For evidence and sentences.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Agent => "new program",
            Self::Version => "new API version",
            Self::Network => "new network",
            Self::Objects => "new objects",
            Self::Volume => "volume",
            Self::First => "first calls",
        }
    }

    /// What is compared of a usage record; nothing for what is compared as a whole.
    fn counts(self, usage: &Usage) -> &[Count] {
        match self {
            Self::Agent => &usage.agents,
            Self::Version => &usage.versions,
            Self::Network => &usage.addresses,
            Self::Objects => &usage.objects,
            Self::Volume | Self::First => &[],
        }
    }

    /// The value without what changes from day to day; `None` if nothing is left.
    fn fold(self, value: &str) -> Option<String> {
        match self {
            _ if value == Usage::OTHERS => None,
            Self::Agent => family(value),
            Self::Network => Some(network(value)),
            Self::Version | Self::Objects | Self::Volume | Self::First => Some(value.to_owned()),
        }
    }

    /// The member of the usage record.
    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::Agent => "agents",
            Self::Version => "versions",
            Self::Network => "addresses",
            Self::Objects => "objects",
            Self::Volume => "events",
            Self::First => "app",
        }
    }
}

/// A part that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) part: Part,
    pub(super) now: String,
    pub(super) then: String,
    /// A step up of the API version and nothing else.
    pub(super) is_update: bool,
}

impl Change {
    /// An app that was there and was not in the log, and is now.
    pub(super) fn first(usage: &Usage) -> Self {
        Self {
            part: Part::First,
            now: words::counted(usage.events, "event"),
            then: "was not in the log before".to_owned(),
            is_update: false,
        }
    }
}

/// What comparing gave.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) changes: Vec<Change>,
    /// A value is new that may have been cut off the past's list.
    pub(super) cannot_tell: bool,
}

/// Compares an app's usage with its past in the same log.
pub(super) fn changes(now: &Usage, past: &[&Usage], times: u64) -> Found {
    let mut found = Found::default();
    for part in [Part::Agent, Part::Version, Part::Network, Part::Objects] {
        let then = Past::of(part, past);
        then.compare(part, part.counts(now), &mut found);
    }
    found.changes.extend(volume(now, past, times));
    found
}

/// The values of the past.
struct Past {
    values: BTreeSet<String>,
    /// The count of the rarest value of a list that may lack rarer ones.
    rarest: Option<u64>,
}

impl Past {
    fn of(part: Part, past: &[&Usage]) -> Self {
        let mut values = BTreeSet::new();
        let mut rarest = None;
        for list in past.iter().map(|usage| part.counts(usage)) {
            values.extend(list.iter().filter_map(|count| part.fold(&count.value)));
            if is_cut(list) {
                rarest = rarest.max(list.iter().map(|count| count.count).min());
            }
        }
        Self { values, rarest }
    }

    fn compare(&self, part: Part, now: &[Count], found: &mut Found) {
        // The log did not tell this part.
        if self.values.is_empty() {
            return;
        }
        let mut fresh: BTreeMap<String, u64> = BTreeMap::new();
        for count in now {
            let value = part.fold(&count.value);
            if let Some(value) = value.filter(|value| !self.values.contains(value)) {
                *fresh.entry(value).or_default() += count.count;
            }
        }
        let before = fresh.len();
        if let Some(rarest) = self.rarest {
            fresh.retain(|_, count| *count >= rarest.saturating_mul(OVER_RAREST));
        }
        found.cannot_tell |= fresh.len() < before;
        if fresh.is_empty() {
            return;
        }
        let new: Vec<&String> = fresh.keys().collect();
        let then: Vec<&String> = self.values.iter().collect();
        found.changes.push(Change {
            part,
            now: words::some(&new, 3),
            then: words::some(&then, 3),
            is_update: part == Part::Version && new.iter().all(|new| is_above_all(new, &then)),
        });
    }
}

fn is_above_all(version: &str, then: &[&String]) -> bool {
    let number = |text: &str| text.trim_start_matches('v').parse::<f64>().ok();
    let highest = then.iter().filter_map(|text| number(text)).fold(f64::NEG_INFINITY, f64::max);
    number(version).is_some_and(|number| number > highest)
}

/// The events since the past ended, by day, against the past's.
#[expect(clippy::cast_precision_loss, reason = "a ratio of ten needs no more digits")]
fn volume(now: &Usage, past: &[&Usage], times: u64) -> Option<Change> {
    let day = |span: Duration| span.max(SHORTEST).as_secs_f64() / 86_400.0;
    let per_day = |usage: &Usage| usage.events as f64 / day(usage.from.until(usage.to));
    let last = past.iter().max_by_key(|usage| usage.to)?;
    let usual = past.iter().map(|usage| per_day(usage)).fold(0.0, f64::max);
    // Of a stretch that both scans read, the past's events are taken away.
    let from: Timestamp = last.to.max(now.from);
    let shared = now.from.until(last.to).as_secs_f64() / 86_400.0;
    let fresh = (now.events as f64 - per_day(last) * shared).max(0.0);
    let rate = fresh / day(from.until(now.to));
    (usual > 0.0 && rate >= times as f64 * usual && fresh >= LEAST_EVENTS).then(|| Change {
        part: Part::Volume,
        now: format!("{rate:.0} events a day"),
        then: format!("at most {usual:.0} events a day"),
        is_update: false,
    })
}

/// A user agent without versions and remarks: `python-httpx/0.27.0` and `python-httpx/0.28.1` are one program.
fn family(agent: &str) -> Option<String> {
    let mut depth = 0_u32;
    let plain: String = agent
        .chars()
        .filter(|letter| {
            match letter {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect();
    let name = |word: &str| {
        let name = word.split('/').next().unwrap_or(word).trim_matches([',', ';']);
        let digits = name.trim_start_matches(['v', 'V']);
        let is_version = digits.starts_with(|first: char| first.is_ascii_digit());
        (!name.is_empty() && !is_version).then(|| name.to_lowercase())
    };
    let names: BTreeSet<String> = plain.split_whitespace().filter_map(name).collect();
    let names: Vec<String> = names.into_iter().collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// The block that an address is in: /24 of IPv4, /48 of IPv6. What is no address stays as it is: `Salesforce.com IP`.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_apart_without_their_versions() {
        for (agent, expected) in [
            ("python-httpx/0.27.0", Some("python-httpx")),
            ("Gainsight Connector 6.38", Some("connector gainsight")),
            ("Gainsight Connector v6.40.1", Some("connector gainsight")),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
                Some("applewebkit chrome mozilla safari"),
            ),
            ("", None),
            ("1.2.3", None),
        ] {
            assert_eq!(family(agent).as_deref(), expected, "{agent}");
        }
        assert_ne!(family("python-httpx/0.27"), family("Python-urllib/3.12"));
        assert_eq!(Part::Agent.fold(Usage::OTHERS), None, "it stands for many");
    }

    #[test]
    fn addresses_are_folded_into_blocks() {
        for (address, expected) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
            ("Salesforce.com IP", "Salesforce.com IP"),
        ] {
            assert_eq!(network(address), expected);
        }
    }
}
