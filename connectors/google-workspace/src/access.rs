//! What the scanner may ask for: one set of scopes per purpose, so that a scope that is not authorised costs one part of a scan and
//! not all of it: one scope that is not authorised makes Google refuse the whole token.

use std::{sync::Mutex, sync::PoisonError, time::Duration};

use async_trait::async_trait;
use grantwarden_kit::{
    auth::Tokens,
    clock::Clock,
    error::Result,
    http::{Authorize, Request, Stamp},
};
use std::sync::Arc;

/// What a call is for, which decides the scope that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Users.
    Users,
    /// Grants and app passwords. No scope that only reads exists.
    Security,
    /// Audit logs.
    Audit,
    /// Usage reports.
    Usage,
    /// Settings of the account.
    Policies,
    /// Browser extensions.
    Extensions,
}

impl Purpose {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Users, Self::Security, Self::Audit, Self::Usage, Self::Policies, Self::Extensions];

    /// The scope that it needs: <https://developers.google.com/identity/protocols/oauth2/scopes>.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::Users => "https://www.googleapis.com/auth/admin.directory.user.readonly",
            Self::Security => "https://www.googleapis.com/auth/admin.directory.user.security",
            Self::Audit => "https://www.googleapis.com/auth/admin.reports.audit.readonly",
            Self::Usage => "https://www.googleapis.com/auth/admin.reports.usage.readonly",
            Self::Policies => "https://www.googleapis.com/auth/cloud-identity.policies.readonly",
            Self::Extensions => {
                "https://www.googleapis.com/auth/chrome.management.reports.readonly"
            }
        }
    }
}

/// How often a token may be renewed because of refusals, at once and then once a minute.
const RENEWALS: u32 = 8;
const RENEWAL_EVERY: Duration = Duration::from_secs(60);

/// The tokens of one purpose. Google answers 401 for some users' grants although the token is fine (API sheet, section 7 no. 9): a
/// refusal renews the token only so often, so that a thousand suspended users are not a thousand sign-ins.
pub(crate) struct Identity {
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    renewals: Mutex<Renewals>,
}

struct Renewals {
    left: u32,
    /// When the last one was added, as elapsed time of the clock.
    counted_at: Duration,
}

impl Identity {
    pub(crate) fn new(tokens: Tokens, clock: Arc<dyn Clock>) -> Self {
        let renewals = Mutex::new(Renewals { left: RENEWALS, counted_at: clock.elapsed() });
        Self { tokens, clock, renewals }
    }

    /// Signs in, if it is not signed in.
    pub(crate) async fn sign_in(&self) -> Result<()> {
        self.tokens.get().await.map(drop)
    }

    fn may_renew(&self) -> bool {
        let mut renewals = self.renewals.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.elapsed();
        while renewals.left < RENEWALS && now.saturating_sub(renewals.counted_at) >= RENEWAL_EVERY {
            renewals.left += 1;
            renewals.counted_at += RENEWAL_EVERY;
        }
        if renewals.left == RENEWALS {
            renewals.counted_at = now;
        }
        let may = renewals.left > 0;
        renewals.left = renewals.left.saturating_sub(1);
        may
    }
}

#[async_trait]
impl Authorize for Identity {
    async fn stamp(&self, request: &Request) -> Result<Stamp> {
        self.tokens.stamp(request).await
    }

    async fn refused(&self, generation: u64) {
        if self.may_renew() {
            self.tokens.refused(generation).await;
        }
    }
}
