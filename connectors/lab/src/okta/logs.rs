//! The System Log endpoint: a time, a filter, and pages that go on for ever if no end is given.

use serde_json::Value as Json;

use super::Core;
use super::error::Refusal;
use super::events::{Entry, LOG_SECONDS, Told};
use super::filter::Filter;
use super::pages::Position;
use super::params::{limit, only, word};
use super::state::State;
use super::time::{iso_millis, millis};
use crate::wire::{Reply, Request};

const TEXT: &[&str] = &["eq", "ne", "sw", "co"];
/// What filters know.
const FILTERS: [(&str, &[&str]); 13] = [
    ("eventType", TEXT),
    ("published", &["eq", "gt", "ge", "lt", "le"]),
    ("severity", TEXT),
    ("displayMessage", TEXT),
    ("outcome.result", TEXT),
    ("actor.id", TEXT),
    ("actor.type", TEXT),
    ("actor.alternateId", TEXT),
    ("client.id", TEXT),
    ("client.ipAddress", TEXT),
    ("target.id", TEXT),
    ("target.type", TEXT),
    ("target.alternateId", TEXT),
];
/// The platform's page size where none is asked for, and its largest.
const USUAL: usize = 100;
const LARGEST: usize = 1_000;
const WEEK: i64 = 7 * 86_400_000;

/// A time that a client gave.
fn time(request: &Request, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = request.param(name) else { return Ok(None) };
    let found = millis(text);
    let wrong =
        || Refusal::validation(name, format!("{name}: must be an ISO 8601 date with a time zone"));
    found.map(Some).ok_or_else(wrong)
}

fn field(told: &Told, entry: Entry, name: &str) -> Vec<String> {
    if name == "published" {
        return vec![iso_millis(entry.at)];
    }
    told.field(name).unwrap_or_default().into_iter().map(str::to_owned).collect()
}

/// Whether an entry lies behind the last one of the page before.
fn beyond(entry: Entry, after: Option<Position>, descending: bool) -> bool {
    let place = (entry.at, entry.number);
    after.is_none_or(|last| if descending { place < last } else { place > last })
}

impl Core {
    /// `GET /api/v1/logs`.
    pub(super) fn list_logs(&self, state: &State, request: &Request) -> Result<Reply, Refusal> {
        only(request, &["since", "until", "after", "filter", "q", "limit", "sortOrder"])?;
        let size = limit(request, 0..=LARGEST, USUAL)?.min(state.behaviour.logs_page);
        let descending =
            word(request, "sortOrder", &["ASCENDING", "DESCENDING"])? == Some("DESCENDING");
        let filter =
            request.param("filter").map(|text| Filter::parse(text, &FILTERS)).transpose()?;
        let now = self.now() * 1_000;
        let until = time(request, "until")?;
        let end =
            until.unwrap_or(i64::MAX).min(now - state.behaviour.event_lag_seconds * 1_000 + 1);
        let since = time(request, "since")?.unwrap_or(until.unwrap_or(now) - WEEK);
        if until.is_some_and(|until| until < since) {
            return Err(Refusal::validation("until", "until: must not be before since"));
        }
        let words: Vec<String> = request
            .param("q")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let after = self.after(state, request)?;
        let entries = state.log.between(since.max(now - LOG_SECONDS * 1_000), end);
        let entries: Box<dyn Iterator<Item = &Entry>> = match descending {
            true => Box::new(entries.iter().rev()),
            false => Box::new(entries.iter()),
        };
        let rows = entries.filter(|entry| beyond(**entry, after, descending)).filter_map(|entry| {
            let told = state.story(*entry);
            let wanted = filter
                .as_ref()
                .is_none_or(|filter| filter.holds(&|name| field(&told, *entry, name)));
            let text = || {
                format!("{} {} {}", told.kind, told.message, told.actor.display_name).to_lowercase()
            };
            let said = words.is_empty() || words.iter().all(|word| text().contains(word));
            (wanted && said).then(|| ((entry.at, entry.number), told.json(*entry)))
        });
        let mut rows = rows.peekable();
        let mut items = Vec::new();
        let mut last = after;
        while items.len() < size {
            let Some((position, item)) = rows.next() else { break };
            items.push(item);
            last = Some(position);
        }
        // Without an end the listing can be polled: there is always a next page, if an empty one.
        let polling = until.is_none() && !descending;
        let next = match rows.peek().is_some() || polling {
            true => Some(last.unwrap_or((since - 1, u32::MAX))),
            false => None,
        };
        let reply = Reply::json(200, Json::Array(items).to_string());
        Ok(self.linked(reply, request, next))
    }
}
