//! What a `connector.toml` says about its platform: facts, no code. It must not hold anything of one tenant.

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::Deserialize;

use crate::model::GrantKind;

/// The facts of one platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Platform id, as written in a configuration: `salesforce`.
    pub id: String,
    /// The product's name.
    pub name: String,
    /// The page that explains the API that the connector reads.
    pub docs: String,
    /// What a `base_url` looks like.
    pub base_url_example: String,
    /// The platform's own id of a tenant, where a configuration may or must give it.
    #[serde(default)]
    pub account: Option<Account>,
    /// The parts of a tenant that the connector reads, in the order of the report.
    #[serde(rename = "facet")]
    pub facets: Vec<Facet>,
    /// How the scanner signs in; the first is the recommended one.
    #[serde(rename = "sign_in")]
    pub sign_ins: Vec<SignIn>,
    /// Pacing, by bucket name. Requests for tokens use `token`; what names no bucket, or one that is not here, uses `default`.
    #[serde(default)]
    pub buckets: BTreeMap<String, Bucket>,
    /// Kinds of grants to which no setting of the customer's gives an end: one never ends because the platform has it so, not because
    /// somebody chose it.
    #[serde(default)]
    pub endless: Vec<GrantKind>,
    /// Set-up with least privilege, one step per entry.
    pub setup: Vec<String>,
    /// What the platform tells nobody.
    pub cannot_see: Vec<String>,
    /// How an administrator carries out a remedy on this platform, by remedy id.
    pub remedies: BTreeMap<String, Vec<String>>,
}

/// The platform's own id of a tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// What it is and where an administrator finds it.
    pub meaning: String,
    /// What it looks like.
    pub example: String,
    /// Whether the connector cannot do without it.
    pub required: bool,
}

/// One part of a tenant that a connector reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facet {
    /// Stable id, used in `skip`, coverage and gaps.
    pub id: String,
    /// For a person: `OAuth tokens`.
    pub title: String,
    /// Whether losing some of it makes the scan incomplete.
    pub promised: bool,
    /// The exact right that makes it visible, by the name that the platform's administration pages show.
    pub right: String,
    /// What an administrator can export by hand and give to the scan with `import`, where no interface tells it.
    #[serde(default)]
    pub import: Option<String>,
    /// Why this is read only if the configuration asks for it with `include`: what it costs, or what reading it changes on the platform.
    #[serde(default)]
    pub opt_in: Option<String>,
    /// Kinds of records that are missing from a scan that lost the facet. A record that a later scan has may then not be new.
    #[serde(default)]
    pub holds: Vec<Holding>,
}

/// A kind of records that a [`Facet`] delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holding {
    /// [`crate::model::App`].
    Apps,
    /// [`crate::model::Grant`].
    Grants,
    /// [`crate::model::Credential`].
    Credentials,
    /// [`crate::model::Usage`].
    Usage,
}

/// One way to sign in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The `method` of the configuration's `auth`.
    pub method: String,
    /// A complete `auth` value for a configuration, with obvious stand-ins.
    pub example: String,
}

/// How fast a group of endpoints may be called. Overridable per tenant in the configuration.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Calls per minute in the long run; `None`: the platform publishes no rate.
    pub per_minute: Option<NonZeroU32>,
    /// Calls that may be made at once after a rest.
    pub burst: Option<NonZeroU32>,
    /// Calls in flight at the same time.
    pub concurrent: NonZeroU32,
}

impl Manifest {
    /// Reads a `connector.toml`.
    ///
    /// # Errors
    /// Line, column and cause.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The facet with this id.
    pub fn facet(&self, id: &str) -> Option<&Facet> {
        self.facets.iter().find(|facet| facet.id == id)
    }
}
