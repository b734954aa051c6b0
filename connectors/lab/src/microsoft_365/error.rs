//! Refusals in Graph's and the token endpoint's own words and shapes. Nothing here decides; it only
//! speaks.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::guid::Guid;
use crate::keys::random_text;
use crate::wire::Reply;

/// A refusal of Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    /// The same refusal with one more header.
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The request breaks a rule of the protocol.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// The query is well formed, but not for this resource.
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(400, "Request_UnsupportedQuery", message)
    }

    /// The path does not exist in this version or cloud.
    pub(crate) fn segment(name: &str) -> Self {
        let message = format!("Resource not found for the segment '{name}'.");
        Self::new(400, "BadRequest", message)
    }

    /// The path exists for other methods.
    pub(crate) fn method() -> Self {
        let message = "Specified HTTP method is not allowed for the request target.";
        Self::new(405, "Request_BadRequest", message)
    }

    /// No such object, or no more.
    pub(crate) fn not_found(id: &str) -> Self {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::new(404, "Request_ResourceNotFound", message)
    }

    /// A permission is missing.
    pub(crate) fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(403, "Authorization_RequestDenied", message)
    }

    /// A permission is missing, as the logs say it.
    pub(crate) fn logs_denied() -> Self {
        let message = "The principal does not have required Microsoft Graph permission(s): AuditLog.Read.All to call this API.";
        Self::new(403, "Authentication_MSGraphPermissionMissing", message)
    }

    /// The licence is missing.
    pub(crate) fn licence() -> Self {
        let message = "Neither tenant is B2C or tenant doesn't have premium license";
        Self::new(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", message)
    }

    /// No access token, or none that is alive.
    pub(crate) fn token(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
            .with_header("www-authenticate", "Bearer realm=\"\"")
    }

    /// A page token that ended, or that belongs to another listing.
    pub(crate) fn page_token() -> Self {
        let message = "The specified page token value has expired and can no longer be included in your request.";
        Self::new(400, "Directory_ExpiredPageToken", message)
    }

    /// A delta token that ended; the listing must start again at `restart`.
    pub(crate) fn delta_token(restart: &str) -> Self {
        let message = "The delta token is too old. Start over with a full listing.";
        Self::new(410, "syncStateNotFound", message).with_header("location", restart)
    }

    /// The service is overloaded.
    pub(crate) fn unavailable() -> Self {
        Self::new(503, "serviceNotAvailable", "The service is unavailable. Please try again later.")
    }

    /// Too many calls.
    pub(crate) fn throttled() -> Self {
        Self::new(429, "TooManyRequests", "Too many requests. Please retry after some time.")
    }

    /// The body.
    fn body(&self, now: Timestamp) -> Json {
        let id = Guid::of(&random_text(16)).to_string();
        let date = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": { "date": date, "request-id": id, "client-request-id": id },
        } })
    }

    /// The reply.
    pub(crate) fn reply(&self, now: Timestamp) -> Reply {
        let mut reply = Reply::json(self.status, self.body(now).to_string());
        for (name, value) in &self.headers {
            reply = reply.with_header(name, value.clone());
        }
        reply
    }
}

/// A refusal of the token endpoint: `AADSTS` and a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRefusal {
    status: u16,
    error: &'static str,
    number: u32,
    message: String,
}

impl TokenRefusal {
    pub(crate) fn new(
        status: u16,
        error: &'static str,
        number: u32,
        message: impl Into<String>,
    ) -> Self {
        Self { status, error, number, message: message.into() }
    }

    /// The assertion is not one of a registered certificate.
    pub(crate) fn assertion(reason: &str) -> Self {
        let message = format!(
            "The certificate with identifier used to sign the client assertion is not registered on application, or the assertion is invalid. [Reason - {reason}]"
        );
        Self::new(401, "invalid_client", 700_027, message)
    }

    /// The reply.
    pub(crate) fn reply(&self, now: Timestamp) -> Reply {
        let trace = Guid::of(&random_text(16)).to_string();
        let correlation = Guid::of(&random_text(16)).to_string();
        let at = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let number = self.number;
        let description = format!(
            "AADSTS{number}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
            self.message
        );
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [number],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        Reply::json(self.status, body.to_string())
    }
}
