//! `inactive-principal`: the account behind a grant is switched off or gone, and the grant is still there.

use grantwarden_kit::model::{Observed, Origin, PrincipalStatus};

use super::{
    Answer, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact, words,
};
use crate::finding::{Confidence, Evidence, Severity};

pub(super) struct InactivePrincipal;

static META: Meta = Meta {
    id: "inactive-principal",
    title: "Grant of an account that is switched off",
    severity: Severity::Medium,
    summary: "The account behind a grant is inactive, suspended or deleted, and the grant is still there.",
    why: "People leave, their grants stay, and access works again when the account is switched on once more. Cloudflare was entered in \
          November 2023 with one token and three service accounts that everybody believed unused.",
    incidents: &["okta-cloudflare-2023", "waydev-2020"],
    remedies: &[Remedy::RevokeGrant, Remedy::UseDedicatedIdentity],
    references: &[Reference {
        title: "Cloudflare: Thanksgiving 2023 security incident",
        url: "https://blog.cloudflare.com/thanksgiving-2023-security-incident/",
    }],
    controls: &[controls::NHI_OFFBOARDING],
    needs: &[fact::HOLDER_STATUS],
    parameters: &[],
};

impl Rule for InactivePrincipal {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        let Some(principal) = view.principal() else { return };
        if view.is_expired() {
            return;
        }
        let state = match &principal.status {
            Observed::Known(PrincipalStatus::Active) => return,
            Observed::Known(PrincipalStatus::Suspended) => "is suspended",
            Observed::Known(PrincipalStatus::Inactive) => "is deactivated",
            Observed::Known(PrincipalStatus::Deleted) | Observed::Absent => {
                "does not exist any more"
            }
            Observed::Unknown(gap) => return verdicts.unknown(fact::HOLDER_STATUS, gap),
        };
        let is_harmless = view.is_blocked() || view.origin() == Origin::Platform;
        let broad = view.is_broad();
        if !is_harmless {
            broad.report(verdicts);
        }
        verdicts.find(Problem {
            severity: match (is_harmless, broad) {
                (true, _) => Severity::Low,
                (false, Answer::Yes) => Severity::High,
                (false, _) => Severity::Medium,
            },
            confidence: Confidence::High,
            message: format!(
                "{} is still there although {} {state}: nobody answers for it, and it may work, or work again.",
                words::capital(&view.noun()),
                principal.label()
            ),
            evidence: vec![
                Evidence::new("account", state, fact::HOLDER_STATUS),
                view.use_evidence(),
                view.scope_evidence(),
            ],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Well, gap};
    use super::*;

    const RULE: &str = "inactive-principal";

    fn with_status(status: PrincipalStatus) -> Well {
        let mut well = Well::run();
        well.principal().status = Observed::Known(status);
        well
    }

    #[test]
    fn every_state_but_active_is_found() {
        let finding = with_status(PrincipalStatus::Inactive).one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "The refresh token of Backup for the service account sync@acme.example is still there although \
             sync@acme.example is deactivated: nobody answers for it, and it may work, or work again."
        );
        let mut narrow = with_status(PrincipalStatus::Suspended);
        narrow.scopes(&["openid"]);
        assert_eq!(narrow.one(RULE).severity, Severity::Medium);
        with_status(PrincipalStatus::Deleted).one(RULE);
    }

    #[test]
    fn active_accounts_and_grants_without_an_account_are_silent() {
        with_status(PrincipalStatus::Active).silent(RULE);
        let mut app_only = Well::run();
        app_only.grant.holder = grantwarden_kit::model::Holder::App;
        app_only.silent(RULE);
    }

    #[test]
    fn blocked_and_platform_apps_are_low() {
        let mut well = with_status(PrincipalStatus::Inactive);
        well.app.origin = Origin::Platform;
        assert_eq!(well.one(RULE).severity, Severity::Low);
        well.app.origin = Origin::ThirdParty;
        well.app.blocked = Observed::Known(true);
        assert_eq!(well.one(RULE).severity, Severity::Low);
    }

    #[test]
    fn an_invisible_state_is_unknown() {
        let mut well = Well::run();
        well.principal().status = Observed::Unknown(gap("status"));
        well.unknown(RULE, &[fact::HOLDER_STATUS]);
    }
}
