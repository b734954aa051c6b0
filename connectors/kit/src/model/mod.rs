//! What a scan records, in the words of the project, the same for every platform.
//!
//! A connector fills these types in; rules read them. Nothing here does HTTP, judges, or names a platform. A fact that a rule
//! may need is [`Observed`], so that "not seen" is never mistaken for "not there".

mod app;
mod audit;
mod coverage;
mod credential;
mod grant;
mod network;
mod observed;
mod principal;
mod record;
mod tenant;
mod time;
mod usage;

pub use app::{App, Approval, Flow, Origin, Publisher, RefreshPolicy, TokenPolicy};
pub use audit::AuditEvent;
pub use coverage::{Coverage, Loss, Part};
pub use credential::{Credential, CredentialKind};
pub use grant::{Expiry, Grant, GrantKind, Holder, Scope};
pub use network::{IpRange, LookAlike, NetworkPolicy};
pub use observed::{Gap, Observed, Reason};
pub use principal::{Principal, PrincipalKind, PrincipalStatus};
pub use record::Record;
pub use tenant::{Bypass, ConsentPolicy, Setting, Tenant, UserConsent};
pub use time::Timestamp;
pub use usage::{Count, Usage};
