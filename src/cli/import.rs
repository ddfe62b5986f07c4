//! `normc import CONCEPTS INFERENCES -o plan.json`: repositories made elsewhere become a bundle.

use std::path::PathBuf;

use crate::base::SourceMap;
use crate::diag::Severity;
use crate::repo::{Repositories, load};

use super::Exit;
use super::compile::deliver;
use super::open::{Failed, read_text};
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
    import(arguments).unwrap_or_else(|failed| {
        show(&failed.diagnostics, &SourceMap::default(), Severity::Warning);
        failed.exit
    })
}

fn import(arguments: &Arguments) -> Result<Exit, Failed> {
    let bad = |diagnostics| Failed { diagnostics, exit: Exit::BadData };
    let (concepts, inferences) = (read_text(&arguments.concepts)?, read_text(&arguments.inferences)?);
    let mut repositories = Repositories::from_two_files(&concepts, &inferences).map_err(bad)?;
    let name = arguments.concepts.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    name.split('.').next().unwrap_or("plan").clone_into(&mut repositories.plan.name);
    let loaded = load(&repositories).map_err(bad)?;
    show(&loaded.warnings, &SourceMap::default(), Severity::Warning);
    if let Err(exit) = deliver(&arguments.output, &repositories.write()) {
        return Ok(exit);
    }
    eprintln!("{}", counted(&repositories, &loaded.warnings));
    Ok(Exit::Done)
}
