//! The directory's service principals, kept compactly: grants name them by object id, as client and as resource.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    ledger::Ledger,
    model::{Gap, Origin},
};

use super::{
    archive::{Archive, Kind, Which},
    credentials::{self, Secret},
    host,
};
use crate::{
    api::{AppRole, ServicePrincipal},
    clouds,
    graph::Graph,
    rights::{Area, Claims},
};

pub(super) const FACET: &str = "service-principals";

/// What is kept of a service principal.
pub(super) struct Client {
    pub(super) app_id: Option<Box<str>>,
    pub(super) name: Box<str>,
    /// The tenant that registered the app.
    pub(super) home: Option<Box<str>>,
    pub(super) kind: Option<Box<str>>,
    pub(super) enabled: Option<bool>,
    pub(super) is_disabled: Option<bool>,
    pub(super) disabled_status: Option<Box<str>>,
    pub(super) assignment_required: Option<bool>,
    pub(super) audience: Option<Box<str>>,
    /// The verified publisher; `None` within: there is none.
    pub(super) publisher: Option<Option<Box<str>>>,
    pub(super) redirect_domains: Option<Box<[Box<str>]>>,
    pub(super) tags: Option<Box<str>>,
    /// `None`: not told.
    pub(super) secrets: Option<Box<[Secret]>>,
}

/// All service principals by object id.
pub(super) struct Directory {
    pub(super) clients: BTreeMap<Box<str>, Client>,
    /// For each service principal that offers application permissions: its role ids and their values.
    pub(super) resources: BTreeMap<Box<str>, BTreeMap<Box<str>, Box<str>>>,
    /// Why the list is not whole, if it is not.
    pub(super) gap: Option<Gap>,
}

impl Directory {
    pub(super) async fn read(
        graph: &Graph,
        ledger: &Ledger,
        claims: &Claims,
        archive: &Archive,
    ) -> Self {
        let mut directory =
            Self { clients: BTreeMap::new(), resources: BTreeMap::new(), gap: None };
        if let Some(gap) = ledger.skipped(FACET) {
            directory.gap = Some(gap);
            return directory;
        }
        let rows = claims
            .allow(Area::Applications)
            .and_then(|()| archive.rows(graph, Kind::Principal, Which::All));
        directory.gap = match rows {
            Ok(mut rows) => rows.drain(ledger, FACET, |row| directory.add(row)).await,
            Err(error) => {
                ledger.settle(FACET);
                Some(ledger.fail(FACET, &error))
            }
        };
        let is_untold = |client: &&Client| client.secrets.is_none();
        let untold = directory.clients.values().filter(is_untold).count() as u64;
        if credentials::book_untold(ledger, FACET, untold) {
            archive.spoil();
        }
        directory
    }

    fn add(&mut self, row: ServicePrincipal) {
        let id: Box<str> = row.id.as_str().into();
        let roles = row.app_roles.as_deref().map(application_roles);
        // One that does not tell its roles may offer some: it is asked who holds them.
        if roles.as_ref().is_none_or(|roles| !roles.is_empty()) {
            self.resources.insert(id.clone(), roles.unwrap_or_default());
        }
        self.clients.insert(id, Client::of(row));
    }

    /// How many service principals are Microsoft's.
    pub(super) fn of_microsoft(&self) -> usize {
        self.clients.values().filter(|client| client.is_microsofts()).count()
    }

    /// Object id of the service principal of an app.
    pub(super) fn by_app_id(&self) -> BTreeMap<&str, &str> {
        let ids =
            self.clients.iter().filter_map(|(id, client)| Some((client.app_id.as_deref()?, &**id)));
        ids.collect()
    }

    /// What a scope's `resource` is.
    pub(super) fn resource_name(&self, id: Option<&str>) -> String {
        let Some(id) = id else { return "a resource that is not told".to_owned() };
        match self.clients.get(id) {
            Some(client) => clouds::resource_name(client.app_id.as_deref(), &client.name),
            None if self.gap.is_some() => format!("a resource that was not read ({id})"),
            None => format!("a resource that is gone ({id})"),
        }
    }
}

impl Client {
    fn of(row: ServicePrincipal) -> Self {
        let text = |text: Option<String>| text.map(String::into_boxed_str);
        let secrets = match (&row.password_credentials, &row.key_credentials) {
            (Some(passwords), Some(keys)) => Some(Secret::all(passwords, keys).into()),
            _ => None,
        };
        Self {
            name: row.display_name.unwrap_or_else(|| row.id.clone()).into(),
            app_id: text(row.app_id),
            home: text(row.app_owner_organization_id),
            kind: text(row.service_principal_type),
            enabled: row.account_enabled,
            is_disabled: row.is_disabled,
            disabled_status: text(row.disabled_by_microsoft_status),
            assignment_required: row.app_role_assignment_required,
            audience: text(row.sign_in_audience),
            publisher: row.verified_publisher.map(|publisher| {
                let is_verified = publisher.verified_publisher_id.is_some();
                let name = publisher.display_name.filter(|_| is_verified);
                text(name)
            }),
            redirect_domains: row.reply_urls.map(|urls| hosts(&urls)),
            tags: row.tags.filter(|tags| !tags.is_empty()).map(|tags| tags.join(", ").into()),
            secrets,
        }
    }

    /// Whose app it is: by the tenant that registered it, never by a name. `own` is this directory's id.
    pub(super) fn origin(&self, own: &str, is_registered_here: bool) -> Origin {
        match self.home.as_deref() {
            _ if self.is_microsofts() => Origin::Platform,
            Some(home) if home.eq_ignore_ascii_case(own) => Origin::Own,
            _ if is_registered_here || self.is_managed_identity() => Origin::Own,
            _ => Origin::ThirdParty,
        }
    }

    fn is_microsofts(&self) -> bool {
        let home = self.home.as_deref();
        home.is_some_and(|home| clouds::is_microsoft(home, self.app_id.as_deref()))
    }

    pub(super) fn is_managed_identity(&self) -> bool {
        self.kind.as_deref() == Some("ManagedIdentity")
    }

    /// Whether the app's registration is for this directory's own accounts only; `None`: not told, or a word that is not known.
    pub(super) fn is_single_tenant(&self) -> Option<bool> {
        match self.audience.as_deref()? {
            "AzureADMyOrg" => Some(true),
            "AzureADMultipleOrgs"
            | "AzureADandPersonalMicrosoftAccount"
            | "PersonalMicrosoftAccount" => Some(false),
            _ => None,
        }
    }
}

/// Roles that apps can hold, disabled ones included: an assignment of one may still be there.
fn application_roles(roles: &[AppRole]) -> BTreeMap<Box<str>, Box<str>> {
    let is_for_apps = |role: &&AppRole| {
        let types = role.allowed_member_types.as_ref();
        types.is_none_or(|types| types.iter().any(|kind| kind == "Application"))
    };
    let of = |role: &AppRole| {
        let id: Box<str> = role.id.as_deref()?.into();
        let value = role.value.as_deref().filter(|value| !value.is_empty());
        Some((id.clone(), value.map_or(id, Into::into)))
    };
    roles.iter().filter(is_for_apps).filter_map(of).collect()
}

fn hosts(urls: &[String]) -> Box<[Box<str>]> {
    let hosts: BTreeSet<String> = urls.iter().filter_map(|url| host(url)).collect();
    hosts.into_iter().map(String::into_boxed_str).collect()
}
