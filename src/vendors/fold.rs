//! Folds apps into vendors: apps that share a tie are one vendor's, and so on from app to app.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use grantwarden_kit::model::{App, Observed, Origin};

use super::{Confidence, Member, Party, Register, Tie, TieKind, Traits, Vendor, brands, ties};
use crate::inventory::{Inventory, TenantRecords};

/// A domain in which more than so many of a tenant's principals (in percent) have their sign-in names is the tenant's own. A guest, or a
/// vendor's support, must not make the vendor's apps the company's own: rules pass those.
const OWN_SHARE: u64 = 50;

/// The vendors behind an inventory's apps: third parties first, then by platforms, apps and grants, the most first.
///
/// Records that stand for people's own tokens, keys and passwords have nobody behind them and are left out. A domain that the register
/// gives to a vendor is not the company's own, whoever signs in there.
pub fn fold(inventory: &Inventory, register: Option<&Register>) -> Vec<Vendor> {
    of_tenants(&inventory.tenants, register)
}

/// The vendors behind the apps of these tenants.
pub(crate) fn of_tenants(tenants: &[TenantRecords], register: Option<&Register>) -> Vec<Vendor> {
    let own_domains: BTreeSet<String> = tenants
        .iter()
        .flat_map(|tenant| own_domains(&tenant.principal_domains))
        .filter(|domain| {
            brands::of_domain(domain).is_none()
                && register.is_none_or(|known| !known.claims_domain(domain))
        })
        .collect();
    let apps: Vec<Found<'_>> = tenants
        .iter()
        .flat_map(|tenant| tenant.apps.values().map(move |app| (tenant, app)))
        .filter(|(_, app)| !stands_for_people(app))
        .map(|(tenant, app)| Found {
            tenant,
            app,
            ties: ties::of(&tenant.end.platform, app, &own_domains),
        })
        .collect();
    let mut vendors: Vec<Vendor> =
        groups(&apps).into_iter().map(|group| vendor(&apps, &group, &own_domains)).collect();
    vendors.sort_by_cached_key(|vendor| {
        let size = (vendor.platforms.len(), vendor.apps.len(), vendor.grants);
        (vendor.party, Reverse(size), vendor.name.to_lowercase())
    });
    tell_apart(&mut vendors);
    vendors
}

/// Gives vendors of one name different ids. The first keeps the name, so that a namesake that comes later does not change it.
fn tell_apart(vendors: &mut [Vendor]) {
    let mut taken = BTreeSet::new();
    for vendor in vendors {
        if !taken.insert(vendor.id.clone()) {
            let app = vendor.apps.first();
            let key = app.and_then(|app| app.keys.first());
            let what = match (key, app) {
                (Some(tie), _) => format!("{} {}", tie.kind, tie.value),
                (None, Some(app)) => format!("{} of {}", app.app, app.tenant),
                (None, None) => String::new(),
            };
            vendor.id = format!("{} ({what})", vendor.name);
            taken.insert(vendor.id.clone());
        }
    }
}

/// Whether the tenant is known to be for trying things out.
fn is_sandbox(tenant: &TenantRecords) -> bool {
    tenant.tenant.as_ref().is_some_and(|tenant| tenant.sandbox.known() == Some(&true))
}

/// An app and what may tie it.
struct Found<'a> {
    tenant: &'a TenantRecords,
    app: &'a App,
    ties: BTreeSet<Tie>,
}

/// What stands for people's tokens of one kind has no client and nobody who publishes it.
fn stands_for_people(app: &App) -> bool {
    matches!(app.client_ids, Observed::Absent) && matches!(app.publisher, Observed::Absent)
}

/// The registrable domains in which most of a tenant's principals sign in: one, or none.
fn own_domains(principals: &BTreeMap<String, u64>) -> impl Iterator<Item = String> + use<> {
    let all: u64 = principals.values().sum();
    let mut by_domain: BTreeMap<String, u64> = BTreeMap::new();
    for (host, count) in principals {
        if let Some(domain) = ties::registrable(host) {
            *by_domain.entry(domain).or_default() += count;
        }
    }
    let is_own = move |count: u64| count.saturating_mul(100) > all.saturating_mul(OWN_SHARE);
    by_domain.into_iter().filter(move |(_, count)| is_own(*count)).map(|(domain, _)| domain)
}

/// Positions of apps that are tied to each other, directly or through others.
fn groups(apps: &[Found<'_>]) -> Vec<Vec<usize>> {
    let mut leaders: Vec<usize> = (0..apps.len()).collect();
    let mut first: BTreeMap<(TieKind, &str), usize> = BTreeMap::new();
    for (at, found) in apps.iter().enumerate() {
        for tie in &found.ties {
            let other = *first.entry(ties::key(tie)).or_insert(at);
            let (a, b) = (leader(&mut leaders, at), leader(&mut leaders, other));
            leaders[a.max(b)] = a.min(b);
        }
        if found.app.origin == Origin::Platform {
            let key = (TieKind::HomeTenant, found.tenant.end.platform.as_str());
            let other = *first.entry(key).or_insert(at);
            let (a, b) = (leader(&mut leaders, at), leader(&mut leaders, other));
            leaders[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..apps.len() {
        groups.entry(leader(&mut leaders, at)).or_default().push(at);
    }
    groups.into_values().collect()
}

/// The leader of a group; what is on the way to it is brought nearer.
fn leader(leaders: &mut [usize], mut at: usize) -> usize {
    while leaders[at] != at {
        leaders[at] = leaders[leaders[at]];
        at = leaders[at];
    }
    at
}

fn vendor(apps: &[Found<'_>], group: &[usize], own_domains: &BTreeSet<String>) -> Vendor {
    let found: Vec<&Found<'_>> = group.iter().map(|at| &apps[*at]).collect();
    let mut sharers: BTreeMap<(TieKind, &str), usize> = BTreeMap::new();
    for tie in found.iter().flat_map(|found| keys(found)) {
        *sharers.entry(tie).or_default() += 1;
    }
    let is_shared = |tie: &&Tie| {
        // The brand table is a party of its own: one app is enough to say so.
        tie.kind == TieKind::BrandName
            || sharers.get(&ties::key(tie)).is_some_and(|count| *count > 1)
    };
    let members: Vec<Member> = found
        .iter()
        .map(|found| Member {
            tenant: found.tenant.end.name.clone(),
            platform: found.tenant.end.platform.clone(),
            app: found.app.id.clone(),
            name: found.app.name.clone(),
            client_ids: found.app.client_ids.known().cloned().unwrap_or_default(),
            grants: found.tenant.grants_by_app.get(&found.app.id).copied().unwrap_or_default(),
            ties: found.ties.iter().filter(is_shared).cloned().collect(),
            keys: found.ties.iter().cloned().collect(),
            traits: Traits {
                is_platforms: found.app.origin == Origin::Platform,
                is_blocked: found.app.blocked.known() == Some(&true),
                is_installed: found.app.installed.known() == Some(&true),
                created_at: found.app.created_at.known().copied(),
                in_sandbox: is_sandbox(found.tenant),
            },
        })
        .collect();
    let platforms: BTreeSet<&str> = members.iter().map(|member| member.platform.as_str()).collect();
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let name = name(&found);
    Vendor {
        id: name.clone(),
        name,
        party: party(&found, own_domains),
        platforms: platforms.into_iter().map(ToOwned::to_owned).collect(),
        names: names.into_iter().map(ToOwned::to_owned).collect(),
        grants: members.iter().map(|member| member.grants).fold(0, u64::saturating_add),
        apps: members,
    }
}

/// What ties an app, each once: a domain that stands in two places is one.
fn keys<'a>(found: &'a Found<'_>) -> BTreeSet<(TieKind, &'a str)> {
    found.ties.iter().map(ties::key).collect()
}

fn name(found: &[&Found<'_>]) -> String {
    let ties = || found.iter().flat_map(|found| &found.ties);
    if let Some(brand) =
        ties().filter(|tie| tie.kind == TieKind::BrandName).min_by_key(|tie| tie.confidence)
    {
        return brand.value.clone();
    }
    let publishers = found.iter().filter_map(|found| {
        let publisher = found.app.publisher.known()?;
        let is_verified = publisher.verified.known() == Some(&true);
        (!brands::company(&publisher.name).is_empty()).then_some((is_verified, &publisher.name))
    });
    if let Some((_, name)) = most_common(publishers) {
        return name.clone();
    }
    let domains = ties()
        .filter(|tie| matches!(tie.kind, TieKind::RedirectDomain | TieKind::WebDomain))
        .map(|tie| (tie.confidence == Confidence::Likely, &tie.value));
    match (most_common(domains), found) {
        (Some((_, domain)), [_, _, ..]) => domain.clone(),
        _ => found.first().map_or_else(String::new, |found| found.app.name.clone()),
    }
}

/// The one that weighs most, of those the most frequent, of those the first in the alphabet.
fn most_common<'a>(values: impl Iterator<Item = (bool, &'a String)>) -> Option<(bool, &'a String)> {
    let mut counts: BTreeMap<(bool, &String), usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|((weighs, value), count)| (*weighs, *count, Reverse(*value)))
        .map(|(value, _)| value)
}

fn party(found: &[&Found<'_>], own_domains: &BTreeSet<String>) -> Party {
    let all = |origin| found.iter().all(|found| found.app.origin == origin);
    if all(Origin::Platform) {
        return Party::Platform;
    }
    let is_ours = |found: &&Found<'_>| {
        let mut hosts = found.app.redirect_domains.known().into_iter().flatten().peekable();
        let sends_home = hosts.peek().is_some()
            && hosts.all(|host| {
                ties::registrable(host).is_some_and(|domain| own_domains.contains(&domain))
            });
        found.app.origin == Origin::Own || (found.app.origin == Origin::ThirdParty && sends_home)
    };
    if found.iter().all(is_ours) { Party::Own } else { Party::Third }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_the_tenants_own_if_most_principals_sign_in_there() {
        for (principals, own) in [
            (&[("acme.example", 3), ("vendor.example", 2)][..], &["acme.example"][..]),
            (
                &[("eu.acme.example", 1), ("us.acme.example", 1), ("vendor.example", 1)],
                &["acme.example"],
            ),
            // Neither of two: nobody knows which is the guest.
            (&[("acme.example", 1), ("vendor.example", 1)], &[]),
        ] {
            let principals =
                principals.iter().map(|(domain, count)| ((*domain).to_owned(), *count));
            let found: Vec<String> = own_domains(&principals.collect()).collect();
            assert_eq!(found, own);
        }
    }
}
