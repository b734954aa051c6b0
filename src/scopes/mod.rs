//! The scope catalog: what a raw scope allows, how much harm that can do, and what a set of scopes amounts to.
//!
//! The facts come from a connector's `scopes.toml`; this module reads and weighs them. It knows no platform by name, and it says so
//! when a scope is not in the catalog and was judged by the words in its name.

mod derive;
mod file;
mod names;
mod set;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use grantwarden_kit::model::{Grant, GrantKind, Holder, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Severity;
pub use file::{AppOnlyEntry, CatalogError, PrivilegeEntry, ScopeEntry};
use names::Names;
pub use set::SetAssessment;

/// What the scopes and privileges of one platform mean.
#[derive(Debug)]
pub struct Catalog {
    platform: String,
    bounded_by_user: bool,
    entries: Vec<ScopeEntry>,
    /// Entry by resource and any of its names.
    names: Names,
    privileges: Vec<PrivilegeEntry>,
    /// Rights by simplified name.
    rights: BTreeMap<String, Rights>,
}

impl Catalog {
    /// Reads a `scopes.toml`.
    ///
    /// # Errors
    /// Line, column and cause; a name that occurs twice; a reference to a scope that is not there.
    pub fn parse(platform: &str, text: &str) -> Result<Self, CatalogError> {
        file::parse(platform, text)
    }

    /// The platform that the catalog is of.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// Whether every token, also that of an app acting for itself, is bounded by the rights of one user of the tenant.
    pub const fn bounded_by_user(&self) -> bool {
        self.bounded_by_user
    }

    /// Every scope of the catalog, in the order of the file.
    pub fn entries(&self) -> &[ScopeEntry] {
        &self.entries
    }

    /// Every privilege of the catalog, in the order of the file.
    pub fn privileges(&self) -> &[PrivilegeEntry] {
        &self.privileges
    }

    /// The entry of a scope, by the name on the wire or one of its other names, on its resource.
    ///
    /// A scope without a resource is one of the platform's default resource. One of a resource that the catalog does not know has no
    /// entry, even where another resource has a scope of that name: anybody may publish an API with a scope called `Mail.Read`.
    pub fn entry(&self, scope: &Scope) -> Option<&ScopeEntry> {
        self.names.find(scope.resource.as_deref(), &scope.name).and_then(|at| self.entries.get(at))
    }

    /// The entries of that name on any resource, those of the default resource first.
    pub fn named<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c ScopeEntry> {
        self.names.find_everywhere(name).filter_map(|at| self.entries.get(at))
    }

    /// What one scope allows.
    ///
    /// A scope that does not exist in that kind is assessed as what it is in the other one, and reaches as far as the kind does.
    pub fn assess(&self, scope: &Scope, kind: Kind) -> Assessment<'_> {
        let entry = self.entry(scope);
        let mut assessment =
            entry.map_or_else(|| derive::from_name(&scope.name), |entry| entry.assessment(kind));
        let bounded = self.bounded_by_user || entry.is_some_and(ScopeEntry::says_app_only_reach);
        if kind == Kind::AppOnly && !bounded && assessment.reach != Reach::Own {
            assessment.reach = Reach::Tenant;
        }
        assessment.weigh();
        assessment
    }

    /// What scopes allow together.
    pub fn assess_set(&self, scopes: &[Scope], kind: Kind) -> SetAssessment<'_> {
        let granted: BTreeSet<usize> = scopes
            .iter()
            .filter_map(|scope| self.names.find(scope.resource.as_deref(), &scope.name))
            .collect();
        let implied = granted
            .iter()
            .filter_map(|at| self.entries.get(*at))
            .flat_map(|entry| {
                entry.implies.iter().map(|name| self.names.find(entry.resource.as_deref(), name))
            })
            .flatten()
            .filter(|at| !granted.contains(at))
            .filter_map(|at| self.entries.get(at))
            .filter(|implied| implied.exists_as(kind))
            .map(|implied| implied.name.as_str())
            .collect();
        let scopes = scopes.iter().map(|scope| self.assess(scope, kind)).collect();
        SetAssessment::new(scopes, implied, kind)
    }

    /// How far these privileges reach beyond a principal's own data: the farthest counts.
    ///
    /// A privilege that the catalog does not have is judged by the words in its name, and never as [`Rights::Own`].
    pub fn rights<'p>(&self, privileges: impl IntoIterator<Item = &'p String>) -> Rights {
        privileges
            .into_iter()
            .map(|name| {
                let known = self.rights.get(&file::simplified(name)).copied();
                known.unwrap_or_else(|| derive::rights_from_name(name))
            })
            .max()
            .unwrap_or(Rights::Own)
    }
}

/// Whether an app acts for a user or for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It never has more rights than the user for whom it acts.
    Delegated,
    /// It acts without a user; where the platform does not bound it by one, it reaches the whole tenant.
    #[serde(rename = "application")]
    AppOnly,
}

impl Kind {
    /// The kind of a grant.
    pub const fn of(grant: &Grant) -> Self {
        match (grant.kind, &grant.holder) {
            (
                GrantKind::AppOnly
                | GrantKind::Installation
                | GrantKind::Delegation
                | GrantKind::Webhook,
                _,
            )
            | (_, Holder::App) => Self::AppOnly,
            (
                GrantKind::Delegated
                | GrantKind::AdminConsented
                | GrantKind::PersonalToken
                | GrantKind::ApiToken
                | GrantKind::Key,
                Holder::Principal(_) | Holder::Tenant,
            ) => Self::Delegated,
        }
    }
}

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

/// What one scope allows and how much harm that can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Assessment<'c> {
    /// As the platform writes it.
    pub name: Cow<'c, str>,
    /// What it lets its holder do.
    pub access: Access,
    /// How far.
    pub reach: Reach,
    /// On what.
    pub data: DataClass,
    /// Harm from 0 (it reads nothing that matters) to 4 if what it reads gets out.
    pub harm_if_read: u8,
    /// Harm from 0 (it changes nothing that matters) to 4 if what it can change is changed by a thief.
    pub harm_if_changed: u8,
    /// Whether its holder can get more rights with it.
    pub escalation: Escalation,
    /// Whether it keeps access alive without the user: a refresh token. Amplifies a grant; no severity by itself.
    pub offline: bool,
    /// By [`severity`].
    pub severity: Severity,
    /// Whether it was judged by the words in its name, since the catalog does not have it. Then never below `medium`.
    pub derived: bool,
    /// One sentence.
    pub meaning: Cow<'c, str>,
}

impl Assessment<'_> {
    /// Whether it reaches sensitive data in bulk.
    pub fn is_broad(&self) -> bool {
        self.access > Access::Limited
            && self.reach >= Reach::User
            && self.harm_if_read.max(self.harm_if_changed) >= SENSITIVE
    }

    /// Whether it is an umbrella scope: all that the user can do.
    pub fn is_umbrella(&self) -> bool {
        self.access == Access::ActAs && self.harm_if_read.max(self.harm_if_changed) >= 4
    }

    fn weigh(&mut self) {
        let weight = severity(
            self.access,
            self.reach,
            self.harm_if_read,
            self.harm_if_changed,
            self.escalation,
        );
        self.severity = if self.derived { weight.max(Severity::Medium) } else { weight };
    }
}

/// The harm from which on data counts as sensitive: CRM, mail, files, chat, code and worse.
const SENSITIVE: u8 = 3;

/// How grave it is to hold such access.
///
/// 1. The greater of the two harms sets the level: 0 `info`, 1 `low`, 2 `medium`, 3 and 4 `high`.
/// 2. Limited access is one level lower; sign-in, and anything that ends at the user's own profile, is at most `low`.
/// 3. Beyond one user, changing sensitive data (harm 3 or more) and any harm of 4 are `critical`.
/// 4. A way to more rights is at least `medium`, a direct one at least `high`, and beyond one user `critical`.
pub fn severity(
    access: Access,
    reach: Reach,
    harm_if_read: u8,
    harm_if_changed: u8,
    escalation: Escalation,
) -> Severity {
    let harm = harm_if_read.max(harm_if_changed);
    let by_harm = match (harm, access) {
        (0, _) => Severity::Info,
        (1, _) | (2, Access::Limited) => Severity::Low,
        (2, _) | (3.., Access::Limited) => Severity::Medium,
        (3.., _) => Severity::High,
    };
    if access == Access::SignIn || reach == Reach::Own {
        return by_harm.min(Severity::Low);
    }
    let beyond_one_user = reach >= Reach::Organisation;
    let changes_much = access >= Access::Write && harm_if_changed >= SENSITIVE;
    let by_reach = if beyond_one_user && access > Access::Limited && (changes_much || harm >= 4) {
        Severity::Critical
    } else {
        Severity::Info
    };
    let by_escalation = match escalation {
        Escalation::None => Severity::Info,
        Escalation::Indirect => Severity::Medium,
        Escalation::Direct if beyond_one_user => Severity::Critical,
        Escalation::Direct => Severity::High,
    };
    by_harm.max(by_reach).max(by_escalation)
}

#[cfg(test)]
mod tests;
