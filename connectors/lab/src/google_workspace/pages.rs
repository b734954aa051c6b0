//! Page tokens: where a listing goes on, bound to that listing. A token ends after a while, or when a
//! fault ends all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::error::Refusal;
use crate::keys::random_text;
use crate::wire::Request;

/// Parameters that may change between the pages of one listing.
const NOT_THE_LISTING: [&str; 7] =
    ["pageToken", "maxResults", "pageSize", "fields", "prettyPrint", "quotaUser", "alt"];

/// Where a listing goes on; its meaning is the listing's own.
pub(crate) type Position = (i64, u32);

#[derive(Debug)]
struct Page {
    listing: String,
    position: Position,
    issued: i64,
}

/// All open page tokens.
#[derive(Debug, Default)]
pub(crate) struct Pages(Mutex<HashMap<String, Page>>);

/// How page tokens end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) now: i64,
    pub(crate) seconds: u64,
    pub(crate) once: bool,
}

impl Pages {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Page>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where the request wants to go on; `None` for a first page.
    pub(crate) fn position(
        &self,
        request: &Request,
        rules: Rules,
    ) -> Result<Option<Position>, Refusal> {
        let Some(token) = request.param("pageToken").filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        let life = i64::try_from(rules.seconds).unwrap_or(i64::MAX);
        self.with(|pages| {
            let page = pages.get(token).ok_or_else(Refusal::page_token)?;
            let ended = rules.now >= page.issued.saturating_add(life);
            if ended || page.listing != listing(request) {
                return Err(Refusal::page_token());
            }
            let position = page.position;
            if rules.once {
                pages.remove(token);
            }
            Ok(Some(position))
        })
    }

    /// A token for the rest of the request's listing.
    pub(crate) fn issue(&self, request: &Request, position: Position, now: i64) -> String {
        let token = format!("page~{}", random_text(40));
        let page = Page { listing: listing(request), position, issued: now };
        self.with(|pages| pages.insert(token.clone(), page));
        token
    }

    /// Ends all tokens.
    pub(crate) fn expire(&self) {
        self.with(HashMap::clear);
    }
}

/// What makes a listing the same listing.
fn listing(request: &Request) -> String {
    let mut parameters: Vec<String> = request
        .query
        .iter()
        .filter(|(name, _)| !NOT_THE_LISTING.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parameters.sort();
    format!("{}?{}", request.path, parameters.join("&"))
}
