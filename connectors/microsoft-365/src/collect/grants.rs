//! Delegated permission grants: what apps may do for users. The tenant-wide grants and all grants are listed side by side; the
//! tenant-wide ones are given out first, because one with `offline_access` holds for every user.

use std::collections::BTreeSet;

use grantwarden_kit::connector::Sink;
use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{
        Approval, Expiry, Gap, Grant, GrantKind, Holder, LookAlike, NetworkPolicy, Observed,
        Origin, Reason, Record, Scope, Timestamp,
    },
    seen::Seen,
};
use tokio::sync::mpsc;

use super::{
    apps::{Apps, REFRESH_IDLE, silent},
    archive::{Archive, Kind, Which},
    directory::Client,
    people::{MOST_IDS, People},
    reports,
    rows::book_odd,
};
use crate::{
    api::PermissionGrant,
    graph::Graph,
    rights::{Area, Claims},
};

pub(super) const FACET: &str = "grants";
const OFFLINE: &str = "offline_access";
/// Pages that wait for whoever reads them.
const WAITING: usize = 4;
/// Rows that wait until a thousand users are to be looked up.
const MOST_HELD: usize = 20_000;
/// Bytes of their scopes, of which one row may have thousands.
const MOST_BYTES: usize = 8 * 1_024 * 1_024;

/// Rows on their way from a listing.
pub(super) type Lots = mpsc::Receiver<Vec<PermissionGrant>>;

/// Where a listing puts its rows.
pub(super) struct Source<'a> {
    graph: &'a Graph,
    ledger: &'a Ledger,
    archive: &'a Archive,
    which: Which,
    to: mpsc::Sender<Vec<PermissionGrant>>,
}

impl<'a> Source<'a> {
    /// A listing and where its rows come out.
    pub(super) fn new(
        graph: &'a Graph,
        ledger: &'a Ledger,
        archive: &'a Archive,
        which: Which,
    ) -> (Self, Lots) {
        let (to, lots) = mpsc::channel(WAITING);
        (Self { graph, ledger, archive, which, to }, lots)
    }

    /// Reads the listing to its end, or until nobody takes the rows. The gap, if there is more.
    pub(super) async fn run(self, claims: &Claims) -> Option<Gap> {
        self.pump(claims).await.err().map(|error| self.ledger.fail(FACET, &error))
    }

    async fn pump(&self, claims: &Claims) -> Result<()> {
        claims.allow(Area::Grants)?;
        let mut rows = self.archive.rows(self.graph, Kind::Grant, self.which)?;
        while let Some(lot) = rows.next::<PermissionGrant>().await? {
            let count = lot.rows.len();
            let rows: Vec<PermissionGrant> =
                lot.rows.into_iter().filter(PermissionGrant::names_its_holder).collect();
            let unclear = (count - rows.len()) as u64;
            if unclear > 0 {
                self.archive.spoil();
            }
            book_odd(self.ledger, FACET, lot.odd + unclear);
            self.to.send(rows).await.map_err(|_| {
                Error::new(ErrorKind::Cancelled, "nobody reads the grants any more")
            })?;
        }
        Ok(())
    }
}

/// Gives out grants, each after its app.
pub(super) struct Stream<'a> {
    pub(super) apps: Apps<'a>,
    pub(super) people: People<'a>,
    pub(super) ledger: &'a Ledger,
    pub(super) sink: &'a Sink,
    pub(super) now: Timestamp,
    /// Apps that may keep a refresh token of every user.
    offline_for_all: BTreeSet<String>,
    /// Tenant-wide grants come from both listings.
    tenant_wide: Seen,
    held: Vec<PermissionGrant>,
    held_bytes: usize,
    wanted: BTreeSet<Box<str>>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(
        apps: Apps<'a>,
        people: People<'a>,
        ledger: &'a Ledger,
        sink: &'a Sink,
        now: Timestamp,
    ) -> Self {
        Self {
            apps,
            people,
            ledger,
            sink,
            now,
            offline_for_all: BTreeSet::new(),
            tenant_wide: Seen::default(),
            held: Vec::new(),
            held_bytes: 0,
            wanted: BTreeSet::new(),
        }
    }

    /// Reads both listings to their ends.
    pub(super) async fn run(&mut self, tenant_wide: Lots, others: Lots) -> Result<()> {
        for mut lots in [tenant_wide, others] {
            while let Some(lot) = lots.recv().await {
                for row in lot {
                    self.take(row).await?;
                }
            }
        }
        self.flush().await
    }

    /// Gives a row out, or holds it until enough users are to be looked up with its own.
    async fn take(&mut self, row: PermissionGrant) -> Result<()> {
        if row.is_tenant_wide() && !self.tenant_wide.is_new(&row.id) {
            return Ok(());
        }
        let lacking = row.principal_id.as_deref().filter(|id| self.people.lacks(id));
        let Some(id) = lacking else { return self.give(row).await };
        self.wanted.insert(id.into());
        self.held_bytes += row.scope.as_deref().map_or(0, str::len);
        self.held.push(row);
        if self.wanted.len() == MOST_IDS
            || self.held.len() == MOST_HELD
            || self.held_bytes >= MOST_BYTES
        {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let ids: Vec<Box<str>> = std::mem::take(&mut self.wanted).into_iter().collect();
        self.held_bytes = 0;
        self.people.look_up(ids).await?;
        for row in std::mem::take(&mut self.held) {
            self.give(row).await?;
        }
        Ok(())
    }

    async fn give(&mut self, row: PermissionGrant) -> Result<()> {
        self.apps.announce(&row.client_id).await?;
        let grant = self.grant(row);
        self.ledger.read(FACET, 1);
        self.sink.send(Record::Grant(Box::new(grant))).await
    }

    fn grant(&mut self, row: PermissionGrant) -> Grant {
        let facts = self.apps.facts;
        let client = facts.directory.clients.get(row.client_id.as_str());
        let words: Vec<&str> =
            row.scope.as_deref().unwrap_or_default().split_whitespace().collect();
        let resource = facts.directory.resource_name(row.resource_id.as_deref());
        let is_offline = words.contains(&OFFLINE);
        let is_tenant_wide = row.is_tenant_wide();
        if is_tenant_wide && is_offline {
            self.offline_for_all.insert(row.client_id.clone());
        }
        let keeps_refresh_token = is_offline || self.offline_for_all.contains(&row.client_id);
        let (kind, holder) = if is_tenant_wide {
            (GrantKind::AdminConsented, Holder::Tenant)
        } else {
            let id = row.principal_id.as_deref().unwrap_or_default();
            (GrantKind::Delegated, Holder::Principal(self.people.principal(id, &facts.roles)))
        };
        let (granted_at, granted_by) = facts.consents.consent_to(&row);
        let scopes = words
            .iter()
            .map(|name| Scope { name: (*name).to_owned(), resource: Some(resource.clone()) });
        Grant {
            app: row.client_id.clone(),
            app_name: client
                .map_or_else(|| row.client_id.clone(), |client| client.name.to_string()),
            scopes: match row.scope {
                Some(_) => Observed::Known(scopes.collect()),
                None => silent(FACET, "Graph does not give the grant's scopes"),
            },
            granted_at,
            granted_by,
            last_used_at: self.last_used_at(client, kind),
            use_count: silent(reports::SIGN_INS, "Graph does not count uses"),
            // A refresh token ends when it is not used for so long. Without one the consent still stands until somebody revokes it: only the
            // access tokens that it gives are short.
            expires: Observed::Known(if keeps_refresh_token {
                Expiry::Idle(self.apps.refresh_life(client))
            } else {
                Expiry::Never
            }),
            refreshable: if keeps_refresh_token {
                Observed::Known(true)
            } else {
                // An app that signs in at the v1.0 endpoint gets a refresh token without asking for one; and the word may stand in another
                // grant of the same user.
                silent(FACET, "without offline_access it depends on the endpoint that the app uses")
            },
            network: as_the_user_signs_in(self.apps.network(client)),
            settings: Vec::new(),
            sender_constrained: Observed::Known(false),
            approval: match (kind, client.and_then(|client| client.assignment_required)) {
                (GrantKind::AdminConsented, _) | (_, Some(true)) => {
                    Observed::Known(Approval::AdminApproved)
                }
                _ => Observed::Known(Approval::SelfAuthorized),
            },
            id: row.id,
            kind,
            holder,
        }
    }

    /// Graph keeps one date for all users of an app, so that it bounds each of its grants from above. That is as good as the grant's own date
    /// where the app was never used for anybody; where it was not used for so long that every refresh token has ended; and for a
    /// tenant-wide grant, which every user of the app shares. For one user of a busy app it says nothing.
    fn last_used_at(&self, client: Option<&Client>, kind: GrantKind) -> Observed<Timestamp> {
        let app_id = client.and_then(|client| client.app_id.as_deref());
        match self.apps.facts.app_use.for_users(app_id) {
            Observed::Known(at)
                if kind != GrantKind::AdminConsented && at.until(self.now) < REFRESH_IDLE =>
            {
                let detail = format!(
                    "the app was last used for somebody on {}; Graph does not tell for whom",
                    at.date()
                );
                silent(reports::SIGN_INS, &detail)
            }
            other => other,
        }
    }
}

/// Where tokens of an app work from. Conditional access for workload identities covers single-tenant apps of the directory's own only;
/// vendors' apps, multi-tenant apps and managed identities are out of its reach:
/// <https://learn.microsoft.com/en-us/entra/identity/conditional-access/workload-identity>. That a policy cannot bind an app is said only
/// of an app that is known to be one of these.
pub(super) fn network(client: &Client, origin: Origin) -> NetworkPolicy {
    let silent =
        |detail| Observed::unknown(Reason::PlatformSilent, super::directory::FACET, detail);
    let is_elsewhere = origin != Origin::Own && client.home.is_some();
    let binding = match client.is_single_tenant() {
        _ if is_elsewhere || client.is_managed_identity() => Observed::Absent,
        Some(false) => Observed::Absent,
        Some(true) => silent("conditional access policies for workload identities are not read"),
        None => silent(
            "Graph does not tell which accounts the app supports, so that a conditional access policy for workload identities may bind it",
        ),
    };
    NetworkPolicy { binding, look_alikes: Vec::new() }
}

/// Where a grant for users works from: what binds a user's sign-in is no binding of the tokens that an app keeps.
fn as_the_user_signs_in(mut network: NetworkPolicy) -> NetworkPolicy {
    network.look_alikes.push(LookAlike {
        setting: "Conditional Access location conditions".to_owned(),
        why: "they bind the sign-in of the user, and are checked again when some clients redeem a refresh token; \
              an access token that an app holds already works from anywhere; this scanner does not read them"
            .to_owned(),
    });
    network
}
