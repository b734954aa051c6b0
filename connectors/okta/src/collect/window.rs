//! [`Window`]: grants on their way out, held back until there are enough of them to look their people up in few calls.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::Ledger,
    model::{Grant, Holder, Observed, Record, Scope},
};

use super::people::People;

/// Grants that are held back at most.
const ROOM: usize = 1_000;
/// The resource of scopes that stand for administrator roles in the scope catalog.
pub(super) const ROLE: &str = "Administrator role";

/// A grant whose people are still ids.
pub(super) struct Pending {
    pub(super) facet: &'static str,
    /// `holder` and `granted_by` are filled in from the ids below.
    pub(super) grant: Grant,
    /// The user behind it.
    pub(super) holder: Option<String>,
    /// The user who gave it.
    pub(super) granted_by: Option<String>,
    /// Acts with all rights of its user, so that the user's roles are scopes of it.
    pub(super) has_roles: bool,
}

/// Grants on their way out.
pub(super) struct Window<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) sink: &'a Sink,
    people: People<'a>,
    held: Vec<Pending>,
    /// Consents of users that were taken, in eight bytes each.
    personal: HashSet<u64>,
}

impl<'a> Window<'a> {
    pub(super) fn new(ledger: &'a Ledger, sink: &'a Sink, people: People<'a>) -> Self {
        Self { ledger, sink, people, held: Vec::new(), personal: HashSet::new() }
    }

    /// Takes a grant.
    pub(super) async fn push(&mut self, pending: Pending) -> Result<()> {
        self.held.push(pending);
        if self.held.len() >= ROOM { self.flush().await } else { Ok(()) }
    }

    /// Takes a consent, and remembers a user's: it may be listed with the user, too.
    pub(super) async fn push_consent(&mut self, pending: Pending) -> Result<()> {
        if pending.holder.is_some() {
            self.push_once(pending).await
        } else {
            self.push(pending).await
        }
    }

    /// Takes a grant of a user, unless one with its id was taken before: consents may be listed with the app and with the user.
    pub(super) async fn push_once(&mut self, pending: Pending) -> Result<()> {
        let mut hasher = DefaultHasher::new();
        pending.grant.id.hash(&mut hasher);
        if self.personal.insert(hasher.finish()) { self.push(pending).await } else { Ok(()) }
    }

    /// Looks up the people of what is held back, and hands it over.
    pub(super) async fn flush(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let holders = held.iter().filter_map(|pending| pending.holder.as_deref());
        let givers = held.iter().filter_map(|pending| pending.granted_by.as_deref());
        let givers = givers.filter(|id| is_user(id));
        let (holders, givers): (Vec<&str>, Vec<&str>) = (holders.collect(), givers.collect());
        let powerful = held.iter().filter(|pending| pending.has_roles);
        let powerful: Vec<&str> =
            powerful.filter_map(|pending| pending.holder.as_deref()).collect();
        self.people.meet(&holders, &givers, &powerful).await?;
        for pending in held {
            let facet = pending.facet;
            let grant = self.complete(pending);
            self.sink.send(Record::Grant(Box::new(grant))).await?;
            self.ledger.read(facet, 1);
        }
        Ok(())
    }

    fn complete(&self, pending: Pending) -> Grant {
        let Pending { mut grant, holder, granted_by, has_roles, .. } = pending;
        if let Some(id) = &holder {
            grant.holder = Holder::Principal(self.people.principal(id));
        }
        if let Some(id) = &granted_by {
            grant.granted_by = if is_user(id) {
                self.people.name(id)
            } else {
                // Okta itself, for one.
                Observed::Known(id.clone())
            };
        }
        if has_roles
            && let (Observed::Known(scopes), Some(id)) = (&mut grant.scopes, &holder)
            && let Observed::Known(roles) = self.people.privileges(id)
        {
            // The catalog knows roles by their type.
            let kind = |role: &str| role.split(':').next().unwrap_or(role).to_owned();
            scopes.extend(roles.iter().map(|role| role_scope(kind(role))));
        }
        grant
    }

    /// Hands the rest over. `is_whole`: everything that somebody holds was read.
    pub(super) async fn finish(mut self, is_whole: bool) -> Result<()> {
        self.flush().await?;
        self.people.finish(is_whole);
        Ok(())
    }
}

/// Whether an id is a user's (API sheet, section 6).
fn is_user(id: &str) -> bool {
    id.starts_with("00u")
}

/// An administrator role as a scope.
pub(super) fn role_scope(name: String) -> Scope {
    Scope { name, resource: Some(ROLE.to_owned()) }
}
