//! `explain`: what a rule finds and why, what a scope or a right allows and who holds the scope, or what a finding says.
//!
//! It reads an inventory, never a tenant.

mod finding;
mod holders;
mod right;
mod scope;

use std::io::{self, Write as _};

use grantwarden_kit::manifest::Manifest;

use super::{Failure, args::ExplainArgs};
use crate::{
    exit::Exit,
    finding::Fingerprint,
    inventory::Inventory,
    registry,
    rules::{self, Meta, RULES},
};

pub(super) fn run(arguments: &ExplainArgs) -> Result<Exit, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let exit = explain(&mut out, arguments)?;
    out.flush()?;
    Ok(exit)
}

fn explain(out: &mut impl io::Write, arguments: &ExplainArgs) -> Result<Exit, Failure> {
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
    let inventory = arguments.inventory.as_deref().map(Inventory::open).transpose()?;
    if let Ok(fingerprint) = what.parse::<Fingerprint>() {
        let Some(inventory) = inventory else {
            return Err(Failure::usage(format!(
                "`{what}` is the fingerprint of a finding, which is made from an inventory"
            ))
            .hint("add --inventory FILE; `grantwarden scan --export FILE` writes one"));
        };
        return finding::explain(out, fingerprint, &inventory, arguments);
    }
    if let Some(exit) = scope::explain(out, what, inventory.as_ref())? {
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
