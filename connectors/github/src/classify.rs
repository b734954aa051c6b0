//! GitHub's dialect of errors. A limit is never taken for a missing right although both may be 403, a missing right names the permission,
//! and an address for single sign-on, which signs in whoever opens it, is never repeated.

use std::time::Duration;

use grantwarden_kit::{
    error::{Answer, ErrorKind},
    http::{Classify, Plain, QuotaUse, Reply, Verdict},
    model::Timestamp,
};
use reqwest::StatusCode;
use serde::Deserialize;

/// Reads GitHub's replies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GithubDialect;

/// Codes of our own for refusals that GitHub has only words for.
pub(crate) const SAML: &str = "saml-enforcement";
pub(crate) const IP_ALLOW_LIST: &str = "ip-allow-list";
pub(crate) const SUSPENDED: &str = "installation-suspended";
pub(crate) const PRIMARY_LIMIT: &str = "primary-rate-limit";
pub(crate) const SECONDARY_LIMIT: &str = "secondary-rate-limit";
pub(crate) const API_VERSION: &str = "api-version";
pub(crate) const CLOCK: &str = "clock";
pub(crate) const LOCKED_OUT: &str = "locked-out";
pub(crate) const BAD_JWT: &str = "jwt-not-decoded";

/// Without a number: "wait for at least one minute" (API sheet, section 3).
const SECONDARY_WAIT: Duration = Duration::from_secs(60);
/// A limit that ends later than this is used up for this scan.
const LONGEST_WAIT: Duration = Duration::from_secs(150);
/// The limit of callers without a token, which is not the scanner's.
const ANONYMOUS_LIMIT: u64 = 60;

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// The part of a GraphQL reply that tells errors.
#[derive(Deserialize)]
struct GraphqlBody {
    #[serde(default)]
    errors: Vec<GraphqlError>,
}

#[derive(Deserialize)]
struct GraphqlError {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

impl Classify for GithubDialect {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        if reply.status.is_success() {
            return graphql_limit(reply, now).unwrap_or(Verdict::Fine);
        }
        let status = reply.status.as_u16();
        let body: Option<ErrorBody> = serde_json::from_slice(&reply.body).ok();
        let text = body.as_ref().map(text_of).unwrap_or_default();
        let answer = Answer { status, code: None, text };
        match reply.status {
            StatusCode::UNAUTHORIZED => Verdict::SignInAgain(unauthorized(answer)),
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                limit(answer.clone(), reply, now).unwrap_or_else(|| forbidden(answer, reply))
            }
            StatusCode::BAD_REQUEST if mentions(&answer.text, "api version") => {
                Verdict::Refused(ErrorKind::InvalidRequest, with_code(answer, API_VERSION))
            }
            // Of GitHub's own there is always a message: something else stands at the address, or between.
            StatusCode::NOT_FOUND if body.as_ref().is_none_or(|body| body.message.is_empty()) => {
                Verdict::Refused(ErrorKind::Malformed, answer)
            }
            StatusCode::UNPROCESSABLE_ENTITY if body.as_ref().is_some_and(is_about_page) => {
                Verdict::Refused(ErrorKind::PageExpired, answer)
            }
            _ => match Plain.classify(reply, now) {
                Verdict::Fine => Verdict::Refused(ErrorKind::InvalidRequest, answer),
                Verdict::SignInAgain(_) => Verdict::SignInAgain(answer),
                Verdict::SlowDown(wait, _) => Verdict::SlowDown(wait, answer),
                Verdict::Unwell(_) => Verdict::Unwell(answer),
                Verdict::Refused(kind, _) => Verdict::Refused(kind, answer),
            },
        }
    }

    /// The hour of calls to the REST API. GraphQL and the audit log have hours of their own.
    fn quota(&self, reply: &Reply) -> Option<QuotaUse> {
        if resource(reply) != "core" {
            return None;
        }
        let (max, left) =
            (number(reply, "x-ratelimit-limit")?, number(reply, "x-ratelimit-remaining")?);
        (max > ANONYMOUS_LIMIT).then(|| QuotaUse { used: max.saturating_sub(left), max })
    }
}

fn unauthorized(answer: Answer) -> Answer {
    if mentions(&answer.text, "'exp'") || mentions(&answer.text, "'iat'") {
        with_code(answer, CLOCK)
    } else if mentions(&answer.text, "json web token") || mentions(&answer.text, "jwt") {
        with_code(answer, BAD_JWT)
    } else {
        answer
    }
}

/// "Slow down" in all its forms: `retry-after`, an hour that is used up, or words only.
fn limit(answer: Answer, reply: &Reply, now: Timestamp) -> Option<Verdict> {
    let is_secondary =
        mentions(&answer.text, "secondary rate limit") || mentions(&answer.text, "abuse detection");
    let is_primary = mentions(&answer.text, "rate limit exceeded");
    // A call without the right may be the last one of the hour.
    let is_refusal =
        mentions(&answer.text, "not accessible by") || reply.header("x-github-sso").is_some();
    let is_used_up = number(reply, "x-ratelimit-remaining") == Some(0) && !is_refusal;
    let is_limit = is_secondary
        || is_primary
        || is_used_up
        || reply.status == StatusCode::TOO_MANY_REQUESTS
        || (reply.header("retry-after").is_some() && !is_refusal);
    if !is_limit {
        return None;
    }
    if let Some(seconds) = number(reply, "retry-after") {
        let wait = Duration::from_secs(seconds);
        return Some(Verdict::SlowDown(Some(wait), with_code(answer, SECONDARY_LIMIT)));
    }
    if !is_secondary
        && (is_used_up || is_primary)
        && let Some(reset) = number(reply, "x-ratelimit-reset")
    {
        return Some(used_up(answer, reply, reset, now));
    }
    Some(Verdict::SlowDown(Some(SECONDARY_WAIT), with_code(answer, SECONDARY_LIMIT)))
}

/// An hour of calls is used up: waits for the next one, if it begins soon. The hour of GraphQL or of the audit log must not end the rest
/// of the scan.
fn used_up(answer: Answer, reply: &Reply, reset: u64, now: Timestamp) -> Verdict {
    let now = reply.date().unwrap_or(now);
    let reset = i64::try_from(reset).ok().and_then(Timestamp::from_second);
    let wait = reset.map_or(SECONDARY_WAIT, |reset| now.until(reset));
    let resource = resource(reply);
    let answer = with_code(answer, &format!("{PRIMARY_LIMIT} {resource}"));
    if wait <= LONGEST_WAIT {
        return Verdict::SlowDown(Some(wait.saturating_add(Duration::from_secs(1))), answer);
    }
    let kind = if resource == "core" { ErrorKind::Quota } else { ErrorKind::Throttled };
    Verdict::Refused(kind, answer)
}

fn forbidden(answer: Answer, reply: &Reply) -> Verdict {
    let text = &answer.text;
    if mentions(text, "login attempts exceeded") {
        // So many wrong tokens that right ones are refused as well, for a while.
        return Verdict::Refused(ErrorKind::Unauthorized, with_code(answer, LOCKED_OUT));
    }
    let code = if reply.header("x-github-sso").is_some() || mentions(text, "saml enforcement") {
        Some(SAML.to_owned())
    } else if mentions(text, "ip allow list") {
        Some(IP_ALLOW_LIST.to_owned())
    } else if mentions(text, "installation has been suspended") {
        Some(SUSPENDED.to_owned())
    } else {
        reply
            .header("x-accepted-github-permissions")
            .filter(|names| !names.is_empty())
            .map(Into::into)
    };
    Verdict::Refused(ErrorKind::Forbidden, Answer { code, ..answer })
}

/// GraphQL refuses with 200 and a word in the body.
fn graphql_limit(reply: &Reply, now: Timestamp) -> Option<Verdict> {
    let is_graphql = reply.body.starts_with(b"{\"errors\"") || reply.body.starts_with(b"{\"data\"");
    let limits = |error: &GraphqlError| {
        error.kind.eq_ignore_ascii_case("RATE_LIMITED")
            || mentions(&error.message, "secondary rate limit")
    };
    if !is_graphql {
        return None;
    }
    let body: GraphqlBody = serde_json::from_slice(&reply.body).ok()?;
    let error = body.errors.into_iter().find(limits)?;
    let answer = Answer { status: 200, code: None, text: error.message };
    let reset = number(reply, "x-ratelimit-reset");
    Some(reset.map_or_else(
        || Verdict::SlowDown(Some(SECONDARY_WAIT), with_code(answer.clone(), SECONDARY_LIMIT)),
        |reset| used_up(answer.clone(), reply, reset, now),
    ))
}

/// Whether an error is about where a listing goes on.
fn is_about_page(body: &ErrorBody) -> bool {
    let fields = body.errors.iter().filter_map(|error| error.get("field")?.as_str());
    fields.into_iter().any(|field| matches!(field, "after" | "before" | "page" | "cursor"))
}

/// The message and the first few errors, without the addresses that may stand beside them.
fn text_of(body: &ErrorBody) -> String {
    let part = |error: &serde_json::Value| {
        if let Some(text) = error.as_str() {
            return text.to_owned();
        }
        let words = ["resource", "field", "code", "message"].into_iter();
        let words = words.filter_map(|name| error.get(name)?.as_str());
        words.collect::<Vec<_>>().join(" ")
    };
    let errors: Vec<String> = body.errors.iter().take(3).map(part).collect();
    match errors.is_empty() {
        true => body.message.clone(),
        false => format!("{} ({})", body.message, errors.join("; ")),
    }
}

fn with_code(answer: Answer, code: &str) -> Answer {
    Answer { code: Some(code.to_owned()), ..answer }
}

fn mentions(text: &str, words: &str) -> bool {
    text.to_lowercase().contains(words)
}

fn resource(reply: &Reply) -> &str {
    reply.header("x-ratelimit-resource").unwrap_or("core")
}

fn number(reply: &Reply, header: &str) -> Option<u64> {
    reply.header(header)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    const NOW: &str = "2026-01-15T12:00:00Z";

    fn verdict(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
        let map: HeaderMap =
            headers.iter().map(|(k, v)| ((*k).parse().unwrap(), v.parse().unwrap())).collect();
        let status = StatusCode::from_u16(status).unwrap();
        GithubDialect.classify(&Reply::part(status, map, body.to_owned()), NOW.parse().unwrap())
    }

    fn message(text: &str) -> String {
        serde_json::json!({ "message": text, "documentation_url": "https://docs.github.com", "status": "403" })
            .to_string()
    }

    fn wait(verdict: &Verdict) -> Option<u64> {
        match verdict {
            Verdict::SlowDown(wait, _) => wait.map(|wait| wait.as_secs()),
            other => panic!("not slow down: {other:?}"),
        }
    }

    fn refused(verdict: Verdict) -> (ErrorKind, Answer) {
        match verdict {
            Verdict::Refused(kind, answer) => (kind, answer),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn limits_are_no_missing_rights() {
        let secondary = message("You have exceeded a secondary rate limit. Please wait.");
        for status in [403, 429] {
            assert_eq!(wait(&verdict(status, &[("retry-after", "7")], &secondary)), Some(7));
            assert_eq!(wait(&verdict(status, &[], &secondary)), Some(60));
        }
        // A secondary limit with an hour that is used up by chance is still one.
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1768482000")];
        assert_eq!(wait(&verdict(403, &headers, &secondary)), Some(60));
        assert_eq!(wait(&verdict(429, &[], "")), Some(60));
        // An endless wait stays one: the door decides.
        let endless = u64::MAX.to_string();
        assert_eq!(wait(&verdict(403, &[("retry-after", &endless)], &secondary)), Some(u64::MAX));
    }

    #[test]
    fn an_hour_that_is_used_up_is_waited_for_only_if_the_next_is_near() {
        let primary = message("API rate limit exceeded for installation ID 1.");
        let at =
            |seconds: i64| (NOW.parse::<Timestamp>().unwrap().as_second() + seconds).to_string();
        let near = at(40);
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", near.as_str())];
        assert_eq!(wait(&verdict(403, &headers, &primary)), Some(41));
        let far = at(3_000);
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", far.as_str())];
        assert_eq!(refused(verdict(429, &headers, &primary)).0, ErrorKind::Quota);
        let audit = [&headers[..], &[("x-ratelimit-resource", "audit_log")]].concat();
        assert_eq!(refused(verdict(403, &audit, &primary)).0, ErrorKind::Throttled);
        // The server's own clock is the one that its reset goes by.
        let skewed = [&headers[..], &[("date", "Thu, 15 Jan 2026 12:49:50 GMT")]].concat();
        assert_eq!(wait(&verdict(403, &skewed, &primary)), Some(11));
    }

    #[test]
    fn a_missing_right_names_the_permission() {
        let text = message("Resource not accessible by integration");
        let headers = [
            ("x-accepted-github-permissions", "organization_hooks=read"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1768482000"),
        ];
        let (kind, answer) = refused(verdict(403, &headers, &text));
        assert_eq!(kind, ErrorKind::Forbidden);
        assert_eq!(answer.code.as_deref(), Some("organization_hooks=read"));
    }

    #[test]
    fn single_sign_on_is_told_without_its_address() {
        let text = message(
            "Resource protected by organization SAML enforcement. You must grant your token access.",
        );
        let sso =
            "required; url=https://github.com/orgs/acme/sso?authorization_request=FAKEREQUEST";
        let (kind, answer) = refused(verdict(403, &[("x-github-sso", sso)], &text));
        assert_eq!((kind, answer.code.as_deref()), (ErrorKind::Forbidden, Some(SAML)));
        assert!(!format!("{answer:?}").contains("FAKEREQUEST"));
        let list = message(
            "`acme` organization has an IP allow list enabled, and your IP address is not permitted",
        );
        assert_eq!(refused(verdict(403, &[], &list)).1.code.as_deref(), Some(IP_ALLOW_LIST));
    }

    #[test]
    fn the_rest_keeps_its_meaning() {
        assert!(matches!(verdict(401, &[], &message("Bad credentials")), Verdict::SignInAgain(_)));
        let (kind, _) = refused(verdict(404, &[], &message("Not Found")));
        assert_eq!(kind, ErrorKind::NotFound);
        assert!(matches!(verdict(502, &[], "<html>"), Verdict::Unwell(_)));
        let page = r#"{"message":"Validation Failed","errors":[{"resource":"AuditLog","field":"after","code":"invalid"}]}"#;
        let (kind, answer) = refused(verdict(422, &[], page));
        assert_eq!(kind, ErrorKind::PageExpired);
        assert_eq!(answer.text, "Validation Failed (AuditLog after invalid)");
        let other = r#"{"message":"Validation Failed","errors":["no such thing"]}"#;
        assert_eq!(refused(verdict(422, &[], other)).0, ErrorKind::InvalidRequest);
        let limited = r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#;
        assert_eq!(wait(&verdict(200, &[], limited)), Some(60));
        let part = r#"{"data":{"organization":null},"errors":[{"message":"You have exceeded a secondary rate limit."}]}"#;
        assert_eq!(wait(&verdict(200, &[], part)), Some(60));
        // What is not found in somebody else's words is not known to be missing.
        for words in ["<html>no such page</html>", "", "{}"] {
            assert_eq!(refused(verdict(404, &[], words)).0, ErrorKind::Malformed, "{words}");
        }
    }

    #[test]
    fn only_the_hour_of_the_rest_api_is_the_tenants_quota() {
        let quota = |headers: &[(&'static str, &str)]| {
            let map =
                headers.iter().map(|(k, v)| ((*k).parse().unwrap(), v.parse().unwrap())).collect();
            GithubDialect.quota(&Reply::part(StatusCode::OK, map, ""))
        };
        let of = |limit, left, resource| {
            [
                ("x-ratelimit-limit", limit),
                ("x-ratelimit-remaining", left),
                ("x-ratelimit-resource", resource),
            ]
        };
        assert_eq!(quota(&of("5000", "4000", "core")), Some(QuotaUse { used: 1_000, max: 5_000 }));
        assert_eq!(quota(&of("1750", "1", "audit_log")), None);
        assert_eq!(quota(&of("60", "1", "core")), None);
        assert_eq!(quota(&[]), None);
    }
}
