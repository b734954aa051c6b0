//! Okta: reads the scope grants, refresh tokens, API tokens, API service integrations and administrator roles that an org gave to apps, and
//! takes them away.
//!
//! * `api`, `log_api`, `told`: wire types, in Okta's own words, and fields that may be missing or of another form
//! * `classify`, `hints`: Okta's dialect of errors, and what to do about them
//! * `sign_in`: token sources: one request for all scopes, and what is left if some are not granted
//! * `access`: as whom the scanner asks, and which scopes it has
//! * `org`, `listing`: the signed-in org, and its listings
//! * `collect`: what a scan reads, with one file per subject
//! * `revoke` (feature): taking access away
//!
//! Facts about the platform that are not code stand in `connector.toml`.

mod access;
mod api;
mod classify;
mod collect;
mod hints;
mod listing;
mod log_api;
mod org;
#[cfg(feature = "revoke")]
mod revoke;
mod session;
mod sign_in;
#[cfg(test)]
mod tests;
mod told;

use std::sync::LazyLock;

use grantwarden_kit::{
    connector::{Connector, Kit, Session, TenantConfig},
    error::Result,
    manifest::Manifest,
};

use crate::{org::Org, session::OktaSession};

#[expect(clippy::expect_used, reason = "the text is compiled in, and a test parses it")]
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    Manifest::parse(include_str!("../connector.toml")).expect("connector.toml is valid")
});

/// The Okta connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct Okta;

impl Connector for Okta {
    fn manifest(&self) -> &'static Manifest {
        &MANIFEST
    }

    fn scopes(&self) -> &'static str {
        include_str!("../scopes.toml")
    }

    fn open(&self, tenant: TenantConfig, kit: Kit) -> Result<Box<dyn Session>> {
        let skip = tenant.skip.clone();
        let org = Org::open(tenant, kit, &access::READING)?;
        Ok(Box::new(OktaSession::new(org, skip)))
    }

    #[cfg(feature = "revoke")]
    fn open_revoker(
        &self,
        tenant: TenantConfig,
        kit: Kit,
    ) -> Result<Box<dyn grantwarden_kit::connector::Revoke>> {
        // An incident does not wait for the share of the quota that scans leave to others.
        let tenant = TenantConfig { keep_quota_percent: 0, ..tenant };
        Ok(Box::new(revoke::Revoker::new(Org::open(tenant, kit, &access::REVOKING)?)))
    }
}
