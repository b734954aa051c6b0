//! Runs connectors into a snapshot, and judges a snapshot.
//!
//! One tenant's failure is a result, not an abort: it never hides another tenant's records. Nothing here prints.

mod history;
mod judge;
mod origin;
mod run;
mod uses;

pub use history::{History, News, Novelties, Since};
pub use judge::{Group, JudgeError, Judged, RuleCount, Whose, judge};
pub use origin::Origin;
pub use run::{Observer, Remembering, ScanError, Silent, run};
pub use uses::{Use, Uses};
