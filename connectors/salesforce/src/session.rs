//! [`SalesforceSession`]: one org opened for reading.

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{Collect, Probe, Session, Sink, UsageLog, Visibility},
    error::{ErrorKind, Result},
    http::Request,
    ledger::Ledger,
    model::Coverage,
};

use crate::{MANIFEST, collect, org::Org};

/// The facets that [`UsageLog::usage`] reads; [`Collect::collect`] reads the others.
const USAGE_FACETS: [&str; 2] = ["login-history", "api-usage"];

/// One org opened for reading.
pub(crate) struct SalesforceSession {
    org: Org,
    skip: Vec<String>,
}

impl SalesforceSession {
    pub(crate) const fn new(org: Org, skip: Vec<String>) -> Self {
        Self { org, skip }
    }

    fn ledger(&self, usage: bool) -> Ledger {
        let facets: Vec<&str> = MANIFEST
            .facets
            .iter()
            .map(|facet| facet.id.as_str())
            .filter(|facet| USAGE_FACETS.contains(facet) == usage)
            .collect();
        Ledger::new(&MANIFEST, &facets, &self.skip)
    }
}

impl Session for SalesforceSession {
    fn calls(&self) -> u64 {
        self.org.door.calls()
    }

    fn usage(&self) -> Option<&dyn UsageLog> {
        Some(self)
    }
}

#[async_trait]
impl Collect for SalesforceSession {
    async fn sign_in(&self) -> Result<()> {
        self.org.connect().await.map(drop)
    }

    /// Reads everything once without keeping it, which is what it takes to know that it can be read: Salesforce answers a query
    /// without the right to it with fewer rows, not with an error.
    async fn probe(&self) -> Result<Probe> {
        let user = self.org.connect().await?;
        let ledger = self.ledger(false);
        let organization = collect::organization(&self.org, &ledger).await?;
        collect::probe(&self.org, &ledger).await;
        let usage = self.ledger(true);
        collect::usage::probe(&self.org, &usage).await;
        let mut parts = ledger.close(self.org.door.is_cancelled()).parts;
        parts.extend(usage.close(self.org.door.is_cancelled()).parts);
        let mut notes = vec![format!("API version {}", self.org.version())];
        if let Some(quota) = self.org.door.quota() {
            notes.push(format!(
                "{} of {} API calls of the last 24 hours used",
                quota.used, quota.max
            ));
        }
        let facets = MANIFEST.facets.iter().filter_map(|facet| {
            let part = parts.iter().find(|part| part.facet == facet.id)?;
            let gap = part.losses.first().map(|loss| loss.gap.clone());
            Some(Visibility { facet: facet.id.clone(), gap })
        });
        Ok(Probe {
            identity: self.org.username(user.as_deref()).await,
            tenant: match &organization.name {
                Some(name) => format!("{name} ({})", organization.id),
                None => organization.id.clone(),
            },
            facets: facets.collect(),
            notes,
        })
    }

    async fn collect(&self, sink: &Sink) -> Coverage {
        let ledger = self.ledger(false);
        if let Err(error) = collect::all(&self.org, &ledger, sink).await {
            // Whatever was not settled by now is booked as not read; this says why.
            if error.kind != ErrorKind::Cancelled {
                ledger.fail("organization", &error);
            }
        }
        ledger.close(self.org.door.is_cancelled())
    }
}

#[async_trait]
impl UsageLog for SalesforceSession {
    async fn usage(&self, sink: &Sink) -> Coverage {
        let ledger = self.ledger(true);
        collect::usage::all(&self.org, &ledger, sink).await;
        ledger.close(self.org.door.is_cancelled())
    }
}

/// `GET /limits`: the quota, for an org whose replies do not announce it.
pub(crate) async fn limits(org: &Org) -> Result<()> {
    org.send(&Request::get("read limits", org.data("limits")?)).await.map(drop)
}
