//! Microsoft's dialect of errors: Graph answers with `error.code`, the token endpoint with `error` and AADSTS numbers. A missing licence
//! is never taken for a missing right, and "slow down" for neither.

use grantwarden_kit::{
    error::{Answer, ErrorKind},
    http::{Classify, Plain, Reply, Verdict},
    model::Timestamp,
};
use reqwest::StatusCode;
use serde::Deserialize;

/// Reads Microsoft's replies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Microsoft;

/// <https://learn.microsoft.com/en-us/graph/errors>
#[derive(Deserialize)]
struct GraphError {
    error: Details,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>
#[derive(Deserialize)]
struct SignInError {
    error: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    error_codes: Vec<u64>,
}

impl Classify for Microsoft {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        if reply.status.is_success() {
            return Verdict::Fine;
        }
        let status = reply.status.as_u16();
        if let Ok(GraphError { error }) = serde_json::from_slice(&reply.body) {
            let answer = Answer { status, code: Some(error.code), text: error.message };
            return by_code(answer, reply, now);
        }
        if let Ok(error) = serde_json::from_slice::<SignInError>(&reply.body) {
            return sign_in(error, reply, now);
        }
        by_status(Answer { status, code: None, text: String::new() }, reply, now)
    }
}

fn by_code(answer: Answer, reply: &Reply, now: Timestamp) -> Verdict {
    if reply.status == StatusCode::TOO_MANY_REQUESTS {
        return by_status(answer, reply, now);
    }
    let kind = match answer.code.as_deref().unwrap_or_default() {
        "InvalidAuthenticationToken" | "CompactToken" => return Verdict::SignInAgain(answer),
        "Authorization_RequestDenied" | "Authentication_MSGraphPermissionMissing" => {
            ErrorKind::Forbidden
        }
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant" => ErrorKind::Licence,
        "Request_ResourceNotFound" => ErrorKind::NotFound,
        "Directory_ExpiredPageToken" => ErrorKind::PageExpired,
        // A report that this version of Graph, or this cloud, does not have.
        _ if answer.text.contains("Resource not found for the segment") => ErrorKind::Unsupported,
        _ => return by_status(answer, reply, now),
    };
    Verdict::Refused(kind, answer)
}

fn sign_in(error: SignInError, reply: &Reply, now: Timestamp) -> Verdict {
    let code = match error.error_codes.first() {
        Some(number) => format!("AADSTS{number}"),
        None => error.error,
    };
    // The trace and correlation ids that follow are of no use to a reader.
    let text = error.error_description.split(" Trace ID:").next().unwrap_or_default().to_owned();
    let answer = Answer { status: reply.status.as_u16(), code: Some(code), text };
    if reply.status.is_server_error() || reply.status == StatusCode::TOO_MANY_REQUESTS {
        return by_status(answer, reply, now);
    }
    Verdict::Refused(ErrorKind::SignIn, answer)
}

/// The status decides, and the code stays in the error.
fn by_status(answer: Answer, reply: &Reply, now: Timestamp) -> Verdict {
    match Plain.classify(reply, now) {
        Verdict::Fine => Verdict::Refused(ErrorKind::InvalidRequest, answer),
        Verdict::SignInAgain(_) => Verdict::SignInAgain(answer),
        Verdict::SlowDown(wait, _) => Verdict::SlowDown(wait, answer),
        // 504 may name a time, too.
        Verdict::Unwell(_) if reply.header("retry-after").is_some() => {
            let seconds = reply.header("retry-after").and_then(|text| text.trim().parse().ok());
            Verdict::SlowDown(seconds.map(std::time::Duration::from_secs), answer)
        }
        Verdict::Unwell(_) => Verdict::Unwell(answer),
        Verdict::Refused(kind, _) => Verdict::Refused(kind, answer),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::HeaderMap;

    use super::*;

    fn verdict(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
        let map: HeaderMap =
            headers.iter().map(|(k, v)| ((*k).parse().unwrap(), v.parse().unwrap())).collect();
        let status = StatusCode::from_u16(status).unwrap();
        let reply = Reply::part(status, map, body.to_owned());
        Microsoft.classify(&reply, "2026-01-01".parse().unwrap())
    }

    fn graph(code: &str, message: &str) -> String {
        format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#)
    }

    fn kind(verdict: &Verdict) -> Option<ErrorKind> {
        match verdict {
            Verdict::Refused(kind, _) => Some(*kind),
            _ => None,
        }
    }

    #[test]
    fn tells_a_right_a_licence_and_a_feature_apart() {
        let denied = verdict(403, &[], &graph("Authorization_RequestDenied", "Insufficient"));
        assert_eq!(kind(&denied), Some(ErrorKind::Forbidden));
        let logs = verdict(403, &[], &graph("Authentication_MSGraphPermissionMissing", "m"));
        assert_eq!(kind(&logs), Some(ErrorKind::Forbidden));
        let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
        assert_eq!(kind(&verdict(403, &[], &graph(code, "m"))), Some(ErrorKind::Licence));
        let text = "Resource not found for the segment 'servicePrincipalSignInActivities'.";
        assert_eq!(
            kind(&verdict(400, &[], &graph("BadRequest", text))),
            Some(ErrorKind::Unsupported)
        );
        let page = verdict(400, &[], &graph("Directory_ExpiredPageToken", "m"));
        assert_eq!(kind(&page), Some(ErrorKind::PageExpired));
    }

    #[test]
    fn slow_down_is_slow_down_whatever_the_code() {
        let body = graph("Authorization_RequestDenied", "odd");
        let Verdict::SlowDown(wait, answer) = verdict(429, &[("retry-after", "11")], &body) else {
            panic!("not slow down")
        };
        assert_eq!(wait, Some(Duration::from_secs(11)));
        assert_eq!(answer.code.as_deref(), Some("Authorization_RequestDenied"));
        let body = graph("UnknownError", "");
        assert!(matches!(
            verdict(504, &[("retry-after", "3")], &body),
            Verdict::SlowDown(Some(_), _)
        ));
        assert!(matches!(verdict(504, &[], &body), Verdict::Unwell(_)));
    }

    #[test]
    fn a_refused_sign_in_has_its_number_and_no_trace() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired. Trace ID: FAKE Correlation ID: x","error_codes":[7000222]}"#;
        let Verdict::Refused(ErrorKind::SignIn, answer) = verdict(401, &[], body) else {
            panic!("not refused")
        };
        assert_eq!(answer.code.as_deref(), Some("AADSTS7000222"));
        assert!(!answer.text.contains("Trace"), "{}", answer.text);
    }

    /// Continuous access evaluation ends a token before its time: a new one is asked for.
    #[test]
    fn a_claims_challenge_asks_for_a_new_token() {
        let challenge = r#"Bearer realm="", error="insufficient_claims", claims="e30=""#;
        let body = graph("InvalidAuthenticationToken", "Continuous access evaluation");
        let verdict = verdict(401, &[("www-authenticate", challenge)], &body);
        assert!(matches!(verdict, Verdict::SignInAgain(_)));
    }
}
