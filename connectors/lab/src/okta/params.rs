//! Reading query parameters and JSON bodies strictly: unknown, doubled and impossible ones are refused.

use std::ops::RangeInclusive;

use serde_json::{Map, Value as Json};

use super::error::Refusal;
use crate::wire::Request;

/// Refuses parameters that the operation does not have, or has twice.
pub(crate) fn only(request: &Request, known: &[&str]) -> Result<(), Refusal> {
    for (index, (name, _)) in request.query.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(Refusal::validation(name, format!("{name}: unknown query parameter")));
        }
        if request.query[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(Refusal::validation(name, format!("{name}: given twice")));
        }
    }
    Ok(())
}

/// The page size that was asked for.
pub(crate) fn limit(
    request: &Request,
    range: RangeInclusive<usize>,
    default: usize,
) -> Result<usize, Refusal> {
    let Some(text) = request.param("limit") else { return Ok(default) };
    let number: Option<usize> = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        Refusal::validation("limit", format!("limit: must be between {low} and {high}"))
    })
}

/// `true` or `false`.
pub(crate) fn flag(request: &Request, name: &str, default: bool) -> Result<bool, Refusal> {
    match request.param(name) {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(Refusal::validation(name, format!("{name}: must be true or false"))),
    }
}

/// One of a few words, if it is given.
pub(crate) fn word<'r>(
    request: &'r Request,
    name: &str,
    words: &[&str],
) -> Result<Option<&'r str>, Refusal> {
    match request.param(name) {
        Some(text) if !words.contains(&text) => {
            Err(Refusal::validation(name, format!("{name}: must be one of {}", words.join(", "))))
        }
        found => Ok(found),
    }
}

/// The fields of a JSON body, all of them known.
pub(crate) fn body(request: &Request, known: &[&str]) -> Result<Map<String, Json>, Refusal> {
    let Ok(Json::Object(fields)) = serde_json::from_str(&request.body) else {
        return Err(Refusal::malformed());
    };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::validation(name, format!("{name}: unknown field"))),
        None => Ok(fields),
    }
}

/// A path segment with its `%40` and the like decoded; `None` if that gives no text.
pub(crate) fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let hex = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
                rest = tail;
            }
            (b'%', _) => return None,
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
