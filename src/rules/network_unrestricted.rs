//! `network-unrestricted`: a token that works from any network.
//!
//! Silent where `restriction-not-binding` says the same and more, unless that rule is switched off.

use super::{
    Answer, Context, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact,
    restriction_not_binding, words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    policy::{AnyParameter, Parameter, Span},
    vendors,
};

pub(super) struct NetworkUnrestricted;

/// A quarter: addresses of clouds go from one customer to the next.
static RANGES_HOLD: Parameter<Span> = Parameter {
    rule: "network-unrestricted",
    key: "ranges_hold",
    default: Span::days(92),
    meaning: "a list of the vendor's addresses that was checked longer ago is said to be old",
};

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
    controls: &[controls::USE_TOKEN],
    needs: &[fact::GRANT_NETWORK],
    parameters: &[AnyParameter::Span(&RANGES_HOLD)],
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
        let egress = Egress::of(view);
        let can_restrict =
            egress.as_ref().is_some_and(|egress| egress.published.usable().next().is_some());
        let mut evidence =
            vec![view.network_evidence(), view.sender_evidence(), view.scope_evidence()];
        evidence.extend(egress.map(|egress| egress.evidence(view.context)));
        evidence.extend(expected(view));
        verdicts.find(Problem {
            severity: match (broad, can_restrict) {
                (Answer::Yes, true) => Severity::High,
                _ => Severity::Medium,
            },
            confidence: Confidence::with_reservations(view.doubts_about_binding()),
            message: format!(
                "{} works from any network{}: whoever steals it can, from anywhere, {}.",
                words::capital(&view.noun()),
                if can_restrict { ", although its vendor says from where it calls" } else { "" },
                view.power()
            ),
            evidence,
        });
    }
}

/// What the register says about the addresses of the grant's vendor.
struct Egress<'a> {
    published: &'a vendors::Egress,
    source: String,
}

impl<'a> Egress<'a> {
    fn of(view: &GrantView<'a>) -> Option<Self> {
        let around = view.context.surroundings;
        let entry = around.entry_of(view.context.tenant_name, &view.grant.app)?.entry;
        Some(Self { published: entry.egress.as_ref()?, source: around.register?.source(entry) })
    }

    /// The ranges that help, when they were checked, and which do not help.
    fn evidence(&self, context: &Context<'_>) -> Evidence {
        let hold = context.policy.get(&RANGES_HOLD).duration();
        let list = |networks: Vec<&vendors::Network>| {
            let texts: Vec<String> = networks.into_iter().map(ToString::to_string).collect();
            words::some(&texts, 10)
        };
        let usable = list(self.published.usable().collect());
        let useless = list(self.published.useless().collect());
        let checked = self.published.checked;
        let mut value = if usable.is_empty() { "none that helps".to_owned() } else { usable };
        value.push_str(&format!(", checked on {checked}"));
        if self.published.is_checked_ahead(context.now) {
            value.push_str(
                ", which lies in the future: compare them with the vendor's list before you rely on them",
            );
        } else if checked.age(context.now) > hold.as_secs() / 86_400 {
            value.push_str(
                ", which is long ago: compare them with the vendor's list before you rely on them",
            );
        }
        if !useless.is_empty() {
            value.push_str(&format!("; {useless} would be useless: a whole cloud fits in"));
        }
        Evidence::new("vendor's addresses", value, self.source.clone())
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

    /// The vendor publishes these ranges; looked up on that day.
    fn published(ranges: &str, checked: &str) -> Well {
        open().registered(&format!(
            "[[vendor]]\nname = 'Backup'\nclient_ids = ['3MVG9']\negress = {{ ranges = {ranges}, checked = {checked} }}\n"
        ))
    }

    #[test]
    fn high_if_broad_and_the_vendor_publishes_its_addresses_else_medium() {
        let finding = open().one(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(
            finding.message,
            "The refresh token of Backup for the service account sync@acme.example works from any network: whoever steals it \
             can, from anywhere, read and change all CRM data that the service account sync@acme.example can reach."
        );
        let mut well = published("['203.0.113.64/27']", "2026-05-01");
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert!(
            finding
                .message
                .contains("from any network, although its vendor says from where it calls:")
        );
        assert_eq!(finding.evidence[3].value, "203.0.113.64/27, checked on 2026-05-01");
        assert_eq!(finding.evidence[3].source, "v.toml:2");
        well.scopes(&["openid"]);
        assert_eq!(well.one(RULE).severity, Severity::Medium);
    }

    #[test]
    fn old_lists_are_said_to_be_old() {
        let finding = published("['203.0.113.64/27']", "2026-02-28").one(RULE);
        assert!(finding.evidence[3].value.contains("which is long ago"), "{finding:#?}");
        assert_eq!(finding.severity, Severity::High);
    }

    #[test]
    fn a_day_in_the_future_is_no_check() {
        let finding = published("['203.0.113.64/27']", "2036-05-01").one(RULE);
        assert!(finding.evidence[3].value.contains("which lies in the future"), "{finding:#?}");
    }

    #[test]
    fn a_range_that_holds_a_cloud_is_no_proposal() {
        let finding = published("['3.0.0.0/8']", "2026-05-01").one(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(
            finding.evidence[3].value,
            "none that helps, checked on 2026-05-01; 3.0.0.0/8 would be useless: a whole cloud fits in"
        );
    }

    #[test]
    fn ranges_that_hold_every_address_restrict_nothing() {
        let mut well = open();
        let everything =
            IpRange::new("0.0.0.0".parse().unwrap(), "255.255.255.255".parse().unwrap()).unwrap();
        well.grant.network.binding = Observed::Known(vec![everything]);
        assert_eq!(well.one(RULE).severity, Severity::Medium);
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
        assert_eq!(well.one(RULE).severity, Severity::Medium);
    }

    #[test]
    fn an_invisible_restriction_is_unknown() {
        let mut well = open();
        well.grant.network.binding = Observed::Unknown(gap("login ranges"));
        well.unknown(RULE, &[fact::GRANT_NETWORK]);
    }
}
