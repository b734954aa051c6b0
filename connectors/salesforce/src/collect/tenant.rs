//! The org as a tenant: who may let an app in.

use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    model::{Bypass, ConsentPolicy, Observed, Reason, Tenant, UserConsent},
};

use super::{
    network::Networks,
    principals::{BYPASSES, People},
};
use crate::{
    api::{ConnectedAppSettings, Organization},
    metadata::OauthOidcSettings,
    org::{Api, Org},
};

const FACET: &str = "consent-settings";

/// The org's consent settings.
pub(super) struct Consent {
    admin_approved_only: Observed<bool>,
    weak_flows: Observed<Vec<String>>,
}

impl Consent {
    pub(super) async fn read(org: &Org, ledger: &Ledger) -> Self {
        // Two interfaces with two rights: the loss of one must not cost the other.
        let (admin_approved_only, weak_flows) = tokio::join!(
            ledger.look(FACET, api_access_control(org)),
            ledger.look(FACET, weak_flows(org)),
        );
        for seen in [admin_approved_only.known().is_some(), weak_flows.known().is_some()] {
            ledger.read(FACET, u64::from(seen));
        }
        Self { admin_approved_only: flat(admin_approved_only), weak_flows: flat(weak_flows) }
    }
}

/// A setting that was read and may still be untold.
fn flat<T>(seen: Observed<Observed<T>>) -> Observed<T> {
    match seen {
        Observed::Known(setting) => setting,
        Observed::Absent => Observed::Absent,
        Observed::Unknown(gap) => Observed::Unknown(gap),
    }
}

async fn api_access_control(org: &Org) -> Result<Observed<bool>> {
    let soql = "SELECT IsAdminApprovedAppsOnlyEnabled FROM ConnectedAppSettings";
    let rows: Vec<ConnectedAppSettings> =
        org.rows(Api::Tooling, "query ConnectedAppSettings", soql).await?;
    let setting = rows.into_iter().next().and_then(|row| row.is_admin_approved_apps_only_enabled);
    Ok(setting.map_or_else(
        || {
            Observed::unknown(
                Reason::PlatformSilent,
                FACET,
                "the org does not say whether API Access Control is on",
            )
        },
        Observed::Known,
    ))
}

async fn weak_flows(org: &Org) -> Result<Observed<Vec<String>>> {
    let settings: Vec<OauthOidcSettings> =
        org.read_metadata("read OauthOidcSettings", "OauthOidcSettings", &["OauthOidc"]).await?;
    let Some(settings) = settings.into_iter().find(|settings| settings.full_name.is_some()) else {
        return Ok(Observed::unknown(
            Reason::PlatformSilent,
            FACET,
            "the org has no OAuth and OpenID Connect settings to read",
        ));
    };
    // A setting that is not sent is switched off: the flow is open.
    let open = [
        (settings.block_username_password_flow, "OAuth 2.0 username-password flow"),
        (settings.block_user_agent_flow, "OAuth 2.0 user-agent flow"),
    ];
    Ok(Observed::Known(
        open.into_iter()
            .filter(|(blocked, _)| *blocked != Some(true))
            .map(|(_, flow)| flow.to_owned())
            .collect(),
    ))
}

/// The record of the org.
pub(super) fn record(
    organization: &Organization,
    consent: Consent,
    people: &People,
    network: &Networks,
) -> Tenant {
    Tenant {
        id: organization.id.clone(),
        display_name: Observed::from_option(organization.name.clone()),
        sandbox: Observed::from_option(organization.is_sandbox),
        consent: ConsentPolicy {
            // Since September 2025 an app that is not installed needs a right of its own; installed ones ask any user.
            // https://help.salesforce.com/s/articleView?id=005132365
            user_consent: consent.admin_approved_only.map(|admin_approved_only| {
                if admin_approved_only { UserConsent::None } else { UserConsent::ListedApps }
            }),
            setting: "API Access Control".to_owned(),
            bypasses: BYPASSES
                .into_iter()
                .map(|right| Bypass {
                    right: right.to_owned(),
                    holders: people.bypass_holders(right),
                })
                .collect(),
            weak_flows: consent.weak_flows,
        },
        look_alikes: network.look_alikes(),
        settings: Vec::new(),
    }
}
