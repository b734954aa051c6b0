//! Domain-wide delegation: clients that may act as any user. No interface lists them: what is known comes from the administrator's
//! export and from changes that the admin log still has.

use std::collections::BTreeMap;

use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{
        Approval, Expiry, Gap, Grant, GrantKind, Holder, NetworkPolicy, Observed, Reason, Record,
        Scope, Timestamp,
    },
};

use super::{
    clients::{Client, Clients},
    export,
    grant_events::{book_unreadable, id_of},
    log::{self, LogQuery},
};
use crate::{account::Account, api::Activity};

pub(super) const FACET: &str = "domain-wide-delegation";
const ADD: &str = "AUTHORIZE_API_CLIENT_ACCESS";
const REMOVE: &str = "REMOVE_API_CLIENT_ACCESS";
const CONSOLE: &str = "Admin console > Security > Access and data control > API controls > Manage domain-wide delegation > Download client info";

/// What is known of one delegated client.
#[derive(Debug, Default)]
struct Delegated {
    scopes: Vec<String>,
    added: Option<(Timestamp, Option<String>)>,
    removed: Option<Timestamp>,
    is_exported: bool,
}

/// Delegated clients by client id.
#[derive(Default)]
pub(super) struct Delegations(BTreeMap<String, Delegated>);

impl Delegations {
    /// Reads the export and the log.
    pub(super) async fn read(
        account: &Account,
        ledger: &Ledger,
        audit: &mut Vec<grantwarden_kit::model::AuditEvent>,
    ) -> Result<Self> {
        let mut all = Self::default();
        if ledger.skipped(FACET).is_some() {
            return Ok(all);
        }
        for event in [ADD, REMOVE] {
            let query = LogQuery::all(account, "list changes of delegation", "admin", event);
            let read = log::read(account, &query, |at, entry| {
                all.replay(at, entry);
                audit.extend(super::app_access::audit_events(at, entry, &id_of(entry)));
            });
            match read.await {
                Ok(end) => {
                    ledger.read(FACET, end.entries);
                    if end.unreadable > 0 {
                        book_unreadable(ledger, FACET, end);
                    }
                }
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) => drop(ledger.fail(FACET, &error)),
            }
        }
        match account.imports.get(FACET) {
            None => ledger.lose(no_export(), None),
            Some(file) => match export::read(file) {
                Ok(clients) => {
                    ledger.read(FACET, clients.len() as u64);
                    all.adopt(clients);
                }
                Err(message) => {
                    let error = Error::new(ErrorKind::Configuration, message)
                        .with_hint(format!("export it anew: {CONSOLE}"));
                    ledger.fail(FACET, &error);
                }
            },
        }
        ledger.settle(FACET);
        Ok(all)
    }

    fn replay(&mut self, at: Timestamp, entry: &Activity) {
        for event in &entry.events {
            let Some(client) = event.text("API_CLIENT_NAME") else { continue };
            let known = self.0.entry(client.to_owned()).or_default();
            if event.name == REMOVE {
                known.removed = known.removed.max(Some(at));
            } else if known.added.as_ref().is_none_or(|(newest, _)| *newest < at) {
                // Who changes a client writes its scopes anew.
                known.scopes = event.texts("API_SCOPES");
                known.added = Some((at, entry.actor.email().map(ToOwned::to_owned)));
            }
        }
    }

    /// Takes what the export lists: it is the whole truth of its day, so that it outweighs a removal in the log, which may be older.
    fn adopt(&mut self, clients: BTreeMap<String, Vec<String>>) {
        for (client, scopes) in clients {
            let known = self.0.entry(client).or_default();
            known.is_exported = true;
            known.scopes.extend(scopes);
            known.scopes.sort_unstable();
            known.scopes.dedup();
        }
    }

    /// Streams apps and grants.
    pub(super) async fn stream(
        self,
        sink: &Sink,
        clients: &mut Clients<'_>,
        network: &NetworkPolicy,
    ) -> Result<()> {
        for (id, delegated) in self.0 {
            let added = delegated.added.as_ref().map(|(at, _)| *at);
            let is_removed = delegated.removed.is_some_and(|removed| Some(removed) >= added);
            if is_removed && !delegated.is_exported {
                continue;
            }
            let client = Client::delegated(&id);
            let name = clients.introduce(client, sink).await?;
            let grant = Grant { network: network.clone(), ..grant(id, name, delegated) };
            sink.send(Record::Grant(Box::new(grant))).await?;
        }
        Ok(())
    }
}

/// The gap that is left without an export.
pub(super) fn no_export() -> Gap {
    let detail = format!(
        "no interface lists clients with domain-wide delegation, and the log reaches back 180 days: export them ({CONSOLE}) and name the file in `import`"
    );
    Gap::new(Reason::PlatformSilent, FACET, detail)
}

fn grant(client: String, app_name: String, delegated: Delegated) -> Grant {
    let silent = |detail: &str| Gap::new(Reason::PlatformSilent, FACET, detail);
    let unseen = silent("the log of the last 180 days does not have its authorisation");
    let unused = silent("Google does not tell when a delegation was used");
    let (granted_at, granted_by) = match delegated.added {
        Some((at, by)) => (
            Observed::Known(at),
            by.map_or_else(|| Observed::Unknown(unseen.clone()), Observed::Known),
        ),
        None => (Observed::Unknown(unseen.clone()), Observed::Unknown(unseen)),
    };
    let scopes = if delegated.scopes.is_empty() {
        Observed::Unknown(silent("neither the log nor the export tells its scopes"))
    } else {
        Observed::Known(delegated.scopes.into_iter().map(Scope::named).collect())
    };
    Grant {
        id: format!("delegation:{client}"),
        app: client,
        app_name,
        kind: GrantKind::Delegation,
        holder: Holder::Tenant,
        scopes,
        granted_at,
        granted_by,
        last_used_at: Observed::Unknown(unused.clone()),
        use_count: Observed::Unknown(unused),
        // https://support.google.com/a/answer/162106: it lasts until an administrator deletes it.
        expires: Observed::Known(Expiry::Never),
        // The client's key gives new tokens without a person.
        refreshable: Observed::Known(true),
        network: NetworkPolicy { binding: Observed::Absent, look_alikes: Vec::new() },
        sender_constrained: Observed::Known(false),
        // Only super administrators can make one.
        approval: Observed::Known(Approval::AdminApproved),
    }
}
