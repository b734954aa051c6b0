//! [`Archive`]: what the last scan remembered, what changed since, and what the next one is to remember.
//!
//! Graph tells changes of service principals, applications and delegated grants since a token that it gave out
//! (<https://learn.microsoft.com/en-us/graph/delta-query-overview>). The token is taken before the collections are listed, so that what
//! changes meanwhile is told again. A token that is too old, a file of another version or with a damaged line, or a change that does not
//! fit: everything is read anew. Nothing is given out before the whole file was looked through.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use grantwarden_kit::{
    error::{ErrorKind, Result},
    memory::{Memory, Recollection, Rewrite},
    model::Timestamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    changes::{Change, Changes, changes_since, latest, merge, unusable},
    rows::{Listing, Lot, Rows},
};
use crate::{api, graph::Graph};

/// Version of the file.
const TITLE: &str = "microsoft-365 1";
/// Delta tokens of the directory live for seven days. A few hours less, so that one does not end on the way.
const LONGEST: Duration = Duration::from_secs(6 * 86_400 + 18 * 3_600);
/// Rows that are replayed at once.
const LOT: usize = 1_000;
/// Row streams of a whole scan: service principals, applications, and grants of both kinds.
const STREAMS: u32 = 4;

/// A collection that has changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Kind {
    Principal,
    Application,
    Grant,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Principal, Self::Application, Self::Grant];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Principal => "servicePrincipals",
            Self::Application => "applications",
            Self::Grant => "oauth2PermissionGrants",
        }
    }

    pub(super) const fn endpoint(self) -> &'static str {
        match self {
            Self::Principal => "list service principals",
            Self::Application => "list applications",
            Self::Grant => "list permission grants",
        }
    }

    /// `$select`, where the rows have more than is needed.
    const fn select(self) -> Option<&'static str> {
        match self {
            Self::Principal => Some(api::SERVICE_PRINCIPAL),
            Self::Application => Some(api::APPLICATION),
            Self::Grant => None,
        }
    }

    /// Whether a change tells enough to stand for a row that was not there before.
    fn is_whole(self, row: &Map<String, Value>) -> bool {
        let needed: &[&str] = match self {
            Self::Principal => &["appId", "servicePrincipalType"],
            Self::Application => &["appId"],
            Self::Grant => &["clientId", "consentType", "resourceId"],
        };
        needed.iter().all(|name| row.contains_key(*name))
    }

    pub(super) fn query(self, before: &str) -> String {
        match self.select() {
            Some(select) => format!("{before}&$select={select}"),
            None => before.to_owned(),
        }
    }
}

/// Which rows of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Grants for everybody.
    TenantWide,
    /// Grants of one user each.
    OfOneUser,
}

impl Which {
    const fn filter(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::TenantWide => Some("consentType eq 'AllPrincipals'"),
            Self::OfOneUser => Some("consentType eq 'Principal'"),
        }
    }

    fn takes(self, row: &Map<String, Value>) -> bool {
        let is_tenant_wide =
            row.get("consentType").and_then(Value::as_str) == Some("AllPrincipals");
        match self {
            Self::All => true,
            Self::TenantWide => is_tenant_wide,
            Self::OfOneUser => !is_tenant_wide,
        }
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
enum Entry {
    Head(Head),
    Row(Kind, Map<String, Value>),
    /// How many rows there are: a file that was cut off is not a shorter one.
    End(u64),
}

#[derive(Clone, Serialize, Deserialize)]
struct Head {
    /// Which directory.
    directory: String,
    read_at: Timestamp,
    /// Where Graph tells the changes since.
    links: BTreeMap<Kind, String>,
}

/// What is remembered, and what is to be remembered.
#[derive(Default)]
pub(super) struct Archive {
    past: Option<(Memory, BTreeMap<Kind, Changes>)>,
    draft: Mutex<Option<Draft>>,
    finished: AtomicU32,
}

struct Draft {
    rewrite: Rewrite,
    rows: u64,
}

impl Archive {
    /// Asks for the changes since the last scan, or for a token to ask from. Without a memory, or if that fails, everything is listed.
    pub(super) async fn open(graph: &Graph, memory: Option<&Memory>, directory: &str) -> Self {
        let Some(memory) = memory else { return Self::default() };
        match Self::prepare(graph, memory, directory).await {
            Ok(archive) => archive,
            Err(error) => {
                tracing::warn!(%error, "Cannot remember this scan; the next one reads everything anew.");
                Self::default()
            }
        }
    }

    async fn prepare(graph: &Graph, memory: &Memory, directory: &str) -> Result<Self> {
        let now = graph.door.clock().now();
        let past = match recall(graph, memory, directory, now).await {
            Ok(past) => past,
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => {
                tracing::info!(%error, "What was remembered cannot be used; everything is read anew.");
                None
            }
        };
        let (changes, links) = match past {
            Some((changes, links)) => (Some(changes), links),
            None => (None, latest(graph).await?),
        };
        let head = Head { directory: directory.to_owned(), read_at: now, links };
        let mut rewrite = memory.rewrite(TITLE)?;
        rewrite.line(&Entry::Head(head))?;
        Ok(Self {
            past: changes.map(|changes| (memory.clone(), changes)),
            draft: Mutex::new(Some(Draft { rewrite, rows: 0 })),
            finished: AtomicU32::new(0),
        })
    }

    /// Starts to read a collection.
    pub(super) fn rows<'a>(
        &'a self,
        graph: &'a Graph,
        kind: Kind,
        which: Which,
    ) -> Result<Rows<'a>> {
        let Some((memory, changes)) = &self.past else {
            let mut query = kind.query("$top=999");
            if let Some(filter) = which.filter() {
                query = format!("{query}&$filter={filter}");
            }
            let first = graph.get(kind.endpoint(), kind.path(), &query)?;
            return Ok(Rows::Listed(Listing::new(graph, first), self, kind));
        };
        let lines = memory.recall(TITLE)?.ok_or_else(unusable)?;
        let changes = changes.get(&kind).ok_or_else(unusable)?;
        let fresh = changes.fresh.iter();
        let replay = Replay { lines: Some(lines), kind, which, changes, fresh };
        Ok(Rows::Replayed(replay, self, kind))
    }

    /// Writes rows down for the next scan.
    pub(super) fn remember(&self, kind: Kind, rows: &[impl Serialize]) {
        let mut draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = draft.as_mut() else { return };
        for row in rows {
            let written = match serde_json::to_value(row) {
                Ok(Value::Object(row)) => open.rewrite.line(&Entry::Row(kind, row)),
                _ => Err(unusable()),
            };
            if let Err(error) = written {
                tracing::warn!(%error, "Cannot remember this scan; the next one reads everything anew.");
                *draft = None;
                return;
            }
            open.rows += 1;
        }
    }

    /// Something was lost: what was read must not be taken for everything the next time.
    pub(super) fn spoil(&self) {
        *self.draft.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A stream of rows was read to its end.
    pub(super) fn finish(&self) {
        self.finished.fetch_add(1, Ordering::SeqCst);
    }

    /// Puts what was read in the place of what was remembered, if it is whole.
    pub(super) fn keep(self) {
        let draft = self.draft.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(Draft { mut rewrite, rows }) = draft else { return };
        if self.finished.load(Ordering::SeqCst) != STREAMS {
            return;
        }
        if let Err(error) = rewrite.line(&Entry::End(rows)).and_then(|()| rewrite.keep()) {
            tracing::warn!(%error, "Cannot remember this scan; the next one reads everything anew.");
        }
    }
}

type Past = (BTreeMap<Kind, Changes>, BTreeMap<Kind, String>);

/// The changes since the last scan and where to ask for the next; `None` if there is nothing to begin from.
async fn recall(
    graph: &Graph,
    memory: &Memory,
    directory: &str,
    now: Timestamp,
) -> Result<Option<Past>> {
    let Some(mut lines) = memory.recall(TITLE)? else { return Ok(None) };
    let Some(Entry::Head(head)) = lines.next_line::<Entry>()? else { return Err(unusable()) };
    if head.directory != directory || head.read_at.until(now) > LONGEST || head.read_at > now {
        return Ok(None);
    }
    let (mut changes, mut links) = (BTreeMap::new(), BTreeMap::new());
    for kind in Kind::ALL {
        let link = head.links.get(&kind).ok_or_else(unusable)?;
        let (of_kind, next) = changes_since(graph, kind, link).await?;
        changes.insert(kind, of_kind);
        links.insert(kind, next);
    }
    look_through(lines, &mut changes)?;
    Ok(Some((changes, links)))
}

/// Reads the file to its end: whether it is whole, and which changes are of rows that it does not have.
fn look_through(mut lines: Recollection, changes: &mut BTreeMap<Kind, Changes>) -> Result<()> {
    for of_kind in changes.values_mut() {
        of_kind.fresh = of_kind.by_id.keys().cloned().collect();
    }
    let mut rows = 0;
    loop {
        match lines.next_line::<Entry>()? {
            Some(Entry::Row(kind, row)) => {
                let id = row.get("id").and_then(Value::as_str).ok_or_else(unusable)?;
                if let Some(of_kind) = changes.get_mut(&kind) {
                    of_kind.fresh.remove(id);
                }
                rows += 1;
            }
            Some(Entry::End(count)) if count == rows && lines.next_line::<Entry>()?.is_none() => {
                break;
            }
            _ => return Err(unusable()),
        }
    }
    for (kind, of_kind) in changes {
        let fits = |id: &String| match of_kind.by_id.get(id) {
            Some(Change::Patch(row) | Change::Anew(row)) => kind.is_whole(row),
            Some(Change::Gone) | None => true,
        };
        if !of_kind.fresh.iter().all(fits) {
            return Err(unusable());
        }
    }
    Ok(())
}

/// Rows from memory with the changes since.
pub(super) struct Replay<'a> {
    /// `None` after the last line.
    lines: Option<Recollection>,
    kind: Kind,
    which: Which,
    changes: &'a Changes,
    /// Rows that are not in the file.
    fresh: std::collections::btree_set::Iter<'a, String>,
}

impl Replay<'_> {
    /// The next rows; `None` after the last.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Lot<T>>> {
        let (mut rows, mut odd) = (Vec::new(), 0);
        while rows.len() < LOT {
            let Some(row) = self.next_row()? else { break };
            if self.which.takes(&row) {
                match serde_json::from_value(Value::Object(row)) {
                    Ok(row) => rows.push(row),
                    Err(_) => odd += 1,
                }
            }
        }
        Ok((!rows.is_empty() || odd > 0).then_some(Lot { rows, odd }))
    }

    fn next_row(&mut self) -> Result<Option<Map<String, Value>>> {
        while let Some(lines) = &mut self.lines {
            match lines.next_line::<Entry>()? {
                Some(Entry::Row(kind, row)) if kind == self.kind => {
                    let change = row
                        .get("id")
                        .and_then(Value::as_str)
                        .and_then(|id| self.changes.by_id.get(id));
                    match change {
                        None => return Ok(Some(row)),
                        Some(Change::Gone) => {}
                        Some(Change::Patch(patch)) => return Ok(Some(merge(row, patch.clone()))),
                        Some(Change::Anew(row)) => return Ok(Some(row.clone())),
                    }
                }
                Some(Entry::Head(_) | Entry::Row(..)) => {}
                Some(Entry::End(_)) | None => self.lines = None,
            }
        }
        for id in self.fresh.by_ref() {
            if let Some(Change::Patch(row) | Change::Anew(row)) = self.changes.by_id.get(id) {
                return Ok(Some(row.clone()));
            }
        }
        Ok(None)
    }
}
