//! `normc import CONCEPTS INFERENCES -o PLAN`: repositories made elsewhere become a bundle, or source text.

use std::path::PathBuf;

use crate::base::SourceMap;
use crate::diag::Severity;
use crate::repo::raise;
use crate::report::say;

use super::Exit;
use super::files::deliver;
use super::open::open_pair;
use super::output::{counted, show};

/// Make a plan from a concept and an inference repository
///
/// The name of the output tells the form: `.json` is a plan.json, which keeps every field; `.ncd` and `.nc` are source
/// text. Repositories of the older generation are written with English operators, the others with symbols. What source
/// text cannot say is listed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc import plan.concept.json plan.inference.json -o plan.json\n  normc import \
                        plan.concept.json plan.inference.json -o plan.ncd"
)]
pub(super) struct Arguments {
    /// The concept repository
    concepts: PathBuf,
    /// The inference repository
    inferences: PathBuf,
    /// Where to write; - is standard output, for a plan.json
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
    let source = arguments.output.extension().is_some_and(|e| e == "ncd" || e == "nc");
    let text = match source {
        false => opened.repositories.write(),
        true => {
            let raised = raise(&opened.repositories);
            show(&raised.diagnostics, &map, Severity::Warning);
            raised.outline.print()
        }
    };
    if let Err(exit) = deliver(&arguments.output, &text) {
        return exit;
    }
    say!("{}", counted(&opened.repositories, &opened.diagnostics));
    Exit::Done
}
