//! Sends apps: each service principal that is not Microsoft's, and those of Microsoft's that hold something. Their credentials and what they
//! hold as themselves follow at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::Ledger,
    model::{
        Approval, Expiry, Grant, GrantKind, Holder, NetworkPolicy, Observed, Origin, Reason,
        Record, Scope,
    },
};

use super::{
    consents::Consents,
    credentials,
    directory::{Client, Directory, FACET},
    grants::network,
    permissions::{self, Permissions},
    policies::Settings,
    registrations::{Registration, Registrations},
    reports::{AppUse, CredentialUse},
    roles::{self, Roles},
};

/// Refresh tokens end after so long without use:
/// <https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens>
pub(super) const REFRESH_IDLE: Duration = Duration::from_secs(90 * 86_400);
/// Those of a single-page app, used or not.
pub(super) const SINGLE_PAGE: Duration = Duration::from_secs(86_400);

/// Facts that every app and grant needs.
pub(super) struct Facts {
    /// Id of this directory.
    pub(super) tenant: String,
    pub(super) settings: Settings,
    pub(super) directory: Directory,
    pub(super) registrations: Registrations,
    pub(super) permissions: Permissions,
    pub(super) roles: Roles,
    pub(super) app_use: AppUse,
    pub(super) credential_use: CredentialUse,
    pub(super) consents: Consents,
}

/// Sends apps, each once.
pub(super) struct Apps<'a> {
    pub(super) facts: &'a Facts,
    ledger: &'a Ledger,
    sink: &'a Sink,
    /// Own registrations by client id.
    own: BTreeMap<&'a str, &'a Registration>,
    /// Object ids of service principals by client id.
    pub(super) by_app_id: BTreeMap<&'a str, &'a str>,
    /// Apps that were sent although they are Microsoft's, or are not in the directory.
    extra: BTreeSet<String>,
}

impl<'a> Apps<'a> {
    pub(super) fn new(facts: &'a Facts, ledger: &'a Ledger, sink: &'a Sink) -> Self {
        let own = facts.registrations.by_id.values();
        let own = own.filter_map(|own| Some((own.app_id.as_deref()?, own))).collect();
        let by_app_id = facts.directory.by_app_id();
        Self { facts, ledger, sink, own, by_app_id, extra: BTreeSet::new() }
    }

    /// Sends all but those of Microsoft's that hold nothing.
    pub(super) async fn send_all(&mut self) -> Result<()> {
        for (id, client) in &self.facts.directory.clients {
            let is_microsofts = self.origin(client) == Origin::Platform;
            if is_microsofts && !self.holds_something(id, client) {
                continue;
            }
            if is_microsofts {
                self.extra.insert(id.to_string());
            }
            self.send(id, client).await?;
        }
        let registrations = &self.facts.registrations;
        for registration in registrations.by_id.values() {
            if registration.app_id.as_deref().is_some_and(|id| self.by_app_id.contains_key(id)) {
                continue;
            }
            self.sink.send(Record::App(self.registration_alone(registration))).await?;
            self.send_own_credentials(&registration.id, registration).await?;
        }
        self.send_lost().await
    }

    /// Apps that hold a permission or role and are not in the directory's list.
    async fn send_lost(&mut self) -> Result<()> {
        let held = &self.facts.permissions.held;
        let ids: Vec<String> = held.keys().map(ToString::to_string).collect();
        for id in ids {
            if !self.facts.directory.clients.contains_key(id.as_str()) {
                self.announce(&id).await?;
            }
        }
        Ok(())
    }

    /// Makes sure that an app was sent before its grant.
    pub(super) async fn announce(&mut self, id: &str) -> Result<()> {
        match self.facts.directory.clients.get(id) {
            Some(client) => {
                if self.origin(client) != Origin::Platform || !self.extra.insert(id.to_owned()) {
                    return Ok(());
                }
                self.send(id, client).await
            }
            None => {
                if !self.extra.insert(id.to_owned()) {
                    return Ok(());
                }
                self.sink.send(Record::App(self.unlisted(id))).await?;
                self.send_own_grants(id, id).await
            }
        }
    }

    fn holds_something(&self, id: &str, client: &Client) -> bool {
        self.facts.permissions.of(id).next().is_some()
            || self.facts.roles.of_app(id).next().is_some()
            || client.secrets.as_ref().is_some_and(|secrets| !secrets.is_empty())
    }

    pub(super) fn origin(&self, client: &Client) -> Origin {
        client.origin(&self.facts.tenant, self.registration(client).is_some())
    }

    fn registration(&self, client: &Client) -> Option<&'a Registration> {
        client.app_id.as_deref().and_then(|id| self.own.get(id)).copied()
    }

    async fn send(&self, id: &str, client: &Client) -> Result<()> {
        let registration = self.registration(client);
        self.sink.send(Record::App(self.app(id, client, registration))).await?;
        for (at, secret) in client.secrets.iter().flatten().enumerate() {
            let record = secret.record(id, at, FACET, &self.facts.credential_use);
            self.sink.send(Record::Credential(record)).await?;
        }
        if let Some(registration) = registration {
            self.send_own_credentials(id, registration).await?;
        }
        self.send_own_grants(id, &client.name).await
    }

    async fn send_own_credentials(&self, app: &str, registration: &Registration) -> Result<()> {
        let federated = self.facts.registrations.federated.get(&registration.id);
        let federated = federated.map_or(&[][..], Vec::as_slice);
        let used = &self.facts.credential_use;
        credentials::send(self.sink, self.ledger, app, registration, federated, used).await
    }

    /// What the app may do as itself: one grant for each resource, one for its directory roles.
    async fn send_own_grants(&self, id: &str, name: &str) -> Result<()> {
        for (resource, held) in self.facts.permissions.of(id) {
            let of = self.facts.directory.resource_name(Some(resource));
            let scopes = held
                .roles
                .iter()
                .map(|role| Scope { name: role.to_string(), resource: Some(of.clone()) });
            let mut grant = self.app_only(id, name, format!("{id}:{resource}:app"));
            grant.scopes = Observed::Known(scopes.collect());
            grant.granted_at = held.granted_at();
            self.sink.send(Record::Grant(Box::new(grant))).await?;
        }
        let roles: Vec<Scope> = self
            .facts
            .roles
            .of_app(id)
            .map(|role| Scope { name: role.clone(), resource: Some(roles::RESOURCE.to_owned()) })
            .collect();
        if !roles.is_empty() {
            let mut grant = self.app_only(id, name, format!("{id}:directory-roles:app"));
            grant.scopes = Observed::Known(roles);
            self.sink.send(Record::Grant(Box::new(grant))).await?;
        }
        Ok(())
    }

    fn app_only(&self, id: &str, name: &str, grant: String) -> Grant {
        let client = self.facts.directory.clients.get(id);
        let app_id = client.and_then(|client| client.app_id.as_deref());
        Grant {
            id: grant,
            app: id.to_owned(),
            app_name: name.to_owned(),
            kind: GrantKind::AppOnly,
            holder: Holder::App,
            scopes: Observed::Known(Vec::new()),
            granted_at: silent(
                roles::OF_APPS,
                "Graph does not tell when a directory role was given",
            ),
            granted_by: silent(permissions::FACET, "Graph does not tell who gave it"),
            last_used_at: self.facts.app_use.as_itself(app_id),
            use_count: silent(super::reports::SIGN_INS, "Graph does not count uses"),
            // It lives for as long as the app has a secret or certificate; a vendor renews its own without asking.
            expires: Observed::Known(Expiry::Never),
            // Without a person present a new token is one call away.
            refreshable: Observed::Known(true),
            network: self.network(client),
            settings: Vec::new(),
            sender_constrained: Observed::Known(false),
            approval: Observed::Known(Approval::AdminApproved),
        }
    }

    /// What ends a refresh token of an app. A vendor's registration does not tell here whether the app is a single-page app.
    pub(super) fn refresh_life(&self, client: Option<&Client>) -> Duration {
        let own = client.and_then(|client| self.registration(client));
        if own.is_some_and(|own| own.only_single_page) { SINGLE_PAGE } else { REFRESH_IDLE }
    }

    /// Where tokens of an app work from.
    pub(super) fn network(&self, client: Option<&Client>) -> NetworkPolicy {
        match client {
            Some(client) => network(client, self.origin(client)),
            None => NetworkPolicy {
                binding: Observed::Unknown(self.unlisted_gap()),
                look_alikes: Vec::new(),
            },
        }
    }
}

/// A fact that Graph does not tell.
pub(super) fn silent<T>(facet: &str, detail: &str) -> Observed<T> {
    Observed::unknown(Reason::PlatformSilent, facet, detail)
}
