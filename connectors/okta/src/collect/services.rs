//! API service integrations: a vendor's own access to the org's API, by a client with scopes and no user.

use grantwarden_kit::{
    error::{ErrorKind, Result},
    ledger::Ledger,
    model::{
        App, Approval, Credential, CredentialKind, Expiry, Flow, Gap, Grant, GrantKind, Holder,
        NetworkPolicy, Observed, Origin, Publisher, Record, RefreshPolicy, Scope, Setting,
        TokenPolicy,
    },
};

use super::{
    app_records::{address, silent as untold_app},
    grants::{silent, text},
    keys,
    lifetimes::ORG_ACCESS,
    listed::{self, Listed, unless_cancelled},
    log::History,
    standing::{Doubtful, Shown, Standing},
    window::{Pending, Window},
};
use crate::{
    api::{ApiService, Secret},
    listing::Listing,
    org::{Call, Org, bucket},
    told::untold,
};

pub(super) const FACET: &str = "api-service-integrations";
pub(super) const LIST: Call = Call {
    endpoint: "list API service integrations",
    scope: "okta.oauthIntegrations.read",
    bucket: bucket::SERVICES,
};
const SECRETS: Call = Call { endpoint: "list secrets of an API service integration", ..LIST };

pub(super) const DOUBTFUL: Doubtful = Doubtful {
    facet: FACET,
    what: "API service integrations",
    shown: Shown::Super { page: "Applications > API Service Integrations" },
};

/// What an integration is called in its record.
pub(crate) const KIND: &str = "API service integration";

/// Reads all integrations.
pub(super) async fn read(
    org: &Org,
    ledger: &Ledger,
    standing: &Standing<'_>,
) -> Listed<ApiService> {
    let path = ["integrations", "api", "v1", "api-services"];
    let mut listed: Listed<ApiService> = listed::read(org, ledger, FACET, LIST, &path, &[]).await;
    let is_silent = listed.rows.is_empty() && listed.gap().is_none();
    if is_silent && ledger.skipped(FACET).is_none() {
        listed.gap = standing.believe_empty(ledger, DOUBTFUL).await;
    }
    listed
}

/// Streams the integrations, each with its grant and its secrets.
pub(super) async fn stream(
    org: &Org,
    window: &mut Window<'_>,
    services: &Listed<ApiService>,
    history: &History,
) -> Result<()> {
    let reads_secrets = window.ledger.skipped(keys::FACET).is_none();
    if let Some(gap) = services.gap()
        && reads_secrets
    {
        let detail = format!("secrets of API service integrations: {}", gap.detail);
        window.ledger.lose(Gap::new(gap.reason, keys::FACET, detail), None);
    }
    let mut refused = false;
    for service in &services.rows {
        window.sink.send(Record::App(app(service))).await?;
        window.push(pending(service, history)).await?;
        if reads_secrets && !refused {
            refused = secrets(org, window, service).await?;
        }
    }
    Ok(())
}

fn name(service: &ApiService) -> &str {
    service.name.given().map_or(service.id.as_str(), String::as_str)
}

fn scopes(service: &ApiService) -> Observed<Vec<Scope>> {
    service
        .granted_scopes
        .observed(FACET, "the granted scopes", |scopes| scopes.iter().map(Scope::named).collect())
}

fn app(service: &ApiService) -> App {
    App {
        id: service.id.clone(),
        name: name(service).to_owned(),
        kind: KIND.to_owned(),
        client_ids: Observed::Known(vec![service.id.clone()]),
        publisher: service.kind.observed(FACET, "where the integration comes from", |kind| Publisher {
            name: kind.clone(),
            verified: untold_app("the key of an integration in Okta's catalogue, not a name that Okta vouches for"),
        }),
        home_tenant: Observed::Absent,
        namespace: Observed::Absent,
        redirect_domains: Observed::Absent,
        // The guide that Okta links to may stand anywhere, often at Okta or at a host of many vendors: it ties an integration to nobody.
        web_domains: untold_app("Okta does not tell where the integration's own pages are"),
        origin: Origin::ThirdParty,
        installed: Observed::Known(true),
        blocked: Observed::Known(false),
        approval: Observed::Known(Approval::AdminApproved),
        assigned_to: Observed::Absent,
        scopes: scopes(service),
        token_policy: TokenPolicy {
            access_lifetime: Observed::Known(ORG_ACCESS),
            refresh: Observed::Known(RefreshPolicy::Immediately),
            rotation: Observed::Absent,
        },
        flows: Observed::Known(vec![Flow::ClientCredentials]),
        introspects_all_tokens: Observed::Known(false),
        created_at: service.created_at.observed(FACET, "when it was authorised", |at| *at),
        changed_at: untold_app("Okta does not tell when the integration was changed"),
        settings: settings(service),
    }
}

fn settings(service: &ApiService) -> Vec<Setting> {
    let guide = service.config_guide_url.given().and_then(|url| address(url));
    let mut settings = vec![text("Integration", service.kind.given().map(String::as_str))];
    settings.extend(guide.map(|guide| text("Configuration guide", Some(&guide))));
    settings
}

fn pending(service: &ApiService, history: &History) -> Pending {
    let grant = Grant {
        id: format!("{}:scopes", service.id),
        app: service.id.clone(),
        app_name: name(service).to_owned(),
        kind: GrantKind::AppOnly,
        holder: Holder::App,
        scopes: scopes(service),
        granted_at: service.created_at.observed(FACET, "when it was authorised", |at| *at),
        granted_by: Observed::Unknown(untold(FACET, "who authorised it")),
        last_used_at: history.last_grant(&service.id),
        use_count: silent(FACET, "Okta does not count uses"),
        expires: Observed::Known(Expiry::Never),
        refreshable: Observed::Known(true),
        network: NetworkPolicy {
            binding: silent(
                FACET,
                "Okta does not tell from where an API service integration works",
            ),
            look_alikes: Vec::new(),
        },
        sender_constrained: silent(
            FACET,
            "Okta does not tell whether its tokens are bound to a key",
        ),
        approval: Observed::Known(Approval::AdminApproved),
        settings: Vec::new(),
    };
    let granted_by = service.created_by.given().filter(|id| !id.is_empty()).cloned();
    Pending { facet: FACET, grant, holder: None, granted_by, has_roles: false }
}

/// Streams the secrets of an integration, of which Okta shows no value. Whether nobody's can be read.
async fn secrets(org: &Org, window: &Window<'_>, service: &ApiService) -> Result<bool> {
    let path = ["integrations", "api", "v1", "api-services", &service.id, "credentials", "secrets"];
    let read = async { Listing::of(org, SECRETS, &path, &[]).await?.all::<Secret>().await };
    let batch = match unless_cancelled(read.await)? {
        Ok(batch) => batch,
        Err(error) => {
            window.ledger.fail(keys::FACET, &error);
            return Ok(error.kind == ErrorKind::Forbidden);
        }
    };
    let mut gap = None;
    listed::book_odd(window.ledger, keys::FACET, batch.odd, &mut gap);
    for secret in batch.rows {
        if secret.status.given().is_some_and(|status| status == "INACTIVE") {
            continue;
        }
        let credential = Credential {
            id: secret.id,
            app: service.id.clone(),
            kind: CredentialKind::ClientSecret,
            name: Observed::Absent,
            created_at: secret.created.observed(keys::FACET, "when the secret was made", |at| *at),
            expires_at: silent(keys::FACET, "Okta gives secrets of integrations no end"),
            last_used_at: silent(keys::FACET, "Okta does not tell when a secret was last used"),
        };
        window.sink.send(Record::Credential(credential)).await?;
        window.ledger.read(keys::FACET, 1);
    }
    Ok(false)
}
