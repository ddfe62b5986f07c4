//! `normc exec --resume`: finds the run to go on with, says what will be done again and why, and goes on.

use std::path::{Path, PathBuf};

use crate::base::{SourceFile, SourceMap, Value};
use crate::diag::Severity;
use crate::engine::{Found, Past, Resumption, RunError, Session, Told, Tools, Wish};
use crate::report::say;
use crate::run::record::Intent;
use crate::run::{Event, StepKey};
use crate::store::{Recovery, RunDir, Store, StoreError};

use super::super::Exit;
use super::super::open::read_text;
use super::super::output::{complain, count, show};
use super::super::people;
use super::super::stores::{find, known, report_error};
use super::prepare::{OpenPlan, Prepared, open_plan, prepare};
use super::{Arguments, execute, keeping, present, tools, with_agents};

/// Reasons that are printed one by one.
const MOST_REASONS: usize = 20;

pub(super) fn run(arguments: &Arguments, map: &mut SourceMap) -> Result<Exit, Exit> {
    let failed = |error: &RunError| report_error(error);
    let store = arguments.store.open();
    let wanted = arguments.resume.as_deref().unwrap_or_default();
    let given = if arguments.source.is_some() || arguments.concepts.is_some() {
        Some(open_plan(arguments, map).map_err(|failed| {
            show(&failed.diagnostics, map, Severity::Warning);
            failed.exit
        })?)
    } else {
        None
    };
    let run = choose(&store, wanted, given.as_ref()).map_err(|error| failed(&error.into()))?;
    let found = Found::take(run).map_err(|error| failed(&error))?;
    let recovery = found.recovery.clone();
    say_recovery(&recovery, found.past.run.id());
    let prepared = plan_of(arguments, given, &found.past, map)?;
    let wish = Wish { mode: arguments.mode.into(), from_cycle: arguments.from_cycle };
    let Prepared { plan, places, elsewhere } = prepared;
    let agents = arguments.faculties.agents(&plan)?;
    let plan = with_agents(plan, &agents);
    let resumption = Resumption::weigh(found, plan, &wish).map_err(|error| failed(&error))?;
    // A record whose value was lost with it is only found now.
    if *resumption.recovery() != recovery {
        say_recovery(resumption.recovery(), resumption.run_id());
    }
    let prepared = Prepared { plan: resumption.plan().clone(), places, elsewhere };
    let (tools, prepared) = tools(arguments, prepared, resumption.spent(), resumption.is_complete(), map)?;
    if resumption.is_complete() {
        return Ok(finished(arguments, resumption, &prepared, map));
    }
    let told = decisions(arguments, &resumption, &tools)?;
    say_plan(arguments, &resumption, &told);
    if arguments.dry_run {
        return Ok(Exit::Done);
    }
    let answers = people::answers(arguments.faculties.answers.as_deref(), &prepared.plan.graph)?;
    let mut session = Session::go_on(resumption, &keeping(arguments)).map_err(|error| failed(&error))?;
    for event in &told.events {
        if let Err(error) = session.tell(event) {
            complain(&error.to_string(), None);
            return Err(Exit::Internal);
        }
    }
    execute(arguments, session, &tools, &prepared, answers, map)
}

/// The run that is meant: by what the user calls it, or the latest of the plan.
fn choose(store: &Store, wanted: &str, plan: Option<&OpenPlan>) -> Result<RunDir, StoreError> {
    if !wanted.is_empty() {
        return find(store, wanted);
    }
    let Some(plan) = plan else { return find(store, "last") };
    let base = plan.base.canonicalize().unwrap_or_else(|_| plan.base.clone());
    let same = |epoch: &crate::run::record::Epoch| epoch.name == plan.name && Path::new(&epoch.base) == base;
    let known = known(store)?;
    match known.runs.iter().find(|(_, info)| same(&info.epoch)) {
        Some((id, _)) => store.open(id),
        None => {
            let what = format!("run of the plan `{}` in the store `{}`", plan.name, store.root().display());
            Err(known.without(what, None))
        }
    }
}

/// The plan to go on with: the one that was named, else the one the run kept; with the start data the run was given,
/// unless new ones are.
fn plan_of(
    arguments: &Arguments,
    given: Option<OpenPlan>,
    past: &Past,
    map: &mut SourceMap,
) -> Result<Prepared, Exit> {
    let failed = |error: &RunError| report_error(error);
    let epoch = past.epoch().map_err(|error| failed(&error))?.clone();
    let setting = past.setting(&epoch).map_err(|error| failed(&error))?;
    let opened = match given {
        Some(opened) => opened,
        None => {
            let (read, document) = past.document(&epoch).map_err(|error| failed(&error))?;
            for file in read.repositories.iter().flat_map(|r| &r.source).flat_map(|s| &s.files) {
                map.add(SourceFile::new(file.path.as_str(), file.text.clone().unwrap_or_default()));
            }
            OpenPlan {
                spans: read.spans(),
                name: epoch.name,
                base: arguments.base_dir.clone().unwrap_or_else(|| PathBuf::from(epoch.base)),
                source: epoch.source,
                document,
                model: read.loaded.model,
                noted: Vec::new(),
            }
        }
    };
    prepare(arguments, opened, Some(&setting.inputs), map).map_err(|failed| {
        show(&failed.diagnostics, map, Severity::Warning);
        failed.exit
    })
}

fn say_recovery(recovery: &Recovery, run: &str) {
    match recovery {
        Recovery::Whole => {}
        Recovery::Cut(torn) => say!(
            "the last {} bytes of {} were written only in part, and are left out",
            torn.bytes,
            torn.file.display()
        ),
        Recovery::Repaired { frames, note } => {
            say!("the journal of run {run} was repaired, {frames} records: {note}");
        }
    }
}

/// Nothing is left to do: the result is printed again, and nothing is written.
fn finished(arguments: &Arguments, resumption: Resumption, prepared: &Prepared, map: &SourceMap) -> Exit {
    let run_id = resumption.run_id().to_owned();
    if !arguments.quiet {
        say!("run {run_id} is complete, nothing is left to do");
        say_outdated(&resumption);
    }
    present(arguments, &resumption.into_outcome(), &run_id, prepared, &[], map)
}

/// Says what will run again, and why.
fn say_plan(arguments: &Arguments, resumption: &Resumption, told: &Decisions) {
    if arguments.quiet && !arguments.dry_run {
        return;
    }
    let kept = usize::try_from(resumption.kept).unwrap_or(usize::MAX);
    say!("going on with run {}, {} kept", resumption.run_id(), count(kept, "step"));
    for again in resumption.reasons.iter().take(MOST_REASONS) {
        say!("  again: {}: {}", again.what, again.reason);
    }
    if resumption.reasons.len() > MOST_REASONS {
        say!("  and {} more", resumption.reasons.len() - MOST_REASONS);
    }
    for intent in resumption.interrupted() {
        if !told.settled.contains(&intent.step) {
            let (name, next) = (resumption.name(&intent.step), intent.attempt.saturating_add(1));
            say!("  {name}: re-run after interruption, try {next}");
        }
    }
    say_outdated(resumption);
}

/// Says what was kept although what it was made from has changed.
fn say_outdated(resumption: &Resumption) {
    for outdated in resumption.outdated.iter().take(MOST_REASONS) {
        say!("  kept, although it would be another now: {outdated}");
    }
    if resumption.outdated.len() > MOST_REASONS {
        say!("  and {} more", resumption.outdated.len() - MOST_REASONS);
    }
}

/// What the user said of interrupted steps.
#[derive(Default)]
struct Decisions {
    events: Vec<Event>,
    settled: Vec<StepKey>,
}

/// Steps that must not run twice need a word of the user.
fn decisions(arguments: &Arguments, resumption: &Resumption, tools: &Tools) -> Result<Decisions, Exit> {
    let interrupted = resumption.interrupted();
    let mut decisions = Decisions::default();
    let mut told: Vec<(&Intent, Told)> = Vec::new();
    let step = |name: &str| {
        let bare = |intent: &&&Intent| resumption.plan().graph.step_name(&intent.step) == name;
        interrupted.iter().find(bare).copied().ok_or_else(|| {
            let names: Vec<String> =
                interrupted.iter().map(|i| resumption.plan().graph.step_name(&i.step)).collect();
            let help = match names.as_slice() {
                [] => "no step of this run was interrupted".to_owned(),
                names => format!("interrupted were: {}", names.join(", ")),
            };
            complain(&format!("step `{name}` was not interrupted"), Some(&help));
            Exit::Usage
        })
    };
    for name in &arguments.redo {
        told.push((step(name)?, Told::Redo));
    }
    for name in &arguments.skip {
        told.push((step(name)?, Told::Skip));
    }
    for accept in &arguments.accept {
        let Some((name, file)) = accept.split_once('=') else {
            complain(&format!("`{accept}` has no `=`"), Some("write STEP=FILE, like 1.2[3]=answer.json"));
            return Err(Exit::Usage);
        };
        let text = read_text(Path::new(file)).map_err(|failed| failed.exit)?;
        let json = serde_json::from_str(&text).map_err(|error| {
            complain(&format!("{file} is not JSON: {error}"), Some("a text needs quotes"));
            Exit::BadData
        })?;
        told.push((step(name)?, Told::Accept(Value::from_data_json(&json))));
    }
    for (intent, told) in &told {
        match told.event(resumption.state(), intent, &tools.means(intent.step.item)) {
            Ok(event) => {
                decisions.settled.extend(event.as_ref().map(|e| e.step.clone()));
                decisions.events.extend(event);
            }
            Err(failure) => {
                complain(&format!("{}: {failure}", resumption.name(&intent.step)), failure.help.as_deref());
                return Err(Exit::BadData);
            }
        }
    }
    let open: Vec<&&Intent> = interrupted
        .iter()
        .filter(|intent| intent.once && !told.iter().any(|(known, _)| known.step == intent.step))
        .collect();
    if open.is_empty() {
        return Ok(decisions);
    }
    say!("run {} was interrupted in steps that must not run twice:", resumption.run_id());
    for intent in &open {
        say!("  {}, try {}", resumption.name(&intent.step), intent.attempt);
    }
    let example = open.first().map(|i| resumption.plan().graph.step_name(&i.step)).unwrap_or_default();
    say!(
        "nobody here knows whether they took effect. Find out, then say for each:\n  --redo {example}              it \
         did not: run it\n  --accept {example}=FILE       it did: FILE holds its answer as JSON\n  --skip {example}              \
         pass over it"
    );
    Err(Exit::Waiting)
}
