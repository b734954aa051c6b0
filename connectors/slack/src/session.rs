//! [`SlackSession`]: one organisation or workspace opened for reading.

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{Collect, Kit, Probe, Session, Sink, TenantConfig, UsageLog, Visibility},
    error::{ErrorKind, Result},
    ledger::Ledger,
    model::Coverage,
};

use crate::{
    MANIFEST,
    account::Account,
    collect::{self, usage},
};

/// One organisation or workspace opened for reading.
pub(crate) struct SlackSession {
    account: Account,
    skip: Vec<String>,
}

impl SlackSession {
    pub(crate) fn open(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let skip = tenant.skip.clone();
        Ok(Self { account: Account::open(tenant, kit)?, skip })
    }

    fn ledger(&self, wanted: impl Fn(&str) -> bool) -> Ledger {
        let facets: Vec<&str> = MANIFEST.facets.iter().map(|facet| facet.id.as_str()).collect();
        let facets: Vec<&str> = facets.into_iter().filter(|facet| wanted(facet)).collect();
        Ledger::new(&MANIFEST, &facets, &self.skip)
    }
}

impl Session for SlackSession {
    fn calls(&self) -> u64 {
        self.account.door.calls()
    }

    fn usage(&self) -> Option<&dyn UsageLog> {
        Some(self)
    }
}

#[async_trait]
impl Collect for SlackSession {
    async fn sign_in(&self) -> Result<()> {
        self.account.identity().await.map(drop)
    }

    async fn probe(&self) -> Result<Probe> {
        let identity = self.account.identity().await?;
        let ledger = self.ledger(|_| true);
        let unknown = collect::probe(&self.account, identity, &ledger).await;
        let mut notes = collect::notes(identity, &self.skip);
        notes.extend(unknown);
        let parts = ledger.close(self.account.door.is_cancelled()).parts;
        let facets = MANIFEST.facets.iter().filter_map(|facet| {
            let part = parts.iter().find(|part| part.facet == facet.id)?;
            let gap = part.losses.first().map(|loss| loss.gap.clone());
            Some(Visibility { facet: facet.id.clone(), gap })
        });
        let tenant = match &identity.name {
            Some(name) => format!("{} ({name})", identity.reach.id()),
            None => identity.reach.id().to_owned(),
        };
        Ok(Probe { identity: identity.user.clone(), tenant, facets: facets.collect(), notes })
    }

    async fn collect(&self, sink: &Sink) -> Coverage {
        let ledger = self.ledger(|facet| facet != usage::FACET);
        if let Err(error) = collect::all(&self.account, &ledger, sink).await {
            // Whatever was not settled by now is booked as not read; this says why.
            if error.kind != ErrorKind::Cancelled {
                ledger.fail(collect::ORGANIZATION, &error);
            }
        }
        ledger.close(self.account.door.is_cancelled())
    }
}

#[async_trait]
impl UsageLog for SlackSession {
    async fn usage(&self, sink: &Sink) -> Coverage {
        let ledger = self.ledger(|facet| facet == usage::FACET);
        // Fails only when nobody reads any more.
        if let Err(error) = usage::stream(&self.account, &ledger, sink).await {
            ledger.fail(usage::FACET, &error);
        }
        ledger.close(self.account.door.is_cancelled())
    }
}
