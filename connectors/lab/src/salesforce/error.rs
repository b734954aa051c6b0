//! Refusals in the platform's own words and shapes: an array of objects for REST, one object for
//! the token endpoint. Nothing here decides; it only speaks.

use serde_json::json;

use crate::wire::Reply;

/// A REST refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The path does not exist, or not in this API version.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    /// The path exists for other methods.
    pub(crate) fn method_not_allowed(method: &str, allowed: &str) -> Self {
        let message = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
        Self::new(405, "METHOD_NOT_ALLOWED", message)
    }

    /// A query parameter that the resource does not know.
    pub(crate) fn unknown_parameter(name: &str) -> Self {
        let message = format!("The request parameter '{name}' is not supported by this resource");
        Self::new(400, "INVALID_PARAMETER", message)
    }

    /// No session, or one that ended.
    pub(crate) fn session() -> Self {
        Self::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    /// An `Authorization` header that is not one.
    pub(crate) fn authorization_header() -> Self {
        Self::new(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
    }

    /// A right is missing.
    pub(crate) fn access(message: &str) -> Self {
        Self::new(403, "INSUFFICIENT_ACCESS", message)
    }

    /// The org or the user has no API.
    pub(crate) fn api_disabled() -> Self {
        let message = "API is not enabled for this Organization or Partner";
        Self::new(403, "API_DISABLED_FOR_ORG", message)
    }

    /// The day's allowance is used up.
    pub(crate) fn total_requests() -> Self {
        Self::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    }

    /// Too many long calls at once.
    pub(crate) fn concurrent_requests() -> Self {
        let message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
        Self::new(403, "REQUEST_LIMIT_EXCEEDED", message)
    }

    /// The REST body.
    pub(crate) fn reply(&self) -> Reply {
        let body = json!([{ "message": self.message, "errorCode": self.code }]);
        Reply::json(self.status, body.to_string())
    }
}

/// A refusal of the token endpoint.
pub(crate) fn oauth(error: &str, description: &str) -> Reply {
    let body = json!({ "error": error, "error_description": description });
    Reply::json(400, body.to_string())
}
