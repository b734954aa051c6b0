//! Domain-wide delegation: clients that may act as any user. No interface lists them: what is known comes from the administrator's
//! export and from changes that the admin log still has.

use std::{cmp::Ordering, collections::BTreeMap};

use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{
        Approval, AuditEvent, Expiry, Gap, Grant, GrantKind, Holder, NetworkPolicy, Observed,
        Reason, Record, Scope, Timestamp,
    },
};

use super::{
    audit,
    clients::{Client, Clients},
    export,
    grant_events::book_unreadable,
    log::{self, LogQuery},
};
use crate::{account::Account, api::Activity};

pub(super) const FACET: &str = "domain-wide-delegation";
const ADD: &str = "AUTHORIZE_API_CLIENT_ACCESS";
const REMOVE: &str = "REMOVE_API_CLIENT_ACCESS";
const CONSOLE: &str = "Admin console > Security > Access and data control > API controls > Manage domain-wide delegation > Download client info";

const AS_OF_EXPORT: &str = "as of the export, whose age is not known: changes between it and what the log still has are not seen";

/// What is known of one delegated client.
#[derive(Debug, Default)]
struct Delegated {
    scopes: Vec<String>,
    added: Option<(Timestamp, Option<String>)>,
    removed: Option<Timestamp>,
    is_exported: bool,
}

/// Delegated clients, read and not yet told.
#[derive(Default)]
pub(super) struct Delegations {
    /// By client id.
    clients: BTreeMap<String, Delegated>,
    /// Rows of the log and the export, booked when they were told.
    read: u64,
    /// Authorisations that name no client.
    nameless: u64,
}

impl Delegations {
    /// Reads the export and the log.
    pub(super) async fn read(
        account: &Account,
        ledger: &Ledger,
        told: &mut Vec<AuditEvent>,
    ) -> Result<Self> {
        let mut all = Self::default();
        if ledger.skipped(FACET).is_some() {
            return Ok(all);
        }
        for event in [ADD, REMOVE] {
            let query = LogQuery::all(account, "list changes of delegation", "admin", event);
            let read = log::read(account, &query, |at, entry| {
                all.replay(at, entry);
                told.extend(audit::changes(FACET, at, entry, |name| name == event));
            });
            match read.await {
                Ok(end) => {
                    all.read += end.entries;
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
                    all.read += clients.len() as u64;
                    all.adopt(clients);
                    ledger.note(FACET, AS_OF_EXPORT);
                }
                Err(message) => {
                    let error = Error::new(ErrorKind::Configuration, message)
                        .with_hint(format!("export it anew: {CONSOLE}"));
                    ledger.fail(FACET, &error);
                }
            },
        }
        Ok(all)
    }

    fn replay(&mut self, at: Timestamp, entry: &Activity) {
        let ours = entry.events.iter().filter(|event| matches!(event.name.as_str(), ADD | REMOVE));
        for event in ours {
            let Some(client) = event.text("API_CLIENT_NAME") else {
                self.nameless += u64::from(event.name == ADD);
                continue;
            };
            let known = self.clients.entry(client.to_owned()).or_default();
            if event.name == REMOVE {
                known.removed = known.removed.max(Some(at));
                continue;
            }
            let scopes = event.texts("API_SCOPES");
            match known.added.as_ref().map(|(newest, _)| newest.cmp(&at)) {
                Some(Ordering::Greater) => {}
                // Which of the two holds, nobody tells.
                Some(Ordering::Equal) => known.add_scopes(scopes),
                // Who changes a client writes its scopes anew.
                Some(Ordering::Less) | None => {
                    known.scopes = scopes;
                    known.added = Some((at, entry.actor.anybody().map(ToOwned::to_owned)));
                }
            }
        }
    }

    /// Takes what the export lists: it is the whole truth of its day, so that it outweighs a removal in the log, which may be older.
    fn adopt(&mut self, clients: BTreeMap<String, Vec<String>>) {
        for (client, scopes) in clients {
            let known = self.clients.entry(client).or_default();
            known.is_exported = true;
            known.add_scopes(scopes);
        }
    }

    /// Streams apps and grants, and books them when all are told.
    pub(super) async fn stream(
        self,
        ledger: &Ledger,
        sink: &Sink,
        clients: &mut Clients<'_>,
        network: &NetworkPolicy,
    ) -> Result<()> {
        if ledger.skipped(FACET).is_some() {
            return Ok(());
        }
        for (id, delegated) in self.clients {
            let added = delegated.added.as_ref().map(|(at, _)| *at);
            if !delegated.is_exported && delegated.removed > added {
                continue;
            }
            if !delegated.is_exported && delegated.removed.is_some() && delegated.removed == added {
                let detail = format!(
                    "the log has an authorisation and a removal of {id} at the same instant, and not their order: it is taken for authorised"
                );
                ledger.lose(Gap::new(Reason::PlatformSilent, FACET, detail), None);
            }
            let client = Client::delegated(&id);
            let name = clients.introduce(client, sink).await?;
            let grant = Grant { network: network.clone(), ..grant(id, name, delegated) };
            sink.send(Record::Grant(Box::new(grant))).await?;
        }
        ledger.read(FACET, self.read);
        if self.nameless > 0 {
            let detail = "authorisations in the log name no client";
            ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), Some(self.nameless));
        }
        ledger.settle(FACET);
        Ok(())
    }
}

impl Delegated {
    fn add_scopes(&mut self, scopes: Vec<String>) {
        self.scopes.extend(scopes);
        self.scopes.sort_unstable();
        self.scopes.dedup();
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
        settings: Vec::new(),
        sender_constrained: Observed::Known(false),
        // Only super administrators can make one.
        approval: Observed::Known(Approval::AdminApproved),
    }
}
