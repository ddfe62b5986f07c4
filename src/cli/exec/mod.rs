//! `normc exec SRC|plan.json`: compile if needed, run, and write down what happens; or go on with an earlier run.
//!
//! `prepare.rs` opens the plan with its start data, `resume.rs` finds the run to go on with and says what that means,
//! this file runs and shows the result.

mod dry;
mod faculties;
mod prepare;
mod resume;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;

use crate::base::SourceMap;
use crate::diag::{Code, Diagnostic, Severity};
use crate::engine::{Ended, Interrupt, Keeping, Options, Plan, RunError, Session, Tools, signal_name};
use crate::faculty::Failure;
use crate::faculty::human::{AnswerFile, Posted};
use crate::repo::agents::AgentFile;
use crate::report::{
    Mode, Origin, Places, Progress, diagnose, plain_text, questions_json, questions_text, stuck_list,
    summary, value_text,
};
use crate::report::{say, say_text};
use crate::run::record::Mode as Treatment;
use crate::run::{ItemId, Outcome, Spent, Status, Stop};
use crate::store::Durability;

use super::Exit;
use super::check::Steps;
use super::clock::WallClock;
use super::output::{count, print, show};
use super::people;
use super::signals;
use super::stores::{StoreArgument, report_error};
use faculties::FacultyArguments;
use prepare::Prepared;

/// Run a plan
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc exec plan.nc\n  normc exec plan.json --inputs inputs.json\n  normc exec \
                        plan.nc --set '{number}=5' --json\n  normc exec plan.nc --resume         go on with the plan's latest run\n  normc exec --resume 01K2 --dry-run  what that would do again, and why\n\nFinal values go to standard output, progress and the \
                        summary to standard error.\nScripts stand relative to the plan's folder; say --base-dir for \
                        another one. Running a plan runs its scripts.\n\nEverything that happens is \
                        kept in the store (--store), step by step. Ctrl-C lets running steps end and stops; a run that \
                        was stopped or killed goes on with --resume, and repeats nothing that was finished."
)]
pub(super) struct Arguments {
    /// The plan: source text (.nc, .ncd, .ncds), plan.json, or - for source text on standard input
    #[arg(required_unless_present_any = ["concepts", "resume"], conflicts_with_all = ["concepts", "inferences"])]
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
    /// A name for the run, to find it by
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    run_id: Option<String>,
    #[command(flatten)]
    store: StoreArgument,
    /// Go on with a run: an id, the beginning of one, a name or `last` [default: the plan's latest run]
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "")]
    resume: Option<String>,
    /// What becomes of earlier results when the plan, its data or its scripts have changed
    #[arg(long, value_enum, default_value_t, requires = "resume")]
    mode: ResumeMode,
    /// Do everything after this cycle again
    #[arg(long, value_name = "N", requires = "resume")]
    from_cycle: Option<u32>,
    /// Do an interrupted step again that is marked `%{effect}: once`
    #[arg(long, value_name = "STEP", requires = "resume")]
    redo: Vec<String>,
    /// Take the JSON of a file as the answer of an interrupted step
    #[arg(long, value_name = "STEP=FILE", requires = "resume")]
    accept: Vec<String>,
    /// Pass over an interrupted step
    #[arg(long, value_name = "STEP", requires = "resume")]
    skip: Vec<String>,
    /// Say what would be done, and which files the plan names; do nothing
    #[arg(long)]
    dry_run: bool,
    /// When a step counts as done: once it is on the disk, or once a crash of the process cannot lose it
    #[arg(long, value_enum, default_value_t)]
    durability: DurabilityLevel,
    /// How long running steps may go on after Ctrl-C, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
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
    #[command(flatten)]
    faculties: FacultyArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ResultFormat {
    /// Tables with axis names
    #[default]
    Human,
    /// One JSON object
    Json,
}

/// How results are treated when something has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ResumeMode {
    /// Keep what does not depend on anything that changed
    #[default]
    Patch,
    /// Keep everything, start data included
    Overwrite,
    /// Keep everything; new start data count for what is still to come
    FillGaps,
}

impl From<ResumeMode> for Treatment {
    fn from(mode: ResumeMode) -> Self {
        match mode {
            ResumeMode::Patch => Self::Patch,
            ResumeMode::Overwrite => Self::Overwrite,
            ResumeMode::FillGaps => Self::FillGaps,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum DurabilityLevel {
    /// Every step is on the disk before another sees its result
    Strict,
    /// Scripts survive a crash of the process at once, a loss of power a few milliseconds later
    #[default]
    Grouped,
    /// Nothing waits for the disk but the end of the run
    Kill,
}

impl From<DurabilityLevel> for Durability {
    fn from(level: DurabilityLevel) -> Self {
        match level {
            DurabilityLevel::Strict => Self::Strict,
            DurabilityLevel::Grouped => Self::Grouped,
            DurabilityLevel::Kill => Self::Kill,
        }
    }
}

/// Tracebacks that are printed; `--json` has all of them.
const MOST_DETAILS: usize = 3;

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut map = SourceMap::default();
    let result = if arguments.resume.is_some() {
        resume::run(arguments, &mut map)
    } else {
        fresh(arguments, &mut map)
    };
    result.unwrap_or_else(|exit| exit)
}

fn fresh(arguments: &Arguments, map: &mut SourceMap) -> Result<Exit, Exit> {
    let prepared = prepare::open_plan(arguments, map)
        .and_then(|opened| prepare::prepare(arguments, opened, None, map))
        .map_err(|failed| {
            show(&failed.diagnostics, map, Severity::Warning);
            failed.exit
        })?;
    let (tools, prepared) = tools(arguments, prepared, Spent::default(), false, map)?;
    if arguments.dry_run {
        return Ok(dry::say(&prepared.plan, &tools, is_json(arguments)));
    }
    let store = arguments.store.open();
    if let Some(name) = &arguments.run_id {
        super::stores::refuse_taken(&store, name)?;
    }
    let answers = people::answers(arguments.faculties.answers.as_deref(), &prepared.plan.graph)?;
    let session = Session::begin(&store, &prepared.plan, arguments.run_id.as_deref(), &keeping(arguments))
        .map_err(|error| report_error(&error))?;
    execute(arguments, session, &tools, &prepared, answers, map)
}

fn keeping(arguments: &Arguments) -> Keeping {
    Keeping { durability: arguments.durability.into(), clock: Arc::new(WallClock) }
}

fn jobs(arguments: &Arguments) -> usize {
    let processors = || std::thread::available_parallelism().map_or(2, usize::from);
    arguments.jobs.map_or_else(processors, usize::from)
}

/// What a check may let pass, for the file may be put there later, is an error once the plan is to run: nothing is done,
/// and paid for, on the way to a step that cannot be done.
fn in_a_run(diagnostic: Diagnostic) -> Diagnostic {
    match diagnostic.code {
        Code::NC112 | Code::NC113 => diagnostic.severity(Severity::Error),
        _ => diagnostic,
    }
}

/// The faculties of a plan, and the plan as it is run with them. One that is over is only shown: nothing of it runs.
fn tools(
    arguments: &Arguments,
    prepared: Prepared,
    spent: Spent,
    is_over: bool,
    map: &SourceMap,
) -> Result<(Arc<Tools>, Prepared), Exit> {
    let Prepared { plan, places, .. } = prepared;
    let agents = arguments.faculties.agents(&plan)?;
    let said = Steps::new(&plan.graph, &[], &places, &plan.base, &agents).check();
    let errors: Vec<Diagnostic> =
        said.into_iter().map(in_a_run).filter(|d| d.is_error() && !is_over).collect();
    if !errors.is_empty() {
        show(&errors, map, Severity::Warning);
        return Err(Exit::Failed);
    }
    let plan = with_agents(plan, &agents);
    let elsewhere = agents.asks_elsewhere(&plan.graph.model);
    let tools = arguments.faculties.tools(&plan, agents, jobs(arguments), spent)?;
    let unknown = if is_over { Vec::new() } else { tools.unknown_models(&plan.graph) };
    if !unknown.is_empty() {
        let told = unknown.into_iter().map(|(item, failure)| no_model(&plan, &places, item, failure));
        show(&told.collect::<Vec<_>>(), map, Severity::Warning);
        return Err(Exit::Failed);
    }
    Ok((tools, Prepared { plan, places, elsewhere }))
}

/// A step names a model that there is not.
fn no_model(plan: &Plan, places: &Places, item: ItemId, failure: Failure) -> Diagnostic {
    let flow = &plan.graph.inference(item).flow;
    let message = format!("step {flow} `{}`: {}", plan.graph.item_name(item), failure.message);
    let diagnostic = match places.functions.get(&item) {
        Some(span) => Diagnostic::at(Code::NC095, *span, message),
        None => Diagnostic::new(Code::NC095, message),
    };
    diagnostic.help(failure.help.unwrap_or_default())
}

/// The plan with what its agents bring along: what it is run with depends on it.
fn with_agents(plan: Plan, agents: &AgentFile) -> Plan {
    let folder = agents.agents.iter().find_map(|agent| agent.paradigm_dir.as_deref()).map(str::to_owned);
    plan.with_paradigms(folder).with_folders(agents.folders())
}

fn is_json(arguments: &Arguments) -> bool {
    arguments.json || arguments.format == ResultFormat::Json
}

/// Runs to the end and shows the result.
fn execute(
    arguments: &Arguments,
    session: Session,
    tools: &Arc<Tools>,
    prepared: &Prepared,
    answers: Option<AnswerFile>,
    map: &SourceMap,
) -> Result<Exit, Exit> {
    let mode = if arguments.quiet {
        Mode::Silent
    } else if std::io::stderr().is_terminal() {
        Mode::Live
    } else {
        Mode::Plain
    };
    let mut progress = Progress::new(mode, arguments.verbose);
    let faculties = &arguments.faculties;
    let desks = people::Setting {
        base: &prepared.plan.base,
        answers: answers.zip(faculties.answers.as_deref()),
        mailbox: faculties.mailbox.as_deref(),
        stage: progress.curtain(),
        note: progress.voice(),
        shows_messages: arguments.quiet,
        elsewhere: prepared.elsewhere.clone(),
    };
    let session = people::with_desk(session, desks)?;
    let interrupt = Interrupt::default();
    signals::listen(&interrupt, arguments.grace);
    let options = Options {
        jobs: jobs(arguments),
        max_cycles: arguments.max_cycles,
        fail_fast: arguments.fail_fast,
        interrupt,
        grace: Duration::from_secs(arguments.grace),
    };
    let Ended { outcome, run_id, record, questions, .. } = session.run(tools, &options, &mut progress);
    progress.finish();
    tools.shutdown();
    let recorded = tools.models().and_then(|models| models.finish());
    // Nothing is shown that could still be lost.
    let closing = match record {
        Ok(closing) => closing,
        Err(error) => return Err(report_error(&RunError::Store(error))),
    };
    let questions: Vec<Posted> = questions.iter().map(people::posted).collect();
    let exit = present(arguments, &outcome, &run_id, prepared, &questions, map);
    match recorded {
        Some(Err(error)) => return Err(faculties::cassette_exit(&error)),
        Some(Ok(played)) if played.unused > 0 && !arguments.quiet => {
            say!("the cassette has {} that no step used", count(played.unused, "recording"));
        }
        _ => {}
    }
    if let Err(why) = closing.finish()
        && arguments.verbose
    {
        say!("the index of the run is out of date and will be made anew: {why}");
    }
    Ok(exit)
}

/// Shows how a run ended.
fn present(
    arguments: &Arguments,
    outcome: &Outcome,
    run_id: &str,
    prepared: &Prepared,
    questions: &[Posted],
    map: &SourceMap,
) -> Exit {
    let stopped = outcome.status == Status::Interrupted;
    if !stopped {
        show(&diagnose(outcome, &prepared.places), map, Severity::Warning);
    }
    if !arguments.quiet {
        for (step, failure) in outcome.failures.iter().filter(|(_, f)| f.detail.is_some()).take(MOST_DETAILS)
        {
            say!("step {}:", outcome.graph().step_name(step));
            failure.detail.iter().flat_map(|d| d.lines()).for_each(|line| say!("  {line}"));
        }
        if !stopped {
            say_text(&stuck_list(outcome));
        }
    }
    let shown_id = arguments.run_id.as_deref().unwrap_or(run_id);
    let text = if is_json(arguments) { json_text(outcome, shown_id, questions) } else { finals(outcome) };
    if let Err(exit) = print(&text) {
        return exit;
    }
    if !arguments.quiet {
        say_text(&summary(outcome, arguments.verbose));
    }
    let store = arguments.store.as_option();
    // Nobody else says what a run waits for, so that is no noise.
    if !is_json(arguments) || !arguments.quiet {
        let resumes = stopped && matches!(outcome.stop, Some(Stop::Questions));
        say_text(&questions_text(questions, &Origin { run: run_id, store: &store, resumes }));
    }
    if !arguments.quiet {
        match (outcome.status, &outcome.stop) {
            (Status::Completed, _) => {}
            (Status::Interrupted, Some(Stop::Signal(signal))) => {
                say!("stopped by {}; what was finished is kept", signal_name(*signal));
                say!("go on with: normc exec --resume {run_id}{store}");
            }
            // The list has said it.
            (Status::Interrupted, Some(Stop::Questions)) => {}
            (Status::Interrupted, Some(Stop::Budget(failure))) => {
                say!("{}", failure.message);
                say!("go on with: normc exec --resume {run_id}{store}, with a higher budget");
            }
            (Status::Interrupted, _) => say!(
                "go on with: normc exec --resume {run_id}{store} (with a higher --max-cycles, or without)"
            ),
            (Status::Failed | Status::Stuck, _) => say!(
                "run {run_id}; once the cause is mended, go on with: normc exec --resume {run_id}{store}"
            ),
        }
    }
    match (outcome.status, &outcome.stop) {
        (Status::Completed, _) => Exit::Done,
        (Status::Stuck, _) => Exit::Deadlock,
        (Status::Failed, _) => Exit::Failed,
        (Status::Interrupted, Some(Stop::Signal(signal))) => Exit::of_signal(*signal),
        (Status::Interrupted, _) => Exit::Waiting,
    }
}

/// The one object that is printed for programs.
fn json_text(outcome: &Outcome, run_id: &str, questions: &[Posted]) -> String {
    let mut json = outcome.to_json(run_id);
    if let Some(fields) = json.as_object_mut().filter(|_| !questions.is_empty()) {
        fields.insert("questions".to_owned(), questions_json(questions));
    }
    format!("{json}\n")
}

fn finals(outcome: &Outcome) -> String {
    let mut text = String::new();
    for value in &outcome.finals {
        if let Some(tensor) = &value.value {
            text.push_str(&plain_text(&value_text(&value.name, tensor)));
        }
    }
    text
}
