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
    output::check_all(&arguments.outputs, [&arguments.export])?;
    let config = offline_config(&arguments.selection.config)?;
    let baseline = arguments.baseline.as_deref().map(Baseline::open).transpose()?;
    let store = remember::open_for_sure(&config, &arguments.store).await?;
    let found = store.resolve(arguments.scan, &arguments.selection.tenants).await?;
    if found.finished_at.is_none() {
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
    if let Some(path) = &arguments.export {
        output::atomically(path, |to| {
            inventory.export(to).map_err(|error| output::explain(path, error))
        })?;
    }
    let origin = basis.origin(None);
    let surroundings = basis.surroundings(&inventory)?;
    let compared = store.compared(&found).await?;
    let judged = scan::judge(&inventory, surroundings, baseline.as_ref())?
        .with_origin(origin)
        .with_history(Remembered { store: &store, compared });
    for path in &arguments.outputs {
        output::to_file(&judged, path)?;
    }
    output::to_stdout(&judged, arguments.format, global)?;
    Ok(judged.exit())
}
