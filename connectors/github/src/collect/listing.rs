//! A listing of GitHub's, page by page: `Link` leads on, no row is given twice, and rows that moved between two numbered pages are looked
//! for. Whoever reads gets rows and a count of those that cannot be read.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::{Pages, Reply, Request},
    ledger::Ledger,
    model::{Gap, Reason},
    seen::Given,
};
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use super::gaps;
use crate::{
    api::{Identified, Page},
    client::Client,
};

/// How often a listing is begun anew: because its page token ended, a page was too heavy for GitHub, or rows moved.
const RESTARTS: u32 = 2;
/// Rows to a page after one of a hundred was too heavy: GitHub gives up after ten seconds (API sheet, section 3).
const LIGHTER: &str = "50";

/// Some rows of a listing.
pub(super) struct Lot<T> {
    pub(super) rows: Vec<T>,
    /// Rows of another shape than the API promises.
    pub(super) odd: u64,
    /// GitHub leaves rows out, because of single sign-on.
    pub(super) is_partial: bool,
    /// How many rows there are in all, if GitHub says so.
    pub(super) total: Option<u64>,
    /// GitHub does not count the rows: whether one moved from page to page cannot be told.
    pub(super) is_unproven: bool,
}

/// A listing being read.
pub(super) struct Listing<'a> {
    client: &'a Client,
    first: Request,
    pages: Pages<'a>,
    page: u32,
    restarts: u32,
    is_light: bool,
    given: Given,
    /// How many rows there were when the listing was begun.
    count: Option<u64>,
    has_moved: bool,
    /// Every page announces how many rows there are.
    is_announced: bool,
    /// The count of the rows failed; told after the rows of the page are given.
    uncounted: Option<Error>,
    is_numbered: bool,
    /// Rows of another shape since the listing was begun.
    odd: u64,
}

impl<'a> Listing<'a> {
    /// A listing with numbered pages: a row that goes while it is read makes the next page miss one.
    pub(super) fn numbered(client: &'a Client, first: Request) -> Self {
        Self { is_numbered: true, ..Self::by_cursor(client, first) }
    }

    /// A listing whose pages do not move; if its first page leads to "page 2", they are numbered all the same.
    pub(super) fn by_cursor(client: &'a Client, first: Request) -> Self {
        Self {
            client,
            pages: client.pages(&first),
            first,
            page: 0,
            restarts: 0,
            is_light: false,
            given: Given::default(),
            count: None,
            has_moved: false,
            is_announced: false,
            uncounted: None,
            is_numbered: false,
            odd: 0,
        }
    }

    /// The rows of the next page that were not given before; `None` after the last page.
    pub(super) async fn next<T>(&mut self) -> Result<Option<Lot<T>>>
    where
        T: DeserializeOwned + Identified,
    {
        if let Some(error) = self.uncounted.take() {
            return Err(error);
        }
        loop {
            match self.pages.next::<Page<T>>().await {
                Ok(None) => {
                    if !self.has_moved().await? {
                        return self.check_count().map(|()| None);
                    }
                    if self.restarts >= RESTARTS {
                        let message = "rows came and went each time that the listing was read: one may be missing";
                        let error = Error::new(ErrorKind::Malformed, message);
                        return Err(self.client.explain(self.first.endpoint, error));
                    }
                    self.restart()?;
                }
                Ok(Some(page)) => return self.lot(page).await.map(Some),
                Err(error) => self.survive(error)?,
            }
        }
    }

    async fn lot<T: Identified>(&mut self, page: Page<T>) -> Result<Lot<T>> {
        self.page += 1;
        let (all, total) = page.parts();
        let (mut rows, mut odd) = (Vec::with_capacity(all.len()), 0);
        for row in all {
            match row.good() {
                Some(row) if self.given.is_new(&row.id())? => rows.push(row),
                Some(_) => {}
                None => odd += 1,
            }
        }
        self.odd += odd;
        let is_partial = is_partial(self.pages.headers());
        let mut is_unproven = false;
        if self.page == 1 {
            self.is_numbered |= linked_page(self.pages.headers(), "next") == Some(2);
        }
        if self.is_numbered {
            self.is_announced |= total.is_some();
            // Only a listing of several pages is worth a call to count it.
            let is_first_of_many = self.page == 1 && has_next(self.pages.headers());
            let now = match total {
                None if is_first_of_many => self.ask_count().await.unwrap_or_else(|error| {
                    self.uncounted = Some(error);
                    None
                }),
                total => total,
            };
            is_unproven = is_first_of_many && now.is_none() && self.uncounted.is_none();
            self.note_count(now);
        }
        Ok(Lot { rows, odd, is_partial, total, is_unproven })
    }

    /// Whether any page came: then the listing is there, and what fails later is another matter.
    pub(super) const fn has_begun(&self) -> bool {
        self.page > 0 || self.restarts > 0
    }

    fn note_count(&mut self, now: Option<u64>) {
        match (self.count, now) {
            (Some(then), Some(now)) => self.has_moved |= then != now,
            (None, now) => self.count = now,
            (Some(_), None) => {}
        }
    }

    /// Whether the number of rows changed while they were read: then one may have slipped from one page to another.
    async fn has_moved(&mut self) -> Result<bool> {
        let was_asked = self.page > 1 && self.count.is_some() && !self.is_announced;
        if was_asked && !self.has_moved {
            let now = self.ask_count().await?;
            self.note_count(now);
        }
        Ok(self.has_moved)
    }

    /// Whether as many rows came as GitHub counted. A page may be cut short, and its link to the next one lost, without a word; where every
    /// page announces a total, the books compare.
    fn check_count(&self) -> Result<()> {
        let read = self.given.count().saturating_add(self.odd);
        match self.count {
            Some(count) if !self.is_announced && read < count => {
                let message = format!("GitHub counts {count} rows and gave {read}");
                let error = Error::new(ErrorKind::Malformed, message);
                Err(self.client.explain(self.first.endpoint, error))
            }
            _ => Ok(()),
        }
    }

    /// How many rows there are: the number of the last page, at one row to a page. `None` if GitHub names no last page.
    async fn ask_count(&self) -> Result<Option<u64>> {
        let request = with(self.first.clone(), "per_page", "1");
        let reply = self.client.send(&request).await?;
        Ok(last_page(&reply))
    }

    fn survive(&mut self, error: Error) -> Result<()> {
        let is_page_refused = error.kind == ErrorKind::PageExpired
            || (error.kind == ErrorKind::InvalidRequest && self.page > 0);
        let is_too_heavy = error.kind == ErrorKind::Unavailable && !self.is_light;
        if self.restarts >= RESTARTS || !(is_page_refused || is_too_heavy) {
            return Err(self.client.explain(self.first.endpoint, error));
        }
        if is_too_heavy {
            self.is_light = true;
            self.first = with(self.first.clone(), "per_page", LIGHTER);
        }
        self.restart()
    }

    fn restart(&mut self) -> Result<()> {
        self.restarts += 1;
        self.page = 0;
        self.count = None;
        self.has_moved = false;
        self.is_announced = false;
        self.odd = 0;
        self.pages = self.client.pages(&self.first);
        self.given.begin_anew()
    }

    /// Reads to the end and books rows, losses and the end. What was read before a failure stays; the gap says that there is more.
    pub(super) async fn drain<T>(
        &mut self,
        ledger: &Ledger,
        facet: &str,
        mut take: impl FnMut(T),
    ) -> Option<Gap>
    where
        T: DeserializeOwned + Identified,
    {
        let mut gap = None;
        loop {
            match self.next::<T>().await {
                Ok(Some(lot)) => {
                    gap = book(ledger, facet, &lot).or(gap);
                    ledger.read(facet, lot.rows.len() as u64);
                    lot.rows.into_iter().for_each(&mut take);
                }
                Ok(None) => return gap,
                Err(error) => return Some(gaps::fail(ledger, facet, &error)),
            }
        }
    }
}

/// All rows of a listing that is small by nature, for who must not miss one.
///
/// # Errors
/// Also if a row cannot be read or GitHub leaves rows out: then what is not seen may still be there.
#[cfg(feature = "revoke")]
pub(crate) async fn every_row<T>(client: &Client, first: Request) -> Result<Vec<T>>
where
    T: DeserializeOwned + Identified,
{
    let endpoint = first.endpoint;
    let mut listing = Listing::numbered(client, first);
    let (mut rows, mut total) = (Vec::new(), None);
    while let Some(lot) = listing.next::<T>().await? {
        if lot.odd > 0 || lot.is_partial {
            let message = "the listing is not whole: what is not in it may still be there";
            return Err(client.explain(endpoint, Error::new(ErrorKind::Malformed, message)));
        }
        total = lot.total.or(total);
        rows.extend(lot.rows);
    }
    if total.is_some_and(|total| total > rows.len() as u64) {
        let message = "GitHub counts more rows than it lists";
        return Err(client.explain(endpoint, Error::new(ErrorKind::Malformed, message)));
    }
    Ok(rows)
}

/// Books what a page says of rows that did not come with it.
pub(super) fn book<T>(ledger: &Ledger, facet: &str, lot: &Lot<T>) -> Option<Gap> {
    if let Some(total) = lot.total {
        ledger.expect(facet, total);
    }
    if lot.is_unproven {
        let note = "GitHub does not count these rows: one that moved from page to page while they were read would be missing";
        ledger.note(facet, note);
    }
    let odd = (lot.odd > 0).then(|| {
        let detail = "a row is not what the API promises";
        let gap = Gap::new(Reason::CallFailed, facet, detail);
        ledger.lose(gap.clone(), Some(lot.odd));
        gap
    });
    book_partial(ledger, facet, lot.is_partial).or(odd)
}

/// Books rows that GitHub leaves out because of single sign-on.
pub(super) fn book_partial(ledger: &Ledger, facet: &str, is_partial: bool) -> Option<Gap> {
    is_partial.then(|| {
        let detail = "GitHub left rows out: the token is not authorised for single sign-on (X-GitHub-SSO: partial-results); authorise it for the organisation, or sign in with github_app";
        let gap = Gap::new(Reason::Permission, facet, detail);
        ledger.lose(gap.clone(), None);
        gap
    })
}

/// `X-GitHub-SSO: partial-results; organizations=…` on a listing that looks whole.
pub(super) fn is_partial(headers: &HeaderMap) -> bool {
    let sso = headers.get("x-github-sso").and_then(|value| value.to_str().ok());
    sso.is_some_and(|sso| sso.trim_start().starts_with("partial-results"))
}

fn has_next(headers: &HeaderMap) -> bool {
    link_to(headers, "next").is_some()
}

/// The target of a link of a page.
fn link_to<'a>(headers: &'a HeaderMap, relation: &str) -> Option<&'a str> {
    let links = headers.get_all("link").into_iter().filter_map(|link| link.to_str().ok());
    // Only angle brackets end a target, which may hold commas itself.
    let links = links.flat_map(|links| links.split('<').skip(1));
    let mut links = links.filter_map(|link| link.split_once('>'));
    let (quoted, plain) = (format!("rel=\"{relation}\""), format!("rel={relation}"));
    let is_it = |text: &str| text.contains(&quoted) || text.contains(&plain);
    links.find_map(|(target, parameters)| is_it(parameters).then_some(target))
}

/// The page number in a link.
fn linked_page(headers: &HeaderMap, relation: &str) -> Option<u64> {
    let url = url::Url::parse(link_to(headers, relation)?).ok()?;
    let (_, page) = url.query_pairs().find(|(name, _)| name == "page")?;
    page.parse().ok()
}

/// The page number in the link to the last page; the number of rows if there is no link, at one row to a page.
fn last_page(reply: &Reply) -> Option<u64> {
    if reply.headers.contains_key("link") {
        return linked_page(&reply.headers, "last");
    }
    let rows: Vec<serde::de::IgnoredAny> = reply.json().ok()?;
    Some(rows.len() as u64)
}

/// The same request with another value of a query parameter.
pub(super) fn with(mut request: Request, name: &str, value: &str) -> Request {
    let kept: Vec<(String, String)> =
        request.url.query_pairs().into_owned().filter(|(other, _)| other != name).collect();
    request.url.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value);
    request
}
