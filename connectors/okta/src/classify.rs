//! Okta's dialect of errors: codes of the API, OAuth errors of the token endpoint, challenges without a body, and the headers that tell
//! what is left of a minute's calls.

use std::time::Duration;

use grantwarden_kit::{
    error::{Answer, ErrorKind},
    http::{Classify, Plain, Reply, Verdict, Window},
    model::Timestamp,
};
use serde::Deserialize;

/// Added to the time that the platform names: its clock counts whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// Windows last a minute. A reset that is farther off is not one to be sat out.
const LONGEST_WINDOW: Duration = Duration::from_secs(120);

/// The code of a call whose token lacks the scope; Okta gives it in a header only.
pub(crate) const INSUFFICIENT_SCOPE: &str = "insufficient_scope";
/// The role does not allow it, or the token lacks the scope.
pub(crate) const NOT_ALLOWED: &str = "E0000006";
/// The thing that was asked for is not there.
pub(crate) const NOT_FOUND: &str = "E0000007";

/// Reads Okta's replies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect;

/// <https://developer.okta.com/docs/reference/error-codes/>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiError {
    error_code: String,
    #[serde(default)]
    error_summary: String,
    #[serde(default)]
    error_causes: Vec<Cause>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cause {
    #[serde(default)]
    error_summary: String,
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Classify for Dialect {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        if reply.status.is_success() {
            return Verdict::Fine;
        }
        let status = reply.status.as_u16();
        if let Ok(error) = serde_json::from_slice::<ApiError>(&reply.body) {
            let causes = error.error_causes.into_iter().map(|cause| cause.error_summary);
            let texts: Vec<String> = std::iter::once(error.error_summary).chain(causes).collect();
            let answer = Answer { status, code: Some(error.error_code), text: texts.join("; ") };
            return by_code(answer, reply, now);
        }
        if let Ok(OAuthError { error, error_description }) = serde_json::from_slice(&reply.body) {
            let answer = Answer { status, code: Some(error), text: error_description };
            let code = answer.code.as_deref();
            return match Plain.classify(reply, now) {
                Verdict::SlowDown(..) => Verdict::SlowDown(wait(reply, now), answer),
                Verdict::Unwell(_) => Verdict::Unwell(answer),
                // Paths below /oauth2 may answer a call so, too (RFC 6750 section 3.1).
                Verdict::SignInAgain(_) if code == Some("invalid_token") => {
                    Verdict::SignInAgain(answer)
                }
                _ if code == Some(INSUFFICIENT_SCOPE) => {
                    let text = missing_scope(reply).unwrap_or(answer.text);
                    Verdict::Refused(ErrorKind::Forbidden, Answer { text, ..answer })
                }
                _ => Verdict::Refused(ErrorKind::SignIn, answer),
            };
        }
        if let Some(scope) = missing_scope(reply) {
            let code = Some(INSUFFICIENT_SCOPE.to_owned());
            return Verdict::Refused(ErrorKind::Forbidden, Answer { status, code, text: scope });
        }
        match Plain.classify(reply, now) {
            Verdict::SlowDown(_, answer) => Verdict::SlowDown(wait(reply, now), answer),
            // A proxy that does not know the way answers so, too: only Okta's own words say that something is not there.
            Verdict::Refused(ErrorKind::NotFound, answer) => {
                Verdict::Refused(ErrorKind::InvalidRequest, answer)
            }
            other => other,
        }
    }

    /// <https://developer.okta.com/docs/reference/rl-best-practices/>. Windows last a minute; one of no calls at all stands for too many at
    /// the same time and is no window.
    fn window(&self, reply: &Reply, now: Timestamp) -> Option<Window> {
        let number = |name: &str| reply.header(name)?.trim().parse::<u64>().ok();
        let limit = number("x-rate-limit-limit").filter(|limit| *limit > 0)?;
        let remaining = number("x-rate-limit-remaining")?;
        let resets_in = until_reset(reply, now).filter(|span| *span <= LONGEST_WINDOW)?;
        Some(Window { limit, remaining, resets_in })
    }
}

fn by_code(answer: Answer, reply: &Reply, now: Timestamp) -> Verdict {
    let kind = match (answer.code.as_deref().unwrap_or_default(), answer.status) {
        ("E0000047", _) | (_, 429) => return Verdict::SlowDown(wait(reply, now), answer),
        ("E0000004" | "E0000005" | "E0000011", 401) => return Verdict::SignInAgain(answer),
        (NOT_ALLOWED, _) => ErrorKind::Forbidden,
        ("E0000015" | "E0000038", _) => ErrorKind::Licence,
        (NOT_FOUND, 404) => ErrorKind::NotFound,
        ("E0000001" | "E0000031", 400) if is_about_cursor(&answer.text) => ErrorKind::PageExpired,
        ("E0000009", _) => return Verdict::Unwell(answer),
        _ => {
            // A code that we do not know: the status decides, and the code stays in the error.
            return match Plain.classify(reply, now) {
                Verdict::Fine | Verdict::Refused(ErrorKind::NotFound, _) => {
                    Verdict::Refused(ErrorKind::InvalidRequest, answer)
                }
                Verdict::SignInAgain(_) => Verdict::SignInAgain(answer),
                Verdict::SlowDown(..) => Verdict::SlowDown(wait(reply, now), answer),
                Verdict::Unwell(_) => Verdict::Unwell(answer),
                Verdict::Refused(kind, _) => Verdict::Refused(kind, answer),
            };
        }
    };
    Verdict::Refused(kind, answer)
}

/// The parameter that carries the place in a listing is `after`.
fn is_about_cursor(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "after" || word == "cursor")
}

/// How long Okta asks to wait: as `Retry-After` says, or until the minute is over.
fn wait(reply: &Reply, now: Timestamp) -> Option<Duration> {
    let named = match Plain.classify(reply, now) {
        Verdict::SlowDown(named, _) => named,
        _ => None,
    };
    named.or_else(|| until_reset(reply, now))
}

/// The reset is a time by Okta's clock, and so is the date of the reply: ours does not matter if it tells both.
fn until_reset(reply: &Reply, now: Timestamp) -> Option<Duration> {
    let reset = reply.header("x-rate-limit-reset")?.trim().parse::<i64>().ok()?;
    let asked_at = reply.date().unwrap_or(now);
    Some(asked_at.until(Timestamp::from_second(reset)?) + SECOND)
}

/// The scope that a challenge asks for (RFC 6750 section 3). Okta sends no body with it.
fn missing_scope(reply: &Reply) -> Option<String> {
    if reply.status.as_u16() != 403 {
        return None;
    }
    let challenge = reply.header("www-authenticate")?;
    if !challenge.contains(INSUFFICIENT_SCOPE) {
        return None;
    }
    let scope = challenge.split_once("scope=\"").and_then(|(_, rest)| rest.split('"').next());
    Some(scope.unwrap_or("a scope that Okta does not name").to_owned())
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Reply::part(StatusCode::from_u16(status).unwrap(), headers, body.to_owned())
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn verdict(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
        Dialect.classify(&reply(status, headers, body), now())
    }

    fn coded(status: u16, code: &str, summary: &str) -> Verdict {
        let body = format!(
            r#"{{"errorCode":"{code}","errorSummary":"{summary}","errorLink":"{code}","errorId":"oaeFAKE","errorCauses":[]}}"#
        );
        verdict(status, &[], &body)
    }

    fn refused(verdict: &Verdict) -> ErrorKind {
        match verdict {
            Verdict::Refused(kind, _) => *kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_code_has_its_class() {
        assert!(matches!(
            coded(401, "E0000011", "Invalid token provided"),
            Verdict::SignInAgain(_)
        ));
        assert!(matches!(coded(401, "E0000005", "Invalid session"), Verdict::SignInAgain(_)));
        assert!(matches!(coded(429, "E0000047", "x"), Verdict::SlowDown(None, _)));
        assert!(matches!(coded(500, "E0000009", "x"), Verdict::Unwell(_)));
        for (status, code, kind) in [
            (403, "E0000006", ErrorKind::Forbidden),
            (401, "E0000015", ErrorKind::Licence),
            (403, "E0000038", ErrorKind::Licence),
            (404, "E0000007", ErrorKind::NotFound),
            (404, "E0000022", ErrorKind::InvalidRequest),
            (403, "E0000056", ErrorKind::Forbidden),
            (400, "E0000003", ErrorKind::InvalidRequest),
            (405, "E0000022", ErrorKind::InvalidRequest),
        ] {
            assert_eq!(refused(&coded(status, code, "x")), kind, "{status} {code}");
        }
        let cursor = coded(400, "E0000001", "Api validation failed: after");
        assert_eq!(refused(&cursor), ErrorKind::PageExpired);
        let other = coded(400, "E0000001", "Api validation failed: limit");
        assert_eq!(refused(&other), ErrorKind::InvalidRequest);
    }

    #[test]
    fn only_oktas_own_words_say_that_something_is_not_there() {
        for body in ["", "<html>no such page</html>", r#"{"message":"no such route"}"#] {
            assert_eq!(refused(&verdict(404, &[], body)), ErrorKind::InvalidRequest, "{body}");
            assert_eq!(refused(&verdict(410, &[], body)), ErrorKind::InvalidRequest, "{body}");
        }
    }

    #[test]
    fn a_challenge_without_a_body_names_the_scope() {
        let challenge = r#"Bearer authorization_uri="https://x", scope="okta.apps.read", error="insufficient_scope""#;
        let Verdict::Refused(ErrorKind::Forbidden, answer) =
            verdict(403, &[("www-authenticate", challenge)], "")
        else {
            panic!("not forbidden");
        };
        assert_eq!(answer.text, "okta.apps.read");
        assert_eq!(answer.code.as_deref(), Some(INSUFFICIENT_SCOPE));
        assert_eq!(refused(&verdict(403, &[], "")), ErrorKind::Forbidden);
    }

    #[test]
    fn the_token_endpoint_speaks_oauth() {
        let body =
            r#"{"error":"invalid_scope","error_description":"One or more scopes are not granted"}"#;
        let Verdict::Refused(ErrorKind::SignIn, answer) = verdict(400, &[], body) else {
            panic!("not refused");
        };
        assert_eq!(answer.code.as_deref(), Some("invalid_scope"));
        let narrow = r#"{"error":"insufficient_scope","error_description":"x"}"#;
        assert_eq!(refused(&verdict(403, &[], narrow)), ErrorKind::Forbidden);
        let ended = r#"{"error":"invalid_token"}"#;
        assert!(matches!(verdict(401, &[], ended), Verdict::SignInAgain(_)));
        let client = r#"{"error":"invalid_client"}"#;
        assert_eq!(refused(&verdict(401, &[], client)), ErrorKind::SignIn);
    }

    #[test]
    fn waits_until_the_reset_by_oktas_own_clock() {
        let reset = now().as_second() + 3_620;
        let reset = reset.to_string();
        // Okta's clock is an hour ahead of ours.
        let headers = [
            ("date", "Sun, 22 Nov 2026 13:00:00 GMT"),
            ("x-rate-limit-limit", "600"),
            ("x-rate-limit-remaining", "7"),
            ("x-rate-limit-reset", reset.as_str()),
        ];
        let wait = Duration::from_secs(21);
        assert!(
            matches!(verdict(429, &headers, ""), Verdict::SlowDown(Some(span), _) if span == wait)
        );
        let window = Dialect.window(&reply(200, &headers, "[]"), now()).unwrap();
        assert_eq!(window, Window { limit: 600, remaining: 7, resets_in: wait });
        let all_at_once =
            [headers[0], ("x-rate-limit-limit", "0"), ("x-rate-limit-remaining", "0"), headers[3]];
        assert_eq!(Dialect.window(&reply(429, &all_at_once, ""), now()), None);
        assert!(
            matches!(verdict(429, &all_at_once, ""), Verdict::SlowDown(Some(span), _) if span == wait)
        );
    }
}
