//! Microsoft 365: the service principals of an Entra directory, and the delegated and application permissions that they hold.
//!
//! * `api`: wire types, in Microsoft Graph's own words
//! * `clouds`: which sign-in host belongs to which Graph host; Microsoft's own tenants and resources
//! * `classify`, `hints`: Graph's dialect of errors, and what to do about them
//! * `envelope`: many requests in one (`$batch`)
//! * `graph`: the signed-in directory
//! * `rights`: which application permission makes which facet visible
//! * `collect`: what a scan reads, with one file per subject
//! * `revoke` (feature): taking access away
//!
//! Facts about the platform that are not code stand in `connector.toml`.

mod api;
mod classify;
mod clouds;
mod collect;
mod envelope;
mod graph;
mod hints;
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

use crate::{graph::Graph, session::MicrosoftSession};

#[expect(clippy::expect_used, reason = "the text is compiled in, and a test parses it")]
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    Manifest::parse(include_str!("../connector.toml")).expect("connector.toml is valid")
});

/// The Microsoft 365 connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct Microsoft365;

impl Connector for Microsoft365 {
    fn manifest(&self) -> &'static Manifest {
        &MANIFEST
    }

    fn scopes(&self) -> &'static str {
        include_str!("../scopes.toml")
    }

    fn open(&self, mut tenant: TenantConfig, kit: Kit) -> Result<Box<dyn Session>> {
        let (skip, memory) = (tenant.skip.clone(), tenant.memory.take());
        Ok(Box::new(MicrosoftSession::new(Graph::open(tenant, kit)?, skip, memory)))
    }

    #[cfg(feature = "revoke")]
    fn open_revoker(
        &self,
        tenant: TenantConfig,
        kit: Kit,
    ) -> Result<Box<dyn grantwarden_kit::connector::Revoke>> {
        Ok(Box::new(revoke::Revoker::new(Graph::open(tenant, kit)?)))
    }
}
