//! What an organisation's audit log tells: installs, settings and events, read anew or on top of what was remembered.

use std::collections::HashSet;

use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    memory::Rewrite,
    model::{AuditEvent, Gap, Observed, Reason, Timestamp},
};

use super::{
    INSTALLED,
    audit::{self, AuditEnd, AuditQuery},
    expansions::Outcome,
    installs::{self, Installs, Taken},
    remembered::{self, Reach, Recent, Remembered},
    settings::{self, Prefs},
    tables::Tables,
};
use crate::{account::Account, api::Entry, lenient::count};

/// Actions that change no install, and that a reader of the report should see.
pub(super) const TOLD: [&str; 10] = [
    "app_approved",
    "app_restricted",
    "app_removed_from_whitelist",
    "app_resources_granted",
    "app_token_preserved",
    "workflow_app_token_preserved",
    "bot_token_upgraded",
    "bot_token_downgraded",
    "pref.app_whitelist_enabled",
    "pref.app_dir_only",
];
/// Actions of installs that a reader should see as events, too: not the installs themselves, which are grants.
const ALSO_TOLD: [&str; 3] =
    ["app_scopes_expanded", "app_deleted", "org_app_upgraded_to_org_install"];
/// Events that are kept for the report, the newest first.
const MOST_EVENTS: usize = 20_000;

/// Everything that is learned from the audit log.
#[derive(Debug, Default)]
pub(super) struct AuditReading {
    pub(super) installs: Installs,
    pub(super) prefs: Prefs,
    pub(super) events: Vec<AuditEvent>,
    pub(super) end: AuditEnd,
    pub(super) left_out: u64,
    /// Entries that do not say what they are about.
    unusable: u64,
}

impl AuditReading {
    /// Nothing read yet of an organisation.
    pub(super) fn of(organization: u32) -> Self {
        Self { installs: Installs::of(organization), ..Self::default() }
    }

    /// Whether every entry was understood.
    pub(super) const fn is_clear(&self) -> bool {
        self.end.unreadable == 0 && self.unusable == 0
    }

    /// Takes an entry in.
    pub(super) fn take(&mut self, tables: &mut Tables, organization: u32, entry: &Entry) {
        let action = entry.action.as_str();
        let is_install = installs::ACTIONS.contains(&action);
        if is_install {
            match self.installs.take(tables, organization, entry) {
                Taken::Fully => {}
                Taken::Unreadable => self.unusable += 1,
            }
        } else {
            settings::learn(&mut self.prefs, tables, organization, entry);
        }
        if !is_install || ALSO_TOLD.contains(&action) {
            self.tell(tables, entry);
        }
    }

    /// Keeps an event for the report, as long as there is room.
    pub(super) fn keep(&mut self, event: AuditEvent) {
        if self.events.len() >= MOST_EVENTS {
            self.left_out += 1;
        } else {
            self.events.push(event);
        }
    }

    fn tell(&mut self, tables: &Tables, entry: &Entry) {
        let seconds = entry.date_create.0;
        let Some(at) = Timestamp::from_second(seconds) else { return };
        let id = entry.id.as_ref().map(|id| id.0.clone());
        let user = entry.actor.as_ref().and_then(|actor| actor.user.as_ref());
        let actor = user.and_then(|user| {
            let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
            text(&user.email).or_else(|| text(&user.name)).or_else(|| Some(user.id.clone()?.0))
        });
        self.keep(AuditEvent {
            id: id.unwrap_or_else(|| format!("{seconds}:{}", entry.action)),
            at,
            actor: actor.map_or_else(
                || Observed::unknown(Reason::PlatformSilent, INSTALLED, "the log does not say who"),
                Observed::Known,
            ),
            action: entry.action.clone(),
            summary: summary(tables, entry),
        });
    }
}

/// One line about an entry.
fn summary(tables: &Tables, entry: &Entry) -> String {
    let entity = entry.entity.as_ref();
    let app = entity.and_then(|entity| entity.app.as_ref()).map(|app| {
        let id = app.id.as_ref().map_or("", |id| id.0.as_str());
        format!("{} ({id})", app.name.as_deref().unwrap_or("an app"))
    });
    let location = entry.context.as_ref().and_then(|context| context.location.as_ref());
    let place = location.and_then(|place| place.id.as_ref()).map(|id| {
        tables.places.find(&id.0).map_or_else(|| id.0.clone(), |place| tables.place_label(place))
    });
    let scopes = entry.details.as_ref().and_then(|details| details.new_scopes.as_ref());
    let scopes = scopes
        .filter(|_| entry.action == "app_scopes_expanded")
        .map(|scopes| format!("scopes: {}", scopes.join(", ")));
    let parts: Vec<String> = [app, place, scopes].into_iter().flatten().collect();
    if parts.is_empty() { entry.action.clone() } else { parts.join("; ") }
}

/// Reads the log, or what is new in it since it was read last. Gives what is to be remembered, if all of it was read and understood: the log
/// alone decides, because nothing else is remembered. It is to be kept when what was read was handed over.
pub(super) async fn remembering(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    (id, organization): (&str, u32),
    reading: &mut AuditReading,
) -> Result<Option<Rewrite>> {
    let began_at = account.door.clock().now();
    let memory = account.memory.as_ref();
    let mut known = memory.and_then(|memory| Remembered::recall(memory, id, began_at));
    let mut pass = Pass::default();
    if let Some(remembered) = &known {
        pass.from = remembered.from();
        pass.known = remembered.recent().clone();
        pass.run(account, tables, organization, reading).await?;
        if pass.again.len() < pass.known.len() {
            // A log that was cut, or another token's view of it, must not be added to.
            ledger.note(
                INSTALLED,
                "the audit log does not give entries that it gave to the last scan, so that all of it was read anew",
            );
            *reading = AuditReading::of(organization);
            (known, pass) = (None, Pass::default());
        }
    }
    let mut whole_at = began_at.as_second();
    match known {
        None => pass.run(account, tables, organization, reading).await?,
        Some(known) => {
            whole_at = known.whole_at();
            let note = format!(
                "incremental: only entries since {} were read; what the log has before was remembered from the scan that read all of it on {}",
                pass.from.map(|from| from.to_string()).unwrap_or_default(),
                Timestamp::from_second(whole_at).map(Timestamp::date).unwrap_or_default(),
            );
            ledger.note(INSTALLED, note);
            known.merge(tables, reading);
        }
    }
    let may_keep = reading.is_clear() && !pass.has_nameless;
    let draft = memory.filter(|_| may_keep).map(|memory| {
        let reach =
            Reach { organization: id, read_until: began_at, whole_at, recent: &pass.recent };
        remembered::write(memory, tables, reading, &reach)
    });
    Ok(draft.and_then(|draft| {
        draft.inspect_err(|error| tracing::warn!(%error, "This scan cannot be remembered.")).ok()
    }))
}

/// One reading of the entries that concern installs.
#[derive(Default)]
struct Pass {
    from: Option<Timestamp>,
    /// Entries that were taken in already.
    known: HashSet<String>,
    /// Those of them that the log gave again.
    again: HashSet<String>,
    recent: Recent,
    /// Entries without an id cannot be told apart from those that were taken in already.
    has_nameless: bool,
}

impl Pass {
    async fn run(
        &mut self,
        account: &Account,
        tables: &mut Tables,
        organization: u32,
        reading: &mut AuditReading,
    ) -> Result<()> {
        let query = AuditQuery {
            endpoint: "list audit events of apps",
            actions: Some(actions()),
            from: self.from,
            most_pages: usize::MAX,
            ..AuditQuery::default()
        };
        let mut end = AuditEnd::default();
        let read = audit::read(account, &query, &mut end, |entry| {
            match entry.id.as_ref().map(|id| id.0.as_str()) {
                Some(id) => {
                    self.recent.take(entry.date_create.0, id);
                    if self.known.contains(id) {
                        self.again.insert(id.to_owned());
                        return;
                    }
                }
                None => self.has_nameless = true,
            }
            reading.take(tables, organization, entry);
        });
        let read = read.await;
        end.entries -= u64::try_from(self.again.len()).unwrap_or(u64::MAX);
        reading.end = end;
        read
    }
}

/// The actions that are asked for, separated by commas.
pub(super) fn actions() -> String {
    let actions: Vec<&str> = installs::ACTIONS.iter().chain(&TOLD).copied().collect();
    actions.join(",")
}

/// Books what was read.
pub(super) fn book(ledger: &Ledger, reading: &AuditReading) {
    ledger.read(INSTALLED, reading.end.entries.saturating_sub(reading.unusable));
    let lost = reading.end.unreadable + reading.unusable;
    if lost > 0 {
        let detail = "entries of the audit log do not say which app or place they are about, or have a form that is not known";
        ledger.lose(Gap::new(Reason::CallFailed, INSTALLED, detail), Some(lost));
    }
}

/// How far the log reaches, and what it leaves open.
pub(super) fn say(ledger: &Ledger, reading: &AuditReading, tied: Outcome) {
    if let Some(oldest) = reading.end.oldest.and_then(Timestamp::from_second) {
        let note = format!("the oldest entry about apps in the audit log is of {}", oldest.date());
        ledger.note(INSTALLED, note);
    }
    if reading.left_out > 0 {
        let note = format!(
            "not repeated here: {} more of the audit log",
            count(reading.left_out, "event")
        );
        ledger.note(INSTALLED, note);
    }
    if tied.doubtful > 0 {
        ledger.note(
            INSTALLED,
            format!(
                "without the name of their app, and fitting several, so that the scopes of those are unknown: {}",
                count(tied.doubtful, "expansion of scopes")
            ),
        );
    }
    if tied.untied > 0 {
        let detail = "expansions of scopes fit no install that the log has: of apps that were installed before the log begins, or that are gone";
        ledger.lose(Gap::new(Reason::PlatformSilent, INSTALLED, detail), Some(tied.untied));
    }
}
