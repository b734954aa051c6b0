//! One kind of list, asked for app by app: what came of it, how it is booked, and whether it is worth going on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{Gap, Reason},
};

use super::{apps, listed::book_odd};
use crate::{
    classify::INSUFFICIENT_SCOPE,
    org::{Call, Org, is_not_there},
};

/// So many apps in a row that cannot be read end the reading: the others cannot be read either.
const ENOUGH: u32 = 25;
/// So many refusals, before any app could be read: the scanner's role does not cover it.
const ENOUGH_REFUSED: u32 = 10;
/// Losses that name their app.
const NAMED: u32 = 10;
/// So many apps may go during a scan of a small org; of a large one, a hundredth.
const FEW: u64 = 5;

/// A list of one app.
pub(super) enum Asked<T> {
    Read(T),
    Failed(Error),
    /// The app is gone, and that is proven.
    Gone,
    Spared,
}

/// Whether nobody is asked any more.
#[derive(Clone)]
pub(super) struct Over(Arc<AtomicBool>);

impl Over {
    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One facet that is read app by app.
pub(super) struct Asking {
    pub(super) facet: &'static str,
    over: Over,
    has_worked: bool,
    in_a_row: u32,
    named: u32,
    gone: u64,
    /// Apps that were asked for, rows that they had.
    pub(super) asked: u64,
    pub(super) rows: u64,
    pub(super) is_skipped: bool,
    /// A loss was booked.
    pub(super) has_lost: bool,
}

impl Asking {
    /// Begins, unless the scope was not granted.
    pub(super) fn new(org: &Org, ledger: &Ledger, facet: &'static str, call: Call) -> Self {
        let is_skipped = ledger.skipped(facet).is_some();
        let mut asking = Self {
            facet,
            over: Over(Arc::new(AtomicBool::new(is_skipped))),
            has_worked: false,
            in_a_row: 0,
            named: 0,
            gone: 0,
            asked: 0,
            rows: 0,
            is_skipped,
            has_lost: false,
        };
        if !is_skipped && let Err(error) = org.granted(call) {
            asking.give_up(ledger, &error);
        }
        asking
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.is_over()
    }

    /// For those who ask.
    pub(super) fn over(&self) -> Over {
        self.over.clone()
    }

    /// Counts rows of a list that was read, and books those of a form that is not known.
    pub(super) fn count(&mut self, ledger: &Ledger, rows: u64, odd: u64) {
        self.rows += rows + odd;
        let mut gap = None;
        book_odd(ledger, self.facet, odd, &mut gap);
        self.has_lost |= gap.is_some();
    }

    fn give_up(&mut self, ledger: &Ledger, error: &Error) {
        self.over.0.store(true, Ordering::Relaxed);
        self.has_lost = true;
        ledger.fail(self.facet, error);
    }

    /// Books what came of one app, and gives what was read.
    ///
    /// # Errors
    /// Only if the scan was cancelled.
    pub(super) fn book<T>(
        &mut self,
        ledger: &Ledger,
        name: &str,
        asked: Asked<T>,
    ) -> Result<Option<T>> {
        let error = match asked {
            Asked::Spared => return Ok(None),
            Asked::Gone => {
                self.gone += 1;
                return Ok(None);
            }
            Asked::Read(read) => {
                self.asked += 1;
                self.has_worked = true;
                self.in_a_row = 0;
                return Ok(Some(read));
            }
            Asked::Failed(error) => error,
        };
        self.failed(ledger, name, &error)?;
        Ok(None)
    }

    /// Says that a list was read.
    pub(super) const fn worked(&mut self) {
        self.has_worked = true;
        self.in_a_row = 0;
    }

    /// Books a list of one app that could not be read, or not to its end.
    pub(super) fn failed(&mut self, ledger: &Ledger, name: &str, error: &Error) -> Result<()> {
        if error.kind == ErrorKind::Cancelled {
            return Err(error.echo());
        }
        self.has_lost = true;
        if self.is_over() {
            // It was in flight when the facet was given up, which is booked.
            return Ok(());
        }
        self.in_a_row += 1;
        let refused = error.kind == ErrorKind::Forbidden && !self.has_worked;
        let is_hopeless = matches!(error.kind, ErrorKind::Quota | ErrorKind::Licence)
            || error.code() == Some(INSUFFICIENT_SCOPE)
            || self.in_a_row >= if refused { ENOUGH_REFUSED } else { ENOUGH };
        if is_hopeless {
            self.give_up(ledger, error);
            return Ok(());
        }
        let mut gap = gap_of(self.facet, error);
        self.named += 1;
        let of = if self.named <= NAMED { name } else { "other apps" };
        gap.detail = format!("not readable for {of}: {}", gap.detail);
        ledger.lose(gap, None);
        Ok(())
    }

    /// Books apps that were gone: some go during a scan, but not many and not all. Does not settle the facet: its rows may not be handed
    /// over yet.
    pub(super) fn finish(&mut self, ledger: &Ledger, apps: u64) {
        if self.gone > 0 {
            let gap = if self.has_worked && self.gone <= (apps / 100).max(FEW) {
                let detail = "apps that were deleted between being listed and being read";
                Gap::new(Reason::Vanished, self.facet, detail)
            } else {
                self.has_lost = true;
                let detail = "too many of the apps that Okta lists are \"not found\" when asked for: that is not believed";
                Gap::new(Reason::CallFailed, self.facet, detail)
            };
            ledger.lose(gap, None);
        }
    }
}

/// "Not found" is nothing by itself: only if the app itself is not there either, and the scanner can see that others are.
pub(super) async fn judge<T>(
    org: &Org,
    app: &str,
    seen: Option<&str>,
    read: Result<T>,
) -> Asked<T> {
    match read {
        Ok(read) => Asked::Read(read),
        Err(error) if is_not_there(&error) => {
            if is_gone(org, app, seen).await {
                Asked::Gone
            } else {
                Asked::Failed(error)
            }
        }
        Err(error) => Asked::Failed(error),
    }
}

/// Whether an app is gone. `seen`: another app, which is there as long as the scanner can see apps at all.
pub(super) async fn is_gone(org: &Org, app: &str, seen: Option<&str>) -> bool {
    let Some(other) = seen.filter(|other| *other != app) else { return false };
    let look = |id: String| async move {
        org.ask::<crate::api::Application>(apps::ONE, &["api", "v1", "apps", &id], &[]).await
    };
    let is_absent = look(app.to_owned()).await.is_err_and(|error| is_not_there(&error));
    is_absent && look(other.to_owned()).await.is_ok_and(|seen| seen.id == other)
}
