//! Reading query parameters and bodies strictly: what an operation does not have is refused, which the
//! platform itself would pass over in silence.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::error::Refusal;
use crate::wire::Request;

/// Refuses parameters that the operation does not have, or has twice (lists end with `[]`).
pub(crate) fn only(request: &Request, known: &[&str]) -> Result<(), Refusal> {
    for (index, (name, _)) in request.query.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            let message = "LAB: this operation has no such parameter";
            return Err(Refusal::validation("Request", name, "invalid", message));
        }
        let twice = request.query[..index].iter().any(|(earlier, _)| earlier == name);
        if twice && !name.ends_with("[]") {
            let message = "LAB: this parameter is given twice";
            return Err(Refusal::validation("Request", name, "invalid", message));
        }
    }
    Ok(())
}

/// The parameters of a listing with page numbers.
pub(crate) fn only_pages(request: &Request) -> Result<(), Refusal> {
    only(request, &["per_page", "page"])
}

/// One of a few words.
pub(crate) fn word<'r>(
    request: &'r Request,
    name: &str,
    words: &[&str],
) -> Result<Option<&'r str>, Refusal> {
    match request.param(name) {
        Some(text) if !words.contains(&text) => {
            Err(Refusal::validation("Request", name, "invalid", ""))
        }
        found => Ok(found),
    }
}

/// A time, in seconds.
pub(crate) fn time(request: &Request, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = request.param(name) else { return Ok(None) };
    let time: Timestamp =
        text.parse().map_err(|_| Refusal::validation("Request", name, "invalid", ""))?;
    Ok(Some(time.as_second()))
}

/// All values of a list parameter `name[]`.
pub(crate) fn list<'r>(request: &'r Request, name: &str) -> Vec<&'r str> {
    let values = request.query.iter().filter(|(key, _)| key == name);
    values.map(|(_, value)| value.as_str()).collect()
}

/// The body as a JSON object with nothing but the known fields; an empty body is an empty object.
pub(crate) fn body(request: &Request, known: &[&str]) -> Result<Map<String, Json>, Refusal> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    let Ok(Json::Object(fields)) = serde_json::from_str(&request.body) else {
        return Err(Refusal::body());
    };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let message = "LAB: this operation has no such field";
            Err(Refusal::validation("Request", name, "invalid", message))
        }
        None => Ok(fields),
    }
}

/// A list of whole numbers in a body; between one and `most`.
pub(crate) fn numbers(
    fields: &Map<String, Json>,
    name: &str,
    most: usize,
) -> Result<Vec<u64>, Refusal> {
    let Some(list) = fields.get(name).and_then(Json::as_array) else {
        return Err(Refusal::validation("Request", name, "missing_field", ""));
    };
    let numbers: Option<Vec<u64>> = list.iter().map(Json::as_u64).collect();
    let numbers = numbers.filter(|numbers| (1..=most).contains(&numbers.len()));
    numbers.ok_or_else(|| Refusal::validation("Request", name, "invalid", ""))
}

/// A list of texts in a body; between one and `most`.
pub(crate) fn texts<'f>(
    fields: &'f Map<String, Json>,
    name: &str,
    most: usize,
) -> Result<Vec<&'f str>, Refusal> {
    let Some(list) = fields.get(name).and_then(Json::as_array) else {
        return Err(Refusal::validation("Request", name, "missing_field", ""));
    };
    let texts: Option<Vec<&str>> = list.iter().map(Json::as_str).collect();
    let texts = texts.filter(|texts| (1..=most).contains(&texts.len()));
    texts.ok_or_else(|| Refusal::validation("Request", name, "invalid", ""))
}

/// A field that is one of a few words.
pub(crate) fn choice<'f>(
    fields: &'f Map<String, Json>,
    name: &str,
    words: &[&str],
) -> Result<&'f str, Refusal> {
    let found = fields.get(name).and_then(Json::as_str);
    found
        .filter(|text| words.contains(text))
        .ok_or_else(|| Refusal::validation("Request", name, "invalid", ""))
}
