//! `store`: what scans left behind.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Write},
};

use grantwarden_kit::clock::{Clock as _, SystemClock};
use serde::Serialize;

use super::{
    Failure,
    args::{
        Listing, StoreCommand, StoreCommandArgs, StoreImportArgs, StoreListArgs, StorePlaceArgs,
        StorePruneArgs, StoreShowArgs,
    },
    output, remember,
    scan::offline_config,
};
use crate::{
    exit::Exit,
    inventory::Inventory,
    policy::Span,
    report::plain,
    store::{Changes, ExceptionUse, Listed, Retention, Scan, Store},
};

pub(super) async fn run(arguments: &StoreCommandArgs) -> Result<Exit, Failure> {
    match &arguments.command {
        StoreCommand::List(arguments) => list(arguments).await,
        StoreCommand::Show(arguments) => show(arguments).await,
        StoreCommand::Check(place) => check(place).await,
        StoreCommand::Prune(arguments) => prune(arguments).await,
        StoreCommand::Export(arguments) => {
            let store = open(&arguments.place).await?;
            match &arguments.output {
                Some(path) => {
                    output::check(path)?;
                    output::atomically_later(path, async |to| Ok(store.export(to).await?)).await?;
                }
                None => {
                    let mut out = BufWriter::new(io::stdout());
                    store.export(&mut out).await?;
                    out.flush()?;
                }
            }
            Ok(Exit::Clean)
        }
        StoreCommand::Import(arguments) => import(arguments).await,
    }
}

async fn open(place: &StorePlaceArgs) -> Result<Store, Failure> {
    remember::open_for_sure(&offline_config(&place.config)?, &place.store).await
}

async fn list(arguments: &StoreListArgs) -> Result<Exit, Failure> {
    let store = open(&arguments.place).await?;
    let scans = store.scans().await?;
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.format == Listing::Json {
        json(&mut out, &scans)?;
        return Ok(Exit::Clean);
    }
    writeln!(out, "{}", store.name())?;
    if scans.is_empty() {
        writeln!(out, "\nNo scan is remembered yet.")?;
    }
    for scan in &scans {
        writeln!(out, "\n{}", head(scan))?;
        for snapshot in &scan.snapshots {
            let state = match (snapshot.pruned_at, &snapshot.account, snapshot.complete) {
                (Some(at), ..) => format!("records removed on {}", at.date()),
                (None, None, _) => "could not be read".to_owned(),
                (None, _, true) => "complete".to_owned(),
                (None, _, false) => "INCOMPLETE".to_owned(),
            };
            let (tenant, grants) = (plain(&snapshot.tenant), snapshot.grants);
            writeln!(out, "  {tenant} ({}): {grants} grants, {state}", snapshot.platform)?;
        }
    }
    out.flush()?;
    Ok(Exit::Clean)
}

/// A scan in one line.
fn head(scan: &Scan) -> String {
    let mut head = format!("Scan {} of {}", scan.number, scan.header.taken_at.whole_second());
    match (scan.finished_at, &scan.active) {
        (None, _) => head.push_str(", BROKEN OFF"),
        (Some(_), None) => head.push_str(", not judged"),
        (Some(_), Some(active)) => {
            head.push_str(&format!(
                ", {} findings: {} critical, {} high",
                active.total(),
                active.critical,
                active.high
            ));
        }
    }
    head
}

/// One scan for programs.
#[derive(Serialize)]
struct Shown<'a> {
    scan: &'a Scan,
    changes: Option<&'a Changes>,
    exceptions: &'a [ExceptionUse],
}

async fn show(arguments: &StoreShowArgs) -> Result<Exit, Failure> {
    let store = open(&arguments.place).await?;
    let scan = store.resolve(arguments.scan, &[]).await?;
    let changes = match scan.active {
        Some(_) => Some(store.changes(scan.number).await?),
        None => None,
    };
    let exceptions = store.exceptions(scan.number).await?;
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.format == Listing::Json {
        json(&mut out, &Shown { scan: &scan, changes: changes.as_ref(), exceptions: &exceptions })?;
        return Ok(Exit::Clean);
    }
    writeln!(out, "{}", head(&scan))?;
    if let Some(changes) = &changes {
        tell(&mut out, changes)?;
    }
    for used in &exceptions {
        let until =
            used.until.as_deref().map(|until| format!(" until {until}")).unwrap_or_default();
        let who =
            used.owner.as_deref().map(|owner| format!(" by {}", plain(owner))).unwrap_or_default();
        let (subject, reason) = (plain(&used.subject), plain(&used.reason));
        writeln!(
            out,
            "\n{}{until}{who} for {subject}: {} findings, {} beyond it ({reason})",
            used.kind, used.holds, used.broken
        )?;
    }
    out.flush()?;
    Ok(Exit::Clean)
}

/// What a scan changed, for a person.
fn tell(out: &mut impl Write, changes: &Changes) -> Result<(), Failure> {
    match changes.before {
        Some(before) => writeln!(out, "Compared with the scan of {}:", before.whole_second())?,
        None => writeln!(out, "It is the first scan of its tenants.")?,
    }
    let kinds: [(&str, &Listed); 4] = [
        ("new", &changes.new),
        ("back", &changes.reopened),
        ("worse", &changes.worse),
        ("gone", &changes.resolved),
    ];
    for (word, listed) in kinds {
        let total = listed.counts.total();
        writeln!(out, "\n{total} {word}")?;
        for item in &listed.first {
            let tenant = item
                .tenant
                .as_deref()
                .map(|tenant| format!(" in {}", plain(tenant)))
                .unwrap_or_default();
            writeln!(
                out,
                "  {:<8}  {}  {}{tenant}: {}",
                item.severity,
                item.fingerprint,
                item.rule,
                plain(&item.subject)
            )?;
        }
        let more = total - listed.first.len() as u64;
        if more > 0 {
            writeln!(out, "  and {more} more")?;
        }
    }
    for tenant in &changes.incomplete {
        writeln!(
            out,
            "\n{} was not read whole: nothing of it counts as gone that may only not have been seen.",
            plain(tenant)
        )?;
    }
    Ok(())
}

async fn check(place: &StorePlaceArgs) -> Result<Exit, Failure> {
    let store = open(place).await?;
    let (read, defects) = store.check().await?;
    let mut out = io::stdout().lock();
    for defect in &defects {
        writeln!(out, "{}", plain(&defect.what))?;
    }
    if defects.is_empty() {
        writeln!(out, "{}: {read} snapshots were read back; all is as it was kept.", store.name())?;
        return Ok(Exit::Clean);
    }
    Err(Failure::internal(format!("{} is damaged in {} places", store.name(), defects.len()))
        .hint("what can still be read can be taken out: `grantwarden report NUMBER --export FILE`"))
}

async fn prune(arguments: &StorePruneArgs) -> Result<Exit, Failure> {
    let config = offline_config(&arguments.place.config)?;
    let configured = remember::retention(&config);
    let given = arguments.snapshots.is_some() || arguments.age.is_some();
    let retention = match (configured, given) {
        (None, false) => {
            return Err(Failure::usage("nothing says which snapshots to keep")
                .hint("give --snapshots N and --age 90d, or set `keep` in [store]"));
        }
        (configured, _) => {
            let base =
                configured.unwrap_or(Retention { snapshots: 1, age: std::time::Duration::ZERO });
            Retention {
                snapshots: arguments.snapshots.unwrap_or(base.snapshots),
                age: arguments.age.map_or(base.age, Span::duration),
            }
        }
    };
    let store = remember::open_for_sure(&config, &arguments.place.store).await?;
    let pruned = store.prune(retention, SystemClock.now(), arguments.dry_run).await?;
    let mut out = io::stdout().lock();
    for snapshot in &pruned.snapshots {
        writeln!(
            out,
            "{} of {}: {} grants",
            plain(&snapshot.tenant),
            snapshot.taken_at.whole_second(),
            snapshot.grants
        )?;
    }
    let done = if arguments.dry_run { "would be removed" } else { "were removed" };
    writeln!(out, "The records of {} snapshots {done}.", pruned.snapshots.len())?;
    Ok(Exit::Clean)
}

async fn import(arguments: &StoreImportArgs) -> Result<Exit, Failure> {
    let path = &arguments.file;
    let explain = |error: io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(explain)?;
    let mut file = BufReader::new(file);
    let is_store = file.fill_buf().map_err(explain)?.starts_with(b"{\"store\"");
    let store = open(&arguments.place).await?;
    let mut out = io::stdout().lock();
    if is_store {
        let imported = store.import(&mut file).await.map_err(|error| match error {
            crate::store::StoreError::Io(error) => explain(error),
            other => other.into(),
        })?;
        let (scans, snapshots, findings) = (imported.scans, imported.snapshots, imported.findings);
        writeln!(
            out,
            "Read in: {scans} scans, {snapshots} snapshots with records, {findings} findings."
        )?;
    } else {
        let scan = store.import_inventory(&Inventory::open(path)?).await?;
        writeln!(out, "Read in as scan {scan}; `grantwarden report {scan}` judges it.")?;
    }
    Ok(Exit::Clean)
}

fn json(out: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}
