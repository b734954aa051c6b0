//! Rows of a collection, lot by lot: from Graph's listing, or from what the last scan remembered and what changed since. A listing whose
//! page token expires is begun anew, and no row is given twice.

use grantwarden_kit::{
    error::{ErrorKind, Result},
    http::{Pages, Request},
    ledger::Ledger,
    model::{Gap, Reason},
    seen::Given,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    archive::{Archive, Kind},
    replay::Replay,
};
use crate::{
    api::{Identified, Page},
    graph::{Graph, RESTARTS},
};

/// Some rows of a collection.
pub(super) struct Lot<T> {
    pub(super) rows: Vec<T>,
    /// Rows of another shape than the API promises.
    pub(super) odd: u64,
}

/// A collection being read.
pub(super) enum Rows<'a> {
    /// From Graph; remembered as it comes.
    Listed(Listing<'a>, &'a Archive, Kind),
    /// From memory.
    Replayed(Replay<'a>, &'a Archive, Kind),
}

impl Rows<'_> {
    /// The next rows; `None` after the last.
    pub(super) async fn next<T>(&mut self) -> Result<Option<Lot<T>>>
    where
        T: DeserializeOwned + Serialize + Identified,
    {
        let (lot, archive, kind) = match self {
            Self::Listed(listing, archive, kind) => (listing.next().await, archive, kind),
            Self::Replayed(replay, archive, kind) => (replay.next(), archive, kind),
        };
        match &lot {
            Ok(Some(lot)) if lot.odd == 0 => archive.remember(*kind, &lot.rows),
            Ok(None) => archive.finish(),
            Ok(Some(_)) | Err(_) => archive.spoil(),
        }
        lot
    }

    /// Reads to the end. What was read before a failure stays; the gap says that there is more.
    pub(super) async fn drain<T>(
        &mut self,
        ledger: &Ledger,
        facet: &str,
        mut take: impl FnMut(T),
    ) -> Option<Gap>
    where
        T: DeserializeOwned + Serialize + Identified,
    {
        let mut gap = None;
        loop {
            match self.next::<T>().await {
                Ok(Some(lot)) => {
                    ledger.read(facet, lot.rows.len() as u64);
                    gap = book_odd(ledger, facet, lot.odd).or(gap);
                    lot.rows.into_iter().for_each(&mut take);
                }
                Ok(None) => break,
                Err(error) => {
                    gap = Some(ledger.fail(facet, &error));
                    break;
                }
            }
        }
        ledger.settle(facet);
        gap
    }
}

/// Books rows of another shape than the API promises.
pub(super) fn book_odd(ledger: &Ledger, facet: &str, odd: u64) -> Option<Gap> {
    if odd == 0 {
        return None;
    }
    let detail = "a row is not what the API promises";
    let gap = Gap::new(Reason::CallFailed, facet, detail);
    ledger.lose(gap.clone(), Some(odd));
    Some(gap)
}

/// Graph's listing of a collection.
pub(super) struct Listing<'a> {
    graph: &'a Graph,
    first: Request,
    pages: Pages<'a>,
    restarts: u32,
    given: Given,
}

impl<'a> Listing<'a> {
    pub(super) fn new(graph: &'a Graph, first: Request) -> Self {
        let pages = graph.pages(&first);
        Self { graph, first, pages, restarts: 0, given: Given::default() }
    }

    /// The rows of the next page that were not given before; `None` after the last page.
    pub(super) async fn next<T: DeserializeOwned + Identified>(
        &mut self,
    ) -> Result<Option<Lot<T>>> {
        loop {
            match self.pages.next::<Page<T>>().await {
                Ok(None) => return Ok(None),
                Ok(Some(page)) => {
                    let mut lot = Lot { rows: Vec::with_capacity(page.value.len()), odd: 0 };
                    for row in page.value {
                        match row.good() {
                            Some(row) if self.given.is_new(row.id())? => lot.rows.push(row),
                            Some(_) => {}
                            None => lot.odd += 1,
                        }
                    }
                    return Ok(Some(lot));
                }
                Err(error) if error.kind == ErrorKind::PageExpired && self.restarts < RESTARTS => {
                    self.restarts += 1;
                    self.given.begin_anew()?;
                    self.pages = self.graph.pages(&self.first);
                }
                Err(error) => return Err(self.graph.explain(self.first.endpoint, error)),
            }
        }
    }
}
