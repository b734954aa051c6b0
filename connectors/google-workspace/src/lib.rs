//! Google Workspace: reads the grants, app passwords and delegations that the users and administrators of an account gave to third
//! parties, and revokes them.
//!
//! Facts about the platform, with their sources, are in the API sheet of the project and in `connector.toml`.

mod access;
mod account;
mod api;
mod classify;
mod collect;
mod directory;
mod hints;
#[cfg(feature = "revoke")]
mod revoke;
mod session;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use grantwarden_kit::{
    connector::{Connector, Kit, Session, TenantConfig},
    error::Result,
    manifest::Manifest,
};
#[cfg(feature = "revoke")]
pub use revoke::{Found, Revoker};

use crate::session::GoogleSession;

#[expect(clippy::expect_used, reason = "the text is compiled in, and a test parses it")]
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    Manifest::parse(include_str!("../connector.toml")).expect("connector.toml is valid")
});

/// The Google Workspace connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct GoogleWorkspace;

impl Connector for GoogleWorkspace {
    fn manifest(&self) -> &'static Manifest {
        &MANIFEST
    }

    fn scopes(&self) -> &'static str {
        include_str!("../scopes.toml")
    }

    fn open(&self, tenant: TenantConfig, kit: Kit) -> Result<Box<dyn Session>> {
        Ok(Box::new(GoogleSession::open(tenant, kit)?))
    }

    #[cfg(feature = "revoke")]
    fn open_revoker(
        &self,
        tenant: TenantConfig,
        kit: Kit,
    ) -> Result<Box<dyn grantwarden_kit::connector::Revoke>> {
        // An incident does not wait for the quota.
        let tenant = TenantConfig { keep_quota_percent: 0, ..tenant };
        Ok(Box::new(Revoker::open(tenant, kit)?))
    }
}
