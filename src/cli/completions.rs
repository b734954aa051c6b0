//! `completions`: a completion script for a shell.

use std::io;

use clap::CommandFactory as _;

use super::{
    Failure,
    args::{Cli, CompletionsArgs},
};
use crate::exit::Exit;

pub(super) fn run(arguments: &CompletionsArgs) -> Result<Exit, Failure> {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "grantwarden", &mut io::stdout());
    Ok(Exit::Clean)
}
