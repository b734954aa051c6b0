//! Salesforce: connected apps, external client apps, and the OAuth tokens that they hold.
//!
//! * `api`: wire types, in Salesforce's own words
//! * `classify`, `hints`: Salesforce's dialect of errors, and what to do about them
//! * `org`: the signed-in org: SOQL, Metadata API, usage API
//! * `collect`: what a scan reads, with one file per subject
//! * `revoke` (feature): taking access away
//!
//! Facts about the platform that are not code stand in `connector.toml`.

mod api;
mod classify;
mod collect;
mod hints;
mod metadata;
mod org;
#[cfg(feature = "revoke")]
mod revoke;
mod scopes;
mod session;
mod soql;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use grantwarden_kit::{
    connector::{Connector, Kit, Session, TenantConfig},
    error::Result,
    manifest::Manifest,
};

use crate::{org::Org, session::SalesforceSession};

#[expect(clippy::expect_used, reason = "the text is compiled in, and a test parses it")]
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    Manifest::parse(include_str!("../connector.toml")).expect("connector.toml is valid")
});

/// The Salesforce connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct Salesforce;

impl Connector for Salesforce {
    fn manifest(&self) -> &'static Manifest {
        &MANIFEST
    }

    fn scopes(&self) -> &'static str {
        include_str!("../scopes.toml")
    }

    fn open(&self, tenant: TenantConfig, kit: Kit) -> Result<Box<dyn Session>> {
        let skip = tenant.skip.clone();
        Ok(Box::new(SalesforceSession::new(Org::open(tenant, kit)?, skip)))
    }

    #[cfg(feature = "revoke")]
    fn open_revoker(
        &self,
        tenant: TenantConfig,
        kit: Kit,
    ) -> Result<Box<dyn grantwarden_kit::connector::Revoke>> {
        // An incident does not wait for the quota.
        let tenant = TenantConfig { keep_quota_percent: 0, ..tenant };
        Ok(Box::new(revoke::Revoker::new(Org::open(tenant, kit)?)))
    }
}
