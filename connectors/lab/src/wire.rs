//! What a platform sees of a request and gives as a reply, with nothing left of the web framework:
//! decoded query pairs, header look-ups, a body as text. It knows no platform.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};

/// One request, read whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) uri_length: usize,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Request {
    /// Reads the parts of an HTTP request.
    pub(crate) fn new(method: Method, uri: &Uri, headers: HeaderMap, body: &Bytes) -> Self {
        Self {
            method,
            path: uri.path().to_owned(),
            uri_length: uri.path_and_query().map_or(0, |text| text.as_str().len()),
            query: pairs(uri.query().unwrap_or_default()),
            headers,
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A query parameter, decoded.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as form fields, if it says that it is a form.
    pub(crate) fn form(&self) -> Option<Vec<(String, String)>> {
        let kind = self.header("content-type")?;
        kind.starts_with("application/x-www-form-urlencoded").then(|| pairs(&self.body))
    }

    /// The request line and headers together, as a front end counts them.
    pub(crate) fn head_length(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        self.uri_length + headers
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// One reply, before the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// A reply with a body of the given media type.
    pub(crate) fn new(status: u16, media_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// A JSON reply.
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "application/json;charset=UTF-8", body)
    }

    /// A reply without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// The same reply with one more header.
    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
