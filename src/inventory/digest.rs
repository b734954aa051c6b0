//! [`Digest`]: what of a tenant's records is held in memory, for rules that look beyond one record. Nothing here judges.
//!
//! It grows with apps, credentials and distinct scopes, never with grants.

use std::collections::BTreeMap;

use grantwarden_kit::model::{
    AuditEvent, Credential, Expiry, Gap, Grant, Observed, Scope, Timestamp, Usage,
};

use crate::scopes::Kind;

/// Changes that are held; of more only the newest.
const MOST_CHANGES: usize = 500;

/// What of a tenant's records is held in memory.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// What its apps did, by log.
    pub usage: Vec<Usage>,
    /// Credentials by the app's id, in the order of the inventory.
    pub credentials: BTreeMap<String, Vec<Credential>>,
    /// What the grants of each app allow together, by the app's id.
    pub held: BTreeMap<String, Held>,
    /// Entries of the audit trail that speak of credentials, the newest first.
    pub changes: Vec<AuditEvent>,
}

/// What the grants of one app allow together, as far as they had not ended when the scan began.
#[derive(Debug, Clone)]
pub struct Held {
    /// Each scope, and since when it is held: the earliest date among the grants that have it; `None` if none of them has a visible one.
    pub scopes: BTreeMap<Scope, Option<Timestamp>>,
    /// Why the scopes of a grant are not visible; of several the first.
    pub unseen: Option<Gap>,
    /// Whether a grant lets the app act without a user.
    pub kind: Kind,
    /// How many grants there are.
    pub grants: u64,
}

impl Digest {
    /// Takes a grant in.
    pub(crate) fn grant(&mut self, grant: &Grant, taken_at: Timestamp) {
        if matches!(grant.expires, Observed::Known(Expiry::At(end)) if end <= taken_at) {
            return;
        }
        let new =
            || Held { scopes: BTreeMap::new(), unseen: None, kind: Kind::Delegated, grants: 0 };
        let held = match self.held.get_mut(&grant.app) {
            Some(held) => held,
            None => self.held.entry(grant.app.clone()).or_insert_with(new),
        };
        held.grants += 1;
        if Kind::of(grant) == Kind::AppOnly {
            held.kind = Kind::AppOnly;
        }
        match &grant.scopes {
            Observed::Known(scopes) => {
                let since = grant.granted_at.known().copied();
                scopes.iter().for_each(|scope| held.note(scope, since));
            }
            Observed::Absent => {}
            Observed::Unknown(gap) => {
                held.unseen.get_or_insert_with(|| gap.clone());
            }
        }
    }

    /// Takes a credential in.
    pub(super) fn credential(&mut self, credential: Credential) {
        self.credentials.entry(credential.app.clone()).or_default().push(credential);
    }

    /// Takes an entry of the audit trail in.
    pub(super) fn change(&mut self, event: AuditEvent) {
        let text = format!("{} {}", event.action, event.summary).to_lowercase();
        if ["credential", "secret", "certificate"].iter().any(|word| text.contains(word)) {
            self.changes.push(event);
            if self.changes.len() >= 2 * MOST_CHANGES {
                self.finish();
            }
        }
    }

    /// Puts what was taken in into its order.
    pub(super) fn finish(&mut self) {
        self.changes.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
        self.changes.truncate(MOST_CHANGES);
    }
}

impl Held {
    fn note(&mut self, scope: &Scope, since: Option<Timestamp>) {
        match self.scopes.get_mut(scope) {
            Some(known) => *known = (*known).into_iter().chain(since).min(),
            None => drop(self.scopes.insert(scope.clone(), since)),
        }
    }
}
