//! `overbroad`: effective access that no single integration should have.
//!
//! Judged by reach: scopes times the rights of the holder. Whether an app needs what it has cannot be judged without a declared
//! purpose, so that scopes which an ordinary holder bounds are left alone where the platform has no narrower ones.

use grantwarden_kit::model::{App, Holder, Observed, Origin};

use super::{Answer, Context, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, fact};
use crate::{
    finding::{Confidence, Evidence, Severity},
    scopes::{Rights, SetAssessment},
};

pub(super) struct Overbroad;

static META: Meta = Meta {
    id: "overbroad",
    title: "App reaches more than one integration should",
    severity: Severity::High,
    summary: "The scopes of a grant, taken together with the rights of the account behind it, reach data of the whole organisation \
              or everything that its user can do.",
    why: "How much is lost with a token is decided the day it is granted. Drift's tokens had the rights of the administrators who \
          connected it (August 2025); one OAuth app with access to every mailbox was enough against Microsoft (November 2023).",
    incidents: &["salesloft-drift-2025", "midnight-blizzard-2024", "contextai-vercel-2026"],
    remedies: &[Remedy::NarrowScopes, Remedy::UseDedicatedIdentity, Remedy::RevokeGrant],
    references: &[
        Reference {
            title: "RFC 9700 section 2.3: access token privilege restriction",
            url: "https://www.rfc-editor.org/rfc/rfc9700#section-2.3",
        },
        Reference {
            title: "Microsoft: Midnight Blizzard, guidance for responders",
            url: "https://www.microsoft.com/en-us/security/blog/2024/01/25/midnight-blizzard-guidance-for-responders-on-nation-state-attack/",
        },
    ],
    needs: &[fact::GRANT_SCOPES, fact::HOLDER_PRIVILEGES],
    parameters: &[],
};

impl Rule for Overbroad {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Introspection (RFC 7662) of all tokens tells a thief which of the stolen ones are good, and for whom.
    fn app(&self, _: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        if app.origin == Origin::Platform || app.blocked.known() == Some(&true) {
            return;
        }
        match &app.introspects_all_tokens {
            Observed::Known(true) => verdicts.find(Problem {
                severity: Severity::High,
                confidence: Confidence::High,
                message: format!(
                    "{} may look into the tokens of every other app of the tenant, so whoever holds its credentials can \
                     check which stolen tokens are good and whom they belong to.",
                    app.name
                ),
                evidence: vec![Evidence::new(
                    "introspection",
                    "all tokens of the tenant",
                    fact::APP_INTROSPECTS,
                )],
            }),
            Observed::Unknown(gap) => verdicts.unknown(fact::APP_INTROSPECTS, gap),
            Observed::Known(false) | Observed::Absent => {}
        }
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if !view.is_live_outsider() {
            return;
        }
        let Some(set) = view.scopes() else {
            view.is_broad().report(verdicts);
            return;
        };
        if !set.broad {
            return;
        }
        if view.rights().is_err() && is_bounded(view) {
            view.is_privileged().report(verdicts);
        }
        let severity = severity(view, set);
        if severity < Severity::High {
            return;
        }
        verdicts.find(Problem {
            severity,
            confidence: view.confidence_in_scopes(),
            message: message(view, set),
            evidence: vec![
                view.scope_evidence(),
                view.holder_evidence(),
                Evidence::new(
                    "purpose",
                    "not declared: judged by what the app can reach, not by what it needs",
                    fact::GRANT_SCOPES,
                ),
            ],
        });
    }
}

/// Whether the rights of one account bound what the scopes reach.
fn is_bounded(view: &GrantView<'_>) -> bool {
    view.context.catalog.bounded_by_user() && matches!(view.grant.holder, Holder::Principal(_))
}

/// The severity of the scopes in the hands of the holder; `info` where there is nothing to say.
fn severity(view: &GrantView<'_>, set: &SetAssessment<'_>) -> Severity {
    if !is_bounded(view) {
        return match view.grant.holder {
            Holder::Tenant => set.severity_with(Rights::Administers),
            Holder::Principal(_) | Holder::App => set.severity,
        };
    }
    match view.rights() {
        Ok(rights @ (Rights::ReadsAll | Rights::Administers)) => set.severity_with(rights),
        // Bounded to an ordinary user's data, and narrower scopes exist only for those that take everything.
        _ if set.is_umbrella() => set.severity,
        _ => Severity::Info,
    }
}

fn message(view: &GrantView<'_>, set: &SetAssessment<'_>) -> String {
    let app = view.app_name();
    let power = view.power();
    if view.is_privileged() == Answer::Yes {
        return format!(
            "{app} can {power}; that reaches the whole organisation, and so does whoever steals its token."
        );
    }
    let scope = set.weightiest().map_or_else(String::new, |scope| scope.name.to_string());
    format!(
        "{app} can {power}: the scope `{scope}` is wider than an integration needs, and a stolen token has all of it."
    )
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::PrincipalKind;

    use super::super::testing::{Well, gap};
    use super::*;

    const RULE: &str = "overbroad";

    #[test]
    fn an_administrator_makes_writing_critical_and_a_reader_of_all_data_makes_it_high() {
        let mut well = Well::run();
        well.principal().kind = Observed::Known(PrincipalKind::Person);
        well.privileges(&["Modify All Data"]);
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(
            finding.message,
            "Backup can read and change all CRM data that the administrator sync@acme.example can reach; that reaches the \
             whole organisation, and so does whoever steals its token."
        );
        well.privileges(&["View All Data"]);
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    #[test]
    fn the_scope_full_is_high_even_for_an_ordinary_user() {
        let mut well = Well::run();
        well.scopes(&["full"]);
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.message.contains("the scope `full` is wider"), "{}", finding.message);
    }

    #[test]
    fn an_ordinary_user_bounds_what_the_api_reaches() {
        Well::run().silent(RULE);
        let mut narrow = Well::run();
        narrow.privileges(&["Modify All Data"]);
        narrow.scopes(&["id", "openid"]);
        narrow.silent(RULE);
    }

    #[test]
    fn platform_blocked_and_expired_are_silent() {
        let mut well = Well::run();
        well.privileges(&["Modify All Data"]);
        well.app.blocked = Observed::Known(true);
        well.silent(RULE);
        well.app.blocked = Observed::Known(false);
        well.app.origin = Origin::Platform;
        well.silent(RULE);
    }

    #[test]
    fn invisible_scopes_or_rights_are_unknown() {
        let mut scopes = Well::run();
        scopes.grant.scopes = Observed::Unknown(gap("scopes"));
        scopes.app.scopes = Observed::Unknown(gap("scopes"));
        scopes.unknown(RULE, &[fact::GRANT_SCOPES]);
        let mut rights = Well::run();
        rights.principal().privileges = Observed::Unknown(gap("rights"));
        rights.unknown(RULE, &[fact::HOLDER_PRIVILEGES]);
        rights.scopes(&["full"]);
        assert_eq!(rights.one(RULE).severity, Severity::High);
    }

    #[test]
    fn the_registration_rules_breadth_out_for_its_grants() {
        let mut well = Well::run();
        well.privileges(&["Modify All Data"]);
        well.app.scopes = Observed::Known(vec![grantwarden_kit::model::Scope::named("openid")]);
        well.grant.scopes = Observed::Unknown(gap("scopes"));
        well.silent(RULE);
    }

    #[test]
    fn an_app_that_introspects_all_tokens_is_found_once() {
        let mut well = Well::run();
        well.app.introspects_all_tokens = Observed::Known(true);
        assert_eq!(well.one_of_app(RULE).severity, Severity::High);
        well.app.introspects_all_tokens = Observed::Unknown(gap("introspection"));
        well.unknown_of_app(RULE, &[fact::APP_INTROSPECTS]);
    }
}
