//! The parts of the page about vendors: what each holds on which platform, and who holds grants that are broad, durable and unbound at once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    facts::{Exposure, Facts},
    text::{counted, name, number, some},
};
use crate::{
    finding::Severity,
    scan::{Judged, Whose},
    vendors::{Party, Vendor},
};

/// Vendors that a table names.
const NAMED: usize = 100;

/// What people hold themselves, and what no record tells a vendor of.
const NOBODY: &str = "no vendor: people's own tokens and keys";

/// What vendors hold on which platform.
pub(super) struct Matrix {
    /// The platforms, and whether something of them was not read.
    pub(super) platforms: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// The sums of the columns.
    pub(super) totals: Vec<String>,
    pub(super) total: String,
    /// What of the vendors is not in the table, if anything.
    pub(super) left_out: Option<String>,
}

/// A platform.
pub(super) struct Column {
    pub(super) platform: String,
    pub(super) is_whole: bool,
}

/// A vendor.
pub(super) struct Row {
    pub(super) vendor: String,
    /// Whose apps they are.
    pub(super) party: String,
    pub(super) cells: Vec<Cell>,
    pub(super) total: String,
}

/// What a vendor holds on a platform.
#[derive(Default)]
pub(super) struct Cell {
    /// Empty where it has no app there.
    pub(super) grants: String,
    /// Of findings that count.
    pub(super) severity: Option<Severity>,
}

/// A vendor that holds grants that are broad, durable and unbound at once, or may.
pub(super) struct Exposed {
    pub(super) vendor: String,
    pub(super) platforms: String,
    pub(super) certain: String,
    pub(super) stale: String,
    pub(super) privileged: String,
    pub(super) unknown: String,
}

/// All of them.
pub(super) struct Exposures {
    /// What they come to, in a sentence.
    pub(super) verdict: String,
    pub(super) rows: Vec<Exposed>,
    /// How many vendors are not in the table.
    pub(super) left_out: u64,
    /// Whether the policy switched the rule off that makes findings of them.
    pub(super) rule_is_off: bool,
}

/// The gravest severity by vendor, `None` for what nobody is behind, and by platform.
type Worst<'a> = BTreeMap<(Option<usize>, &'a str), Severity>;

pub(super) fn matrix(judged: &Judged<'_>) -> Matrix {
    let platforms: BTreeSet<&str> =
        judged.inventory.tenants.iter().map(|tenant| tenant.end.platform.as_str()).collect();
    let worst = worst(judged);
    let vendors = &judged.surroundings.vendors;
    let mut order: Vec<usize> = (0..vendors.len()).collect();
    let gravest = |at: usize| platforms.iter().filter_map(|on| worst.get(&(Some(at), *on))).max();
    order.sort_by_key(|at| {
        (vendors[*at].party, Reverse(gravest(*at)), Reverse(vendors[*at].grants))
    });
    let mut rows: Vec<Row> = order
        .iter()
        .take(NAMED)
        .map(|at| {
            let here = held(&vendors[*at]);
            let kind = match vendors[*at].party {
                Party::Third => "third party",
                Party::Own => "own",
                Party::Platform => "the platform's own",
            };
            row(name(&vendors[*at].name), kind, &platforms, &here, |on| {
                worst.get(&(Some(*at), on)).copied()
            })
        })
        .collect();
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for tenant in &judged.inventory.tenants {
        *all.entry(&tenant.end.platform).or_default() += tenant.grants;
    }
    let mut unowned = all.clone();
    for (platform, grants) in vendors.iter().flat_map(held) {
        if let Some(left) = unowned.get_mut(platform) {
            *left = left.saturating_sub(grants);
        }
    }
    unowned.retain(|_, grants| *grants > 0);
    if !unowned.is_empty() {
        rows.push(row(NOBODY.to_owned(), "", &platforms, &unowned, |on| {
            worst.get(&(None, on)).copied()
        }));
    }
    let rest = order.get(NAMED..).unwrap_or_default();
    let grants = rest.iter().map(|at| vendors[*at].grants).sum();
    Matrix {
        totals: platforms
            .iter()
            .map(|on| number(all.get(on).copied().unwrap_or_default()))
            .collect(),
        total: number(all.values().sum()),
        left_out: (!rest.is_empty()).then(|| {
            format!(
                "{} with {} are not shown here; the JSON report has them.",
                counted(rest.len() as u64, "further vendor"),
                counted(grants, "grant")
            )
        }),
        platforms: platforms.iter().map(|on| column(judged, on)).collect(),
        rows,
    }
}

fn column(judged: &Judged<'_>, platform: &str) -> Column {
    let mut here = judged.inventory.tenants.iter().filter(|tenant| tenant.end.platform == platform);
    Column { platform: name(platform), is_whole: here.all(|tenant| tenant.end.is_whole()) }
}

fn row(
    vendor: String,
    party: &str,
    platforms: &BTreeSet<&str>,
    held: &BTreeMap<&str, u64>,
    worst: impl Fn(&str) -> Option<Severity>,
) -> Row {
    let cell = |on: &&str| Cell {
        grants: held.get(on).map(|grants| number(*grants)).unwrap_or_default(),
        severity: worst(on),
    };
    Row {
        vendor,
        party: party.to_owned(),
        cells: platforms.iter().map(cell).collect(),
        total: number(held.values().sum()),
    }
}

/// The grants of a vendor by platform; none is a number too where it has an app.
fn held(vendor: &Vendor) -> BTreeMap<&str, u64> {
    let mut held = BTreeMap::new();
    for member in &vendor.apps {
        *held.entry(member.platform.as_str()).or_default() += member.grants;
    }
    held
}

fn worst<'a>(judged: &'a Judged<'_>) -> Worst<'a> {
    let mut worst = Worst::new();
    for group in &judged.groups {
        let Whose::App { tenant, id, .. } = &group.whose else { continue };
        let end = &judged.inventory.tenants[*tenant].end;
        let vendor = judged.surroundings.place_of(&end.name, id).map(|(vendor, _)| vendor);
        let severity = worst.entry((vendor, end.platform.as_str())).or_insert(Severity::Info);
        *severity = group.severity().max(*severity);
    }
    worst
}

pub(super) fn exposures(judged: &Judged<'_>, facts: &Facts) -> Exposures {
    let all = facts.exposure_in_all();
    let holders =
        facts.exposure.iter().filter(|(vendor, one)| vendor.is_some() && one.certain > 0).count();
    let mut order: Vec<(Option<usize>, Exposure)> =
        facts.exposure.iter().map(|(vendor, exposure)| (*vendor, *exposure)).collect();
    order.sort_by_key(|(vendor, one)| {
        (Reverse((one.certain, one.stale, one.unknown)), vendor.is_none(), *vendor)
    });
    let rows = order.iter().take(NAMED).map(|(vendor, one)| {
        let vendor = vendor.and_then(|at| judged.surroundings.vendors.get(at));
        let unseen = if one.use_unknown > 0 {
            format!(", not visible for {}", number(one.use_unknown))
        } else {
            String::new()
        };
        Exposed {
            vendor: vendor.map_or_else(|| NOBODY.to_owned(), |vendor| name(&vendor.name)),
            platforms: vendor.map(|vendor| some(&vendor.platforms, 10)).unwrap_or_default(),
            certain: number(one.certain),
            stale: format!("{}{unseen}", number(one.stale)),
            privileged: number(one.privileged),
            unknown: number(one.unknown),
        }
    });
    Exposures {
        verdict: verdict(&all, holders),
        rows: rows.collect(),
        left_out: order.len().saturating_sub(NAMED) as u64,
        rule_is_off: judged.policy().is_off("drift-pattern"),
    }
}

fn verdict(all: &Exposure, vendors: usize) -> String {
    if *all == Exposure::default() {
        return "No grant that was read is all three at once.".to_owned();
    }
    let mut sentences = vec![format!(
        "{} {} all three at once, held by {}; nobody uses {} of them any more.",
        counted(all.certain, "live grant"),
        if all.certain == 1 { "is" } else { "are" },
        counted(vendors as u64, "vendor"),
        number(all.stale),
    )];
    if all.use_unknown > 0 {
        let unseen = number(all.use_unknown);
        sentences.push(format!("The last use of {unseen} of them is not visible."));
    }
    if all.unknown > 0 {
        let unknown = number(all.unknown);
        sentences.push(format!("{unknown} more may be: what would tell is not visible."));
    }
    sentences.join(" ")
}
