//! Golden runs: scenarios with what a right runtime must do. Scenarios whose phases are all single runs are run; the
//! others need stored runs and are counted as such. Further folders are read from `NORMC_GOLDEN`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use normc::base::{FixedClock, Value};
use normc::engine::{self, Options, Tools};
use normc::repo::{ConceptEntry, InferenceEntry, Inputs, Repositories, load, missing_inputs};
use normc::run::{Event, Graph, Happening, Outcome, State, Status, Watch, initial_values};
use normc::tensor::Tensor;
use serde_json::{Map, Value as Json, json};

use crate::support::{extra_folders, python_missing};

#[test]
fn golden_runs_end_as_they_must() {
    if python_missing("golden runs") {
        return;
    }
    let mut failures = Vec::new();
    for folder in extra_folders("tests/golden", "NORMC_GOLDEN") {
        let (mut passed, mut total, mut later) = (0, 0, 0);
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect();
        files.sort();
        for file in files {
            let scenario: Json = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            if scenario["phases"].as_array().unwrap().iter().any(|p| p["do"] != "run") {
                later += 1;
                continue;
            }
            total += 1;
            let wrong = check(&folder, &scenario);
            if wrong.is_empty() {
                passed += 1;
            } else {
                let name = file.file_stem().unwrap().to_string_lossy().into_owned();
                failures.extend(wrong.into_iter().map(|w| format!("{name}: {w}")));
            }
        }
        println!("golden {}: {passed}/{total} passed, {later} need stored runs", folder.display());
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

/// When each item was first settled, by flow index.
#[derive(Default)]
struct Order {
    at: BTreeMap<String, usize>,
    next: usize,
}

impl Order {
    fn note(&mut self, flow: String) {
        self.next += 1;
        self.at.entry(flow).or_insert(self.next);
    }
}

impl Watch for Order {
    fn event(&mut self, graph: &Graph, event: &Event, _: Option<&normc::run::CallLog>) {
        if !matches!(event.what, Happening::Failed(_)) {
            self.note(graph.inference(event.step.item).flow.to_string());
        }
    }

    fn news(&mut self, graph: &Graph, news: &normc::run::state::News) {
        if let normc::run::state::News::LoopEnded(step, _) = news {
            self.note(graph.inference(step.item).flow.to_string());
        }
    }
}

fn check(folder: &Path, scenario: &Json) -> Vec<String> {
    let mut wrong = Vec::new();
    for phase in scenario["phases"].as_array().unwrap() {
        let name = phase["name"].as_str().unwrap();
        let expected = &scenario["expect"][name];
        let plan = &scenario["plans"][phase["plan"].as_str().unwrap()];
        match run(folder, scenario, plan) {
            Ok((outcome, order)) => {
                // The recorded order of completions is cut at 400 entries; counts taken from a cut one are lower bounds.
                let recorded = &scenario["observed"][name]["reference_completion_order"];
                let cut = recorded.as_array().is_some_and(|order| order.len() >= 400);
                compare(expected, &outcome, &order, cut, &mut wrong);
            }
            Err(problem) => wrong.push(problem),
        }
    }
    wrong
}

fn run(folder: &Path, scenario: &Json, plan: &Json) -> Result<(Outcome, Order), String> {
    let stage = Stage::new(folder, scenario, plan)?;
    let mut order = Order::default();
    let outcome = stage.run(stage.fresh(), &mut order);
    Ok((outcome, order))
}

/// A scenario's plan, ready to be run as often as wanted.
pub(crate) struct Stage {
    graph: Arc<Graph>,
    data: Vec<Option<Tensor>>,
    tools: Arc<Tools>,
    _base: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new(folder: &Path, scenario: &Json, plan: &Json) -> Result<Self, String> {
        let entries =
            |key: &str| plan[key].as_array().unwrap().iter().map(|e| e.as_object().unwrap().clone());
        let repositories = Repositories::from_entries(
            entries("concepts").map(ConceptEntry::from).collect(),
            entries("inferences").map(InferenceEntry::from).collect(),
        );
        let mut model = load(&repositories).map_err(|d| format!("does not load: {d:?}"))?.model;
        let mut inputs = Inputs::default();
        inputs.add_file(&plan["inputs"].to_string()).map_err(|d| format!("inputs: {d:?}"))?;
        inputs.apply(&mut model).map_err(|d| format!("inputs: {d:?}"))?;
        if let Some(missing) = missing_inputs(&model).first() {
            return Err(format!("missing input {:?}", model.concepts[missing.concept.0 as usize].name));
        }
        let model = Arc::new(model);
        let data = initial_values(&model).map_err(|b| format!("data: {b:?}"))?;
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("scripts")).unwrap();
        for script in scenario["scripts"].as_array().into_iter().flatten() {
            let script = script.as_str().unwrap();
            let from = folder.join("scripts").join(Path::new(script).file_name().unwrap());
            std::fs::copy(&from, base.path().join(script))
                .unwrap_or_else(|e| panic!("{}: {e}", from.display()));
        }
        let tools = Arc::new(Tools::new(base.path(), 2, Arc::new(FixedClock(0))).unwrap());
        Ok(Self { graph: Arc::new(Graph::new(model)), data, tools, _base: base })
    }

    /// The state before the first step.
    pub(crate) fn fresh(&self) -> State {
        State::new(Arc::clone(&self.graph), self.data.clone())
    }

    pub(crate) fn run(&self, state: State, watch: &mut dyn Watch) -> Outcome {
        let options = Options { jobs: 2, max_cycles: None, fail_fast: false };
        engine::run(state, &self.tools, &options, watch)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.tools.shutdown();
    }
}

fn compare(expected: &Json, outcome: &Outcome, order: &Order, cut: bool, wrong: &mut Vec<String>) {
    let graph = outcome.graph();
    let mut differ = |what: &str, got: Json, want: &Json| {
        if !want.is_null() && got != *want {
            wrong.push(format!("{what}: got {got}, want {want}"));
        }
    };
    differ("status", json!(outcome.status.word()), &expected["status"]);
    if let Some(finals) = expected["final"].as_object() {
        let got: Map<String, Json> = outcome
            .finals
            .iter()
            .map(|f| (f.name.to_string(), f.value.as_ref().map_or(Json::Null, core_form)))
            .filter(|(name, _)| finals.contains_key(name))
            .collect();
        differ("final", Json::Object(got), &expected["final"]);
    }
    let flow = |item: normc::run::ItemId| graph.inference(item).flow.to_string();
    let stuck: Vec<String> = outcome.deadlock.stuck.iter().map(|s| flow(s.item)).collect();
    differ("stuck", sorted(stuck), &sorted_json(&expected["stuck"]));
    let failed: Vec<String> = outcome.failures.iter().map(|(step, _)| flow(step.item)).collect();
    differ("failed", sorted(failed), &sorted_json(&expected["failed"]));
    let tally = graph.model.inferences.iter().zip(outcome.state.tally());
    let skipped: Vec<String> =
        tally.clone().filter(|(_, t)| t.skipped > 0).map(|(i, _)| i.flow.to_string()).collect();
    differ("skipped at least once", sorted(skipped), &sorted_json(&expected["skipped_at_least_once"]));
    for (flow, want) in expected["completions"].as_object().into_iter().flatten() {
        let got = tally.clone().find(|(i, _)| i.flow.to_string() == *flow).map_or(0, |(_, t)| t.completed);
        let enough = cut && Some(got) >= want.as_u64();
        differ(&format!("completions of {flow}"), if enough { want.clone() } else { json!(got) }, want);
    }
    for pair in expected["order"].as_array().into_iter().flatten() {
        let (a, b) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let (first, second) = (order.at.get(a), order.at.get(b));
        if first.is_none() || second.is_none() || first > second {
            wrong.push(format!("order: {a} must come before {b}, got {first:?} and {second:?}"));
        }
    }
    if expected["status"] == "completed" {
        assert_eq!(outcome.status == Status::Completed, outcome.deadlock.stuck.is_empty());
    }
}

fn sorted(mut flows: Vec<String>) -> Json {
    flows.sort();
    flows.dedup();
    json!(flows)
}

fn sorted_json(flows: &Json) -> Json {
    match flows.as_array() {
        Some(flows) => sorted(flows.iter().map(|f| f.as_str().unwrap().to_owned()).collect()),
        None => Json::Null,
    }
}

/// Axes of length one dropped, signs and truth markers unwrapped.
pub(crate) fn core_form(tensor: &Tensor) -> Json {
    let core = tensor.core();
    let axes: Vec<&str> = core.axes().iter().map(|a| a.as_str()).collect();
    json!({"axes": axes, "shape": core.shape(), "values": core.map_cells(unwrap).to_nested().to_json()})
}

fn unwrap(cell: &Value) -> Value {
    match cell {
        Value::Sign(sign) => Value::Text(Arc::clone(sign.payload())),
        Value::Text(text) if &**text == "%{truth value}(true)" => Value::text("true"),
        Value::Text(text) if &**text == "%{truth value}(false)" => Value::text("false"),
        Value::List(items) => Value::list(items.iter().map(unwrap)),
        Value::Map(map) => {
            Value::Map(Arc::new(map.iter().map(|(k, v)| (Arc::clone(k), unwrap(v))).collect()))
        }
        other => other.clone(),
    }
}
