//! `--previous`: the inventories of earlier scans that a scan is compared with.

use std::path::{Path, PathBuf};

use grantwarden_kit::model::Timestamp;

use super::{Failure, remember};
use crate::{inventory::Inventory, rules::Before, store::Store};

/// Earlier scans, and which of them is the newest.
pub(super) struct Earlier {
    scans: Before,
    taken_at: Timestamp,
    path: PathBuf,
}

impl Earlier {
    /// Reads the earlier scans, one after the other; none if none is named. Before the scan: a file that cannot be read is told at once.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Option<Self>, Failure> {
        let mut earlier: Option<Self> = None;
        for path in paths {
            let inventory = Inventory::open(path)?;
            let taken_at = inventory.header.taken_at;
            let known = earlier.get_or_insert_with(|| Self::new(taken_at, path));
            known.scans.add(&inventory)?;
            if known.taken_at < taken_at {
                known.taken_at = taken_at;
                known.path.clone_from(path);
            }
        }
        Ok(earlier)
    }

    /// What the store remembers of the tenants of an inventory, from before it.
    pub(super) async fn of_store(
        store: &Store,
        inventory: &Inventory,
    ) -> Result<Option<Self>, Failure> {
        let keys: Vec<String> =
            remember::tenants(inventory).into_iter().map(|tenant| tenant.key).collect();
        let mut earlier: Option<Self> = None;
        for (header, snapshots) in store.earlier(&keys, inventory.header.taken_at).await? {
            let known =
                earlier.get_or_insert_with(|| Self::new(header.taken_at, Path::new(store.name())));
            known.scans.add(&store.inventory(&header, &snapshots).await?)?;
            known.taken_at = known.taken_at.max(header.taken_at);
        }
        Ok(earlier)
    }

    fn new(taken_at: Timestamp, path: &Path) -> Self {
        Self { scans: Before::default(), taken_at, path: path.to_owned() }
    }

    /// The scans, if all are older than the one to judge: the other way round all that was revoked would be new.
    pub(super) fn before(self, inventory: &Inventory) -> Result<Before, Failure> {
        let now = inventory.header.taken_at;
        if self.taken_at < now {
            return Ok(self.scans);
        }
        Err(Failure::usage(format!(
            "{}: the scan of {} is not before the one to judge, of {now}",
            self.path.display(),
            self.taken_at
        ))
        .hint("--previous names the older of two inventories"))
    }
}
