//! `retired-vendor`: a grant that outlived the contract with its vendor.
//!
//! Without a register, or without an end date in it, nobody can tell; that the register is missing is said by `no-owner`, once.

use grantwarden_kit::model::Origin;

use super::{GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, words};
use crate::{
    finding::{Confidence, Evidence, Severity},
    vendors,
};

pub(super) struct RetiredVendor;

static META: Meta = Meta {
    id: "retired-vendor",
    title: "Grant of a vendor whose contract has ended",
    severity: Severity::Critical,
    summary: "The vendor register says that the contract with a vendor is over, and a grant of the vendor still works.",
    why: "Nobody watches what nobody uses any more, and the vendor still keeps the token. Zscaler had given up Drift weeks before its \
          token was stolen (August 2025); Dave's users were taken through Waydev, a former vendor (2020).",
    incidents: &["salesloft-drift-2025", "waydev-2020"],
    remedies: &[Remedy::RevokeGrant],
    references: &[Reference {
        title: "Zscaler: Salesloft Drift supply chain incident, key details",
        url: "https://www.zscaler.com/blogs/company-news/salesloft-drift-supply-chain-incident-key-details-and-zscaler-s-response",
    }],
    controls: &[controls::NHI_OFFBOARDING],
    needs: &[],
    parameters: &[],
};

impl Rule for RetiredVendor {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        let context = view.context;
        let around = context.surroundings;
        let Some((register, found)) =
            around.register.zip(around.entry_of(context.tenant_name, &view.grant.app))
        else {
            return;
        };
        let Some(end) = found.entry.contract_end.filter(|end| end.is_over(context.now)) else {
            return;
        };
        let is_named_only = found.confidence == vendors::Confidence::Claimed;
        // The company's own app may be called like a vendor; only a key makes it the vendor's.
        if !view.is_live_outsider() || (view.origin() == Origin::Own && is_named_only) {
            return;
        }
        let vendor = found.entry.name();
        verdicts.find(Problem {
            severity: if is_named_only { Severity::High } else { Severity::Critical },
            confidence: match found.confidence {
                vendors::Confidence::Proven => Confidence::High,
                vendors::Confidence::Likely => Confidence::Medium,
                vendors::Confidence::Claimed => Confidence::Low,
            },
            message: format!(
                "{} still works although the contract with {vendor} ended on {end}: whoever has it can {}.",
                words::capital(&view.noun()),
                view.power()
            ),
            evidence: vec![
                Evidence::new("contract end", end.to_string(), register.source(found.entry)),
                Evidence::new("vendor", words::entry(found), register.source(found.entry)),
                view.use_evidence(),
                view.scope_evidence(),
            ],
        });
    }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{Expiry, Observed};

    use super::super::testing::{Well, days};
    use super::*;

    const RULE: &str = "retired-vendor";

    fn ended(keys: &str) -> Well {
        Well::run().registered(&format!(
            "[[vendor]]\nname = 'Backup'\ncontract_end = 2026-05-31\n{keys}\n"
        ))
    }

    #[test]
    fn critical_by_a_key_and_high_by_a_name() {
        let keyed = ended("client_ids = ['3MVG9']").one(RULE);
        assert_eq!((keyed.severity, keyed.confidence), (Severity::Critical, Confidence::High));
        assert_eq!(
            keyed.message,
            "The refresh token of Backup for the service account sync@acme.example still works although the contract with \
             Backup ended on 2026-05-31: whoever has it can read and change all CRM data that the service account \
             sync@acme.example can reach."
        );
        assert_eq!(keyed.evidence[0].source, "v.toml:2");
        let domain = ended("domains = ['backup.example']").one(RULE);
        assert_eq!((domain.severity, domain.confidence), (Severity::Critical, Confidence::Medium));
        let named = ended("").one(RULE);
        assert_eq!((named.severity, named.confidence), (Severity::High, Confidence::Low));
    }

    #[test]
    fn the_last_day_of_the_contract_belongs_to_it() {
        Well::run()
            .registered("[[vendor]]\nname = 'Backup'\ncontract_end = 2026-06-01\n")
            .silent(RULE);
        Well::run().registered("[[vendor]]\nname = 'Backup'\n").silent(RULE);
        Well::run().silent(RULE);
    }

    #[test]
    fn silent_about_grants_that_do_not_work_and_about_ones_own_namesakes() {
        let mut expired = ended("client_ids = ['3MVG9']");
        expired.grant.expires = Observed::Known(Expiry::At(days(-1)));
        expired.silent(RULE);
        let mut blocked = ended("client_ids = ['3MVG9']");
        blocked.app.blocked = Observed::Known(true);
        blocked.silent(RULE);
        let mut platform = ended("client_ids = ['3MVG9']");
        platform.app.origin = Origin::Platform;
        platform.silent(RULE);
        let mut own = ended("");
        own.app.origin = Origin::Own;
        own.silent(RULE);
        let mut made_for_it = ended("client_ids = ['3MVG9']");
        made_for_it.app.origin = Origin::Own;
        assert_eq!(made_for_it.one(RULE).severity, Severity::Critical);
    }
}
