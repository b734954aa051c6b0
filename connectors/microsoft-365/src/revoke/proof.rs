//! What is proof that something is gone, and which ids may stand in an address. One "not found" proves nothing: a gateway, a lag or a wrong
//! address gives it as well.

use grantwarden_kit::{
    connector::Step,
    error::{Error, ErrorKind, Result},
    http::{Body, Request},
};
use serde_json::json;

use super::{Done, LAG, LOOKS, Object, Revoker};
use crate::{
    api::Page,
    graph::{is_guid, is_not_there},
};

impl Revoker {
    /// Whether the object that was "not there" is not in the directory's own look-up either, which names it by no address.
    ///
    /// # Errors
    /// The error itself, if it is another one or the object is still there; the look-up's, if that fails.
    pub(super) async fn prove_gone(&self, error: Error, object: &str) -> Result<()> {
        if !is_not_there(&error) {
            return Err(error);
        }
        let url = self.graph.url("v1.0", "directoryObjects/getByIds", "$select=id")?;
        let body = Body::Json(json!({ "ids": [guid(object)?] }).into());
        // It reads, although it is a POST.
        let request = Request::post("look the object up", url, body).repeatable();
        let page: Page<Object> = self.graph.read(&request).await?;
        // An empty page with a link to another says nothing, and neither does a row that cannot be read.
        let is_empty = page.value.is_empty() && page.next.is_none();
        if is_empty { Ok(()) } else { Err(error) }
    }

    /// What became of a change. One that found nothing to change is done only if a read from another side finds nothing either.
    pub(super) async fn done<T>(&self, step: &Step, sent: Result<T>) -> Result<Done> {
        let error = match sent {
            Ok(_) => return Ok(Done::Now),
            Err(error) if is_not_there(&error) => error,
            Err(error) => return Err(error),
        };
        for look in 1..=LOOKS {
            match self.look(step).await {
                Ok(0) => return Ok(Done::AlreadyGone),
                Ok(_) if look < LOOKS => self.graph.door.clock().sleep(LAG).await,
                // Still there, or not to be seen: the platform's no stands.
                Ok(_) | Err(_) => break,
            }
        }
        Err(error)
    }
}

/// An id that may stand in an address.
///
/// # Errors
/// [`ErrorKind::Configuration`] for anything that could lead to another address.
pub(super) fn id(text: &str) -> Result<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text);
    }
    Err(Error::new(ErrorKind::Configuration, "an id in the plan is not an id of Graph")
        .with_hint("plans are made by `plan`; make a new one"))
}

/// An id that may stand in a filter.
///
/// # Errors
/// [`ErrorKind::Configuration`] for anything that is no GUID.
pub(super) fn guid(text: &str) -> Result<&str> {
    if is_guid(text) {
        return Ok(text);
    }
    Err(Error::new(ErrorKind::Configuration, "an id of an app or a user is not a GUID"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_leads_elsewhere() {
        assert!(id("aB-1_x").is_ok());
        for text in ["", "../users/x", "a/b", "a?b", "a#b", "a%2fb", "ä", "a b"] {
            assert!(id(text).is_err(), "{text}");
        }
        assert!(guid("51000000-0000-4000-8000-000000000001").is_ok());
        for text in ["51000000-0000-4000-8000-00000000000", "x' or appId ne 'x", ""] {
            assert!(guid(text).is_err(), "{text}");
        }
    }
}
