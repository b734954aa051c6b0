//! Slack: reads which apps an Enterprise organisation or a single workspace has let in, with which scopes and by whom, and takes them
//! away where Slack has an interface for it.
//!
//! Slack lists no tokens: what is installed is replayed from logs. Facts about the platform, with their sources, are in the API sheet of
//! the project and in `connector.toml`.

mod account;
mod api;
mod classify;
mod collect;
mod hints;
mod lenient;
#[cfg(feature = "revoke")]
mod revoke;
mod rights;
mod session;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use grantwarden_kit::{
    connector::{Connector, Kit, Session, TenantConfig},
    error::Result,
    manifest::Manifest,
};

use crate::session::SlackSession;

#[expect(clippy::expect_used, reason = "the text is compiled in, and a test parses it")]
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    Manifest::parse(include_str!("../connector.toml")).expect("connector.toml is valid")
});

/// The Slack connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slack;

impl Connector for Slack {
    fn manifest(&self) -> &'static Manifest {
        &MANIFEST
    }

    fn scopes(&self) -> &'static str {
        include_str!("../scopes.toml")
    }

    fn open(&self, tenant: TenantConfig, kit: Kit) -> Result<Box<dyn Session>> {
        Ok(Box::new(SlackSession::open(tenant, kit)?))
    }

    #[cfg(feature = "revoke")]
    fn open_revoker(
        &self,
        tenant: TenantConfig,
        kit: Kit,
    ) -> Result<Box<dyn grantwarden_kit::connector::Revoke>> {
        Ok(Box::new(revoke::Revoker::open(tenant, kit)?))
    }
}
