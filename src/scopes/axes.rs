//! The axes of the risk model: what a scope lets its holder do, how far, on what, and whether that leads to more rights.
//!
//! Words only; what follows from them is in `weight` and `power`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a scope lets its holder do, from the least to the most.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Learn who the user is.
    SignIn,
    /// Use a narrow part: metadata, selected objects, one feature.
    Limited,
    /// Read.
    Read,
    /// Create or upload, without reading or changing what is there.
    Add,
    /// Change or send.
    Write,
    /// Change settings, users or rights.
    Administer,
    /// Do whatever the user can do.
    ActAs,
}

/// How far a scope reaches, from the least to the most.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// The user's own profile.
    #[serde(rename = "self")]
    Own,
    /// What the user reaches.
    User,
    /// Data of the whole organisation, as far as the user's rights go.
    Organisation,
    /// Data of the whole tenant, without a user.
    Tenant,
}

/// What kind of data a scope is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DataClass {
    /// None: the scope changes how long or where a token works.
    None,
    /// Who the user is.
    Profile,
    /// Users and groups.
    Directory,
    /// Computers and phones that the organisation manages.
    Devices,
    /// Appointments and contacts.
    Calendar,
    /// Calls and meetings: recordings, transcripts, who spoke to whom.
    Meetings,
    /// What an organisation keeps about persons besides their accounts: schooling, shifts, reviews.
    People,
    /// Messages and posts.
    Chat,
    /// Mail.
    Mail,
    /// Files and documents.
    Files,
    /// Source code and its pipelines.
    Code,
    /// Customers, deals, support cases.
    Crm,
    /// Unified customer profiles in bulk.
    CustomerProfiles,
    /// Campaigns and prospects.
    Marketing,
    /// Reports and data sets.
    Analytics,
    /// Assistants and agents.
    Ai,
    /// Alerts, investigations, and what protects the organisation.
    Security,
    /// Servers, storage and networks in a cloud.
    Infrastructure,
    /// Sign-in, passwords, roles, policies.
    Identity,
    /// Keys, passwords, tokens.
    Secrets,
    /// Settings and catalogues.
    Settings,
    /// Data of a kind that the scope's name does not tell.
    Unknown,
    /// All of it.
    Everything,
}

impl DataClass {
    /// For the object of a sentence: "can read ‹CRM data›".
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::None => "nothing by itself",
            Self::Profile => "profile data",
            Self::Directory => "users and groups",
            Self::Devices => "managed devices",
            Self::Calendar => "calendars and contacts",
            Self::Meetings => "calls and meetings",
            Self::People => "personal records",
            Self::Chat => "messages",
            Self::Mail => "mail",
            Self::Files => "files",
            Self::Code => "source code",
            Self::Crm => "CRM data",
            Self::CustomerProfiles => "customer profiles",
            Self::Marketing => "marketing data",
            Self::Analytics => "reports and data sets",
            Self::Ai => "AI agents and what they reach",
            Self::Security => "security alerts and protection",
            Self::Infrastructure => "cloud resources",
            Self::Identity => "sign-in and identity settings",
            Self::Secrets => "keys and secrets",
            Self::Settings => "settings",
            Self::Unknown => "data of an unknown kind",
            Self::Everything => "everything",
        }
    }
}

/// Whether a holder of the scope can give itself or others more rights.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Escalation {
    /// No.
    None,
    /// With a detour: by reading secrets, or by changing what others run.
    Indirect,
    /// Yes.
    Direct,
}

/// How far a principal's rights reach beyond its own data, from the least to the most.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// Not at all: an ordinary user.
    Own,
    /// In a part: more than an ordinary user, less than all data.
    Elevated,
    /// It reads data of the whole organisation.
    ReadsAll,
    /// It changes data of the whole organisation, its users, its settings or its code.
    Administers,
}
