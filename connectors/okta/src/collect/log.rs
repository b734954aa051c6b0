//! The System Log of the last 90 days, newest first: what was consented to, when an app last got a token, and what apps did. It is read
//! page after page, so far back as is worth it; how far is said.

use std::{collections::HashMap, time::Duration};

use grantwarden_kit::{
    connector::Sink,
    error::{Error, Result},
    ledger::{Ledger, gap_of},
    model::{AuditEvent, Gap, Observed, Reason, Record, Timestamp},
};

use super::{
    listed::unless_cancelled,
    standing::{Doubtful, Shown, Standing},
    usage::{Folded, text},
};
use crate::{
    access::Who,
    api::{LogEvent, Party, Row},
    hints,
    listing::Listing,
    org::{Call, Org, bucket},
    told::Told,
};

pub(super) const TOKENS: &str = "token-events";
pub(super) const CONSENTS: &str = "consent-events";
pub(super) const LIST: Call =
    Call { endpoint: "read the System Log", scope: "okta.logs.read", bucket: bucket::LOGS };
/// How far back the log goes: <https://developer.okta.com/docs/reference/system-log-query/>
pub(super) const LIFE: Duration = Duration::from_secs(90 * 86_400);
/// Pages of 1,000 events that are read at most.
const MOST_PAGES: usize = 200;
/// Pages without an event, one after the other, after which nothing more is expected.
const EMPTY_PAGES: usize = 10;
const EVENTS: &str = "events of apps in the System Log";
/// All events of OAuth apps.
pub(super) const FILTER: &str = "eventType sw \"app.oauth2\"";

/// What the log told of apps.
pub(super) struct History {
    /// When a client last got a token, in seconds.
    last_grant: HashMap<String, i64>,
    /// Why a client that the log does not name may have been used all the same.
    gap: Gap,
}

impl History {
    /// Some events name the app, and others its client.
    pub(super) fn rename(&mut self, client_of: impl Fn(&str) -> Option<String>) {
        let seen = std::mem::take(&mut self.last_grant);
        for (name, at) in seen {
            let last = self.last_grant.entry(client_of(&name).unwrap_or(name)).or_insert(at);
            *last = (*last).max(at);
        }
    }

    /// When a client last got a token. The log never proves that one was not used.
    pub(super) fn last_grant(&self, client_id: &str) -> Observed<Timestamp> {
        let at = self.last_grant.get(client_id).and_then(|at| Timestamp::from_second(*at));
        at.map_or_else(|| Observed::Unknown(self.gap.clone()), Observed::Known)
    }
}

/// Reads the log, streams what was changed, and keeps counts of what was used.
pub(super) async fn read(
    org: &Org,
    ledger: &Ledger,
    sink: &Sink,
    standing: &Standing<'_>,
    folded: &mut Folded,
) -> Result<History> {
    let skipped = [TOKENS, CONSENTS].map(|facet| ledger.skipped(facet));
    let now = org.door.clock().now();
    let mut history = History {
        last_grant: HashMap::new(),
        gap: Gap::new(
            Reason::PlatformSilent,
            TOKENS,
            "the System Log, which goes back 90 days, names no token for it",
        ),
    };
    if let [Some(gap), Some(_)] = skipped {
        history.gap = gap;
        return Ok(history);
    }
    let wanted = [TOKENS, CONSENTS].into_iter().zip(&skipped);
    let wanted: Vec<&str> =
        wanted.filter(|(_, gap)| gap.is_none()).map(|(facet, _)| facet).collect();
    let mut reading = Reading { events: 0, oldest: now, is_cut: false, odd: 0 };
    let done = pages(org, ledger, sink, &skipped, (&mut history, folded, &mut reading)).await;
    let mut lost = None;
    if let Err(error) = unless_cancelled(done)? {
        for facet in &wanted {
            ledger.lose(gap_of(facet, &error), None);
        }
        lost = Some(gap_of(TOKENS, &error));
    } else if reading.events == 0 {
        for facet in wanted.iter().rev() {
            lost = doubt_empty(ledger, standing, facet).await;
        }
    }
    if reading.is_cut {
        let detail = format!(
            "the System Log has more events of apps than a scan reads: those before {} were not read",
            reading.oldest.whole_second()
        );
        for facet in &wanted {
            ledger.lose(Gap::new(Reason::Quota, facet, detail.clone()), None);
        }
        lost = Some(Gap::new(Reason::Quota, TOKENS, detail));
    }
    if reading.odd > 0 {
        for facet in &wanted {
            let detail = "events of a form that is not known";
            ledger.lose(Gap::new(Reason::CallFailed, facet, detail), Some(reading.odd));
        }
    }
    let is_whole = lost.is_none();
    let since = if is_whole { now.minus(LIFE) } else { reading.oldest };
    folded.stretch = Some((since, now));
    for facet in &wanted {
        if is_whole || reading.events > 0 {
            ledger.note(facet, format!("the System Log was read back to {}", since.whole_second()));
        }
        ledger.settle(facet);
    }
    if let Some(gap) = skipped[0].clone().or(lost) {
        history.gap = gap;
    }
    Ok(history)
}

/// What an empty log means. Books it, and gives it if it is a loss.
pub(super) async fn doubt_empty(
    ledger: &Ledger,
    standing: &Standing<'_>,
    facet: &'static str,
) -> Option<Gap> {
    let shown = Shown::LogReaders;
    if !matches!(standing.who(), Who::ServiceApp { .. }) {
        // Neither an API token nor what is done with it is an event of an app.
        return standing.believe_empty(ledger, Doubtful { facet, what: EVENTS, shown }).await;
    }
    // A service app's own sign-in is an event: the log is late, or hidden.
    let reason = if standing.shows(shown).await { Reason::CallFailed } else { Reason::Permission };
    let detail = format!(
        "the System Log shows no event of any app, not even the scanner's own sign-in: it is late, or the scanner's role does not show it; {}",
        hints::no_log(standing.who())
    );
    let gap = Gap::new(reason, facet, detail);
    ledger.lose(gap.clone(), None);
    Some(gap)
}

struct Reading {
    events: u64,
    oldest: Timestamp,
    is_cut: bool,
    odd: u64,
}

async fn pages(
    org: &Org,
    ledger: &Ledger,
    sink: &Sink,
    skipped: &[Option<Gap>; 2],
    (history, folded, reading): (&mut History, &mut Folded, &mut Reading),
) -> Result<()> {
    // Okta writes milliseconds at most. Nothing of the last second is left out.
    let until = reading.oldest.plus(Duration::from_secs(1)).whole_second();
    let since = reading.oldest.minus(LIFE).whole_second();
    let (since, until) = (since.to_string(), until.to_string());
    let query = [
        ("since", since.as_str()),
        ("until", until.as_str()),
        ("filter", FILTER),
        ("sortOrder", "DESCENDING"),
        ("limit", "1000"),
    ];
    let mut listing = Listing::of(org, LIST, &["api", "v1", "logs"], &query).await?;
    let (mut count, mut empty) = (0, 0);
    while let Some(batch) = listing.next::<LogEvent>().await? {
        // A page may be empty and lead to others that are not.
        if batch.rows.is_empty() && batch.odd == 0 {
            empty += 1;
            if empty >= EMPTY_PAGES {
                reading.is_cut = listing.next::<LogEvent>().await?.is_some();
                break;
            }
            continue;
        }
        empty = 0;
        reading.odd += batch.odd;
        for event in &batch.rows {
            reading.events += 1;
            reading.oldest = reading.oldest.min(event.published);
            if is_use(&event.event_type) {
                if skipped[0].is_none() {
                    used(event, history, folded);
                    ledger.read(TOKENS, 1);
                }
            } else if skipped[1].is_none() {
                sink.send(Record::AuditEvent(change(event))).await?;
                ledger.read(CONSENTS, 1);
            }
        }
        count += 1;
        if count >= MOST_PAGES {
            reading.is_cut =
                listing.next::<LogEvent>().await?.is_some_and(|more| !more.rows.is_empty());
            break;
        }
    }
    Ok::<(), Error>(())
}

/// Tokens that were given, and sign-ins to apps; everything else changed something.
fn is_use(kind: &str) -> bool {
    let grants = ["app.oauth2.token.grant", "app.oauth2.as.token.grant", "app.oauth2.signon"];
    grants.iter().any(|prefix| kind.starts_with(prefix))
}

fn used(event: &LogEvent, history: &mut History, folded: &mut Folded) {
    let Some(client) = client_of(event) else { return };
    let succeeded = text(event.outcome.field(|outcome| &outcome.result))
        .is_none_or(|result| matches!(result, "SUCCESS" | "ALLOW"));
    if succeeded && event.event_type.contains(".token.grant") {
        let at = event.published.as_second();
        let last = history.last_grant.entry(client.to_owned()).or_insert(at);
        *last = (*last).max(at);
    }
    folded.add(client, event, user_of(event));
}

/// The OAuth client of an event: it is named as the client, or acts itself, or is acted on.
fn client_of(event: &LogEvent) -> Option<&str> {
    let through = text(event.client.field(|client| &client.id));
    let is_client =
        |party: &Party| text(&party.kind).is_some_and(|kind| kind.ends_with("ClientApp"));
    let actor = event.actor.given().filter(|party| is_client(party));
    let actor = actor.and_then(|party| text(&party.id));
    through.or(actor).or_else(|| {
        let target = parties(event)
            .find(|party| is_client(party) || text(&party.kind) == Some("AppInstance"));
        text(&target?.id)
    })
}

fn user_of(event: &LogEvent) -> Option<&str> {
    let actor = event.actor.given().into_iter();
    let mut users = actor.chain(parties(event));
    let user = users.find(|party| text(&party.kind) == Some("User"))?;
    text(&user.alternate_id).or(text(&user.id))
}

fn parties(event: &LogEvent) -> impl Iterator<Item = &Party> {
    event.target.given().into_iter().flatten().filter_map(|row| match row {
        Row::Good(party) => Some(party),
        Row::Odd(_) => None,
    })
}

fn change(event: &LogEvent) -> AuditEvent {
    let actor = match &event.actor {
        Told::Given(party) if party.alternate_id.given().is_some() => &party.alternate_id,
        other => other.field(|party| &party.id),
    };
    let targets: Vec<&str> =
        parties(event).filter_map(|party| text(&party.display_name).or(text(&party.id))).collect();
    let debug = event.debug_context.field(|context| &context.debug_data);
    let scopes = text(debug.field(|data| &data.granted_scopes)).unwrap_or_default();
    let message = text(&event.display_message).unwrap_or(&event.event_type);
    let result = text(event.outcome.field(|outcome| &outcome.result)).unwrap_or_default();
    let mut summary = format!("{message}: {}", targets.join(", "));
    for (label, value) in [("scopes", scopes), ("result", result)] {
        if !value.is_empty() {
            summary.push_str(&format!("; {label} {value}"));
        }
    }
    AuditEvent {
        id: event.uuid.clone(),
        at: event.published,
        actor: actor.observed(CONSENTS, "who did it", Clone::clone),
        action: event.event_type.clone(),
        summary,
    }
}
