//! The organisation itself, its settings that bear on third parties, and the names of the secrets that it gives to its workflows.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    model::{ConsentPolicy, Gap, Observed, Reason, Setting, Tenant, UserConsent},
};

use super::{
    Scan, gaps,
    gaps::{silent, text, yes},
    listing::Listing,
    oauth_apps::Policy,
    records::setting,
};
use crate::{
    api::{ActionsSecret, Organization},
    rights::SECRETS as SECRETS_NEED,
};

pub(super) const FACET: &str = "organization";
pub(super) const SECRETS: &str = "organization-secrets";
/// Names of secrets that are written down.
const SHOWN: usize = 100;

pub(super) async fn read(scan: &Scan<'_>) -> Observed<Organization> {
    if let Some(gap) = scan.ledger.skipped(FACET) {
        return Observed::Unknown(gap);
    }
    let seen = async {
        let path = scan.client.site.account.path();
        let request = scan.client.get("read organisation", &path)?;
        scan.client.read::<Organization>(&request).await
    };
    let seen = seen.await;
    scan.ledger.settle(FACET);
    match seen {
        Ok(organization) => {
            scan.ledger.read(FACET, 1);
            if is_public_profile(&organization) {
                let detail = "the organisation shows its public profile only, without its settings: organization_administration: read, or an owner's token with read:org";
                scan.ledger.lose(Gap::new(Reason::Permission, FACET, detail), Some(0));
            }
            Observed::Known(organization)
        }
        Err(error) => Observed::Unknown(gaps::fail(scan.ledger, FACET, &error)),
    }
}

/// Whether nothing is told but what anybody may see.
const fn is_public_profile(organization: &Organization) -> bool {
    organization.two_factor_requirement_enabled.is_none()
        && organization.total_private_repos.is_none()
        && organization.default_repository_permission.is_none()
}

/// Names of the organisation's Actions secrets. Their values, which no API tells, are credentials for somewhere else.
pub(super) async fn secrets(scan: &Scan<'_>) -> Observed<String> {
    if let Some(gap) = scan.ledger.skipped(SECRETS) {
        return Observed::Unknown(gap);
    }
    let seen = async {
        scan.held.allow(SECRETS_NEED)?;
        scan.client.list("list secrets", &["actions", "secrets"])
    };
    let mut names = Vec::new();
    let gap = match seen.await {
        Ok(request) => {
            let mut listing = Listing::numbered(scan.client, request);
            listing.drain(scan.ledger, SECRETS, |row: ActionsSecret| names.push(row.name)).await
        }
        Err(error) => Some(gaps::fail(scan.ledger, SECRETS, &error)),
    };
    scan.ledger.settle(SECRETS);
    match gap {
        Some(gap) => Observed::Unknown(gap),
        None if names.is_empty() => Observed::Known("none".to_owned()),
        None => {
            let (count, more) = (names.len(), if names.len() > SHOWN { ", …" } else { "" });
            names.truncate(SHOWN);
            Observed::Known(format!("{count}: {}{more}", names.join(", ")))
        }
    }
}

/// The tenant's record.
///
/// # Errors
/// If nothing tells the organisation's id.
pub(super) fn record(
    scan: &Scan<'_>,
    organization: &Observed<Organization>,
    secrets: Observed<String>,
    oauth: &Policy,
) -> Result<Tenant> {
    let known = organization.known();
    let granted = scan.held.installation();
    let id = known
        .and_then(|organization| organization.id)
        .or_else(|| granted.and_then(|granted| granted.account_id));
    let is_skipped = organization.gap().is_some_and(|gap| gap.reason == Reason::Skipped);
    let id = match id {
        Some(id) => id.to_string(),
        // Nobody was to ask for the number; the rest is read all the same.
        None if is_skipped => {
            format!("login:{}", scan.client.site.account.name().to_lowercase())
        }
        None => {
            let message = "GitHub does not tell the organisation's id";
            let error = Error::new(ErrorKind::Forbidden, message);
            return Err(scan.client.explain("read organisation", error));
        }
    };
    let name =
        known.and_then(|organization| organization.name.clone().or(organization.login.clone()));
    let display_name = match (name, organization.gap()) {
        (Some(name), _) => Observed::Known(name),
        (None, Some(gap)) => Observed::Unknown(gap.clone()),
        (None, None) => silent(FACET, "GitHub does not tell the organisation's name"),
    };
    let mut settings = match organization.gap() {
        Some(gap) => vec![setting("Settings of the organisation", Observed::Unknown(gap.clone()))],
        None => known.map(settings).unwrap_or_default(),
    };
    settings.push(setting("Actions secrets of the organisation", secrets));
    Ok(Tenant {
        id,
        display_name,
        sandbox: silent(FACET, "GitHub does not mark organisations that are for tests"),
        consent: ConsentPolicy {
            user_consent: oauth.restrictions().map(|is_on| match is_on {
                // Members can only ask; an owner approves.
                true => UserConsent::None,
                false => UserConsent::Any,
            }),
            setting: "Third-party access > OAuth app policy".to_owned(),
            bypasses: Vec::new(),
            weak_flows: silent(FACET, "GitHub does not tell which apps use the device flow"),
        },
        look_alikes: silent(FACET, "the organisation's IP allow list is not read"),
        settings,
    })
}

fn settings(organization: &Organization) -> Vec<Setting> {
    let plan = organization.plan.as_ref().and_then(|plan| plan.name.as_deref());
    vec![
        setting("Plan", text(FACET, plan)),
        setting(
            "Require two-factor authentication",
            yes(FACET, organization.two_factor_requirement_enabled),
        ),
        setting("Deploy keys", yes(FACET, organization.deploy_keys_enabled_for_repositories)),
        setting(
            "Base permissions",
            text(FACET, organization.default_repository_permission.as_deref()),
        ),
        setting(
            "Members may invite outside collaborators",
            yes(FACET, organization.members_can_invite_outside_collaborators),
        ),
    ]
}
