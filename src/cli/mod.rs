//! The command line: arguments in, exit code out. One file a command.
//!
//! To add a command: a file with its arguments and a `run`, a variant of `Command`, a line in the README.
#![allow(clippy::disallowed_methods, reason = "the command line reads files, the environment and the clock")]

mod agents;
mod answer;
mod check;
mod clock;
mod compile;
mod completions;
mod convert;
mod exec;
mod exit;
mod explain;
mod files;
mod flow;
mod fmt;
mod graph;
mod import;
mod logs;
mod lsp;
mod open;
mod output;
mod people;
mod runs;
mod signals;
mod stores;
mod subject;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::faculty::process::{LAUNCH, launch};

pub use exit::Exit;

/// Compiler and runner for NormCode plans.
#[derive(Debug, Parser)]
#[command(
    name = "normc",
    version,
    about = "Compiler and runner for NormCode plans",
    long_about = "Compiler and runner for NormCode: plans of inferences, each of which sees exactly the values the \
                  plan passes to it and nothing else.",
    after_help = "Examples:\n  normc check plan.nc\n  normc compile plan.nc -o plan.json\n  normc exec plan.nc \
                  --set '{number}=5'\n  normc exec plan.json --inputs inputs.json --json\n  normc explain NC201\n\n\
                  Exit codes: 0 done; 1 the plan has errors or the run failed; 2 usage; 3 deadlock; 65 bad data; \
                  66 not found; 70 internal; 73 in use; 74 input/output; 75 waiting (a limit, a word of \
                  yours); 130, 143 stopped by a signal.",
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Compile(compile::Arguments),
    Check(check::Arguments),
    Fmt(fmt::Arguments),
    Exec(Box<exec::Arguments>),
    Runs(runs::Arguments),
    Logs(logs::Arguments),
    Why(why::Arguments),
    Answer(answer::Arguments),
    Graph(graph::Arguments),
    Flow(flow::Arguments),
    Import(import::Arguments),
    Lsp(lsp::Arguments),
    Convert(convert::Arguments),
    Explain(explain::Arguments),
    Completions(completions::Arguments),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let mut given = std::env::args_os().skip(1);
    if given.next().is_some_and(|first| first == LAUNCH) && given.next().is_none() {
        return ExitCode::from(launch());
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output and are no error. A closed pipe is nobody's fault.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let exit = match arguments.command {
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Fmt(arguments) => fmt::run(&arguments),
        Command::Exec(arguments) => exec::run(&arguments),
        Command::Runs(arguments) => runs::run(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Answer(arguments) => answer::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments),
        Command::Flow(arguments) => flow::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Lsp(arguments) => lsp::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    exit.into()
}
