//! How fast plans load and run, beside the barest programs that do the same work.
//!
//! ```text
//! cargo bench                     all workloads, under three minutes
//! cargo bench -- --quick          small sizes, seconds
//! cargo bench -- --large W4       sizes up to a million, minutes and gigabytes
//! cargo bench -- W3 W4            only these
//! ```
//!
//! # How to read the table
//!
//! One block a workload, one line a size. *time* is the median of several runs of what the block's title says, *ns a
//! unit* is that by N. *floor* is the time of the barest program for the same work, measured in the same process just
//! before; *ratio* is time by floor: it says what plans, values and diagnostics cost, and does not depend on the
//! machine much. *growth* is the exponent of time over N, fitted over the lines of the block; 1.00 is linear, and
//! anything above 1.1 over three decades means that something is quadratic. *peak* is the highest memory of the whole
//! process during the block's line, what the workload itself takes included; it is there on Linux only.
//!
//! Runs are in memory and with one thread, unless a title says otherwise: the steps are pure and tiny, so what is seen
//! is the runner alone.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, and has nobody to report a broken plan to but its own panic"
)]

mod floors;
mod measure;
mod workloads;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use normc::base::{FileId, FixedClock, SourceFile, SourceMap};
use normc::diag::Diagnostic;
use normc::engine::{self, Options, Tools};
use normc::repo::{self, Inputs, LowerOptions, Model};
use normc::run::{Graph, Outcome, Quiet, State, Status, initial_values};
use normc::{plan, syntax};

use serde_json::json;

use measure::{Effort, Row, Series, forget_peak, median, peak};

struct Bench {
    quick: bool,
    large: bool,
    only: Vec<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let bench = Bench {
        quick: arguments.iter().any(|a| a == "--quick"),
        large: arguments.iter().any(|a| a == "--large"),
        only: arguments.into_iter().filter(|a| !a.starts_with('-')).collect(),
    };
    bench.graph("W1", "W1 chain: run", workloads::chain, chain_inputs);
    bench.graph("W2", "W2 fan: run", workloads::fan, fan_inputs);
    bench.summing_loop();
    bench.graph("W4", "W4 wide graph: run", workloads::wide, workloads::layered);
    bench.two_threads();
    bench.compiling();
    bench.addition();
}

fn chain_inputs(n: usize) -> Vec<Vec<usize>> {
    (0..n).map(|node| node.checked_sub(1).into_iter().collect()).collect()
}

fn fan_inputs(n: usize) -> Vec<Vec<usize>> {
    let mut inputs = vec![Vec::new(); n];
    inputs.push((0..n).collect());
    inputs
}

/// Runs a model to its end in memory.
fn run(model: &Arc<Model>, jobs: usize) -> Outcome {
    let graph = Arc::new(Graph::new(Arc::clone(model)));
    run_graph(&graph, jobs)
}

fn run_graph(graph: &Arc<normc::run::Graph>, jobs: usize) -> Outcome {
    let data = initial_values(&graph.model).unwrap();
    let tools = Arc::new(Tools::new(Path::new("."), jobs, Arc::new(FixedClock(0))).unwrap());
    let options = Options { jobs, ..Options::default() };
    let outcome = engine::run(State::new(Arc::clone(graph), data), &tools, &options, &mut Quiet);
    assert_eq!(outcome.status, Status::Completed, "a workload does not run to its end");
    outcome
}

impl Bench {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|o| o == name)
    }

    fn effort(&self) -> Effort {
        if self.quick {
            Effort { runs: 3, enough: Duration::from_millis(200) }
        } else {
            Effort { runs: 7, enough: Duration::from_secs(2) }
        }
    }

    fn sizes(&self) -> &'static [usize] {
        match (self.quick, self.large) {
            (true, _) => &[1_000, 10_000],
            (_, false) => &[1_000, 10_000, 100_000],
            (_, true) => &[1_000, 10_000, 100_000, 1_000_000],
        }
    }

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
            loading.push(Row { n, time, floor: None, peak: peak() });
            let model = Arc::new(plan.model());
            drop(plan);
            forget_peak();
            let time = median(self.effort(), || (), |()| Graph::new(Arc::clone(&model)));
            building.push(Row { n, time, floor: Some(floor), peak: peak() });
            let graph = Arc::new(Graph::new(Arc::clone(&model)));
            forget_peak();
            let time = median(self.effort(), || (), |()| run_graph(&graph, 1));
            running.push(Row { n, time, floor: Some(floor), peak: peak() });
        }
        Series { name: format!("{name} load"), unit: "step", floor: "none", rows: loading }.print();
        Series {
            name: format!("{name} build"),
            unit: "step",
            floor: "a serial ready queue over the same graph",
            rows: building,
        }
        .print();
        Series {
            name: title.to_owned(),
            unit: "step",
            floor: "a serial ready queue over the same graph",
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
            rows.push(Row { n, time, floor: Some(floor), peak: peak() });
        }
        Series {
            name: "W3 loop: run".to_owned(),
            unit: "round",
            floor: "the same additions over boxed texts",
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
            rows.push(Row { n, time, floor: Some(one), peak: peak() });
        }
        let name = "W4 wide graph: run with two threads".to_owned();
        Series { name, unit: "step", floor: "the same with one thread", rows }.print();
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
            parsing.push(Row { n, time, floor: Some(pest), peak: peak() });
            cutting.push(Row { n, time, floor: Some(cut), peak: None });
            forget_peak();
            let time = median(self.effort(), || (), |()| compile(&map, file, &source));
            whole.push(Row { n, time, floor: Some(pest), peak: peak() });
        }
        let of = |what: &str| format!("W6 source of additions: {what}");
        let pest = "pest over the start and the concept of each line";
        Series { name: of("parse"), unit: "line", floor: pest, rows: parsing }.print();
        let by_hand = "lines cut by hand and put in a tree";
        Series { name: of("parse"), unit: "line", floor: by_hand, rows: cutting }.print();
        Series { name: of("parse, resolve, lower, load"), unit: "line", floor: pest, rows: whole }.print();
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
            rows.push(Row { n, time, floor: Some(floor), peak: peak() });
        }
        let name = "W7 addition with built-ins: run".to_owned();
        Series { name, unit: "digit", floor: "the same quotients and remainders", rows }.print();
    }
}

fn source_map(source: &str) -> (SourceMap, FileId) {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("plan.nc", source.to_owned()));
    (map, file)
}

/// Source text to the model a run is built from.
fn compile(map: &SourceMap, file: FileId, source: &str) -> Model {
    let (tree, mut diagnostics) = syntax::parse(file, source, None);
    let (plan, resolved) = plan::resolve(&tree);
    diagnostics.extend(resolved);
    let lowered = repo::lower(&plan, map, &diagnostics, &LowerOptions::default());
    diagnostics.extend(lowered.diagnostics);
    assert!(!diagnostics.iter().any(Diagnostic::is_error), "a workload does not compile");
    repo::load(&lowered.repositories).unwrap().model
}
