//! `grantwarden.toml`: what the user configures. It holds references to secrets, never a secret.
//!
//! One file per section. A key that nobody knows is an error: a misspelt setting must not look as if it worked.

mod advisories;
mod incremental;
mod load;
mod notify;
mod notify_target;
mod places;
mod policy;
mod schedule;
mod store;
mod tenant;
mod vendors;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use advisories::AdvisoryFiles;
pub use incremental::Incremental;
pub use load::{ConfigError, load, parse};
pub use notify::{Channel, ChannelKind, Event, MailTls};
pub use notify_target::{MailTarget, Target};
pub use places::{Place, Places};
pub use policy::PolicyText;
pub use schedule::{Heartbeat, Schedule};
pub use store::{Keep, StoreSettings};
pub use tenant::{Auth, TenantEntry};
pub use vendors::Vendors;

use crate::{policy::Policy, vendors::Register};

/// The name of the configuration file that is looked for in the working directory.
pub const FILE_NAME: &str = "grantwarden.toml";

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The tenants to scan.
    #[serde(default, rename = "tenant")]
    pub tenants: Vec<TenantEntry>,
    /// What is remembered from scan to scan; without it every scan reads everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incremental: Option<Incremental>,
    /// Where scans are remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreSettings>,
    /// What scans need that no person watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What this company knows about its vendors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendors: Option<Vendors>,
    /// The vendor register that `vendors` names, read when the file is loaded.
    #[serde(skip)]
    pub register: Option<Register>,
    /// Advisories besides those that are built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<AdvisoryFiles>,
    /// Who is told what a scan changed.
    #[serde(default, rename = "notify", skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// How findings are weighed.
    #[serde(default)]
    pub policy: Policy,
    /// Where the policy was read, for errors that show later.
    #[serde(skip)]
    pub policy_text: PolicyText,
    /// Where its tenants stand; none if it was read from no file.
    #[serde(skip)]
    pub places: Option<Places>,
}
