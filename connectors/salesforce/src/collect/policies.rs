//! Scopes and policies of connected apps, from the Metadata API: no other interface has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_lc_rs::digest;
use base64::Engine as _;
use grantwarden_kit::{
    ledger::Ledger,
    model::{Credential, CredentialKind, Flow, Gap, Observed, Reason, RefreshPolicy, TokenPolicy},
};

use super::{
    apps::{Registered, Surroundings, approval, flows, from_listing},
    host, known_value,
    network::Relaxation,
    short_id,
};
use crate::{
    api::ConnectedApplication,
    metadata::{ConnectedApp, OauthConfig},
    org::Org,
    scopes,
};

const FACET: &str = "app-policies";

/// Policies by the app's short id.
pub(super) struct Policies {
    by_id: BTreeMap<String, ConnectedApp>,
    /// Why an app has none.
    gap: Gap,
    /// Nothing was read.
    is_unseen: bool,
}

/// Reads the policies of all installed connected apps.
pub(super) async fn read(org: &Org, ledger: &Ledger) -> Policies {
    let read = async {
        let components = org.list_metadata("list connected apps", "ConnectedApp").await?;
        let names: Vec<&str> =
            components.iter().map(|component| component.full_name.as_str()).collect();
        let apps: Vec<ConnectedApp> =
            org.read_metadata("read connected apps", "ConnectedApp", &names).await?;
        let ids: BTreeMap<String, String> = components
            .into_iter()
            .filter_map(|component| {
                Some((component.full_name, short_id(&component.id?).to_owned()))
            })
            .collect();
        ledger.expect(FACET, ids.len() as u64);
        let by_id: BTreeMap<String, ConnectedApp> = apps
            .into_iter()
            .filter_map(|app| Some((ids.get(app.full_name.as_ref()?)?.clone(), app)))
            .collect();
        ledger.read(FACET, by_id.len() as u64);
        if by_id.len() < ids.len() {
            // Gone meanwhile, or not given? Only another listing can tell.
            let listed: BTreeSet<String> = org
                .list_metadata("list connected apps", "ConnectedApp")
                .await?
                .into_iter()
                .map(|component| component.full_name)
                .collect();
            let missing = ids.iter().filter(|(_, id)| !by_id.contains_key(*id));
            let (still, gone): (Vec<_>, Vec<_>) =
                missing.partition(|(name, _)| listed.contains(*name));
            for (missing, reason, detail) in [
                (
                    still.len(),
                    Reason::CallFailed,
                    "the org lists the app and does not give its metadata",
                ),
                (gone.len(), Reason::Vanished, "the app went away while the org was read"),
            ] {
                if missing > 0 {
                    ledger.lose(Gap::new(reason, FACET, detail), Some(missing as u64));
                }
            }
        }
        Ok(by_id)
    };
    match ledger.look(FACET, read).await {
        Observed::Unknown(gap) => Policies { by_id: BTreeMap::new(), gap, is_unseen: true },
        Observed::Known(by_id) => Policies { by_id, gap: not_in_metadata(), is_unseen: false },
        Observed::Absent => {
            Policies { by_id: BTreeMap::new(), gap: not_in_metadata(), is_unseen: false }
        }
    }
}

fn not_in_metadata() -> Gap {
    Gap::new(
        Reason::PlatformSilent,
        FACET,
        "the app is not in the org's metadata; Salesforce shows scopes and policies of installed apps only",
    )
}

impl Policies {
    /// Why no policies were read, if so.
    pub(super) fn unseen(&self) -> Option<&Gap> {
        self.is_unseen.then_some(&self.gap)
    }

    /// A connected app with its policies.
    pub(super) fn register(
        &self,
        row: &ConnectedApplication,
        surroundings: &Surroundings,
    ) -> Registered {
        let mut registered = from_listing(row, surroundings, &self.gap);
        let Some(policies) = self.by_id.get(short_id(&row.id)) else { return registered };
        let config = policies.oauth_config.clone().unwrap_or_default();
        let policy = policies.oauth_policy.clone().unwrap_or_default();
        let session = policies.session_policy.clone().unwrap_or_default();

        // Metadata leaves out what has its default value. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_connectedapp.htm
        let refresh = policy.refresh_token_policy.as_deref().unwrap_or("infinite");
        let relaxation = policy.ip_relaxation.as_deref().unwrap_or("ENFORCE");
        registered.relaxation = Relaxation::parse(FACET, relaxation);
        registered.session_timeout =
            session.session_timeout.map(|minutes| Duration::from_secs(u64::from(minutes) * 60));
        registered.runs_as = config
            .oauth_client_credential_user
            .clone()
            .filter(|_| config.is_client_credential_enabled == Some(true));
        registered.address_ranges = policies.ip_ranges.len();
        registered.certificate = config.certificate.as_deref().map(|pem| certificate(&row.id, pem));

        let app = &mut registered.app;
        app.client_ids = Observed::from_option(config.consumer_key.clone().map(|key| vec![key]));
        app.scopes =
            Observed::Known(config.scopes.iter().map(|name| scopes::from_metadata(name)).collect());
        app.blocked = Observed::Known(session.policy_action.as_deref() == Some("Block"));
        app.approval = Observed::Known(approval(config.is_admin_approved == Some(true)));
        app.introspects_all_tokens = Observed::Known(config.is_introspect_all_tokens == Some(true));
        app.token_policy = TokenPolicy {
            access_lifetime: Observed::from_option(registered.session_timeout),
            refresh: refresh_policy(refresh),
            rotation: Observed::Known(config.is_refresh_token_rotation_enabled == Some(true)),
        };
        app.flows = Observed::Known(flows([
            (Flow::ClientCredentials, config.is_client_credential_enabled == Some(true)),
            (Flow::JwtBearer, config.certificate.is_some()),
            (Flow::DeviceCode, config.is_device_flow_enabled == Some(true)),
        ]));
        let mut domains = callbacks(&config);
        domains.extend(app.redirect_domains.known().into_iter().flatten().cloned());
        domains.sort_unstable();
        domains.dedup();
        app.redirect_domains = Observed::Known(domains);
        registered
    }
}

/// `callbackUrl` holds one address per line.
fn callbacks(config: &OauthConfig) -> Vec<String> {
    config.callback_url.iter().flat_map(|urls| urls.split_whitespace()).filter_map(host).collect()
}

/// `infinite`, `zero`, `specific_lifetime:{n}:{HOURS|DAYS|MONTHS}`, `specific_inactivity:{n}:{HOURS|DAYS|MONTHS}`.
fn refresh_policy(text: &str) -> Observed<RefreshPolicy> {
    let mut parts = text.split(':');
    let kind = parts.next().unwrap_or_default();
    let number = parts.next().and_then(|number| number.parse().ok());
    let span = number.zip(parts.next()).and_then(|(number, unit)| span(number, unit));
    let policy = match kind {
        "infinite" => Some(RefreshPolicy::Never),
        "zero" => Some(RefreshPolicy::Immediately),
        "specific_lifetime" => span.map(RefreshPolicy::Absolute),
        "specific_inactivity" => span.map(RefreshPolicy::Idle),
        _ => None,
    };
    known_value(FACET, "refresh token policy", text, policy)
}

/// A span as Salesforce writes it. A month is counted as 30 days.
pub(super) fn span(number: u32, unit: &str) -> Option<Duration> {
    let hours: u64 = match unit.to_ascii_uppercase().as_str() {
        "HOURS" => 1,
        "DAYS" => 24,
        "MONTHS" => 24 * 30,
        _ => return None,
    };
    Some(Duration::from_secs(u64::from(number) * hours * 3600))
}

/// A certificate is known by the SHA-256 thumbprint of its DER form.
fn certificate(app: &str, pem: &str) -> Credential {
    let base64: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(|line| line.split_whitespace())
        .collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(base64)
        .unwrap_or_else(|_| pem.as_bytes().to_vec());
    let thumbprint: String = digest::digest(&digest::SHA256, &der)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let not_told = |what: &str| Gap::new(Reason::PlatformSilent, FACET, what);
    Credential {
        id: thumbprint,
        app: app.to_owned(),
        kind: CredentialKind::Certificate,
        name: Observed::Unknown(not_told(
            "the name inside the certificate is not read by this version",
        )),
        created_at: Observed::Unknown(not_told(
            "Salesforce does not say when a certificate was uploaded",
        )),
        expires_at: Observed::Unknown(not_told(
            "the end date inside the certificate is not read by this version",
        )),
        last_used_at: Observed::Unknown(not_told(
            "Salesforce does not say when a certificate was last used",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_four_refresh_policies_and_no_other() {
        let days = |n: u64| Duration::from_secs(n * 86_400);
        assert_eq!(refresh_policy("infinite"), Observed::Known(RefreshPolicy::Never));
        assert_eq!(refresh_policy("zero"), Observed::Known(RefreshPolicy::Immediately));
        assert_eq!(
            refresh_policy("specific_lifetime:8:HOURS"),
            Observed::Known(RefreshPolicy::Absolute(days(1) / 3))
        );
        assert_eq!(
            refresh_policy("specific_inactivity:1:MONTHS"),
            Observed::Known(RefreshPolicy::Idle(days(30)))
        );
        for odd in [
            "",
            "forever",
            "specific_lifetime",
            "specific_lifetime:x:DAYS",
            "specific_inactivity:3:WEEKS",
        ] {
            assert!(refresh_policy(odd).gap().is_some(), "{odd}");
        }
    }
}
