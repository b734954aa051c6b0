//! Slack's dialect of errors: nearly always status 200 with `ok: false` and a code; 429 with `Retry-After`; a page of HTML when a front
//! end is in trouble. The codes, with their sources, are in section 7 of the API sheet.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use grantwarden_kit::{
    error::{Answer, ErrorKind},
    http::{Classify, Plain, Reply, Verdict},
    model::Timestamp,
};
use serde::Deserialize;
use serde_json::Value;

use crate::lenient::lenient;

/// Warnings that are kept.
const MOST_WARNINGS: usize = 20;

/// Reads Slack's replies, and keeps what Slack warns of in answers that are fine otherwise.
#[derive(Debug, Default)]
pub(crate) struct Slack {
    warnings: Mutex<BTreeSet<String>>,
}

impl Slack {
    /// What Slack warned of so far, each once.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.iter().cloned().collect()
    }

    fn heed(&self, head: Head) {
        let listed = head.response_metadata.and_then(|metadata| metadata.warnings);
        for warning in head.warning.into_iter().chain(listed.into_iter().flatten()) {
            let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if warnings.len() < MOST_WARNINGS && is_code(&warning) {
                warnings.insert(warning);
            }
        }
    }
}

/// Warnings are codes. Anything else may hold what nobody should see.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 60
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// What every answer of the Web API begins with.
#[derive(Deserialize)]
struct Head {
    #[serde(default, deserialize_with = "lenient")]
    ok: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    error: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    needed: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    provided: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    warning: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    response_metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default, deserialize_with = "lenient")]
    messages: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "lenient")]
    warnings: Option<Vec<String>>,
}

impl Classify for Slack {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        if let Ok(head) = serde_json::from_slice::<Head>(&reply.body) {
            if head.ok == Some(false) || head.error.is_some() {
                return by_code(&head, reply, now);
            }
            self.heed(head);
        }
        match Plain.classify(reply, now) {
            // A proxy or a front end that does not know the way answers 404, too, and does not say that something is not there.
            Verdict::Refused(ErrorKind::NotFound, answer) => {
                Verdict::Refused(ErrorKind::InvalidRequest, answer)
            }
            // A token made by hand cannot be renewed.
            Verdict::SignInAgain(answer) => Verdict::Refused(ErrorKind::Unauthorized, answer),
            other => other,
        }
    }
}

fn by_code(head: &Head, reply: &Reply, now: Timestamp) -> Verdict {
    let answer = answer(head, reply);
    let kind = match head.error.as_deref().unwrap_or_default() {
        "ratelimited" | "rate_limited" => return slow_down(answer, reply, now),
        "fatal_error" | "internal_error" | "service_unavailable" | "request_timeout" => {
            return Verdict::Unwell(answer);
        }
        "missing_scope"
        | "not_allowed_token_type"
        | "not_an_admin"
        | "not_allowed"
        | "no_permission"
        | "permission_denied"
        | "app_management_app_not_installed_on_org"
        | "org_login_required"
        | "enterprise_is_restricted"
        | "ekm_access_denied"
        | "access_denied"
        | "accesslimited"
        | "restricted_action"
        | "two_factor_setup_required" => ErrorKind::Forbidden,
        "feature_not_enabled" | "not_an_enterprise" => ErrorKind::Licence,
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            ErrorKind::Unauthorized
        }
        "invalid_cursor" => ErrorKind::PageExpired,
        "app_not_found"
        | "team_not_found"
        | "teams_not_found"
        | "enterprise_not_found"
        | "user_not_found"
        | "no_resolution_found" => ErrorKind::NotFound,
        _ if reply.status.is_success() => ErrorKind::InvalidRequest,
        // A code that we do not know: the status decides, and the code stays in the answer.
        _ => {
            return match Plain.classify(reply, now) {
                Verdict::SlowDown(..) => slow_down(answer, reply, now),
                Verdict::Unwell(_) => Verdict::Unwell(answer),
                Verdict::Fine => Verdict::Refused(ErrorKind::InvalidRequest, answer),
                Verdict::SignInAgain(_) => Verdict::Refused(ErrorKind::Unauthorized, answer),
                Verdict::Refused(ErrorKind::NotFound, _) => {
                    Verdict::Refused(ErrorKind::InvalidRequest, answer)
                }
                Verdict::Refused(kind, _) => Verdict::Refused(kind, answer),
            };
        }
    };
    Verdict::Refused(kind, answer)
}

fn answer(head: &Head, reply: &Reply) -> Answer {
    let mut texts = Vec::new();
    if let Some(needed) = &head.needed {
        texts.push(format!("needed: {needed}"));
    }
    if let Some(provided) = &head.provided {
        texts.push(format!("provided: {provided}"));
    }
    let messages = head.response_metadata.as_ref().and_then(|metadata| metadata.messages.as_ref());
    texts.extend(messages.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned));
    let code = head.error.clone();
    let text = texts.join("; ");
    Answer { status: reply.status.as_u16(), code, text }
}

fn slow_down(answer: Answer, reply: &Reply, now: Timestamp) -> Verdict {
    let named = match Plain.classify(reply, now) {
        Verdict::SlowDown(wait, _) => wait,
        // The same words with status 200.
        _ => reply
            .header("retry-after")
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs),
    };
    Verdict::SlowDown(named, answer)
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;

    fn verdict(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
        let headers: HeaderMap =
            headers.iter().map(|(k, v)| ((*k).parse().unwrap(), v.parse().unwrap())).collect();
        let reply = Reply::part(StatusCode::from_u16(status).unwrap(), headers, body.to_owned());
        Slack::default().classify(&reply, "2026-11-22T00:00:00Z".parse().unwrap())
    }

    fn code(code: &str) -> Verdict {
        verdict(200, &[], &format!(r#"{{"ok":false,"error":"{code}"}}"#))
    }

    #[test]
    fn the_code_decides_and_not_the_status() {
        for (text, kind) in [
            ("missing_scope", ErrorKind::Forbidden),
            ("not_allowed_token_type", ErrorKind::Forbidden),
            ("app_management_app_not_installed_on_org", ErrorKind::Forbidden),
            ("not_an_admin", ErrorKind::Forbidden),
            // No right helps while a workspace is being moved.
            ("team_added_to_org", ErrorKind::InvalidRequest),
            ("two_factor_setup_required", ErrorKind::Forbidden),
            ("feature_not_enabled", ErrorKind::Licence),
            ("token_revoked", ErrorKind::Unauthorized),
            ("account_inactive", ErrorKind::Unauthorized),
            ("token_expired", ErrorKind::Unauthorized),
            ("invalid_auth", ErrorKind::Unauthorized),
            ("invalid_cursor", ErrorKind::PageExpired),
            ("app_not_found", ErrorKind::NotFound),
            ("too_many_teams_provided", ErrorKind::InvalidRequest),
            ("brand_new_code", ErrorKind::InvalidRequest),
        ] {
            let Verdict::Refused(found, answer) = code(text) else { panic!("{text}") };
            assert_eq!((found, answer.code.as_deref()), (kind, Some(text)));
        }
        for text in ["fatal_error", "internal_error", "service_unavailable", "request_timeout"] {
            assert!(matches!(code(text), Verdict::Unwell(_)), "{text}");
        }
    }

    #[test]
    fn a_missing_scope_is_named() {
        let body = r#"{"ok":false,"error":"missing_scope","needed":"admin.apps:read","provided":"identify"}"#;
        let Verdict::Refused(ErrorKind::Forbidden, answer) = verdict(200, &[], body) else {
            panic!()
        };
        assert_eq!(answer.text, "needed: admin.apps:read; provided: identify");
    }

    #[test]
    fn slow_down_has_two_forms() {
        let body = r#"{"ok":false,"error":"ratelimited"}"#;
        let wait = Some(Duration::from_secs(30));
        for status in [429, 200] {
            let told = verdict(status, &[("retry-after", "30")], body);
            assert!(matches!(told, Verdict::SlowDown(found, _) if found == wait), "{status}");
        }
        assert!(matches!(code("ratelimited"), Verdict::SlowDown(None, _)));
        assert!(matches!(verdict(429, &[], "slow"), Verdict::SlowDown(None, _)));
    }

    #[test]
    fn what_is_no_answer_of_slack_proves_nothing() {
        for (status, body) in [(404, "<h1>404</h1>"), (410, ""), (404, r#"{"x":1}"#)] {
            let Verdict::Refused(kind, _) = verdict(status, &[], body) else { panic!("{body}") };
            assert_eq!(kind, ErrorKind::InvalidRequest, "{body}");
        }
        assert!(matches!(verdict(503, &[], "<html>"), Verdict::Unwell(_)));
        assert!(matches!(verdict(500, &[], r#"{"ok":false,"error":"x"}"#), Verdict::Unwell(_)));
        let refused = verdict(401, &[], "no");
        assert!(matches!(refused, Verdict::Refused(ErrorKind::Unauthorized, _)));
        assert!(matches!(verdict(200, &[], r#"{"ok":true}"#), Verdict::Fine));
        assert!(matches!(verdict(200, &[], r#"{"entries":[]}"#), Verdict::Fine));
    }

    #[test]
    fn warnings_are_kept_once_and_only_if_they_are_codes() {
        let slack = Slack::default();
        for body in [
            r#"{"ok":true,"warning":"superfluous_charset","response_metadata":{"warnings":["superfluous_charset"]}}"#,
            r#"{"ok":true,"warning":"the token xoxp-FAKE"}"#,
            r#"{"ok":true}"#,
        ] {
            let reply = Reply::part(StatusCode::OK, HeaderMap::new(), body.to_owned());
            let verdict = slack.classify(&reply, "2026-11-22T00:00:00Z".parse().unwrap());
            assert_eq!(verdict, Verdict::Fine);
        }
        assert_eq!(slack.warnings(), ["superfluous_charset"]);
    }
}
