//! Gives reports what the store remembers of their findings.

use std::collections::BTreeMap;

use tokio::{runtime::Handle, task};

use crate::{
    finding::Fingerprint,
    scan::History,
    store::{Compared, Past, Store, StoreError},
};

/// What a store remembers of the findings of one scan.
pub(super) struct Remembered<'a> {
    /// The store.
    pub(super) store: &'a Store,
    /// What the scan can be compared with.
    pub(super) compared: Compared,
}

impl History for Remembered<'_> {
    fn past(
        &self,
        fingerprints: &[Fingerprint],
    ) -> Result<BTreeMap<Fingerprint, Past>, StoreError> {
        // Reports are written by functions that are not asynchronous.
        task::block_in_place(|| Handle::current().block_on(self.store.past(fingerprints)))
    }

    fn compared(&self) -> Compared {
        self.compared
    }
}
