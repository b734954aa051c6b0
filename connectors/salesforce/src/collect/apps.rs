//! The org's apps: connected apps and external client apps, with who made them and what their policies say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use grantwarden_kit::{
    error::Result,
    ledger::Ledger,
    model::{
        App, Approval, Credential, Expiry, Flow, Gap, Observed, Origin, Publisher, Reason,
        RefreshPolicy, Scope, TokenPolicy,
    },
};

use super::{external, group, host, network::Relaxation, policies, rights::Rights, short_id, time};
use crate::{
    api::{AppMenuItem, ConnectedApplication, InstalledSubscriberPackage, SetupEntityAccess},
    org::{Api, Books, Org, Select},
};

/// Namespaces of Salesforce's own app packages: the packages `Salesforce Connected Apps` and `Salesforce and Chatter Apps` that come
/// with every org. A name alone proves nothing.
const PLATFORM_NAMESPACES: [&str; 2] = ["sf_com_apps", "sf_chttr_apps"];

/// What Salesforce calls an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppKind {
    ConnectedApp,
    ExternalClientApp,
    /// Known by its name in `OauthToken` only.
    NotInstalled,
}

impl AppKind {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::ConnectedApp => "connected app",
            Self::ExternalClientApp => "external client app",
            Self::NotInstalled => "connected app that is not installed",
        }
    }
}

/// An app and what of its settings only this crate needs.
pub(super) struct Registered {
    pub(super) app: App,
    pub(super) relaxation: Observed<Relaxation>,
    /// How long a session of the app lasts, where the app says so.
    pub(super) session_timeout: Option<Duration>,
    /// The user that the app runs as without a user (client credentials): sign-in name or id.
    pub(super) runs_as: Option<String>,
    pub(super) certificate: Option<Credential>,
    pub(super) address_ranges: usize,
}

/// All apps that the org registers, by short id.
pub(super) struct Apps {
    by_id: BTreeMap<String, Registered>,
    /// Why the list is not whole, if it is not.
    gap: Option<Gap>,
    /// Why it is not known which apps run as themselves, if so.
    unseen_runners: Option<Gap>,
}

/// What the org tells about apps besides their own settings.
pub(super) struct Surroundings {
    menu: BTreeMap<String, AppMenuItem>,
    publishers: Observed<BTreeMap<String, String>>,
    access: Observed<BTreeMap<String, BTreeSet<String>>>,
}

impl Apps {
    pub(super) async fn read(org: &Org, ledger: &Ledger, rights: &Rights) -> Self {
        let (connected, policies, external, surroundings) = tokio::join!(
            ledger.look("apps", connected_applications(org, ledger)),
            policies::read(org, ledger),
            external::read(org, ledger, rights),
            Surroundings::read(org, ledger),
        );
        let mut by_id = BTreeMap::new();
        let gap = connected.gap().cloned();
        for row in connected.known().into_iter().flatten() {
            ledger.read("apps", 1);
            let registered = policies.register(row, &surroundings);
            by_id.insert(short_id(&row.id).to_owned(), registered);
        }
        for (id, registered) in external.register(&surroundings) {
            by_id.insert(id, registered);
        }
        let unseen_runners = policies.unseen().or(external.unseen.as_ref()).cloned();
        Self { by_id, gap, unseen_runners }
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &App> {
        self.by_id.values().map(|registered| &registered.app)
    }

    /// Apps that run as themselves, by short id, with the user that they run as: sign-in name or id.
    pub(super) fn running_as(&self) -> Vec<(String, String)> {
        let runners = self.by_id.iter();
        runners
            .filter_map(|(id, registered)| Some((id.clone(), registered.runs_as.clone()?)))
            .collect()
    }

    /// Why [`Apps::running_as`] may lack some, if so.
    pub(super) const fn unseen_runners(&self) -> Option<&Gap> {
        self.unseen_runners.as_ref()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Registered> {
        self.by_id.get(short_id(id))
    }

    pub(super) fn credentials(&self) -> impl Iterator<Item = &Credential> {
        self.by_id.values().filter_map(|registered| registered.certificate.as_ref())
    }

    /// How many address ranges each app has, by app id.
    pub(super) fn address_ranges(&self) -> BTreeMap<String, usize> {
        let with_ranges = self.by_id.values().filter(|registered| registered.address_ranges > 0);
        with_ranges
            .map(|registered| (registered.app.id.clone(), registered.address_ranges))
            .collect()
    }

    /// Makes an app known that only its tokens tell of. The flag says whether it is new.
    pub(super) fn adopt(&mut self, id: &Observed<&str>, name: &str) -> (&Registered, bool) {
        let by_name = || format!("name:{name}");
        let key = id.known().map_or_else(by_name, |id| short_id(id).to_owned());
        let is_new = !self.by_id.contains_key(&key);
        let gap = self.gap.clone();
        let registered = self.by_id.entry(key).or_insert_with(|| match id {
            Observed::Known(id) => not_listed(id, name, gap),
            Observed::Absent => not_installed(name),
            // Which app it is was not told: neither "installed" nor "not installed" would be true.
            Observed::Unknown(gap) => {
                bare(by_name(), name, AppKind::ConnectedApp, Observed::Unknown(gap.clone()), gap)
            }
        });
        (registered, is_new)
    }
}

impl Surroundings {
    async fn read(org: &Org, ledger: &Ledger) -> Self {
        let (menu, publishers, access) = tokio::join!(
            app_menu(org, ledger),
            ledger.look("packages", publishers(org, ledger)),
            ledger.look("app-access", access(org)),
        );
        if let Observed::Known(publishers) = &publishers {
            ledger.read("packages", publishers.len() as u64);
        }
        if let Observed::Known(access) = &access {
            ledger.read("app-access", access.len() as u64);
        }
        let menu = menu.unwrap_or_else(|error| {
            ledger.fail("apps", &error);
            BTreeMap::new()
        });
        Self { menu, publishers, access }
    }

    pub(super) fn namespace(&self, id: &str, own: Option<&str>) -> Option<String> {
        let menu = self.menu.get(short_id(id)).and_then(|item| item.namespace_prefix.clone());
        own.map(ToOwned::to_owned).or(menu).filter(|namespace| !namespace.is_empty())
    }

    pub(super) fn publisher(&self, namespace: Option<&str>) -> Observed<Publisher> {
        let Some(namespace) = namespace else { return Observed::Absent };
        match &self.publishers {
            Observed::Known(publishers) => {
                publishers.get(namespace).map_or(Observed::Absent, |name| {
                    Observed::Known(Publisher {
                        name: name.clone(),
                        verified: Observed::unknown(
                            Reason::PlatformSilent,
                            "packages",
                            "Salesforce does not say whether it checked who the publisher is",
                        ),
                    })
                })
            }
            Observed::Absent => Observed::Absent,
            Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
        }
    }

    pub(super) fn assigned_to(&self, id: &str) -> Observed<Vec<String>> {
        let names = |access: &BTreeMap<String, BTreeSet<String>>| {
            access.get(short_id(id)).into_iter().flatten().cloned().collect()
        };
        self.access.as_ref().map(names)
    }

    /// Host names that tie the app to somebody, besides its callback addresses.
    pub(super) fn pages(&self, id: &str) -> Vec<String> {
        let item = self.menu.get(short_id(id));
        let urls = item.into_iter().flat_map(|item| [&item.info_url, &item.start_url]);
        urls.flatten().filter_map(|url| host(url)).collect()
    }
}

/// Where an app is registered. A package's namespace says which vendor made it, and no object names that vendor's own org.
pub(super) fn home_tenant() -> Observed<String> {
    Observed::unknown(
        Reason::PlatformSilent,
        "apps",
        "Salesforce does not name the org in which an app was made",
    )
}

/// An app's own pages: its menu entry names some, and they stand with its redirect addresses, which nothing else tells of many apps.
pub(super) fn web_domains() -> Observed<Vec<String>> {
    let detail = "the pages that an app's menu entry names are among its redirect domains";
    Observed::unknown(Reason::PlatformSilent, "apps", detail)
}

/// Whose app it is. Without a namespace nothing tells an app that was made in this org from one that came from another.
pub(super) fn origin(namespace: Option<&str>) -> Origin {
    if namespace.is_some_and(|namespace| PLATFORM_NAMESPACES.contains(&namespace)) {
        Origin::Platform
    } else {
        Origin::ThirdParty
    }
}

/// When a token of the app ends by itself.
pub(super) fn expiry(
    registered: &Registered,
    granted_at: &Observed<grantwarden_kit::model::Timestamp>,
    org_timeout: &Observed<Duration>,
) -> (Observed<Expiry>, Observed<bool>) {
    let app = &registered.app;
    let session = || {
        let own = registered.session_timeout.map(Observed::Known);
        own.unwrap_or_else(|| org_timeout.clone()).map(Expiry::Idle)
    };
    let refreshable = app.scopes.as_ref().map(|scopes| scopes.iter().any(is_refresh));
    let expires = match (&refreshable, &app.token_policy.refresh) {
        // Without a refresh token there is only the session.
        (Observed::Known(false), _) | (_, Observed::Known(RefreshPolicy::Immediately)) => session(),
        (_, Observed::Known(RefreshPolicy::Never) | Observed::Absent) => {
            Observed::Known(Expiry::Never)
        }
        (_, Observed::Known(RefreshPolicy::Idle(span))) => Observed::Known(Expiry::Idle(*span)),
        (_, Observed::Known(RefreshPolicy::Absolute(span))) => match granted_at {
            Observed::Known(at) => Observed::Known(Expiry::At(at.plus(*span))),
            Observed::Absent => Observed::unknown(
                Reason::PlatformSilent,
                "grants",
                "the token has no date of issue",
            ),
            Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
        },
        (_, Observed::Unknown(gap)) => Observed::Unknown(gap.clone()),
    };
    (expires, refreshable)
}

fn is_refresh(scope: &Scope) -> bool {
    matches!(scope.name.as_str(), "refresh_token" | "offline_access")
}

fn not_installed(name: &str) -> Registered {
    let gap = Gap::new(
        Reason::PlatformSilent,
        "app-policies",
        "the app is not installed; Salesforce shows scopes and policies of installed apps only",
    );
    bare(format!("name:{name}"), name, AppKind::NotInstalled, Observed::Known(false), &gap)
}

/// An app that tokens name by id and that the lists of apps do not have.
fn not_listed(id: &str, name: &str, gap: Option<Gap>) -> Registered {
    let kind =
        if id.starts_with("0xI") { AppKind::ExternalClientApp } else { AppKind::ConnectedApp };
    let gap = gap.unwrap_or_else(|| {
        Gap::new(
            Reason::CallFailed,
            "apps",
            "tokens name an app that the org's list of apps does not have",
        )
    });
    bare(id.to_owned(), name, kind, Observed::Known(true), &gap)
}

fn bare(id: String, name: &str, kind: AppKind, installed: Observed<bool>, gap: &Gap) -> Registered {
    fn unknown<T>(gap: &Gap) -> Observed<T> {
        Observed::Unknown(gap.clone())
    }
    Registered {
        app: App {
            id,
            name: name.to_owned(),
            kind: kind.label().to_owned(),
            client_ids: unknown(gap),
            publisher: unknown(gap),
            home_tenant: home_tenant(),
            namespace: unknown(gap),
            redirect_domains: unknown(gap),
            web_domains: web_domains(),
            origin: Origin::ThirdParty,
            installed,
            blocked: unknown(gap),
            approval: unknown(gap),
            assigned_to: unknown(gap),
            scopes: unknown(gap),
            token_policy: TokenPolicy {
                access_lifetime: unknown(gap),
                refresh: unknown(gap),
                rotation: unknown(gap),
            },
            flows: unknown(gap),
            introspects_all_tokens: unknown(gap),
            settings: Vec::new(),
            created_at: unknown(gap),
            changed_at: unknown(gap),
        },
        relaxation: unknown(gap),
        session_timeout: None,
        runs_as: None,
        certificate: None,
        address_ranges: 0,
    }
}

/// The app as `ConnectedApplication` shows it; its policies come from the Metadata API.
pub(super) fn from_listing(
    row: &ConnectedApplication,
    surroundings: &Surroundings,
    gap: &Gap,
) -> Registered {
    let mut registered =
        bare(row.id.clone(), &row.name, AppKind::ConnectedApp, Observed::Known(true), gap);
    let namespace = surroundings.namespace(&row.id, None);
    let app = &mut registered.app;
    app.origin = origin(namespace.as_deref());
    app.publisher = surroundings.publisher(namespace.as_deref());
    app.namespace = Observed::from_option(namespace);
    app.assigned_to = surroundings.assigned_to(&row.id);
    app.created_at = time("apps", row.created_date.as_deref());
    app.changed_at = time("apps", row.last_modified_date.as_deref());
    if let Some(approved_only) = row.options_allow_admin_approved_users_only {
        app.approval = Observed::Known(approval(approved_only));
    }
    let mut domains = surroundings.pages(&row.id);
    domains.extend(row.start_url.as_deref().and_then(host));
    if !domains.is_empty() {
        domains.sort_unstable();
        domains.dedup();
        app.redirect_domains = Observed::Known(domains);
    }
    registered
}

pub(super) const fn approval(admin_approved_only: bool) -> Approval {
    if admin_approved_only { Approval::AdminApproved } else { Approval::SelfAuthorized }
}

/// Flows in the order of [`Flow`].
pub(super) fn flows(switches: impl IntoIterator<Item = (Flow, bool)>) -> Vec<Flow> {
    let mut flows: Vec<Flow> =
        switches.into_iter().filter(|(_, on)| *on).map(|(flow, _)| flow).collect();
    flows.sort_unstable();
    flows
}

async fn connected_applications(org: &Org, ledger: &Ledger) -> Result<Vec<ConnectedApplication>> {
    let select = Select {
        api: Api::Data,
        endpoint: "query ConnectedApplication",
        columns: &["Id", "Name"],
        optional: &[
            "CreatedDate",
            "LastModifiedDate",
            "OptionsAllowAdminApprovedUsersOnly",
            "StartUrl",
        ],
        from: "FROM ConnectedApplication",
        books: Some(Books { ledger, facet: "apps" }),
    };
    org.select(&select).await
}

async fn app_menu(org: &Org, ledger: &Ledger) -> Result<BTreeMap<String, AppMenuItem>> {
    let select = Select {
        api: Api::Data,
        endpoint: "query AppMenuItem",
        columns: &["ApplicationId"],
        optional: &["NamespacePrefix", "InfoUrl", "StartUrl"],
        from: "FROM AppMenuItem WHERE Type='ConnectedApplication'",
        books: Some(Books { ledger, facet: "apps" }),
    };
    let rows: Vec<AppMenuItem> = org.select(&select).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((short_id(row.application_id.as_deref()?).to_owned(), row)))
        .collect())
}

/// Publisher by namespace.
async fn publishers(org: &Org, ledger: &Ledger) -> Result<BTreeMap<String, String>> {
    let select = Select {
        api: Api::Tooling,
        endpoint: "query InstalledSubscriberPackage",
        columns: &["Id", "SubscriberPackage.Name", "SubscriberPackage.NamespacePrefix"],
        optional: &[
            "SubscriberPackageVersion.PublisherName",
            "SubscriberPackageVersion.AppExchangePublisherName",
        ],
        from: "FROM InstalledSubscriberPackage ORDER BY SubscriberPackageId",
        books: Some(Books { ledger, facet: "packages" }),
    };
    let rows: Vec<InstalledSubscriberPackage> = org.select(&select).await?;
    let publishers = rows.into_iter().filter_map(|row| {
        let package = row.subscriber_package?;
        let version = row.subscriber_package_version;
        let publisher = version
            .and_then(|version| version.publisher_name.or(version.app_exchange_publisher_name))
            .or(package.name)?;
        Some((package.namespace_prefix?, publisher))
    });
    Ok(publishers.collect())
}

/// Names of profiles and permission sets by the app that they are approved for.
async fn access(org: &Org) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let soql = "SELECT Parent.Name,Parent.Profile.Name,SetupEntityId FROM SetupEntityAccess \
                WHERE SetupEntityType IN ('ConnectedApplication','ExternalClientApplication')";
    let rows: Vec<SetupEntityAccess> = org.rows(Api::Data, "query SetupEntityAccess", soql).await?;
    Ok(group(rows.into_iter().filter_map(|row| {
        let parent = row.parent?;
        let name = parent.profile.and_then(|profile| profile.name).or(parent.name)?;
        Some((short_id(row.setup_entity_id.as_deref()?).to_owned(), name))
    })))
}
