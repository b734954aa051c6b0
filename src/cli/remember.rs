//! Opens the store that scans are remembered in, and brings what was judged into it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use grantwarden_kit::clock::{Clock as _, SystemClock};

use super::{Failure, args::StoreArgs};
use crate::{
    config::Config,
    exit::Exit,
    inventory::Inventory,
    policy::{Allow, Policy, Waiver},
    rules,
    scan::{JudgeError, Judged},
    store::{Changes, ExceptionUse, Merge, Retention, Store, TenantKey},
};

/// The word that switches remembering off.
const NONE: &str = "none";
/// The name of the file in the folder for state.
const FILE_NAME: &str = "store.db";

/// The store of `--store`, of the configuration, or of this user; none if the user wants none.
pub(super) async fn open(config: &Config, arguments: &StoreArgs) -> Result<Option<Store>, Failure> {
    if arguments.store.as_ref().is_some_and(|file| file.as_os_str() == NONE) {
        return Ok(None);
    }
    let settings = config.store.as_ref().filter(|_| arguments.store.is_none());
    if let Some(url) = settings.and_then(|settings| settings.url.as_ref()) {
        let url =
            url.fetch().await.map_err(|error| Failure { exit: Exit::Usage, ..error.into() })?;
        return Ok(Some(Store::connect(&url).await?));
    }
    match file(config, arguments) {
        Some(file) => Ok(Some(Store::open_file(&file).await?)),
        None => Err(Failure::usage("there is no folder to remember scans in: HOME is not set")
            .hint("name a file with --store FILE, or remember nothing with --store none")),
    }
}

/// The file of the store, if it is one: other files must not take its place.
pub(super) fn file(config: &Config, arguments: &StoreArgs) -> Option<PathBuf> {
    if let Some(file) = &arguments.store {
        return (file.as_os_str() != NONE).then(|| file.clone());
    }
    let settings = config.store.as_ref();
    if settings.is_some_and(|settings| settings.url.is_some()) {
        return None;
    }
    settings.and_then(|settings| settings.file.clone()).or_else(|| of_user(arguments))
}

/// The same for a command that is about nothing else.
pub(super) async fn open_for_sure(
    config: &Config,
    arguments: &StoreArgs,
) -> Result<Store, Failure> {
    open(config, arguments).await?.ok_or_else(|| {
        Failure::usage("this command needs a store, and --store is `none`")
            .hint("name its file with --store FILE")
    })
}

/// Where this user keeps state: the folder of the systemd service, then that of the XDG base directory specification.
fn of_user(arguments: &StoreArgs) -> Option<PathBuf> {
    let set = |value: &Option<std::ffi::OsString>| value.clone().filter(|value| !value.is_empty());
    // Of several folders, with colons between them, the first.
    let first = |value: &OsStr| std::env::split_paths(value).next();
    if let Some(folder) = set(&arguments.state_directory).as_deref().and_then(first) {
        return Some(folder.join(FILE_NAME));
    }
    let state = match set(&arguments.state_home) {
        Some(state) => PathBuf::from(state),
        None => Path::new(&set(&arguments.home)?).join(".local/state"),
    };
    Some(state.join("grantwarden").join(FILE_NAME))
}

/// Remembers what was found, tells what changed, and prunes if the configuration says so.
pub(super) async fn findings(
    store: &Store,
    scan: i64,
    judged: &Judged<'_>,
    config_keep: Option<Retention>,
) -> Result<Changes, Failure> {
    let now = SystemClock.now();
    let merge = Merge {
        scan,
        taken_at: judged.inventory.header.taken_at,
        finished_at: now,
        tenants: tenants(judged.inventory),
        asked: asked(judged.policy()),
        exceptions: exceptions(judged),
    };
    let changes = store
        .merge::<JudgeError>(&merge, |add| judged.for_each_finding(|finding, _| Ok(add(finding)?)))
        .await?;
    if let Some(retention) = config_keep {
        store.prune(retention, now, false).await?;
    }
    Ok(changes)
}

/// The rules that the policy lets run, built in and the user's own.
fn asked(policy: &Policy) -> Vec<String> {
    let off: Vec<&str> = policy.switched_off().collect();
    let own = policy.custom.iter().map(|rule| rule.id.as_str());
    let all = rules::ids().into_iter().chain(own).filter(|id| !off.contains(id));
    all.map(ToOwned::to_owned).collect()
}

/// The tenants of an inventory as the store knows them.
pub(super) fn tenants(inventory: &Inventory) -> Vec<TenantKey> {
    inventory.tenants.iter().map(TenantKey::of).collect()
}

/// What the policy says of how long snapshots are kept.
pub(super) fn retention(config: &Config) -> Option<Retention> {
    let keep = config.store.as_ref()?.keep?;
    Some(Retention { snapshots: keep.snapshots, age: keep.age.duration() })
}

fn exceptions(judged: &Judged<'_>) -> Vec<ExceptionUse> {
    let waiver = |(waiver, used): (&Waiver, &crate::scan::Use)| ExceptionUse {
        kind: "waiver".to_owned(),
        subject: waiver.subject.to_string(),
        owner: Some(waiver.owner.value.clone()),
        until: Some(waiver.until.to_string()),
        reason: waiver.reason.value.clone(),
        holds: used.holds,
        broken: used.broken,
    };
    let allow = |(allow, used): (&Allow, &crate::scan::Use)| ExceptionUse {
        kind: "allow".to_owned(),
        subject: allow.subject.to_string(),
        owner: None,
        until: None,
        reason: allow.reason.value.clone(),
        holds: used.holds,
        broken: used.broken,
    };
    let (policy, uses) = (judged.policy(), &judged.uses);
    let waivers = policy.waivers.iter().zip(&uses.waivers).map(waiver);
    waivers.chain(policy.allow.iter().zip(&uses.allow).map(allow)).collect()
}
