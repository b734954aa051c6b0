//! [`Listing`]: a listing being read page by page. A cursor that Okta no longer takes begins it anew, and no row is given twice.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use grantwarden_kit::{
    error::{ErrorKind, Result},
    http::{Pages, Paging, Request},
};
use serde::de::DeserializeOwned;

use crate::{
    api::{Assignees, Identified, Row},
    org::{Call, Org, Query},
};

/// How often a listing is begun anew when its cursor is refused.
const RESTARTS: u32 = 2;

/// A page of a listing.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    pub(crate) rows: Vec<T>,
    /// Rows of a form that is not known.
    pub(crate) odd: u64,
}

/// A listing whose pages are linked by a header.
pub(crate) struct Listing<'a> {
    org: &'a Org,
    first: Request,
    paging: Paging,
    pages: Pages<'a>,
    is_first: bool,
    restarts: u32,
    /// What was given, in eight bytes each.
    seen: HashSet<u64>,
}

/// Most listings are an array.
pub(crate) trait Rows: DeserializeOwned {
    type Row: Identified;
    fn rows(self) -> Vec<Row<Self::Row>>;
}

impl<T: Identified + DeserializeOwned> Rows for Vec<Row<T>> {
    type Row = T;

    fn rows(self) -> Self {
        self
    }
}

impl Rows for Assignees {
    type Row = crate::api::Assignee;

    fn rows(self) -> Vec<Row<Self::Row>> {
        self.value
    }
}

impl<'a> Listing<'a> {
    /// Prepares to list.
    ///
    /// # Errors
    /// As [`Org::get`].
    pub(crate) async fn of(
        org: &'a Org,
        call: Call,
        path: &[&str],
        query: Query<'_>,
    ) -> Result<Self> {
        Ok(Self::new(org, org.get(call, path, query).await?, Paging::LinkHeader))
    }

    /// Prepares to list what is paged in some way.
    pub(crate) fn new(org: &'a Org, first: Request, paging: Paging) -> Self {
        let pages = Pages::new(&org.door, org.tokens(), paging, first.clone());
        Self { org, first, paging, pages, is_first: true, restarts: 0, seen: HashSet::new() }
    }

    /// The next page of an array; `None` after the last.
    pub(crate) async fn next<T>(&mut self) -> Result<Option<Batch<T>>>
    where
        T: Identified + DeserializeOwned,
    {
        self.page::<Vec<Row<T>>>().await
    }

    /// The next page of any form.
    pub(crate) async fn page<P: Rows>(&mut self) -> Result<Option<Batch<P::Row>>> {
        loop {
            let page = match self.pages.next::<P>().await {
                Ok(None) => return Ok(None),
                Ok(Some(page)) => page,
                Err(error) if self.may_restart(error.kind) => {
                    self.restarts += 1;
                    self.is_first = true;
                    let first = self.first.clone();
                    self.pages = Pages::new(&self.org.door, self.org.tokens(), self.paging, first);
                    continue;
                }
                Err(error) => return Err(self.org.explain(self.first.endpoint, error)),
            };
            self.is_first = false;
            let mut batch = Batch { rows: Vec::new(), odd: 0 };
            for row in page.rows() {
                match row {
                    Row::Good(row) if self.seen.insert(hash(row.id())) => batch.rows.push(row),
                    Row::Good(_) => {}
                    Row::Odd(_) => batch.odd += 1,
                }
            }
            return Ok(Some(batch));
        }
    }

    /// Nobody documents in which words a cursor is refused: on a page that is not the first, any "bad request" is about the cursor.
    fn may_restart(&self, kind: ErrorKind) -> bool {
        let is_about_page = matches!(kind, ErrorKind::PageExpired | ErrorKind::InvalidRequest);
        is_about_page && !self.is_first && self.restarts < RESTARTS
    }

    /// All pages of a listing that is short by nature.
    pub(crate) async fn all<T>(mut self) -> Result<Batch<T>>
    where
        T: Identified + DeserializeOwned,
    {
        let mut all = Batch { rows: Vec::new(), odd: 0 };
        while let Some(batch) = self.next().await? {
            all.rows.extend(batch.rows);
            all.odd += batch.odd;
        }
        Ok(all)
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
