//! Paging as data: where a listing says that there is more.

use std::collections::HashSet;

use reqwest::header::HeaderMap;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use url::Url;

use super::{Authorize, Body, Door, Reply, Request};
use crate::{
    error::{Error, ErrorKind, Result},
    secret::Secret,
};

/// How a listing says that there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// A member of the body holds the next page's address, absolute or relative. Path of member names.
    NextUrl(&'static [&'static str]),
    /// A member of the body holds a token for a query parameter of the same address.
    Cursor {
        /// Path of member names to the token.
        member: &'static [&'static str],
        /// The query parameter that takes it, or the form's field if the request is a form.
        parameter: &'static str,
    },
    /// `Link: <…>; rel="next"` (RFC 8288).
    LinkHeader,
    /// A counted page parameter; the listing ends with the first page that the caller finds empty. For platforms that give a next
    /// link on the last page too.
    PageNumber {
        /// The query parameter.
        parameter: &'static str,
    },
}

/// Pages that a listing may have. The largest that is known has a few thousand.
const MOST_PAGES: usize = 100_000;

/// A listing being read, page by page.
pub struct Pages<'a> {
    door: &'a Door,
    authorize: &'a dyn Authorize,
    paging: Paging,
    next: Option<Request>,
    seen: HashSet<String>,
    headers: HeaderMap,
}

impl<'a> Pages<'a> {
    /// Starts a listing.
    pub fn new(
        door: &'a Door,
        authorize: &'a dyn Authorize,
        paging: Paging,
        first: Request,
    ) -> Self {
        Self {
            door,
            authorize,
            paging,
            next: Some(first),
            seen: HashSet::new(),
            headers: HeaderMap::new(),
        }
    }

    /// Reads the next page; `None` after the last.
    ///
    /// # Errors
    /// As [`Door::send`]; also [`ErrorKind::Malformed`] when a listing leads back to a page that was read before, and
    /// [`ErrorKind::ForeignHost`] when it leads out of the tenant.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let Some(request) = self.next.take() else { return Ok(None) };
        if self.seen.len() >= MOST_PAGES {
            let error = Error::new(ErrorKind::Malformed, "the listing does not end");
            return Err(self.door.place(error, request.endpoint));
        }
        if !self.seen.insert(asked(&request)) {
            let error = Error::new(
                ErrorKind::Malformed,
                "the listing leads back to a page that was read before",
            );
            return Err(self.door.place(error, request.endpoint));
        }
        let reply = self.door.send(&request, Some(self.authorize)).await?;
        let place = |error| self.door.place(error, request.endpoint);
        let page = reply.json().map_err(place)?;
        self.next = self.paging.follow(&request, &reply).map_err(place)?;
        self.headers = reply.headers;
        Ok(Some(page))
    }

    /// The headers of the page that was read last: some platforms say there that a listing is not whole.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl Paging {
    /// The request for the page after this one, if there is one.
    fn follow(self, request: &Request, reply: &Reply) -> Result<Option<Request>> {
        let url = match self {
            // Where the request is a form, the token goes into it.
            Self::Cursor { member: path, parameter } if let Body::Form(fields) = &request.body => {
                let token = member(&reply.body, path)?.filter(|token| !token.is_empty());
                return Ok(token.map(|token| {
                    let kept = fields.iter().filter(|(name, _)| *name != parameter).cloned();
                    let fields = kept.chain([(parameter, Secret::new(token))]).collect();
                    Request { body: Body::Form(fields), ..request.clone() }
                }));
            }
            Self::NextUrl(path) => match member(&reply.body, path)? {
                // An empty address is no end: whoever has read everything leaves it out.
                Some(link) if link.is_empty() => {
                    let message = "the address of the next page is empty";
                    return Err(Error::new(ErrorKind::Malformed, message));
                }
                Some(link) => Some(join(request, &link)?),
                None => None,
            },
            Self::Cursor { member: path, parameter } => member(&reply.body, path)?
                // Some platforms end a listing with an empty token.
                .filter(|token| !token.is_empty())
                .map(|token| with_parameter(&request.url, parameter, &token)),
            Self::LinkHeader => match next_link(reply) {
                Some(link) => Some(join(request, link)?),
                None => None,
            },
            Self::PageNumber { parameter } => {
                let current = request.url.query_pairs().find(|(name, _)| name == parameter);
                let number = current.and_then(|(_, value)| value.parse::<u64>().ok()).unwrap_or(0);
                Some(with_parameter(&request.url, parameter, &(number + 1).to_string()))
            }
        };
        Ok(url.map(|url| Request { url, ..request.clone() }))
    }
}

/// What tells one page of a listing from another.
fn asked(request: &Request) -> String {
    let mut asked = request.url.to_string();
    if let Body::Form(fields) = &request.body {
        for (name, value) in fields.iter() {
            asked.push_str(&format!("\n{name}={}", value.expose()));
        }
    }
    asked
}

fn join(request: &Request, link: &str) -> Result<Url> {
    request.url.join(link).map_err(|error| {
        Error::new(ErrorKind::Malformed, "the link to the next page is not an address")
            .with_source(error)
    })
}

fn with_parameter(url: &Url, parameter: &str, value: &str) -> Url {
    let kept: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(name, _)| name != parameter).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair(parameter, value);
    url
}

/// The target of `rel="next"`. A target may hold commas and semicolons; only the angle brackets end it.
fn next_link(reply: &Reply) -> Option<&str> {
    let mut headers = reply.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    headers.find_map(|mut rest| {
        loop {
            let (target, after) = rest.split_once('<')?.1.split_once('>')?;
            let parameters = after.split('<').next().unwrap_or_default();
            let is_next = |parameter: &str| {
                matches!(parameter.trim_matches([' ', ',']), "rel=\"next\"" | "rel=next")
            };
            if parameters.split(';').any(is_next) {
                return Some(target);
            }
            rest = after;
        }
    })
}

/// Picks one text member out of a JSON body without building the rest. Null and a missing member are `None`.
fn member(body: &[u8], path: &[&str]) -> Result<Option<String>> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    Member(path).deserialize(&mut deserializer).map_err(|error| Error::malformed(&error))
}

struct Member<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => serde::Deserialize::deserialize(deserializer),
            _ => deserializer.deserialize_option(self),
        }
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            match self.0 {
                [first, rest @ ..] if key == *first => found = map.next_value_seed(Member(rest))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn follow(paging: Paging, headers: &[(&'static str, &str)], body: &str) -> Option<String> {
        let request = Request::get("test", "https://a.example/list?page=1&x=y".parse().unwrap());
        let headers =
            headers.iter().map(|(k, v)| ((*k).parse().unwrap(), v.parse().unwrap())).collect();
        let reply = Reply { status: StatusCode::OK, headers, body: body.to_owned().into() };
        paging.follow(&request, &reply).unwrap().map(|next| next.url.to_string())
    }

    #[test]
    fn a_member_of_the_body_leads_on() {
        let paging = Paging::NextUrl(&["nextRecordsUrl"]);
        assert_eq!(
            follow(paging, &[], r#"{"a":[1],"nextRecordsUrl":"/q/2"}"#).unwrap(),
            "https://a.example/q/2"
        );
        assert_eq!(follow(paging, &[], r#"{"done":true}"#), None);
        assert_eq!(follow(paging, &[], r#"{"nextRecordsUrl":null}"#), None);
    }

    #[test]
    fn a_nested_cursor_becomes_a_parameter() {
        let paging = Paging::Cursor { member: &["meta", "cursor"], parameter: "page" };
        assert_eq!(
            follow(paging, &[], r#"{"meta":{"cursor":"n="}}"#).unwrap(),
            "https://a.example/list?x=y&page=n%3D"
        );
        assert_eq!(follow(paging, &[], r#"{"meta":{"cursor":""}}"#), None);
        assert_eq!(follow(paging, &[], r#"{"meta":null}"#), None);
    }

    #[test]
    fn a_cursor_goes_into_a_form() {
        let text = |value: &str| Secret::new(value.to_owned());
        let form = Body::Form(vec![("limit", text("9")), ("cursor", text("old"))].into());
        let first = Request::post("test", "https://a.example/list".parse().unwrap(), form);
        let paging = Paging::Cursor { member: &["cursor"], parameter: "cursor" };
        let body = r#"{"cursor":"n="}"#.to_owned().into();
        let reply = Reply { status: StatusCode::OK, headers: HeaderMap::new(), body };
        let next = paging.follow(&first, &reply).unwrap().unwrap();
        assert_eq!(asked(&next), "https://a.example/list\nlimit=9\ncursor=n=");
        assert_ne!(asked(&next), asked(&first));
    }

    #[test]
    fn a_link_header_leads_on() {
        let link = [(
            "link",
            r#"<https://a.example/1?a=b,c;d>; rel="prev", <https://a.example/3?x=1,2>; rel="next""#,
        )];
        assert_eq!(follow(Paging::LinkHeader, &link, "[]").unwrap(), "https://a.example/3?x=1,2");
        assert_eq!(follow(Paging::LinkHeader, &[], "[]"), None);
    }

    #[test]
    fn a_page_number_counts_up() {
        let paging = Paging::PageNumber { parameter: "page" };
        assert_eq!(follow(paging, &[], "{}").unwrap(), "https://a.example/list?x=y&page=2");
    }
}
