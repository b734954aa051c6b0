//! `diff`: what differs between two snapshots.

use std::{
    io::{self, BufWriter, Write as _},
    path::Path,
};

use super::{
    Failure,
    args::{DiffArgs, Global},
    output, snapshot,
};
use crate::{
    exit::Exit,
    inventory::diff::{Diff, Options, Outline},
    report::{
        Look,
        changes::{self, ChangesError, Format},
    },
};

pub(super) async fn run(global: &Global, arguments: &DiffArgs) -> Result<Exit, Failure> {
    // Before the reading, not after it.
    let mut outputs = Vec::new();
    for path in &arguments.outputs {
        output::check(path)?;
        outputs.push((path, format_of(path)?));
    }
    let mut snapshots =
        snapshot::Snapshots::new(&arguments.config, &arguments.store, &arguments.tenants);
    let (old, new) = (snapshots.open(&arguments.old).await?, snapshots.open(&arguments.new).await?);
    let (old, new) = Outline::read_both(old, new)?;
    check(arguments, &old, &new)?;
    let options = Options { tenants: &arguments.tenants, all: arguments.all };
    let diff = Diff::of(&old, &new, options)?;
    // A pipe or a scan of the store is no place that a reader can look at.
    let places = [Path::new(&arguments.new), &arguments.config];
    let place = places.into_iter().find(|path| path.is_file());
    for (path, format) in outputs {
        output::atomically(path, |to| Ok(changes::write(format, &diff, place, Look::PLAIN, to)?))?;
    }
    to_stdout(&diff, arguments.format, place, global)?;
    Ok(match (diff.is_empty(), diff.is_whole()) {
        (false, _) if arguments.exit_code => Exit::Findings,
        (_, true) => Exit::Clean,
        (_, false) => Exit::Incomplete,
    })
}

/// The other way round all that was revoked would be new.
fn check(arguments: &DiffArgs, old: &Outline, new: &Outline) -> Result<(), Failure> {
    let (then, now) = (old.header.taken_at, new.header.taken_at);
    if then > now {
        return Err(Failure::usage(format!(
            "{} is of {then}, after {} of {now}",
            arguments.old, arguments.new
        ))
        .hint("name the older snapshot first"));
    }
    let names: Vec<&str> =
        old.tenants.iter().chain(&new.tenants).map(|tenant| tenant.end.name.as_str()).collect();
    match arguments.tenants.iter().find(|name| !names.contains(&name.as_str())) {
        Some(name) => {
            let mut known = names;
            known.sort_unstable();
            known.dedup();
            Err(Failure::usage(format!("no tenant of the snapshots is called `{name}`"))
                .hint(format!("there is {}", known.join(", "))))
        }
        None => Ok(()),
    }
}

/// The format that a file's ending stands for.
fn format_of(path: &Path) -> Result<Format, Failure> {
    Format::of_file(path).ok_or_else(|| {
        let endings = Format::ENDINGS.map(|(ending, format)| format!("{ending} ({format})"));
        Failure::usage(format!("{}: the ending does not tell a format", path.display()))
            .hint(format!("end the file's name in one of {}", endings.join(", ")))
    })
}

fn to_stdout(
    diff: &Diff<'_>,
    format: Format,
    place: Option<&Path>,
    global: &Global,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = changes::write(format, diff, place, output::look(global), &mut out)
        .and_then(|()| out.flush().map_err(ChangesError::from));
    match written {
        // `grantwarden diff | head` ends the reader first. The result stays what it is.
        Err(ChangesError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
