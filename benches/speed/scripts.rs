//! W5 and W7: steps with Python scripts, beside the barest worker there is.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use normc::base::FixedClock;
use normc::engine::{self, Options, Plan, Tools};
use normc::run::{Quiet, State, Status};
use normc::store::Durability;

use crate::durable::{remove, store_in, write_down};
use crate::measure::{Row, Series, forget_peak, in_turns, middle, peak, show, timed};
use crate::python::{self, Worker};
use crate::workloads::{self, SCRIPT, SCRIPT_PATH};
use crate::{Bench, disk};

/// Questions asked to find out how long an answer takes.
const QUESTIONS: usize = 2_000;

/// Runs a plan with scripts in memory, from no worker to the last step.
fn run_in_memory(plan: &Plan, jobs: usize) -> Duration {
    let tools = Arc::new(Tools::new(&plan.base, jobs, Arc::new(FixedClock(0))).unwrap());
    let state = State::new(Arc::clone(&plan.graph), plan.data.clone());
    let options = Options { jobs, ..Options::default() };
    let (time, outcome) = timed(|| engine::run(state, &tools, &options, &mut Quiet));
    tools.shutdown();
    assert_eq!(outcome.status, Status::Completed, "a workload does not run to its end");
    time
}

impl Bench {
    /// W5: how a step with a script compares with asking a worker.
    pub(crate) fn scripts(&self) {
        if !self.wants("W5") {
            return;
        }
        let ground = disk::ground();
        let (dir, store) = (ground.path(), store_in(ground.path()));
        let script = dir.join(SCRIPT_PATH);
        std::fs::create_dir(dir.join("scripts")).unwrap();
        std::fs::write(&script, SCRIPT).unwrap();
        let sizes: &[usize] = match (self.quick, self.large) {
            (true, _) => &[100, 1_000],
            (_, false) => &[100, 1_000, 10_000],
            (_, true) => &[100, 1_000, 10_000, 100_000],
        };
        let mut series = [Vec::new(), Vec::new(), Vec::new()];
        for &n in sizes {
            let plan = workloads::scripts(n).to_run(dir);
            let written = |jobs: usize| {
                let written = write_down(&store, &plan, Durability::Grouped, jobs);
                remove(&written);
                written.run
            };
            for (rows, (durable, jobs)) in series.iter_mut().zip([(true, 1), (false, 1), (true, 2)]) {
                forget_peak();
                let (floor, time) = in_turns(
                    self.durable_effort(),
                    || python::pipelined(&script, n),
                    || if durable { written(jobs) } else { run_in_memory(&plan, jobs) },
                );
                rows.push(Row { n, time, floor: Some(floor), peak: peak(), more: Vec::new() });
            }
        }
        let names = ["written down, one job", "in memory, one job", "written down, two jobs"];
        for (name, rows) in names.into_iter().zip(series) {
            Series {
                name: format!("W5 scripts, {name}: run with the start of the workers"),
                unit: "step",
                floor: "one bare worker from its start on, asked without waiting for answers",
                more: &[],
                rows,
            }
            .print();
        }
        let times = (0..20).map(|_| python::one_process(&script)).collect();
        println!("one python3 process a step: {} a step", show(middle(times)));
    }

    /// W7: the addition with scripts, each waiting for the one before.
    pub(crate) fn addition_with_scripts(&self) {
        if !self.wants("W7") {
            return;
        }
        let ground = disk::ground();
        let (dir, store) = (ground.path(), store_in(ground.path()));
        let script = dir.join("script.py");
        std::fs::write(&script, SCRIPT).unwrap();
        let sizes: &[usize] = if self.quick { &[9, 30] } else { &[9, 30, 100, 300] };
        let mut rows = Vec::new();
        for &n in sizes {
            let plan = workloads::addition_to_run(n);
            let mut calls = 0;
            let (mut starts, mut trips) = (Vec::new(), Vec::new());
            let mut times = Vec::new();
            forget_peak();
            for _ in 0..self.durable_effort().runs {
                let (start, trip) = worker(&script);
                starts.push(start);
                trips.push(trip);
                let written = write_down(&store, &plan, Durability::Grouped, 1);
                calls = written.outcome.times.iter().map(|t| t.calls).sum();
                remove(&written);
                times.push(written.run);
            }
            let (start, trip) = (middle(starts), middle(trips));
            let floor = start + trip * u32::try_from(calls).unwrap();
            let more = vec![calls.to_string(), show(start), show(trip)];
            rows.push(Row { n, time: middle(times), floor: Some(floor), peak: peak(), more });
        }
        Series {
            name: "W7 addition with scripts, written down: run with the start of the worker".to_owned(),
            unit: "digit",
            floor: "the start of a bare worker and as many questions, each waiting for its answer",
            more: &["scripts", "start", "round trip"],
            rows,
        }
        .print();
    }
}

/// How long a bare worker takes to its first answer, and to every further one.
fn worker(script: &Path) -> (Duration, Duration) {
    let (start, mut worker) = timed(|| {
        let mut worker = Worker::start(script);
        worker.ask(1);
        worker
    });
    let (all, ()) = timed(|| (0..QUESTIONS).for_each(|i| worker.ask(i)));
    (start, all / QUESTIONS as u32)
}
