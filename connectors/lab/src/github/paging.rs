//! Pages as the platform makes them: numbers in `Link`, or cursors that belong to their listing. Numbered
//! pages count rows, so a row that goes between two pages makes the next page miss one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use serde_json::{Value as Json, json};

use super::Core;
use super::error::{Answer, Refusal, answer};
use super::state::State;
use crate::keys::random_text;
use crate::wire::{Reply, Request};

/// Where a listing goes on; its meaning is the listing's own.
pub(crate) type Position = (i64, u32);

const DEFAULT_PAGE: usize = 30;
const LARGEST_PAGE: usize = 100;

#[derive(Debug)]
struct Page {
    listing: String,
    position: Position,
    issued: i64,
}

/// All open cursors and page tokens.
#[derive(Debug, Default)]
pub(crate) struct Pages(Mutex<HashMap<String, Page>>);

/// How cursors end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) now: i64,
    pub(crate) seconds: u64,
}

impl Pages {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Page>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends all cursors.
    pub(crate) fn expire(&self) {
        self.with(HashMap::clear);
    }

    fn issue(&self, token: String, request: &Request, position: Position, now: i64) -> String {
        let page = Page { listing: listing(request), position, issued: now };
        self.with(|pages| pages.insert(token.clone(), page));
        token
    }

    fn find(&self, token: &str, request: &Request, rules: Rules) -> Option<Position> {
        let life = i64::try_from(rules.seconds).unwrap_or(i64::MAX);
        self.with(|pages| {
            let page = pages.get(token)?;
            let live = rules.now < page.issued.saturating_add(life);
            (live && page.listing == listing(request)).then_some(page.position)
        })
    }

    /// The position of an audit cursor; `None` without one.
    pub(crate) fn audit_position(
        &self,
        request: &Request,
        name: &str,
        rules: Rules,
    ) -> Result<Option<Position>, Refusal> {
        let Some(token) = request.param(name).filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        let found = self.find(token, request, rules);
        found.map(Some).ok_or_else(|| Refusal::validation("AuditLog", name, "invalid", ""))
    }

    /// The position of a page token in `page`; `None` for a first page.
    pub(crate) fn page_position(
        &self,
        request: &Request,
        rules: Rules,
    ) -> Result<Option<Position>, Refusal> {
        let Some(token) = request.param("page").filter(|token| !matches!(*token, "" | "1")) else {
            return Ok(None);
        };
        let found = self.find(token, request, rules);
        found
            .map(Some)
            .ok_or_else(|| Refusal::validation("CredentialAuthorization", "page", "invalid", ""))
    }
}

/// What makes a listing the same listing.
fn listing(request: &Request) -> String {
    let moving = ["after", "before", "page", "per_page"];
    let mut parameters: Vec<String> = request
        .query
        .iter()
        .filter(|(name, _)| !moving.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parameters.sort();
    let path = request.path.rsplit('/').next().unwrap_or_default();
    format!("{path}?{}", parameters.join("&"))
}

/// The page size that a request asks for: anything that is no number is the default, and too much is
/// the most there is, without a word.
pub(crate) fn per_page(request: &Request, state: &State) -> usize {
    let asked = request.param("per_page").and_then(|text| text.parse::<usize>().ok());
    let size = asked.filter(|size| *size > 0).unwrap_or(DEFAULT_PAGE).min(LARGEST_PAGE);
    state.behaviour.page_cap.map_or(size, |cap| size.min(cap.max(1)))
}

/// Makes the `Link` of one answer.
pub(crate) struct Paging<'r> {
    core: &'r Core,
    base: String,
    request: &'r Request,
}

impl<'r> Paging<'r> {
    pub(crate) fn new(core: &'r Core, state: &State, request: &'r Request) -> Self {
        Self { core, base: core.link_base(state, request), request }
    }

    /// The address of this listing with some parameters replaced.
    fn address(&self, changes: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.request.query {
            if !changes.iter().any(|(changed, _)| changed == name) {
                query.append_pair(name, value);
            }
        }
        for (name, value) in changes {
            query.append_pair(name, value);
        }
        format!("<{}?{}>", self.base, query.finish())
    }

    fn link(reply: Reply, links: &[(String, &str)]) -> Reply {
        if links.is_empty() {
            return reply;
        }
        let parts: Vec<String> =
            links.iter().map(|(address, rel)| format!("{address}; rel=\"{rel}\"")).collect();
        reply.with_header("link", parts.join(", "))
    }

    /// Links to numbered pages.
    fn numbered(&self, reply: Reply, page: usize, last: usize) -> Reply {
        let to = |number: usize, rel| (self.address(&[("page", &number.to_string())]), rel);
        let mut links = Vec::new();
        if page > 1 {
            links.push(to(page - 1, "prev"));
        }
        if page < last {
            links.push(to(page + 1, "next"));
            links.push(to(last, "last"));
        }
        if page > 1 {
            links.push(to(1, "first"));
        }
        Self::link(reply, &links)
    }

    /// Links to the pages after and before some events.
    pub(crate) fn cursors(
        &self,
        reply: Reply,
        next: Option<Position>,
        previous: Option<Position>,
    ) -> Reply {
        let now = self.core.clock.wall().as_second();
        let cursor = |position| {
            let text = STANDARD.encode(format!("FAKE{}", random_text(30)));
            self.core.pages.issue(text, self.request, position, now)
        };
        let mut links = Vec::new();
        if let Some(position) = next {
            let token = cursor(position);
            links.push((self.address(&[("after", &token), ("before", "")]), "next"));
        }
        if let Some(position) = previous {
            let token = cursor(position);
            links.push((self.address(&[("after", ""), ("before", "")]), "first"));
            links.push((self.address(&[("after", ""), ("before", &token)]), "prev"));
        }
        Self::link(reply, &links)
    }

    /// A link to the page of a token.
    pub(crate) fn page_token(&self, reply: Reply, next: Option<Position>) -> Reply {
        let Some(position) = next else { return reply };
        let number = rand::rng().random_range(100_000_000_u64..9_000_000_000).to_string();
        let now = self.core.clock.wall().as_second();
        let token = self.core.pages.issue(number, self.request, position, now);
        Self::link(reply, &[(self.address(&[("page", &token)]), "next")])
    }
}

impl Core {
    /// How cursors end.
    pub(super) fn page_rules(&self, state: &State) -> Rules {
        Rules { now: self.clock.wall().as_second(), seconds: state.behaviour.cursor_seconds }
    }

    /// The address of a request without its query, as `Link` writes it.
    fn link_base(&self, state: &State, request: &Request) -> String {
        let whole = || format!("{}{}", self.origin, request.path);
        if !state.behaviour.numeric_links {
            return whole();
        }
        let path = request.path.strip_prefix(self.prefix).unwrap_or(&request.path);
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let numbered = match parts.as_slice() {
            ["orgs", login, rest @ ..] => state.organisation(login).map(|index| {
                format!("organizations/{}/{}", state.organisations[index].id, rest.join("/"))
            }),
            ["repos", owner, name, rest @ ..] => state
                .organisation(owner)
                .and_then(|owner| state.repository(owner, name))
                .map(|index| {
                    format!("repositories/{}/{}", state.repositories[index].id, rest.join("/"))
                }),
            ["enterprises", _, rest @ ..] => {
                Some(format!("enterprises/{}/{}", super::ENTERPRISE_ID, rest.join("/")))
            }
            _ => None,
        };
        match numbered {
            Some(path) => format!("{}/{path}", self.base_url),
            None => whole(),
        }
    }

    /// A listing with numbered pages; `{total_count, NAME: […]}` if it has a name, else an array.
    pub(super) fn page<T>(
        &self,
        state: &State,
        request: &Request,
        name: Option<&str>,
        rows: Vec<T>,
        render: impl Fn(&T) -> Json,
    ) -> Answer {
        let (rows, partial) = self.partial(state, request, rows);
        let size = per_page(request, state);
        let page = request.param("page").and_then(|text| text.parse::<usize>().ok());
        let page = page.unwrap_or(1).max(1);
        let last = rows.len().div_ceil(size).max(1);
        let start = size.saturating_mul(page - 1);
        let items: Vec<Json> = rows.iter().skip(start).take(size).map(render).collect();
        let body = match name {
            Some(name) => json!({ "total_count": rows.len(), name: items }),
            None => Json::Array(items),
        };
        let reply = Paging::new(self, state, request).numbered(answer(200, &body), page, last);
        Ok(match partial {
            Some(text) => reply.with_header("x-github-sso", text),
            None => reply,
        })
    }

    /// Leaves rows out where the world wants partial results.
    fn partial<T>(
        &self,
        state: &State,
        request: &Request,
        rows: Vec<T>,
    ) -> (Vec<T>, Option<String>) {
        let wanted = state.behaviour.partial_results.as_deref();
        if !wanted.is_some_and(|part| request.path.contains(part)) {
            return (rows, None);
        }
        let kept = rows.into_iter().enumerate().filter(|(index, _)| index % 2 == 0);
        let kept = kept.map(|(_, row)| row).collect();
        (kept, Some("partial-results; organizations=21955855,20582480".to_owned()))
    }
}
