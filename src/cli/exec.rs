//! `normc exec SRC|plan.json`: compile if needed, and run.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

use crate::base::{Clock, SourceMap};
use crate::diag::{Code, Diagnostic, Severity};
use crate::engine::{self, Options, Tools};
use crate::repo::{Inputs, Model, Spans, missing_inputs};
use crate::report::{Mode, Progress, diagnose, stuck_list, summary, value_text};
use crate::run::{Graph, Outcome, State, Status, initial_values};

use super::Exit;
use super::open::{
    Failed, Opened, Opening, concept_span, open, open_pair_to_run, places, read_text, refuse_empty,
};
use super::output::{complain, count, print, show};

/// Run a plan
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc exec plan.nc\n  normc exec plan.json --inputs inputs.json\n  normc exec \
                        plan.nc --set '{number}=5' --json\n\nFinal values go to standard output, progress and the \
                        summary to standard error.\nScripts stand relative to the plan's folder; say --base-dir for \
                        another one. Running a plan runs its scripts."
)]
pub(super) struct Arguments {
    /// The plan: source text (.nc, .ncd, .ncds), plan.json, or - for source text on standard input
    #[arg(required_unless_present_all = ["concepts", "inferences"], conflicts_with_all = ["concepts", "inferences"])]
    source: Option<PathBuf>,
    /// The concept repository of a plan made elsewhere
    #[arg(long, value_name = "FILE", requires = "inferences")]
    concepts: Option<PathBuf>,
    /// The inference repository of a plan made elsewhere
    #[arg(long, value_name = "FILE", requires = "concepts")]
    inferences: Option<PathBuf>,
    /// Start values: a JSON object of concept names and values
    #[arg(long, value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// One start value, after all files; a name without brackets will do when only one concept has it
    #[arg(long, value_name = "NAME=JSON")]
    set: Vec<String>,
    /// Where scripts and files of the plan stand
    #[arg(long, value_name = "DIR")]
    base_dir: Option<PathBuf>,
    /// A name for the run
    #[arg(long, value_name = "NAME")]
    run_id: Option<String>,
    /// Start nothing of a higher cycle
    #[arg(long, value_name = "N")]
    max_cycles: Option<u32>,
    /// Scripts at once, and threads for tensor work [default: processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Start nothing new once a step has failed
    #[arg(long)]
    fail_fast: bool,
    /// Print one JSON object at the end (the same as --format json)
    #[arg(long)]
    json: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: ResultFormat,
    /// One line a step, and what scripts print
    #[arg(short, long)]
    verbose: bool,
    /// No progress and no summary
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ResultFormat {
    /// Tables with axis names
    #[default]
    Human,
    /// One JSON object
    Json,
}

/// Tracebacks that are printed; `--json` has all of them.
const MOST_DETAILS: usize = 3;

/// The time of day.
struct WallClock;

impl Clock for WallClock {
    fn now_millis(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut map = SourceMap::default();
    match prepare(arguments, &mut map) {
        Ok(plan) => execute(arguments, plan, &map),
        Err(failed) => {
            show(&failed.diagnostics, &map, Severity::Warning);
            failed.exit
        }
    }
}

/// What is left of a plan once it is opened: entries as written are not needed any more.
struct Plan {
    spans: Spans,
    model: Model,
    base: PathBuf,
}

fn prepare(arguments: &Arguments, map: &mut SourceMap) -> Result<Plan, Failed> {
    let opened = match (&arguments.source, &arguments.concepts, &arguments.inferences) {
        (Some(source), ..) => open(source, map, &Opening::default())?,
        (None, Some(concepts), Some(inferences)) => open_pair_to_run(concepts, inferences)?,
        _ => return Err(Failed { diagnostics: Vec::new(), exit: Exit::Usage }),
    };
    refuse_empty(&opened, map).map_err(|exit| Failed { diagnostics: Vec::new(), exit })?;
    let Opened { repositories, mut model, diagnostics: mut noted, base, .. } = opened;
    let spans = repositories.spans;
    let mut inputs = Inputs::default();
    let bad = |diagnostics| Failed { diagnostics, exit: Exit::BadData };
    for file in &arguments.inputs {
        inputs.add_file(&read_text(file)?).map_err(bad)?;
    }
    for setting in &arguments.set {
        inputs.add_setting(setting).map_err(|d| bad(vec![*d]))?;
    }
    noted.extend(inputs.apply(&mut model).map_err(bad)?);
    // That data are missing is only worth a word when they are still missing now; then it is an error.
    noted.retain(|d| !matches!(d.code, Code::NC123 | Code::NC038));
    let warnings = noted.iter().filter(|d| d.severity == Severity::Warning).count();
    if warnings > 0 && !arguments.quiet {
        eprintln!("the plan has {}; `normc check` shows them", count(warnings, "warning"));
    }
    let missing = missing(&model, &spans, map);
    if !missing.is_empty() {
        return Err(Failed { diagnostics: missing, exit: Exit::Failed });
    }
    let base = arguments.base_dir.clone().unwrap_or(base);
    let base = if base == Path::new("") { PathBuf::from(".") } else { base };
    Ok(Plan { spans, model, base })
}

fn missing(model: &Model, spans: &Spans, map: &SourceMap) -> Vec<Diagnostic> {
    let missing = missing_inputs(model).into_iter();
    missing
        .map(|input| {
            let name = model.concepts.get(input.concept.0 as usize).map_or("", |c| &c.name);
            let what = if input.carried {
                "is carried from iteration to iteration and has no first value"
            } else {
                "has no data and nothing computes it"
            };
            let message = format!("the input `{name}` {what}");
            let span = concept_span(spans, name, map);
            let diagnostic = match span {
                Some(span) => Diagnostic::at(Code::NC202, span, message).label("needed here"),
                None => Diagnostic::new(Code::NC202, message),
            };
            diagnostic
                .help(format!("give it: --set '{name}=...', --inputs FILE, or `| ref. ...` on its line"))
        })
        .collect()
}

fn execute(arguments: &Arguments, plan: Plan, map: &SourceMap) -> Exit {
    let model = Arc::new(plan.model);
    let data = match initial_values(&model) {
        Ok(data) => data,
        Err(bad) => {
            let found: Vec<_> = bad.iter().map(|b| Diagnostic::new(Code::NC107, b.to_string())).collect();
            show(&found, map, Severity::Warning);
            return Exit::BadData;
        }
    };
    let graph = Arc::new(Graph::new(Arc::clone(&model)));
    let places = places(&plan.spans, &model, map, 0);
    let json = arguments.json || arguments.format == ResultFormat::Json;
    let mode = if arguments.quiet {
        Mode::Silent
    } else if std::io::stderr().is_terminal() {
        Mode::Live
    } else {
        Mode::Plain
    };
    let jobs = arguments
        .jobs
        .map_or_else(|| std::thread::available_parallelism().map_or(2, usize::from), usize::from);
    let tools = match Tools::new(&plan.base, jobs, Arc::new(WallClock)) {
        Ok(tools) => Arc::new(tools),
        Err(failure) => {
            complain(&format!("the base directory cannot be used: {failure}"), failure.help.as_deref());
            return Exit::NotFound;
        }
    };
    let options = Options { jobs, max_cycles: arguments.max_cycles, fail_fast: arguments.fail_fast };
    let mut progress = Progress::new(mode, arguments.verbose);
    let outcome = engine::run(State::new(graph, data), &tools, &options, &mut progress);
    progress.finish();
    tools.shutdown();

    let found = diagnose(&outcome, &places);
    show(&found, map, Severity::Warning);
    if !arguments.quiet {
        for (step, failure) in outcome.failures.iter().filter(|(_, f)| f.detail.is_some()).take(MOST_DETAILS)
        {
            eprintln!("step {}:", outcome.graph().step_name(step));
            failure.detail.iter().flat_map(|d| d.lines()).for_each(|line| eprintln!("  {line}"));
        }
        if outcome.status != Status::Interrupted {
            eprint!("{}", stuck_list(&outcome));
        }
    }
    let run_id = arguments.run_id.clone().unwrap_or_else(engine::new_run_id);
    let text = if json { format!("{}\n", outcome.to_json(&run_id)) } else { finals(&outcome) };
    if let Err(exit) = print(&text) {
        return exit;
    }
    if !arguments.quiet {
        eprint!("{}", summary(&outcome, arguments.verbose));
    }
    match outcome.status {
        Status::Completed => Exit::Done,
        Status::Stuck => Exit::Deadlock,
        Status::Failed => Exit::Failed,
        Status::Interrupted => Exit::Waiting,
    }
}

fn finals(outcome: &Outcome) -> String {
    let mut text = String::new();
    for value in &outcome.finals {
        if let Some(tensor) = &value.value {
            text.push_str(&value_text(&value.name, tensor));
        }
    }
    text
}
