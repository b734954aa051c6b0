//! Salesforce's dialect of errors: REST answers with an array, the token endpoint with an object, the Metadata API with a SOAP
//! fault. A quota 403 is never taken for a permission 403.

use grantwarden_kit::{
    error::{Answer, ErrorKind},
    http::{Classify, Plain, QuotaUse, Reply, Verdict},
    model::Timestamp,
};
use reqwest::StatusCode;
use serde::Deserialize;

use crate::metadata;

/// Reads Salesforce's replies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Salesforce;

/// <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm>
#[derive(Deserialize)]
struct RestError {
    #[serde(rename = "errorCode", default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Classify for Salesforce {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        let status = reply.status.as_u16();
        if reply.status.is_success() {
            return Verdict::Fine;
        }
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            // Salesforce does not document it; what stands in front of it may send it. The status says that it passes, whatever the body.
            return Plain.classify(reply, now);
        }
        if let Ok(errors) = serde_json::from_slice::<Vec<RestError>>(&reply.body)
            && let Some(error) = errors.into_iter().next()
        {
            // A query error repeats the query before it comes to the point, and explains custom fields after it.
            let point = error.message.find("ERROR at Row").unwrap_or(0);
            let text = error.message[point..]
                .split(" If you are attempting")
                .next()
                .unwrap_or_default()
                .to_owned();
            return by_code(Answer { status, code: Some(error.code), text }, reply, now);
        }
        if let Ok(error) = serde_json::from_slice::<OAuthError>(&reply.body) {
            let answer = Answer { status, code: Some(error.error), text: error.error_description };
            return if reply.status.is_server_error() {
                Verdict::Unwell(answer)
            } else {
                Verdict::Refused(ErrorKind::SignIn, answer)
            };
        }
        if let Some((code, text)) = metadata::fault(&reply.body) {
            return by_code(Answer { status, code: Some(code), text }, reply, now);
        }
        match status {
            // Salesforce Edge.
            420 => Verdict::Unwell(Answer { status, code: None, text: String::new() }),
            _ => Plain.classify(reply, now),
        }
    }

    /// `Sforce-Limit-Info: api-usage=18/5000`
    fn quota(&self, reply: &Reply) -> Option<QuotaUse> {
        let usage = reply.header("sforce-limit-info")?.split("api-usage=").nth(1)?;
        let (used, max) = usage.split_once('/')?;
        let digits =
            |text: &str| text.trim().split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
        Some(QuotaUse { used: digits(used)?, max: digits(max)? })
    }
}

fn by_code(answer: Answer, reply: &Reply, now: Timestamp) -> Verdict {
    let kind = match answer.code.as_deref().unwrap_or_default() {
        "INVALID_SESSION_ID" => return Verdict::SignInAgain(answer),
        // Only the limit on long calls in flight passes by itself; the daily limit is over for this scan.
        "REQUEST_LIMIT_EXCEEDED" if answer.text.contains("ConcurrentRequests") => {
            return Verdict::SlowDown(None, answer);
        }
        "REQUEST_LIMIT_EXCEEDED" => ErrorKind::Quota,
        "SERVER_UNAVAILABLE" | "UNABLE_TO_LOCK_ROW" | "QUERY_TIMEOUT" => {
            return Verdict::Unwell(answer);
        }
        // Every object that the connector asks for exists in every org, but for external client apps: it is hidden, not missing.
        "INVALID_TYPE" => ErrorKind::Forbidden,
        "INVALID_FIELD" => ErrorKind::Unsupported,
        "INVALID_QUERY_LOCATOR" | "QUERY_LOCATOR_EXPIRED" => ErrorKind::PageExpired,
        "INSUFFICIENT_ACCESS"
        | "INSUFFICIENT_ACCESS_OR_READONLY"
        | "API_DISABLED_FOR_ORG"
        | "API_CURRENTLY_DISABLED"
        | "FUNCTIONALITY_NOT_ENABLED" => ErrorKind::Forbidden,
        "NOT_FOUND" => ErrorKind::NotFound,
        "MALFORMED_QUERY" | "NUMBER_OUTSIDE_VALID_RANGE" => ErrorKind::InvalidRequest,
        _ => {
            // A code that we do not know: the status decides, and the code stays in the error.
            return match Plain.classify(reply, now) {
                Verdict::Fine => Verdict::Refused(ErrorKind::InvalidRequest, answer),
                Verdict::SignInAgain(_) => Verdict::SignInAgain(answer),
                Verdict::SlowDown(wait, _) => Verdict::SlowDown(wait, answer),
                Verdict::Unwell(_) => Verdict::Unwell(answer),
                Verdict::Refused(kind, _) => Verdict::Refused(kind, answer),
            };
        }
    };
    Verdict::Refused(kind, answer)
}
