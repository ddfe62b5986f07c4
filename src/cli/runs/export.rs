//! `normc runs export RUN --canonical`: what a run gave, in a form that depends on the plan and the answers of its
//! steps alone (durability spec, sections 6.9 and 7).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::base::LoopPath;
use crate::engine::Past;
use crate::report::happening_json;
use crate::run::record::{Decoder, Record, peek};
use crate::run::replay::Replay;
use crate::run::{Event, Happening, ItemId, Outcome, State, tensor_json};

use super::super::Exit;
use super::super::output::{complain, print};
use super::super::stores::{StoreArgument, find, report_error};

/// Export the results of a run
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  normc runs export last --canonical -o results.json\n\nThe canonical form is JSON: the \
                        hash of the plan, what every step gave (by cycle, loop position, place in the plan), the \
                        final values. It has no times, no tries, no paths: two runs of a plan whose steps gave \
                        the same answers give the same bytes, whatever was interrupted."
)]
pub(super) struct Arguments {
    /// The run: an id, the beginning of one, a name, or `last`
    run: String,
    /// Results only, in a form that can be compared byte by byte
    #[arg(long, required = true)]
    canonical: bool,
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// One result, under what it is sorted by. A step has one event that counts.
type Row = ((u32, LoopPath, ItemId), String);

pub(super) fn run(arguments: &Arguments, store: &StoreArgument) -> Result<Exit, Exit> {
    let run = find(&store.open(), &arguments.run).map_err(|error| report_error(&error.into()))?;
    let past = Past::read(run).map_err(|error| report_error(&error))?;
    let text = canonical(&past)?;
    match arguments.output.as_deref() {
        Some(path) if path != Path::new("-") => write(path, &text)?,
        _ => print(&text)?,
    }
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<(), Exit> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        complain(&format!("cannot write {}: {error}", path.display()), None);
        Exit::InputOutput
    })
}

fn canonical(past: &Past) -> Result<String, Exit> {
    let failed = |error| report_error(&error);
    let epoch = past.epoch().map_err(failed)?;
    let plan = past.plan(epoch).map_err(failed)?;
    let validity = past.validity().map_err(failed)?;
    let mut rows: Vec<Row> = Vec::new();
    let mut decoder = Decoder::default();
    let fresh = State::new(Arc::clone(&plan.graph), plan.data.clone());
    let replay = Replay::new(fresh, past.validity().map_err(failed)?);
    let folded = past.fold(replay, u64::MAX, &mut |replay, frame| {
        // What was not applied after all does not count.
        rows.truncate(usize::try_from(replay.applied).unwrap_or(usize::MAX));
        let Some(found) = peek(frame.kind, frame.body) else { return };
        let Some(item) = validity.now(frame.seq, &found.step, found.round) else { return };
        if let Ok(Record::Step(mut event)) = decoder.read(frame.kind, frame.body, &mut &past.run) {
            event.step.item = item;
            if item.at() < plan.graph.items.len() {
                rows.push(row(&plan.graph, &event));
            }
        }
    });
    let replay = folded.map_err(failed)?;
    rows.truncate(usize::try_from(replay.applied).unwrap_or(usize::MAX));
    rows.sort();
    let outcome = Outcome::of(replay.state, None, Vec::new(), std::time::Duration::ZERO);
    let mut text = format!("{{\n\"plan\": \"{}\",\n\"results\": [\n", epoch.plan);
    for (place, (_, row)) in rows.iter().enumerate() {
        text.push_str(row);
        text.push_str(if place + 1 < rows.len() { ",\n" } else { "\n" });
    }
    let finals: JsonMap<String, Json> = outcome
        .finals
        .iter()
        .map(|f| (f.name.to_string(), f.value.as_ref().map_or(Json::Null, tensor_json)))
        .collect();
    text.push_str(&format!("],\n\"finals\": {}\n}}\n", Json::Object(finals)));
    Ok(text)
}

fn row(graph: &crate::run::Graph, event: &Event) -> Row {
    let mut fields = JsonMap::new();
    fields.insert("step".to_owned(), graph.step_name(&event.step).into());
    fields.insert("concept".to_owned(), (**graph.item_name(event.step.item)).into());
    fields.insert("cycle".to_owned(), event.round.into());
    match &event.what {
        // A trace names places of this machine.
        Happening::Failed(failure) => {
            fields.insert("what".to_owned(), "failed".into());
            fields.insert("failure".to_owned(), json!({"kind": failure.kind, "message": failure.message}));
        }
        // Which of several reasons came first may depend on what an earlier plan was.
        Happening::Skipped(_) => drop(fields.insert("what".to_owned(), "skipped".into())),
        what => fields.extend(happening_json(graph, what)),
    }
    ((event.round, event.step.path.clone(), event.step.item), Json::Object(fields).to_string())
}
