//! The record of every call a tenant received, so that a test can count them and read what was
//! asked. It keeps no bodies and no credentials.

use std::sync::{Mutex, PoisonError};

/// One call as the lab saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// The query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// What was asked in the platform's own language: the SOQL text (of the first page, for a later
    /// page), the SOAP operation, or the OAuth grant type.
    pub operation: Option<String>,
    /// The status answered; `None` if the connection was closed without an answer.
    pub status: Option<u16>,
    /// The user whose session it was.
    pub user: Option<String>,
    /// Whether an injected fault took part.
    pub faulted: bool,
}

impl Call {
    /// Whether the platform-language text of the call contains `text`.
    pub fn asks(&self, text: &str) -> bool {
        self.operation.as_deref().is_some_and(|operation| operation.contains(text))
    }
}

/// The calls so far.
#[derive(Debug, Default)]
pub(crate) struct CallLog(Mutex<Vec<Call>>);

impl CallLog {
    pub(crate) fn push(&self, call: Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Call) -> bool) -> usize {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| wanted(call)).count()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
