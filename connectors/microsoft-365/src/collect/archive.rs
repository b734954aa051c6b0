//! [`Archive`]: what the last scan remembered, what changed since, and what the next one is to remember.
//!
//! Graph tells changes of service principals, applications and delegated grants since a token that it gave out
//! (<https://learn.microsoft.com/en-us/graph/delta-query-overview>). The token is taken before the collections are listed, so that what
//! changes meanwhile is told again. A token that is too old, a file of another version or with a damaged line, or a change that does not
//! fit: everything is read anew. So it is on the second scan, and once a week: changes are asked for since the scan before the last one,
//! since listings and changes lag behind. Nothing is given out before the whole file was looked through.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    memory::{Memory, Recollection, Rewrite},
    model::Timestamp,
    seen::Seen,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    changes::{Change, Changes, changes_since, latest, unusable},
    replay::Replay,
    rows::{Listing, Rows},
};
use crate::{api, graph::Graph};

/// Version of the file.
const TITLE: &str = "microsoft-365 2";
/// Delta tokens of the directory live for seven days. A few hours less, so that one does not end on the way.
const LONGEST: Duration = Duration::from_secs(6 * 86_400 + 18 * 3_600);
/// Everything is listed anew at least so often, whatever the changes say: what a listing showed too late is not carried on for ever.
const FULL: Duration = Duration::from_secs(7 * 86_400);
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
        let (needed, lists): (&[&str], &[&str]) = match self {
            Self::Principal => (
                &["appId", "servicePrincipalType"],
                &["appRoles", "passwordCredentials", "keyCredentials"],
            ),
            Self::Application => (&["appId"], &["passwordCredentials", "keyCredentials"]),
            Self::Grant => (&["clientId", "consentType", "resourceId"], &[]),
        };
        needed.iter().all(|name| row.contains_key(*name))
            && lists.iter().all(|name| row.get(*name).is_some_and(Value::is_array))
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
    /// All other grants. Graph is asked for every grant: a second filter would miss a grant of a third kind.
    Others,
}

impl Which {
    const fn filter(self) -> Option<&'static str> {
        match self {
            Self::All | Self::Others => None,
            Self::TenantWide => Some("consentType eq 'AllPrincipals'"),
        }
    }

    pub(super) fn takes(self, row: &Map<String, Value>) -> bool {
        let is_tenant_wide = is_tenant_wide(row);
        match self {
            Self::All => true,
            Self::TenantWide => is_tenant_wide,
            Self::Others => !is_tenant_wide,
        }
    }
}

fn is_tenant_wide(row: &Map<String, Value>) -> bool {
    row.get("consentType").and_then(Value::as_str) == Some("AllPrincipals")
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
pub(super) enum Entry {
    Head(Head),
    Row(Kind, Map<String, Value>),
    /// How many rows there are: a file that was cut off is not a shorter one.
    End(u64),
}

type Links = BTreeMap<Kind, String>;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Which directory.
    directory: String,
    read_at: Timestamp,
    /// When everything was last listed.
    full_at: Timestamp,
    /// Where Graph tells the changes since.
    links: Links,
    /// When the scan before was, and where Graph tells the changes since that one: what it was told late is told again.
    before: Option<(Timestamp, Links)>,
}

impl Head {
    /// Whether there is an older token than that of the listing itself. Listings lag behind changes: a grant that came just before the
    /// first token, and was not listed yet, would be told by no change.
    const fn is_settled(&self) -> bool {
        self.before.is_some()
    }

    /// Where to ask for changes: from the scan before the last one, if that is not too long ago.
    fn base(&self, now: Timestamp) -> &Links {
        match &self.before {
            Some((at, links)) if at.until(now) <= LONGEST => links,
            _ => &self.links,
        }
    }
}

/// What the last scan remembered, with the changes since.
struct Past {
    memory: Memory,
    head: Head,
    changes: BTreeMap<Kind, Changes>,
}

impl Past {
    /// The file again, behind its head; `None` if another scan has replaced it meanwhile.
    fn lines(&self) -> Result<Option<Recollection>> {
        let Some(mut lines) = self.memory.recall(TITLE)? else { return Ok(None) };
        let is_same =
            matches!(lines.next_line::<Entry>()?, Some(Entry::Head(head)) if head == self.head);
        Ok(is_same.then_some(lines))
    }
}

/// What is remembered, and what is to be remembered.
#[derive(Default)]
pub(super) struct Archive {
    past: Option<Past>,
    draft: Mutex<Option<Draft>>,
    finished: AtomicU32,
}

struct Draft {
    rewrite: Rewrite,
    rows: u64,
    /// Tenant-wide grants come from both listings.
    tenant_wide: Seen,
}

impl Draft {
    /// Whether the row was written down before.
    fn has(&mut self, kind: Kind, row: &Map<String, Value>) -> bool {
        let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
        kind == Kind::Grant && is_tenant_wide(row) && !self.tenant_wide.is_new(id)
    }
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
        let found = find(memory, directory, now).or_else(unless_cancelled)?;
        let before = found.as_ref().map(|(head, _)| (head.read_at, head.links.clone()));
        let past = match found {
            Some((head, lines)) if head.is_settled() && head.full_at.until(now) <= FULL => {
                recall(graph, memory, head, lines, now).await.or_else(unless_cancelled)?
            }
            _ => None,
        };
        let (past, full_at, links) = match past {
            Some((past, links)) => {
                let full_at = past.head.full_at;
                (Some(past), full_at, links)
            }
            None => (None, now, latest(graph).await?),
        };
        let head = Head { directory: directory.to_owned(), read_at: now, full_at, links, before };
        let mut rewrite = memory.rewrite(TITLE)?;
        rewrite.line(&Entry::Head(head))?;
        Ok(Self {
            past,
            draft: Mutex::new(Some(Draft { rewrite, rows: 0, tenant_wide: Seen::default() })),
            finished: AtomicU32::new(0),
        })
    }

    /// How the collections are read, if not by listing them.
    pub(super) fn note(&self) -> Option<String> {
        let Head { read_at, full_at, .. } = &self.past.as_ref()?.head;
        Some(format!(
            "incremental: taken from the scan of {read_at} with the changes that the directory has told since; everything was last listed on {full_at}"
        ))
    }

    /// Starts to read a collection.
    pub(super) fn rows<'a>(
        &'a self,
        graph: &'a Graph,
        kind: Kind,
        which: Which,
    ) -> Result<Rows<'a>> {
        let replay = match &self.past {
            Some(past) => past.lines()?.map(|lines| (lines, &past.changes)),
            None => None,
        };
        let Some((lines, changes)) = replay else {
            if self.past.is_some() {
                tracing::warn!("What was remembered was replaced meanwhile; this is read anew.");
                self.spoil();
            }
            let mut query = kind.query("$top=999");
            if let Some(filter) = which.filter() {
                query = format!("{query}&$filter={filter}");
            }
            let first = graph.get(kind.endpoint(), kind.path(), &query)?;
            return Ok(Rows::Listed(Listing::new(graph, first), self, kind));
        };
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
                Ok(Value::Object(row)) if open.has(kind, &row) => continue,
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
        let Some(Draft { mut rewrite, rows, .. }) = draft else { return };
        if self.finished.load(Ordering::SeqCst) != STREAMS {
            return;
        }
        if let Err(error) = rewrite.line(&Entry::End(rows)).and_then(|()| rewrite.keep()) {
            tracing::warn!(%error, "Cannot remember this scan; the next one reads everything anew.");
        }
    }
}

/// What cannot be used costs a full scan, and no fact.
fn unless_cancelled<T>(error: Error) -> Result<Option<T>> {
    if error.kind == ErrorKind::Cancelled {
        return Err(error);
    }
    tracing::info!(%error, "What was remembered cannot be used; everything is read anew.");
    Ok(None)
}

/// The file, if it is of this directory and young enough to begin from.
fn find(memory: &Memory, directory: &str, now: Timestamp) -> Result<Option<(Head, Recollection)>> {
    let Some(mut lines) = memory.recall(TITLE)? else { return Ok(None) };
    let Some(Entry::Head(head)) = lines.next_line::<Entry>()? else { return Err(unusable()) };
    let is_young = head.read_at.until(now) <= LONGEST && head.read_at <= now && head.full_at <= now;
    Ok((head.directory == directory && is_young).then_some((head, lines)))
}

/// What was remembered with the changes since, and where to ask for the next.
async fn recall(
    graph: &Graph,
    memory: &Memory,
    head: Head,
    lines: Recollection,
    now: Timestamp,
) -> Result<Option<(Past, Links)>> {
    let base = head.base(now);
    let (mut changes, links) = match all_changes(graph, base).await {
        // The older token may have ended where the newer one has not.
        Err(error) if error.kind != ErrorKind::Cancelled && *base != head.links => {
            all_changes(graph, &head.links).await?
        }
        other => other?,
    };
    look_through(lines, &mut changes)?;
    Ok(Some((Past { memory: memory.clone(), head, changes }, links)))
}

async fn all_changes(graph: &Graph, base: &Links) -> Result<(BTreeMap<Kind, Changes>, Links)> {
    let (mut changes, mut links) = (BTreeMap::new(), Links::new());
    for kind in Kind::ALL {
        let link = base.get(&kind).ok_or_else(unusable)?;
        let (of_kind, next) = changes_since(graph, kind, link).await?;
        changes.insert(kind, of_kind);
        links.insert(kind, next);
    }
    Ok((changes, links))
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
        // A row that is there again replaces the one in the file.
        let fits = |(id, change): (&String, &Change)| match change {
            Change::Anew(row) => kind.is_whole(row),
            Change::Patch(row) => !of_kind.fresh.contains(id) || kind.is_whole(row),
            Change::Gone => true,
        };
        if !of_kind.by_id.iter().all(fits) {
            return Err(unusable());
        }
    }
    Ok(())
}
