//! `explain`: what a rule finds and why, what a scope or a right allows and who holds the scope, or what a finding says.
//!
//! It reads an inventory or the store, never a tenant.

mod finding;
mod holders;
mod right;
mod scope;

use std::io::{self, Write as _};

use grantwarden_kit::manifest::Manifest;

use super::{Failure, args::ExplainArgs, remember, scan::offline_config};
use crate::{
    exit::Exit,
    finding::Fingerprint,
    inventory::Inventory,
    registry,
    rules::{self, Meta, RULES},
    store::{Past, Reference, Store},
};

pub(super) async fn run(arguments: &ExplainArgs) -> Result<Exit, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let exit = explain(&mut out, arguments).await?;
    out.flush()?;
    Ok(exit)
}

async fn explain(out: &mut impl io::Write, arguments: &ExplainArgs) -> Result<Exit, Failure> {
    let Some(what) = &arguments.what else {
        for rule in RULES {
            let meta = rule.meta();
            writeln!(out, "{:<24} {}", meta.id, meta.title)?;
        }
        return Ok(Exit::Clean);
    };
    if let Some(meta) = rules::find(what) {
        rule(out, meta)?;
        return Ok(Exit::Clean);
    }
    let fingerprint = what.parse::<Fingerprint>().ok();
    let looked_in = look_in(arguments, fingerprint).await?;
    let inventory = looked_in.as_ref().map(|place| &place.inventory);
    if let Some(fingerprint) = fingerprint {
        let Some(place) = &looked_in else {
            return Err(Failure::usage(format!(
                "`{what}` is the fingerprint of a finding, which is made from an inventory"
            ))
            .hint("add --inventory FILE, or --store FILE if scans are remembered there"));
        };
        return finding::explain(out, fingerprint, place, arguments).await;
    }
    if let Some(exit) = scope::explain(out, what, inventory)? {
        return Ok(exit);
    }
    if right::explain(out, what)? {
        return Ok(Exit::Clean);
    }
    let looked =
        if inventory.is_some() { ", and the inventory has no scope of that name" } else { "" };
    Err(Failure::usage(format!(
        "`{what}` is neither a rule nor a scope nor a right that this version knows{looked}"
    ))
    .hint(
        "`grantwarden explain` lists the rules; a scope is written as the platform writes it. \
         `PLATFORM:SCOPE` judges one that no catalog has by its name; --inventory FILE looks for who holds it",
    ))
}

/// Where to look.
struct Place {
    inventory: Inventory,
    /// The store that it comes from, and what that remembers of the finding.
    remembered: Option<(Store, Option<Past>)>,
}

/// The inventory that was asked for.
async fn look_in(
    arguments: &ExplainArgs,
    fingerprint: Option<Fingerprint>,
) -> Result<Option<Place>, Failure> {
    if let Some(path) = &arguments.inventory {
        return Ok(Some(Place { inventory: Inventory::open(path)?, remembered: None }));
    }
    if arguments.scan.is_none() && fingerprint.is_none() {
        return Ok(None);
    }
    let config = offline_config(&arguments.config)?;
    let Some(store) = remember::open(&config, &arguments.store).await? else { return Ok(None) };
    let scan = store.resolve(arguments.scan.unwrap_or(Reference::Latest), &[]).await?;
    let past = match fingerprint {
        Some(fingerprint) => store.past(&[fingerprint]).await?.remove(&fingerprint),
        None => None,
    };
    let inventory = store.inventory(&scan.header, &scan.snapshots).await?;
    Ok(Some(Place { inventory, remembered: Some((store, past)) }))
}

fn rule(out: &mut impl io::Write, meta: &Meta) -> Result<(), Failure> {
    writeln!(
        out,
        "{}: {} ({})\n\n{}\n\n{}",
        meta.id, meta.title, meta.severity, meta.summary, meta.why
    )?;
    if !meta.needs.is_empty() {
        writeln!(out, "\nFacts it needs: {}", meta.needs.join(", "))?;
    }
    if !meta.parameters.is_empty() {
        writeln!(out, "\nSettings in [policy.rules.{}]:", meta.id)?;
    }
    for parameter in meta.parameters {
        let (key, default, meaning) = (parameter.key(), parameter.default(), parameter.meaning());
        writeln!(out, "- {key} = {default}: {meaning}")?;
    }
    for connector in registry::CONNECTORS {
        steps(out, meta, connector.manifest())?;
    }
    references(out, meta)
}

/// What to do about a rule's findings on a platform.
fn steps(out: &mut impl io::Write, meta: &Meta, manifest: &Manifest) -> Result<(), Failure> {
    writeln!(out, "\nWhat to do on {}:", manifest.name)?;
    for step in
        meta.remedies.iter().filter_map(|remedy| manifest.remedies.get(remedy.id())).flatten()
    {
        writeln!(out, "- {step}")?;
    }
    Ok(())
}

fn references(out: &mut impl io::Write, meta: &Meta) -> Result<(), Failure> {
    if !meta.controls.is_empty() {
        writeln!(out, "\nControls that it answers to:")?;
    }
    for control in meta.controls {
        writeln!(
            out,
            "- {} {}: {}: {}",
            control.framework, control.id, control.title, control.url
        )?;
    }
    writeln!(out, "\nRead on:")?;
    for reference in meta.references {
        writeln!(out, "- {}: {}", reference.title, reference.url)?;
    }
    writeln!(out, "- {}", meta.page())?;
    Ok(())
}
