//! `publisher-unproven`: a third-party app of which nothing proves who is behind it.
//!
//! Weak, and one-way: a proof takes away this finding and nothing else.

use grantwarden_kit::model::{App, Observed, Origin};

use super::{Context, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact};
use crate::{
    finding::{Confidence, Evidence, Severity},
    vendors::Party,
};

pub(super) struct PublisherUnproven;

static META: Meta = Meta {
    id: "publisher-unproven",
    title: "App whose publisher is not proven",
    severity: Severity::Low,
    summary: "The platform names no publisher of a third-party app, or does not vouch for the one that it names.",
    why: "The look-alikes of Adobe and DocuSign of 2025 and the apps of UNC6040 had nobody behind them. It is a weak sign, and only in this \
          direction: in December 2022 thieves' apps carried Microsoft's mark of a verified publisher.",
    incidents: &["oauth-app-impersonation-2025", "unc6040-2025", "verified-publisher-2022"],
    remedies: &[Remedy::RequireAdminApproval, Remedy::RevokeGrant],
    references: &[Reference {
        title: "Microsoft: publisher verification",
        url: "https://learn.microsoft.com/en-us/entra/identity-platform/publisher-verification-overview",
    }],
    controls: &[controls::NHI_THIRD_PARTY, controls::SALESFORCE_DILIGENCE],
    needs: &[fact::APP_PUBLISHER, fact::APP_HOME_TENANT],
    parameters: &[],
};

impl Rule for PublisherUnproven {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        let is_ours = context.vendor(&app.id).is_some_and(|vendor| vendor.party == Party::Own);
        if app.origin != Origin::ThirdParty || is_ours || app.blocked.known() == Some(&true) {
            return;
        }
        // People's own tokens and keys have nobody behind them.
        if matches!(app.client_ids, Observed::Absent) && matches!(app.publisher, Observed::Absent) {
            return;
        }
        if let (Observed::Absent, Some(gap)) = (&app.publisher, app.home_tenant.gap()) {
            // Without a publisher an app may be one's own; only where it is registered would tell.
            return verdicts.unknown(fact::APP_HOME_TENANT, gap);
        }
        let said = match &app.publisher {
            Observed::Absent => "names no publisher".to_owned(),
            Observed::Unknown(gap) => return verdicts.unknown(fact::APP_PUBLISHER, gap),
            Observed::Known(publisher) => match &publisher.verified {
                Observed::Known(true) => return,
                Observed::Unknown(gap) => return verdicts.unknown(fact::APP_PUBLISHER, gap),
                Observed::Known(false) | Observed::Absent => {
                    format!("does not vouch for `{}`, the publisher that it names", publisher.name)
                }
            },
        };
        let home = match &app.home_tenant {
            Observed::Known(home) => home.clone(),
            Observed::Absent => "none".to_owned(),
            Observed::Unknown(gap) => format!("not visible: {}", gap.detail),
        };
        verdicts.find(Problem {
            severity: Severity::Low,
            confidence: Confidence::High,
            message: format!(
                "The platform {said}: who is behind {} is for its name to say, and anybody can choose a name.",
                app.name
            ),
            evidence: vec![
                Evidence::new("publisher", said, fact::APP_PUBLISHER),
                Evidence::new("home tenant", home, fact::APP_HOME_TENANT),
            ],
        });
    }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::Publisher;

    use super::super::testing::{Well, gap};
    use super::*;

    const RULE: &str = "publisher-unproven";

    fn publisher(verified: Observed<bool>) -> Well {
        let mut well = Well::run();
        well.app.publisher = Observed::Known(Publisher { name: "Acme Tools".to_owned(), verified });
        well
    }

    #[test]
    fn nobody_or_nobody_vouched_for_is_low() {
        let mut nobody = Well::run();
        nobody.app.publisher = Observed::Absent;
        let finding = nobody.one_of_app(RULE);
        assert_eq!(finding.severity, Severity::Low);
        assert_eq!(
            finding.message,
            "The platform names no publisher: who is behind Backup is for its name to say, and anybody can choose a name."
        );
        for verified in [Observed::Known(false), Observed::Absent] {
            let finding = publisher(verified).one_of_app(RULE);
            assert!(
                finding.message.contains("does not vouch for `Acme Tools`"),
                "{}",
                finding.message
            );
        }
    }

    #[test]
    fn proven_own_blocked_and_platform_apps_are_passed() {
        publisher(Observed::Known(true)).silent_of_app(RULE);
        for origin in [Origin::Own, Origin::Platform] {
            let mut well = publisher(Observed::Absent);
            well.app.origin = origin;
            well.silent_of_app(RULE);
        }
        let mut blocked = publisher(Observed::Absent);
        blocked.app.blocked = Observed::Known(true);
        blocked.silent_of_app(RULE);
        let mut tokens = Well::run();
        tokens.app.publisher = Observed::Absent;
        tokens.app.client_ids = Observed::Absent;
        tokens.silent_of_app(RULE);
    }

    #[test]
    fn a_publisher_that_is_not_visible_is_unknown() {
        publisher(Observed::Unknown(gap("x"))).unknown_of_app(RULE, &[fact::APP_PUBLISHER]);
        let mut well = Well::run();
        well.app.publisher = Observed::Absent;
        well.app.home_tenant = Observed::Unknown(gap("tenant"));
        well.unknown_of_app(RULE, &[fact::APP_HOME_TENANT]);
        well.app.publisher = Observed::Unknown(gap("publisher"));
        well.unknown_of_app(RULE, &[fact::APP_PUBLISHER]);
    }
}
