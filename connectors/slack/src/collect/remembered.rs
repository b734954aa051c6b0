//! What the last scan left for this one of the audit log: what was installed where, and when it was read. Only newer entries are asked for
//! then. It gives the same records as the whole log does; what is in doubt is forgotten, and the whole log is read.

use std::{collections::HashSet, time::Duration};

use grantwarden_kit::{
    error::{ErrorKind, Result},
    memory::{Memory, Recollection, Rewrite},
    model::{AuditEvent, Timestamp},
};
use serde::{Deserialize, Serialize};

use super::{
    audit_reading::{self, AuditReading},
    expansions::Expansion,
    installs::{InPlace, NEVER},
    settings::Prefs,
    tables::{AppFacts, Latest, Person, ScopeSet, Tables},
};

/// What the file begins with; another version is forgotten.
const TITLE: &str = "slack audit log 2";
/// Entries may show late, by how much Slack does not say: so much is read again, which rarely takes a page more.
pub(super) const OVERLAP: Duration = Duration::from_secs(86_400);
/// After so long the whole log is read again.
const OLDEST: Duration = Duration::from_secs(30 * 86_400);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header {
    organization: String,
    /// Up to when the log was read, in Unix seconds.
    read_until: i64,
    /// The actions that were asked for: a version that asks for others has not seen all of them.
    actions: String,
    /// From when on the next scan reads it.
    from: i64,
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
    upgrades: Vec<i64>,
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
    /// An entry so young that it is read again: a log that does not give it again is not the one that was read.
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
            && remembered.header.actions == audit_reading::actions()
            // Something of it must come again, or nobody can tell that it is the same log.
            && !remembered.recent.is_empty()
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
        Timestamp::from_second(self.header.from)
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
            upgrades: facts.upgrades.clone(),
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
        self.upgrades.into_iter().for_each(|at| facts.learn_upgrade(at));
    }
}

/// When the log was read.
pub(super) struct Reach<'a> {
    pub(super) organization: &'a str,
    pub(super) read_until: Timestamp,
    /// Unix seconds.
    pub(super) whole_at: i64,
    /// Entries that the next scan reads again.
    pub(super) recent: &'a Recent,
}

/// The youngest entries: those of the span before the newest that is read again. By the log's own times, not by the scanner's clock, so that
/// there is always one to know the log by.
#[derive(Debug, Default)]
pub(super) struct Recent {
    newest: Option<i64>,
    entries: Vec<(i64, String)>,
    /// How many there may be before those that have become too old are dropped.
    room: usize,
}

impl Recent {
    /// Takes in an entry, whatever the order in which they come.
    pub(super) fn take(&mut self, at: i64, id: &str) {
        self.newest = Some(self.newest.map_or(at, |newest| newest.max(at)));
        let from = self.from();
        if from.is_some_and(|from| at >= from) {
            self.entries.push((at, id.to_owned()));
        }
        if self.entries.len() > self.room.max(1_000) {
            self.entries.retain(|(at, _)| from.is_some_and(|from| *at >= from));
            self.room = self.entries.len().saturating_mul(2);
        }
    }

    /// From when on the next scan reads, in Unix seconds; `None` if the log had nothing.
    fn from(&self) -> Option<i64> {
        let overlap = i64::try_from(OVERLAP.as_secs()).unwrap_or(i64::MAX);
        self.newest.map(|newest| newest.saturating_sub(overlap))
    }

    /// Their ids.
    fn ids(&self) -> impl Iterator<Item = &str> {
        let from = self.from();
        let young = self.entries.iter().filter(move |(at, _)| from.is_some_and(|from| *at >= from));
        young.map(|(_, id)| id.as_str())
    }
}

/// Writes down what the log told. It is kept when the scan has handed over what it read; dropped before, it leaves no trace.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(
    memory: &Memory,
    tables: &Tables,
    reading: &AuditReading,
    reach: &Reach<'_>,
) -> Result<Rewrite> {
    let mut rewrite = memory.rewrite(TITLE)?;
    rewrite.line(&Header {
        organization: reach.organization.to_owned(),
        read_until: reach.read_until.as_second(),
        actions: audit_reading::actions(),
        from: reach.recent.from().unwrap_or(NEVER),
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
    for id in reach.recent.ids() {
        line(Line::Recent(id.to_owned()))?;
    }
    rewrite.line(&Line::End(count))?;
    Ok(rewrite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_an_entry_to_know_the_log_by() {
        let (day, newest) = (86_400, 1_700_000_000);
        let entries = [(newest, "a"), (newest, "b"), (newest - day, "c"), (newest - day - 1, "d")];
        for is_reversed in [false, true] {
            let mut entries = entries.to_vec();
            if is_reversed {
                entries.reverse();
            }
            let mut recent = Recent::default();
            assert_eq!(recent.from(), None);
            for (at, id) in entries {
                recent.take(at, id);
            }
            let mut ids: Vec<&str> = recent.ids().collect();
            ids.sort_unstable();
            assert_eq!((ids.as_slice(), recent.from()), (&["a", "b", "c"][..], Some(newest - day)));
        }
        // A log with the oldest first is not collected.
        let mut recent = Recent::default();
        (0..9_000).for_each(|number| recent.take(number * day, "x"));
        assert!(recent.entries.len() <= 1_001, "{}", recent.entries.len());
        assert_eq!(recent.ids().count(), 2);
    }
}
