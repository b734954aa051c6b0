//! Where reports go: standard output, and files that are written whole or not at all.

use std::{
    collections::BTreeSet,
    io::{self, BufWriter, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use super::{
    Failure,
    args::{Colour, Global},
};
use crate::{
    exit::Exit,
    report::{self, Format, Look, plain},
    scan::{JudgeError, Judged},
};

/// Writes a report to standard output.
pub(super) fn to_stdout(
    judged: &Judged<'_>,
    format: Format,
    global: &Global,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = report::write(format, judged, look(global), &mut out)
        .and_then(|()| out.flush().map_err(JudgeError::from));
    match written {
        // `grantwarden scan | head` ends the reader first. The verdict stays what it is.
        Err(JudgeError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Finds out before a scan whether a file can be written after it.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    let folder = folder(path);
    if !folder.is_dir() {
        let (path, folder) = (path.display(), folder.display());
        return Err(Failure::usage(format!("{path}: there is no folder {folder}")));
    }
    let ends_as_folder = path.to_string_lossy().ends_with(std::path::is_separator);
    if path.is_dir() || ends_as_folder || path.file_name().is_none() {
        return Err(
            Failure::usage(format!("{} is a folder", path.display())).hint("name a file in it")
        );
    }
    let tried = tempfile::tempfile_in(folder).map(drop);
    tried.map_err(|error| Failure { exit: Exit::Usage, ..explain(path, error) })
}

/// Finds out before a scan whether reports and other files can be written after it, and whether one would overwrite another or one of
/// those that are to be kept.
pub(super) fn check_all<'a>(
    reports: &'a [PathBuf],
    others: impl IntoIterator<Item = &'a Option<PathBuf>>,
    kept: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), Failure> {
    reports.iter().try_for_each(|path| format_of(path).map(drop))?;
    let written: Vec<&PathBuf> = reports.iter().chain(others.into_iter().flatten()).collect();
    written.iter().try_for_each(|path| check(path))?;
    check_apart(written, kept)
}

/// Refuses files that would overwrite each other, or what is to be kept.
pub(super) fn check_apart<'a>(
    written: impl IntoIterator<Item = &'a PathBuf>,
    kept: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), Failure> {
    let twice = |path: &Path| {
        Err(Failure::usage(format!(
            "{} is named twice: each would overwrite the other",
            path.display()
        ))
        .hint("name another file"))
    };
    let mut places = BTreeSet::new();
    for path in written {
        if !places.insert(place(path)) {
            return twice(path);
        }
    }
    for path in kept {
        // A file is also reached through a link to it.
        let is_target = path.canonicalize().is_ok_and(|target| places.contains(&target));
        if is_target || places.contains(&place(path)) {
            return twice(path);
        }
    }
    Ok(())
}

/// Where a file is, by whatever way its folder is named. A file that is written takes the place of a link.
fn place(path: &Path) -> PathBuf {
    match (folder(path).canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// The first failure of several; the others are told, too.
pub(super) fn first_failure(
    results: impl IntoIterator<Item = Result<(), Failure>>,
) -> Result<(), Failure> {
    let mut failures = results.into_iter().filter_map(Result::err);
    let Some(first) = failures.next() else { return Ok(()) };
    for other in failures {
        tracing::warn!("{}", plain(&other.message));
    }
    Err(first)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a report to a file; the file's ending tells the format.
pub(super) fn to_file(judged: &Judged<'_>, path: &Path) -> Result<(), Failure> {
    let format = format_of(path)?;
    let mut neighbour = match format {
        Format::Prometheus => Neighbour::of(path, &readable_by_all())?,
        _ => Neighbour::of(path, &tempfile::Builder::new())?,
    };
    report::write(format, judged, Look::PLAIN, &mut neighbour.file).map_err(
        |error| match error {
            JudgeError::Write(error) => explain(path, error),
            other => other.into(),
        },
    )?;
    neighbour.take_its_place()
}

/// The format that a file's ending stands for.
pub(super) fn format_of(path: &Path) -> Result<Format, Failure> {
    Format::of_file(path).ok_or_else(|| {
        let endings = Format::ENDINGS.map(|(ending, format)| format!("{ending} ({format})"));
        Failure::usage(format!("{}: the ending does not tell a format", path.display()))
            .hint(format!("end the file's name in one of {}", endings.join(", ")))
    })
}

/// Lets other users read a file, as far as the umask allows: a monitoring system is not the scanner, and numbers tell of nobody.
#[cfg(unix)]
fn readable_by_all() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut builder = tempfile::Builder::new();
    builder.permissions(std::fs::Permissions::from_mode(0o644));
    builder
}

#[cfg(not(unix))]
fn readable_by_all() -> tempfile::Builder<'static, 'static> {
    tempfile::Builder::new()
}

/// Writes a file, for the scanner's user only, through a neighbour with a temporary name, so that nobody ever sees half of it.
pub(super) fn atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut neighbour = Neighbour::of(path, &tempfile::Builder::new())?;
    write(&mut neighbour.file)?;
    neighbour.take_its_place()
}

/// The same for what is written bit by bit as it comes.
pub(super) async fn atomically_later(
    path: &Path,
    write: impl AsyncFnOnce(&mut dyn io::Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut neighbour = Neighbour::of(path, &tempfile::Builder::new())?;
    write(&mut neighbour.file).await?;
    neighbour.take_its_place()
}

/// A file with a temporary name in the folder of another one.
struct Neighbour<'a> {
    path: &'a Path,
    file: BufWriter<tempfile::NamedTempFile>,
}

impl<'a> Neighbour<'a> {
    fn of(path: &'a Path, builder: &tempfile::Builder<'_, '_>) -> Result<Self, Failure> {
        let file = builder.tempfile_in(folder(path)).map_err(|error| explain(path, error))?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    fn take_its_place(self) -> Result<(), Failure> {
        let explain = |error| explain(self.path, error);
        let file = self.file.into_inner().map_err(|error| explain(error.into_error()))?;
        file.as_file().sync_all().map_err(explain)?;
        file.persist(self.path).map_err(|error| explain(error.error))?;
        Ok(())
    }
}

/// Why a file cannot be written.
pub(super) fn explain(path: &Path, error: io::Error) -> Failure {
    let failure = Failure::from(error);
    Failure { message: format!("cannot write {}: {}", path.display(), failure.message), ..failure }
}

/// How a report on standard output looks.
pub(super) fn look(global: &Global) -> Look {
    let is_terminal = io::stdout().is_terminal();
    let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    Look {
        width: width.filter(|_| is_terminal).unwrap_or(Look::PLAIN.width).clamp(60, 160),
        colour: match global.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => is_terminal && !has_no_color(),
        },
    }
}

/// <https://no-color.org>
#[expect(clippy::disallowed_methods, reason = "a convention of terminals, not a setting of ours")]
fn has_no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
