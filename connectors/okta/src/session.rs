//! [`OktaSession`]: one org opened for reading.

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{Collect, Probe, Session, Sink, UsageLog, Visibility},
    error::{ErrorKind, Result},
    ledger::Ledger,
    model::Coverage,
};

use crate::{
    MANIFEST,
    collect::{self, Usages},
    org::Org,
};

/// One org opened for reading.
pub(crate) struct OktaSession {
    org: Org,
    skip: Vec<String>,
    /// Read with the grants, which need it, and streamed when it is asked for.
    usages: Usages,
}

impl OktaSession {
    pub(crate) fn new(org: Org, skip: Vec<String>) -> Self {
        Self { org, skip, usages: Usages::default() }
    }

    fn ledger(&self) -> Ledger {
        let facets: Vec<&str> = MANIFEST.facets.iter().map(|facet| facet.id.as_str()).collect();
        Ledger::new(&MANIFEST, &facets, &self.skip)
    }
}

impl Session for OktaSession {
    fn calls(&self) -> u64 {
        self.org.door.calls()
    }

    fn usage(&self) -> Option<&dyn UsageLog> {
        Some(self)
    }
}

#[async_trait]
impl Collect for OktaSession {
    async fn sign_in(&self) -> Result<()> {
        self.org.connect().await.map(drop)
    }

    async fn probe(&self) -> Result<Probe> {
        let access = self.org.connect().await?;
        let ledger = self.ledger();
        let (tenant, mut notes) = collect::probe(&self.org, &ledger, access).await;
        let parts = ledger.close(self.org.door.is_cancelled()).parts;
        notes.extend(parts.iter().flat_map(|part| part.notes.iter().cloned()));
        let facets = parts.into_iter().map(|part| {
            let gap = part.losses.into_iter().next().map(|loss| loss.gap);
            Visibility { facet: part.facet, gap }
        });
        Ok(Probe { identity: access.identity(), tenant, facets: facets.collect(), notes })
    }

    async fn collect(&self, sink: &Sink) -> Coverage {
        let ledger = self.ledger();
        let done = collect::all(&self.org, &ledger, sink, &self.usages).await;
        if let Err(error) = done
            && error.kind != ErrorKind::Cancelled
        {
            // Whatever was not settled by now is booked as not read; this says why.
            ledger.fail(collect::ORGANIZATION, &error);
        }
        ledger.close(self.org.door.is_cancelled())
    }
}

#[async_trait]
impl UsageLog for OktaSession {
    /// The log was read and booked with the grants; what apps did is made of that.
    async fn usage(&self, sink: &Sink) -> Coverage {
        // Fails only when nobody reads any more.
        let _ = self.usages.stream(sink).await;
        Coverage::default()
    }
}
