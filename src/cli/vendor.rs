//! `vendor`: who is behind the apps of all tenants, why that is thought, what the register says about them, and where their chains end.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use serde::Serialize;

use super::{
    Failure,
    args::{Listing, Snapshot, VendorArgs, VendorChainArgs, VendorCommand, VendorInitArgs},
    draft, output, scan, vendor_chain, vendor_text as text,
};
use crate::{
    config::Config,
    exit::Exit,
    inventory::Inventory,
    report::plain,
    rules::Surroundings,
    scan::judge,
    vendors::{self, Match, Member, Party, Register, Vendor},
};

pub(super) async fn run(arguments: &VendorArgs) -> Result<Exit, Failure> {
    match &arguments.command {
        VendorCommand::List(list) => {
            let (config, inventory) = gather(&list.source.snapshot).await?;
            let all = vendors::fold(&inventory, config.register.as_ref());
            let is_wanted = |vendor: &&Vendor| list.all || vendor.party == Party::Third;
            let shown: Vec<&Vendor> = all.iter().filter(is_wanted).collect();
            let register = config.register.as_ref();
            print(list.source.format, &views(&shown, register), |out| {
                text::list(out, &shown, register)
            })?;
            Ok(end(&inventory))
        }
        VendorCommand::Show(show) => {
            let (config, inventory) = gather(&show.source.snapshot).await?;
            let all = vendors::fold(&inventory, config.register.as_ref());
            let shown: Vec<&Vendor> =
                all.iter().filter(|vendor| vendor.is_called(&show.name)).collect();
            if shown.is_empty() {
                return Err(none_called(&show.name, &all, is_whole(&inventory)));
            }
            let register = config.register.as_ref();
            print(show.source.format, &views(&shown, register), |out| {
                shown.iter().try_for_each(|vendor| text::show(out, vendor, &all, register))
            })?;
            Ok(end(&inventory))
        }
        VendorCommand::Chain(arguments) => chain(arguments).await,
        VendorCommand::Init(arguments) => init(arguments).await,
    }
}

async fn chain(arguments: &VendorChainArgs) -> Result<Exit, Failure> {
    let (config, inventory) = gather(&arguments.source.snapshot).await?;
    let Some(register) = &config.register else {
        return Err(Failure::usage(
            "no vendor register is configured, so nobody declares to whom a vendor passes on what it holds",
        )
        .hint("`grantwarden vendor init` drafts one; name it with `register` under [vendors]"));
    };
    let now = inventory.header.taken_at;
    let surroundings = Surroundings::new(&inventory, &config.policy, Some(register), now);
    let judged = judge(&inventory, surroundings, None)?;
    let views = judged.vendors();
    let live: BTreeSet<&str> = views
        .iter()
        .filter(|view| view.holdings.live() > 0)
        .map(|view| view.vendor.id.as_str())
        .collect();
    let is_live = |vendor: &Vendor| live.contains(vendor.id.as_str());
    let reach = vendors::reach(register, &judged.surroundings.vendors, is_live, &arguments.name);
    print(arguments.source.format, &reach, |out| {
        vendor_chain::write(out, &reach, register, &inventory)
    })?;
    Ok(end(&inventory))
}

async fn init(arguments: &VendorInitArgs) -> Result<Exit, Failure> {
    output::check(&arguments.output)?;
    // Before a scan, not after it.
    let is_configured =
        scan::offline_config(&arguments.snapshot.selection.config)?.register.is_some();
    if !is_configured && arguments.output.exists() {
        return Err(Failure::usage(format!("{} is already there", arguments.output.display()))
            .hint("name it with `register` under [vendors] to get the entries that it lacks, or write to another file with --output"));
    }
    let (config, inventory) = gather(&arguments.snapshot).await?;
    let all = vendors::fold(&inventory, config.register.as_ref());
    let app = |member: &Member| {
        let tenant = inventory.tenants.iter().find(|tenant| tenant.end.name == member.tenant)?;
        tenant.apps.get(&member.app)
    };
    let (entries, missing) = draft::draft(&all, app, config.register.as_ref());
    let missing = text::count(missing as u64, "vendor");
    let mut out = io::stdout().lock();
    if let Some(register) = &config.register {
        writeln!(out, "# {} lacks {missing}.", plain(&register.path.display().to_string()))?;
        out.write_all(entries.as_bytes())?;
        return Ok(end(&inventory));
    }
    output::atomically(&arguments.output, |to| Ok(to.write_all(entries.as_bytes())?))?;
    writeln!(out, "Wrote {} with {missing}.", arguments.output.display())?;
    writeln!(out, "Fill in what only you know, then add to grantwarden.toml:\n")?;
    writeln!(out, "[vendors]\nregister = \"{}\"", arguments.output.display())?;
    Ok(end(&inventory))
}

/// The configuration, and the records to look at.
async fn gather(snapshot: &Snapshot) -> Result<(Config, Inventory), Failure> {
    match &snapshot.inventory {
        Some(path) => {
            Ok((scan::offline_config(&snapshot.selection.config)?, Inventory::open(path)?))
        }
        None => scan::anew(&snapshot.selection, false, false).await,
    }
}

fn is_whole(inventory: &Inventory) -> bool {
    inventory.tenants.iter().all(|tenant| tenant.end.is_whole())
}

/// How a view ends: one of an incomplete inventory says so.
fn end(inventory: &Inventory) -> Exit {
    if is_whole(inventory) {
        return Exit::Clean;
    }
    tracing::warn!("The inventory is incomplete: a vendor may hold more than is shown.");
    Exit::Incomplete
}

fn print(
    format: Listing,
    data: &impl Serialize,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match format {
        Listing::Json => {
            serde_json::to_writer_pretty(&mut out, data).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Listing::Table => text(&mut out)?,
    }
    Ok(())
}

/// A vendor as data.
#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    vendor: &'a Vendor,
    /// What the register says about it; not there if none is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    register: Option<Vec<Match<'a>>>,
}

fn views<'a>(shown: &[&'a Vendor], register: Option<&'a Register>) -> Vec<View<'a>> {
    let view = |vendor: &&'a Vendor| View {
        vendor,
        register: register.map(|register| register.entries_of(vendor)),
    };
    shown.iter().map(view).collect()
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
