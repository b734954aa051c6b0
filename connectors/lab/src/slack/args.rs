//! Reading arguments strictly: from the query, a form, or a JSON body where the method reads one.
//! Unknown, doubled and impossible ones are refused; the platform itself would pass over some.

use std::ops::RangeInclusive;

use serde_json::Value as Json;

use super::error::Refusal;
use super::methods::Method;
use crate::wire::Request;

/// The arguments of one call, without the token.
#[derive(Debug)]
pub(crate) struct Args(Vec<(String, String)>);

/// The token of a call, if it has one.
///
/// # Errors
/// `invalid_auth` for a token in the address: apps made since February 2021 may not send it there, and
/// reports of such calls name this code (the platform's own page names none).
pub(crate) fn token(request: &Request) -> Result<Option<String>, Refusal> {
    if request.param("token").is_some() {
        return Err(Refusal::new("invalid_auth"));
    }
    if let Some(header) = request.header("authorization") {
        let text = header.strip_prefix("Bearer ").ok_or_else(|| Refusal::new("invalid_auth"))?;
        return Ok(Some(text.trim().to_owned()));
    }
    let form = request.form().unwrap_or_default();
    Ok(form.into_iter().find(|(name, _)| name == "token").map(|(_, value)| value))
}

impl Args {
    /// Reads the arguments of a method.
    pub(crate) fn read(request: &Request, method: &Method) -> Result<Self, Refusal> {
        let mut pairs = request.query.clone();
        pairs.extend(body(request, method.json)?);
        pairs.retain(|(name, _)| name != "token");
        Self::checked(pairs, method.arguments)
    }

    /// Reads the query alone.
    pub(crate) fn of_query(request: &Request, known: &[&str]) -> Result<Self, Refusal> {
        Self::checked(request.query.clone(), known)
    }

    fn checked(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Refusal> {
        for (number, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Refusal::arguments(format!("unknown argument: {name}")));
            }
            if pairs[..number].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refusal::arguments(format!("argument given twice: {name}")));
            }
        }
        Ok(Self(pairs))
    }

    /// An argument that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// An argument that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::arguments(format!("missing required field: {name}")))
    }

    /// `true`, `false`, `1` or `0`, as the platform's own clients write them.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Refusal::arguments(format!("must be a boolean: {name}"))),
        }
    }

    /// A whole number within its range, refused in the given words otherwise.
    pub(crate) fn number(
        &self,
        name: &str,
        range: RangeInclusive<i64>,
        refusal: &str,
    ) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse::<i64>().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| match refusal {
            "invalid_arguments" => Refusal::arguments(format!("out of range: {name}")),
            other => Refusal::new(other),
        })
    }

    /// One of a few words.
    pub(crate) fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>, Refusal> {
        match self.text(name) {
            Some(text) if !words.contains(&text) => {
                Err(Refusal::arguments(format!("not an allowed value: {name}")))
            }
            found => Ok(found),
        }
    }

    /// The items of a comma list.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.text(name).map(|text| text.split(',').map(str::trim).collect())
    }

    /// What a cursor belongs to: everything but where and how far.
    pub(crate) fn listing(&self, method: &str) -> String {
        let mut pairs: Vec<String> = self
            .0
            .iter()
            .filter(|(name, value)| name != "cursor" && name != "limit" && !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.sort();
        format!("{method} {}", pairs.join("&"))
    }
}

fn body(request: &Request, json: bool) -> Result<Vec<(String, String)>, Refusal> {
    if let Some(form) = request.form() {
        return Ok(form);
    }
    if request.body.is_empty() {
        return Ok(Vec::new());
    }
    let Some(kind) = request.header("content-type") else {
        return Err(Refusal::new("missing_post_type"));
    };
    if !json || !kind.starts_with("application/json") {
        return Err(Refusal::new("invalid_post_type"));
    }
    let parsed = serde_json::from_str(&request.body).map_err(|_| Refusal::new("invalid_json"))?;
    let Json::Object(fields) = parsed else { return Err(Refusal::new("json_not_object")) };
    fields.into_iter().map(|(name, value)| Ok((name, plain(&value)?))).collect()
}

/// A JSON value as a form would have it.
fn plain(value: &Json) -> Result<String, Refusal> {
    match value {
        Json::String(text) => Ok(text.clone()),
        Json::Bool(_) | Json::Number(_) => Ok(value.to_string()),
        Json::Null => Ok(String::new()),
        Json::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(plain).collect();
            Ok(items?.join(","))
        }
        Json::Object(_) => Err(Refusal::new("invalid_array_arg")),
    }
}
