//! The command line: arguments as types, and one file per subcommand. The only module, with `report`, that writes to the terminal.
//! Standard output is data, standard error is talk.

mod advisory;
pub mod args;
mod basis;
mod completions;
mod demo;
mod diff;
mod doctor;
mod draft;
mod explain;
mod heartbeat;
mod history;
mod init;
mod lock;
mod notify;
mod output;
mod policy;
mod previous;
mod progress;
mod remember;
mod report;
mod scan;
mod schedule;
mod schema;
mod snapshot;
mod store;
mod vendor;
mod vendor_chain;
mod vendor_text;

use std::io::{self, IsTerminal as _};
use std::sync::{Arc, OnceLock};

use clap::Parser as _;
use grantwarden_kit::{clock::SystemClock, connector::Kit, error::Error};
use tokio::signal;
use tokio_util::sync::CancellationToken;

use crate::{
    advisories::AdvisoryError,
    config::ConfigError,
    exit::Exit,
    inventory::InventoryError,
    policy::BaselineError,
    report::{changes::ChangesError, plain},
    scan::JudgeError,
    store::StoreError,
    telemetry::{self, Verbosity},
};
use args::{Cli, Command};

/// Runs the command line.
pub async fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Clean };
            // A closed pipe is the reader's decision.
            let _ = error.print();
            return exit;
        }
    };
    let verbosity = match cli.global.verbose {
        0 => Verbosity::Normal,
        1 => Verbosity::Verbose,
        _ => Verbosity::Debug,
    };
    if let Err(error) = telemetry::start(verbosity, cli.global.log.as_deref(), cli.global.log_json)
    {
        return complain(&Failure::usage(format!("GRANTWARDEN_LOG: {error}")));
    }
    match run(cli).await {
        Ok(exit) => exit,
        Err(failure) => complain(&failure),
    }
}

async fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Scan(arguments) => schedule::run(&arguments, scan::run(&global, &arguments)).await,
        Command::Doctor(arguments) => doctor::run(&global, &arguments).await,
        Command::Diff(arguments) => diff::run(&global, &arguments).await,
        Command::Explain(arguments) => explain::run(&arguments).await,
        Command::Init(arguments) => init::run(&arguments),
        Command::Demo(arguments) => demo::run(&global, &arguments).await,
        Command::Vendor(arguments) => vendor::run(&arguments).await,
        Command::Advisory(arguments) => advisory::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
        Command::Report(arguments) => report::run(&global, &arguments).await,
        Command::Store(arguments) => store::run(&arguments).await,
        Command::Notify(arguments) => notify::run(&arguments).await,
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    fn new(exit: Exit, error: &dyn std::error::Error) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(inner) = cause {
            causes.push(inner.to_string());
            cause = inner.source();
        }
        Self { exit, message: error.to_string(), causes, hint: None }
    }

    fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), causes: Vec::new(), hint: None }
    }

    fn internal(message: impl Into<String>) -> Self {
        Self { exit: Exit::Internal, ..Self::usage(message) }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let missing = matches!(&error, ConfigError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound);
        let failure = Self::new(Exit::Usage, &error);
        if missing {
            failure
                .hint("`grantwarden init` writes one; `grantwarden demo` shows a scan without any")
        } else {
            failure
        }
    }
}

impl From<InventoryError> for Failure {
    fn from(error: InventoryError) -> Self {
        Self::new(Exit::Usage, &error)
    }
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        let failure = Self::new(Exit::Usage, &error);
        match error {
            BaselineError::Read { .. } => failure.hint("`scan --write-baseline FILE` writes one"),
            BaselineError::Line { .. } => failure,
        }
    }
}

impl From<AdvisoryError> for Failure {
    fn from(error: AdvisoryError) -> Self {
        Self::new(Exit::Usage, &error)
    }
}

impl From<JudgeError> for Failure {
    fn from(error: JudgeError) -> Self {
        match error {
            JudgeError::Inventory(error) => error.into(),
            JudgeError::Write(error) => error.into(),
            JudgeError::Store(error) => error.into(),
            error @ JudgeError::Platform { .. } => Self::new(Exit::Usage, &error),
            error @ JudgeError::Catalog(_) => Self::new(Exit::Internal, &error),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Address | StoreError::Missing { .. } | StoreError::Newer { .. } => {
                Exit::Usage
            }
            _ => Exit::Internal,
        };
        let failure = Self::new(exit, &error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<ChangesError> for Failure {
    fn from(error: ChangesError) -> Self {
        match error {
            ChangesError::Inventory(error) => error.into(),
            ChangesError::Write(error) => error.into(),
        }
    }
}

impl From<crate::scan::ScanError> for Failure {
    fn from(error: crate::scan::ScanError) -> Self {
        Self::new(Exit::Internal, &error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // `grantwarden scan | head` ends the reader first; that is no fault of ours.
        let exit =
            if error.kind() == io::ErrorKind::BrokenPipe { Exit::Clean } else { Exit::Internal };
        Self::new(exit, &error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(Exit::Incomplete, &error);
        match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place that tells the user of a failure")]
fn complain(failure: &Failure) -> Exit {
    if failure.exit != Exit::Clean {
        eprintln!("error: {}", plain(&failure.message));
        for cause in &failure.causes {
            eprintln!("  cause: {}", plain(cause));
        }
        if let Some(hint) = &failure.hint {
            eprintln!("  hint: {}", plain(hint));
        }
    }
    failure.exit
}

/// What connectors get: the machine's clock, and a way to be stopped. The first Ctrl-C (or SIGTERM, as systemd and Kubernetes send it)
/// asks the scan to end, the second ends the program.
fn kit() -> Kit {
    // Signals are the process's: whoever asks for a kit gets the same token, and nobody misses the first signal.
    static STOP: OnceLock<CancellationToken> = OnceLock::new();
    let cancel = STOP.get_or_init(|| {
        let stop = CancellationToken::new();
        tokio::spawn(listen(stop.clone()));
        stop
    });
    Kit { clock: Arc::new(SystemClock), cancel: cancel.clone() }
}

async fn listen(stop: CancellationToken) {
    if asked_to_stop().await.is_ok() {
        tracing::warn!("Ends the scan; what is missing will be said. Ask again to stop at once.");
        stop.cancel();
        if asked_to_stop().await.is_ok() {
            stop_at_once();
        }
    }
}

#[cfg(unix)]
async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() -> io::Result<()> {
    signal::ctrl_c().await
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "the user asked twice")]
fn stop_at_once() {
    std::process::exit(i32::from(Exit::Internal.code()));
}

/// Whether standard error is a terminal that a person watches.
fn is_watched() -> bool {
    io::stderr().is_terminal()
}
