//! `doctor`: sign in, and say what can and cannot be seen, and which right is missing.

use std::io::{self, Write as _};

use futures::stream::{self, StreamExt as _};
use grantwarden_kit::{
    connector::{Kit, Probe},
    error::Error,
    manifest::Manifest,
    model::Reason,
};
use serde::Serialize;

use super::{
    Failure,
    args::{DoctorArgs, Global, Listing},
    kit, scan,
};
use crate::{
    config::{self, TenantEntry},
    exit::Exit,
    inventory,
    report::plain,
};

/// Tenants that are asked at the same time.
const CONCURRENT: usize = 8;

/// What was found out about one tenant.
#[derive(Serialize)]
struct Diagnosis {
    tenant: String,
    platform: String,
    probe: Option<Probe>,
    failure: Option<inventory::Failure>,
}

pub(super) async fn run(_: &Global, arguments: &DoctorArgs) -> Result<Exit, Failure> {
    let config = config::load(&arguments.selection.config)?;
    let tenants = scan::select(&config, &arguments.selection)?;
    let kit = kit();
    let diagnoses: Vec<Diagnosis> = stream::iter(&tenants)
        .map(|tenant| diagnose(tenant, kit.clone()))
        .buffered(CONCURRENT)
        .collect()
        .await;
    let mut out = io::stdout().lock();
    match arguments.format {
        Listing::Json => {
            serde_json::to_writer_pretty(&mut out, &diagnoses).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Listing::Table => {
            for (tenant, diagnosis) in tenants.iter().zip(&diagnoses) {
                show(&mut out, tenant.connector()?.manifest(), diagnosis)?;
            }
        }
    }
    let all_seen = diagnoses.iter().all(|diagnosis| {
        let promised = |facet: &str| {
            let manifest = tenants
                .iter()
                .find(|t| t.name == diagnosis.tenant)
                .and_then(|t| t.connector().ok());
            manifest
                .and_then(|connector| connector.manifest().facet(facet))
                .is_none_or(|facet| facet.promised)
        };
        diagnosis.probe.as_ref().is_some_and(|probe| {
            probe.facets.iter().all(|facet| {
                !promised(&facet.facet)
                    || facet.gap.as_ref().is_none_or(|gap| !gap.reason.is_loss())
            })
        })
    });
    Ok(if all_seen { Exit::Clean } else { Exit::Incomplete })
}

async fn diagnose(tenant: &TenantEntry, kit: Kit) -> Diagnosis {
    let (probe, failure) = match probe(tenant, kit).await {
        Ok(probe) => (Some(probe), None),
        Err(error) => (None, Some((&error).into())),
    };
    Diagnosis { tenant: tenant.name.clone(), platform: tenant.platform.clone(), probe, failure }
}

async fn probe(tenant: &TenantEntry, kit: Kit) -> Result<Probe, Error> {
    let connector = tenant.connector().map_err(|error| {
        Error::new(grantwarden_kit::error::ErrorKind::Configuration, error.to_string())
    })?;
    connector.open(tenant.resolve(None).await?, kit)?.probe().await
}

fn show(out: &mut impl io::Write, manifest: &Manifest, diagnosis: &Diagnosis) -> io::Result<()> {
    writeln!(out, "{}  {}", diagnosis.tenant, manifest.name)?;
    if let Some(failure) = &diagnosis.failure {
        writeln!(out, "  cannot sign in: {}", plain(&failure.message))?;
        if let Some(hint) = &failure.hint {
            writeln!(out, "  hint: {}", plain(hint))?;
        }
    }
    let Some(probe) = &diagnosis.probe else { return Ok(()) };
    writeln!(out, "  signed in to {} as {}", plain(&probe.tenant), plain(&probe.identity))?;
    for note in &probe.notes {
        writeln!(out, "  {}", plain(note))?;
    }
    for seen in &probe.facets {
        let Some(facet) = manifest.facet(&seen.facet) else { continue };
        match &seen.gap {
            None => writeln!(out, "  yes      {}", facet.title)?,
            Some(gap) => {
                // In capitals what another right would show, or another try.
                let word = if facet.promised && gap.reason.is_loss() { "NO" } else { "no" };
                writeln!(out, "  {word:<8} {}: {}", facet.title, plain(&gap.detail))?;
                if matches!(gap.reason, Reason::Permission | Reason::CallFailed) {
                    writeln!(out, "           needs: {}", facet.right)?;
                    writeln!(out, "           or accept not seeing it: skip = [\"{}\"]", facet.id)?;
                }
            }
        }
    }
    writeln!(out, "  What {} tells nobody:", manifest.name)?;
    for what in &manifest.cannot_see {
        writeln!(out, "  -        {what}")?;
    }
    Ok(())
}
