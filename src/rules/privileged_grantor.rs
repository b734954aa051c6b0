//! `privileged-grantor`: an integration that runs with the rights of an administrator or of a privileged person.

use grantwarden_kit::model::{Observed, PrincipalKind};

use super::{GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact, words};
use crate::{
    finding::{Confidence, Severity},
    scopes::Rights,
};

pub(super) struct PrivilegedGrantor;

static META: Meta = Meta {
    id: "privileged-grantor",
    title: "Integration runs as an administrator or a privileged person",
    severity: Severity::High,
    summary: "The account behind a grant has rights that reach beyond its own data: it is an administrator's, or a person's \
              instead of a dedicated service account.",
    why: "An integration inherits whatever its account may do, and it changes whenever the person's job does. The tokens stolen from \
          Drift (August 2025) had the rights of the administrators who once clicked Allow.",
    incidents: &["salesloft-drift-2025", "okta-cloudflare-2023"],
    remedies: &[Remedy::UseDedicatedIdentity, Remedy::RevokeGrant, Remedy::RequireAdminApproval],
    references: &[
        Reference {
            title: "Salesforce: give integration users API only access",
            url: "https://help.salesforce.com/s/articleView?id=platform.integration_user.htm",
        },
        Reference {
            title: "Salesforce Admins: best practices for configuring your integration user",
            url: "https://admin.salesforce.com/blog/2023/best-practices-for-configuring-your-integration-user",
        },
    ],
    controls: &[controls::NHI_OVERPRIVILEGED, controls::NHI_HUMAN_USE],
    needs: &[fact::HOLDER_PRIVILEGES, fact::HOLDER_KIND],
    parameters: &[],
};

impl Rule for PrivilegedGrantor {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        let Some(principal) = view.principal() else { return };
        if !view.is_live_outsider() {
            return;
        }
        let rights = match view.rights() {
            Ok(rights) => rights,
            Err(gap) => return verdicts.unknown(fact::HOLDER_PRIVILEGES, gap),
        };
        let severity = match (rights, &principal.kind) {
            (Rights::Own, _) => return,
            // A dedicated account is what this rule asks for; that it may do too much is for `overbroad` to say.
            (Rights::Administers, Observed::Known(PrincipalKind::ServiceAccount)) => Severity::Low,
            (Rights::Administers, _) => Severity::High,
            (_, Observed::Known(PrincipalKind::ServiceAccount)) => return,
            (_, Observed::Unknown(gap)) => return verdicts.unknown(fact::HOLDER_KIND, gap),
            (Rights::ReadsAll, _) => Severity::High,
            (Rights::Elevated, _) => Severity::Medium,
        };
        let reach = match rights {
            Rights::Administers => "administer the tenant",
            Rights::ReadsAll => "read the data of everybody",
            Rights::Elevated | Rights::Own => "do more than an ordinary user",
        };
        let names = principal.privileges.known().map(|names| words::some(names, 3));
        verdicts.find(Problem {
            severity,
            confidence: Confidence::High,
            message: format!(
                "{} runs as {}, who can {reach} ({}): the app, and whoever steals its token, gets those rights within its scopes.",
                view.app_name(),
                view.who(),
                names.unwrap_or_default()
            ),
            evidence: vec![view.holder_evidence(), view.scope_evidence()],
        });
    }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::Origin;

    use super::super::testing::{Well, gap};
    use super::*;

    const RULE: &str = "privileged-grantor";

    fn person(privileges: &[&str]) -> Well {
        let mut well = Well::run();
        well.principal().kind = Observed::Known(PrincipalKind::Person);
        well.privileges(privileges);
        well
    }

    #[test]
    fn severity_follows_the_rights() {
        let finding = person(&["Modify All Data", "Author Apex"]).one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "Backup runs as the administrator sync@acme.example, who can administer the tenant (Modify All Data, Author \
             Apex): the app, and whoever steals its token, gets those rights within its scopes."
        );
        assert_eq!(person(&["View All Data"]).one(RULE).severity, Severity::High);
        assert_eq!(
            person(&["Approve Uninstalled Connected Apps"]).one(RULE).severity,
            Severity::Medium
        );
    }

    #[test]
    fn a_service_account_is_flagged_only_with_administrative_rights() {
        let mut well = Well::run();
        well.privileges(&["View All Data"]);
        well.silent(RULE);
        well.privileges(&["Modify All Data"]);
        assert_eq!(well.one(RULE).severity, Severity::Low);
    }

    #[test]
    fn ordinary_people_and_the_platforms_own_apps_are_silent() {
        person(&[]).silent(RULE);
        let mut platform = person(&["Modify All Data"]);
        platform.app.origin = Origin::Platform;
        platform.silent(RULE);
    }

    #[test]
    fn invisible_rights_or_kind_are_unknown() {
        let mut rights = person(&[]);
        rights.principal().privileges = Observed::Unknown(gap("rights"));
        rights.unknown(RULE, &[fact::HOLDER_PRIVILEGES]);
        let mut kind = person(&["View All Data"]);
        kind.principal().kind = Observed::Unknown(gap("kind"));
        kind.unknown(RULE, &[fact::HOLDER_KIND]);
        kind.privileges(&["Modify All Data"]);
        assert_eq!(kind.one(RULE).severity, Severity::High);
    }
}
