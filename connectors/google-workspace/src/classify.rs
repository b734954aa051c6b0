//! Google's dialect of errors: the older APIs give reasons, the newer ones a status with details, the token endpoint OAuth errors, and
//! front ends plain text. A quota 403 is never taken for a permission 403.

use std::time::Duration;

use grantwarden_kit::{
    error::{Answer, ErrorKind},
    http::{Classify, Plain, Reply, Verdict},
    model::Timestamp,
};
use serde::Deserialize;

/// How long to wait when a quota per minute is used up and no wait is named.
const QUOTA_MINUTE: Duration = Duration::from_secs(30);

/// Reads Google's replies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Google;

/// <https://cloud.google.com/apis/design/errors> and the older form with `errors`.
#[derive(Deserialize)]
struct ApiError {
    error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    errors: Vec<Item>,
    #[serde(default)]
    details: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    reason: Option<String>,
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Classify for Google {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        let status = reply.status.as_u16();
        if reply.status.is_success() {
            return if begins_with_error(&reply.body) {
                error_in_success(reply)
            } else {
                Verdict::Fine
            };
        }
        if let Ok(OAuthError { error, error_description }) = serde_json::from_slice(&reply.body) {
            let answer = Answer { status, code: Some(error), text: error_description };
            return match Plain.classify(reply, now) {
                Verdict::SlowDown(wait, _) => Verdict::SlowDown(wait, answer),
                Verdict::Unwell(_) => Verdict::Unwell(answer),
                _ => Verdict::Refused(ErrorKind::SignIn, answer),
            };
        }
        if let Ok(ApiError { error }) = serde_json::from_slice(&reply.body) {
            return by_reason(error, reply, now);
        }
        let text = String::from_utf8_lossy(&reply.body[..reply.body.len().min(500)]).into_owned();
        let answer = Answer { status, code: None, text };
        // Front ends write their refusals as plain text.
        if is_about_quota(&answer.text) {
            return slow_down(answer, reply, now);
        }
        proves_nothing_missing(Plain.classify(reply, now))
    }
}

/// Whether the first member of a JSON object is `error`: no answer of Google's that tells something begins so.
fn begins_with_error(body: &[u8]) -> bool {
    let rest = body.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    rest.is_some_and(|rest| rest.starts_with(b"\"error\""))
}

fn error_in_success(reply: &Reply) -> Verdict {
    let text = String::from_utf8_lossy(&reply.body[..reply.body.len().min(500)]).into_owned();
    Verdict::Unwell(Answer { status: reply.status.as_u16(), code: None, text })
}

/// A proxy or a front end that does not know the way answers 404, too: only Google's own "not found" says that something is not there.
fn proves_nothing_missing(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Refused(ErrorKind::NotFound, answer) => {
            Verdict::Refused(ErrorKind::InvalidRequest, answer)
        }
        other => other,
    }
}

fn by_reason(error: Inner, reply: &Reply, now: Timestamp) -> Verdict {
    let first = |items: Vec<Item>| items.into_iter().find_map(|item| item.reason);
    let code = first(error.errors).or_else(|| first(error.details)).or(error.status);
    let answer = Answer { status: reply.status.as_u16(), code, text: error.message };
    let kind = match (answer.code.as_deref().unwrap_or_default(), answer.status) {
        (
            "userRateLimitExceeded"
            | "rateLimitExceeded"
            | "quotaExceeded"
            | "sharingRateLimitExceeded"
            | "RATE_LIMIT_EXCEEDED"
            | "RESOURCE_EXHAUSTED",
            _,
        ) => return slow_down(answer, reply, now),
        ("dailyLimitExceeded", _) => ErrorKind::Quota,
        (
            "backendError" | "badGateway" | "gatewayTimeout" | "internalError" | "transientError",
            _,
        ) => {
            return Verdict::Unwell(answer);
        }
        // Reports answer so when the admin lacks the privilege.
        (_, 401) if answer.text.contains("not authorized to read activity") => ErrorKind::Forbidden,
        (
            "forbidden"
            | "insufficientPermissions"
            | "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            | "accessNotConfigured"
            | "SERVICE_DISABLED"
            | "PERMISSION_DENIED"
            | "domainPolicy",
            403,
        ) => ErrorKind::Forbidden,
        ("notFound" | "NOT_FOUND", 404) => ErrorKind::NotFound,
        (_, 400) if mentions_page_token(&answer.text) => ErrorKind::PageExpired,
        (_, 503) if is_about_quota(&answer.text) => return slow_down(answer, reply, now),
        _ => {
            // A reason that we do not know: the status decides, and the reason stays in the error.
            return match proves_nothing_missing(Plain.classify(reply, now)) {
                Verdict::Fine => Verdict::Refused(ErrorKind::InvalidRequest, answer),
                Verdict::SignInAgain(_) => Verdict::SignInAgain(answer),
                Verdict::SlowDown(_, _) => slow_down(answer, reply, now),
                Verdict::Unwell(_) => Verdict::Unwell(answer),
                Verdict::Refused(kind, _) => Verdict::Refused(kind, answer),
            };
        }
    };
    Verdict::Refused(kind, answer)
}

fn slow_down(answer: Answer, reply: &Reply, now: Timestamp) -> Verdict {
    let named = match Plain.classify(reply, now) {
        Verdict::SlowDown(wait, _) => wait,
        _ => None,
    };
    // The Reports API has quotas per minute only, and answers 503 (API sheet, section 3).
    let is_minute = answer.text.contains("per minute") || answer.status == 503;
    let minute = is_minute.then_some(QUOTA_MINUTE);
    Verdict::SlowDown(named.or(minute), answer)
}

fn is_about_quota(text: &str) -> bool {
    text.starts_with("Request rate higher than configured") || text.starts_with("Quota exceeded")
}

fn mentions_page_token(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("pagetoken") || lower.contains("page token")
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;

    fn verdict(status: u16, body: &str) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        let reply = Reply::part(status, HeaderMap::new(), body.to_owned());
        Google.classify(&reply, "2026-11-22T00:00:00Z".parse().unwrap())
    }

    fn classic(status: u16, reason: &str, message: &str) -> Verdict {
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"{message}","errors":[{{"message":"{message}","domain":"global","reason":"{reason}"}}]}}}}"#
        );
        verdict(status, &body)
    }

    #[test]
    fn a_quota_403_is_no_permission_403() {
        assert!(matches!(classic(403, "userRateLimitExceeded", "x"), Verdict::SlowDown(None, _)));
        assert!(matches!(classic(403, "quotaExceeded", "x"), Verdict::SlowDown(None, _)));
        assert!(matches!(classic(429, "rateLimitExceeded", "x"), Verdict::SlowDown(None, _)));
        assert!(matches!(
            classic(403, "dailyLimitExceeded", "x"),
            Verdict::Refused(ErrorKind::Quota, _)
        ));
        assert!(matches!(
            classic(403, "forbidden", "Not Authorized to access this resource/api"),
            Verdict::Refused(ErrorKind::Forbidden, _)
        ));
        let plain = verdict(403, "Request rate higher than configured.");
        assert!(matches!(plain, Verdict::SlowDown(None, _)));
        let minute = verdict(
            429,
            r#"{"error":{"code":429,"message":"Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute'","status":"RESOURCE_EXHAUSTED"}}"#,
        );
        assert!(matches!(minute, Verdict::SlowDown(Some(QUOTA_MINUTE), _)));
    }

    #[test]
    fn reads_the_first_reason_then_details_then_status() {
        let disabled = verdict(
            403,
            r#"{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}"#,
        );
        let Verdict::Refused(ErrorKind::Forbidden, answer) = disabled else {
            panic!("{disabled:?}")
        };
        assert_eq!(answer.code.as_deref(), Some("SERVICE_DISABLED"));
        let unknown = classic(403, "brandNew", "x");
        let Verdict::Refused(ErrorKind::Forbidden, answer) = unknown else { panic!("{unknown:?}") };
        assert_eq!(answer.code.as_deref(), Some("brandNew"));
    }

    #[test]
    fn tells_the_other_errors_apart() {
        assert!(matches!(classic(401, "authError", "x"), Verdict::SignInAgain(_)));
        assert!(matches!(
            classic(
                401,
                "authError",
                "Access denied. You are not authorized to read activity records."
            ),
            Verdict::Refused(ErrorKind::Forbidden, _)
        ));
        assert!(matches!(
            classic(404, "notFound", "Resource Not Found: userKey"),
            Verdict::Refused(ErrorKind::NotFound, _)
        ));
        assert!(matches!(
            classic(400, "invalid", "Invalid Input: pageToken"),
            Verdict::Refused(ErrorKind::PageExpired, _)
        ));
        assert!(matches!(classic(503, "backendError", "x"), Verdict::Unwell(_)));
        assert!(matches!(
            verdict(503, "Quota exceeded for the current request"),
            Verdict::SlowDown(Some(QUOTA_MINUTE), _)
        ));
        for (status, body) in [
            (404, "<html>no such route</html>"),
            (410, "gone"),
            (404, r#"{"error":{"code":404,"message":"no such route"}}"#),
            (404, r#"{"message":"no such route"}"#),
        ] {
            let Verdict::Refused(kind, _) = verdict(status, body) else { panic!("{body}") };
            assert_eq!(kind, ErrorKind::InvalidRequest, "{body}");
        }
        assert!(matches!(
            verdict(401, r#"{"error":"unauthorized_client","error_description":"x"}"#),
            Verdict::Refused(ErrorKind::SignIn, _)
        ));
        assert!(matches!(verdict(502, "<html>"), Verdict::Unwell(_)));
        assert!(matches!(verdict(200, " {\n \"error\": {\"code\": 500}}"), Verdict::Unwell(_)));
        assert!(matches!(verdict(200, r#"{"errors":0,"error":1}"#), Verdict::Fine));
    }
}
