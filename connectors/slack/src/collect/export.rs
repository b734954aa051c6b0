//! The export of the Installed apps page. Slack does not publish its columns: whatever names an app is taken, and places, installers and
//! dates where there are columns that tell them.

use std::collections::{HashMap, HashSet};

use csv_core::ReadRecordResult;
use grantwarden_kit::{
    ledger::Ledger,
    model::{Gap, Reason, Timestamp},
};

use super::{
    INSTALLED,
    installs::{HeldScopes, Live, Mark, NEVER},
    inventory::Seen,
    tables::{ScopeSet, Tables},
};
use crate::{account::Account, lenient::count};

/// The place of an install whose place nobody tells.
const UNTOLD: &str = "untold";

/// A row of the export.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ExportRow {
    id: Option<String>,
    name: Option<String>,
    place: Option<String>,
    by: Option<String>,
    /// Unix seconds.
    at: Option<i64>,
}

/// The installs of the export that the logs do not have.
pub(super) fn read(
    account: &Account,
    ledger: &Ledger,
    tables: &mut Tables,
    live: &[Live],
    seen: &Seen,
) -> Option<Vec<Live>> {
    let file = account.imports.get(INSTALLED)?;
    let rows = match rows(file) {
        Ok(rows) => rows,
        Err(message) => {
            ledger.lose(Gap::new(Reason::CallFailed, INSTALLED, message), None);
            return None;
        }
    };
    let there: HashSet<(u32, u32)> = live.iter().map(|live| (live.app, live.place)).collect();
    let apps_there: HashSet<u32> = live.iter().map(|live| live.app).collect();
    let (mut exported, mut taken, mut removed) = (Vec::new(), HashSet::new(), 0_u64);
    let names = Named::of(tables);
    for row in &rows {
        let id = match (&row.id, &row.name) {
            (Some(id), _) => id.clone(),
            (None, Some(name)) => names.app(name),
            (None, None) => continue,
        };
        let app = tables.apps.number(&id);
        let place = match (&row.place, seen) {
            (Some(place), _) => Some(match names.place(tables, place) {
                Some(number) => number,
                None => tables.places.number(place),
            }),
            // A single workspace's export is about that workspace.
            (None, Seen::Workspace(place)) => Some(*place),
            (None, Seen::Organization(_)) => None,
        };
        let is_there = match place {
            Some(place) => there.contains(&(app, place)),
            None => apps_there.contains(&app),
        };
        if !is_there && is_removed(tables, seen, app, (place, row.at)) {
            removed += 1;
            continue;
        }
        if let Some(facts) = tables.apps.learn(&id) {
            // A name in a log is the newer one.
            facts.name.learn(NEVER, row.name.clone());
            facts.is_exported = true;
        }
        let place = place.unwrap_or_else(|| tables.places.number(UNTOLD));
        if is_there || !taken.insert((app, place, row.by.clone())) {
            continue;
        }
        let scopes = tables.scopes.number(ScopeSet::Untold);
        exported.push(Live {
            app,
            place,
            mark: Mark { by: None, at: row.at.unwrap_or(NEVER), scopes },
            since: row.at.unwrap_or(NEVER),
            scopes: HeldScopes::Set(ScopeSet::Untold),
            is_extension: false,
            remark: Some("known from the export of installed apps only".to_owned()),
            told_by: row.by.clone(),
        });
    }
    ledger.note(
        INSTALLED,
        format!(
            "the export of installed apps has {}; installs that the log does not have: {}; installs that the log has as removed: {removed}",
            count(u64::try_from(rows.len()).unwrap_or(u64::MAX), "row"),
            exported.len()
        ),
    );
    Some(exported)
}

/// Whether the log says that what the export has is gone since.
fn is_removed(
    tables: &Tables,
    seen: &Seen,
    app: u32,
    (place, at): (Option<u32>, Option<i64>),
) -> bool {
    match (seen, place) {
        // An install of a later day is another one.
        (Seen::Organization(log), Some(place)) => {
            log.knows(tables, app, place) == Some(false)
                && log.removed_at(tables, app, place).is_none_or(|off| at.is_none_or(|at| at < off))
        }
        (Seen::Workspace(_), _) => tables.apps.get(app).is_some_and(|facts| facts.is_in_log),
        (Seen::Organization(_), None) => false,
    }
}

/// What the logs and listings name, by name in small letters; `None` where several have it.
struct Named {
    apps: HashMap<String, Option<String>>,
    places: HashMap<String, Option<u32>>,
}

impl Named {
    fn of(tables: &Tables) -> Self {
        let mut named = Self { apps: HashMap::new(), places: HashMap::new() };
        for (_, facts) in tables.apps.all() {
            if let Some(name) = facts.name.get() {
                add(&mut named.apps, name, facts.id.clone());
            }
        }
        for (place, name) in &tables.place_names {
            add(&mut named.places, name, *place);
        }
        named
    }

    /// The id of the only app with this name, or the name itself.
    fn app(&self, name: &str) -> String {
        let id = self.apps.get(&name.to_lowercase()).cloned().flatten();
        id.unwrap_or_else(|| format!("name:{name}"))
    }

    /// The place with this id or name.
    fn place(&self, tables: &Tables, place: &str) -> Option<u32> {
        let named = || self.places.get(&place.to_lowercase()).copied().flatten();
        tables.places.find(place).or_else(named)
    }
}

fn add<T>(names: &mut HashMap<String, Option<T>>, name: &str, thing: T) {
    let known = names.entry(name.to_lowercase());
    known.and_modify(|known| *known = None).or_insert(Some(thing));
}

/// The columns that tell something.
struct Columns {
    id: Option<usize>,
    name: Option<usize>,
    place: Option<usize>,
    by: Option<usize>,
    at: Option<usize>,
}

impl Columns {
    fn of(header: &[String]) -> Result<Self, String> {
        let names: Vec<String> = header
            .iter()
            .map(|name| {
                let words = name.trim_start_matches('\u{feff}').trim().to_lowercase();
                words.replace(['_', '-'], " ")
            })
            .collect();
        let exact = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let with = |words: &[&str]| {
            names
                .iter()
                .position(|name| words.iter().all(|word| name.split(' ').any(|w| w == *word)))
        };
        let id = exact(&["app id", "id", "application id", "api app id"])
            .or_else(|| with(&["app", "id"]));
        let name = exact(&["app name", "name", "app", "application", "application name"])
            .or_else(|| with(&["app", "name"]));
        if id.is_none() && name.is_none() {
            return Err(
                "the export of installed apps has no column with app ids or names".to_owned()
            );
        }
        // Slack's page calls the column of workspaces "Installed on".
        let place = exact(&["workspace id", "team id"])
            .or_else(|| {
                exact(&["workspace", "workspaces", "team", "installed on", "workspace name"])
            })
            .or_else(|| with(&["workspace"]));
        let by = exact(&["installed by", "installer", "added by"]).or_else(|| with(&["installer"]));
        let at =
            exact(&["date installed", "install date", "installed at", "date", "installation date"])
                .or_else(|| with(&["date"]));
        Ok(Self { id, name, place, by, at })
    }
}

fn rows(file: &[u8]) -> Result<Vec<ExportRow>, String> {
    let mut lines = lines(file)?.into_iter();
    let header = lines.next().ok_or("the export of installed apps is empty")?;
    let columns = Columns::of(&header)?;
    let mut rows = Vec::new();
    for (number, line) in lines.enumerate() {
        if line.len() != header.len() {
            return Err(format!(
                "line {} of the export of installed apps has not as many fields as the header",
                number + 2
            ));
        }
        let field = |column: Option<usize>| {
            let text = line.get(column?)?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let row = ExportRow {
            id: field(columns.id),
            name: field(columns.name),
            place: field(columns.place).filter(|place| !is_number_of_places(place)),
            by: field(columns.by),
            at: field(columns.at).and_then(|text| date(&text)),
        };
        if row.id.is_none() && row.name.is_none() {
            return Err(format!(
                "line {} of the export of installed apps names no app",
                number + 2
            ));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Of an app in several workspaces the page tells how many: `12`, `12 workspaces`.
fn is_number_of_places(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_number = words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    is_number && words.next().is_none_or(|word| word.to_lowercase().starts_with("workspace"))
}

fn date(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Cuts a CSV file (RFC 4180) into fields.
fn lines(file: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let mut reader = csv_core::Reader::new();
    // No field is longer than the file.
    let (mut text, mut ends) = (vec![0; file.len() + 1], vec![0; file.len() + 2]);
    let (mut input, mut lines, mut filled, mut fields) = (file, Vec::new(), 0, 0);
    loop {
        let (result, read, written, ended) =
            reader.read_record(input, &mut text[filled..], &mut ends[fields..]);
        input = &input[read..];
        filled += written;
        fields += ended;
        match result {
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::End => return Ok(lines),
            ReadRecordResult::Record => {
                let mut line = Vec::with_capacity(fields);
                let mut start = 0;
                for end in &ends[..fields] {
                    let field =
                        text.get(start..*end).and_then(|field| std::str::from_utf8(field).ok());
                    let field = field.ok_or("the export of installed apps is not UTF-8")?;
                    line.push(field.to_owned());
                    start = *end;
                }
                if line.iter().any(|field| !field.is_empty()) {
                    lines.push(line);
                }
                (filled, fields) = (0, 0);
            }
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                return Err("the export of installed apps cannot be cut into fields".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whatever_names_an_app() {
        for text in [
            "\u{feff}App ID,App name,Workspace,Installed by,Date installed\nA1,\"Drift, Inc\",T1,ada@x.example,2020-01-02\n",
            "Name,app_id,Installed on,Installer,Date\r\n\"Drift, Inc\",A1,T1,ada@x.example,1577923200\r\n",
        ] {
            let read = rows(text.as_bytes()).unwrap();
            let row = ExportRow {
                id: Some("A1".into()),
                name: Some("Drift, Inc".into()),
                place: Some("T1".into()),
                by: Some("ada@x.example".into()),
                at: Some(1_577_923_200),
            };
            assert_eq!(read, [row], "{text}");
        }
        let read = rows(b"App\nDrift\n\nOther\n").unwrap();
        assert_eq!(read.len(), 2);
        let read = rows(b"App,Installed on\nDrift,12\nOther,3 workspaces\nThird,Sales\n").unwrap();
        let places: Vec<Option<&str>> = read.iter().map(|row| row.place.as_deref()).collect();
        assert_eq!(places, [None, None, Some("Sales")]);
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, word) in [
            ("", "empty"),
            ("Publisher,Scopes\nx,y", "no column"),
            ("App,Date\nDrift", "as many fields"),
            ("App,Date\n,2020-01-01", "line 2"),
        ] {
            assert!(rows(text.as_bytes()).unwrap_err().contains(word), "{text}");
        }
        assert!(rows(b"App\n\xff").unwrap_err().contains("UTF-8"));
    }
}
