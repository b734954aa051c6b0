//! What a snapshot is called on the command line, and where it lies. The one place that knows.

use std::{io, path::Path};

use super::Failure;
use crate::inventory::{InventoryError, Parts};

/// Finds a snapshot: the path of an inventory file.
pub(super) fn open(reference: &str) -> Result<Parts, Failure> {
    Parts::open(Path::new(reference)).map_err(|error| {
        let is_missing = matches!(&error, InventoryError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound);
        let failure = Failure::from(error);
        if is_missing {
            failure.hint("name an inventory file; `grantwarden scan --export FILE` writes one")
        } else {
            failure
        }
    })
}
