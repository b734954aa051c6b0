//! Who is behind an app: the apps of all tenants folded into vendors, each with the reason why it is thought to belong there; what the
//! user's register says about a vendor; and to whom vendors pass on what they hold.
//!
//! A tie is proven, likely or only claimed, and always shown; two apps that merely have the same name are never one vendor, unless the
//! brand table says whose brand that name is. What the register declares is shown as declared. Nothing here judges.

mod brands;
mod chain;
mod check;
mod egress;
mod entry;
mod fold;
mod imitation;
mod known_abused;
mod matching;
mod purposes;
mod register;
mod sure;
mod ties;

use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use brands::is_shared;
pub use brands::{Brand, company, purpose as purpose_of_brand};
pub use chain::{Chain, Reach, Tier, reach};
pub use egress::{Egress, Network};
pub use entry::{Assessment, Entry};
pub use fold::fold;
#[cfg(test)]
pub(crate) use fold::of_tenants;
pub use imitation::{Imitation, Likeness, imitation_of, named_for};
pub use known_abused::{Abused, By, known_abused};
pub use matching::Match;
pub use purposes::{Class, Level, class, classes, guess as guess_purpose};
pub use register::{Register, RegisterError, RegisterFile};
pub use sure::{sure, trusted};
pub(crate) use ties::{google_project, registrable};

/// The company behind one or more apps, across tenants and platforms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vendor {
    /// Its name; where several vendors that nothing ties have one name, all but the first with what tells them apart.
    #[serde(skip)]
    pub id: String,
    /// From the brand table, else as its publisher's name, else its domain, else its app's name.
    pub name: String,
    /// Whose apps they are.
    pub party: Party,
    /// Platform ids, in alphabetical order.
    pub platforms: Vec<String>,
    /// Names under which its apps appear, in alphabetical order.
    pub names: Vec<String>,
    /// Grants of all its apps, as far as they were seen.
    pub grants: u64,
    /// Its apps, by tenant and id.
    pub apps: Vec<Member>,
}

/// Whose apps a [`Vendor`]'s are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Party {
    /// Another company's, or not provably anybody else's.
    Third,
    /// Made in one of the tenants.
    Own,
    /// The platforms' own products.
    Platform,
}

/// An app of a [`Vendor`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Member {
    /// The tenant's name in the configuration.
    pub tenant: String,
    /// Platform id.
    pub platform: String,
    /// The app's id in that tenant.
    pub app: String,
    /// The app's name.
    pub name: String,
    /// Its OAuth client identifiers, as far as they are known.
    pub client_ids: Vec<String>,
    /// Its grants, as far as they were seen.
    pub grants: u64,
    /// What ties it to this vendor, the strongest first; empty for an app that stands alone.
    pub ties: Vec<Tie>,
    /// Everything that could tie it to another app, the surest first, whether there is such an app or not.
    #[serde(skip)]
    pub keys: Vec<Tie>,
    /// What its record says about whose it is and where it stands.
    #[serde(skip)]
    pub traits: Traits,
}

/// What an app's record says of itself that matters when it is compared with another of the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// Whether it is the platform's own.
    pub is_platforms: bool,
    /// Whether the tenant is known to have blocked it.
    pub is_blocked: bool,
    /// Whether it is known to be installed.
    pub is_installed: bool,
    /// When it came into the tenant, if that is visible.
    pub created_at: Option<Timestamp>,
    /// Whether its tenant is known to be for trying things out.
    pub in_sandbox: bool,
}

/// What ties an app to others of its vendor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Tie {
    /// How sure it is.
    pub confidence: Confidence,
    /// What it is.
    pub kind: TieKind,
    /// The value that is shared.
    pub value: String,
}

/// How sure a [`Tie`] is, the surest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Confidence {
    /// The platform would not let anybody else have it.
    Proven,
    /// Somebody else could have it only with the vendor's help, or with the platform's mistake.
    Likely,
    /// Anybody could write it; look before you act on it.
    Claimed,
}

/// What a [`Tie`] is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "title_case")]
pub enum TieKind {
    /// An OAuth 2.0 client identifier (RFC 6749 section 2.2).
    #[strum(serialize = "client id")]
    ClientId,
    /// The number of the Google Cloud project that a client identifier begins with.
    #[strum(serialize = "Google project")]
    GoogleProject,
    /// The tenant of the platform in which the app is registered.
    #[strum(serialize = "home tenant")]
    HomeTenant,
    /// The namespace of a package.
    #[strum(serialize = "package namespace")]
    Namespace,
    /// The registrable domain of a redirection endpoint (RFC 6749 section 3.1.2) or of a webhook.
    #[strum(serialize = "redirect domain")]
    RedirectDomain,
    /// The publisher's name, where the platform vouches for it.
    #[strum(serialize = "verified publisher")]
    VerifiedPublisher,
    /// The publisher's name, where it does not.
    #[strum(serialize = "publisher")]
    Publisher,
    /// The registrable domain of the app's own pages.
    #[strum(serialize = "web page")]
    WebDomain,
    /// The app's name is a brand of the vendor, by the brand table.
    #[strum(serialize = "brand name")]
    BrandName,
}

impl Member {
    /// Its redirect domains that say whose they are.
    fn redirect_domains(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.iter().filter(|tie| tie.kind == TieKind::RedirectDomain);
        keys.map(|tie| tie.value.as_str())
    }
}

impl Vendor {
    /// Whether there is more to see than one app of one tenant.
    pub fn is_spread(&self) -> bool {
        self.apps.len() > 1
    }

    /// Whether a user may mean this vendor: by its name, or by a name of one of its apps, whatever the case.
    pub fn is_called(&self, name: &str) -> bool {
        std::iter::once(&self.name)
            .chain(&self.names)
            .any(|other| other.to_lowercase() == name.to_lowercase())
    }
}
