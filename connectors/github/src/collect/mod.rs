//! What a scan reads: the organisation and what bears on it as a whole, then every kind of grant side by side as streams. One file per
//! subject. Nothing here keeps more than apps, settings and the owners' logins in memory.

mod app_records;
mod audit;
mod authorizations;
mod deploy_keys;
mod enterprise;
mod fine_grained;
mod gaps;
mod hooks;
mod installations;
mod listing;
mod oauth_apps;
mod organization;
mod outside;
mod people;
mod probe;
mod publishers;
mod records;
mod scopes;
mod server;
mod stand_ins;

use std::sync::atomic::AtomicU64;

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::Ledger,
    model::{Gap, Grant, Holder, Record},
};

#[cfg(feature = "revoke")]
pub(crate) use self::{
    app_records::SLUG,
    deploy_keys::{Repository, ask as ask_repositories, repository_of},
    hooks::host_of,
    listing::every_row,
    stand_ins::StandIn,
};
use self::{hooks::Hosts, people::People, stand_ins::StandIns};
use crate::{
    api::Organization,
    client::Client,
    rights::{Held, Need},
    site::{Account, Edition},
};
pub(crate) use probe::probe;

/// Facets of an organisation, of an enterprise, and of a server as a whole.
const OF_ORGANIZATION: [&str; 14] = [
    organization::FACET,
    people::FACET,
    installations::FACET,
    publishers::FACET,
    authorizations::FACET,
    fine_grained::FACET,
    fine_grained::REQUESTS,
    deploy_keys::FACET,
    hooks::OF_ORGANIZATION,
    hooks::OF_REPOSITORIES,
    organization::SECRETS,
    oauth_apps::FACET,
    audit::FACET,
    outside::FACET,
];
const OF_ENTERPRISE: [&str; 5] = [
    enterprise::FACET,
    installations::FACET,
    enterprise::REPOSITORIES,
    publishers::FACET,
    audit::FACET,
];
const OF_SERVER: [&str; 3] = [server::TOKENS, server::KEYS, server::HOOKS];

/// The facets that an account of an edition has.
pub(crate) fn facets(account: &Account, edition: Option<Edition>) -> Vec<&'static str> {
    match (account, edition) {
        (Account::Enterprise(_), _) => OF_ENTERPRISE.to_vec(),
        (Account::Organization(_), Some(Edition::Server)) => {
            OF_ORGANIZATION.iter().chain(&OF_SERVER).copied().collect()
        }
        (Account::Organization(_), _) => OF_ORGANIZATION.to_vec(),
    }
}

/// The facet that books what ends a scan early.
pub(crate) const fn first_facet(account: &Account) -> &'static str {
    match account {
        Account::Organization(_) => organization::FACET,
        Account::Enterprise(_) => enterprise::FACET,
    }
}

/// One scan under way.
struct Scan<'a> {
    client: &'a Client,
    ledger: &'a Ledger,
    sink: &'a Sink,
    /// As whom we ask.
    held: Held,
    stand_ins: StandIns<'a>,
    hosts: Hosts<'a>,
    /// Private apps, which do not show who is behind them.
    private_apps: AtomicU64,
}

/// What is known of an organisation before its grants are read.
struct Facts {
    organization: Option<Organization>,
    people: People,
}

impl<'a> Scan<'a> {
    fn new(client: &'a Client, ledger: &'a Ledger, sink: &'a Sink) -> Self {
        Self {
            client,
            ledger,
            sink,
            held: client.held(),
            stand_ins: StandIns::new(sink),
            hosts: Hosts::new(sink),
            private_apps: AtomicU64::new(0),
        }
    }

    /// Whether the right to the organisation's administration works this moment, for an owner as for an app: then "not found" on another
    /// listing that takes it is a matter of the plan. What was granted at the sign-in may have been taken away since.
    async fn may_still_ask(&self) -> bool {
        let seen = async {
            let request = self.client.list("look whether we may still ask", &["installations"])?;
            self.client.send(&listing::with(request, "per_page", "1")).await.map(drop)
        };
        let seen: Result<()> = seen.await;
        seen.is_ok()
    }

    /// Whether a facet is to be read. If not, why not is booked.
    fn begins(&self, facet: &str, need: Need) -> bool {
        self.obstacle(facet, need).is_none()
    }

    /// What keeps a facet from being read, which is booked.
    fn obstacle(&self, facet: &str, need: Need) -> Option<Gap> {
        if let Some(gap) = self.ledger.skipped(facet) {
            return Some(gap);
        }
        let error = self.held.allow(need).err()?;
        self.ledger.settle(facet);
        Some(gaps::fail(self.ledger, facet, &error))
    }

    async fn send(&self, record: Record) -> Result<()> {
        self.sink.send(record).await
    }

    /// Streams a grant and books it. If GitHub did not tell what it allows, although it should, that is a loss: the row is there, and no
    /// row is missing.
    async fn grant(&self, facet: &str, mut grant: Grant) -> Result<()> {
        if let Holder::Principal(user) = &mut grant.holder
            && user.id.is_empty()
        {
            // Two users who are not named are not one.
            user.id = format!("unnamed:{}", grant.id);
        }
        let untold = grant.scopes.gap().filter(|gap| gap.reason.is_loss()).cloned();
        self.send(Record::Grant(Box::new(grant))).await?;
        self.ledger.read(facet, 1);
        if let Some(gap) = untold {
            self.ledger.lose(gap, Some(0));
        }
        Ok(())
    }
}

/// Reads the whole account.
pub(crate) async fn all(client: &Client, ledger: &Ledger, sink: &Sink) -> Result<()> {
    let scan = Scan::new(client, ledger, sink);
    match &client.site.account {
        Account::Organization(_) => organization_wide(&scan).await,
        Account::Enterprise(slug) => enterprise::read(&scan, slug).await,
    }
}

async fn organization_wide(scan: &Scan<'_>) -> Result<()> {
    // The plan decides what a log that is not there means.
    let organization = organization::read(scan).await;
    let plan = organization.known().and_then(|own| own.plan.as_ref()?.name.as_deref());
    let (secrets, oauth, people) = tokio::join!(
        organization::secrets(scan),
        oauth_apps::Policy::read(scan, plan),
        People::read(scan),
    );
    let tenant = organization::record(scan, &organization, secrets, &oauth)?;
    scan.send(Record::Tenant(tenant)).await?;
    let facts = Facts { organization: organization.known().cloned(), people };
    let facts = &facts;
    oauth.stream(scan).await?;
    let keys = async {
        let seen = deploy_keys::read(scan, facts).await?;
        // A server's list of all keys has them again.
        server::read(scan, &seen).await
    };
    tokio::try_join!(
        installations::of_organization(scan),
        authorizations::read(scan, facts),
        fine_grained::read(scan, facts),
        fine_grained::requests(scan),
        keys,
        hooks::of_organization(scan),
        hooks::of_repositories(scan),
        audit::read(scan, facts),
        outside::read(scan, facts),
    )?;
    Ok(())
}
