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

/// The org's consent settings.
pub(super) struct Consent {
    admin_approved_only: Observed<bool>,
    weak_flows: Observed<Vec<String>>,
}

impl Consent {
    pub(super) async fn read(org: &Org, ledger: &Ledger) -> Self {
        let read = async { tokio::try_join!(api_access_control(org), weak_flows(org)) };
        let settings = ledger.look("consent-settings", read).await;
        if matches!(settings, Observed::Known(_)) {
            ledger.read("consent-settings", 1);
        }
        match settings {
            Observed::Known((admin_approved_only, weak_flows)) => {
                Self { admin_approved_only, weak_flows }
            }
            Observed::Absent => {
                Self { admin_approved_only: Observed::Absent, weak_flows: Observed::Absent }
            }
            Observed::Unknown(gap) => Self {
                admin_approved_only: Observed::Unknown(gap.clone()),
                weak_flows: Observed::Unknown(gap),
            },
        }
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
                "consent-settings",
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
            "consent-settings",
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
    }
}
