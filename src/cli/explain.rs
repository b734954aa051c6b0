//! `explain`: what a rule finds and why, or what a scope allows.

use std::io::{self, Write as _};

use grantwarden_kit::model::Scope;

use super::{Failure, args::ExplainArgs};
use crate::{
    exit::Exit,
    registry,
    rules::{self, Meta, RULES},
    scopes::{Catalog, Kind, ScopeEntry},
};

pub(super) fn run(arguments: &ExplainArgs) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let Some(what) = &arguments.what else {
        for rule in RULES {
            let meta = rule.meta();
            writeln!(out, "{:<24} {}", meta.id, meta.title)?;
        }
        return Ok(Exit::Clean);
    };
    if let Some(meta) = rules::find(what) {
        rule(&mut out, meta)?;
        return Ok(Exit::Clean);
    }
    if scope(&mut out, what)? {
        return Ok(Exit::Clean);
    }
    Err(Failure::usage(format!("`{what}` is neither a rule nor a scope that this version knows"))
        .hint(
            "`grantwarden explain` lists the rules; a scope is written as the platform writes it",
        ))
}

fn rule(out: &mut impl io::Write, meta: &Meta) -> Result<(), Failure> {
    writeln!(
        out,
        "{}: {} ({})\n\n{}\n\n{}",
        meta.id, meta.title, meta.severity, meta.summary, meta.why
    )?;
    writeln!(out, "\nFacts it needs: {}", meta.needs.join(", "))?;
    for connector in registry::CONNECTORS {
        let manifest = connector.manifest();
        writeln!(out, "\nWhat to do on {}:", manifest.name)?;
        for step in
            meta.remedies.iter().filter_map(|remedy| manifest.remedies.get(remedy.id())).flatten()
        {
            writeln!(out, "- {step}")?;
        }
    }
    if !meta.references.is_empty() {
        writeln!(out, "\nRead on:")?;
    }
    for reference in meta.references {
        writeln!(out, "- {}: {}", reference.title, reference.url)?;
    }
    writeln!(out, "- {}", meta.page())?;
    Ok(())
}

/// `platform:scope`, or a scope of any platform. Whether there is such a scope.
fn scope(out: &mut impl io::Write, what: &str) -> Result<bool, Failure> {
    let catalogs = registry::catalogs().map_err(|error| Failure::new(Exit::Internal, &error))?;
    let (platform, name) = match what.split_once(':') {
        Some((platform, name)) if catalogs.contains_key(platform) => (Some(platform), name),
        _ => (None, what),
    };
    let mut found = false;
    for (id, catalog) in &catalogs {
        if platform.is_some_and(|platform| platform != *id) {
            continue;
        }
        for entry in catalog.named(name) {
            if found {
                writeln!(out)?;
            }
            found = true;
            explain_entry(out, catalog, entry)?;
        }
    }
    Ok(found)
}

/// One scope of one resource, in each of its kinds.
fn explain_entry(
    out: &mut impl io::Write,
    catalog: &Catalog,
    entry: &ScopeEntry,
) -> Result<(), Failure> {
    let scope = Scope { name: entry.name.clone(), resource: entry.resource.clone() };
    let resource = entry.resource.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let kinds = [(Kind::Delegated, "for a user"), (Kind::AppOnly, "without a user")];
    // A platform that does not tell kinds apart has one line per scope.
    let told = kinds.into_iter().filter(|(kind, _)| entry.kinds.contains(kind));
    let told: Vec<_> = told.map(|(kind, words)| (kind, format!(", {words}"))).collect();
    let told = if told.is_empty() { vec![(Kind::Delegated, String::new())] } else { told };
    let platform = catalog.platform();
    for (kind, words) in told {
        let found = catalog.assess(&scope, kind);
        writeln!(out, "{platform}: {}{resource}{words}  ({})", found.name, found.severity)?;
        writeln!(out, "\n{}", found.meaning)?;
    }
    if !entry.narrower.is_empty() {
        writeln!(out, "Narrower: {}", entry.narrower.join(", "))?;
    }
    writeln!(out, "Source: {}", entry.source)?;
    match &entry.checked {
        Some(page) => writeln!(out, "Checked against: {page}")?,
        None => writeln!(out, "Judged by name, family and product; not checked by hand.")?,
    }
    Ok(())
}
