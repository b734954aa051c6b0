//! One request as data, and the reply to it.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    error::{Error, ErrorKind, Result},
    model::Timestamp,
    secret::Secret,
};

/// One request as data; the [`super::Door`] decides when and how often it is sent.
#[derive(Clone)]
pub struct Request {
    /// What is tried, for a person and for the call statistics: `query OauthToken`. Holds no data of the tenant.
    pub endpoint: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers besides `Authorization`.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Body,
    /// Name of the quota bucket in the connector's manifest.
    pub bucket: &'static str,
    /// Whether sending it twice does no harm. A request that is not repeatable is never sent again once its outcome is unknown.
    pub repeatable: bool,
}

/// What a [`Request`] sends.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    Empty,
    /// `application/x-www-form-urlencoded`; values may be secrets.
    Form(Arc<[(&'static str, Secret)]>),
    /// `application/json`.
    Json(Arc<serde_json::Value>),
    /// A text made from the access token, for protocols that carry it in the body (SOAP session header).
    WithToken {
        /// `Content-Type`.
        media_type: &'static str,
        /// Makes the text.
        render: Arc<dyn Fn(&str) -> String + Send + Sync>,
    },
}

impl Request {
    /// A repeatable GET.
    pub fn get(endpoint: &'static str, url: Url) -> Self {
        Self {
            endpoint,
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: Body::Empty,
            bucket: "default",
            repeatable: true,
        }
    }

    /// A POST that is not sent again once its outcome is unknown.
    pub fn post(endpoint: &'static str, url: Url, body: Body) -> Self {
        Self { method: Method::POST, body, repeatable: false, ..Self::get(endpoint, url) }
    }

    /// A DELETE that is not sent again once its outcome is unknown.
    pub fn delete(endpoint: &'static str, url: Url) -> Self {
        Self { method: Method::DELETE, repeatable: false, ..Self::get(endpoint, url) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says that sending it twice does no harm.
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }
}

/// A reply that was read whole.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The value of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When the platform sent it, by its own clock (`Date`, RFC 9110 section 6.6.1): what its other headers count from.
    pub fn date(&self) -> Option<Timestamp> {
        let date = jiff::fmt::rfc2822::parse(self.header("date")?.trim()).ok()?;
        Some(date.timestamp().into())
    }

    /// Decodes a JSON body.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`], with a special hint for HTML: a proxy or a sign-in page answered in place of the API.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            if self.looks_like_html() {
                html_error()
            } else {
                Error::malformed(&error).with_hint("if it happens again, the platform may have changed: run with GRANTWARDEN_LOG=debug and report it")
            }
        })
    }

    /// Whether a web page came in place of an API's answer.
    pub fn looks_like_html(&self) -> bool {
        let start = self.body.trim_ascii_start();
        let head = start.get(..9.min(start.len())).unwrap_or_default().to_ascii_lowercase();
        head.starts_with(b"<!doctype") || head.starts_with(b"<html")
    }
}

/// The error for a web page in place of an API's answer.
pub(crate) fn html_error() -> Error {
    Error::new(ErrorKind::Malformed, "a web page came back in place of the API's answer")
        .with_hint("a proxy, a captive portal or a sign-in page answered: check base_url and the proxy settings (HTTPS_PROXY)")
}
