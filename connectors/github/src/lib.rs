//! GitHub: the apps, tokens, keys and webhooks that reach an organisation, on github.com, Enterprise Cloud and Enterprise Server.
//!
//! * `api`: wire types, in GitHub's own words
//! * [`token_form`]: what a token looks like, and its checksum
//! * `classify`, `hints`: GitHub's dialect of errors, and what to do about them
//! * `site`: where the API is, and which account is asked about
//! * `rights`: which right makes which part visible
//! * `owners`: who is behind an app, remembered for all tenants
//! * `app_token`: signing in as a GitHub App
//! * `client`: an account, signed in to
//! * `collect`: what a scan reads, with one file per subject
//! * `revoke` (feature): taking access away
//!
//! Facts about the platform that are not code stand in `connector.toml`. There is no memory from scan to scan and no conditional request: a
//! thousand repositories and twenty thousand credentials take some seven hundred calls of the hour's five thousand or more.

mod api;
mod app_token;
mod classify;
mod client;
mod collect;
mod hints;
mod owners;
#[cfg(feature = "revoke")]
mod revoke;
mod rights;
mod session;
mod site;
#[cfg(test)]
mod tests;
pub mod token_form;

use std::sync::{Arc, LazyLock};

use grantwarden_kit::{
    connector::{Connector, Kit, Session, TenantConfig},
    error::Result,
    manifest::Manifest,
};

use crate::{app_token::Purpose, client::Client, owners::OwnerCache, session::GithubSession};

#[expect(clippy::expect_used, reason = "the text is compiled in, and a test parses it")]
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    Manifest::parse(include_str!("../connector.toml")).expect("connector.toml is valid")
});

/// The GitHub connector of this process: what it learns of publishers of apps serves all tenants.
pub static GITHUB: GitHub = GitHub::new();

/// The GitHub connector.
#[derive(Debug)]
pub struct GitHub {
    owners: LazyLock<Arc<OwnerCache>>,
}

impl GitHub {
    /// A connector that knows no publisher yet.
    pub const fn new() -> Self {
        Self { owners: LazyLock::new(Arc::default) }
    }
}

impl Default for GitHub {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for GitHub {
    fn manifest(&self) -> &'static Manifest {
        &MANIFEST
    }

    fn scopes(&self) -> &'static str {
        include_str!("../scopes.toml")
    }

    fn open(&self, tenant: TenantConfig, kit: Kit) -> Result<Box<dyn Session>> {
        let skip = tenant.skip.clone();
        let client = Client::open(tenant, kit, Purpose::Reading, Arc::clone(&self.owners))?;
        Ok(Box::new(GithubSession::new(client, skip)))
    }

    #[cfg(feature = "revoke")]
    fn open_revoker(
        &self,
        tenant: TenantConfig,
        kit: Kit,
    ) -> Result<Box<dyn grantwarden_kit::connector::Revoke>> {
        // An incident does not wait for the quota.
        let tenant = TenantConfig { keep_quota_percent: 0, ..tenant };
        let client = Client::open(tenant, kit, Purpose::Revoking, Arc::clone(&self.owners))?;
        Ok(Box::new(revoke::Revoker::new(client)))
    }
}
