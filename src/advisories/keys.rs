//! [`Key`]: by what an app, a grant or a credential is recognised as the breached vendor's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing by which the vendor is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What it is.
    pub kind: KeyKind,
    /// The id, domain or name; what `kind` says.
    pub value: String,
    /// Ids of the platforms on which it counts; all, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// The name of the product that it stands for; without one, the vendor as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// How sure a match on it is; without it, as sure as its kind can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Certainty>,
    /// Where this is said: an address, or for an own incident who found it.
    pub source: String,
}

/// What a [`Key`] is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// An OAuth 2.0 client identifier (RFC 6749 section 2.2). One of Google also finds others of its project, as probable.
    #[strum(serialize = "client id")]
    ClientId,
    /// The app's id as an inventory has it: `oauth-app:145909` on GitHub, a client id on Google.
    #[strum(serialize = "app id")]
    AppId,
    /// The domain of a redirection endpoint, with all below it.
    #[strum(serialize = "redirect domain")]
    RedirectDomain,
    /// The publisher's name, compared without case, punctuation and legal form.
    #[strum(serialize = "publisher")]
    Publisher,
    /// The tenant of the platform in which the app is registered.
    #[strum(serialize = "home tenant")]
    HomeTenant,
    /// The number with which Google client identifiers of one project begin.
    #[strum(serialize = "Google project")]
    GoogleProject,
    /// The namespace of a Salesforce package.
    #[strum(serialize = "package namespace")]
    Namespace,
    /// The app's whole name, compared like a publisher's.
    #[strum(serialize = "name")]
    ExactName,
    /// A part of a name, whatever the case. For a person to look at, never more.
    #[strum(serialize = "part of a name")]
    NameContains,
    /// The SHA-256 thumbprint of a certificate, or the platform's id of a credential.
    #[strum(serialize = "certificate")]
    CertificateThumbprint,
    /// The id of a Chrome extension.
    #[strum(serialize = "extension")]
    ExtensionId,
    /// One of the user's own tenants, by its name or the platform's id: everything in it, for own incidents.
    #[strum(serialize = "tenant")]
    Tenant,
}

/// How sure it is that an advisory means this app.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Certainty {
    /// The platform gives the key to nobody else, or the tokens go there.
    Exact,
    /// Somebody else could have it: confirm before you act.
    Probable,
    /// A hint. A person must look; never acted on by itself.
    Review,
}

impl KeyKind {
    /// The surest that a match on it can be.
    pub const fn surest(self) -> Certainty {
        match self {
            Self::ClientId
            | Self::AppId
            | Self::RedirectDomain
            | Self::HomeTenant
            | Self::GoogleProject
            | Self::Namespace
            | Self::CertificateThumbprint
            | Self::ExtensionId
            | Self::Tenant => Certainty::Exact,
            Self::Publisher | Self::ExactName => Certainty::Probable,
            Self::NameContains => Certainty::Review,
        }
    }

    /// Whether it rests on a name that anybody can write.
    pub const fn is_name(self) -> bool {
        matches!(self, Self::Publisher | Self::ExactName | Self::NameContains)
    }
}

impl Key {
    /// How sure a match on it is.
    pub fn certainty(&self) -> Certainty {
        self.confidence.unwrap_or(self.kind.surest())
    }

    /// Whether it counts on a platform.
    pub fn is_for(&self, platform: &str) -> bool {
        self.platforms.is_empty() || self.platforms.iter().any(|other| other == platform)
    }
}
