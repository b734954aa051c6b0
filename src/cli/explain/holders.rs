//! Who holds a scope in an inventory: which apps in which tenants, for whom, and whether directly or by a scope that includes it.
//!
//! The records stream past; what is kept grows with the apps, not with the grants. What was not seen is said.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use grantwarden_kit::model::{Grant, Holder, Observed, Record, Scope, Timestamp};

use super::super::Failure;
use crate::{
    inventory::{Inventory, TenantRecords},
    report::plain,
    scan::JudgeError,
    scopes::{Catalog, Kind, ScopeEntry},
};

/// Apps of a tenant that are named.
const APPS: usize = 20;

/// Holders of an app that are named.
const NAMED: usize = 3;

/// A scope that is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// One that a catalog has: its place among those that were asked for.
    Entry(usize),
    /// One that no catalog has, with its platform.
    Stranger(String, Scope),
}

/// Who holds the scopes of a name.
pub(super) struct Holders<'i> {
    inventory: &'i Inventory,
    /// By scope, then by tenant and app.
    held: BTreeMap<Wanted, BTreeMap<(usize, String), Holding>>,
    /// How many grants of a tenant have scopes that are not visible.
    unseen: BTreeMap<usize, u64>,
}

/// How one app holds a scope.
#[derive(Debug, Default)]
struct Holding {
    app: String,
    grants: u64,
    /// Grants that have it only by a scope that includes it, by that scope.
    through: BTreeMap<String, u64>,
    /// Grants whose own scopes are not visible, so that the app's registration says the most they can have.
    at_most: u64,
    whom: BTreeSet<String>,
    has_more: bool,
    last_used: Option<Timestamp>,
    /// Whether the last use of a grant is not visible.
    is_use_hidden: bool,
}

/// How a grant has a scope; the plainest way first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Way<'c> {
    Itself,
    Through(&'c str),
}

impl<'i> Holders<'i> {
    /// Looks through an inventory for these entries, and for scopes of that name that no catalog has.
    pub(super) fn collect(
        inventory: &'i Inventory,
        catalogs: &BTreeMap<&str, &Catalog>,
        name: &str,
        entries: &[(&Catalog, &ScopeEntry)],
    ) -> Result<Self, Failure> {
        let mut holders = Self { inventory, held: BTreeMap::new(), unseen: BTreeMap::new() };
        inventory.for_each::<JudgeError>(|at, record| {
            let tenant = &inventory.tenants[at];
            let (Record::Grant(grant), Some(catalog)) =
                (record, catalogs.get(tenant.end.platform.as_str()))
            else {
                return Ok(());
            };
            let Some((scopes, is_most)) = scopes_of(tenant, &grant) else {
                *holders.unseen.entry(at).or_default() += 1;
                return Ok(());
            };
            let kind = Kind::of(&grant);
            for (nth, (_, wanted)) in entries
                .iter()
                .enumerate()
                .filter(|(_, (of, _))| of.platform() == catalog.platform())
            {
                let ways = scopes.iter().filter_map(|scope| way(catalog, scope, wanted, kind));
                if let Some(way) = ways.min() {
                    holders.note(Wanted::Entry(nth), at, &grant, &way, is_most);
                }
            }
            let strangers: BTreeSet<&Scope> = scopes
                .iter()
                .filter(|scope| scope.name.eq_ignore_ascii_case(name))
                .filter(|scope| catalog.entry(scope).is_none())
                .collect();
            for scope in strangers {
                let wanted = Wanted::Stranger(tenant.end.platform.clone(), scope.clone());
                holders.note(wanted, at, &grant, &Way::Itself, is_most);
            }
            Ok(())
        })?;
        Ok(holders)
    }

    /// The scopes of that name that somebody holds and no catalog has, with their platforms.
    pub(super) fn strangers(&self) -> impl Iterator<Item = (&str, &Scope)> {
        self.held.keys().filter_map(|wanted| match wanted {
            Wanted::Stranger(platform, scope) => Some((platform.as_str(), scope)),
            Wanted::Entry(_) => None,
        })
    }

    fn note(&mut self, wanted: Wanted, at: usize, grant: &Grant, way: &Way<'_>, is_most: bool) {
        let tenant = &self.inventory.tenants[at];
        let name = tenant.apps.get(&grant.app).map_or(&grant.app_name, |app| &app.name);
        let apps = self.held.entry(wanted).or_default();
        let holding = apps.entry((at, grant.app.clone())).or_default();
        holding.app.clone_from(name);
        holding.add(grant, way, is_most);
    }

    /// Says who holds the scope in each tenant of the platform, and gives whether all of them were read whole.
    pub(super) fn write(
        &self,
        out: &mut impl io::Write,
        platform: &str,
        wanted: &Wanted,
    ) -> Result<bool, Failure> {
        let taken = self.inventory.header.taken_at.date();
        let tenants = self.inventory.tenants.iter().enumerate();
        let tenants: Vec<_> =
            tenants.filter(|(_, tenant)| tenant.end.platform == platform).collect();
        if tenants.is_empty() {
            writeln!(out, "Who holds it: the snapshot of {taken} has no tenant of {platform}.")?;
            return Ok(true);
        }
        writeln!(out, "Who holds it in the snapshot of {taken}:")?;
        let mut is_whole = true;
        for (at, tenant) in tenants {
            self.write_tenant(out, at, tenant, wanted)?;
            if !tenant.end.is_whole() {
                is_whole = false;
                writeln!(out, "    Not everything could be read there: there may be others.")?;
            }
        }
        Ok(is_whole)
    }

    fn write_tenant(
        &self,
        out: &mut impl io::Write,
        at: usize,
        tenant: &TenantRecords,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        let held = self.held.get(wanted).into_iter().flatten();
        let mut holdings: Vec<&Holding> =
            held.filter(|((of, _), _)| *of == at).map(|(_, holding)| holding).collect();
        holdings.sort_by(|a, b| b.grants.cmp(&a.grants).then_with(|| a.app.cmp(&b.app)));
        let grants: u64 = holdings.iter().map(|holding| holding.grants).sum();
        let apps = u64::try_from(holdings.len()).unwrap_or(u64::MAX);
        let tenant = plain(&tenant.end.name);
        if holdings.is_empty() {
            writeln!(out, "- {tenant}: nobody whose scopes were seen")?;
        } else {
            writeln!(out, "- {tenant}: {} of {}", counted(grants, "grant"), counted(apps, "app"))?;
        }
        for holding in holdings.iter().take(APPS) {
            writeln!(out, "    {}", holding.line())?;
        }
        if holdings.len() > APPS {
            writeln!(out, "    and {} more apps", holdings.len() - APPS)?;
        }
        if let Some(unseen) = self.unseen.get(&at) {
            writeln!(out, "    The scopes of {} are not visible.", counted(*unseen, "grant"))?;
        }
        Ok(())
    }
}

impl Holding {
    fn add(&mut self, grant: &Grant, way: &Way<'_>, is_most: bool) {
        self.grants += 1;
        self.at_most += u64::from(is_most);
        if let Way::Through(scope) = way {
            *self.through.entry((*scope).to_owned()).or_default() += 1;
        }
        let whom = match &grant.holder {
            Holder::Principal(principal) => principal.label(),
            Holder::Tenant => "any user of the tenant",
            Holder::App => "the app itself",
        };
        if !self.whom.contains(whom) {
            if self.whom.len() < NAMED {
                self.whom.insert(whom.to_owned());
            } else {
                self.has_more = true;
            }
        }
        match &grant.last_used_at {
            Observed::Known(used) => self.last_used = self.last_used.max(Some(*used)),
            Observed::Absent => {}
            Observed::Unknown(_) => self.is_use_hidden = true,
        }
    }

    /// `Drift: 3 grants for jane@acme.example; last used on 2026-01-10`.
    fn line(&self) -> String {
        let mut whom: Vec<String> = self.whom.iter().map(|name| plain(name)).collect();
        if self.has_more {
            whom.push("others".to_owned());
        }
        let used = match (self.last_used, self.is_use_hidden) {
            (Some(used), _) => format!("last used on {}", used.date()),
            (None, false) => "never used".to_owned(),
            (None, true) => "last use not visible".to_owned(),
        };
        let mut line = format!(
            "{}: {} for {}; {used}",
            plain(&self.app),
            counted(self.grants, "grant"),
            whom.join(", ")
        );
        for (scope, grants) in &self.through {
            let which =
                if *grants == self.grants { String::new() } else { format!("{grants} of them ") };
            line.push_str(&format!("; {which}by `{scope}`, which includes it"));
        }
        if self.at_most > 0 {
            line.push_str("; at most, by the app's registration");
        }
        line
    }
}

/// The scopes of a grant, and whether they are only the most that it can have. `None`: not visible.
fn scopes_of<'r>(tenant: &'r TenantRecords, grant: &'r Grant) -> Option<(&'r [Scope], bool)> {
    match (&grant.scopes, tenant.apps.get(&grant.app).map(|app| &app.scopes)) {
        (Observed::Known(scopes), _) => Some((scopes, false)),
        (Observed::Absent, _) => Some((&[], false)),
        (Observed::Unknown(_), Some(Observed::Known(scopes))) => Some((scopes, true)),
        (Observed::Unknown(_), _) => None,
    }
}

/// How a scope of a grant gives the one that is looked for.
fn way<'c>(
    catalog: &'c Catalog,
    scope: &Scope,
    wanted: &ScopeEntry,
    kind: Kind,
) -> Option<Way<'c>> {
    let entry = catalog.entry(scope)?;
    if std::ptr::eq(entry, wanted) {
        return Some(Way::Itself);
    }
    let includes = entry.resource == wanted.resource
        && wanted.exists_as(kind)
        && entry.implies.contains(&wanted.name);
    includes.then_some(Way::Through(&entry.name))
}

/// `1 grant`, `2 grants`.
fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
