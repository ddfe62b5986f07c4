//! The explanation of a step as JSON.

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::base::iso;
use crate::repo::ConceptId;
use crate::report::{happening_json, happening_text};
use crate::run::effect::{Effect, ScriptCode, ScriptRun};
use crate::run::graph::Why;
use crate::run::provenance::Origin;
use crate::run::sequence::Cell;
use crate::run::state::Status;
use crate::run::{StepKey, tensor_json, waits_for};

use super::asked::asked_json;
use super::gather::{Explained, Gate, Input, Waited, inputs_of};
use super::tree::{Node, Source};

/// The explanation.
pub(super) fn json(explained: &Explained) -> Json {
    let (graph, found) = (&explained.graph, &explained.found);
    let mut all = JsonMap::new();
    let mut put = |name: &str, value: Json| drop(all.insert(name.to_owned(), value));
    put("run_id", explained.run_id.clone().into());
    let Some(step) = &found.step else {
        let concept = found.concept.unwrap_or(ConceptId(0));
        put("concept", name(explained, concept).into());
        put(
            "start_data",
            explained.data.get(concept.0 as usize).and_then(Option::as_ref).map(tensor_json).into(),
        );
        put("given", explained.is_given(concept).into());
        return Json::Object(all);
    };
    let inference = graph.inference(step.item);
    put("step", graph.step_name(step).into());
    put("flow_index", inference.flow.to_string().into());
    put("path", step.path.0.to_vec().into());
    put("concept", (**graph.concept_name(inference.target)).into());
    put("function", inference.function.map(|f| name(explained, f)).into());
    put("sequence", (*inference.sequence).into());
    put(
        "source",
        explained
            .source
            .as_ref()
            .map(|(file, line, text)| json!({"file": file, "line": line, "text": text}))
            .into(),
    );
    put("positions", found.positions.iter().map(|p| Json::from(p.0.to_vec())).collect());
    put("also_given_by", found.others.iter().map(|item| graph.inference(*item).flow.to_string()).collect());
    let records = &found.records;
    put(
        "outcome",
        match &records.event {
            Some((seq, event)) => {
                let mut fields = JsonMap::new();
                fields.insert("record".to_owned(), (*seq).into());
                fields.insert("cycle".to_owned(), event.round.into());
                let at = explained.told.get(seq).and_then(|told| told.at);
                fields.insert("at".to_owned(), at.map(iso).into());
                fields.extend(happening_json(graph, &event.what));
                Json::Object(fields)
            }
            None => match &explained.the_loop {
                Some(the_loop) if the_loop.done => {
                    json!({"what": "loop", "iterations": the_loop.iterations, "value": the_loop.result.as_ref().map(tensor_json)})
                }
                _ => Json::Null,
            },
        },
    );
    put("at_work", (explained.alive && records.tries.last().is_some_and(|t| t.ended.is_none())).into());
    put(
        "waits_for",
        explained.stuck.iter().flat_map(|s| &s.blockers).map(|b| waits_for(graph, *b)).collect(),
    );
    put("absent", explained.absent.clone().into());
    put("waited_for", explained.waited.iter().map(|w| waited(explained, w)).collect());
    put("gates", explained.gates.iter().map(|g| gate(explained, g)).collect());
    put("saw", explained.inputs.iter().map(|i| input(explained, i)).collect());
    put("calls", explained.calls.iter().map(|c| call(explained, c)).collect());
    put("asked", records.calls.iter().map(asked_json).collect());
    let log = records.log.as_ref();
    put("warnings", log.map_or(&[][..], |log| &log.warnings).into());
    put("call_us", log.map(|log| log.micros).into());
    let outputs = log.into_iter().flat_map(|log| &log.outputs);
    put("printed", outputs.map(|o| json!({"stdout": o.stdout, "stderr": o.stderr})).collect());
    let tries = records.tries.iter().map(|t| {
        json!({
            "record": t.seq,
            "attempt": t.intent.attempt,
            "begun": iso(t.intent.at),
            "key": t.intent.key.to_string(),
            "once": t.intent.once,
            "ended": t.ended,
            "counts": t.counts,
        })
    });
    put("tries", tries.collect());
    let before = records.before.iter();
    put("before", before.map(|(seq, e)| json!({"record": seq, "what": happening_text(graph, e)})).collect());
    put("redone", records.redone.iter().map(|(seq, why)| json!({"record": seq, "reason": why})).collect());
    put("came_from", explained.tree.iter().map(|n| node(explained, n)).collect());
    Json::Object(all)
}

fn name(explained: &Explained, concept: ConceptId) -> String {
    explained.graph.model.concepts.get(concept.0 as usize).map_or_else(String::new, |c| c.name.to_string())
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Waiting => "waiting",
        Status::Ready => "ready",
        Status::Running => "running",
        Status::Done => "done",
        Status::Open => "open",
        Status::Closed => "closed",
        Status::Skipped => "skipped",
        Status::Failed => "failed",
    }
}

fn step_name(explained: &Explained, step: &StepKey) -> String {
    explained.graph.step_name(step)
}

fn waited(explained: &Explained, waited: &Waited) -> Json {
    let (why, concept) = match waited.why {
        Why::Concept(concept) => ("concept", Some(concept)),
        Why::Support => ("support", None),
        Why::Gate => ("gate", None),
        Why::Position(concept) => ("position", Some(concept)),
    };
    json!({
        "step": step_name(explained, &waited.step),
        "why": why,
        "concept": concept.map(|c| name(explained, c)),
        "status": status(waited.status),
        "cycle": waited.round,
        "record": waited.seq,
        "at": waited.seq.and_then(|seq| explained.told.get(&seq)?.at).map(iso),
    })
}

fn gate(explained: &Explained, gate: &Gate) -> Json {
    let asked = gate.asked.iter().map(|seen| {
        json!({
            "concept": name(explained, seen.read.concept),
            "met": seen.met,
            "skipped": seen.skipped,
            "value": seen.value.as_ref().map(tensor_json),
        })
    });
    json!({
        "step": step_name(explained, &gate.step),
        "status": status(gate.status),
        "asked": asked.collect::<Vec<Json>>(),
    })
}

fn origin(explained: &Explained, from: &Origin) -> Json {
    match from {
        Origin::Start => json!({"from": "start"}),
        Origin::Event(_) => json!({"from": "step"}),
        Origin::Loop(step) => json!({"from": "loop", "step": step_name(explained, step)}),
        Origin::Element(position, base, whole) => json!({
            "from": "element",
            "position": position,
            "base": name(explained, *base),
            "whole": origin(explained, whole),
        }),
    }
}

fn input(explained: &Explained, input: &Input) -> Json {
    let seen = &input.seen;
    json!({
        "concept": name(explained, seen.read.concept),
        "part": seen.read.part.word(),
        "value": seen.value.as_ref().map(tensor_json),
        "skipped": seen.skipped,
        "filtered": seen.filtered,
        "problem": seen.problem,
        "origin": origin(explained, &input.origin),
    })
}

fn call(explained: &Explained, cell: &Cell) -> Json {
    let inputs: JsonMap<String, Json> =
        inputs_of(cell).iter().map(|(n, v)| (n.to_string(), v.to_json())).collect();
    let (script, hash, builtin) = match cell.single_effect() {
        Some(Effect::Script(ScriptRun { code: ScriptCode::File(path), .. })) => {
            (Some(path.to_string()), explained.script_hash(path), None)
        }
        Some(Effect::Builtin { name, .. }) => (None, None, Some(name.to_string())),
        _ => (None, None, None),
    };
    let cell: JsonMap<String, Json> = cell.at.iter().map(|(axis, at)| (axis.clone(), json!(at))).collect();
    json!({
        "script": script,
        "script_hash": hash.map(|h| h.to_string()),
        "builtin": builtin,
        "inputs": inputs,
        "cell": cell,
    })
}

fn node(explained: &Explained, node_: &Node) -> Json {
    let mut fields = JsonMap::new();
    let mut put = |name: &str, value: Json| drop(fields.insert(name.to_owned(), value));
    put("concept", name(explained, node_.concept).into());
    put("part", node_.part.map(|part| part.word()).into());
    match &node_.from {
        Source::Start => {
            put("from", "start".into());
            put("given", explained.is_given(node_.concept).into());
        }
        Source::Step { seq, step, round, .. } => {
            put("from", "step".into());
            put("step", step_name(explained, step).into());
            put("cycle", (*round).into());
            put("record", (*seq).into());
            if let Some(told) = explained.told.get(seq) {
                put("outcome", Json::Object(happening_json(&explained.graph, &told.event.what)));
                put("at", told.at.map(iso).into());
            }
        }
        Source::Loop(step) => {
            put("from", "loop".into());
            put("step", step_name(explained, step).into());
            put("iterations_left_out", node_.left_out.into());
        }
        Source::Element { position, base } => {
            put("from", "element".into());
            put("position", (*position).into());
            put("base", name(explained, *base).into());
        }
    }
    put("again", node_.again.into());
    put("more", node_.more.into());
    put("inputs", node_.inputs.iter().map(|n| node(explained, n)).collect());
    Json::Object(fields)
}
