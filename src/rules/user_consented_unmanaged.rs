//! `user-consented-unmanaged`: a grant that a user gave by their own consent and no administrator ever looked at.

use grantwarden_kit::model::{Approval, Observed, Origin, Principal, UserConsent};

use super::{
    Answer, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact, words,
};
use crate::{
    finding::{Evidence, Severity},
    scopes::{Access, Reach, SetAssessment},
};

pub(super) struct UserConsentedUnmanaged;

static META: Meta = Meta {
    id: "user-consented-unmanaged",
    title: "Grant that a user gave and no administrator approved",
    severity: Severity::Medium,
    summary: "A third-party app holds a grant by a user's own consent that goes beyond signing in, and no administrator approved or \
              installed the app.",
    why: "What nobody approved nobody knows when its vendor is breached: Vercel had no contract with Context.ai, only one employee's \
          consent (2026). Callers of UNC6040 had users connect an app themselves (2024 and 2025).",
    incidents: &["contextai-vercel-2026", "unc6040-2025", "verified-publisher-2022"],
    remedies: &[Remedy::RequireAdminApproval, Remedy::RevokeGrant, Remedy::RestrictConsent],
    references: &[Reference {
        title: "Microsoft: protect against consent phishing",
        url: "https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/protect-against-consent-phishing",
    }],
    controls: &[
        controls::SALESFORCE_INSTALL,
        controls::SALESFORCE_ACCESS,
        controls::ENTRA_CONSENT,
        controls::CIS_ENTRA_CONSENT,
        controls::GOOGLE_ACCESS,
        controls::NHI_THIRD_PARTY,
        controls::STEAL_TOKEN,
    ],
    needs: &[fact::GRANT_APPROVAL, fact::GRANT_SCOPES],
    parameters: &[],
};

impl Rule for UserConsentedUnmanaged {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if !view.is_live() || view.origin() != Origin::ThirdParty || is_managed(view) {
            return;
        }
        // People's own tokens and keys are no app's; nobody consents to them.
        if view.app.is_some_and(stands_for_people) {
            return;
        }
        if view.scopes().is_some_and(is_sign_in_only) {
            return;
        }
        match &view.grant.approval {
            Observed::Known(Approval::SelfAuthorized) | Observed::Absent => {}
            Observed::Known(Approval::AdminApproved) => return,
            Observed::Unknown(gap) => return verdicts.unknown(fact::GRANT_APPROVAL, gap),
        }
        let Some(set) = view.scopes() else {
            return view.is_broad().report(verdicts);
        };
        let severity = match set.severity {
            _ if view.is_broad() == Answer::Yes => Severity::High,
            Severity::Info | Severity::Low => Severity::Low,
            _ => Severity::Medium,
        };
        let users = view.context.holdings(&view.grant.app).map(|all| all.self_consented);
        let others = match users {
            Some(users) if users > 1 => {
                format!(" and {}", words::counted(users - 1, "other user"))
            }
            _ => String::new(),
        };
        let mut evidence: Vec<Evidence> = view.approval_evidence().into_iter().collect();
        evidence.push(view.scope_evidence());
        if let Some(users) = users {
            evidence.push(Evidence::new(
                "consents",
                words::counted(users, "grant by users' own consent"),
                fact::GRANT_APPROVAL,
            ));
        }
        evidence.extend(installed(view));
        verdicts.find(Problem {
            severity,
            confidence: view.confidence_in_scopes(),
            message: format!(
                "{} came in by the own consent of {}{others}, and no administrator approved it: it can {}.",
                view.app_name(),
                view.principal().map_or("a user", Principal::label),
                view.power()
            ),
            evidence,
        });
    }
}

/// Whether an administrator approved the app, or listed it where only listed apps come in.
fn is_managed(view: &GrantView<'_>) -> bool {
    let Some(app) = view.app else { return false };
    let consent = view.context.tenant.and_then(|tenant| tenant.consent.user_consent.known());
    app.approval.known() == Some(&Approval::AdminApproved)
        || (app.installed.known() == Some(&true) && consent == Some(&UserConsent::ListedApps))
}

/// What stands for people's own tokens or keys of one kind.
fn stands_for_people(app: &grantwarden_kit::model::App) -> bool {
    matches!(app.client_ids, Observed::Absent) && matches!(app.publisher, Observed::Absent)
}

/// Whether the scopes tell no more than who the user is.
fn is_sign_in_only(set: &SetAssessment<'_>) -> bool {
    set.scopes.iter().all(|scope| {
        let is_nothing = scope.harm_if_read.max(scope.harm_if_changed) == 0 && !scope.derived;
        is_nothing || scope.access == Access::SignIn || scope.reach == Reach::Own
    })
}

/// Whether the app is installed, where that is told.
fn installed(view: &GrantView<'_>) -> Option<Evidence> {
    let value = match view.app?.installed {
        Observed::Known(true) => "yes, so that its policies can be set",
        Observed::Known(false) => "no: its policies are its vendor's",
        Observed::Absent | Observed::Unknown(_) => return None,
    };
    Some(Evidence::new("installed", value, fact::APP_INSTALLED))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Well, gap};
    use super::*;
    use crate::inventory::AppHoldings;

    const RULE: &str = "user-consented-unmanaged";

    fn consented() -> Well {
        let mut well = Well::run();
        well.app.approval = Observed::Known(Approval::SelfAuthorized);
        well.grant.approval = Observed::Known(Approval::SelfAuthorized);
        well
    }

    #[test]
    fn severity_follows_breadth() {
        let mut well = consented();
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "Backup came in by the own consent of sync@acme.example, and no administrator approved it: it can read and change \
             all CRM data that the service account sync@acme.example can reach."
        );
        well.scopes(&["einstein_gpt_api"]);
        assert_eq!(well.one(RULE).severity, Severity::Medium);
        well.scopes(&["eclair_api"]);
        assert_eq!(well.one(RULE).severity, Severity::Low);
    }

    #[test]
    fn signing_in_is_allowed() {
        let mut well = consented();
        well.scopes(&["openid", "id", "refresh_token"]);
        well.silent(RULE);
    }

    #[test]
    fn users_are_counted() {
        let mut well = consented();
        well.hold(AppHoldings { self_consented: 40, ..AppHoldings::default() });
        let finding = well.one(RULE);
        assert!(finding.message.contains(" and 39 other users, "), "{}", finding.message);
    }

    #[test]
    fn what_an_administrator_approved_or_listed_is_passed() {
        let mut well = consented();
        well.grant.approval = Observed::Known(Approval::AdminApproved);
        well.silent(RULE);
        let mut app = consented();
        app.app.approval = Observed::Known(Approval::AdminApproved);
        app.silent(RULE);
        let mut listed = consented();
        listed.tenant.consent.user_consent = Observed::Known(UserConsent::ListedApps);
        listed.silent(RULE);
        listed.app.installed = Observed::Known(false);
        assert_eq!(listed.one(RULE).severity, Severity::High);
    }

    #[test]
    fn own_and_platform_apps_blocked_apps_and_peoples_tokens_are_passed() {
        for origin in [Origin::Own, Origin::Platform] {
            let mut well = consented();
            well.app.origin = origin;
            well.silent(RULE);
        }
        let mut blocked = consented();
        blocked.app.blocked = Observed::Known(true);
        blocked.silent(RULE);
        let mut tokens = consented();
        tokens.app.client_ids = Observed::Absent;
        tokens.app.publisher = Observed::Absent;
        tokens.silent(RULE);
    }

    #[test]
    fn invisible_facts_are_unknown() {
        let mut approval = consented();
        approval.grant.approval = Observed::Unknown(gap("approval"));
        approval.unknown(RULE, &[fact::GRANT_APPROVAL]);
        let mut scopes = consented();
        scopes.grant.scopes = Observed::Unknown(gap("scopes"));
        scopes.app.scopes = Observed::Unknown(gap("scopes"));
        scopes.unknown(RULE, &[fact::GRANT_SCOPES]);
    }
}
