//! What is missing and why, in GitHub's terms. "Not found" is what GitHub says of things that we may not see: it is never "none".

use grantwarden_kit::{
    error::{Error, ErrorKind},
    ledger::{Ledger, gap_of},
    model::{Gap, Observed, Reason, Timestamp},
};
use serde_json::Value;

use crate::MANIFEST;

/// The gap that an error leaves in a facet.
pub(super) fn of(facet: &str, error: &Error) -> Gap {
    if error.kind != ErrorKind::NotFound {
        return gap_of(facet, error);
    }
    let right = MANIFEST.facet(facet).map_or("", |facet| facet.right.as_str());
    let detail = format!(
        "GitHub answers \"not found\", which it also says of what we may not see: no permission ({right}), or not on this plan"
    );
    Gap::new(Reason::Permission, facet, detail)
}

/// Books a failed read and returns its gap.
pub(super) fn fail(ledger: &Ledger, facet: &str, error: &Error) -> Gap {
    let gap = of(facet, error);
    ledger.lose(gap.clone(), None);
    gap
}

/// A fact that GitHub tells nobody, or not in this listing.
pub(super) fn silent<T>(facet: &str, detail: impl Into<String>) -> Observed<T> {
    Observed::unknown(Reason::PlatformSilent, facet, detail)
}

/// A value that is not what the API promises.
pub(super) fn odd<T>(facet: &str, detail: impl Into<String>) -> Observed<T> {
    Observed::unknown(Reason::CallFailed, facet, detail)
}

/// A time as GitHub writes it. Missing is not known, and a text that is no time is a gap.
pub(super) fn time(facet: &str, text: Option<&str>) -> Observed<Timestamp> {
    match text.map(str::parse) {
        Some(Ok(at)) => Observed::Known(at),
        Some(Err(_)) => odd(facet, "GitHub wrote a time in a form that is not known"),
        None => silent(facet, "GitHub does not tell when"),
    }
}

/// A time that some replies write as text and others as seconds since 1970.
pub(super) fn time_of(facet: &str, value: Option<&Value>) -> Observed<Timestamp> {
    match value {
        Some(Value::Number(seconds)) => {
            let at = seconds.as_i64().and_then(Timestamp::from_second);
            at.map_or_else(
                || odd(facet, "GitHub wrote a time in a form that is not known"),
                Observed::Known,
            )
        }
        Some(Value::String(text)) => time(facet, Some(text)),
        Some(_) => odd(facet, "GitHub wrote a time in a form that is not known"),
        None => time(facet, None),
    }
}

/// A time that is null if it never was.
pub(super) fn told_time(facet: &str, told: Option<&Option<String>>) -> Observed<Timestamp> {
    match told {
        Some(Some(text)) => time(facet, Some(text)),
        Some(None) => Observed::Absent,
        None => silent(facet, "GitHub does not tell when"),
    }
}

/// A text that may be missing.
pub(super) fn text(facet: &str, value: Option<&str>) -> Observed<String> {
    match value {
        Some(value) => Observed::Known(value.to_owned()),
        None => silent(facet, "GitHub does not tell"),
    }
}

/// Yes, no, or not told.
pub(super) fn yes(facet: &str, value: Option<bool>) -> Observed<String> {
    text(facet, value.map(|value| if value { "yes" } else { "no" }))
}
