//! `notify`: tells the channels what a scan changed, or tries them out; and how previews and outcomes are shown to a person.

use std::io::{self, Write};

use super::{Failure, args::NotifyArgs, kit, remember};
use crate::{
    config::{self, Channel, Config},
    exit::Exit,
    notify::{self, Delivery, InStore, Outcome, Preview},
    report::plain,
    store::{Changes, Store},
};

pub(super) async fn run(arguments: &NotifyArgs) -> Result<Exit, Failure> {
    let config = config::load(&arguments.config)?;
    let channels = select(&config, &arguments.channels)?;
    let kit = kit();
    if !arguments.test {
        let store = remember::open_for_sure(&config, &arguments.store).await?;
        let scan = store.resolve(arguments.scan, &[]).await?;
        let changes = store.changes(scan.number).await?;
        let told = InStore::new(&store, &*kit.clock);
        if arguments.dry_run {
            show(&mut io::stdout().lock(), &notify::preview(&changes, &channels, &told).await)?;
            return Ok(Exit::Clean);
        }
        return Ok(tell(&notify::send(&changes, &channels, &told, &kit).await, Exit::Clean));
    }
    if arguments.dry_run {
        show(&mut io::stdout().lock(), &notify::preview_trial(&channels, kit.clock.now()))?;
        return Ok(Exit::Clean);
    }
    Ok(tell(&notify::trial(&channels, &kit).await, Exit::Clean))
}

/// Tells all channels what a scan changed, after its reports.
pub(super) async fn after_scan(
    config: &Config,
    store: &Store,
    changes: &Changes,
    verdict: Exit,
) -> Exit {
    let kit = kit();
    let told = InStore::new(store, &*kit.clock);
    tell(&notify::send(changes, &config.channels, &told, &kit).await, verdict)
}

/// Says before a scan that it could tell nobody after it.
pub(super) fn check(config: &Config, store: Option<&Store>) -> Result<(), Failure> {
    if store.is_none() {
        return Err(Failure::usage(
            "--notify tells what changed since the last scan, and --store is `none`",
        ));
    }
    select(config, &[]).map(drop)
}

/// The channels to tell: those named, or all.
fn select(config: &Config, names: &[String]) -> Result<Vec<Channel>, Failure> {
    let known = || config.channels.iter().map(|channel| channel.name.to_string());
    if config.channels.is_empty() {
        return Err(Failure::usage("the configuration has no channel to tell")
            .hint("add a [[notify]] table: docs/notify.md shows one for each kind"));
    }
    if let Some(unknown) = names.iter().find(|name| !known().any(|other| other == **name)) {
        let known: Vec<String> = known().collect();
        return Err(Failure::usage(format!("there is no channel `{unknown}`"))
            .hint(format!("the configuration has {}", known.join(", "))));
    }
    let is_meant =
        |channel: &&Channel| names.is_empty() || names.iter().any(|name| **name == *channel.name);
    Ok(config.channels.iter().filter(is_meant).cloned().collect())
}

/// Prints what would be sent.
fn show(out: &mut dyn Write, previews: &[Preview]) -> io::Result<()> {
    for Preview { channel, kind, head, parts, remarks } in previews {
        writeln!(out, "--- {} ({kind})", plain(channel))?;
        for remark in remarks {
            writeln!(out, "note: {}", plain(remark))?;
        }
        if head.is_empty() && parts.is_empty() && remarks.is_empty() {
            writeln!(out, "nothing to tell")?;
        }
        for (name, value) in head {
            writeln!(out, "{name}: {}", plain(value))?;
        }
        for (title, text) in parts {
            writeln!(out, "--- {title}")?;
            // The text is as it is sent; what would move a terminal is taken out here only.
            text.lines().try_for_each(|line| writeln!(out, "{}", plain(line)))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Says how telling the channels ended, and with which code to end: a verdict of another kind wins over a failure here.
#[expect(clippy::print_stderr, reason = "talk about messages is for standard error")]
fn tell(outcomes: &[Outcome], verdict: Exit) -> Exit {
    for outcome in outcomes {
        let level = if outcome.is_failure() { "error: " } else { "" };
        eprintln!("{level}{}", plain(&outcome.to_string()));
        if let Delivery::Failed { hint: Some(hint), .. } = &outcome.result {
            eprintln!("  hint: {}", plain(hint));
        }
        for remark in &outcome.remarks {
            eprintln!("  note: {}", plain(remark));
        }
    }
    let is_failed = outcomes.iter().any(Outcome::is_failure);
    if is_failed && verdict == Exit::Clean { Exit::Internal } else { verdict }
}
