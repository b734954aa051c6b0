//! Many requests in one: <https://learn.microsoft.com/en-us/graph/json-batching>. Addresses in it are relative to the version of the API, so
//! that v1.0 and beta cannot be mixed.

use std::collections::BTreeMap;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::{Body, Envelope, Reply, Request},
};
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// Graph's envelope for version 1.0.
pub(crate) struct Batch {
    /// `…/v1.0/$batch`.
    pub(crate) url: Url,
}

/// What the address of every part begins with.
const VERSION: &str = "/v1.0";

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    id: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    body: Value,
}

impl Envelope for Batch {
    fn largest(&self) -> usize {
        20
    }

    fn pack(&self, parts: &[&Request]) -> Result<Request> {
        let parts: Result<Vec<Value>> =
            parts.iter().enumerate().map(|(at, part)| pack_part(at, part)).collect();
        let body = Body::Json(json!({ "requests": parts? }).into());
        // Only reads are packed.
        let request = Request::post("send a batch", self.url.clone(), body).repeatable();
        Ok(Request { bucket: "batch", ..request })
    }

    fn unpack(&self, reply: &Reply) -> Result<Vec<(usize, Reply)>> {
        let Responses { responses } = reply.json()?;
        responses.into_iter().map(unpack_part).collect()
    }
}

fn pack_part(at: usize, part: &Request) -> Result<Value> {
    let fail = |message| Error::new(ErrorKind::InvalidRequest, message);
    if !matches!(part.body, Body::Empty) || !part.repeatable {
        return Err(fail("only reads go into a batch"));
    }
    let path = part
        .url
        .path()
        .split_once(VERSION)
        .map(|(_, path)| path)
        .ok_or_else(|| fail("only calls of version 1.0 go into a batch"))?;
    let url = match part.url.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    Ok(json!({ "id": at.to_string(), "method": part.method.as_str(), "url": url }))
}

fn unpack_part(part: Response) -> Result<(usize, Reply)> {
    let fail =
        || Error::new(ErrorKind::Malformed, "the batch's answer is not what the API promises");
    let at = part.id.parse().map_err(|_| fail())?;
    let status = StatusCode::from_u16(part.status).map_err(|_| fail())?;
    let header = |(name, value): (String, Value)| {
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    };
    let headers: HeaderMap = part.headers.into_iter().filter_map(header).collect();
    let body = match part.body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    Ok((at, Reply::part(status, headers, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        Batch { url: "https://graph.example/v1.0/$batch".parse().unwrap() }
    }

    #[test]
    fn parts_are_relative_to_the_version() {
        let url = "https://graph.example/v1.0/servicePrincipals/1/appRoleAssignedTo?$top=999";
        let part = Request::get("read", url.parse().unwrap());
        let packed = batch().pack(&[&part]).unwrap();
        let Body::Json(body) = packed.body else { panic!("no JSON") };
        assert_eq!(body["requests"][0]["url"], "/servicePrincipals/1/appRoleAssignedTo?$top=999");
        let beta = Request::get("read", "https://graph.example/beta/reports".parse().unwrap());
        assert!(batch().pack(&[&beta]).is_err());
    }

    #[test]
    fn replies_come_in_any_order_with_their_own_status() {
        let body = r#"{"responses":[
            {"id":"1","status":429,"headers":{"Retry-After":"7"},"body":{"error":{"code":"TooManyRequests"}}},
            {"id":"0","status":200,"body":{"value":[]}}]}"#;
        let reply = Reply::part(StatusCode::OK, HeaderMap::new(), body.to_owned());
        let parts = batch().unpack(&reply).unwrap();
        assert_eq!(parts[0].0, 1);
        assert_eq!(parts[0].1.header("retry-after"), Some("7"));
        assert_eq!(parts[1].1.status, StatusCode::OK);
    }
}
