//! Logs: to standard error, off by default, with everything that looks like a token taken out.

use std::io::{self, IsTerminal as _, Write};

use grantwarden_kit::http::Redactor;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt as _};

/// How much to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings and errors.
    Normal,
    /// What the tool decides: `-v`.
    Verbose,
    /// Every call: `-vv`.
    Debug,
}

/// Starts logging. `filter` is a filter in the form of `RUST_LOG`; it wins over the verbosity.
///
/// # Errors
/// If the filter cannot be read.
pub fn start(verbosity: Verbosity, filter: Option<&str>, json: bool) -> Result<(), String> {
    let level = match verbosity {
        Verbosity::Normal => "warn",
        Verbosity::Verbose => "grantwarden=info,warn",
        Verbosity::Debug => "grantwarden=debug,warn",
    };
    let filter = EnvFilter::try_new(filter.unwrap_or(level)).map_err(|error| error.to_string())?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Masked)
        .with_ansi(io::stderr().is_terminal());
    // A second start, in tests, keeps the first.
    let _ = if json { builder.json().finish().try_init() } else { builder.finish().try_init() };
    Ok(())
}

/// Standard error behind a mask.
#[derive(Debug, Clone, Copy)]
struct Masked;

impl<'a> MakeWriter<'a> for Masked {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for Masked {
    /// Each call is one whole event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        io::stderr().write_all(Redactor::default().mask(&text).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
