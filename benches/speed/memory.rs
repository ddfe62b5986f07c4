//! Runs in memory: graphs of pure steps, the loop, the addition with built-ins; and compiling.

use std::path::Path;
use std::sync::Arc;

use normc::base::FixedClock;
use normc::engine::{self, Options, Tools};
use normc::repo::{Inputs, Model};
use normc::run::{Graph, Outcome, Quiet, State, Status, initial_values};
use normc::syntax;

use serde_json::json;

use crate::measure::{Row, Series, forget_peak, median, peak};
use crate::workloads::{compile, source_map};
use crate::{Bench, floors, workloads};

/// Everything that runs in memory.
pub(crate) fn all(bench: &Bench) {
    bench.graph("W1", "W1 chain: run", workloads::chain, workloads::chain_inputs);
    bench.graph("W2", "W2 fan: run", workloads::fan, workloads::fan_inputs);
    bench.summing_loop();
    bench.graph("W4", "W4 wide graph: run", workloads::wide, workloads::layered);
    bench.two_threads();
    bench.compiling();
    bench.addition();
}

/// Runs a model to its end in memory.
fn run(model: &Arc<Model>, jobs: usize) -> Outcome {
    let graph = Arc::new(Graph::new(Arc::clone(model)));
    run_graph(&graph, jobs)
}

/// Runs a graph to its end in memory.
pub(crate) fn run_graph(graph: &Arc<Graph>, jobs: usize) -> Outcome {
    let data = initial_values(&graph.model).unwrap();
    let tools = Arc::new(Tools::new(Path::new("."), jobs, Arc::new(FixedClock(0))).unwrap());
    let options = Options { jobs, ..Options::default() };
    let outcome = engine::run(State::new(Arc::clone(graph), data), &tools, &options, &mut Quiet);
    assert_eq!(outcome.status, Status::Completed, "a workload does not run to its end");
    outcome
}

impl Bench {
    /// A plan that is a plain graph of pure steps: loading, building the graph, running, with the queue as floor.
    fn graph(
        &self,
        name: &str,
        title: &'static str,
        plan: fn(usize) -> workloads::Plan,
        inputs: fn(usize) -> Vec<Vec<usize>>,
    ) {
        if !self.wants(name) {
            return;
        }
        let mut loading = Vec::new();
        let mut building = Vec::new();
        let mut running = Vec::new();
        for &n in self.sizes() {
            let queue = floors::Queue::new(&inputs(n));
            let floor = median(self.effort(), || (), |()| queue.run());
            forget_peak();
            let plan = plan(n);
            let time = median(self.effort(), || (), |()| plan.model());
            loading.push(Row { n, time, floor: None, peak: peak(), more: Vec::new() });
            let model = Arc::new(plan.model());
            drop(plan);
            forget_peak();
            let time = median(self.effort(), || (), |()| Graph::new(Arc::clone(&model)));
            building.push(Row { n, time, floor: Some(floor), peak: peak(), more: Vec::new() });
            let graph = Arc::new(Graph::new(Arc::clone(&model)));
            forget_peak();
            let time = median(self.effort(), || (), |()| run_graph(&graph, 1));
            running.push(Row { n, time, floor: Some(floor), peak: peak(), more: Vec::new() });
        }
        Series { name: format!("{name} load"), unit: "step", floor: "none", more: &[], rows: loading }
            .print();
        Series {
            name: format!("{name} build"),
            unit: "step",
            floor: "a serial ready queue over the same graph",
            more: &[],
            rows: building,
        }
        .print();
        Series {
            name: title.to_owned(),
            unit: "step",
            floor: "a serial ready queue over the same graph",
            more: &[],
            rows: running,
        }
        .print();
    }

    fn summing_loop(&self) {
        if !self.wants("W3") {
            return;
        }
        let mut rows = Vec::new();
        for &n in if self.quick { self.sizes() } else { &[1_000, 10_000, 100_000, 1_000_000][..] } {
            let floor = median(self.effort(), || floors::numbers(n), floors::additions(n));
            let model = Arc::new(workloads::summing_loop(n).model());
            forget_peak();
            let time = median(self.effort(), || (), |()| run(&model, 1));
            rows.push(Row { n, time, floor: Some(floor), peak: peak(), more: Vec::new() });
        }
        Series {
            name: "W3 loop: run".to_owned(),
            unit: "round",
            floor: "the same additions over boxed texts",
            more: &[],
            rows,
        }
        .print();
    }

    /// W4 with two threads beside one: steps this small are not worth handing over, so both should be equal.
    fn two_threads(&self) {
        if !self.wants("W4") {
            return;
        }
        let mut rows = Vec::new();
        for &n in self.sizes() {
            let graph = Arc::new(Graph::new(Arc::new(workloads::wide(n).model())));
            let one = median(self.effort(), || (), |()| run_graph(&graph, 1));
            forget_peak();
            let time = median(self.effort(), || (), |()| run_graph(&graph, 2));
            rows.push(Row { n, time, floor: Some(one), peak: peak(), more: Vec::new() });
        }
        let name = "W4 wide graph: run with two threads".to_owned();
        Series { name, unit: "step", floor: "the same with one thread", more: &[], rows }.print();
    }

    /// W6: from source text to the model, in parts and as a whole.
    fn compiling(&self) {
        if !self.wants("W6") {
            return;
        }
        let (mut parsing, mut cutting, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for &lines in self.sizes() {
            let source = workloads::many_additions(lines);
            let n = source.lines().count();
            let cut = median(self.effort(), || (), |()| floors::line_tree(&source));
            let tree = floors::line_tree(&source);
            let pest = median(self.effort(), || (), |()| floors::grammar(&tree));
            drop(tree);
            let (map, file) = source_map(&source);
            forget_peak();
            let time = median(self.effort(), || (), |()| syntax::parse(file, &source, None));
            parsing.push(Row { n, time, floor: Some(pest), peak: peak(), more: Vec::new() });
            cutting.push(Row { n, time, floor: Some(cut), peak: None, more: Vec::new() });
            forget_peak();
            let time = median(self.effort(), || (), |()| compile(&map, file, &source));
            whole.push(Row { n, time, floor: Some(pest), peak: peak(), more: Vec::new() });
        }
        let of = |what: &str| format!("W6 source of additions: {what}");
        let pest = "pest over the start and the concept of each line";
        Series { name: of("parse"), unit: "line", floor: pest, more: &[], rows: parsing }.print();
        let by_hand = "lines cut by hand and put in a tree";
        Series { name: of("parse"), unit: "line", floor: by_hand, more: &[], rows: cutting }.print();
        Series { name: of("parse, resolve, lower, load"), unit: "line", floor: pest, more: &[], rows: whole }
            .print();
    }

    fn addition(&self) {
        if !self.wants("W7") {
            return;
        }
        let (map, file) = source_map(workloads::ADDITION);
        let plan = compile(&map, file, workloads::ADDITION);
        let mut rows = Vec::new();
        for n in [10, 100, 1_000] {
            let numbers = workloads::two_numbers(n);
            let floor = median(self.effort(), || (), |()| floors::addition(&numbers));
            let mut model = plan.clone();
            let mut inputs = Inputs::default();
            inputs.add_file(&json!({"{number pair}": {"data": [numbers]}}).to_string()).unwrap();
            inputs.apply(&mut model).unwrap();
            let model = Arc::new(model);
            forget_peak();
            let time = median(self.effort(), || (), |()| run(&model, 1));
            rows.push(Row { n, time, floor: Some(floor), peak: peak(), more: Vec::new() });
        }
        let name = "W7 addition with built-ins: run".to_owned();
        Series { name, unit: "digit", floor: "the same quotients and remainders", more: &[], rows }.print();
    }
}
