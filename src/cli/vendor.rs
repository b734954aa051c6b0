//! `vendor`: who is behind the apps of all tenants, and why that is thought.

use std::io::{self, Write};

use super::{
    Failure,
    args::{VendorArgs, VendorCommand},
    scan,
};
use crate::{
    exit::Exit,
    inventory::Inventory,
    report::{Format, plain},
    vendors::{self, Member, Party, Vendor},
};

pub(super) async fn run(arguments: &VendorArgs) -> Result<Exit, Failure> {
    let source = match &arguments.command {
        VendorCommand::List(list) => &list.source,
        VendorCommand::Show(show) => &show.source,
    };
    let inventory = match &source.inventory {
        Some(path) => Inventory::open(path)?,
        None => scan::anew(&source.selection, false, false).await?.1,
    };
    let all = vendors::fold(&inventory);
    let whole = inventory.tenants.iter().all(|tenant| tenant.end.is_whole());
    let shown: Vec<&Vendor> = match &arguments.command {
        VendorCommand::List(list) => {
            all.iter().filter(|vendor| list.all || vendor.party == Party::Third).collect()
        }
        VendorCommand::Show(show) => {
            let called: Vec<&Vendor> =
                all.iter().filter(|vendor| vendor.is_called(&show.name)).collect();
            if called.is_empty() {
                return Err(none_called(&show.name, &all, whole));
            }
            called
        }
    };
    let mut out = io::stdout().lock();
    match source.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &shown).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Format::Table => match &arguments.command {
            VendorCommand::List(_) => list(&mut out, &shown)?,
            VendorCommand::Show(_) => {
                for vendor in shown {
                    show(&mut out, vendor, &all)?;
                }
            }
        },
    }
    if whole {
        return Ok(Exit::Clean);
    }
    tracing::warn!("The inventory is incomplete: a vendor may hold more than is shown.");
    Ok(Exit::Incomplete)
}

fn none_called(name: &str, all: &[Vendor], whole: bool) -> Failure {
    let lower = name.to_lowercase();
    let near: Vec<&str> = all
        .iter()
        .filter(|vendor| {
            std::iter::once(&vendor.name)
                .chain(&vendor.names)
                .any(|other| other.to_lowercase().contains(&lower))
        })
        .map(|vendor| vendor.name.as_str())
        .collect();
    let also = if whole { "" } else { "; and the inventory is incomplete" };
    let failure = Failure::usage(format!("no vendor or app is called `{name}`{also}"));
    match near.as_slice() {
        [] => failure.hint("`grantwarden vendor list --all` shows every vendor"),
        near => failure.hint(format!("there is {}", near.join(", "))),
    }
}

fn list(out: &mut impl Write, vendors: &[&Vendor]) -> io::Result<()> {
    if vendors.is_empty() {
        return writeln!(out, "no vendor holds anything that was seen");
    }
    for vendor in vendors {
        let mut about = vec![
            format!(
                "{} on {}",
                count(vendor.apps.len() as u64, "app"),
                vendor.platforms.join(", ")
            ),
            count(vendor.grants, "grant"),
        ];
        if vendor.party != Party::Third {
            about.push(vendor.party.to_string());
        }
        writeln!(out, "{}: {}", plain(&vendor.name), about.join("; "))?;
        let others: Vec<String> = vendor
            .names
            .iter()
            .filter(|name| **name != vendor.name)
            .map(|name| plain(name))
            .collect();
        if !others.is_empty() {
            writeln!(out, "  as {}", others.join(", "))?;
        }
    }
    Ok(())
}

fn show(out: &mut impl Write, vendor: &Vendor, all: &[Vendor]) -> io::Result<()> {
    writeln!(
        out,
        "{}: {} on {}; {}",
        plain(&vendor.name),
        count(vendor.apps.len() as u64, "app"),
        vendor.platforms.join(", "),
        count(vendor.grants, "grant")
    )?;
    for Member { tenant, platform, app, name, client_ids, grants, ties, .. } in &vendor.apps {
        writeln!(
            out,
            "  {}  ({}, {platform}), {}",
            plain(name),
            plain(tenant),
            count(*grants, "grant")
        )?;
        writeln!(out, "    id {}", plain(app))?;
        for id in client_ids.iter().filter(|id| *id != app) {
            writeln!(out, "    client id {}", plain(id))?;
        }
        for tie in ties {
            writeln!(out, "    {}: {} {}", tie.confidence, tie.kind, plain(&tie.value))?;
        }
        if ties.is_empty() && vendor.is_spread() {
            writeln!(out, "    the platform's own")?;
        }
    }
    let is_namesake = |other: &&Vendor| {
        other.apps != vendor.apps && vendor.names.iter().any(|name| other.is_called(name))
    };
    for other in all.iter().filter(is_namesake) {
        writeln!(
            out,
            "  called the same, and nothing else ties it: {} on {}",
            plain(&other.name),
            other.platforms.join(", ")
        )?;
    }
    Ok(())
}

fn count(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
