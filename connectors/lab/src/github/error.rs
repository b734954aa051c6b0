//! Refusals, with the platform's status, headers and body.

use serde_json::{Value as Json, json};

use super::access::Need;
use crate::wire::Reply;

const DOCS: &str = "https://docs.github.com/rest";

/// Why a call is not answered as asked.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    message: String,
    documentation: String,
    errors: Vec<Json>,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            documentation: DOCS.to_owned(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn documented(mut self, part: &str) -> Self {
        self.documentation = format!("{DOCS}{part}");
        self
    }

    /// Absent, or hidden from this caller: the platform does not say which.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    /// A token that is unknown or has ended.
    pub(crate) fn credentials() -> Self {
        Self::new(401, "Bad credentials")
    }

    /// No token where one is needed.
    pub(crate) fn authentication() -> Self {
        Self::new(401, "Requires authentication")
    }

    /// An App lacks a permission.
    pub(crate) fn integration(need: Need) -> Self {
        Self::new(403, "Resource not accessible by integration")
            .with("x-accepted-github-permissions", need.accepted())
    }

    /// A fine-grained token lacks a permission.
    pub(crate) fn personal_access_token(need: Need) -> Self {
        let refusal = Self::new(403, "Resource not accessible by personal access token");
        if need.any_of.is_empty() {
            return refusal;
        }
        refusal.with("x-accepted-github-permissions", need.accepted())
    }

    /// The request is understood and its values are wrong.
    pub(crate) fn validation(resource: &str, field: &str, code: &str, message: &str) -> Self {
        let mut error = json!({ "resource": resource, "field": field, "code": code });
        if !message.is_empty() {
            error["message"] = json!(message);
        }
        Self { errors: vec![error], ..Self::new(422, "Validation Failed") }
    }

    /// The same, in the short form of some endpoints.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, message)
    }

    /// The same, with texts for errors.
    pub(crate) fn validation_simple(message: &str) -> Self {
        Self { errors: vec![json!(message)], ..Self::new(422, "Validation Failed") }
    }

    /// A body that is no JSON object.
    pub(crate) fn body() -> Self {
        Self::new(400, "Problems parsing JSON")
    }

    /// The hourly limit is used up.
    pub(crate) fn primary(status: u16, who: &str) -> Self {
        Self::new(status, format!("API rate limit exceeded for {who}."))
            .documented("/overview/rate-limits-for-the-rest-api")
    }

    /// Too much at once.
    pub(crate) fn secondary(status: u16, retry_after: Option<u64>) -> Self {
        let message = "You have exceeded a secondary rate limit. Please wait a few minutes before \
            you try again.";
        let refusal = Self::new(status, message)
            .documented("/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits");
        match retry_after {
            Some(seconds) => refusal.with("retry-after", seconds.to_string()),
            None => refusal,
        }
    }

    /// What it says.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The body as the platform writes it.
    pub(crate) fn reply(self, with_status: bool) -> Reply {
        let mut body = json!({ "message": self.message, "documentation_url": self.documentation });
        if !self.errors.is_empty() {
            body["errors"] = Json::Array(self.errors);
        }
        if with_status {
            body["status"] = json!(self.status.to_string());
        }
        let reply = Reply::new(self.status, "application/json; charset=utf-8", body.to_string());
        self.headers.into_iter().fold(reply, |reply, (name, value)| reply.with_header(name, value))
    }
}

/// The platform's answer to a call.
pub(crate) type Answer = Result<Reply, Refusal>;

/// A JSON answer.
pub(crate) fn answer(status: u16, body: &Json) -> Reply {
    Reply::new(status, "application/json; charset=utf-8", body.to_string())
}
