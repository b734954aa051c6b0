//! `scan`: read the tenants, judge, report.

use std::path::Path;

use grantwarden_kit::clock::{Clock as _, SystemClock};

use super::{
    Failure,
    args::{Global, ScanArgs, Selection},
    basis::Basis,
    is_watched, kit, output,
    progress::Progress,
};
use crate::{
    config::{self, Config, TenantEntry},
    exit::Exit,
    finding::{Status, SubjectKind},
    inventory::Inventory,
    policy::{Baseline, BaselineWriter},
    scan::{self, Judged, Observer, Remembering, Silent},
};

pub(super) async fn run(global: &Global, arguments: &ScanArgs) -> Result<Exit, Failure> {
    for path in &arguments.outputs {
        // Before the scan, not after it.
        output::format_of(path)?;
        output::check(path)?;
    }
    for path in [&arguments.export, &arguments.write_baseline].into_iter().flatten() {
        output::check(path)?;
    }
    if arguments.offline && !arguments.selection.tenants.is_empty() {
        return Err(Failure::usage(
            "--tenant chooses what to scan; --offline judges the whole inventory",
        ));
    }
    let baseline = arguments.baseline.as_deref().map(Baseline::open).transpose()?;
    let (mut basis, inventory) = match &arguments.inventory {
        Some(path) => {
            let config = offline_config(&arguments.selection.config)?;
            let inventory = Inventory::open(path)?;
            (Basis::read(config, &arguments.basis, inventory.header.taken_at)?, inventory)
        }
        None => {
            let config = config::load(&arguments.selection.config)?;
            let basis = Basis::read(config.clone(), &arguments.basis, SystemClock.now())?;
            let (full, quiet) = (arguments.full, arguments.quiet);
            (basis, read(&config, &arguments.selection, full, quiet).await?)
        }
    };
    if let Some(fail_on) = arguments.fail_on {
        basis.policy.fail_on = fail_on;
    }
    basis.policy.allow_incomplete |= arguments.allow_incomplete;
    if let Some(path) = &arguments.export {
        output::atomically(path, |to| inventory.export(to).map_err(Failure::from))?;
    }
    let surroundings = basis.surroundings(&inventory)?;
    let judged = scan::judge(&inventory, surroundings, baseline.as_ref())?;
    for path in &arguments.outputs {
        output::to_file(&judged, path)?;
    }
    output::to_stdout(&judged, arguments.format, global)?;
    if let Some(path) = &arguments.write_baseline {
        write_baseline(&judged, path)?;
    }
    Ok(judged.exit())
}

/// Writes what counts today, and what an older baseline accepts and is still there.
fn write_baseline(judged: &Judged<'_>, path: &Path) -> Result<(), Failure> {
    let mut writer = BaselineWriter::new()?;
    judged.for_each_finding(|finding, about| {
        let is_of_waiver = finding.subject.kind == SubjectKind::Waiver;
        if matches!(finding.status, Status::Active | Status::Baseline) && !is_of_waiver {
            writer.add(finding, about.held())?;
        }
        Ok(())
    })?;
    if !judged.is_whole() {
        tracing::warn!(
            "The scan is incomplete, and so is the baseline: what was not seen will count as new."
        );
    }
    let now = judged.surroundings.now;
    output::atomically(path, |to| Ok(writer.finish(now, judged.is_whole(), to)?))
}

/// Scans the chosen tenants of the configuration.
pub(super) async fn anew(
    selection: &Selection,
    is_full: bool,
    is_quiet: bool,
) -> Result<(Config, Inventory), Failure> {
    let config = config::load(&selection.config)?;
    let inventory = read(&config, selection, is_full, is_quiet).await?;
    Ok((config, inventory))
}

/// Scans the chosen tenants.
async fn read(
    config: &Config,
    selection: &Selection,
    is_full: bool,
    is_quiet: bool,
) -> Result<Inventory, Failure> {
    let tenants = select(config, selection)?;
    if let Some(folder) = config.incremental.as_ref().map(|settings| &settings.folder)
        && !folder.is_dir()
    {
        return Err(Failure::usage(format!(
            "the folder of [incremental] is not there: {}",
            folder.display()
        ))
        .hint("make it, for the scanner's user only: mkdir -m 700 FOLDER"));
    }
    let progress = Progress::default();
    let observer: &dyn Observer = if is_watched() && !is_quiet { &progress } else { &Silent };
    let remembering = config.incremental.as_ref().map(|settings| Remembering { settings, is_full });
    Ok(scan::run(&tenants, remembering.as_ref(), &kit(), observer).await?)
}

/// Where nothing is scanned, the configuration may be missing unless it was named.
pub(super) fn offline_config(path: &Path) -> Result<Config, Failure> {
    let is_default = path.as_os_str() == config::FILE_NAME;
    if is_default && !path.exists() {
        return Ok(Config::default());
    }
    Ok(config::load(path)?)
}

/// The tenants that were asked for, in the order of the configuration.
pub(super) fn select(config: &Config, selection: &Selection) -> Result<Vec<TenantEntry>, Failure> {
    let names: Vec<&str> = config.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    if let Some(unknown) = selection.tenants.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Failure::usage(format!(
            "the configuration has no tenant `{unknown}`; it has {}",
            names.join(", ")
        )));
    }
    let is_wanted = |tenant: &&TenantEntry| {
        selection.tenants.is_empty() || selection.tenants.contains(&tenant.name)
    };
    let wanted: Vec<TenantEntry> = config.tenants.iter().filter(is_wanted).cloned().collect();
    if wanted.is_empty() {
        return Err(Failure::usage(format!("{} configures no tenant", selection.config.display()))
            .hint("add a [[tenant]]; `grantwarden init` writes an example"));
    }
    Ok(wanted)
}
