//! `report`: judge a remembered scan again, by today's rules and policy as of the time of the scan, and write it in any format.

use super::{
    Failure,
    args::{Global, ReportArgs},
    basis::Basis,
    history::Remembered,
    output, remember,
    scan::offline_config,
};
use crate::{exit::Exit, policy::Baseline, scan};

pub(super) async fn run(global: &Global, arguments: &ReportArgs) -> Result<Exit, Failure> {
    let config = offline_config(&arguments.selection.config)?;
    let kept = [&arguments.baseline, &arguments.basis.policy].into_iter().flatten();
    let kept = kept.chain(&arguments.basis.previous).chain(&arguments.basis.advisories);
    let store_file = remember::file(&config, &arguments.store);
    output::check_all(
        &arguments.outputs,
        [&arguments.export],
        kept.chain([&arguments.selection.config]).chain(&store_file),
    )?;
    let baseline = arguments.baseline.as_deref().map(Baseline::open).transpose()?;
    let store = remember::open_for_sure(&config, &arguments.store).await?;
    let found = store.resolve(arguments.scan, &arguments.selection.tenants).await?;
    let is_broken_off = found.finished_at.is_none();
    if is_broken_off && arguments.export.is_some() {
        return Err(Failure::usage(format!(
            "scan {} was broken off, which an inventory cannot say: it would look whole",
            found.number
        ))
        .hint("leave out --export: the report says what is missing; or scan again"));
    }
    if is_broken_off {
        tracing::warn!(
            "Scan {} was broken off: tenants that it had not read by then are missing.",
            found.number
        );
    }
    let inventory = store.inventory(&found.header, &found.snapshots).await?;
    let mut basis = Basis::read(config, &arguments.basis, found.header.taken_at)?;
    basis.compare_with(&store, &inventory).await?;
    if let Some(fail_on) = arguments.fail_on {
        basis.policy.fail_on = fail_on;
    }
    basis.policy.allow_incomplete |= arguments.allow_incomplete;
    let exported = arguments.export.iter().map(|path| {
        output::atomically(path, |to| {
            inventory.export(to).map_err(|error| output::explain(path, error))
        })
    });
    let mut written: Vec<Result<(), Failure>> = exported.collect();
    let origin = basis.origin(None);
    let surroundings = basis.surroundings(&inventory)?;
    let compared = store.compared(&found).await?;
    let judged = scan::judge(&inventory, surroundings, baseline.as_ref())?
        .with_origin(origin)
        .with_broken_off(is_broken_off)
        .with_history(Remembered { store: &store, compared });
    written.extend(arguments.outputs.iter().map(|path| output::to_file(&judged, path)));
    written.push(output::to_stdout(&judged, arguments.format, global));
    output::first_failure(written)?;
    Ok(judged.exit())
}
