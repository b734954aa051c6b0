//! Reading a listing that is short enough to be kept, with its losses booked: what came before a failure is kept, and the failure said.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{Gap, Reason},
};
use serde::de::DeserializeOwned;

use crate::{
    api::Identified,
    listing::{Batch, Listing},
    org::{Call, Org, Query},
};

/// A listing as far as it came.
#[derive(Debug)]
pub(super) struct Listed<T> {
    pub(super) rows: Vec<T>,
    /// Why some of it is missing.
    pub(super) gap: Option<Gap>,
}

impl<T> Listed<T> {
    /// Nothing was asked.
    pub(super) const fn not_read(gap: Gap) -> Self {
        Self { rows: Vec::new(), gap: Some(gap) }
    }

    /// The gap of something that the listing does not hold, if it is not whole.
    pub(super) const fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }
}

/// Reads a listing to its end and books what is missing. Does not settle the facet.
pub(super) async fn read<T>(
    org: &Org,
    ledger: &Ledger,
    facet: &str,
    call: Call,
    path: &[&str],
    query: Query<'_>,
) -> Listed<T>
where
    T: Identified + DeserializeOwned,
{
    if let Some(gap) = ledger.skipped(facet) {
        return Listed::not_read(gap);
    }
    let mut listed = Listed { rows: Vec::new(), gap: None };
    let done = async {
        let mut listing = Listing::of(org, call, path, query).await?;
        while let Some(Batch { rows, odd }) = listing.next().await? {
            listed.rows.extend(rows);
            book_odd(ledger, facet, odd, &mut listed.gap);
        }
        Ok::<(), Error>(())
    };
    if let Err(error) = done.await {
        let gap = ledger.fail(facet, &error);
        listed.gap.get_or_insert(gap);
    }
    listed
}

/// Books rows of a form that is not known.
pub(super) fn book_odd(ledger: &Ledger, facet: &str, odd: u64, first: &mut Option<Gap>) {
    if odd == 0 {
        return;
    }
    let detail = "rows of a form that is not known";
    let gap = Gap::new(Reason::CallFailed, facet, detail);
    ledger.lose(gap.clone(), Some(odd));
    first.get_or_insert(gap);
}

/// Passes a cancellation on: everything else is booked where it happens.
pub(super) fn unless_cancelled<T>(result: Result<T>) -> Result<Result<T>> {
    match result {
        Err(error) if error.kind == ErrorKind::Cancelled => Err(error),
        other => Ok(other),
    }
}
