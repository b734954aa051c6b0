//! `restriction-not-binding`: somebody set up a network restriction that tokens get past.

use grantwarden_kit::model::{LookAlike, Observed};

use super::{
    Answer, Context, GrantView, Meta, Problem, Reference, Remedy, Rule, Seen, Verdicts, controls,
    fact, words,
};
use crate::finding::{Confidence, Evidence, Severity};

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
    controls: &[controls::USE_TOKEN],
    needs: &[fact::GRANT_NETWORK, fact::TENANT_LOOK_ALIKES],
    parameters: &[],
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
            return;
        }
        let mut evidence = vec![view.network_evidence()];
        evidence.extend(view.look_alikes().map(look_alike));
        verdicts.find(Problem {
            severity: Severity::High,
            confidence: Confidence::with_reservations(view.doubts_about_binding()),
            message: format!(
                "{} works from any network although it looks restricted: tokens get past {}.",
                words::capital(&view.noun()),
                words::some(&settings, 3)
            ),
            evidence,
        });
    }

    /// One finding for the settings of the whole tenant: they may be there for people only, and said per grant they would drown the
    /// settings that somebody made for that grant.
    fn tenant(&self, context: &Context<'_>, _: &Seen<'_>, verdicts: &mut Verdicts) {
        let look_alikes = match context.tenant.map(|tenant| &tenant.look_alikes) {
            Some(Observed::Known(look_alikes)) if !look_alikes.is_empty() => look_alikes,
            Some(Observed::Unknown(gap)) => return verdicts.unknown(fact::TENANT_LOOK_ALIKES, gap),
            Some(Observed::Known(_) | Observed::Absent) | None => return,
        };
        let settings: Vec<&str> = look_alikes.iter().map(|other| other.setting.as_str()).collect();
        verdicts.find(Problem {
            severity: Severity::Medium,
            confidence: Confidence::High,
            message: format!(
                "In {} no token is bound by {}: whoever takes that for a restriction of integrations is mistaken.",
                context.tenant_name,
                words::some(&settings, 3)
            ),
            evidence: look_alikes.iter().map(look_alike).collect(),
        });
    }
}

/// A look-alike setting as evidence, under its own name.
fn look_alike(setting: &LookAlike) -> Evidence {
    Evidence::new("does not bind", setting.why.clone(), setting.setting.clone())
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
    fn settings_of_the_whole_tenant_are_said_once() {
        let mut well = look_alike();
        well.tenant.look_alikes =
            Observed::Known(std::mem::take(&mut well.grant.network.look_alikes));
        well.silent(ID);
        let finding = well.one_of_tenant(ID);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence[0].source, "Network Access (trusted IP ranges)");
        Well::run().silent_of_tenant(ID);
    }

    #[test]
    fn invisible_settings_are_unknown() {
        let mut well = look_alike();
        well.grant.network.binding = Observed::Unknown(gap("login ranges"));
        well.unknown(ID, &[fact::GRANT_NETWORK]);
        let mut of_tenant = look_alike();
        of_tenant.grant.network.look_alikes.clear();
        of_tenant.tenant.look_alikes = Observed::Unknown(gap("settings"));
        of_tenant.unknown_of_tenant(ID, &[fact::TENANT_LOOK_ALIKES]);
        assert_eq!(of_tenant.one("network-unrestricted").severity, Severity::Medium);
    }
}
