//! [`GoogleSession`]: one account opened for reading.

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
    collect::{self, Usages},
};

/// One account opened for reading.
pub(crate) struct GoogleSession {
    account: Account,
    skip: Vec<String>,
    /// Read with the grants, which need it, and streamed when it is asked for.
    usages: Usages,
}

impl GoogleSession {
    pub(crate) fn open(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let skip = tenant.skip.clone();
        Ok(Self { account: Account::open(tenant, kit)?, skip, usages: Usages::default() })
    }

    fn ledger(&self) -> Ledger {
        let facets: Vec<&str> = MANIFEST.facets.iter().map(|facet| facet.id.as_str()).collect();
        Ledger::new(&MANIFEST, &facets, &self.skip)
    }
}

impl Session for GoogleSession {
    fn calls(&self) -> u64 {
        self.account.door.calls()
    }

    fn usage(&self) -> Option<&dyn UsageLog> {
        Some(self)
    }
}

#[async_trait]
impl Collect for GoogleSession {
    async fn sign_in(&self) -> Result<()> {
        self.account.connect().await
    }

    async fn probe(&self) -> Result<Probe> {
        self.account.connect().await?;
        let ledger = self.ledger();
        let user = collect::probe(&self.account, &ledger).await;
        let parts = ledger.close(self.account.door.is_cancelled()).parts;
        let facets = MANIFEST.facets.iter().filter_map(|facet| {
            let part = parts.iter().find(|part| part.facet == facet.id)?;
            let gap = part.losses.first().map(|loss| loss.gap.clone());
            Some(Visibility { facet: facet.id.clone(), gap })
        });
        let customer = user.and_then(|user| user.customer_id);
        Ok(Probe {
            identity: collect::whoami(&self.account),
            tenant: customer.unwrap_or_else(|| self.account.customer().to_owned()),
            facets: facets.collect(),
            notes: vec![
                "the scope that shows grants can also revoke them: Google has none that only reads"
                    .to_owned(),
            ],
        })
    }

    async fn collect(&self, sink: &Sink) -> Coverage {
        let ledger = self.ledger();
        if let Err(error) = collect::all(&self.account, &ledger, sink, &self.usages).await {
            // Whatever was not settled by now is booked as not read; this says why.
            if error.kind != ErrorKind::Cancelled {
                ledger.fail("customer", &error);
            }
        }
        ledger.close(self.account.door.is_cancelled())
    }
}

#[async_trait]
impl UsageLog for GoogleSession {
    /// The log was read and booked with the grants; what apps did is made of that.
    async fn usage(&self, sink: &Sink) -> Coverage {
        // Fails only when nobody reads any more.
        let _ = self.usages.stream(sink).await;
        Coverage::default()
    }
}
