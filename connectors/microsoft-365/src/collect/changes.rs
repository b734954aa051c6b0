//! What changed in a collection since a token that Graph gave out: <https://learn.microsoft.com/en-us/graph/delta-query-overview>. A row may be
//! told several times and in parts.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::Request,
};
use serde_json::{Map, Value};

use super::archive::Kind;
use crate::{
    api::{Page, Row},
    graph::Graph,
};

/// More changes than this are not worth it, and would not fit into a little memory.
const MOST_CHANGES: usize = 200_000;
/// Bytes that they may have as text.
const MOST_BYTES: usize = 64 * 1_024 * 1_024;

/// What happened to a row.
pub(super) enum Change {
    Gone,
    /// Some of its properties.
    Patch(Map<String, Value>),
    /// It was gone and is there again.
    Anew(Map<String, Value>),
}

#[derive(Default)]
pub(super) struct Changes {
    pub(super) by_id: BTreeMap<String, Change>,
    /// Ids of rows that are not in the file.
    pub(super) fresh: BTreeSet<String>,
}

/// Follows a delta link to its end.
pub(super) async fn changes_since(
    graph: &Graph,
    kind: Kind,
    link: &str,
) -> Result<(Changes, String)> {
    let base = graph.get("read changes", kind.path(), "")?;
    let mut request = graph.follow(&base, link)?;
    let mut changes = Changes::default();
    let (mut seen, mut bytes) = (BTreeSet::new(), 0);
    loop {
        if !seen.insert(request.url.to_string()) {
            let message = "the listing leads back to a page that was read before";
            return Err(graph.explain(request.endpoint, Error::new(ErrorKind::Malformed, message)));
        }
        let reply = graph.send(&request).await?;
        bytes += reply.body.len();
        let page: Page<Map<String, Value>> = graph.decode(&request, &reply)?;
        for row in page.value {
            let Row::Good(row) = row else { return Err(unusable()) };
            changes.apply(row)?;
        }
        if changes.by_id.len() > MOST_CHANGES || bytes > MOST_BYTES {
            return Err(unusable());
        }
        match (page.next, page.delta) {
            (Some(next), _) => request = graph.follow(&base, &next)?,
            (None, Some(delta)) => return Ok((changes, delta)),
            (None, None) => return Err(unusable()),
        }
    }
}

impl Changes {
    fn apply(&mut self, mut row: Map<String, Value>) -> Result<()> {
        let id = row.get("id").and_then(Value::as_str).ok_or_else(unusable)?.to_owned();
        let is_gone = row.contains_key("@removed");
        row.retain(|name, _| !name.starts_with('@'));
        let change = match (self.by_id.remove(&id), is_gone) {
            (_, true) => Change::Gone,
            (None, false) => Change::Patch(row),
            (Some(Change::Gone), false) => Change::Anew(row),
            (Some(Change::Patch(old)), false) => Change::Patch(merge(old, row)),
            (Some(Change::Anew(old)), false) => Change::Anew(merge(old, row)),
        };
        self.by_id.insert(id, change);
        Ok(())
    }
}

/// The row with the properties that changed.
pub(super) fn merge(mut old: Map<String, Value>, new: Map<String, Value>) -> Map<String, Value> {
    old.extend(new);
    old
}

/// Where to ask for what changes from now on.
pub(super) async fn latest(graph: &Graph) -> Result<BTreeMap<Kind, String>> {
    let mut links = BTreeMap::new();
    for kind in Kind::ALL {
        let request = delta_from_now(graph, kind)?;
        let page: Page<Map<String, Value>> = graph.read(&request).await?;
        links.insert(kind, page.delta.ok_or_else(unusable)?);
    }
    Ok(links)
}

fn delta_from_now(graph: &Graph, kind: Kind) -> Result<Request> {
    let path = format!("{}/delta", kind.path());
    graph.get("ask for changes from now on", &path, &kind.query("$deltatoken=latest"))
}

/// The error for what cannot be built on; everything is read anew then.
pub(super) fn unusable() -> Error {
    Error::new(ErrorKind::Malformed, "what was remembered does not fit what the directory tells")
}
