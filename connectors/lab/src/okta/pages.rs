//! Pages of a listing: the `Link` headers, and the opaque cursors that they carry. A cursor belongs to its listing and ends after a
//! while, or when a fault ends all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value as Json;

use super::Core;
use super::error::Refusal;
use super::state::State;
use crate::keys::random_text;
use crate::wire::{Reply, Request};

/// Where a listing goes on; its meaning is the listing's own.
pub(crate) type Position = (i64, u32);

#[derive(Debug)]
struct Page {
    listing: String,
    position: Position,
    issued: i64,
}

/// All open cursors.
#[derive(Debug, Default)]
pub(crate) struct Pages(Mutex<HashMap<String, Page>>);

impl Pages {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Page>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends all cursors.
    pub(crate) fn expire(&self) {
        self.with(HashMap::clear);
    }
}

/// What makes a listing the same listing.
fn listing(request: &Request) -> String {
    let mut parameters: Vec<String> = request
        .query
        .iter()
        .filter(|(name, _)| name != "after" && name != "limit")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parameters.sort();
    format!("{}?{}", request.path, parameters.join("&"))
}

fn refused() -> Refusal {
    Refusal::validation("after", "after: the cursor is not valid, or not any more")
}

impl Core {
    /// Where the request wants to go on; `None` for a first page.
    pub(super) fn after(
        &self,
        state: &State,
        request: &Request,
    ) -> Result<Option<Position>, Refusal> {
        let Some(cursor) = request.param("after") else { return Ok(None) };
        let now = self.clock.wall().as_second();
        let life = i64::try_from(state.behaviour.page_seconds).unwrap_or(i64::MAX);
        self.pages.with(|pages| {
            let page = pages.get(cursor).ok_or_else(refused)?;
            if now >= page.issued.saturating_add(life) || page.listing != listing(request) {
                return Err(refused());
            }
            let position = page.position;
            if state.behaviour.page_once {
                pages.remove(cursor);
            }
            Ok(Some(position))
        })
    }

    /// The address of this very page.
    pub(super) fn own_address(&self, request: &Request) -> String {
        let query: Vec<(&str, &str)> =
            request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.address(&request.path, &query)
    }

    /// The address of the page after a position.
    pub(super) fn next_address(&self, request: &Request, position: Position) -> String {
        let cursor = format!("lab~{}", random_text(32));
        let issued = self.clock.wall().as_second();
        let page = Page { listing: listing(request), position, issued };
        self.pages.with(|pages| pages.insert(cursor.clone(), page));
        let mut query = vec![("after", cursor.as_str())];
        let others = request.query.iter().filter(|(name, _)| name != "after");
        query.extend(others.map(|(name, value)| (name.as_str(), value.as_str())));
        self.address(&request.path, &query)
    }

    fn address(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut address = format!("{}{path}", self.base_url);
        if !query.is_empty() {
            let mut encoder = form_urlencoded::Serializer::new(String::new());
            encoder.extend_pairs(query);
            address.push('?');
            address.push_str(&encoder.finish());
        }
        address
    }

    /// Up to `size` rows as an array, with a `Link` header line for the page itself and one for the next, if there is one.
    pub(super) fn page(
        &self,
        request: &Request,
        size: usize,
        rows: impl Iterator<Item = (Position, Json)>,
    ) -> Reply {
        let (items, next) = cut(size, rows);
        let reply = Reply::json(200, Json::Array(items).to_string());
        self.linked(reply, request, next)
    }

    /// The same answer with the `Link` header lines.
    pub(super) fn linked(&self, reply: Reply, request: &Request, next: Option<Position>) -> Reply {
        let reply =
            reply.with_header("link", format!("<{}>; rel=\"self\"", self.own_address(request)));
        match next {
            Some(position) => {
                let address = self.next_address(request, position);
                reply.with_header("link", format!("<{address}>; rel=\"next\""))
            }
            None => reply,
        }
    }
}

/// The first rows, and the position of the last of them if there are more.
pub(super) fn cut(
    size: usize,
    rows: impl Iterator<Item = (Position, Json)>,
) -> (Vec<Json>, Option<Position>) {
    let mut rows = rows.peekable();
    let mut items = Vec::new();
    let mut last = None;
    while items.len() < size.max(1) {
        let Some((position, item)) = rows.next() else { break };
        items.push(item);
        last = Some(position);
    }
    let next = last.filter(|_| rows.peek().is_some());
    (items, next)
}

/// Whether a row comes after the page that was read before.
pub(super) fn later(after: Option<Position>, number: u32) -> bool {
    after.is_none_or(|(_, last)| number > last)
}
