//! `$batch`: up to twenty calls in one. Each part is a call of its own to quotas, faults and the log;
//! the outer reply is 200 whatever becomes of them, and its parts are in no order.

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::Core;
use super::error::Refusal;
use crate::fault::Effect;
use crate::server::Tenant;
use crate::wire::{Reply, Request};

/// Most parts in one batch.
const MOST_PARTS: usize = 20;

/// What the log calls a part.
pub(crate) const PART: &str = "batch part";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Part {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Json>,
    #[serde(default)]
    body: Option<Json>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// The relative addresses in the body of a batch, one on each line, for the log.
pub(crate) fn addresses(body: &str) -> Option<String> {
    let batch: Batch = serde_json::from_str(body).ok()?;
    Some(batch.requests.into_iter().map(|part| part.url).collect::<Vec<_>>().join("\n"))
}

impl Core {
    /// `POST /{version}/$batch`.
    pub(super) fn batch(&self, version: &str, request: &Request) -> Result<Reply, Refusal> {
        if request.method != "POST" {
            return Err(Refusal::method());
        }
        let invalid = |message: &str| Refusal::new(400, "BadRequest", message.to_owned());
        let batch: Batch = serde_json::from_str(&request.body)
            .map_err(|cause| invalid(&format!("Invalid batch payload format: {cause}")))?;
        if batch.requests.is_empty() || batch.requests.len() > MOST_PARTS {
            return Err(invalid("Number of batch request steps exceeds the maximum value of 20."));
        }
        for (at, part) in batch.requests.iter().enumerate() {
            let (before, _) = batch.requests.split_at(at);
            if before.iter().any(|other| other.id == part.id) {
                return Err(invalid(&format!("Duplicate request id '{}'.", part.id)));
            }
            if !part.url.starts_with('/') || part.url.contains("://") || is_version(&part.url) {
                return Err(invalid(&format!(
                    "Invalid relative url '{}' in batch request.",
                    part.url
                )));
            }
            if part.depends_on.iter().any(|id| !before.iter().any(|other| other.id == *id)) {
                return Err(invalid("A step depends on one that does not precede it."));
            }
        }
        let mut answers: Vec<(String, Reply)> = Vec::new();
        for part in batch.requests {
            let failed = |id: &String| {
                answers.iter().any(|(answered, reply)| answered == id && reply.status >= 400)
            };
            let reply = if part.depends_on.iter().any(failed) {
                let message = "A request that this request depends on failed.";
                Refusal::new(424, "FailedDependency", message).reply(self.clock.wall())
            } else {
                self.part(version, request, &part)
            };
            answers.push((part.id, reply));
        }
        // Their order is nobody's promise: the last comes first.
        let responses: Vec<Json> = answers.into_iter().rev().map(as_json).collect();
        Ok(Reply::json(200, json!({ "responses": responses }).to_string()))
    }

    fn part(&self, version: &str, outer: &Request, part: &Part) -> Reply {
        let refuse = |message: &str| {
            Refusal::new(400, "BadRequest", message.to_owned()).reply(self.clock.wall())
        };
        let address = format!("/{version}{}", part.url.replace(' ', "%20"));
        let Ok(uri) = address.parse::<Uri>() else {
            return refuse("Invalid url in batch request.");
        };
        let upper = part.method.chars().all(|letter| letter.is_ascii_uppercase());
        let method = match part.method.parse::<Method>() {
            Ok(method) if upper => method,
            _ => return refuse("Invalid method in batch request."),
        };
        if part.url.starts_with("/$batch") {
            return refuse("Batch requests cannot be nested.");
        }
        let mut headers = axum::http::HeaderMap::new();
        if let Some(authorization) = outer.headers.get("authorization") {
            headers.insert("authorization", authorization.clone());
        }
        for (name, value) in &part.headers {
            let name = HeaderName::try_from(name.as_str());
            let value = HeaderValue::try_from(value.as_str().unwrap_or_default());
            let (Ok(name), Ok(value)) = (name, value) else {
                return refuse("Invalid header in batch request.");
            };
            headers.insert(name, value);
        }
        if part.body.is_some() && !headers.contains_key("content-type") {
            return refuse("A request with a body needs the header content-type.");
        }
        let body = part.body.as_ref().map_or_else(String::new, Json::to_string);
        let request = Request::new(method, &uri, headers, &Bytes::from(body));
        let mut call = self.describe(&request);
        call.operation = Some(PART.to_owned());
        let effects = self.watch.plan.due(&call, "");
        call.faulted = !effects.is_empty();
        let refused = effects.iter().fold(None, |refused, effect| {
            let reply = self.happens_to_part(effect);
            refused.or(reply)
        });
        let reply = refused.unwrap_or_else(|| self.answer(&request));
        call.status = Some(reply.status);
        self.watch.log.push(call);
        reply
    }

    /// What a fault does to one part: the network's mishaps happen to whole calls only.
    fn happens_to_part(&self, effect: &Effect) -> Option<Reply> {
        match effect {
            Effect::Reply { status, headers, body } => {
                let mut reply = Reply::json(*status, body.clone());
                reply.headers.extend(headers.iter().cloned());
                Some(reply)
            }
            Effect::CutBody { .. } | Effect::Slow { .. } | Effect::Drop | Effect::Html => {
                let message = "this effect cannot happen to one part of a batch; aim it at /$batch";
                Some(Refusal::new(500, "LAB_FAULT_NOT_FOR_PARTS", message).reply(self.clock.wall()))
            }
            other => self.apply(other),
        }
    }
}

/// Whether a relative address starts with an API version, which a part must not.
fn is_version(url: &str) -> bool {
    matches!(url.split('/').nth(1), Some("v1.0" | "beta"))
}

fn as_json((id, reply): (String, Reply)) -> Json {
    let headers: Map<String, Json> =
        reply.headers.iter().map(|(name, value)| (canonical(name), json!(value))).collect();
    let mut part = json!({ "id": id, "status": reply.status, "headers": headers });
    if !reply.body.is_empty() {
        part["body"] = serde_json::from_str(&reply.body).unwrap_or_else(|_| json!(reply.body));
    }
    part
}

/// `retry-after` as `Retry-After`, as Graph writes headers into parts.
fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    if name.starts_with("x-ms-") {
        return name.to_owned();
    }
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
