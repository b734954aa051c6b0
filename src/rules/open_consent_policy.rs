//! `open-consent-policy`: the tenant lets people bring in apps by themselves. One finding per tenant.

use grantwarden_kit::model::{ConsentPolicy, Gap, Observed, Reason, UserConsent};

use super::{
    Context, Meta, Problem, Reference, Remedy, Rule, Seen, Verdicts, controls, fact, words,
};
use crate::finding::{Confidence, Evidence, Severity};

pub(super) struct OpenConsentPolicy;

static META: Meta = Meta {
    id: "open-consent-policy",
    title: "Users can let apps in by themselves",
    severity: Severity::High,
    summary: "The tenant's settings let users consent to any app, people hold a right that gets past the setting, or weak sign-in \
              flows are open.",
    why: "It is the only warning before a phone call: from October 2024 on UNC6040 talked users into connecting a look-alike of Data \
          Loader, and the day before there was no grant to find. Context.ai came into Vercel's workspace in 2026 through one \
          employee's consent.",
    incidents: &["unc6040-2025", "contextai-vercel-2026", "first-party-client-phish-2025"],
    remedies: &[Remedy::RestrictConsent, Remedy::RequireAdminApproval],
    references: &[
        Reference {
            title: "Google Threat Intelligence: the cost of a call, from voice phishing to data extortion",
            url: "https://cloud.google.com/blog/topics/threat-intelligence/voice-phishing-data-extortion",
        },
        Reference {
            title: "Google Threat Intelligence: UNC6040 proactive hardening recommendations",
            url: "https://cloud.google.com/blog/topics/threat-intelligence/unc6040-proactive-hardening-recommendations",
        },
        Reference {
            title: "Salesforce: prepare for connected app usage restrictions",
            url: "https://help.salesforce.com/s/articleView?id=005132365",
        },
    ],
    controls: &[
        controls::ENTRA_REGISTRATION,
        controls::ENTRA_CONSENT,
        controls::ENTRA_WORKFLOW,
        controls::CIS_ENTRA_APPS,
        controls::CIS_ENTRA_CONSENT,
        controls::GOOGLE_ACCESS,
        controls::GOOGLE_LOW_RISK,
        controls::GOOGLE_UNCONFIGURED,
        controls::GOOGLE_MARKETPLACE,
        controls::SALESFORCE_INSTALL,
        controls::SALESFORCE_ACCESS,
        controls::STEAL_TOKEN,
    ],
    needs: &[fact::USER_CONSENT, fact::CONSENT_BYPASSES, fact::WEAK_FLOWS],
    parameters: &[],
};

impl Rule for OpenConsentPolicy {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tenant(&self, context: &Context<'_>, _: &Seen<'_>, verdicts: &mut Verdicts) {
        let Some(tenant) = context.tenant else {
            let gap =
                Gap::new(Reason::CallFailed, "tenant", "the tenant's own record was not read");
            return verdicts.unknown(fact::USER_CONSENT, &gap);
        };
        let openings = openings(&tenant.consent, verdicts);
        let Some(severity) = openings.iter().map(|opening| opening.severity).max() else { return };
        let says: Vec<&str> = openings.iter().map(|opening| opening.says.as_str()).collect();
        verdicts.find(Problem {
            severity,
            confidence: Confidence::High,
            message: format!(
                "In {} {}: one convincing phone call is enough to let a data thief's app in.",
                context.tenant_name,
                says.join("; ")
            ),
            evidence: openings.into_iter().map(|opening| opening.evidence).collect(),
        });
    }
}

/// One way past the administrators.
struct Opening {
    severity: Severity,
    says: String,
    evidence: Evidence,
}

fn openings(consent: &ConsentPolicy, verdicts: &mut Verdicts) -> Vec<Opening> {
    let mut openings = Vec::new();
    match &consent.user_consent {
        // No such setting is a setting that stops nobody.
        Observed::Known(UserConsent::Any) | Observed::Absent => openings.push(Opening {
            severity: Severity::High,
            says: "any user may connect any app".to_owned(),
            evidence: Evidence::new("user consent", "any app", consent.setting.clone()),
        }),
        Observed::Known(UserConsent::Conditional | UserConsent::ListedApps | UserConsent::None) => {
        }
        Observed::Unknown(gap) => verdicts.unknown(fact::USER_CONSENT, gap),
    }
    for bypass in &consent.bypasses {
        match &bypass.holders {
            Observed::Known(holders) if !holders.is_empty() => openings.push(Opening {
                severity: Severity::Medium,
                says: format!(
                    "{} may connect any app by the right {}",
                    words::people(holders.len() as u64),
                    bypass.right
                ),
                evidence: Evidence::new(
                    "gets past the setting",
                    words::some(holders, 10),
                    bypass.right.clone(),
                ),
            }),
            Observed::Known(_) | Observed::Absent => {}
            Observed::Unknown(gap) => verdicts.unknown(fact::CONSENT_BYPASSES, gap),
        }
    }
    match &consent.weak_flows {
        Observed::Known(flows) if !flows.is_empty() => openings.push(Opening {
            severity: Severity::Medium,
            says: format!("weak sign-in flows are open ({})", words::some(flows, 3)),
            evidence: Evidence::new("weak flows", words::some(flows, 10), fact::WEAK_FLOWS),
        }),
        Observed::Known(_) | Observed::Absent => {}
        Observed::Unknown(gap) => verdicts.unknown(fact::WEAK_FLOWS, gap),
    }
    openings
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::Bypass;

    use super::super::testing::{Well, gap};
    use super::*;

    const RULE: &str = "open-consent-policy";

    #[test]
    fn any_app_is_high_and_says_everything_in_one_finding() {
        let mut well = Well::run();
        well.tenant.consent.user_consent = Observed::Known(UserConsent::Any);
        well.tenant.consent.weak_flows = Observed::Known(vec!["user-agent flow".to_owned()]);
        let finding = well.one_of_tenant(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "In acme-crm any user may connect any app; weak sign-in flows are open (user-agent flow): one convincing phone \
             call is enough to let a data thief's app in."
        );
        assert_eq!(finding.evidence[0].source, "API Access Control");
        well.tenant.consent.user_consent = Observed::Absent;
        assert_eq!(well.one_of_tenant(RULE).severity, Severity::High);
    }

    #[test]
    fn bypasses_and_weak_flows_alone_are_medium() {
        let mut well = Well::run();
        well.tenant.consent.bypasses = vec![Bypass {
            right: "Approve Uninstalled Connected Apps".to_owned(),
            holders: Observed::Known(vec!["jane@acme.example".to_owned()]),
        }];
        let finding = well.one_of_tenant(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert!(
            finding.message.contains(
                "1 person may connect any app by the right Approve Uninstalled Connected Apps"
            ),
            "{}",
            finding.message
        );
    }

    #[test]
    fn a_closed_tenant_is_silent() {
        for consent in [UserConsent::None, UserConsent::ListedApps, UserConsent::Conditional] {
            let mut well = Well::run();
            well.tenant.consent.user_consent = Observed::Known(consent);
            well.silent_of_tenant(RULE);
        }
    }

    #[test]
    fn invisible_settings_are_unknown() {
        let mut well = Well::run();
        well.tenant.consent.user_consent = Observed::Unknown(gap("settings"));
        well.tenant.consent.weak_flows = Observed::Unknown(gap("settings"));
        well.tenant.consent.bypasses =
            vec![Bypass { right: "r".to_owned(), holders: Observed::Unknown(gap("rights")) }];
        well.unknown_of_tenant(
            RULE,
            &[fact::USER_CONSENT, fact::CONSENT_BYPASSES, fact::WEAK_FLOWS],
        );
    }

    #[test]
    fn a_tenant_that_was_not_read_is_unknown() {
        let well = Well::run();
        let mut context = well.context();
        context.tenant = None;
        let judgement = super::super::tenant(&context, &well.coverage, &well.unknowns);
        assert!(judgement.unknowns.iter().any(|unknown| unknown.rule == RULE));
        assert!(judgement.findings.iter().all(|finding| finding.rule == "coverage-gap"));
    }
}
