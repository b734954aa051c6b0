//! Runs the connectors of all tenants at the same time, each into its own spool.

use std::{fs::File, sync::Arc};

use futures::stream::{self, StreamExt};
use grantwarden_kit::{
    connector::{Kit, Session, Sink},
    error::{Error, ErrorKind},
    memory::Memory,
    model::{Coverage, Gap, Reason, Record, Timestamp},
};

use crate::{
    config::{Incremental, TenantEntry},
    inventory::{Failure, Header, Inventory, InventoryError, Spool, Spooled, TenantEnd},
    store::Keeper,
};

/// Tenants that are scanned at the same time.
const CONCURRENT_TENANTS: usize = 8;
/// Records in flight between a connector and the disk.
const IN_FLIGHT: usize = 1_024;

/// Watches a scan, for a progress display.
pub trait Observer: Send + Sync {
    /// A tenant's scan begins.
    fn start(&self, tenant: &str);
    /// So many grants of the tenant were read so far.
    fn progress(&self, tenant: &str, grants: u64);
    /// A tenant's scan is over.
    fn finish(&self, tenant: &str, end: &TenantEnd);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn start(&self, _: &str) {}
    fn progress(&self, _: &str, _: u64) {}
    fn finish(&self, _: &str, _: &TenantEnd) {}
}

/// What stops a whole scan: something is wrong with this machine.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Records cannot be kept.
    #[error("cannot write to the folder for temporary files; set TMPDIR to one with room")]
    Spool(#[from] std::io::Error),
    /// Records cannot be read back.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// Whether a scan may build on the one before.
#[derive(Debug, Clone, Copy)]
pub struct Remembering<'a> {
    /// Where what was read is remembered.
    pub settings: &'a Incremental,
    /// Reads everything anew all the same, and remembers it.
    pub is_full: bool,
}

impl Remembering<'_> {
    fn of(&self, tenant: &TenantEntry) -> Memory {
        let memory = self.settings.memory(tenant);
        if self.is_full { memory.forgetting() } else { memory }
    }
}

/// Scans tenants. What `keeper` is given is kept as soon as a tenant's scan is over.
///
/// # Errors
/// Only if this machine cannot keep the records; what fails at a tenant is in the inventory.
pub async fn run(
    header: Header,
    tenants: &[TenantEntry],
    incremental: Option<&Remembering<'_>>,
    keeper: Option<&Keeper<'_>>,
    kit: &Kit,
    observer: &dyn Observer,
) -> Result<Inventory, ScanError> {
    let spools: Vec<Result<File, ScanError>> = stream::iter(tenants.iter().enumerate())
        .map(async |(place, tenant)| {
            let memory = incremental.map(|remembering| remembering.of(tenant));
            let spooled = scan(tenant, memory, kit.clone(), observer).await?;
            if let Some(keeper) = keeper {
                keeper.keep(place, Some(&tenant.source()), &spooled).await;
            }
            Ok(spooled.file)
        })
        // In order: the snapshot of the same tenants is in the same order every time.
        .buffered(CONCURRENT_TENANTS)
        .collect()
        .await;
    let spools = spools.into_iter().collect::<Result<Vec<File>, ScanError>>()?;
    Ok(Inventory::of_spools(header, spools)?)
}

async fn scan(
    tenant: &TenantEntry,
    memory: Option<Memory>,
    kit: Kit,
    observer: &dyn Observer,
) -> Result<Spooled, ScanError> {
    observer.start(&tenant.name);
    let started_at = kit.clock.now();
    let mut spool = Spool::new(&tenant.name)?;
    let clock = Arc::clone(&kit.clock);
    let outcome = match open(tenant, memory, kit).await {
        Ok(session) => collect(tenant, session, &mut spool, observer).await?,
        Err(error) => Outcome::failed(&error),
    };
    let end = outcome.end(tenant, started_at, clock.now());
    tracing::info!(
        tenant = end.name,
        platform = end.platform,
        records = spool.records(),
        calls = end.calls,
        whole = end.is_whole(),
        "Scanned a tenant."
    );
    observer.finish(&tenant.name, &end);
    Ok(spool.finish(end)?)
}

async fn open(
    tenant: &TenantEntry,
    memory: Option<Memory>,
    kit: Kit,
) -> Result<Arc<dyn Session>, Error> {
    let connector = tenant
        .connector()
        .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()))?;
    let config = tenant.resolve(memory).await?;
    let session: Arc<dyn Session> = connector.open(config, kit)?.into();
    session.sign_in().await?;
    Ok(session)
}

/// Runs the connector in a task of its own, so that a defect in one ends one tenant's scan and nobody else's.
async fn collect(
    tenant: &TenantEntry,
    session: Arc<dyn Session>,
    spool: &mut Spool,
    observer: &dyn Observer,
) -> Result<Outcome, ScanError> {
    let (sink, mut records) = Sink::bounded(IN_FLIGHT);
    let running = tokio::spawn({
        let session = Arc::clone(&session);
        async move {
            let mut coverage = session.collect(&sink).await;
            if let Some(log) = session.usage() {
                coverage.parts.extend(log.usage(&sink).await.parts);
            }
            coverage
        }
    });
    let mut grants = 0;
    let mut written = Ok(());
    while let Some(record) = records.recv().await {
        grants += u64::from(matches!(record, Record::Grant(_)));
        written = spool.push(record);
        if written.is_err() {
            // Dropping the receiver ends the connector's stream.
            break;
        }
        observer.progress(&tenant.name, grants);
    }
    drop(records);
    let outcome = match running.await {
        Ok(coverage) => Outcome { coverage, failure: None, calls: session.calls() },
        Err(_) => {
            let mut outcome = Outcome::failed(
                &Error::new(
                    ErrorKind::Malformed,
                    "the connector stopped because of a defect of its own",
                )
                .at(&tenant.name, &tenant.platform, "scan")
                .with_hint("please report it, with the output of GRANTWARDEN_LOG=debug"),
            );
            outcome.calls = session.calls();
            outcome
        }
    };
    written?;
    Ok(outcome)
}

struct Outcome {
    coverage: Coverage,
    failure: Option<Failure>,
    calls: u64,
}

impl Outcome {
    /// Nothing was read.
    fn failed(error: &Error) -> Self {
        Self { coverage: Coverage::default(), failure: Some(error.into()), calls: 0 }
    }

    fn end(self, tenant: &TenantEntry, started_at: Timestamp, finished_at: Timestamp) -> TenantEnd {
        let mut coverage = self.coverage;
        if let (Some(failure), Ok(connector)) = (&self.failure, tenant.connector()) {
            // Said once, under the first facet: that nothing else was read follows from it.
            if let Some(facet) = connector.manifest().facets.first() {
                let part = coverage.part(&facet.id, &facet.title, facet.promised);
                let detail = format!("nothing was read: {}", failure.message);
                part.lose(Gap::new(Reason::CallFailed, &facet.id, detail), None);
            }
        }
        TenantEnd {
            name: tenant.name.clone(),
            platform: tenant.platform.clone(),
            started_at,
            finished_at,
            calls: self.calls,
            coverage,
            failure: self.failure,
        }
    }
}
