//! `restriction-not-binding`: somebody set up a network restriction that tokens get past.

use super::{Answer, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, fact, words};
use crate::finding::{Confidence, Severity};

pub(super) struct RestrictionNotBinding;

pub(super) const ID: &str = "restriction-not-binding";

static META: Meta = Meta {
    id: ID,
    title: "Network restriction that does not bind tokens",
    severity: Severity::High,
    summary: "A setting looks as if it limited from where a grant works, and tokens get past it.",
    why: "The owner believes the integration safe and looks no further. On Salesforce, trusted IP ranges only spare users a \
          verification code. The thieves of Gainsight's tokens (October and November 2025) called from addresses outside the \
          vendor's list: a list that binds stops that, one that only looks so does not.",
    incidents: &["gainsight-2025", "klue-2026"],
    remedies: &[Remedy::RestrictNetwork, Remedy::RevokeGrant, Remedy::UseDedicatedIdentity],
    references: &[
        Reference {
            title: "Salesforce: connected app IP relaxation and continuous IP enforcement",
            url: "https://help.salesforce.com/apex/HTViewHelpDoc?id=xcloud.connected_app_continuous_ip.htm",
        },
        Reference {
            title: "Salesforce: Gainsight security advisory",
            url: "https://help.salesforce.com/s/articleView?id=005229029&type=1",
        },
    ],
    needs: &[fact::GRANT_NETWORK, fact::TENANT_LOOK_ALIKES],
};

impl Rule for RestrictionNotBinding {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if !view.is_live_outsider() {
            return;
        }
        let unbound = view.is_unbound();
        if unbound != Answer::Yes {
            unbound.report(verdicts);
            return;
        }
        let settings: Vec<&str> = view.look_alikes().map(|other| other.setting.as_str()).collect();
        if settings.is_empty() {
            let of_tenant = view.context.tenant.and_then(|tenant| tenant.look_alikes.gap());
            if let Some(gap) = of_tenant {
                verdicts.unknown(fact::TENANT_LOOK_ALIKES, gap);
            }
            return;
        }
        let mut evidence = vec![view.network_evidence()];
        evidence.extend(view.look_alike_evidence());
        verdicts.find(Problem {
            severity: severity(view),
            confidence: Confidence::with_reservations(view.doubts_about_binding()),
            message: format!(
                "{} works from any network although it looks restricted: tokens get past {}.",
                words::capital(&view.noun()),
                words::some(&settings, 3)
            ),
            evidence,
        });
    }
}

/// High where the setting is the grant's own, since its owner believes it safe. A setting of the whole tenant may be there for people
/// only, so that it counts by what the grant can do.
fn severity(view: &GrantView<'_>) -> Severity {
    let is_its_own = !view.grant.network.look_alikes.is_empty();
    if is_its_own || view.is_broad() == Answer::Yes { Severity::High } else { Severity::Medium }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{LookAlike, Observed, Origin};

    use super::super::testing::{Well, gap};
    use super::*;

    fn look_alike() -> Well {
        let mut well = Well::run();
        well.grant.network.binding = Observed::Absent;
        well.grant.network.look_alikes = vec![LookAlike {
            setting: "Network Access (trusted IP ranges)".to_owned(),
            why: "trusted ranges spare users a verification code and block nobody".to_owned(),
        }];
        well
    }

    #[test]
    fn names_each_setting_and_why_it_does_not_bind() {
        let finding = look_alike().one(ID);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "The refresh token of Backup for the service account sync@acme.example works from any network although it looks \
             restricted: tokens get past Network Access (trusted IP ranges)."
        );
        assert_eq!(finding.evidence[1].source, "Network Access (trusted IP ranges)");
        assert!(finding.evidence[1].value.contains("block nobody"));
    }

    #[test]
    fn a_binding_restriction_makes_look_alikes_harmless() {
        let mut well = look_alike();
        well.grant.network.binding = Well::run().grant.network.binding;
        well.silent(ID);
        let mut without = look_alike();
        without.grant.network.look_alikes.clear();
        without.silent(ID);
        let mut platform = look_alike();
        platform.app.origin = Origin::Platform;
        platform.silent(ID);
    }

    #[test]
    fn a_setting_of_the_whole_tenant_counts_by_what_the_grant_can_do() {
        let mut well = look_alike();
        well.tenant.look_alikes =
            Observed::Known(std::mem::take(&mut well.grant.network.look_alikes));
        let finding = well.one(ID);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.evidence[1].source, "Network Access (trusted IP ranges)");
        well.scopes(&["openid"]);
        assert_eq!(well.one(ID).severity, Severity::Medium);
    }

    #[test]
    fn invisible_settings_are_unknown() {
        let mut well = look_alike();
        well.grant.network.binding = Observed::Unknown(gap("login ranges"));
        well.unknown(ID, &[fact::GRANT_NETWORK]);
        let mut of_tenant = look_alike();
        of_tenant.grant.network.look_alikes.clear();
        of_tenant.tenant.look_alikes = Observed::Unknown(gap("settings"));
        of_tenant.unknown(ID, &[fact::TENANT_LOOK_ALIKES]);
        assert_eq!(of_tenant.one("network-unrestricted").severity, Severity::High);
    }
}
