//! `vendor chain` for a person: tier by tier, what was seen and what is declared.

use std::io::{self, Write};

use super::vendor_text::count;
use crate::{
    inventory::Inventory,
    report::plain,
    vendors::{Chain, Reach, Register, Vendor},
};

pub(super) fn write(
    out: &mut dyn Write,
    reach: &Reach<'_>,
    register: &Register,
    inventory: &Inventory,
) -> io::Result<()> {
    let company = plain(&reach.company);
    let file = plain(&register.path.display().to_string());
    if !reach.direct.is_empty() {
        writeln!(out, "{company} itself holds live grants:")?;
        reach.direct.iter().try_for_each(|vendor| seen(out, vendor))?;
        writeln!(out)?;
    }
    if !reach.seen.is_empty() {
        writeln!(out, "Grants that end at {company}:")?;
        reach.seen.iter().try_for_each(|chain| tiers(out, chain))?;
        writeln!(out)?;
    }
    if reach.direct.is_empty() && reach.seen.is_empty() {
        writeln!(out, "No live grant was seen that ends at {company}; this was checked:")?;
        let all = inventory.tenants.len();
        let whole = inventory.tenants.iter().filter(|tenant| tenant.end.is_whole()).count();
        let doubt = if whole < all {
            format!("; not everything could be read there: {} incomplete", all - whole)
        } else {
            String::new()
        };
        writeln!(out, "  the grants of {}{doubt}", count(all as u64, "tenant"))?;
        writeln!(out, "  {} of {file}", entries(reach.entries))?;
        if !reach.is_declared {
            writeln!(out, "  nobody declares {company} as a sub-processor, and it has no entry")?;
        }
        writeln!(out)?;
    }
    if !reach.unseen.is_empty() {
        writeln!(out, "In the register, but no live grant was seen:")?;
        for chain in &reach.unseen {
            let names: Vec<String> = chain.tiers.iter().map(|tier| plain(&tier.company)).collect();
            let sources: Vec<&str> =
                chain.tiers.iter().filter_map(|tier| tier.declared.as_deref()).collect();
            writeln!(out, "  {}  declared [{}]", names.join(" -> "), plain(&sources.join(", ")))?;
        }
        writeln!(out)?;
    }
    for cycle in &reach.cycles {
        let mut names: Vec<String> = cycle.iter().map(|name| plain(name)).collect();
        names.extend(names.first().cloned());
        writeln!(out, "Declared in a circle: {}", names.join(" -> "))?;
    }
    unknown(out, reach)
}

/// What is not known, which is not nothing.
fn unknown(out: &mut dyn Write, reach: &Reach<'_>) -> io::Result<()> {
    let some = |names: &[&str]| {
        let shown: Vec<String> = names.iter().take(10).map(|name| plain(name)).collect();
        match names.len().saturating_sub(shown.len()) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    };
    if !reach.silent.is_empty() {
        writeln!(
            out,
            "Not known: {} of {} list no sub-processors: {}",
            reach.silent.len(),
            entries(reach.entries),
            some(&reach.silent)
        )?;
    }
    if !reach.unregistered.is_empty() {
        writeln!(
            out,
            "Not known: {} with live grants not in the register: {}",
            count(reach.unregistered.len() as u64, "vendor"),
            some(&reach.unregistered)
        )?;
    }
    Ok(())
}

fn tiers(out: &mut dyn Write, chain: &Chain<'_>) -> io::Result<()> {
    for tier in &chain.tiers {
        let company = plain(&tier.company);
        match &tier.declared {
            None => {
                writeln!(out, "  tier {}: {company}, seen", tier.tier)?;
                chain.vendors.iter().try_for_each(|vendor| seen(out, vendor))?;
            }
            Some(source) => {
                writeln!(out, "  tier {}: {company}, declared [{}]", tier.tier, plain(source))?;
            }
        }
    }
    Ok(())
}

fn seen(out: &mut dyn Write, vendor: &Vendor) -> io::Result<()> {
    for app in vendor.apps.iter().filter(|app| app.grants > 0) {
        let (name, tenant) = (plain(&app.name), plain(&app.tenant));
        writeln!(out, "    {name}  ({tenant}, {}), {}", app.platform, count(app.grants, "grant"))?;
    }
    Ok(())
}

fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}
