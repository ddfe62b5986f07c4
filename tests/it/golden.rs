//! Golden runs: scenarios with what a right runtime must do. Phases that go on with an earlier one work on a stored run;
//! scenarios with forks are counted, not run. Further folders are read from `NORMC_GOLDEN`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use normc::base::{FixedClock, Value};
use normc::engine::{self, Found, Interrupt, Keeping, Options, Plan, Resumption, Session, Tools, Wish};
use normc::repo::{
    ConceptEntry, InferenceEntry, Inputs, Model, Repositories, load, missing_inputs, two_file_document,
};
use normc::run::record::Mode;
use normc::run::{Event, Graph, Happening, Outcome, State, Status, Watch, initial_values};
use normc::store::{Durability, RealDisk, Store};
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
            if scenario["phases"].as_array().unwrap().iter().any(|p| p["do"] == "fork") {
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
        println!("golden {}: {passed}/{total} passed, {later} need forks", folder.display());
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

/// When each item was first settled, by flow index, and how often it completed.
#[derive(Default)]
struct Order {
    at: BTreeMap<String, usize>,
    next: usize,
    completions: BTreeMap<String, u64>,
    /// The run is asked to stop after so many completed or skipped items.
    limit: Option<u64>,
    interrupt: Interrupt,
}

impl Order {
    fn note(&mut self, flow: String) {
        self.next += 1;
        self.at.entry(flow).or_insert(self.next);
        if self.limit.is_some_and(|limit| self.next as u64 >= limit) {
            self.interrupt.ask(2);
        }
    }

    /// What came before, and this.
    fn add(&mut self, other: &Self) {
        for (flow, count) in &other.completions {
            *self.completions.entry(flow.clone()).or_default() += count;
        }
    }
}

impl Watch for Order {
    fn event(&mut self, graph: &Graph, event: &Event, _: Option<&normc::run::CallLog>) {
        if matches!(event.what, Happening::Gave(_) | Happening::Appended { .. } | Happening::Passed) {
            let flow = graph.inference(event.step.item).flow.to_string();
            *self.completions.entry(flow).or_default() += 1;
        }
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
    let phases = scenario["phases"].as_array().unwrap();
    if phases.len() == 1 {
        check_run(folder, scenario, &phases[0])
    } else {
        check_phases(folder, scenario, phases)
    }
}

/// A scenario of one run, in memory.
fn check_run(folder: &Path, scenario: &Json, phase: &Json) -> Vec<String> {
    let name = phase["name"].as_str().unwrap();
    let stage = match Stage::new(folder, scenario, &scenario["plans"][phase["plan"].as_str().unwrap()]) {
        Ok(stage) => stage,
        Err(problem) => return vec![problem],
    };
    let mut order = Order::default();
    let outcome = stage.run(stage.fresh(), &mut order);
    // The recorded order of completions is cut at 400 entries; counts taken from a cut one are lower bounds.
    let recorded = &scenario["observed"][name]["reference_completion_order"];
    let cut = recorded.as_array().is_some_and(|order| order.len() >= 400);
    let mut wrong = Vec::new();
    compare(&scenario["expect"][name], &outcome, &order, cut, &mut wrong);
    wrong
}

/// A scenario of a run that is stopped or changed and gone on with, on one store and one base directory.
fn check_phases(folder: &Path, scenario: &Json, phases: &[Json]) -> Vec<String> {
    let base = base_with_scripts(folder, scenario);
    let store = Store::new(base.path().join(".normc"), Arc::new(RealDisk));
    let keeping = Keeping { durability: Durability::Grouped, clock: Arc::new(FixedClock(0)) };
    let mut wrong = Vec::new();
    let mut all = Order::default();
    for phase in phases {
        let name = phase["name"].as_str().unwrap();
        let expected = &scenario["expect"][name];
        let plan = match stored_plan(scenario, phase["plan"].as_str().unwrap(), base.path()) {
            Ok(plan) => plan,
            Err(problem) => return vec![problem],
        };
        let mut order = Order { limit: phase["stop_after_completions"].as_u64(), ..Order::default() };
        let outcome = if phase["do"] == "run" {
            let session = Session::begin(&store, &plan, phase["run_id"].as_str(), &keeping).unwrap();
            finish(session, base.path(), &mut order)
        } else {
            let wish = Wish {
                mode: match phase["mode"].as_str().unwrap() {
                    "OVERWRITE" => Mode::Overwrite,
                    "FILL_GAPS" => Mode::FillGaps,
                    _ => Mode::Patch,
                },
                from_cycle: None,
            };
            let run = store.open(&store.ids().unwrap()[0]).unwrap();
            let resumption = Resumption::weigh(Found::take(run).unwrap(), plan, &wish).unwrap();
            if resumption.is_complete() {
                resumption.into_outcome()
            } else {
                finish(Session::go_on(resumption, &keeping).unwrap(), base.path(), &mut order)
            }
        };
        let mut here = Vec::new();
        if expected["status"] != "interrupted" {
            compare(expected, &outcome, &order, false, &mut here);
        }
        // What is expected of a phase that goes on is what that phase did.
        all.add(&order);
        for (flow, want) in expected["total_completions"].as_object().into_iter().flatten() {
            let got = all.completions.get(flow).copied().unwrap_or_default();
            if Some(got) != want.as_u64() {
                here.push(format!("completions of {flow} in all phases: got {got}, want {want}"));
            }
        }
        wrong.extend(here.into_iter().map(|w| format!("{name}: {w}")));
    }
    wrong
}

fn finish(session: Session, base: &Path, order: &mut Order) -> Outcome {
    let tools = Arc::new(Tools::new(base, 2, Arc::new(FixedClock(0))).unwrap());
    let options = Options { jobs: 2, interrupt: order.interrupt.clone(), ..Options::default() };
    let ended = session.run(&tools, &options, order);
    ended.record.unwrap().finish().unwrap();
    tools.shutdown();
    ended.outcome
}

/// A plan of a scenario, with a document to keep.
fn stored_plan(scenario: &Json, label: &str, base: &Path) -> Result<Plan, String> {
    let plan = &scenario["plans"][label];
    let mut model = model_of(plan)?;
    let mut inputs = Inputs::default();
    inputs.add_file(&plan["inputs"].to_string()).map_err(|d| format!("inputs: {d:?}"))?;
    inputs.apply(&mut model).map_err(|d| format!("inputs: {d:?}"))?;
    let document = two_file_document(&plan["concepts"].to_string(), &plan["inferences"].to_string());
    let given = inputs.settled(&model);
    Plan::new(model, Arc::from(document), given, "golden", "golden", base).map_err(|b| format!("data: {b:?}"))
}

fn base_with_scripts(folder: &Path, scenario: &Json) -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir(base.path().join("scripts")).unwrap();
    for script in scenario["scripts"].as_array().into_iter().flatten() {
        let script = script.as_str().unwrap();
        let from = folder.join("scripts").join(Path::new(script).file_name().unwrap());
        std::fs::copy(&from, base.path().join(script)).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
    }
    base
}

pub(crate) fn model_of(plan: &Json) -> Result<Model, String> {
    let entries = |key: &str| plan[key].as_array().unwrap().iter().map(|e| e.as_object().unwrap().clone());
    let repositories = Repositories::from_entries(
        entries("concepts").map(ConceptEntry::from).collect(),
        entries("inferences").map(InferenceEntry::from).collect(),
    );
    Ok(load(&repositories).map_err(|d| format!("does not load: {d:?}"))?.model)
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
        let mut model = model_of(plan)?;
        let mut inputs = Inputs::default();
        inputs.add_file(&plan["inputs"].to_string()).map_err(|d| format!("inputs: {d:?}"))?;
        inputs.apply(&mut model).map_err(|d| format!("inputs: {d:?}"))?;
        if let Some(missing) = missing_inputs(&model).first() {
            return Err(format!("missing input {:?}", model.concepts[missing.concept.0 as usize].name));
        }
        let model = Arc::new(model);
        let data = initial_values(&model).map_err(|b| format!("data: {b:?}"))?;
        let base = base_with_scripts(folder, scenario);
        let tools = Arc::new(Tools::new(base.path(), 2, Arc::new(FixedClock(0))).unwrap());
        Ok(Self { graph: Arc::new(Graph::new(model)), data, tools, _base: base })
    }

    /// The state before the first step.
    pub(crate) fn fresh(&self) -> State {
        State::new(Arc::clone(&self.graph), self.data.clone())
    }

    pub(crate) fn run(&self, state: State, watch: &mut dyn Watch) -> Outcome {
        let options = Options { jobs: 2, ..Options::default() };
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
