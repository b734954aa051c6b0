//! Refusals in the platform's own words and shape, and those of its token endpoint. Nothing here decides; it only speaks.

use serde_json::json;

use super::id::letters;
use crate::keys::random_text;
use crate::wire::Reply;

/// A refusal of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    summary: String,
    causes: Vec<String>,
    headers: Vec<(&'static str, String)>,
    /// No body, as where a scope is missing.
    silent: bool,
}

impl Refusal {
    /// A refusal by its code.
    pub(crate) fn new(status: u16, code: &'static str, summary: impl Into<String>) -> Self {
        Self {
            status,
            code,
            summary: summary.into(),
            causes: Vec::new(),
            headers: Vec::new(),
            silent: false,
        }
    }

    /// A parameter or a field is not as it must be.
    pub(crate) fn validation(what: &str, cause: impl Into<String>) -> Self {
        let summary = format!("Api validation failed: {what}");
        Self { causes: vec![cause.into()], ..Self::new(400, "E0000001", summary) }
    }

    /// The body is not JSON.
    pub(crate) fn malformed() -> Self {
        Self::new(400, "E0000003", "The request body was not well-formed.")
    }

    /// No credentials at all.
    pub(crate) fn no_session() -> Self {
        Self::new(401, "E0000005", "Invalid session")
    }

    /// A token that is unknown, has ended or has nobody behind it any more.
    pub(crate) fn token() -> Self {
        let refusal = Self::new(401, "E0000011", "Invalid token provided");
        refusal.with_header(
            "www-authenticate",
            "Bearer error=\"invalid_token\", error_description=\"The access token is invalid.\"",
        )
    }

    /// A proof of possession that is missing or wrong, at the API.
    pub(crate) fn proof(error: &str, description: &str) -> Self {
        let challenge = format!(
            "DPoP error=\"{error}\", error_description=\"{description}\", algs=\"RS256 RS384 RS512 ES256 ES384 ES512\""
        );
        Self::new(401, "E0000011", "Invalid token provided")
            .with_header("www-authenticate", challenge)
    }

    /// The access token lacks the scope.
    pub(crate) fn scope(scope: &str) -> Self {
        let challenge = format!(
            "Bearer authorization_uri=\"/oauth2/v1/authorize\", realm=\"lab\", scope=\"{scope}\", \
             error=\"insufficient_scope\", error_description=\"The access token provided does not contain the required scopes.\""
        );
        let refusal = Self::new(403, "E0000006", "");
        Self { silent: true, ..refusal.with_header("www-authenticate", challenge) }
    }

    /// The admin role is not enough.
    pub(crate) fn forbidden() -> Self {
        Self::new(403, "E0000006", "You do not have permission to perform the requested action")
    }

    /// Something that is named is not there.
    pub(crate) fn not_found(id: &str, kind: &str) -> Self {
        Self::new(404, "E0000007", format!("Not found: Resource not found: {id} ({kind})"))
    }

    /// The address has no such method.
    pub(crate) fn method() -> Self {
        Self::new(405, "E0000022", "The endpoint does not support the provided HTTP method")
    }

    /// A filter that cannot be read.
    pub(crate) fn filter(cause: impl Into<String>) -> Self {
        let refusal = Self::new(400, "E0000031", "Invalid search criteria.");
        Self { causes: vec![cause.into()], ..refusal }
    }

    /// Too many calls.
    pub(crate) fn rate() -> Self {
        Self::new(429, "E0000047", "API call exceeded rate limit due to too many requests.")
    }

    /// The same refusal with one more header.
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As an answer.
    pub(crate) fn reply(&self) -> Reply {
        let causes: Vec<_> =
            self.causes.iter().map(|cause| json!({ "errorSummary": cause })).collect();
        let body = json!({
            "errorCode": self.code,
            "errorSummary": self.summary,
            "errorLink": self.code,
            "errorId": format!("oae{}", random_text(17)),
            "errorCauses": causes,
        });
        let mut reply = match self.silent {
            true => Reply::empty(self.status),
            false => Reply::json(self.status, body.to_string()),
        };
        for (name, value) in &self.headers {
            reply = reply.with_header(name, value.clone());
        }
        reply
    }
}

/// A refusal of the token endpoint.
pub(crate) fn oauth(status: u16, error: &str, description: &str) -> Reply {
    let body = json!({ "error": error, "error_description": description });
    Reply::json(status, body.to_string())
}

/// The same answer with an id of its own, as every answer has one.
pub(crate) fn marked(reply: Reply, number: u64) -> Reply {
    reply.with_header("x-okta-request-id", format!("FAKE{}", letters(number, 20)))
}
