//! Refusals in Slack's words: nearly all are status 200 with `ok: false` and a code, too many calls
//! are 429 with `Retry-After`, and a broken front end is a page of HTML. It decides nothing.

use serde_json::{Value as Json, json};

use crate::wire::Reply;

/// A refusal.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: u16,
    error: String,
    extra: Vec<(&'static str, Json)>,
    retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal with a code.
    pub(crate) fn new(error: impl Into<String>) -> Self {
        Self { status: 200, error: error.into(), extra: Vec::new(), retry_after: None }
    }

    /// An argument that cannot be; the message says which.
    pub(crate) fn arguments(message: impl std::fmt::Display) -> Self {
        let messages = json!({ "messages": [format!("[ERROR] {message}")] });
        Self { extra: vec![("response_metadata", messages)], ..Self::new("invalid_arguments") }
    }

    /// The token lacks a scope.
    pub(crate) fn scope(needed: &str, provided: &str) -> Self {
        let extra = vec![("needed", json!(needed)), ("provided", json!(provided))];
        Self { extra, ..Self::new("missing_scope") }
    }

    /// A method that is not there.
    pub(crate) fn unknown_method(method: &str) -> Self {
        Self { extra: vec![("req_method", json!(method))], ..Self::new("unknown_method") }
    }

    /// Too many calls; seconds to wait, if the answer says so.
    pub(crate) fn rate(retry_after: Option<u64>) -> Self {
        Self { status: 429, retry_after, ..Self::new("ratelimited") }
    }

    /// A fault that names something the tenant does not have must not pass unseen.
    pub(crate) fn unknown_name(what: &str) -> Self {
        let messages =
            json!({ "messages": [format!("this tenant has nothing of that name: {what}")] });
        let extra = vec![("response_metadata", messages)];
        Self { status: 500, extra, ..Self::new("LAB_FAULT_UNKNOWN_NAME") }
    }

    /// The same refusal on the wire.
    pub(crate) fn reply(&self) -> Reply {
        let mut body = json!({ "ok": false, "error": self.error });
        for (name, value) in &self.extra {
            body[*name] = value.clone();
        }
        let reply = Reply::json(self.status, body.to_string());
        match self.retry_after {
            Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
            None => reply,
        }
    }
}

/// The page of a front end that cannot reach what is behind it.
pub(crate) fn broken() -> Reply {
    let body = "<!DOCTYPE html>\n<html><head><title>Server Error</title></head>\
        <body><h1>Something went wrong on our end.</h1></body></html>\n";
    Reply::new(503, "text/html; charset=utf-8", body)
}

/// A path or an HTTP method that nothing answers.
pub(crate) fn no_such_page(status: u16) -> Reply {
    Reply::new(status, "text/html; charset=utf-8", format!("<h1>{status}</h1>\n"))
}
