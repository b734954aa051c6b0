//! `notify`: tries out the channels; and how previews and outcomes are shown to a person.

use std::io::{self, Write};

use super::{Failure, args::NotifyArgs, kit};
use crate::{
    config::{self, Channel, Config},
    exit::Exit,
    notify::{self, Delivery, Outcome, Preview},
    report::plain,
};

pub(super) async fn run(arguments: &NotifyArgs) -> Result<Exit, Failure> {
    let config = config::load(&arguments.config)?;
    let channels = select(&config, &arguments.channels)?;
    let kit = kit();
    if arguments.dry_run {
        show(&mut io::stdout().lock(), &notify::preview_trial(&channels, kit.clock.now()))?;
        return Ok(Exit::Clean);
    }
    Ok(tell(&notify::trial(&channels, &kit).await, Exit::Clean))
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
