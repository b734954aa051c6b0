//! Explains a scope: what it allows in each of its kinds, how grave that is and why, what would be less, and who holds it.

use std::{collections::BTreeMap, io};

use grantwarden_kit::model::Scope;

use super::{
    super::Failure,
    holders::{Holders, Wanted},
};
use crate::{
    exit::Exit,
    inventory::Inventory,
    registry,
    report::plain,
    scopes::{Assessment, Catalog, Kind, ScopeEntry},
};

/// Included scopes that are named.
const NAMED: usize = 12;

/// `platform:scope`, or a scope of any platform. `None`: there is no such scope.
pub(super) fn explain(
    out: &mut impl io::Write,
    what: &str,
    inventory: Option<&Inventory>,
) -> Result<Option<Exit>, Failure> {
    let catalogs = registry::catalogs().map_err(|error| Failure::new(Exit::Internal, &error))?;
    let (platform, name) = match what.split_once(':') {
        Some((platform, name)) if catalogs.contains_key(platform) => (Some(platform), name),
        _ => (None, what),
    };
    let asked: BTreeMap<&str, &Catalog> = catalogs
        .iter()
        .filter(|(id, _)| platform.is_none_or(|platform| platform == **id))
        .map(|(id, catalog)| (*id, catalog))
        .collect();
    let entries: Vec<(&Catalog, &ScopeEntry)> = asked
        .values()
        .flat_map(|catalog| catalog.named(name).map(|entry| (*catalog, entry)))
        .collect();
    let holders = inventory
        .map(|inventory| Holders::collect(inventory, &asked, name, &entries))
        .transpose()?;
    let mut strangers: Vec<(&str, Scope)> = holders
        .iter()
        .flat_map(Holders::strangers)
        .map(|(id, scope)| (id, scope.clone()))
        .collect();
    let is_right = asked.values().any(|catalog| catalog.privilege(name).is_some());
    if let (true, true, false, Some(platform)) =
        (entries.is_empty(), strangers.is_empty(), is_right, platform)
    {
        strangers.push((platform, Scope::named(name)));
    }
    let is_known = !entries.is_empty() || !strangers.is_empty();
    let mut is_whole = true;
    for (nth, (catalog, entry)) in entries.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        known(out, catalog, entry)?;
        is_whole &= who(out, holders.as_ref(), catalog.platform(), &Wanted::Entry(nth))?;
    }
    for (nth, (platform, scope)) in strangers.into_iter().enumerate() {
        let Some(catalog) = asked.get(platform) else { continue };
        if nth > 0 || !entries.is_empty() {
            writeln!(out)?;
        }
        stranger(out, catalog, &scope)?;
        let wanted = Wanted::Stranger(platform.to_owned(), scope);
        is_whole &= who(out, holders.as_ref(), platform, &wanted)?;
    }
    Ok(is_known.then_some(if is_whole { Exit::Clean } else { Exit::Incomplete }))
}

/// Who holds it, or how to ask. Whether everybody was seen who could.
fn who(
    out: &mut impl io::Write,
    holders: Option<&Holders<'_>>,
    platform: &str,
    wanted: &Wanted,
) -> Result<bool, Failure> {
    match holders {
        Some(holders) => holders.write(out, platform, wanted),
        None => {
            writeln!(
                out,
                "Who holds it: add --inventory FILE (`grantwarden scan --export FILE` writes one)"
            )?;
            Ok(true)
        }
    }
}

/// One scope of a catalog, of one resource, in each of its kinds.
fn known(out: &mut impl io::Write, catalog: &Catalog, entry: &ScopeEntry) -> Result<(), Failure> {
    let resource = entry.resource.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let kinds = [(Kind::Delegated, ", for a user"), (Kind::AppOnly, ", without a user")];
    let told = kinds.into_iter().filter(|(kind, _)| entry.exists_as(*kind));
    let mut told: Vec<_> =
        told.map(|(kind, words)| (kind, words, catalog.assess_entry(entry, kind))).collect();
    // Where the platform does not tell kinds apart and it is the same in both, once is enough.
    if let [(_, words, user), (_, _, app)] = told.as_mut_slice()
        && entry.kinds.is_empty()
        && user == app
    {
        *words = "";
        told.truncate(1);
    }
    for (nth, (kind, words, found)) in told.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{}: {}{resource}{words}  ({})\n",
            catalog.platform(),
            found.name,
            found.severity
        )?;
        judged(out, found, *kind)?;
    }
    if !entry.implies.is_empty() {
        let named: Vec<&str> = entry.implies.iter().take(NAMED).map(String::as_str).collect();
        let more = entry.implies.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "Includes: {}{more}", named.join(", "))?;
    }
    if !entry.narrower.is_empty() {
        writeln!(out, "Narrower: {}", entry.narrower.join(", "))?;
    }
    combinations(out, catalog, entry)?;
    writeln!(out, "Source: {}", entry.source)?;
    match &entry.checked {
        Some(page) => writeln!(out, "Checked against: {page}")?,
        None => writeln!(out, "Judged by name, family and product; not checked by hand.")?,
    }
    Ok(())
}

/// With which other scopes it is more than by itself.
fn combinations(
    out: &mut impl io::Write,
    catalog: &Catalog,
    entry: &ScopeEntry,
) -> Result<(), Failure> {
    for combination in catalog.combinations() {
        let members: Vec<&ScopeEntry> =
            combination.members.iter().filter_map(|at| catalog.entries().get(*at)).collect();
        if !members.iter().any(|member| std::ptr::eq(*member, entry)) {
            continue;
        }
        let others: Vec<&str> = members
            .iter()
            .filter(|member| !std::ptr::eq(**member, entry))
            .map(|member| member.name.as_str())
            .collect();
        let kind = match combination.entry.kinds.as_slice() {
            [kind] => *kind,
            _ => Kind::Delegated,
        };
        let found = catalog.assess_entry(&combination.entry, kind);
        writeln!(
            out,
            "Together with {}: {} ({})",
            others.join(" and "),
            found.meaning,
            found.severity
        )?;
    }
    Ok(())
}

/// A scope that no catalog has.
fn stranger(out: &mut impl io::Write, catalog: &Catalog, scope: &Scope) -> Result<(), Failure> {
    let resource =
        scope.resource.as_ref().map(|name| format!(" of {}", plain(name))).unwrap_or_default();
    let found = catalog.assess(scope, Kind::Delegated);
    let platform = catalog.platform();
    writeln!(out, "{platform}: {}{resource}  ({}, derived)\n", plain(&found.name), found.severity)?;
    judged(out, &found, Kind::Delegated)?;
    writeln!(
        out,
        "No catalog has it: what is said here was concluded from the words in its name."
    )?;
    Ok(())
}

/// What it allows, and why it is as grave as it is.
fn judged(out: &mut impl io::Write, found: &Assessment<'_>, kind: Kind) -> Result<(), Failure> {
    let (first, rest) = found.severity.as_str().split_at(1);
    writeln!(out, "{}\nIt {}.", found.meaning, found.sentence(kind))?;
    writeln!(out, "{}{rest}, because {}.", first.to_uppercase(), found.weight())?;
    Ok(())
}
