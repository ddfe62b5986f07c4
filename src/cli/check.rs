//! `normc check SRC...`: all diagnostics of plans, in one pass.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;

use crate::base::SourceMap;
use crate::diag::{self, Diagnostic, Severity};
use crate::report::notes;
use crate::run::Graph;

use super::Exit;
use super::open::{Opening, open, places};
use super::output::{Format, count, print, show};

/// Report everything that is wrong or worth knowing in plans
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc check plan.nc\n  normc check --format json plans/*.nc\n  normc check \
                        --deny warnings plan.nc\n\nExit code 1 when there is an error (or what --deny makes one)."
)]
pub(super) struct Arguments {
    /// Plans: source text (.nc, .ncd, .ncds), plan.json, or - for source text on standard input
    #[arg(required = true)]
    sources: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Treat these as errors
    #[arg(long, value_enum)]
    deny: Option<Deny>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings
    Warnings,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut map = SourceMap::default();
    let mut all = Vec::new();
    let mut exit = Exit::Done;
    for source in &arguments.sources {
        match open(source, &mut map, &Opening::default()) {
            Ok(opened) => {
                let places = places(&opened.repositories.spans, &opened.model, &map, opened.first_file);
                all.extend(opened.diagnostics);
                // What only the graph of a run shows.
                all.extend(notes(&Graph::new(Arc::new(opened.model)), &places));
            }
            Err(failed) => {
                all.extend(failed.diagnostics);
                exit = failed.exit;
            }
        }
    }
    if arguments.deny == Some(Deny::Warnings) {
        all.iter_mut().filter(|d| d.severity == Severity::Warning).for_each(|d| d.severity = Severity::Error);
    }
    if exit == Exit::Done && all.iter().any(Diagnostic::is_error) {
        exit = Exit::Failed;
    }
    if let Err(broken) = report(&all, &map, arguments.format) {
        return broken;
    }
    exit
}

fn report(all: &[Diagnostic], map: &SourceMap, format: Format) -> Result<(), Exit> {
    let lines = |each: fn(&Diagnostic, &SourceMap) -> String| {
        all.iter().map(|d| each(d, map) + "\n").collect::<String>()
    };
    match format {
        Format::Human => {
            show(all, map, Severity::Info);
            let of = |severity| all.iter().filter(|d| d.severity == severity).count();
            let (errors, warnings, notes) = (of(Severity::Error), of(Severity::Warning), of(Severity::Info));
            if errors + warnings + notes > 0 {
                let counts =
                    [count(errors, "error"), count(warnings, "warning"), count(notes, "note")].join(", ");
                eprintln!("{counts}; `normc explain CODE` tells more");
            }
            Ok(())
        }
        Format::Short => print(&lines(diag::short)),
        Format::Github => print(&lines(diag::github)),
        Format::Json => {
            let list: Vec<_> = all.iter().map(|d| diag::json(d, map)).collect();
            print(&format!("{}\n", serde_json::json!({ "diagnostics": list })))
        }
        Format::Sarif => print(&format!("{}\n", diag::sarif(all, map))),
    }
}
