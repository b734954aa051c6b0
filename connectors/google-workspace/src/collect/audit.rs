//! Entries of Google's logs as records: who did what, each once.

use std::collections::{BTreeMap, btree_map::Entry};

use grantwarden_kit::model::{AuditEvent, Gap, Observed, Reason, Timestamp};

use crate::api::{Activity, Event, Number};

/// An event as a record, but for what it says.
pub(super) fn record(
    facet: &str,
    at: Timestamp,
    entry: &Activity,
    event: &Event,
    summary: String,
) -> AuditEvent {
    let actor = entry.actor.anybody().map(ToOwned::to_owned).map_or_else(
        || {
            let detail = "the log does not name who did it";
            Observed::Unknown(Gap::new(Reason::PlatformSilent, facet, detail))
        },
        Observed::Known,
    );
    AuditEvent { id: id_of(entry, event), at, actor, action: event.name.clone(), summary }
}

/// An administrator's changes as records.
pub(super) fn changes(
    facet: &str,
    at: Timestamp,
    entry: &Activity,
    is_ours: impl Fn(&str) -> bool,
) -> Vec<AuditEvent> {
    let ours = entry.events.iter().filter(|event| is_ours(&event.name));
    let events = ours.map(|event| {
        let parameters: Vec<String> = event
            .parameters
            .iter()
            .filter_map(|parameter| {
                Some(format!("{} = {}", parameter.name(), event.text(parameter.name())?))
            })
            .collect();
        record(facet, at, entry, event, parameters.join(", "))
    });
    events.collect()
}

/// The id of an event: Google's qualifier is unique together with the time, and an entry has several events.
fn id_of(entry: &Activity, event: &Event) -> String {
    let qualifier = entry.id.unique_qualifier.as_ref().and_then(Number::value).unwrap_or_default();
    format!("{}:{qualifier}:{}", entry.id.time, event.name)
}

/// Each record once, with an id of its own: an entry with several events comes with the listing of each.
pub(super) fn distinct(records: Vec<AuditEvent>) -> Vec<AuditEvent> {
    let mut known: BTreeMap<String, Vec<AuditEvent>> = BTreeMap::new();
    let mut distinct = Vec::with_capacity(records.len());
    for record in records {
        let same_id = match known.entry(record.id.clone()) {
            Entry::Vacant(place) => {
                place.insert(vec![record.clone()]);
                distinct.push(record);
                continue;
            }
            Entry::Occupied(place) => place.into_mut(),
        };
        if same_id.contains(&record) {
            continue;
        }
        same_id.push(record.clone());
        distinct.push(AuditEvent { id: format!("{}:{}", record.id, same_id.len()), ..record });
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(actor: &str) -> Activity {
        let text = format!(
            r#"{{"id":{{"time":"2026-11-02T00:00:00Z","uniqueQualifier":"7"}},"actor":{actor},"events":[
                {{"name":"A","parameters":[{{"name":"x","value":"1"}}]}},
                {{"name":"A","parameters":[{{"name":"x","value":"2"}}]}},
                {{"name":"B"}}, {{"name":"OTHER"}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_event_comes_once_with_an_id_of_its_own() {
        let at = "2026-11-02T00:00:00Z".parse().unwrap();
        let told = || changes("f", at, &entry("{}"), |name| name != "OTHER");
        let records = distinct(told().into_iter().chain(told()).collect());
        let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
        let start = "2026-11-02T00:00:00Z:7";
        assert_eq!(ids, [format!("{start}:A"), format!("{start}:A:2"), format!("{start}:B")]);
    }

    #[test]
    fn an_actor_is_an_address_or_an_id_or_not_known() {
        let at = "2026-11-02T00:00:00Z".parse().unwrap();
        let actor = |text: &str| changes("f", at, &entry(text), |_| true)[0].actor.clone();
        let known = |text: &str| Observed::Known(text.to_owned());
        assert_eq!(actor(r#"{"email":"a@x.example","profileId":"1"}"#), known("a@x.example"));
        assert_eq!(actor(r#"{"profileId":"1"}"#), known("1"));
        assert!(actor("{}").gap().is_some());
    }
}
