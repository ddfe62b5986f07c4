//! `normc check SRC...`: all diagnostics of plans, in one pass; with `--fix` the certain mends are put in first.

mod fix;
mod resources;
mod steps;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::base::SourceMap;
use crate::diag::{self, Code, Diagnostic, Severity};
use crate::plan;
use crate::repo::{Allowed, Compiled};
use crate::report::notes;
use crate::report::say;
use crate::run::Graph;

use super::Exit;
use super::agents;
use super::open::{Failed, Opening, compile, folder, is_bundle, open_bytes, places, read};
use super::output::{Format, complain, count, print, show};
use fix::Fixed;
use resources::Listing;
pub(super) use steps::Steps;

/// Report everything that is wrong or worth knowing in plans
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc check plan.nc\n  normc check --format json plans/*.nc\n  normc check --fix \
                        --dry-run plan.nc\n  normc check --deny warnings --allow NC036 plan.nc\n  normc check \
                        --resources plan.nc\n\nA comment `# normc: allow NC036` before the first line of a plan \
                        silences a code as --allow does.\nExit code 1 when there is an error (or what --deny makes \
                        one)."
)]
pub(super) struct Arguments {
    /// Plans: source text (.nc, .ncd, .ncds), plan.json, or - for source text on standard input
    #[arg(required = true)]
    sources: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Treat as errors: warnings, or a code
    #[arg(long, value_name = "warnings|CODE", value_delimiter = ',', value_parser = denied)]
    deny: Vec<Deny>,
    /// Say nothing of a code
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = allowed)]
    allow: Vec<Code>,
    /// Write the mends that are certain into the files; of standard input, the mended text to standard output
    #[arg(long)]
    fix: bool,
    /// With --fix: show the changes and write nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// List the scripts, prompts, files, commands, models and people the plans name, and which are there
    #[arg(long)]
    resources: bool,
    /// Who does which step, if not the agents file beside the plan
    #[arg(long, value_name = "FILE")]
    agents: Option<PathBuf>,
    /// Where the plans' scripts and files stand, if not beside them
    #[arg(long, value_name = "DIR")]
    base_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deny {
    Warnings,
    Code(Code),
}

fn denied(text: &str) -> Result<Deny, String> {
    if text == "warnings" {
        return Ok(Deny::Warnings);
    }
    known(text).map(Deny::Code).map_err(|e| format!("{e}; or write `warnings`"))
}

fn allowed(text: &str) -> Result<Code, String> {
    let code = known(text)?;
    if code.severity() == Severity::Error {
        return Err(format!("{code} is an error and cannot be allowed"));
    }
    Ok(code)
}

fn known(text: &str) -> Result<Code, String> {
    Code::parse(text).ok_or_else(|| "there is no such code; they look like NC036".to_owned())
}

/// What was found in all plans.
#[derive(Debug, Default)]
struct Found {
    diagnostics: Vec<Diagnostic>,
    listings: Vec<Listing>,
    /// One entry a file that `--fix` looked at.
    fixed: Vec<(String, Fixed)>,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    match check(arguments) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn check(arguments: &Arguments) -> Result<Exit, Exit> {
    let to_output = arguments.dry_run || arguments.sources.iter().any(|s| s == Path::new("-"));
    if arguments.fix && to_output && (arguments.format != Format::Human || arguments.resources) {
        let help = "leave out --format and --resources, or mend a file";
        complain("the mended text goes to standard output, so nothing else can", Some(help));
        return Err(Exit::Usage);
    }
    let mut map = SourceMap::default();
    let mut found = Found::default();
    let mut exit = Exit::Done;
    for source in &arguments.sources {
        if let Err(failed) = one(arguments, source, &mut map, &mut found) {
            found.diagnostics.extend(failed.diagnostics);
            exit = failed.exit;
        }
    }
    let mut silent = Allowed::default();
    arguments.allow.iter().for_each(|code| silent.insert(*code));
    found.diagnostics.retain(|d| !silent.silences(d));
    for diagnostic in &mut found.diagnostics {
        let warning = diagnostic.severity == Severity::Warning && arguments.deny.contains(&Deny::Warnings);
        if warning || arguments.deny.contains(&Deny::Code(diagnostic.code)) {
            diagnostic.severity = Severity::Error;
        }
    }
    if exit == Exit::Done && found.diagnostics.iter().any(Diagnostic::is_error) {
        exit = Exit::Failed;
    }
    report(arguments, &found, &map)?;
    Ok(exit)
}

/// Checks one plan.
fn one(arguments: &Arguments, source: &Path, map: &mut SourceMap, found: &mut Found) -> Result<(), Failed> {
    let first_file = map.files().len() as u32;
    let base = arguments.base_dir.clone().unwrap_or_else(|| folder(source));
    let mut bytes = read(source)?;
    if is_bundle(source, &bytes) {
        if arguments.fix {
            complain(
                &format!("{} is no source text: there is nothing to mend in it", source.display()),
                None,
            );
        }
        let opened = open_bytes(source, bytes, map, &Opening::to_look())?;
        let base = arguments.base_dir.clone().unwrap_or(opened.base);
        let mut named = resources::of_model(&opened.model, &opened.repositories.spans, map, first_file);
        let places = places(&opened.repositories.spans, &opened.model, map, first_file);
        found.diagnostics.extend(opened.diagnostics);
        let graph = Graph::new(Arc::new(opened.model));
        found.diagnostics.extend(notes(&graph, &places));
        let agents = agents::open(arguments.agents.as_deref(), source)?;
        let steps = Steps::new(&graph, &opened.repositories.inferences, &places, &base, &agents);
        found.diagnostics.extend(steps.check());
        named.extend(steps.resources());
        let listing = Listing::of(source, &base, &agents.folders(), named);
        found.diagnostics.extend(listing.missing(arguments.resources));
        found.listings.push(listing);
        return Ok(());
    }
    if arguments.fix {
        // What is no text is reported below.
        if let Some(fixed) = fix::fix(source, &bytes, &arguments.allow) {
            let stop = |exit| Failed { diagnostics: Vec::new(), exit };
            fix::deliver(source, &fixed, arguments.dry_run).map_err(stop)?;
            bytes = fixed.text.clone().into_bytes();
            found.fixed.push((source.display().to_string(), fixed));
        }
    }
    let Compiled { tree, plan, repositories, model, diagnostics, allowed } =
        compile(source, &bytes, map, &Opening::to_look())?;
    let mut said = diagnostics;
    let mut named = plan::resources(&tree, &plan);
    let mut folders = Vec::new();
    if let Some(model) = model {
        let places = places(&repositories.spans, &model, map, first_file);
        // What only the graph of a run shows.
        let graph = Graph::new(Arc::new(model));
        said.extend(notes(&graph, &places));
        match agents::open(arguments.agents.as_deref(), source) {
            Ok(agents) => {
                let steps = Steps::new(&graph, &repositories.inferences, &places, &base, &agents);
                said.extend(steps.check());
                named.extend(steps.resources());
                folders = agents.folders();
            }
            // What is wrong with the plan is worth knowing too.
            Err(failed) if failed.exit == Exit::Failed => said.extend(failed.diagnostics),
            Err(failed) => return Err(failed),
        }
    }
    let listing = Listing::of(source, &base, &folders, named);
    said.extend(listing.missing(arguments.resources));
    // Many steps may share a prompt.
    let texts: RefCell<BTreeMap<String, Option<String>>> = RefCell::default();
    let text_of =
        |path: &str| texts.borrow_mut().entry(path.to_owned()).or_insert_with(|| listing.text(path)).clone();
    said.extend(plan::check_prompts(&tree, &plan, &text_of));
    said.retain(|d| !allowed.silences(d));
    said.sort_by_key(|d| d.primary.as_ref().map(|p| (p.span.start, p.span.end)));
    found.diagnostics.extend(said);
    found.listings.push(listing);
    Ok(())
}

fn report(arguments: &Arguments, found: &Found, map: &SourceMap) -> Result<(), Exit> {
    let all = &found.diagnostics;
    let lines = |each: fn(&Diagnostic, &SourceMap) -> String| {
        all.iter().map(|d| each(d, map) + "\n").collect::<String>()
    };
    match arguments.format {
        Format::Human => {
            show(all, map, Severity::Info);
            for (file, fixed) in &found.fixed {
                let verb = if arguments.dry_run { "would mend" } else { "mended" };
                if fixed.applied > 0 {
                    say!("{verb} {} in {file}", count(fixed.applied, "place"));
                }
            }
            let of = |severity| all.iter().filter(|d| d.severity == severity).count();
            let (errors, warnings, notes) = (of(Severity::Error), of(Severity::Warning), of(Severity::Info));
            if errors + warnings + notes > 0 {
                let counts =
                    [count(errors, "error"), count(warnings, "warning"), count(notes, "note")].join(", ");
                let mendable = all.iter().filter(|d| d.fix.is_some()).count();
                let more = match (arguments.fix, mendable) {
                    (true, _) => " left".to_owned(),
                    (false, 0) => String::new(),
                    (false, n) => format!("; --fix mends {n}"),
                };
                say!("{counts}{more}; `normc explain CODE` tells more");
            }
            if arguments.resources {
                print(&resources::table(&found.listings))?;
            }
            Ok(())
        }
        Format::Short => print(&lines(diag::short)),
        Format::Github => print(&lines(diag::github)),
        Format::Json => {
            let list: Vec<_> = all.iter().map(|d| diag::json(d, map)).collect();
            let mut object = json!({ "diagnostics": list });
            if let Some(map) = object.as_object_mut() {
                if arguments.fix {
                    let files = found.fixed.iter();
                    let files: Vec<Json> =
                        files.map(|(file, f)| json!({"file": file, "mended": f.applied})).collect();
                    map.insert("fixed".to_owned(), Json::Array(files));
                }
                if arguments.resources {
                    map.insert("resources".to_owned(), resources::json(&found.listings));
                }
            }
            print(&format!("{object}\n"))
        }
        Format::Sarif => print(&format!("{}\n", diag::sarif(all, map))),
    }
}
