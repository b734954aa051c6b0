//! The org itself.

use grantwarden_kit::{
    ledger::Ledger,
    model::{ConsentPolicy, Gap, Observed, Reason, Tenant},
};

use super::ORGANIZATION;
use crate::{
    api::OrgSettings,
    org::{Call, Org, bucket},
};

const ORG: Call =
    Call { endpoint: "read the org", scope: "okta.orgs.read", bucket: bucket::DEFAULT };

/// Reads the org's settings.
pub(super) async fn read(org: &Org, ledger: &Ledger) -> Observed<OrgSettings> {
    let asked = async { org.ask::<OrgSettings>(ORG, &["api", "v1", "org"], &[]).await };
    let seen = ledger.look(ORGANIZATION, asked).await;
    if let Observed::Known(settings) = &seen {
        ledger.read(ORGANIZATION, 1);
        if let Some(wanted) = org.account.as_ref().filter(|wanted| **wanted != settings.id) {
            // Somebody else's org, or a typing error: what was read is not what was asked for.
            let detail = format!(
                "the org says that it is {}, and the configuration that it is {wanted}: check base_url and account",
                settings.id
            );
            ledger.lose(Gap::new(Reason::CountMismatch, ORGANIZATION, detail), None);
        }
    }
    seen
}

/// The id under which the org is known: its own, the configured one, or its address where neither is known.
pub(super) fn id(org: &Org, settings: &Observed<OrgSettings>) -> String {
    let told = settings.known().map(|settings| settings.id.clone());
    told.or_else(|| org.account.clone()).unwrap_or_else(|| org.host())
}

fn silent<T>(detail: &str) -> Observed<T> {
    Observed::unknown(Reason::PlatformSilent, ORGANIZATION, detail)
}

/// The record of the org.
pub(super) fn tenant(org: &Org, settings: &Observed<OrgSettings>) -> Tenant {
    Tenant {
        id: id(org, settings),
        display_name: match settings {
            Observed::Known(settings) => {
                let name = &settings.company_name;
                let name = if name.given().is_some() { name } else { &settings.subdomain };
                name.observed(ORGANIZATION, "the org's name", Clone::clone)
            }
            Observed::Absent => Observed::Absent,
            Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
        },
        sandbox: match org.base.host_str() {
            // Okta's own domain for preview orgs.
            Some(host) if host.ends_with(".oktapreview.com") => Observed::Known(true),
            _ => silent("Okta does not mark orgs that are for tests, except by their domain"),
        },
        consent: ConsentPolicy {
            user_consent: silent(
                "Okta has no setting for the whole org: each app says whether users are asked",
            ),
            setting: "Applications > the app > General > User Consent".to_owned(),
            bypasses: Vec::new(),
            weak_flows: silent("each app and authorization server says which flows it takes"),
        },
        look_alikes: silent(
            "sign-on policies and network zones of the org are not read: they decide about sign-ins, and not about tokens that were issued",
        ),
        settings: Vec::new(),
    }
}
