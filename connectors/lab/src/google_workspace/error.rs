//! Refusals in the platform's own words and shapes: the older body with an `errors` list, the newer
//! one without, and the token endpoint's. Nothing here decides; it only speaks.

use serde_json::{Value as Json, json};

use super::access::{Api, SCOPE_PREFIX};
use crate::wire::Reply;

/// A refusal of an API.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    status: u16,
    /// The `reason` of the older body.
    reason: &'static str,
    domain: &'static str,
    message: String,
    /// The canonical code of the newer body.
    canonical: Option<&'static str>,
    location: Option<(&'static str, String)>,
    details: Vec<Json>,
    header: Option<(&'static str, String)>,
    plain: bool,
}

impl Refusal {
    /// A refusal whose older body has the domain `global`.
    pub(crate) fn new(status: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            domain: "global",
            message: message.into(),
            canonical: None,
            location: None,
            details: Vec::new(),
            header: None,
            plain: false,
        }
    }

    /// The request itself is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message).canonical("INVALID_ARGUMENT")
    }

    /// A query parameter has a value that it cannot have.
    pub(crate) fn parameter(name: &str, message: impl Into<String>) -> Self {
        Self {
            location: Some(("parameter", name.to_owned())),
            ..Self::new(400, "invalidParameter", message).canonical("INVALID_ARGUMENT")
        }
    }

    /// A query parameter that the operation does not have.
    pub(crate) fn unknown_parameter(name: &str) -> Self {
        let message = format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. \
             Field '{name}' could not be found in request message."
        );
        Self::invalid(message)
    }

    /// Something that is named is not there.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "notFound", format!("Resource Not Found: {what}")).canonical("NOT_FOUND")
    }

    /// No access token at all.
    pub(crate) fn no_credentials() -> Self {
        let message = "Request is missing required authentication credential. Expected OAuth 2 \
            access token, login cookie or other valid authentication credential.";
        Self {
            location: Some(("header", "Authorization".to_owned())),
            ..Self::new(401, "required", message).canonical("UNAUTHENTICATED")
        }
    }

    /// An access token that is unknown or has ended, or a user whom the platform does not let read.
    pub(crate) fn credentials() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access \
            token, login cookie or other valid authentication credential.";
        let header = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
        Self {
            location: Some(("header", "Authorization".to_owned())),
            header: Some(("www-authenticate", header.to_owned())),
            ..Self::new(401, "authError", message).canonical("UNAUTHENTICATED")
        }
    }

    /// The access token lacks the scope.
    pub(crate) fn scope(api: Api, scopes: &[&str]) -> Self {
        let full: Vec<String> =
            scopes.iter().map(|scope| format!("{SCOPE_PREFIX}{scope}")).collect();
        let header = format!(
            "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", scope=\"{}\"",
            full.join(" ")
        );
        let message = "Request had insufficient authentication scopes.";
        Self {
            header: Some(("www-authenticate", header)),
            details: vec![error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", api)],
            ..Self::new(403, "insufficientPermissions", message).canonical("PERMISSION_DENIED")
        }
    }

    /// The admin lacks the privilege.
    pub(crate) fn forbidden() -> Self {
        Self::new(403, "forbidden", "Not Authorized to access this resource/api")
            .canonical("PERMISSION_DENIED")
    }

    /// The admin lacks the privilege for reports, as some tenants answer.
    pub(crate) fn reports_denied() -> Self {
        let message = "Access denied. You are not authorized to read activity records.";
        Self {
            location: Some(("header", "Authorization".to_owned())),
            ..Self::new(401, "authError", message).canonical("UNAUTHENTICATED")
        }
    }

    /// The API is not enabled in the scanner's project.
    pub(crate) fn api_disabled(api: Api, project: &str) -> Self {
        let (title, service) = (api.title(), api.service());
        let message = format!(
            "{title} has not been used in project {project} before or it is disabled. Enable it by \
             visiting https://console.developers.google.com/apis/api/{service}/overview?project={project} \
             then retry. If you enabled this API recently, wait a few minutes for the action to \
             propagate to our systems and retry."
        );
        Self {
            domain: "usageLimits",
            details: vec![error_info("SERVICE_DISABLED", api)],
            ..Self::new(403, "accessNotConfigured", message).canonical("PERMISSION_DENIED")
        }
    }

    /// A quota is used up.
    pub(crate) fn quota(status: u16, reason: &'static str, message: &str) -> Self {
        let canonical = if status == 503 { "UNAVAILABLE" } else { "RESOURCE_EXHAUSTED" };
        Self { domain: "usageLimits", ..Self::new(status, reason, message).canonical(canonical) }
    }

    /// The page token is unknown, has ended or belongs to another listing.
    pub(crate) fn page_token() -> Self {
        Self::invalid("Invalid Input: pageToken")
    }

    /// The same refusal as plain text instead of JSON.
    pub(crate) fn in_plain_text(mut self) -> Self {
        self.plain = true;
        self
    }

    fn canonical(mut self, canonical: &'static str) -> Self {
        self.canonical = Some(canonical);
        self
    }

    /// The body as this API writes it.
    pub(crate) fn reply(&self, api: Api) -> Reply {
        let mut error = json!({ "code": self.status, "message": self.message });
        if api.classic() {
            let mut item =
                json!({ "message": self.message, "domain": self.domain, "reason": self.reason });
            if let Some((kind, location)) = &self.location {
                item["location"] = json!(location);
                item["locationType"] = json!(kind);
            }
            error["errors"] = json!([item]);
        }
        let told = !api.classic() || !self.details.is_empty() || self.status == 401;
        if let Some(canonical) = self.canonical.filter(|_| told) {
            error["status"] = json!(canonical);
        }
        if !self.details.is_empty() {
            error["details"] = json!(self.details);
        }
        let body = json!({ "error": error });
        let reply = if self.plain {
            Reply::new(self.status, "text/plain; charset=UTF-8", self.message.clone())
        } else {
            Reply::json(self.status, format!("{body:#}"))
        };
        match &self.header {
            Some((name, value)) => reply.with_header(name, value.clone()),
            None => reply,
        }
    }
}

fn error_info(reason: &str, api: Api) -> Json {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": { "service": api.service() },
    })
}

/// A refusal of the token endpoint.
pub(crate) fn oauth(status: u16, error: &str, description: &str) -> Reply {
    let body = json!({ "error": error, "error_description": description });
    Reply::json(status, body.to_string())
}

/// The page of a front end that knows no such address.
pub(crate) fn no_such_page(status: u16, path: &str) -> Reply {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=en><title>Error {status}</title><p><b>{status}.</b> \
         The requested URL <code>{path}</code> was refused by this server.\n"
    );
    Reply::new(status, "text/html; charset=UTF-8", body)
}
