//! Posts a message through the kit's door: proxy, TLS, repeats and redaction are the same as for connectors. Redirects are not followed, and
//! a receiver that says no is not asked again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use grantwarden_kit::{
    connector::Kit,
    error::{Error, ErrorKind},
    http::{Authorize, Body, Classify, Door, DoorConfig, Limits, Plain, Reply, Request, Verdict},
    model::Timestamp,
    secret::Secret,
};
use serde_json::Value;
use url::Url;

use super::{Trouble, webhook::Signer};

/// Sends of one message, the first included.
const ATTEMPTS: u32 = 4;
/// Longest time that one sending may take, so that a receiver that hangs leaves time for another try.
const ANSWER: Duration = Duration::from_secs(15);
/// Answers of receivers are short; a long one is none.
const LARGEST_ANSWER: usize = 1 << 20;

/// What a message is posted with.
pub(super) struct Post {
    pub(super) url: Secret,
    pub(super) certificate_authorities: Option<Vec<u8>>,
    pub(super) body: Value,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) signer: Option<Signer>,
    /// Time for everything, repeats and waits included.
    pub(super) patience: Duration,
}

/// Posts until the receiver takes it, refuses it, or failed too often.
pub(super) async fn post(post: Post, kit: &Kit) -> Result<(), Trouble> {
    let url = address(&post.url)?;
    let origin = url.origin().ascii_serialization();
    let door = Door::new(DoorConfig {
        tenant: String::new(),
        platform: String::new(),
        origins: vec![url.clone()],
        certificate_authorities: post.certificate_authorities,
        buckets: BTreeMap::new(),
        classify: Arc::new(Receiver),
        limits: Limits {
            connect: ANSWER.min(post.patience),
            answer: ANSWER.min(post.patience),
            body: LARGEST_ANSWER,
            attempts: ATTEMPTS,
            patience: post.patience,
        },
        keep_quota_percent: 0,
        clock: Arc::clone(&kit.clock),
        cancel: kit.cancel.clone(),
    })
    .map_err(|error| trouble(&error, &origin))?;
    // A receiver that repeats what it was asked must not spread the address.
    let parts = [url.as_str(), url.path()].into_iter().chain(url.query()).chain(url.host_str());
    for part in parts {
        door.redactor().learn(&Secret::new(part.to_owned()));
    }
    for part in url.path_segments().into_iter().flatten().filter(|part| part.len() >= 8) {
        door.redactor().learn(&Secret::new(part.to_owned()));
    }
    // Twice is better than never: a message whose answer was lost is sent again.
    let mut request = Request::post("notify", url, Body::Json(Arc::new(post.body))).repeatable();
    request.headers.extend(post.headers);
    let authorize = post.signer.as_ref().map(|signer| signer as &dyn Authorize);
    door.send(&request, authorize).await.map_err(|error| trouble(&error, &origin))?;
    Ok(())
}

/// The address, or what is wrong with it without saying it.
fn address(url: &Secret) -> Result<Url, Trouble> {
    let hint = "give the whole address, with https://; plain http:// is for this machine only";
    let url = Url::parse(url.expose().trim())
        .map_err(|error| Trouble::new(format!("url is not an address: {error}")).hint(hint))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Trouble::new("url holds a user name or a password, which is not supported"));
    }
    Ok(url)
}

/// Receivers of messages: only "slow down" and their own failures may pass.
struct Receiver;

impl Classify for Receiver {
    fn classify(&self, reply: &Reply, now: Timestamp) -> Verdict {
        match Plain.classify(reply, now) {
            Verdict::SignInAgain(answer) => Verdict::Refused(ErrorKind::Unauthorized, answer),
            Verdict::Unwell(answer) if reply.status.is_client_error() => {
                Verdict::Refused(ErrorKind::InvalidRequest, answer)
            }
            other => other,
        }
    }
}

/// The door's error in words for a receiver: it speaks of platforms, tenants and scans. Some services make the host's name the secret, so
/// the address is left out whole.
fn trouble(error: &Error, origin: &str) -> Trouble {
    let (message, hint) = match error.kind {
        ErrorKind::Configuration => (
            "the address is not https://, or certificate_authorities is not a PEM file".to_owned(),
            "plain http:// is accepted for this machine (127.0.0.1, localhost) only",
        ),
        ErrorKind::Throttled => (
            "the receiver keeps asking to slow down".to_owned(),
            "raise min_severity or timeout_seconds, or use another channel",
        ),
        ErrorKind::Unavailable => {
            ("the receiver fails".to_owned(), "nothing is wrong here: try again later")
        }
        ErrorKind::Unauthorized
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::InvalidRequest => (
            "the receiver refused the message".to_owned(),
            "check the address: it may have been withdrawn, or belong to something else",
        ),
        ErrorKind::ForeignHost => (
            "the receiver sent us on to another address, which was not followed".to_owned(),
            "configure the address that the receiver itself lives at",
        ),
        ErrorKind::Malformed => (
            "a web page, or half an answer, came in place of a receiver's".to_owned(),
            "a proxy or a sign-in page answered: check the address and HTTPS_PROXY",
        ),
        ErrorKind::Tls => (
            error.message.clone(),
            "if a proxy or a private certificate authority stands in between, name its certificate in certificate_authorities",
        ),
        _ => (
            error.message.clone(),
            "check the address, the network, and HTTPS_PROXY if there is a proxy",
        ),
    };
    let answer = error.answer.as_ref().map_or_else(String::new, |answer| format!(": {answer}"));
    let message = message.replace(origin, "the receiver's address");
    Trouble::new(format!("{message}{answer}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_address_is_not_repeated() {
        for url in ["FAKE-hunter2", "https://user:FAKE-hunter2@hooks.example/"] {
            let trouble = address(&Secret::new(url.to_owned())).err().unwrap();
            assert!(!trouble.message.contains("hunter2"), "{}", trouble.message);
        }
    }
}
