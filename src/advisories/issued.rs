//! [`Issued`]: what is known of when a grant or a credential was issued.

use grantwarden_kit::model::{App, Credential, Grant, Observed, Timestamp};

use super::Advisory;

/// What is known of when something was issued.
#[derive(Debug, Clone, Copy)]
pub struct Issued<'a> {
    /// Its own date.
    pub date: &'a Observed<Timestamp>,
    /// When the tenant first had the app: before that there was nothing to give.
    pub not_before: Option<Timestamp>,
}

impl<'a> Issued<'a> {
    /// A grant.
    pub fn grant(app: Option<&App>, grant: &'a Grant) -> Self {
        let created = app.and_then(|app| app.created_at.known());
        Self { date: &grant.granted_at, not_before: created.copied() }
    }

    /// A credential: its own date alone.
    pub const fn credential(credential: &'a Credential) -> Self {
        Self { date: &credential.created_at, not_before: None }
    }

    /// Whether it was issued before the advisory's safe date; `None` if that is not known. Without a safe date everything was.
    pub fn is_exposed(&self, advisory: &Advisory) -> Option<bool> {
        let Some(safe) = advisory.safe_date else { return Some(true) };
        match self.date {
            Observed::Known(date) => Some(*date < safe),
            // The other way round it proves nothing: an app that was there before may have been given something since.
            _ => self.not_before.is_some_and(|first| first >= safe).then_some(false),
        }
    }
}
