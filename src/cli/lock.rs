//! A file that one scan holds at a time. The operating system frees it when its holder ends, however it ends; the file itself stays.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    time::Duration,
};

use grantwarden_kit::{
    clock::{Clock as _, SystemClock},
    model::Timestamp,
};
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::{exit::Exit, policy::Span};

/// How often a scan that waits looks again.
const LOOK: Duration = Duration::from_millis(500);
/// The longest file that can be one of ours, in bytes.
const LONGEST: u64 = 256;

/// The right to scan. Held until it is dropped, or the program ends.
pub(super) struct Lock {
    _file: File,
}

/// Who holds a lock, by what it wrote into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holder {
    process: u32,
    since: Timestamp,
}

impl Holder {
    /// `None` for anything but what a holder writes: the file may be somebody else's.
    fn read(text: &str) -> Option<Self> {
        let (process, since) = text.strip_suffix('\n')?.split_once('\n')?;
        Some(Self {
            process: process.strip_prefix("pid ")?.parse().ok()?,
            since: since.strip_prefix("since ")?.parse().ok()?,
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}\nsince {}\n", self.process, self.since.whole_second())
    }
}

/// Takes the lock, and waits for it if that was asked for.
///
/// # Errors
/// If another scan holds it (exit code 3: nothing was read), and if the file cannot be used.
pub(super) async fn take(
    path: &Path,
    wait: Option<Span>,
    stop: &CancellationToken,
) -> Result<Lock, Failure> {
    let wait = wait.map_or(Duration::ZERO, Span::duration);
    let begun = SystemClock.elapsed();
    let mut is_told = false;
    loop {
        let holder = match try_take(path)? {
            Ok(lock) => return Ok(lock),
            Err(holder) => holder,
        };
        let left = wait.saturating_sub(SystemClock.elapsed().saturating_sub(begun));
        if left.is_zero() {
            return Err(held(path, holder));
        }
        if !is_told {
            tracing::info!("Waits for another scan{}.", named(holder));
            is_told = true;
        }
        super::schedule::rest(left.min(LOOK), stop).await?;
    }
}

fn held(path: &Path, holder: Option<Holder>) -> Failure {
    Failure {
        exit: Exit::Incomplete,
        ..Failure::usage(format!(
            "nothing was read: another scan runs{}, and holds {}",
            named(holder),
            path.display()
        ))
    }
    .hint("wait for it with --lock-wait 30m, or let the timer come again")
}

fn named(holder: Option<Holder>) -> String {
    holder.map_or_else(String::new, |holder| {
        format!(", pid {} since {}", holder.process, holder.since)
    })
}

/// The lock, or who holds it as far as that can be read.
fn try_take(path: &Path) -> Result<Result<Lock, Option<Holder>>, Failure> {
    let explain = |error: io::Error| {
        let message = format!("cannot use the lock file {}: {error}", path.display());
        Failure::usage(message).hint("name a file in a folder that the scanner's user may write to")
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path).map_err(explain)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let text = read(&mut file).unwrap_or_default();
            return Ok(Err(Holder::read(&text)));
        }
        Err(TryLockError::Error(error)) => return Err(explain(error)),
    }
    let text = read(&mut file).map_err(explain)?;
    if !text.is_empty() && Holder::read(&text).is_none() {
        let message = format!("{} is no lock file: it holds something else", path.display());
        return Err(Failure::usage(message)
            .hint("name a file of its own; if it is one, cut short by a crash, remove it"));
    }
    let holder = Holder { process: std::process::id(), since: SystemClock.now() };
    write(&mut file, holder).map_err(explain)?;
    Ok(Ok(Lock { _file: file }))
}

/// As much of the file as tells whose it is.
fn read(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(file: &mut File, holder: Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_read_as_it_was_written_and_nothing_else_is_one() {
        let since = "2026-11-22T18:00:00Z".parse().unwrap();
        let holder = Holder { process: 4_711, since };
        assert_eq!(holder.to_string(), "pid 4711\nsince 2026-11-22T18:00:00Z\n");
        assert_eq!(Holder::read(&holder.to_string()), Some(holder));
        for text in ["", "pid 4711\n", "pid x\nsince 2026-11-22\n", "[[tenant]]\nname = \"a\"\n"] {
            assert_eq!(Holder::read(text), None, "{text}");
        }
    }

    #[test]
    fn one_holds_it_and_the_next_gets_it_when_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scan.lock");
        let lock = try_take(&path).unwrap().ok().unwrap();
        let holder = try_take(&path).unwrap().err().unwrap().unwrap();
        assert_eq!(holder.process, std::process::id());
        drop(lock);
        assert!(try_take(&path).unwrap().is_ok());
    }
}
