//! [`AppHoldings`]: what the grants and credentials of one app add up to, so that a rule about the app need not read them again.
//!
//! Small however many grants there are: counts, and the scopes that occur. It must not judge.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::model::{
    Approval, Credential, Expiry, Grant, GrantKind, Observed, Scope, Timestamp,
};

/// Ends of credentials that are kept of one app.
const MOST_ENDS: usize = 100;

/// What the grants and credentials of one app add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppHoldings {
    /// Grants that users gave by their own consent.
    pub self_consented: u64,
    /// Grants that nothing ends, by kind.
    pub endless: BTreeMap<GrantKind, Endless>,
    /// When its credentials end; of very many only the first.
    pub ends: Vec<CredentialEnd>,
}

/// The grants of one kind that nothing ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endless {
    /// How many there are.
    pub grants: u64,
    /// The scopes that occur in them.
    pub scopes: BTreeSet<Scope>,
    /// How many of them do not show their scopes.
    pub without_scopes: u64,
}

/// When a credential ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialEnd {
    /// [`Credential::id`].
    pub id: String,
    /// [`Credential::created_at`].
    pub created_at: Observed<Timestamp>,
    /// [`Credential::expires_at`].
    pub expires_at: Observed<Timestamp>,
}

impl AppHoldings {
    pub(super) fn add_grant(&mut self, grant: &Grant) {
        if grant.approval.known() == Some(&Approval::SelfAuthorized) {
            self.self_consented += 1;
        }
        if !matches!(grant.expires, Observed::Known(Expiry::Never) | Observed::Absent) {
            return;
        }
        let endless = self.endless.entry(grant.kind).or_default();
        endless.grants += 1;
        match &grant.scopes {
            Observed::Known(scopes) => {
                for scope in scopes {
                    if !endless.scopes.contains(scope) {
                        endless.scopes.insert(scope.clone());
                    }
                }
            }
            Observed::Absent => {}
            Observed::Unknown(_) => endless.without_scopes += 1,
        }
    }

    pub(super) fn add_credential(&mut self, credential: &Credential) {
        if self.ends.len() < MOST_ENDS {
            self.ends.push(CredentialEnd {
                id: credential.id.clone(),
                created_at: credential.created_at.clone(),
                expires_at: credential.expires_at.clone(),
            });
        }
    }
}
