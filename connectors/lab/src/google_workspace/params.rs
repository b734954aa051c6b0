//! Reading query parameters strictly: unknown, doubled and impossible ones are refused. And the last
//! step of every JSON answer: the field mask and the layout that the request asked for.

use std::ops::RangeInclusive;

use serde_json::Value as Json;

use super::error::Refusal;
use super::mask::Mask;
use crate::wire::{Reply, Request};

/// Parameters that every operation has.
const COMMON: [&str; 4] = ["alt", "fields", "prettyPrint", "quotaUser"];

/// Refuses parameters that the operation does not have, or has twice.
pub(crate) fn only(request: &Request, known: &[&str]) -> Result<(), Refusal> {
    for (index, (name, value)) in request.query.iter().enumerate() {
        if !known.contains(&name.as_str()) && !COMMON.contains(&name.as_str()) {
            return Err(Refusal::unknown_parameter(name));
        }
        if request.query[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(Refusal::parameter(name, format!("Parameter given twice: {name}")));
        }
        if name == "alt" && value != "json" {
            return Err(Refusal::parameter(name, format!("Invalid value '{value}' for alt.")));
        }
    }
    flag(request, "prettyPrint")?;
    Ok(())
}

/// A whole number within its range.
pub(crate) fn number(
    request: &Request,
    name: &str,
    range: RangeInclusive<usize>,
    default: usize,
) -> Result<usize, Refusal> {
    let Some(text) = request.param(name) else { return Ok(default) };
    let number: usize = text.parse().map_err(|_| {
        Refusal::invalid(format!("Invalid value at '{name}' (TYPE_INT32), \"{text}\""))
    })?;
    if !range.contains(&number) {
        let (low, high) = (range.start(), range.end());
        let message =
            format!("Invalid value '{text}'. Values must be within the range: [{low}, {high}]");
        return Err(Refusal::parameter(name, message));
    }
    Ok(number)
}

/// `true` or `false`.
pub(crate) fn flag(request: &Request, name: &str) -> Result<Option<bool>, Refusal> {
    match request.param(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(text) => {
            Err(Refusal::invalid(format!("Invalid value at '{name}' (TYPE_BOOL), \"{text}\"")))
        }
    }
}

/// One of a few words.
pub(crate) fn word<'r>(
    request: &'r Request,
    name: &str,
    words: &[&str],
) -> Result<Option<&'r str>, Refusal> {
    match request.param(name) {
        Some(text) if !words.contains(&text) => {
            let message = format!("Invalid value at '{name}' (TYPE_ENUM), \"{text}\"");
            Err(Refusal::invalid(message))
        }
        found => Ok(found),
    }
}

/// The JSON answer, cut by `fields` and laid out by `prettyPrint`. `known` is the mask of all fields
/// that the resource has.
pub(crate) fn finish(request: &Request, body: Json, known: &str) -> Result<Reply, Refusal> {
    let body = match request.param("fields") {
        None => body,
        Some(text) => {
            let invalid = |part: &str| {
                Refusal::parameter("fields", format!("Invalid field selection {part}"))
            };
            let mask = Mask::parse(text).map_err(|part| invalid(&part))?;
            let all = Mask::parse(known).unwrap_or(Mask::All);
            if let Some(name) = mask.unknown_in(&all) {
                return Err(invalid(&name));
            }
            mask.cut(body)
        }
    };
    let plain = request.param("prettyPrint") == Some("false");
    Ok(Reply::json(200, if plain { body.to_string() } else { format!("{body:#}") }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_path_segments() {
        assert_eq!(decoded("a%40b.example+c").as_deref(), Some("a@b.example+c"));
        for bad in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
