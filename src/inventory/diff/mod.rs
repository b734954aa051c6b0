//! [`Diff`]: what differs between two snapshots, tenant by tenant. It compares facts and judges none.
//!
//! What one snapshot could not see is neither new nor gone: it is listed as [`NotCompared`]. Grants stay on disk, however many differ; a
//! report gets the changes one by one, in an order that is the same every time.

mod blanks;
mod change;
mod compare;
mod coverage;
mod fact;
mod grants;
mod kind;
mod light;
mod names;
mod outline;
mod pairs;
mod shape;
mod tenants;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::InventoryError;
use blanks::Blanks;
pub use change::{Change, NotCompared, Side, Subject, SubjectKind};
use coverage::Withheld;
pub use coverage::{Lost, lost};
pub use kind::Kind;
use names::Names;
pub use outline::{Outline, TenantOutline};
use tenants::Pair;

/// What to compare.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Only tenants of these names; all if there is none.
    pub tenants: &'a [String],
    /// Also the platforms' own apps.
    pub all: bool,
}

/// What differs between two snapshots.
#[derive(Debug)]
pub struct Diff<'a> {
    /// The older one.
    pub old: &'a Outline,
    /// The newer one.
    pub new: &'a Outline,
    /// The tenants of both, by name.
    pub tenants: Vec<TenantDiff>,
    /// What cannot be compared, by tenant.
    pub not_compared: Vec<NotCompared>,
    pairs: Vec<Pair<'a>>,
    entries: Vec<Entry>,
}

/// One tenant of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantDiff {
    /// The user's name for it, in the newer snapshot if it is there.
    pub name: String,
    /// Platform id.
    pub platform: String,
    /// The platform's id of the account; null if it could not be read.
    pub id: Option<String>,
    /// Whether it was compared.
    pub state: State,
    /// What the older snapshot has of it; null if it has not.
    pub old: Option<Numbers>,
    /// What the newer snapshot has of it; null if it has not.
    pub new: Option<Numbers>,
    /// How many changes are listed, by kind.
    pub changes: BTreeMap<Kind, u64>,
    /// How many changes concern the platform's own apps and are not listed.
    pub hidden: u64,
}

/// Whether a tenant was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is in both, and was read both times.
    Compared,
    /// Only the newer snapshot has it.
    New,
    /// Only the older snapshot has it.
    Gone,
    /// It could not be read, or nothing tells which tenant it is.
    NotComparable,
}

/// How much of a tenant was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Numbers {
    /// Apps.
    pub apps: u64,
    /// Grants.
    pub grants: u64,
    /// Credentials.
    pub credentials: u64,
    /// Whether everything that was promised was read.
    pub complete: bool,
}

/// One change, small: a change of grants is made again from the file when it is wanted.
#[derive(Debug)]
struct Entry {
    /// Index into [`Diff::tenants`].
    tenant: u32,
    /// Index into the names of the tenant's apps; the tenant itself comes first.
    app: Option<u32>,
    kind: Kind,
    id: Box<str>,
    what: What,
}

#[derive(Debug)]
enum What {
    Held(Box<Change>),
    /// The places of a grant in the older file and in the newer.
    Grant(Option<u64>, Option<u64>),
}

impl<'a> Diff<'a> {
    /// Compares two snapshots.
    ///
    /// # Errors
    /// If a file cannot be read any more.
    pub fn of(
        old: &'a Outline,
        new: &'a Outline,
        options: Options<'_>,
    ) -> Result<Self, InventoryError> {
        let mut diff = Self {
            old,
            new,
            tenants: Vec::new(),
            not_compared: Vec::new(),
            pairs: Vec::new(),
            entries: Vec::new(),
        };
        let mut pairs = tenants::pair(old, new);
        let is_wanted = |pair: &Pair<'_>| {
            options.tenants.is_empty() || pair.names().any(|name| options.tenants.contains(name))
        };
        pairs.retain(is_wanted);
        for pair in pairs {
            diff.tenant(pair, options.all)?;
        }
        diff.not_compared.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(diff)
    }

    /// Whether nothing that is listed changed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many changes are listed.
    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// How many changes are listed, by kind.
    pub fn counts(&self) -> BTreeMap<Kind, u64> {
        let mut counts = BTreeMap::new();
        for entry in &self.entries {
            *counts.entry(entry.kind).or_default() += 1;
        }
        counts
    }

    /// How many changes concern the platforms' own apps and are not listed.
    pub fn hidden(&self) -> u64 {
        self.tenants.iter().map(|tenant| tenant.hidden).sum()
    }

    /// Whether everything that two scans can see was compared.
    pub fn is_whole(&self) -> bool {
        !self.not_compared.iter().any(|blank| blank.counts)
    }

    /// Gives every change: by tenant, app, kind and id.
    ///
    /// # Errors
    /// If a file cannot be read any more; also what `each` returns.
    pub fn for_each<E: From<InventoryError>>(
        &self,
        mut each: impl FnMut(&Change) -> Result<(), E>,
    ) -> Result<(), E> {
        self.for_each_in_its_tenant(|_, change| each(change))
    }

    /// The same, each with the index of its tenant in [`Diff::tenants`].
    ///
    /// # Errors
    /// As [`Diff::for_each`].
    pub fn for_each_in_its_tenant<E: From<InventoryError>>(
        &self,
        mut each: impl FnMut(usize, &Change) -> Result<(), E>,
    ) -> Result<(), E> {
        for entry in &self.entries {
            let at = usize::try_from(entry.tenant).unwrap_or_default();
            match &entry.what {
                What::Held(change) => each(at, change)?,
                What::Grant(old, new) => {
                    let then = old.map(|offset| self.old.grant(offset)).transpose()?;
                    let now = new.map(|offset| self.new.grant(offset)).transpose()?;
                    if let Some(pair) = self.pairs.get(at)
                        && let Some(change) =
                            grants::change(pair, entry.kind, then.as_ref(), now.as_ref())
                    {
                        each(at, &change)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn tenant(&mut self, pair: Pair<'a>, all: bool) -> Result<(), InventoryError> {
        let at = u32::try_from(self.tenants.len()).unwrap_or(u32::MAX);
        let mut found = Found { tenant: at, all, ..Found::default() };
        match (pair.state, pair.old, pair.new) {
            (State::Compared, Some(old), Some(new)) => {
                let mut blanks = Blanks::new(old, new);
                let withheld = Withheld::of(
                    (old, self.old.header.taken_at),
                    (new, self.new.header.taken_at),
                    &mut blanks,
                );
                pairs::apps(&pair, old, new, &withheld, &mut blanks, &mut found);
                let both = [self.old.header.taken_at, self.new.header.taken_at];
                pairs::credentials(&pair, both, &withheld, &mut blanks, &mut found);
                grants::compare(&pair, (self.old, self.new), &withheld, &mut blanks, &mut found)?;
                self.not_compared.extend(blanks.finish(pair.name(), pair.platform()));
            }
            (State::New | State::Gone, ..) => found.entries.push(Entry {
                tenant: at,
                app: None,
                kind: if pair.new.is_some() { Kind::TenantNew } else { Kind::TenantGone },
                id: pair.id().unwrap_or_default().into(),
                what: What::Held(Box::new(pair.change())),
            }),
            (State::Compared | State::NotComparable, ..) => {
                self.not_compared.extend(pair.not_compared());
            }
        }
        let Found { mut entries, names, hidden, .. } = found;
        let ranks = names.ranks();
        for entry in &mut entries {
            entry.app = entry.app.and_then(|app| ranks.get(usize::try_from(app).ok()?).copied());
        }
        entries.sort_by(|a, b| (a.app, a.kind, &a.id).cmp(&(b.app, b.kind, &b.id)));
        let mut changes = BTreeMap::new();
        entries.iter().for_each(|entry| *changes.entry(entry.kind).or_default() += 1);
        self.tenants.push(TenantDiff {
            name: pair.name().to_owned(),
            platform: pair.platform().to_owned(),
            id: pair.id().map(ToOwned::to_owned),
            state: pair.state,
            old: pair.old.map(Numbers::of),
            new: pair.new.map(Numbers::of),
            changes,
            hidden,
        });
        self.entries.append(&mut entries);
        self.pairs.push(pair);
        Ok(())
    }
}

/// What was found in one tenant.
#[derive(Default)]
struct Found {
    tenant: u32,
    all: bool,
    entries: Vec<Entry>,
    names: Names,
    hidden: u64,
}

impl Found {
    /// The number of an app that changes may be listed of; `None` of the platform's own, unless they are wanted.
    fn app(&mut self, pair: &Pair<'_>, app: &str, fallback: &str) -> Option<u32> {
        let is_listed = self.all || !pair.is_platform(app);
        is_listed.then(|| self.names.number(pair.app_name(app, fallback), app))
    }

    /// Takes a change of an app in, or of something of it.
    fn add(&mut self, app: Option<u32>, kind: Kind, id: &str, what: What) {
        match app {
            Some(_) => {
                let tenant = self.tenant;
                self.entries.push(Entry { tenant, app, kind, id: id.into(), what });
            }
            None => self.hidden += 1,
        }
    }
}

impl Numbers {
    fn of(tenant: &TenantOutline) -> Self {
        Self {
            apps: tenant.apps.len() as u64,
            grants: tenant.grants(),
            credentials: tenant.credentials.len() as u64,
            complete: tenant.end.is_whole(),
        }
    }
}
