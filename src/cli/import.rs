//! `normc import CONCEPTS INFERENCES -o plan.json`: repositories made elsewhere become a bundle.

use std::path::PathBuf;

use crate::base::SourceMap;
use crate::diag::Severity;

use super::Exit;
use super::compile::deliver;
use super::open::open_pair;
use super::output::{counted, show};

/// Make a plan.json from a concept and an inference repository
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  normc import plan.concept.json plan.inference.json -o plan.json")]
pub(super) struct Arguments {
    /// The concept repository
    concepts: PathBuf,
    /// The inference repository
    inferences: PathBuf,
    /// Where to write the bundle; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let map = SourceMap::default();
    let opened = match open_pair(&arguments.concepts, &arguments.inferences) {
        Ok(opened) => opened,
        Err(failed) => {
            show(&failed.diagnostics, &map, Severity::Warning);
            return failed.exit;
        }
    };
    show(&opened.diagnostics, &map, Severity::Warning);
    if let Err(exit) = deliver(&arguments.output, &opened.repositories.write()) {
        return exit;
    }
    eprintln!("{}", counted(&opened.repositories, &opened.diagnostics));
    Exit::Done
}
