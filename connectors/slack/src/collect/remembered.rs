//! What the last scan left for this one of the audit log: what was installed where, and when it was read. Only newer entries are asked for
//! then. It gives the same records as the whole log does; what is in doubt is forgotten, and the whole log is read.

use std::{collections::HashSet, time::Duration};

use grantwarden_kit::{
    error::{ErrorKind, Result},
    memory::{Memory, Recollection},
    model::{AuditEvent, Timestamp},
};
use serde::{Deserialize, Serialize};

use super::{
    audit_reading::AuditReading,
    expansions::Expansion,
    installs::InPlace,
    settings::Prefs,
    tables::{AppFacts, Latest, Person, ScopeSet, Tables},
};

/// What the file begins with; another version is forgotten.
const TITLE: &str = "slack audit log 1";
/// Entries may show late: so much is read again.
pub(super) const OVERLAP: Duration = Duration::from_secs(3_600);
/// After so long the whole log is read again.
const OLDEST: Duration = Duration::from_secs(30 * 86_400);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header {
    organization: String,
    /// Up to when the log was read, in Unix seconds.
    read_until: i64,
    /// When all of it was read.
    whole_at: i64,
    /// Entries that it had.
    entries: u64,
    /// The oldest of them.
    oldest: Option<i64>,
    /// Events that were too many to be kept.
    left_out: u64,
}

/// What the log told of an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct AppLine {
    id: String,
    name: Latest<String>,
    rotation: Latest<bool>,
    internal: Latest<bool>,
    distributed: Latest<bool>,
    directory_approved: Latest<bool>,
    workflow: Latest<bool>,
    decision: Latest<String>,
    future_installs: Latest<bool>,
    deleted_at: i64,
    organization_off_at: i64,
    upgraded_at: i64,
}

/// A line. Numbers are positions among the lines of their kind.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Place {
        id: String,
        name: Option<String>,
    },
    Person(Person),
    Scopes(ScopeSet),
    App(Box<AppLine>),
    Install {
        app: u32,
        place: u32,
        state: InPlace,
    },
    Expansion(Expansion),
    Event(AuditEvent),
    Prefs(Prefs),
    /// An entry so young that it is read again.
    Recent(String),
    /// The last line, with how many there are before it.
    End(u64),
}

/// What was remembered.
pub(super) struct Remembered {
    header: Header,
    lines: Vec<Line>,
    recent: HashSet<String>,
}

impl Remembered {
    /// What was remembered of an organisation; `None` if nothing can be used.
    pub(super) fn recall(memory: &Memory, organization: &str, now: Timestamp) -> Option<Self> {
        let recalled = memory.recall(TITLE).and_then(|lines| match lines {
            Some(mut lines) => Self::read(&mut lines),
            None => Ok(None),
        });
        let remembered = match recalled {
            Ok(remembered) => remembered?,
            Err(error) => {
                // What cannot be read costs calls, not the scan.
                if error.kind != ErrorKind::Malformed {
                    tracing::warn!(%error, "What was remembered cannot be used.");
                }
                return None;
            }
        };
        let Header { organization: known, read_until, whole_at, .. } = &remembered.header;
        let whole_at = Timestamp::from_second(*whole_at)?;
        let is_usable = known == organization
            && *read_until <= now.as_second()
            && whole_at <= now
            && whole_at.until(now) < OLDEST;
        is_usable.then_some(remembered)
    }

    fn read(from: &mut Recollection) -> Result<Option<Self>> {
        let Some(header) = from.next_line::<Header>()? else { return Ok(None) };
        let (mut lines, mut recent, mut count) = (Vec::new(), HashSet::new(), 0_u64);
        while let Some(line) = from.next_line::<Line>()? {
            match line {
                Line::End(told) => {
                    // Lines after the end, or fewer before it, are somebody else's work.
                    let is_last = from.next_line::<Line>()?.is_none();
                    let is_whole = told == count && is_last && is_sound(&lines);
                    return Ok(is_whole.then_some(Self { header, lines, recent }));
                }
                Line::Recent(id) => {
                    recent.insert(id);
                }
                line => lines.push(line),
            }
            count += 1;
        }
        Ok(None)
    }

    /// From when on the log is to be read.
    pub(super) fn from(&self) -> Option<Timestamp> {
        Some(Timestamp::from_second(self.header.read_until)?.minus(OVERLAP))
    }

    /// When all of the log was read.
    pub(super) fn whole_at(&self) -> i64 {
        self.header.whole_at
    }

    /// Entries that were taken in already.
    pub(super) const fn recent(&self) -> &HashSet<String> {
        &self.recent
    }

    /// Adds what was remembered to what was read now, which is newer.
    pub(super) fn merge(self, tables: &mut Tables, reading: &mut AuditReading) {
        let Header { entries, oldest, left_out, .. } = self.header;
        let (mut places, mut people, mut scopes, mut apps) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for line in self.lines {
            match line {
                Line::Place { id, name } => {
                    let number = tables.places.number(&id);
                    if let Some(name) = name {
                        tables.place_names.entry(number).or_insert(name);
                    }
                    places.push(number);
                }
                Line::Person(person) => people.push(tables.people.add(person)),
                Line::Scopes(set) => scopes.push(tables.scopes.number(set)),
                Line::App(line) => {
                    apps.push(tables.apps.number(&line.id));
                    let id = line.id.clone();
                    if let Some(facts) = tables.apps.learn(&id) {
                        line.learn(facts);
                    }
                }
                Line::Install { app, place, state } => {
                    let key = at(&apps, app).zip(at(&places, place));
                    let state = state.renumber(|by| at(&people, by), |set| at(&scopes, set));
                    if let Some((key, state)) = key.zip(state) {
                        reading.installs.merge(key, state);
                    }
                }
                Line::Expansion(expansion) => {
                    let app = expansion.app.and_then(|app| at(&apps, app));
                    let by = expansion.by.and_then(|by| at(&people, by));
                    if let Some(place) = at(&places, expansion.place) {
                        let expansion = Expansion { app, by, place, ..expansion };
                        reading.installs.expand_again(expansion);
                    }
                }
                Line::Event(event) => reading.keep(event),
                Line::Prefs(prefs) => reading.prefs.merge(prefs),
                Line::Recent(_) | Line::End(_) => {}
            }
        }
        reading.end.entries += entries;
        reading.end.oldest = match (reading.end.oldest, oldest) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        reading.left_out += left_out;
    }
}

/// Whether every number in the lines is that of a line before: a file that was tampered with is worth nothing.
fn is_sound(lines: &[Line]) -> bool {
    let (mut places, mut people, mut scopes, mut apps) = (0, 0, 0, 0);
    lines.iter().all(|line| match line {
        Line::Place { .. } => {
            places += 1;
            true
        }
        Line::Person(_) => {
            people += 1;
            true
        }
        Line::Scopes(_) => {
            scopes += 1;
            true
        }
        Line::App(_) => {
            apps += 1;
            true
        }
        Line::Install { app, place, state } => {
            let below = |number: u32, count: u32| (number < count).then_some(number);
            let known = state.clone().renumber(|by| below(by, people), |set| below(set, scopes));
            *app < apps && *place < places && known.is_some()
        }
        Line::Expansion(expansion) => {
            expansion.place < places
                && expansion.app.is_none_or(|app| app < apps)
                && expansion.by.is_none_or(|by| by < people)
        }
        Line::Event(_) | Line::Prefs(_) | Line::Recent(_) | Line::End(_) => true,
    })
}

fn at(numbers: &[u32], position: u32) -> Option<u32> {
    numbers.get(usize::try_from(position).ok()?).copied()
}

impl AppLine {
    fn of(facts: &AppFacts) -> Self {
        Self {
            id: facts.id.clone(),
            name: facts.name.clone(),
            rotation: facts.rotation.clone(),
            internal: facts.internal.clone(),
            distributed: facts.distributed.clone(),
            directory_approved: facts.directory_approved.clone(),
            workflow: facts.workflow.clone(),
            decision: facts.decision.clone(),
            future_installs: facts.future_installs.clone(),
            deleted_at: facts.deleted_at,
            organization_off_at: facts.organization_off_at,
            upgraded_at: facts.upgraded_at,
        }
    }

    fn learn(self, facts: &mut AppFacts) {
        facts.name.merge(self.name);
        facts.rotation.merge(self.rotation);
        facts.internal.merge(self.internal);
        facts.distributed.merge(self.distributed);
        facts.directory_approved.merge(self.directory_approved);
        facts.workflow.merge(self.workflow);
        facts.decision.merge(self.decision);
        facts.future_installs.merge(self.future_installs);
        facts.deleted_at = facts.deleted_at.max(self.deleted_at);
        facts.organization_off_at = facts.organization_off_at.max(self.organization_off_at);
        facts.upgraded_at = facts.upgraded_at.max(self.upgraded_at);
    }
}

/// When the log was read.
pub(super) struct Reach<'a> {
    pub(super) organization: &'a str,
    pub(super) read_until: Timestamp,
    /// Unix seconds.
    pub(super) whole_at: i64,
    /// Entries that the next scan reads again.
    pub(super) recent: &'a [String],
}

/// Remembers what the log told. Nothing of it comes from elsewhere, so that it holds whatever becomes of the rest of the scan.
///
/// # Errors
/// If it cannot be written.
pub(super) fn keep(
    memory: &Memory,
    tables: &Tables,
    reading: &AuditReading,
    reach: &Reach<'_>,
) -> Result<()> {
    let mut rewrite = memory.rewrite(TITLE)?;
    rewrite.line(&Header {
        organization: reach.organization.to_owned(),
        read_until: reach.read_until.as_second(),
        whole_at: reach.whole_at,
        entries: reading.end.entries,
        oldest: reading.end.oldest,
        left_out: reading.left_out,
    })?;
    let mut count = 0_u64;
    let mut line = |line: Line| {
        count += 1;
        rewrite.line(&line)
    };
    for (number, id) in tables.places.all() {
        let name = tables.place_names.get(&number).cloned();
        line(Line::Place { id: id.to_owned(), name })?;
    }
    for person in tables.people.all() {
        line(Line::Person(person.clone()))?;
    }
    for set in tables.scopes.all() {
        line(Line::Scopes(set.clone()))?;
    }
    for facts in tables.apps.by_number() {
        line(Line::App(Box::new(AppLine::of(facts))))?;
    }
    let (places, expansions) = reading.installs.state();
    for ((app, place), state) in places {
        line(Line::Install { app: *app, place: *place, state: state.clone() })?;
    }
    for expansion in expansions {
        line(Line::Expansion(expansion.clone()))?;
    }
    for event in &reading.events {
        line(Line::Event(event.clone()))?;
    }
    line(Line::Prefs(reading.prefs.clone()))?;
    for id in reach.recent {
        line(Line::Recent(id.clone()))?;
    }
    rewrite.line(&Line::End(count))?;
    rewrite.keep()
}
