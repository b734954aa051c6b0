//! Explains one finding of an inventory: what it says, what it rests on, why it matters and what to do.

use std::{collections::BTreeSet, io};

use super::{
    super::{Failure, args::ExplainArgs, basis::Basis, scan},
    Place,
};
use crate::{
    exit::Exit,
    finding::{Finding, Fingerprint, Status},
    policy::custom::CustomRule,
    registry,
    report::plain,
    rules, scan as engine,
    store::Past,
};

pub(super) async fn explain(
    out: &mut impl io::Write,
    fingerprint: Fingerprint,
    place: &Place,
    arguments: &ExplainArgs,
) -> Result<Exit, Failure> {
    let inventory = &place.inventory;
    let past = place.remembered.as_ref().and_then(|(_, past)| past.as_ref());
    let config = scan::offline_config(&arguments.config)?;
    let taken_at = inventory.header.taken_at;
    let now = arguments.basis.now.unwrap_or(taken_at);
    let mut basis = Basis::read(config, &arguments.basis, taken_at)?;
    if let Some((store, _)) = &place.remembered {
        basis.compare_with(store, inventory).await?;
    }
    let surroundings = basis.surroundings(inventory)?;
    let judged = engine::judge(inventory, surroundings, None)?;
    let mut found: Option<Finding> = None;
    judged.for_each_finding(|finding, _| {
        if finding.fingerprint == fingerprint {
            found = Some(finding.clone());
        }
        Ok(())
    })?;
    let Some(found) = found else {
        if let Some(Past { first_seen, resolved_at: Some(resolved), .. }) = past {
            let (first, gone) = (first_seen.whole_second(), resolved.whole_second());
            writeln!(
                out,
                "It is gone: first seen by the scan of {first}, not found any more by that of {gone}."
            )?;
            return Ok(Exit::Clean);
        }
        return Err(Failure::usage(format!(
            "as of {} there is no finding {fingerprint} in the inventory",
            now.date()
        ))
        .hint("the policy of --config and the day of --now decide what is found; the JSON report lists the fingerprints"));
    };
    tell(out, &found)?;
    if let Some(past) = past {
        tell_past(out, past)?;
    }
    let Some(meta) = rules::find(&found.rule) else {
        if let Some(rule) = judged.surroundings.custom_rule(&found.rule) {
            own(out, rule)?;
        }
        return Ok(Exit::Clean);
    };
    writeln!(out, "\nWhy it matters:\n{}", meta.why)?;
    // A finding about a vendor is about all platforms that were scanned.
    let platforms: BTreeSet<&str> = match &found.platform {
        Some(platform) => BTreeSet::from([platform.as_str()]),
        None => inventory.tenants.iter().map(|tenant| tenant.end.platform.as_str()).collect(),
    };
    for connector in platforms.into_iter().filter_map(registry::find) {
        super::steps(out, meta, connector.manifest())?;
    }
    super::references(out, meta)?;
    Ok(Exit::Clean)
}

/// Since when it is there.
fn tell_past(out: &mut impl io::Write, past: &Past) -> Result<(), Failure> {
    writeln!(out, "\nFirst seen by the scan of {}", past.first_seen.whole_second())?;
    if let Some(at) = past.reopened_at {
        writeln!(
            out,
            "Came back {} times, last by the scan of {}",
            past.reopened,
            at.whole_second()
        )?;
    }
    if let Some(at) = past.resolved_at {
        writeln!(out, "Not found any more by the scan of {}", at.whole_second())?;
    }
    Ok(())
}

/// What the user's own rule says of itself.
fn own(out: &mut impl io::Write, rule: &CustomRule) -> Result<(), Failure> {
    if !rule.why.is_empty() {
        writeln!(out, "\nWhy it matters:\n{}", plain(&rule.why))?;
    }
    if !rule.fix.is_empty() {
        writeln!(out, "\nWhat to do:")?;
    }
    for step in &rule.fix {
        writeln!(out, "- {}", plain(step))?;
    }
    Ok(())
}

/// The finding itself.
fn tell(out: &mut impl io::Write, found: &Finding) -> Result<(), Failure> {
    writeln!(out, "{}: {}, confidence {}", found.rule, found.severity, found.confidence)?;
    if let (Some(tenant), Some(platform)) = (&found.tenant, &found.platform) {
        writeln!(out, "in {} ({platform})", plain(tenant))?;
    }
    writeln!(out, "about the {} {}", found.subject.kind, plain(&found.subject.label))?;
    if found.status != Status::Active {
        writeln!(out, "{}", plain(&found.status.to_string()))?;
    }
    writeln!(out, "\n{}\n\nEvidence:", plain(&found.message))?;
    for evidence in &found.evidence {
        writeln!(
            out,
            "- {}: {}  [{}]",
            plain(&evidence.fact),
            plain(&evidence.value),
            plain(&evidence.source)
        )?;
    }
    Ok(())
}
