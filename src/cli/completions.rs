//! `normc completions SHELL`: a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Exit;
use super::output::print;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  normc completions bash > ~/.local/share/bash-completion/completions/normc"
)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "normc", &mut script);
    print(&String::from_utf8_lossy(&script)).err().unwrap_or(Exit::Done)
}
