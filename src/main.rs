//! Parses, runs, and turns the outcome into an exit code. Everything else is in the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    grantwarden::cli::main().await.into()
}
