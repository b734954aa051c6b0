//! `demo`: a made-up company in the lab on this machine, scanned with the real connectors over real HTTP.

use std::{collections::BTreeMap, num::NonZeroU32};

use grantwarden_kit::manifest::{Bucket, Manifest};
use grantwarden_lab::{Lab, World};

use super::{
    Failure,
    args::{DemoArgs, Global},
    is_watched, kit, output,
    progress::Progress,
};
use crate::{
    advisories::Advisories,
    config,
    exit::Exit,
    inventory::Header,
    policy::Policy,
    rules::Surroundings,
    scan::{self, Observer, Silent},
};

/// How much faster time goes by in the demo: `time_scale` of its world, which keeps the platforms' own quotas.
const TIME_SCALE: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// The demo company.
const WORLD: &str = include_str!("../../fixtures/worlds/demo.toml");

pub(super) async fn run(global: &Global, arguments: &DemoArgs) -> Result<Exit, Failure> {
    let world = World::parse(WORLD).map_err(|error| Failure::new(Exit::Internal, &error))?;
    let lab = Lab::start(world).await.map_err(|error| Failure::new(Exit::Internal, &error))?;
    // The keys are made for this run; a folder that goes with it keeps them out of the arguments and the environment.
    let folder = tempfile::tempdir()?;
    let mut tenants = config::load(&lab.write_config(folder.path())?)?.tenants;
    for tenant in &mut tenants {
        let manifest = tenant.connector()?.manifest();
        tenant.buckets = faster(manifest);
        tenant.include = optional(manifest);
    }
    let (kit, progress) = (kit(), Progress::default());
    let header = Header::new(kit.clock.now());
    let observer: &dyn Observer = if is_watched() { &progress } else { &Silent };
    let inventory = scan::run(header, &tenants, None, None, &kit, observer).await?;
    if let Some(path) = &arguments.export {
        output::atomically(path, |to| {
            inventory.export(to).map_err(|error| output::explain(path, error))
        })?;
    }
    let policy = Policy::default();
    let surroundings = Surroundings::new(&inventory, &policy, None, inventory.header.taken_at)
        .with_advisories(Advisories::built_in()?, &inventory);
    let judged = scan::judge(&inventory, surroundings, None)?;
    output::to_stdout(&judged, arguments.format, global)?;
    // The demo did what it is for, whatever it found.
    Ok(Exit::Clean)
}

/// What a scan reads only if asked for: here it costs nobody anything.
fn optional(manifest: &Manifest) -> Vec<String> {
    let optional = manifest.facets.iter().filter(|facet| facet.opt_in.is_some());
    optional.map(|facet| facet.id.clone()).collect()
}

/// The platform's pace by the demo's time.
fn faster(manifest: &Manifest) -> BTreeMap<String, Bucket> {
    let scale = |bucket: &Bucket| {
        let per_minute = bucket.per_minute.map(|rate| rate.saturating_mul(TIME_SCALE));
        Bucket { per_minute, ..*bucket }
    };
    manifest.buckets.iter().map(|(name, bucket)| (name.clone(), scale(bucket))).collect()
}
