//! [`Meta`]: what a rule says about itself, for `explain`, SARIF and the pages in `docs/rules`.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::Control;
use crate::{finding::Severity, policy::AnyParameter};

/// What a rule says about itself.
#[derive(Debug)]
pub struct Meta {
    /// Kebab-case statement of the problem; the same in file name, docs page, SARIF and configuration. Never changes.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// The severity of a finding about which nothing special is known.
    pub severity: Severity,
    /// One sentence: what the rule finds.
    pub summary: &'static str,
    /// Why that matters, with the incident that taught it.
    pub why: &'static str,
    /// Ids of incidents, `<name>-<year>`.
    pub incidents: &'static [&'static str],
    /// What helps, the most effective first.
    pub remedies: &'static [Remedy],
    /// Where to read on.
    pub references: &'static [Reference],
    /// Published controls that a finding falls under; none where nobody published one.
    pub controls: &'static [Control],
    /// The facts without which the rule cannot judge: paths into the inventory's records, see [`super::fact`].
    pub needs: &'static [&'static str],
    /// What the user may change about it besides its severity: `static`s of the rule, by which it asks the policy.
    pub parameters: &'static [AnyParameter],
}

impl Meta {
    /// The path of the rule's page in the repository.
    pub fn page(&self) -> String {
        format!("docs/rules/{}.md", self.id)
    }
}

/// Something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// For a person.
    pub title: &'static str,
    /// Where it is.
    pub url: &'static str,
}

/// What helps against a problem. A connector's `connector.toml` says how to do it on its platform.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Remedy {
    /// Take the grant away.
    RevokeGrant,
    /// Let only users whom an administrator approved use the app.
    RequireAdminApproval,
    /// Make tokens end by themselves.
    SetExpiry,
    /// Let tokens work only from the vendor's addresses.
    RestrictNetwork,
    /// Give the app less.
    NarrowScopes,
    /// Give the integration an account of its own with the rights that it needs.
    UseDedicatedIdentity,
    /// Stop users from letting apps in.
    RestrictConsent,
    /// Write down who answers for the vendor.
    NameOwner,
    /// Remove or replace a secret, key, token or webhook.
    RemoveCredential,
    /// Give the scanner the right that it lacks.
    CloseGap,
}

impl Remedy {
    /// The key in `connector.toml`.
    pub fn id(self) -> &'static str {
        self.into()
    }
}
