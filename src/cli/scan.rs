//! `scan`: read the tenants, judge, report.

use std::path::Path;

use super::{
    Failure,
    args::{Global, ScanArgs, Selection},
    is_watched, kit, output,
    progress::Progress,
};
use crate::{
    config::{self, Config, TenantEntry},
    exit::Exit,
    inventory::Inventory,
    policy::custom,
    rules::{self, Surroundings},
    scan::{self, Observer, Remembering, Silent},
};

pub(super) async fn run(global: &Global, arguments: &ScanArgs) -> Result<Exit, Failure> {
    for path in &arguments.outputs {
        // Before the scan, not after it.
        output::format_of(path)?;
        output::check(path)?;
    }
    if let Some(path) = &arguments.export {
        output::check(path)?;
    }
    if arguments.offline && !arguments.selection.tenants.is_empty() {
        return Err(Failure::usage(
            "--tenant chooses what to scan; --offline judges the whole inventory",
        ));
    }
    let (config, inventory) = match &arguments.inventory {
        Some(path) => (offline_config(&arguments.selection.config)?, Inventory::open(path)?),
        None => anew(&arguments.selection, arguments.full, arguments.quiet).await?,
    };
    let mut policy = config.policy;
    if let Some(fail_on) = arguments.fail_on {
        policy.fail_on = fail_on;
    }
    policy.allow_incomplete |= arguments.allow_incomplete;
    if let Some(path) = &arguments.export {
        output::atomically(path, |to| inventory.export(to).map_err(Failure::from))?;
    }
    let now = arguments.now.unwrap_or(inventory.header.taken_at);
    let custom = custom::compile(&policy.custom, &rules::ids())
        .map_err(|error| Failure::usage(error.message))?;
    let surroundings = Surroundings::new(&inventory, &policy, now)
        .with_custom(custom)
        .with_register(config.register.as_ref());
    let judged = scan::judge(&inventory, surroundings)?;
    for path in &arguments.outputs {
        output::to_file(&judged, path)?;
    }
    output::to_stdout(&judged, arguments.format, global)?;
    Ok(judged.exit())
}

/// Scans the chosen tenants of the configuration.
pub(super) async fn anew(
    selection: &Selection,
    is_full: bool,
    is_quiet: bool,
) -> Result<(Config, Inventory), Failure> {
    let config = config::load(&selection.config)?;
    let tenants = select(&config, selection)?;
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
    let inventory = scan::run(&tenants, remembering.as_ref(), &kit(), observer).await?;
    Ok((config, inventory))
}

/// Offline, the configuration is only asked for its policy, and may be missing unless it was named.
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
