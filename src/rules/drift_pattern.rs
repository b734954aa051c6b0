//! `drift-pattern`: the grant that the thieves of August 2025 held.
//!
//! Broad, durable and unbound at once. Each factor alone has a rule of its own; together they make a stolen token enough.

use grantwarden_kit::model::Origin;

use super::{
    Answer, GrantView, Life, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact,
    words,
};
use crate::finding::{Confidence, Evidence, Severity};

pub(super) struct DriftPattern;

static META: Meta = Meta {
    id: "drift-pattern",
    title: "Broad, durable and unbound grant of a third party",
    severity: Severity::High,
    summary: "A third party holds a live grant that reaches sensitive data in bulk, does not soon end by itself, and works from \
              any network.",
    why: "Whoever steals such a token from the vendor needs nothing else. On 8 to 18 August 2025 thieves used OAuth tokens stolen \
          from Salesloft's Drift to read the Salesforce data of more than 700 organisations; where addresses were bound, as at \
          Okta, the same tokens were refused.",
    incidents: &["salesloft-drift-2025", "gainsight-2025", "klue-2026"],
    remedies: &[
        Remedy::RevokeGrant,
        Remedy::RestrictNetwork,
        Remedy::SetExpiry,
        Remedy::UseDedicatedIdentity,
        Remedy::NarrowScopes,
        Remedy::RequireAdminApproval,
    ],
    references: &[
        Reference {
            title: "Google Threat Intelligence: data theft from Salesforce instances via Salesloft Drift",
            url: "https://cloud.google.com/blog/topics/threat-intelligence/data-theft-salesforce-instances-via-salesloft-drift",
        },
        Reference {
            title: "Cloudflare: the impact of the Salesloft Drift breach",
            url: "https://blog.cloudflare.com/response-to-salesloft-drift-incident/",
        },
        Reference {
            title: "RFC 9700: Best Current Practice for OAuth 2.0 Security",
            url: "https://www.rfc-editor.org/rfc/rfc9700",
        },
    ],
    controls: &[
        controls::STEAL_TOKEN,
        controls::USE_TOKEN,
        controls::NHI_THIRD_PARTY,
        controls::NHI_OVERPRIVILEGED,
        controls::NHI_LONG_LIVED,
    ],
    needs: &[fact::GRANT_SCOPES, fact::GRANT_EXPIRES, fact::GRANT_NETWORK],
    parameters: &[],
};

impl Rule for DriftPattern {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if !view.is_live() || view.origin() != Origin::ThirdParty {
            return;
        }
        let factors = [view.is_broad(), view.is_durable(), view.is_unbound()];
        if factors.contains(&Answer::No) {
            return;
        }
        if factors.iter().any(|factor| *factor != Answer::Yes) {
            factors.iter().for_each(|factor| factor.report(verdicts));
            return;
        }
        let (privileged, stale) = (view.is_privileged(), view.is_stale());
        // The severity rests on them, so that not knowing them is said even though the problem is certain.
        privileged.report(verdicts);
        stale.report(verdicts);
        let takes_all =
            view.scopes().is_some_and(|set| set.is_umbrella() || set.reaches_beyond_one_user());
        let is_critical = privileged == Answer::Yes || stale == Answer::Yes || takes_all;
        verdicts.find(Problem {
            severity: if is_critical { Severity::Critical } else { Severity::High },
            confidence: Confidence::with_reservations(
                view.doubts_about_scopes() + view.doubts_about_binding(),
            ),
            message: message(view, stale == Answer::Yes),
            evidence: evidence(view),
        });
    }
}

fn message(view: &GrantView<'_>, is_stale: bool) -> String {
    let until = match view.life() {
        Ok(Life::Until(end)) => format!("until {}, unless somebody revokes it", end.date()),
        Ok(Life::Idle(idle)) => {
            format!("for as long as somebody uses it once in {}", words::span(idle))
        }
        Ok(Life::Never) | Err(_) => "until somebody revokes it".to_owned(),
    };
    let unused = if is_stale { "; nobody uses it any more" } else { "" };
    format!("{} can {}, from any network, {until}{unused}.", view.app_name(), view.power())
}

fn evidence(view: &GrantView<'_>) -> Vec<Evidence> {
    let named = |factor: &str, evidence: Evidence| Evidence {
        fact: format!("{factor}: {}", evidence.fact),
        ..evidence
    };
    let mut evidence = vec![
        named("broad", view.scope_evidence()),
        named("durable", view.life_evidence()),
        named("unbound", view.network_evidence()),
        named("unbound", view.sender_evidence()),
        view.holder_evidence(),
        view.use_evidence(),
    ];
    evidence.extend(view.approval_evidence());
    evidence
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use grantwarden_kit::model::{Expiry, Observed, Origin, PrincipalKind};

    use super::super::testing::{Well, days, gap};
    use super::*;

    const RULE: &str = "drift-pattern";

    /// What Drift held: an administrator's consent, no end, no network.
    fn drift() -> Well {
        let mut well = Well::run();
        well.app.name = "Drift".to_owned();
        well.grant.expires = Observed::Known(Expiry::Never);
        well.grant.network.binding = Observed::Absent;
        well.principal().kind = Observed::Known(PrincipalKind::Person);
        well.principal().name = Observed::Known("jane@acme.example".to_owned());
        well.privileges(&["Modify All Data"]);
        well
    }

    #[test]
    fn flags_the_drift_grant() {
        let finding = drift().one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Critical, Confidence::High));
        assert_eq!(
            finding.message,
            "Drift can read and change all CRM data that the administrator jane@acme.example can reach, \
             from any network, until somebody revokes it."
        );
        let facts: Vec<_> = finding.evidence.iter().map(|evidence| &*evidence.fact).collect();
        assert_eq!(
            facts,
            [
                "broad: scopes",
                "durable: life",
                "unbound: network",
                "unbound: sender constraint",
                "acts as",
                "last used"
            ]
        );
    }

    #[test]
    fn an_ordinary_holder_makes_it_high_and_disuse_critical() {
        let mut well = drift();
        well.privileges(&[]);
        assert_eq!(well.one(RULE).severity, Severity::High);
        well.grant.last_used_at = Observed::Known(days(-91));
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::Critical);
        assert!(finding.message.ends_with("nobody uses it any more."), "{}", finding.message);
        well.grant.last_used_at = Observed::Known(days(-1));
        well.scopes(&["full", "refresh_token"]);
        assert_eq!(well.one(RULE).severity, Severity::Critical);
    }

    #[test]
    fn one_factor_less_and_it_is_silent() {
        let mut bound = drift();
        bound.grant.network = Well::run().grant.network;
        bound.silent(RULE);
        let mut to_a_key = drift();
        to_a_key.grant.sender_constrained = Observed::Known(true);
        to_a_key.silent(RULE);
        let mut short = drift();
        short.grant.expires = Observed::Known(Expiry::At(days(29)));
        short.silent(RULE);
        let mut idle = drift();
        idle.grant.expires = Observed::Known(Expiry::Idle(Duration::from_secs(30 * 86_400)));
        idle.silent(RULE);
        let mut narrow = drift();
        narrow.scopes(&["openid", "refresh_token"]);
        narrow.silent(RULE);
    }

    #[test]
    fn only_live_grants_of_third_parties_count() {
        for origin in [Origin::Own, Origin::Platform] {
            let mut well = drift();
            well.app.origin = origin;
            well.silent(RULE);
        }
        let mut blocked = drift();
        blocked.app.blocked = Observed::Known(true);
        blocked.silent(RULE);
        let mut expired = drift();
        expired.grant.expires = Observed::Known(Expiry::At(days(-1)));
        expired.silent(RULE);
    }

    #[test]
    fn long_idle_times_count_as_durable() {
        let mut well = drift();
        well.grant.expires = Observed::Known(Expiry::Idle(Duration::from_secs(365 * 86_400)));
        assert!(
            well.one(RULE).message.contains("for as long as somebody uses it once in 365 days")
        );
    }

    #[test]
    fn an_invisible_factor_is_unknown_unless_another_rules_it_out() {
        let mut well = drift();
        well.grant.expires = Observed::Unknown(gap("expiry"));
        well.unknown(RULE, &[fact::GRANT_EXPIRES]);
        well.grant.network = Well::run().grant.network;
        well.silent(RULE);

        let mut scopes = drift();
        scopes.grant.scopes = Observed::Unknown(gap("scopes"));
        scopes.app.scopes = Observed::Unknown(gap("scopes of the app"));
        scopes.unknown(RULE, &[fact::GRANT_SCOPES]);

        let mut network = drift();
        network.grant.network.binding = Observed::Unknown(gap("network"));
        network.unknown(RULE, &[fact::GRANT_NETWORK]);
    }

    #[test]
    fn the_registration_stands_in_for_the_scopes_with_less_confidence() {
        let mut well = drift();
        well.app.scopes = well.grant.scopes.clone();
        well.grant.scopes = Observed::Unknown(gap("scopes"));
        let finding = well.one(RULE);
        assert_eq!(finding.confidence, Confidence::Medium);
        assert_eq!(finding.evidence[0].source, fact::APP_SCOPES);
        well.grant.sender_constrained = Observed::Unknown(gap("binding"));
        assert_eq!(well.one(RULE).confidence, Confidence::Low);
    }

    #[test]
    fn invisible_rights_do_not_hide_the_problem_and_are_said() {
        let mut well = drift();
        well.principal().privileges = Observed::Unknown(gap("rights"));
        let judgement = well.judge();
        assert_eq!(well.one(RULE).severity, Severity::High);
        assert!(judgement.unknowns.iter().any(|unknown| unknown.rule == RULE));
    }
}
