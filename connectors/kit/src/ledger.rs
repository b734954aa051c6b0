//! [`Ledger`]: keeps the books on what of a tenant was read. A part that nobody accounted for is a loss, never a silent pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use crate::{
    error::{Error, ErrorKind, Result},
    manifest::Manifest,
    model::{Coverage, Gap, Observed, Part, Reason},
};

/// The books of one scan of one tenant.
pub struct Ledger {
    /// The facets not to look at, each with the reason.
    skip: BTreeMap<String, String>,
    books: Mutex<Books>,
}

struct Books {
    coverage: Coverage,
    settled: BTreeSet<String>,
}

impl Ledger {
    /// Opens the books for these facets of the manifest, in the manifest's order.
    pub fn new(manifest: &Manifest, facets: &[&str], skip: &[String]) -> Self {
        let mut coverage = Coverage::default();
        for facet in manifest.facets.iter().filter(|facet| facets.contains(&facet.id.as_str())) {
            coverage.part(&facet.id, &facet.title, facet.promised);
        }
        let reason = |facet: &String| {
            let opt_in = manifest.facet(facet).and_then(|facet| facet.opt_in.as_ref());
            let text = opt_in.map_or_else(
                || "the configuration says not to look (`skip`)".to_owned(),
                |why| format!("read only if the configuration asks for it (`include`): {why}"),
            );
            (facet.clone(), text)
        };
        Self {
            skip: skip.iter().map(reason).collect(),
            books: Mutex::new(Books { coverage, settled: BTreeSet::new() }),
        }
    }

    /// Reads a facet and books the result: what came, or why nothing did.
    pub async fn look<T>(&self, facet: &str, read: impl Future<Output = Result<T>>) -> Observed<T> {
        if let Some(gap) = self.skipped(facet) {
            return Observed::Unknown(gap);
        }
        match read.await {
            Ok(value) => {
                self.settle(facet);
                Observed::Known(value)
            }
            Err(error) => {
                self.settle(facet);
                Observed::Unknown(self.fail(facet, &error))
            }
        }
    }

    /// The gap for a facet that the user gave up; books it.
    pub fn skipped(&self, facet: &str) -> Option<Gap> {
        let reason = self.skip.get(facet)?;
        let gap = Gap::new(Reason::Skipped, facet, reason.clone());
        self.lose(gap.clone(), None);
        self.settle(facet);
        Some(gap)
    }

    /// Books a failed read and returns its gap.
    pub fn fail(&self, facet: &str, error: &Error) -> Gap {
        let gap = gap_of(facet, error);
        self.lose(gap.clone(), None);
        gap
    }

    /// Books rows that were read.
    pub fn read(&self, facet: &str, rows: u64) {
        self.with_part(facet, |part| part.read += rows);
    }

    /// Books how many rows the platform says there are.
    pub fn expect(&self, facet: &str, rows: u64) {
        self.with_part(facet, |part| part.expected = Some(rows));
    }

    /// Books a loss. It does not settle the facet: what is still to come may be cut short, too.
    pub fn lose(&self, gap: Gap, rows: Option<u64>) {
        let facet = gap.facet.clone();
        self.with_part(&facet, |part| part.lose(gap, rows));
    }

    /// Says how a facet was read, where that is no loss.
    pub fn note(&self, facet: &str, note: impl Into<String>) {
        self.with_part(facet, |part| part.notes.push(note.into()));
    }

    /// Says that a facet was read to its end.
    pub fn settle(&self, facet: &str) {
        self.lock().settled.insert(facet.to_owned());
    }

    /// Closes the books. A facet that was not settled was not read.
    pub fn close(self, cancelled: bool) -> Coverage {
        let Books { mut coverage, settled } =
            self.books.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (reason, detail) = if cancelled {
            (Reason::Cancelled, "the scan was cancelled before this was read")
        } else {
            (Reason::CallFailed, "the scan ended before this was read")
        };
        for part in coverage.parts.iter_mut().filter(|part| !settled.contains(&part.facet)) {
            let gap = Gap::new(reason, &part.facet, detail);
            part.lose(gap, None);
        }
        if cancelled {
            book_cancellation(&mut coverage);
        }
        coverage.account();
        coverage
    }

    fn with_part(&self, facet: &str, change: impl FnOnce(&mut Part)) {
        let mut books = self.lock();
        change(books.coverage.part(facet, facet, true));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scan that was cancelled is never whole, even if every part was read: what was read may not have been handed over.
fn book_cancellation(coverage: &mut Coverage) {
    let is_told = |part: &Part| {
        part.promised && part.losses.iter().any(|loss| loss.gap.reason == Reason::Cancelled)
    };
    if coverage.parts.iter().any(is_told) {
        return;
    }
    if let Some(part) = coverage.parts.iter_mut().rfind(|part| part.promised) {
        let detail = "the scan was cancelled before its end";
        part.lose(Gap::new(Reason::Cancelled, &part.facet, detail), None);
    }
}

/// The gap that an error leaves in a facet.
pub fn gap_of(facet: &str, error: &Error) -> Gap {
    let reason = match error.kind {
        ErrorKind::Forbidden => Reason::Permission,
        ErrorKind::Licence => Reason::Licence,
        ErrorKind::Quota => Reason::Quota,
        ErrorKind::Cancelled => Reason::Cancelled,
        _ => Reason::CallFailed,
    };
    let detail = match &error.hint {
        Some(hint) => format!("{}; {hint}", error.summary()),
        None => error.summary(),
    };
    Gap::new(reason, facet, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        id = "x"
        name = "X"
        docs = "https://x.example"
        base_url_example = "https://x.example"
        setup = []
        cannot_see = []
        remedies = {}
        sign_in = []
        facet = [
          { id = "grants", title = "grants", promised = true, right = "r" },
          { id = "logs", title = "logs", promised = false, right = "r", opt_in = "one call per row" },
        ]
    "#;

    fn ledger(skip: &[&str]) -> Ledger {
        let skip: Vec<String> = skip.iter().map(ToString::to_string).collect();
        Ledger::new(&Manifest::parse(MANIFEST).unwrap(), &["grants", "logs"], &skip)
    }

    #[tokio::test]
    async fn a_facet_that_nobody_settled_is_a_loss() {
        let books = ledger(&[]);
        books.look("logs", async { Ok(()) }).await;
        let coverage = books.close(false);
        assert!(!coverage.is_whole());
        assert_eq!(coverage.parts[0].losses[0].gap.reason, Reason::CallFailed);
        assert!(coverage.parts[1].losses.is_empty());
    }

    /// A loss that was booked early must not hide that the rest was never read.
    #[test]
    fn a_facet_with_a_loss_is_still_to_be_settled() {
        let books = ledger(&[]);
        books.lose(Gap::new(Reason::Skipped, "grants", "a part was given up"), None);
        books.settle("logs");
        assert!(!books.close(true).is_whole());
    }

    #[test]
    fn a_cancelled_scan_is_never_whole() {
        let books = ledger(&[]);
        books.settle("grants");
        books.settle("logs");
        let coverage = books.close(true);
        assert_eq!(coverage.parts[0].losses[0].gap.reason, Reason::Cancelled);
        assert!(!coverage.is_whole());
    }

    #[test]
    fn rows_that_nobody_accounts_for_are_a_loss() {
        let books = ledger(&[]);
        books.expect("grants", 6);
        books.read("grants", 1);
        books.settle("grants");
        books.note("logs", "remembered");
        books.settle("logs");
        let coverage = books.close(false);
        assert_eq!(coverage.parts[1].notes, ["remembered"]);
        assert_eq!(coverage.parts[0].losses[0].rows, Some(5));
        assert!(!coverage.is_whole());
    }

    /// Another right would not show it: said, and no loss.
    #[tokio::test]
    async fn what_the_tenant_has_not_bought_is_not_taken_for_a_missing_right() {
        let books = ledger(&[]);
        let error = Error::new(ErrorKind::Licence, "not bought");
        let seen = books.look("grants", async { Err::<(), _>(error) }).await;
        assert_eq!(seen.gap().unwrap().reason, Reason::Licence);
        books.settle("logs");
        assert!(books.close(false).is_whole());
    }

    #[tokio::test]
    async fn what_the_user_gave_up_is_said_and_is_no_loss() {
        let books = ledger(&["grants"]);
        let seen = books.look("grants", async { Ok(1) }).await;
        assert_eq!(seen.gap().unwrap().reason, Reason::Skipped);
        books.settle("logs");
        let coverage = books.close(false);
        assert!(coverage.is_whole());
        assert_eq!(coverage.parts[0].losses.len(), 1);
    }

    #[test]
    fn what_nobody_asked_for_is_said_with_its_price() {
        let books = ledger(&["logs"]);
        let gap = books.skipped("logs").unwrap();
        assert!(gap.detail.contains("`include`): one call per row"), "{}", gap.detail);
    }

    #[tokio::test]
    async fn a_refusal_is_a_missing_right() {
        let books = ledger(&[]);
        let refused: Observed<()> =
            books.look("grants", async { Err(Error::new(ErrorKind::Forbidden, "no")) }).await;
        assert_eq!(refused.gap().unwrap().reason, Reason::Permission);
        assert!(!books.close(true).is_whole());
    }
}
