//! `network-unrestricted`: a token that works from any network.
//!
//! Silent where `restriction-not-binding` says the same and more, unless that rule is switched off.

use super::{
    Answer, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, fact,
    restriction_not_binding, words,
};
use crate::finding::{Confidence, Evidence, Severity};

pub(super) struct NetworkUnrestricted;

static META: Meta = Meta {
    id: "network-unrestricted",
    title: "Token works from any network",
    severity: Severity::Medium,
    summary: "Nothing limits from which addresses a grant's tokens work.",
    why: "It is the one control with documented saves: in August 2025 Okta's tokens had been stolen with Drift's, and attempts to \
          use them failed on inbound IP restrictions.",
    incidents: &["salesloft-drift-2025", "gainsight-2025", "klue-2026", "snowflake-unc5537-2024"],
    remedies: &[Remedy::RestrictNetwork, Remedy::UseDedicatedIdentity, Remedy::RevokeGrant],
    references: &[
        Reference {
            title: "Okta: closing the gaps in SaaS hygiene after Drift and Gainsight",
            url: "https://www.okta.com/en-nl/newsroom/articles/first-drift--now-gainsight--closing-the-gaps-in-saas-hygiene",
        },
        Reference {
            title: "Salesforce: connected app IP relaxation and continuous IP enforcement",
            url: "https://help.salesforce.com/apex/HTViewHelpDoc?id=xcloud.connected_app_continuous_ip.htm",
        },
    ],
    needs: &[fact::GRANT_NETWORK],
    parameters: &[],
};

impl Rule for NetworkUnrestricted {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        let said_elsewhere = view.look_alikes().next().is_some()
            && !view.context.policy.is_off(restriction_not_binding::ID);
        if !view.is_live_outsider() || said_elsewhere {
            return;
        }
        let unbound = view.is_unbound();
        if unbound != Answer::Yes {
            unbound.report(verdicts);
            return;
        }
        let broad = view.is_broad();
        broad.report(verdicts);
        verdicts.find(Problem {
            severity: if broad == Answer::Yes { Severity::High } else { Severity::Medium },
            confidence: Confidence::with_reservations(view.doubts_about_binding()),
            message: format!(
                "{} works from any network: whoever steals it can, from anywhere, {}.",
                words::capital(&view.noun()),
                view.power()
            ),
            evidence: [view.network_evidence(), view.sender_evidence(), view.scope_evidence()]
                .into_iter()
                .chain(expected(view))
                .collect(),
        });
    }
}

/// From where the app is expected to call: what a restriction would allow.
fn expected(view: &GrantView<'_>) -> Option<Evidence> {
    let networks: Vec<String> =
        view.context.policy.networks.iter().map(ToString::to_string).collect();
    (!networks.is_empty())
        .then(|| Evidence::new("expected networks", networks.join(", "), "policy.for"))
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{IpRange, LookAlike, Observed, Origin};

    use super::super::testing::{Well, gap};
    use super::*;
    use crate::policy::Setting;

    const RULE: &str = "network-unrestricted";

    fn open() -> Well {
        let mut well = Well::run();
        well.grant.network.binding = Observed::Absent;
        well
    }

    #[test]
    fn high_if_broad_else_medium() {
        let mut well = open();
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "The refresh token of Backup for the service account sync@acme.example works from any network: whoever steals it \
             can, from anywhere, read and change all CRM data that the service account sync@acme.example can reach."
        );
        well.scopes(&["openid"]);
        assert_eq!(well.one(RULE).severity, Severity::Medium);
    }

    #[test]
    fn ranges_that_hold_every_address_restrict_nothing() {
        let mut well = open();
        let everything =
            IpRange::new("0.0.0.0".parse().unwrap(), "255.255.255.255".parse().unwrap()).unwrap();
        well.grant.network.binding = Observed::Known(vec![everything]);
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    #[test]
    fn says_what_a_restriction_would_allow() {
        let mut well = open();
        assert_eq!(well.one(RULE).evidence.len(), 3);
        well.policy.networks = vec!["203.0.113.0/24".parse().unwrap()];
        let finding = well.one(RULE);
        assert_eq!(finding.evidence[3].fact, "expected networks");
        assert_eq!(finding.evidence[3].value, well.policy.networks[0].to_string());
    }

    #[test]
    fn silent_where_something_binds() {
        let mut key = open();
        key.grant.sender_constrained = Observed::Known(true);
        key.silent(RULE);
        let mut platform = open();
        platform.app.origin = Origin::Platform;
        platform.silent(RULE);
    }

    #[test]
    fn leaves_look_alikes_to_the_rule_that_names_them() {
        let mut well = open();
        well.grant.network.look_alikes =
            vec![LookAlike { setting: "Trusted ranges".to_owned(), why: "no".to_owned() }];
        well.silent(RULE);
        well.policy.rules.set_severity(restriction_not_binding::ID, Setting::Off);
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    #[test]
    fn an_invisible_restriction_is_unknown() {
        let mut well = open();
        well.grant.network.binding = Observed::Unknown(gap("login ranges"));
        well.unknown(RULE, &[fact::GRANT_NETWORK]);
    }
}
