//! Work grows as the plan and its data do: twice the elements take about twice the time (runtime spec, section 23), and
//! no step runs twice.

use std::path::Path;
use std::sync::Arc;

use normc::base::{FixedClock, SourceFile, SourceMap};
use normc::diag::Diagnostic;
use normc::engine::{self, Options, Tools};
use normc::repo::{self, Inputs, LowerOptions, Model};
use normc::run::state::News;
use normc::run::{Event, Graph, Outcome, Quiet, State, Status, Watch, initial_values};
use normc::{plan, syntax};
use serde_json::{Value as Json, json};

use crate::measure::{alone, assert_linear};

fn read_plan(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(file)).unwrap()
}

/// Source text to the model, without errors.
fn compile(source: &str) -> Model {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("plan.nc", source.to_owned()));
    let (tree, mut diagnostics) = syntax::parse(file, source, None);
    let (plan, resolved) = plan::resolve(&tree);
    diagnostics.extend(resolved);
    let lowered = repo::lower(&plan, &map, &diagnostics, &LowerOptions::default());
    diagnostics.extend(lowered.diagnostics);
    let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|d| d.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    repo::load(&lowered.repositories).unwrap().model
}

fn with_inputs(mut model: Model, given: &Json) -> Arc<Model> {
    let mut inputs = Inputs::default();
    inputs.add_file(&given.to_string()).unwrap();
    inputs.apply(&mut model).unwrap();
    Arc::new(model)
}

fn run(model: &Arc<Model>, watch: &mut dyn Watch) -> Outcome {
    let state = State::new(Arc::new(Graph::new(Arc::clone(model))), initial_values(model).unwrap());
    let tools = Arc::new(Tools::new(Path::new("."), 1, Arc::new(FixedClock(0))).unwrap());
    let options = Options::default();
    let outcome = engine::run(state, &tools, &options, watch);
    assert_eq!(outcome.status, Status::Completed);
    outcome
}

fn run_quietly(model: &Arc<Model>) {
    run(model, &mut Quiet);
}

fn running_total(n: usize) -> Arc<Model> {
    let numbers: Vec<usize> = (1..=n).collect();
    let model = compile(&read_plan("running_total/running_total.nc"));
    with_inputs(model, &json!({"{number}": {"data": numbers}}))
}

/// The base of the addition's outer loop grows by one pair a digit.
fn addition(digits: usize) -> Arc<Model> {
    let numbers = ["7", "8"].map(|digit| digit.repeat(digits));
    let model = compile(&read_plan("addition/addition_builtin.nc"));
    with_inputs(model, &json!({"{number pair}": {"data": [numbers]}}))
}

/// A list of steps, each of which reads the one before it and one that all share.
fn chain_source(n: usize) -> String {
    let mut source = format!(":<:({{all}})\n    <= $.({{s {n}}})\n    <- {{s {n}}}\n");
    for i in 1..=n {
        let before = if i == 1 { "first".to_owned() } else { format!("s {}", i - 1) };
        source.push_str(&format!("    <- {{s {i}}}\n        <= $.({{{before}}})\n        <- {{{before}}}\n"));
        source.push_str("        <- {first}\n            | ref. 7\n");
    }
    source
}

#[test]
fn a_loop_with_a_carry() {
    if !alone("growth::a_loop_with_a_carry") {
        return;
    }
    assert_linear("rounds of a loop", 4_000, running_total, run_quietly);
}

#[test]
fn a_loop_whose_base_grows() {
    if !alone("growth::a_loop_whose_base_grows") {
        return;
    }
    assert_linear("digits of an addition", 100, addition, run_quietly);
}

#[test]
fn a_graph_of_steps() {
    if !alone("growth::a_graph_of_steps") {
        return;
    }
    let model = |n| Arc::new(compile(&chain_source(n)));
    assert_linear("steps, graph and run", 2_000, model, run_quietly);
}

#[test]
fn compiling_source() {
    if !alone("growth::compiling_source") {
        return;
    }
    assert_linear("steps, compiled", 1_000, chain_source, |source| {
        compile(source);
    });
}

/// Counts what happens, and the elements of loops that were worked off.
#[derive(Default)]
struct Counts {
    events: usize,
    iterations: usize,
}

impl Watch for Counts {
    fn event(&mut self, _: &Graph, _: &Event, _: Option<&normc::run::CallLog>) {
        self.events += 1;
    }

    fn news(&mut self, _: &Graph, news: &News) {
        self.iterations += usize::from(matches!(news, News::IterationEnded(..)));
    }
}

#[test]
fn every_step_of_every_round_happens_once() {
    for n in [1, 10, 600] {
        let model = running_total(n);
        let mut counts = Counts::default();
        let outcome = run(&model, &mut counts);
        let in_a_round = model.inferences.len() - 1;
        assert_eq!((counts.events, counts.iterations), (in_a_round * n, n));
        let completed: Vec<u64> = outcome.state.tally().iter().map(|t| t.completed).collect();
        assert_eq!(completed[0], 1);
        assert!(completed[1..].iter().all(|c| *c == n as u64), "{completed:?}");
    }
}
