//! `scan`: read the tenants, judge, report.

use std::path::Path;

use grantwarden_kit::clock::{Clock as _, SystemClock};

use super::{
    Failure,
    args::{Global, ScanArgs, Selection},
    basis::Basis,
    history::Remembered,
    is_watched, kit, notify, output,
    progress::Progress,
    remember,
};
use crate::{
    config::{self, Config, TenantEntry},
    exit::Exit,
    finding::{Status, SubjectKind},
    inventory::{Header, Inventory},
    policy::{Baseline, BaselineWriter},
    scan::{self, Judged, Observer, Remembering, Silent},
    store::{Changes, Keeper, Store},
};

/// Finds out before a scan what would fail after it.
pub(super) fn check(arguments: &ScanArgs) -> Result<(), Failure> {
    let basis = &arguments.basis;
    let read = [&arguments.inventory, &arguments.baseline, &basis.policy, &arguments.timing.lock];
    let kept = read.into_iter().flatten().chain(&basis.previous).chain(&basis.advisories);
    output::check_all(
        &arguments.outputs,
        [&arguments.export, &arguments.write_baseline],
        kept.chain([&arguments.selection.config]),
    )?;
    if arguments.offline && !arguments.selection.tenants.is_empty() {
        return Err(Failure::usage(
            "--tenant chooses what to scan; --offline judges the whole inventory",
        ));
    }
    Ok(())
}

pub(super) async fn run(global: &Global, arguments: &ScanArgs) -> Result<Exit, Failure> {
    check(arguments)?;
    let baseline = arguments.baseline.as_deref().map(Baseline::open).transpose()?;
    if let Some(path) = &arguments.inventory {
        let config = offline_config(&arguments.selection.config)?;
        let inventory = Inventory::open(path)?;
        let mut basis = Basis::read(config, &arguments.basis, inventory.header.taken_at)?;
        let exported = export(&inventory, arguments);
        let judged = judge(&mut basis, &inventory, baseline.as_ref(), arguments)?;
        return tell(&judged, global, arguments, exported);
    }
    let config = config::load(&arguments.selection.config)?;
    let header = Header::new(SystemClock.now());
    let mut basis = Basis::read(config.clone(), &arguments.basis, header.taken_at)?;
    // A tenant that is not there is told before anything is remembered.
    select(&config, &arguments.selection)?;
    let written = [&arguments.export, &arguments.write_baseline].into_iter().flatten();
    output::check_apart(
        arguments.outputs.iter().chain(written),
        &remember::file(&config, &arguments.store),
    )?;
    let store = remember::open(&config, &arguments.store).await?;
    if arguments.notify {
        notify::check(&config, store.as_ref())?;
    }
    let keeper = match &store {
        Some(store) => Some(store.begin(&header).await?),
        None => None,
    };
    let reading = Reading { is_full: arguments.full, is_quiet: arguments.quiet };
    let inventory = read(&config, &arguments.selection, reading, header, keeper.as_ref()).await?;
    let comparable = match &store {
        Some(store) => basis.compare_with(store, &inventory).await,
        None => Ok(()),
    };
    let exported = export(&inventory, arguments);
    let judged = judge(&mut basis, &inventory, baseline.as_ref(), arguments)?;
    // What cannot be remembered is told after the report: nobody should have to scan again for it.
    let remembered = match (comparable, &store, keeper) {
        // Judged without what was before, findings that rest on it would be taken for gone.
        (Err(failure), ..) => Err(failure),
        (Ok(()), Some(store), Some(keeper)) => {
            remember(store, keeper, &judged, &config).await.map(Some)
        }
        _ => Ok(None),
    };
    let judged = match (&store, &remembered) {
        (Some(store), Ok(Some(changes))) => {
            judged.with_history(Remembered { store, compared: changes.compared() })
        }
        _ => judged,
    };
    let exit = tell(&judged, global, arguments, exported)?;
    let changes = remembered?;
    if let (Some(store), Some(changes)) = (&store, &changes) {
        // Not before everybody has the reports: what stands for another scan must have been told.
        store.reported(changes.scan, exit).await?;
    }
    match (&store, changes) {
        (Some(store), Some(changes)) if arguments.notify => {
            Ok(notify::after_scan(&config, store, &changes, exit).await)
        }
        _ => Ok(exit),
    }
}

async fn remember(
    store: &Store,
    keeper: Keeper<'_>,
    judged: &Judged<'_>,
    config: &Config,
) -> Result<Changes, Failure> {
    let scan = keeper.close()?;
    remember::findings(store, scan, judged, remember::retention(config)).await
}

/// Judges what was read by what the arguments say.
fn judge<'a>(
    basis: &'a mut Basis,
    inventory: &'a Inventory,
    baseline: Option<&'a Baseline>,
    arguments: &ScanArgs,
) -> Result<Judged<'a>, Failure> {
    if let Some(fail_on) = arguments.fail_on {
        basis.policy.fail_on = fail_on;
    }
    basis.policy.allow_incomplete |= arguments.allow_incomplete;
    let origin = basis.origin(arguments.inventory.as_deref());
    let surroundings = basis.surroundings(inventory)?;
    Ok(scan::judge(inventory, surroundings, baseline)?.with_origin(origin))
}

/// Writes the inventory, if that was asked for, before anything else can go wrong.
fn export(inventory: &Inventory, arguments: &ScanArgs) -> Result<(), Failure> {
    let Some(path) = &arguments.export else { return Ok(()) };
    output::atomically(path, |to| {
        inventory.export(to).map_err(|error| output::explain(path, error))
    })
}

/// Writes everything else that was asked for. What fails keeps nothing else from being written: nobody should have to scan again.
fn tell(
    judged: &Judged<'_>,
    global: &Global,
    arguments: &ScanArgs,
    exported: Result<(), Failure>,
) -> Result<Exit, Failure> {
    let mut written = vec![exported];
    written.extend(arguments.outputs.iter().map(|path| output::to_file(judged, path)));
    written.push(output::to_stdout(judged, arguments.format, global));
    written.extend(arguments.write_baseline.iter().map(|path| write_baseline(judged, path)));
    output::first_failure(written)?;
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
    let header = Header::new(SystemClock.now());
    let inventory = read(&config, selection, Reading { is_full, is_quiet }, header, None).await?;
    Ok((config, inventory))
}

/// How to scan.
#[derive(Clone, Copy)]
struct Reading {
    /// Reads everything anew, whatever is remembered.
    is_full: bool,
    /// Shows no progress.
    is_quiet: bool,
}

/// Scans the chosen tenants.
async fn read(
    config: &Config,
    selection: &Selection,
    reading: Reading,
    header: Header,
    keeper: Option<&Keeper<'_>>,
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
    let observer: &dyn Observer =
        if is_watched() && !reading.is_quiet { &progress } else { &Silent };
    let remembering = config
        .incremental
        .as_ref()
        .map(|settings| Remembering { settings, is_full: reading.is_full });
    Ok(scan::run(header, &tenants, remembering.as_ref(), keeper, &kit(), observer).await?)
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
