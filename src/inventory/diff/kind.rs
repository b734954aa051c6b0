//! [`Kind`]: what can differ between two scans, by name. It knows no record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter};

/// A kind of change. In the order in which the changes of an app are listed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumIter,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// The older snapshot does not have the tenant.
    TenantNew,
    /// The newer snapshot does not have the tenant.
    TenantGone,
    /// The app was not there.
    AppNew,
    /// The app is not there any more.
    AppGone,
    /// Another publisher, or another home tenant, or the platform vouches for it no longer, or vouches for it now.
    PublisherChanged,
    /// Codes go to other hosts.
    RedirectsChanged,
    /// The tenant blocked the app.
    Blocked,
    /// The tenant blocks the app no longer.
    Unblocked,
    /// The grant was not there.
    GrantNew,
    /// The grant is not there any more.
    GrantGone,
    /// The same right under another id: a token was given again.
    Reissued,
    /// Scopes that it had not: of a grant, or of what an app's registration allows.
    Widened,
    /// Scopes that it has no longer.
    Narrowed,
    /// The grant was given again.
    ReConsented,
    /// The grant's day of consent is earlier than it was said to be.
    Predated,
    /// Who stands behind a grant, or who may start using an app.
    ApprovalChanged,
    /// When the grant ends by itself.
    ExpiryChanged,
    /// From where the grant works.
    NetworkChanged,
    /// What the grant reaches, by its settings: which repositories, which part of the tenant.
    ReachChanged,
    /// The same grant has another holder, another app, or was given in another way.
    HolderChanged,
    /// Whether the grant renews itself, or is bound to a key of its holder.
    TokenChanged,
    /// A credential of the app that was not there.
    CredentialAdded,
    /// A credential of the app that is not there any more.
    CredentialGone,
    /// A credential took the place of one that is gone.
    CredentialRotated,
    /// The principal behind grants can sign in no longer.
    OwnerLeft,
    /// The principal behind grants can sign in again.
    OwnerBack,
}

impl Kind {
    /// What it is the other way round: from the newer snapshot to the older.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::TenantNew => Self::TenantGone,
            Self::TenantGone => Self::TenantNew,
            Self::AppNew => Self::AppGone,
            Self::AppGone => Self::AppNew,
            Self::Blocked => Self::Unblocked,
            Self::Unblocked => Self::Blocked,
            Self::GrantNew => Self::GrantGone,
            Self::GrantGone => Self::GrantNew,
            Self::Widened => Self::Narrowed,
            Self::Narrowed => Self::Widened,
            Self::ReConsented => Self::Predated,
            Self::Predated => Self::ReConsented,
            Self::CredentialAdded => Self::CredentialGone,
            Self::CredentialGone => Self::CredentialAdded,
            Self::OwnerLeft => Self::OwnerBack,
            Self::OwnerBack => Self::OwnerLeft,
            same @ (Self::PublisherChanged
            | Self::RedirectsChanged
            | Self::Reissued
            | Self::ApprovalChanged
            | Self::ExpiryChanged
            | Self::NetworkChanged
            | Self::ReachChanged
            | Self::HolderChanged
            | Self::TokenChanged
            | Self::CredentialRotated) => same,
        }
    }

    /// Whether somebody may be able to do more than before: new access, or access of somebody else. Also where the kind alone does not tell
    /// which way it went (approval, end, network): what may be more is not passed over.
    pub const fn may_give_access(self) -> bool {
        match self {
            Self::TenantNew
            | Self::AppNew
            | Self::PublisherChanged
            | Self::RedirectsChanged
            | Self::Unblocked
            | Self::GrantNew
            | Self::Widened
            | Self::ApprovalChanged
            | Self::ExpiryChanged
            | Self::NetworkChanged
            | Self::ReachChanged
            | Self::HolderChanged
            | Self::TokenChanged
            | Self::CredentialAdded
            | Self::OwnerBack => true,
            Self::TenantGone
            | Self::AppGone
            | Self::Blocked
            | Self::GrantGone
            | Self::Reissued
            | Self::Narrowed
            | Self::ReConsented
            | Self::Predated
            | Self::CredentialGone
            | Self::CredentialRotated
            | Self::OwnerLeft => false,
        }
    }

    /// For a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::TenantNew => "tenant new",
            Self::TenantGone => "tenant gone",
            Self::AppNew => "app new",
            Self::AppGone => "app gone",
            Self::PublisherChanged => "publisher changed",
            Self::RedirectsChanged => "redirect domains changed",
            Self::Blocked => "blocked",
            Self::Unblocked => "no longer blocked",
            Self::GrantNew => "grant new",
            Self::GrantGone => "grant gone",
            Self::Reissued => "given again under another id",
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::ReConsented => "consented again",
            Self::Predated => "dated earlier",
            Self::ApprovalChanged => "approval changed",
            Self::ExpiryChanged => "expiry changed",
            Self::NetworkChanged => "network changed",
            Self::ReachChanged => "reach changed",
            Self::HolderChanged => "holder changed",
            Self::TokenChanged => "token changed",
            Self::CredentialAdded => "credential added",
            Self::CredentialGone => "credential gone",
            Self::CredentialRotated => "credential rotated",
            Self::OwnerLeft => "owner left",
            Self::OwnerBack => "owner back",
        }
    }
}
