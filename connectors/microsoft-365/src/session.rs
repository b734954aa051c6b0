//! [`MicrosoftSession`]: one directory opened for reading.

use async_trait::async_trait;
use grantwarden_kit::{
    connector::{Collect, Probe, Session, Sink, Visibility},
    error::{ErrorKind, Result},
    ledger::Ledger,
    memory::Memory,
    model::Coverage,
};

use crate::{MANIFEST, collect, graph::Graph};

/// One directory opened for reading.
pub(crate) struct MicrosoftSession {
    graph: Graph,
    skip: Vec<String>,
    memory: Option<Memory>,
}

impl MicrosoftSession {
    pub(crate) const fn new(graph: Graph, skip: Vec<String>, memory: Option<Memory>) -> Self {
        Self { graph, skip, memory }
    }

    fn ledger(&self) -> Ledger {
        let facets: Vec<&str> = MANIFEST.facets.iter().map(|facet| facet.id.as_str()).collect();
        Ledger::new(&MANIFEST, &facets, &self.skip)
    }
}

impl Session for MicrosoftSession {
    fn calls(&self) -> u64 {
        self.graph.door.calls()
    }
}

#[async_trait]
impl Collect for MicrosoftSession {
    async fn sign_in(&self) -> Result<()> {
        self.graph.connect().await.map(drop)
    }

    async fn probe(&self) -> Result<Probe> {
        let claims = self.graph.connect().await?;
        let ledger = self.ledger();
        collect::book_user_token(&ledger, &claims);
        let organization = collect::probe(&self.graph, &ledger, &claims).await;
        let parts = ledger.close(self.graph.door.is_cancelled()).parts;
        let facets = parts.into_iter().map(|part| {
            let gap = part.losses.into_iter().next().map(|loss| loss.gap);
            Visibility { facet: part.facet, gap }
        });
        let app = claims.appid.as_deref().unwrap_or("an app that the token does not name");
        let tenant = claims.tid.as_deref().unwrap_or("a directory that does not show itself");
        Ok(Probe {
            identity: match &claims.app_displayname {
                Some(name) => format!("{name} ({app})"),
                None => app.to_owned(),
            },
            tenant: match organization {
                Some(organization) => match organization.display_name {
                    Some(name) => format!("{name} ({})", organization.id),
                    None => organization.id,
                },
                None => tenant.to_owned(),
            },
            facets: facets.collect(),
            notes: Vec::new(),
        })
    }

    async fn collect(&self, sink: &Sink) -> Coverage {
        let ledger = self.ledger();
        let done = collect::all(&self.graph, &ledger, sink, self.memory.as_ref()).await;
        if let Err(error) = done
            && error.kind != ErrorKind::Cancelled
        {
            // Whatever was not settled by now is booked as not read; this says why.
            ledger.fail("organization", &error);
        }
        ledger.close(self.graph.door.is_cancelled())
    }
}
