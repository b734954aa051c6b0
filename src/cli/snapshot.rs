//! What a snapshot is called on the command line, and where it lies: an inventory file, or a scan of the store. The one place that knows.

use std::{io, path::Path};

use super::{Failure, args::StoreArgs, remember, scan::offline_config};
use crate::{
    inventory::{InventoryError, Parts},
    store::{Reference, Store},
};

/// Finds snapshots. The store is opened when the first one of it is asked for.
pub(super) struct Snapshots<'a> {
    config: &'a Path,
    place: &'a StoreArgs,
    /// Only these; all if none is named.
    tenants: &'a [String],
    store: Option<Store>,
}

impl<'a> Snapshots<'a> {
    pub(super) const fn new(config: &'a Path, place: &'a StoreArgs, tenants: &'a [String]) -> Self {
        Self { config, place, tenants, store: None }
    }

    /// Finds a snapshot by the path of an inventory file or by a reference into the store. A file that is there wins: write `./12` and `#12`
    /// to say which one is meant.
    pub(super) async fn open(&mut self, text: &str) -> Result<Parts, Failure> {
        let path = Path::new(text);
        if !path.exists()
            && let Ok(reference) = text.parse::<Reference>()
        {
            return self.of_store(reference).await;
        }
        Parts::open(path).map_err(|error| {
            let is_missing = matches!(&error, InventoryError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound);
            let failure = Failure::from(error);
            if is_missing {
                failure.hint(
                    "name an inventory file, or a scan of the store: latest, previous, a number, a date such as 2026-01-31",
                )
            } else {
                failure
            }
        })
    }

    async fn of_store(&mut self, reference: Reference) -> Result<Parts, Failure> {
        let store = match &mut self.store {
            Some(store) => store,
            none => none
                .insert(remember::open_for_sure(&offline_config(self.config)?, self.place).await?),
        };
        let scan = store.resolve(reference, self.tenants).await?;
        if scan.finished_at.is_none() {
            tracing::warn!(
                "Scan {} was broken off: tenants that it had not read by then are missing.",
                scan.number
            );
        }
        Ok(store.parts(&scan.header, &scan.snapshots).await?)
    }
}
