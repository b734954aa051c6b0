//! External client apps: the successors of connected apps, readable by query.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::{Pages, Paging, Request},
    ledger::Ledger,
    model::{App, Approval, Flow, Gap, Observed, Reason, RefreshPolicy, Scope, TokenPolicy},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    apps::{AppKind, Registered, Surroundings, flows, home_tenant, origin, web_domains},
    known_value,
    network::Relaxation,
    policies::span,
    rights::{EXTERNAL_APPS_ADMIN, EXTERNAL_APPS_VIEWER, Rights},
    short_id, time,
};
use crate::{
    api::{EcaOauthPolicy, EcaPolicy, ExternalClientApplication},
    org::{Api, Books, Org, Select},
    scopes,
};

const FACET: &str = "external-client-apps";

/// External client apps with their settings, by short id.
#[derive(Clone, Default)]
pub(super) struct External {
    apps: Vec<ExternalClientApplication>,
    oauth_policies: BTreeMap<String, EcaOauthPolicy>,
    enabled: BTreeMap<String, bool>,
    settings: BTreeMap<String, Settings>,
    /// By the short id of the app's settings.
    address_ranges: BTreeMap<String, usize>,
    /// Why nothing was read, if so.
    pub(super) unseen: Option<Gap>,
}

/// Reads the external client apps.
pub(super) async fn read(org: &Org, ledger: &Ledger, rights: &Rights) -> External {
    let listing = match listing(org, ledger).await {
        // The object is missing from an org without the feature, and for a user without the right.
        Err(error) if error.code() == Some("INVALID_TYPE") => {
            let may_see = [EXTERNAL_APPS_VIEWER, EXTERNAL_APPS_ADMIN]
                .iter()
                .any(|right| rights.has(right, FACET) == Observed::Known(true));
            if may_see {
                Ok(Vec::new())
            } else {
                Err(Error::new(
                    ErrorKind::Forbidden,
                    "the object is not shown: the org does not have external client apps, or the scanner may not see them",
                ))
            }
        }
        other => other,
    };
    let look = ledger.look(FACET, async {
        let apps = listing?;
        if apps.is_empty() {
            cross_check(org, ledger, &apps).await?;
            return Ok(External::default());
        }
        let (oauth_policies, enabled, settings, address_ranges, ()) = tokio::try_join!(
            oauth_policies(org, ledger),
            enabled(org, ledger),
            settings(org),
            address_ranges(org, ledger),
            cross_check(org, ledger, &apps),
        )?;
        let is_told = |policy: &EcaOauthPolicy| policy.is_client_credentials_flow_enabled.is_some();
        let unseen = (!oauth_policies.values().all(is_told)).then(|| {
            // A grant may be missing for it: that is a loss, not a silence.
            Gap::new(
                Reason::CallFailed,
                FACET,
                "the org does not tell whether an app may run as itself",
            )
        });
        Ok(External { apps, oauth_policies, enabled, settings, address_ranges, unseen })
    });
    let external = match look.await {
        Observed::Known(external) => external,
        Observed::Absent => External::default(),
        Observed::Unknown(gap) => External { unseen: Some(gap), ..External::default() },
    };
    ledger.read(FACET, external.apps.len() as u64);
    external
}

impl External {
    /// The apps by short id.
    pub(super) fn register(&self, surroundings: &Surroundings) -> Vec<(String, Registered)> {
        self.apps
            .iter()
            .map(|row| (short_id(&row.id).to_owned(), self.one(row, surroundings)))
            .collect()
    }

    fn one(&self, row: &ExternalClientApplication, surroundings: &Surroundings) -> Registered {
        let id = short_id(&row.id);
        let policy = self.oauth_policies.get(id);
        let settings = self.settings.get(id);
        let missing =
            || Gap::new(Reason::PlatformSilent, FACET, "the org does not tell this of the app");
        let namespace = surroundings.namespace(&row.id, row.namespace_prefix.as_deref());
        let session_timeout = policy
            .and_then(|policy| policy.session_timeout_in_minutes)
            .map(|minutes| Duration::from_secs(u64::from(minutes) * 60));
        let action = policy.and_then(|policy| policy.policy_action.as_deref());
        let blocked = match (self.enabled.get(id), action) {
            (Some(false), _) | (_, Some("Block")) => Observed::Known(true),
            (Some(true), _) => Observed::Known(false),
            (None, _) => Observed::Unknown(missing()),
        };
        let name = row.master_label.clone().or_else(|| row.developer_name.clone());
        Registered {
            app: App {
                id: row.id.clone(),
                name: name.unwrap_or_else(|| row.id.clone()),
                kind: AppKind::ExternalClientApp.label().to_owned(),
                client_ids: Observed::unknown(
                    Reason::PlatformSilent,
                    FACET,
                    "Salesforce shows the consumer key of an external client app on its set-up page only",
                ),
                publisher: surroundings.publisher(namespace.as_deref()),
                // A local app was registered in this org, often for a vendor that got its consumer key.
                origin: origin(namespace.as_deref()),
                home_tenant: home_tenant(),
                namespace: Observed::from_option(namespace),
                web_domains: web_domains(),
                redirect_domains: {
                    let pages = surroundings.pages(&row.id);
                    if pages.is_empty() {
                        Observed::unknown(
                            Reason::PlatformSilent,
                            FACET,
                            "Salesforce shows callback addresses of an external client app on its set-up page only",
                        )
                    } else {
                        Observed::Known(pages)
                    }
                },
                installed: Observed::Known(true),
                blocked,
                approval: match policy
                    .and_then(|policy| policy.permitted_users_policy_type.as_deref())
                {
                    Some(text) => {
                        known_value(FACET, "permitted users policy", text, approval(text))
                    }
                    None => Observed::Unknown(missing()),
                },
                assigned_to: surroundings.assigned_to(&row.id),
                scopes: settings.map_or_else(
                    || Observed::Unknown(missing()),
                    |settings| Observed::Known(settings.scopes.clone()),
                ),
                token_policy: TokenPolicy {
                    access_lifetime: Observed::from_option(session_timeout),
                    refresh: policy.map_or_else(|| Observed::Unknown(missing()), refresh_policy),
                    rotation: Observed::unknown(
                        Reason::PlatformSilent,
                        FACET,
                        "no query shows whether refresh tokens are rotated",
                    ),
                },
                flows: policy.map_or_else(
                    || Observed::Unknown(missing()),
                    |policy| {
                        if policy.is_client_credentials_flow_enabled.is_none() {
                            return Observed::Unknown(missing());
                        }
                        Observed::Known(flows([
                            (
                                Flow::ClientCredentials,
                                policy.is_client_credentials_flow_enabled == Some(true),
                            ),
                            (
                                Flow::TokenExchange,
                                policy.is_token_exchange_flow_enabled == Some(true),
                            ),
                        ]))
                    },
                ),
                introspects_all_tokens: Observed::unknown(
                    Reason::PlatformSilent,
                    FACET,
                    "no query shows whether the app may introspect other apps' tokens",
                ),
                created_at: time(FACET, row.created_date.as_deref()),
                changed_at: time(FACET, row.last_modified_date.as_deref()),
                settings: Vec::new(),
            },
            relaxation: policy
                .and_then(|policy| policy.ip_relaxation_policy_type.as_deref())
                .map_or_else(
                    || Observed::Unknown(missing()),
                    |text| Relaxation::parse(FACET, text),
                ),
            session_timeout,
            runs_as: policy
                .filter(|policy| policy.is_client_credentials_flow_enabled == Some(true))
                .and_then(|policy| policy.client_credentials_flow_user.clone()),
            certificate: None,
            address_ranges: settings
                .and_then(|settings| self.address_ranges.get(short_id(settings.id.as_deref()?)))
                .copied()
                .unwrap_or(0),
        }
    }
}

fn approval(text: &str) -> Option<Approval> {
    match text {
        "AdminApprovedPreAuthorized" => Some(Approval::AdminApproved),
        "AllSelfAuthorized" => Some(Approval::SelfAuthorized),
        _ => None,
    }
}

fn refresh_policy(policy: &EcaOauthPolicy) -> Observed<RefreshPolicy> {
    let Some(text) = policy.refresh_token_policy_type.as_deref() else {
        return Observed::unknown(
            Reason::PlatformSilent,
            FACET,
            "the org does not tell the app's refresh token policy",
        );
    };
    let span = || {
        span(policy.refresh_token_validity_period?, policy.refresh_token_validity_unit.as_deref()?)
    };
    let known = match text {
        "Infinite" => Some(RefreshPolicy::Never),
        "Zero" => Some(RefreshPolicy::Immediately),
        "SpecificLifetime" => span().map(RefreshPolicy::Absolute),
        "SpecificInactivity" => span().map(RefreshPolicy::Idle),
        _ => None,
    };
    known_value(FACET, "refresh token policy", text, known)
}

/// Policy objects are queryable in one of the two APIs, depending on the version: tries the data API first.
async fn either<T: DeserializeOwned>(org: &Org, select: &Select<'_>) -> Result<Vec<T>> {
    match org.select(select).await {
        Err(error) if error.code() == Some("INVALID_TYPE") => {
            org.select(&Select { api: Api::Tooling, ..*select }).await
        }
        other => other,
    }
}

async fn listing(org: &Org, ledger: &Ledger) -> Result<Vec<ExternalClientApplication>> {
    let select = Select {
        api: Api::Data,
        endpoint: "query ExternalClientApplication",
        columns: &["Id"],
        optional: &[
            "DeveloperName",
            "MasterLabel",
            "NamespacePrefix",
            "CreatedDate",
            "LastModifiedDate",
        ],
        from: "FROM ExternalClientApplication",
        books: Some(Books { ledger, facet: FACET }),
    };
    either(org, &select).await
}

async fn oauth_policies(org: &Org, ledger: &Ledger) -> Result<BTreeMap<String, EcaOauthPolicy>> {
    let select = Select {
        api: Api::Data,
        endpoint: "query ExtlClntAppOauthPlcyCnfg",
        columns: &["ExternalClientApplicationId"],
        optional: &[
            "PermittedUsersPolicyType",
            "IpRelaxationPolicyType",
            "RefreshTokenPolicyType",
            "RefreshTokenValidityPeriod",
            "RefreshTokenValidityUnit",
            "IsClientCredentialsFlowEnabled",
            "ClientCredentialsFlowUser",
            "IsTokenExchangeFlowEnabled",
            "PolicyAction",
            "SessionTimeoutInMinutes",
        ],
        from: "FROM ExtlClntAppOauthPlcyCnfg",
        books: Some(Books { ledger, facet: FACET }),
    };
    let rows: Vec<EcaOauthPolicy> = either(org, &select).await?;
    Ok(rows
        .into_iter()
        .map(|row| (short_id(&row.external_client_application_id).to_owned(), row))
        .collect())
}

async fn enabled(org: &Org, ledger: &Ledger) -> Result<BTreeMap<String, bool>> {
    let select = Select {
        api: Api::Data,
        endpoint: "query ExtlClntAppPlcyCnfg",
        columns: &["ExternalClientApplicationId"],
        optional: &["IsEnabled"],
        from: "FROM ExtlClntAppPlcyCnfg",
        books: Some(Books { ledger, facet: FACET }),
    };
    let rows: Vec<EcaPolicy> = either(org, &select).await?;
    let enabled = rows.into_iter().filter_map(|row| {
        Some((short_id(&row.external_client_application_id).to_owned(), row.is_enabled?))
    });
    Ok(enabled.collect())
}

/// What `ExtlClntAppOauthSettings` says about one app.
#[derive(Clone, Default)]
struct Settings {
    /// Id of the row, which address ranges point to.
    id: Option<String>,
    scopes: Vec<Scope>,
}

/// One boolean column per scope; by the app's short id.
async fn settings(org: &Org) -> Result<BTreeMap<String, Settings>> {
    let columns: Vec<&str> = scopes::columns().map(|(column, _)| column).collect();
    let select = Select {
        api: Api::Data,
        endpoint: "query ExtlClntAppOauthSettings",
        columns: &["Id", "ExternalClientApplicationId"],
        optional: &columns,
        from: "FROM ExtlClntAppOauthSettings",
        // A scope that the org has no column for is one that it does not know yet.
        books: None,
    };
    let rows: Vec<BTreeMap<String, Value>> = either(org, &select).await?;
    let settings = rows.into_iter().filter_map(|row| {
        let text = |column: &str| row.get(column).and_then(Value::as_str).map(ToOwned::to_owned);
        let held = scopes::columns()
            .filter(|(column, _)| row.get(*column).and_then(Value::as_bool) == Some(true));
        let settings = Settings {
            id: text("Id"),
            scopes: held.map(|(_, scope)| Scope::named(scope)).collect(),
        };
        Some((short_id(&text("ExternalClientApplicationId")?).to_owned(), settings))
    });
    Ok(settings.collect())
}

/// Number of own address ranges by the short id of the app's settings. Ranges block nobody, so they are counted, not read.
async fn address_ranges(org: &Org, ledger: &Ledger) -> Result<BTreeMap<String, usize>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Range {
        extl_clnt_app_oauth_settings_id: Option<String>,
    }
    let select = Select {
        api: Api::Data,
        endpoint: "query ExtlClntAppOauthIpRange",
        columns: &["StartIpAddress", "EndIpAddress"],
        optional: &["ExtlClntAppOauthSettingsId"],
        from: "FROM ExtlClntAppOauthIpRange",
        books: Some(Books { ledger, facet: FACET }),
    };
    // They only add a remark to a finding; an org without the object has none.
    let rows: Vec<Range> = match either(org, &select).await {
        Err(error) if error.code() == Some("INVALID_TYPE") => Vec::new(),
        other => other?,
    };
    let mut counts = BTreeMap::new();
    for settings in rows.into_iter().filter_map(|row| row.extl_clnt_app_oauth_settings_id) {
        *counts.entry(short_id(&settings).to_owned()).or_insert(0) += 1;
    }
    Ok(counts)
}

/// The usage API lists the external client apps that hold tokens. One that the query did not show is a loss.
///
/// <https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/connect_resources_usage.htm>
async fn cross_check(org: &Org, ledger: &Ledger, apps: &[ExternalClientApplication]) -> Result<()> {
    #[derive(Deserialize)]
    struct UsagePage {
        #[serde(default)]
        apps: Vec<UsedApp>,
    }
    #[derive(Deserialize)]
    struct UsedApp {
        identifier: Option<String>,
    }
    let known: BTreeSet<&str> = apps.iter().map(|app| short_id(&app.id)).collect();
    let mut url = org.data("apps/oauth/usage")?;
    url.query_pairs_mut().append_pair("page", "0").append_pair("pageSize", "100");
    let request = Request::get("list used external client apps", url);
    let endpoint = request.endpoint;
    let paging = Paging::PageNumber { parameter: "page" };
    let mut pages = Pages::new(&org.door, &org.tokens, paging, request);
    let mut used = BTreeSet::new();
    loop {
        let page = match pages.next::<UsagePage>().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            // Not every org and identity has the usage API; the query's result stands without it.
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::Unsupported
                ) =>
            {
                break;
            }
            Err(error) => {
                ledger.fail(FACET, &org.explain(endpoint, error));
                break;
            }
        };
        let before = used.len();
        let is_last = page.apps.is_empty();
        used.extend(
            page.apps.into_iter().filter_map(|app| Some(short_id(&app.identifier?).to_owned())),
        );
        // The platform gives a next link on the last page too: an empty page is the end.
        if is_last {
            break;
        }
        if used.len() == before {
            let error =
                Error::new(ErrorKind::Malformed, "the listing gives the same apps again and again");
            ledger.fail(FACET, &org.explain(endpoint, error));
            break;
        }
    }
    let unlisted = used.iter().filter(|id| !known.contains(id.as_str())).count();
    if unlisted > 0 {
        let gap = Gap::new(
            Reason::CountMismatch,
            FACET,
            "apps that hold tokens are not among the listed ones",
        );
        ledger.lose(gap, Some(unlisted as u64));
    }
    Ok(())
}
