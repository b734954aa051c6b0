//! Own app registrations: what they ask for, and how they prove themselves.

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    http::Request,
    ledger::Ledger,
    model::{Credential, CredentialKind, Gap, Observed, Reason, Timestamp},
};

use super::{
    archive::{Archive, Kind, Which},
    credentials::{self, Secret},
    host,
    rows::{Listing, book_odd},
    time,
};
use crate::{
    api::{Application, FederatedCredential, RedirectUris, Row, TrustingApplication},
    graph::Graph,
    rights::{Area, Claims},
};

pub(super) const FACET: &str = "applications";
pub(super) const FEDERATED: &str = "federated-credentials";
/// How many related objects `$expand` gives at most, without a word about the rest (API sheet, section 2.2).
const EXPANDED: usize = 20;

/// What is kept of an own app registration.
pub(super) struct Registration {
    /// Object id of the registration; its service principal has another.
    pub(super) id: String,
    pub(super) app_id: Option<String>,
    pub(super) name: String,
    pub(super) created_at: Observed<Timestamp>,
    pub(super) secrets: Vec<Secret>,
    /// Whether the platform told all its credentials.
    pub(super) secrets_told: bool,
    /// Application permissions that it asks for: client id of the resource, and role ids.
    pub(super) requested: Vec<(String, Vec<String>)>,
    pub(super) publisher_domain: Option<String>,
    pub(super) verified_publisher: Option<String>,
    pub(super) redirect_domains: BTreeSet<String>,
    /// Every redirect address is that of a single-page app, whose refresh tokens live for a day.
    pub(super) only_single_page: bool,
    pub(super) is_public_client: Option<bool>,
    pub(super) is_locked: Option<bool>,
}

/// A federated credential: whoever gets such a token is the app.
pub(super) struct Federated {
    id: String,
    name: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
}

impl Federated {
    fn of(FederatedCredential { id, name, issuer, subject }: FederatedCredential) -> Self {
        Self { id, name, issuer, subject }
    }

    pub(super) fn record(&self, app: &str) -> Credential {
        let or_untold = |text: &Option<String>| text.clone().unwrap_or_else(|| "not told".into());
        let name = format!(
            "{}: trusts {} for {}",
            or_untold(&self.name),
            or_untold(&self.issuer),
            or_untold(&self.subject)
        );
        let silent = |detail| Observed::unknown(Reason::PlatformSilent, FEDERATED, detail);
        Credential {
            id: self.id.clone(),
            app: app.to_owned(),
            kind: CredentialKind::FederatedCredential,
            name: Observed::Known(name),
            created_at: silent("Graph does not tell when a federated credential was added"),
            // A trust has no end of its own.
            expires_at: Observed::Absent,
            last_used_at: silent("Graph does not tell when a federated credential was last used"),
        }
    }
}

/// Own registrations by object id.
pub(super) struct Registrations {
    pub(super) by_id: BTreeMap<String, Registration>,
    pub(super) federated: BTreeMap<String, Vec<Federated>>,
    /// Why the list is not whole, if it is not.
    pub(super) gap: Option<Gap>,
    /// Why the federated credentials are not whole, if they are not.
    pub(super) federated_gap: Option<Gap>,
}

impl Registrations {
    pub(super) async fn read(
        graph: &Graph,
        ledger: &Ledger,
        claims: &Claims,
        archive: &Archive,
    ) -> Self {
        let mut all = Self {
            by_id: BTreeMap::new(),
            federated: BTreeMap::new(),
            gap: None,
            federated_gap: None,
        };
        if let Some(gap) = ledger.skipped(FACET) {
            all.gap = Some(gap);
        } else {
            let rows = claims
                .allow(Area::Applications)
                .and_then(|()| archive.rows(graph, Kind::Application, Which::All));
            let add = |row: Application| {
                all.by_id.insert(row.id.clone(), Registration::of(row));
            };
            all.gap = match rows {
                Ok(mut rows) => rows.drain(ledger, FACET, add).await,
                Err(error) => {
                    ledger.settle(FACET);
                    Some(ledger.fail(FACET, &error))
                }
            };
        }
        let untold = all.by_id.values().filter(|own| !own.secrets_told).count() as u64;
        if credentials::book_untold(ledger, FACET, untold) {
            archive.spoil();
        }
        all.read_federated(graph, ledger).await;
        all
    }

    /// From the listing with `$expand`, as far as that is whole; the others one by one, in batches.
    async fn read_federated(&mut self, graph: &Graph, ledger: &Ledger) {
        if let Some(gap) = ledger.skipped(FEDERATED) {
            self.federated_gap = Some(gap);
            return;
        }
        ledger.settle(FEDERATED);
        if let Some(gap) = &self.gap {
            // Whose credentials there are is not wholly known.
            let detail = format!("not every app registration is known: {}", gap.detail);
            let gap = Gap { facet: FEDERATED.to_owned(), detail, reason: gap.reason };
            ledger.lose(gap.clone(), None);
            self.federated_gap = Some(gap);
        }
        self.read_expanded(graph).await;
        let untold = self.by_id.keys().filter(|id| !self.federated.contains_key(*id));
        let ids: Vec<String> = untold.cloned().collect();
        let first = |id: &String| -> grantwarden_kit::error::Result<Request> {
            let path = format!("applications/{id}/federatedIdentityCredentials");
            graph.get("list federated credentials", &path, "$top=999")
        };
        let firsts: Vec<Request> = match ids.iter().map(first).collect() {
            Ok(firsts) => firsts,
            Err(error) => {
                self.federated_gap = Some(ledger.fail(FEDERATED, &error));
                return;
            }
        };
        let mut found: BTreeMap<usize, BTreeMap<String, Federated>> = BTreeMap::new();
        let mut odd = 0;
        let failed = graph
            .read_listings(&firsts, |at, rows: Vec<Row<FederatedCredential>>| {
                for row in rows {
                    let Row::Good(row) = row else {
                        odd += 1;
                        continue;
                    };
                    found.entry(at).or_default().insert(row.id.clone(), Federated::of(row));
                }
            })
            .await;
        for (at, error) in failed {
            if graph.is_gone(&error, &format!("applications/{}", ids[at])).await {
                let detail = "an app registration was deleted during the scan";
                ledger.lose(Gap::new(Reason::Vanished, FEDERATED, detail), Some(1));
            } else {
                self.federated_gap = Some(ledger.fail(FEDERATED, &error));
            }
        }
        if let Some(gap) = book_odd(ledger, FEDERATED, odd) {
            self.federated_gap = Some(gap);
        }
        for (at, credentials) in found {
            self.federated.insert(ids[at].clone(), credentials.into_values().collect());
        }
    }

    /// Takes over what `$expand` gives whole: fewer than 20, since it says nothing of those beyond. What goes wrong here costs calls, not
    /// facts: whoever is not told is read one by one.
    async fn read_expanded(&mut self, graph: &Graph) {
        let query = "$select=id&$expand=federatedIdentityCredentials&$top=999";
        let Ok(first) = graph.get("list federated credentials", "applications", query) else {
            return;
        };
        let mut listing = Listing::new(graph, first);
        while let Ok(Some(lot)) = listing.next::<TrustingApplication>().await {
            for row in lot.rows {
                let Some(credentials) = row.federated_identity_credentials else { continue };
                let count = credentials.len();
                let read: Vec<Federated> =
                    credentials.into_iter().filter_map(Row::good).map(Federated::of).collect();
                if count < EXPANDED && read.len() == count && self.by_id.contains_key(&row.id) {
                    self.federated.insert(row.id, read);
                }
            }
        }
    }
}

impl Registration {
    fn of(row: Application) -> Self {
        let uris = |part: &Option<RedirectUris>| -> Vec<String> {
            part.as_ref().and_then(|part| part.redirect_uris.clone()).unwrap_or_default()
        };
        let told = |part: &Option<RedirectUris>| {
            part.as_ref().is_some_and(|part| part.redirect_uris.is_some())
        };
        // A public client may use other addresses than those that are listed.
        let is_told = row.is_fallback_public_client == Some(false)
            && [&row.web, &row.spa, &row.public_client].into_iter().all(told);
        let (web, spa, public) = (uris(&row.web), uris(&row.spa), uris(&row.public_client));
        let domains = web.iter().chain(&spa).chain(&public).filter_map(|uri| host(uri));
        let requested = row.required_resource_access.unwrap_or_default();
        let requested = requested.into_iter().filter_map(|resource| {
            let access = resource.resource_access.unwrap_or_default();
            let roles = access.into_iter().filter(|access| access.kind.as_deref() == Some("Role"));
            Some((resource.resource_app_id?, roles.filter_map(|role| role.id).collect()))
        });
        let passwords = row.password_credentials.as_deref();
        let keys = row.key_credentials.as_deref();
        Self {
            name: row.display_name.unwrap_or_else(|| row.id.clone()),
            created_at: match row.created_date_time.as_deref() {
                Some(text) => time(FACET, text),
                None => {
                    let detail = "Graph does not tell when the app was registered";
                    Observed::unknown(Reason::PlatformSilent, FACET, detail)
                }
            },
            secrets: Secret::all(passwords.unwrap_or_default(), keys.unwrap_or_default()),
            secrets_told: passwords.is_some() && keys.is_some(),
            requested: requested.collect(),
            verified_publisher: row
                .verified_publisher
                .filter(|publisher| publisher.verified_publisher_id.is_some())
                .and_then(|publisher| publisher.display_name),
            redirect_domains: domains.collect(),
            only_single_page: is_told && !spa.is_empty() && web.is_empty() && public.is_empty(),
            is_public_client: row.is_fallback_public_client,
            is_locked: row.service_principal_lock_configuration.and_then(|lock| lock.is_enabled),
            id: row.id,
            app_id: row.app_id,
            publisher_domain: row.publisher_domain,
        }
    }
}
