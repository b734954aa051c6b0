//! Facts about the tenant as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LookAlike, Observed};

/// One customer account on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tenant {
    /// The platform's id of the account.
    pub id: String,
    /// The account's own name.
    pub display_name: Observed<String>,
    /// Whether it is a test copy.
    pub sandbox: Observed<bool>,
    /// Who may let an app in.
    pub consent: ConsentPolicy,
    /// Settings of the whole tenant that an owner may take for a restriction and that bind no token. Known and empty: none.
    pub look_alikes: Observed<Vec<LookAlike>>,
    /// Further settings of the whole tenant that bear on third parties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
}

/// A setting in the platform's own words, for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// By the name that the platform's administration pages show.
    pub name: String,
    /// What it is set to.
    pub value: Observed<String>,
}

/// Who may let a new app in, as the tenant's settings say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentPolicy {
    /// What an ordinary user may consent to.
    pub user_consent: Observed<UserConsent>,
    /// The setting that says so, by the name that the platform's administration pages show.
    pub setting: String,
    /// Rights that get past the setting, and who holds them.
    pub bypasses: Vec<Bypass>,
    /// Weak flows that the tenant leaves open, in the platform's words. Known and empty: none.
    pub weak_flows: Observed<Vec<String>>,
}

/// What an ordinary user may consent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UserConsent {
    /// Any app.
    Any,
    /// Apps that meet conditions, such as a verified publisher and rights of low impact.
    Conditional,
    /// Apps that the tenant installed or listed.
    ListedApps,
    /// None: an administrator approves each.
    None,
}

/// A right that gets past the consent setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bypass {
    /// By the name that the platform's administration pages show.
    pub right: String,
    /// Sign-in names of the active holders.
    pub holders: Observed<Vec<String>>,
}
