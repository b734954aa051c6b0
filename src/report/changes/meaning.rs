//! What each kind of change means, in a sentence, for formats that describe what they hold. `docs/diff.md` says the same.

use crate::inventory::diff::Kind;

/// What a change of this kind means.
pub(super) const fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::TenantNew => {
            "Only the newer snapshot has the tenant. It may be that it was not scanned before: nothing of it is compared."
        }
        Kind::TenantGone => {
            "Only the older snapshot has the tenant. It may be that it was not scanned: nothing of it is compared."
        }
        Kind::AppNew => "The tenant knows an app that it did not know.",
        Kind::AppGone => "The tenant does not know the app any more.",
        Kind::PublisherChanged => {
            "The app has another publisher or home tenant, or the platform vouches for it now or no longer."
        }
        Kind::RedirectsChanged => {
            "The app's codes go to other hosts. Whoever adds one gets them without any consent."
        }
        Kind::Blocked => "The tenant blocks the app.",
        Kind::Unblocked => "The tenant does not block the app any more.",
        Kind::GrantNew => "The grant was not there.",
        Kind::GrantGone => "The grant is not there any more.",
        Kind::Reissued => "The same right stands under another id: a token was given again.",
        Kind::Widened => {
            "The grant has scopes that it had not, or the app's registration allows more."
        }
        Kind::Narrowed => "The grant lost scopes, or the app's registration allows fewer.",
        Kind::ReConsented => "The day of consent is later than it was.",
        Kind::Predated => {
            "The day of consent is earlier than it was: the platform says something else than before."
        }
        Kind::ApprovalChanged => {
            "Somebody else stands behind the grant, or others may start using the app."
        }
        Kind::ExpiryChanged => "The grant ends by itself at another time, or now never.",
        Kind::NetworkChanged => "The grant works from other networks.",
        Kind::ReachChanged => {
            "A setting of the grant changed that says what it reaches: repositories, events, parts of the tenant."
        }
        Kind::HolderChanged => {
            "The same grant has another holder or app, or was given in another way."
        }
        Kind::TokenChanged => {
            "The grant renews itself now or no longer, or is bound to a key of its holder now or no longer."
        }
        Kind::CredentialAdded => {
            "The app has a secret, certificate or trust that it had not. Whoever holds it can act as the app."
        }
        Kind::CredentialGone => "A secret, certificate or trust of the app is not there any more.",
        Kind::CredentialRotated => {
            "A credential of the app took the place of one of the same kind that is gone."
        }
        Kind::OwnerLeft => {
            "The principal behind grants that are still there can sign in no longer."
        }
        Kind::OwnerBack => "The principal behind grants that are still there can sign in again.",
    }
}
