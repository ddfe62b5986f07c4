//! The state of a run is the fold of its events: every prefix of them folds, and going on from it ends as the whole
//! run did, with every step run once in all.

use std::path::Path;

use normc::run::{CallLog, Event, Graph, Outcome, Watch};
use serde_json::Value as Json;

use crate::golden::Stage;
use crate::support::python_missing;

/// Keeps the events of a run.
#[derive(Default)]
struct Recorder(Vec<Event>);

impl Watch for Recorder {
    fn event(&mut self, _: &Graph, event: &Event, _: Option<&CallLog>) {
        self.0.push(event.clone());
    }
}

/// What must not depend on where a run was cut: everything printed of it but its times.
fn result(outcome: &Outcome) -> Json {
    outcome.to_json("run")
}

fn check_every_prefix(name: &str, stride: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let scenario: Json = serde_json::from_str(&text).unwrap();
    let label = scenario["phases"][0]["plan"].as_str().unwrap();
    let stage = Stage::new(&folder, &scenario, &scenario["plans"][label]).unwrap();
    let mut whole = Recorder::default();
    let expected = result(&stage.run(stage.fresh(), &mut whole));
    for cut in (0..=whole.0.len()).step_by(stride) {
        let mut state = stage.fresh();
        for event in &whole.0[..cut] {
            state.apply(event).unwrap_or_else(|e| panic!("{name}, event of {cut}: {e}"));
        }
        let mut rest = Recorder::default();
        let got = result(&stage.run(state, &mut rest));
        assert_eq!(got, expected, "{name}, cut after {cut} of {} events", whole.0.len());
        assert_eq!(
            cut + rest.0.len(),
            whole.0.len(),
            "{name}, cut after {cut}: something was done twice or not at all"
        );
    }
}

#[test]
fn every_prefix_of_a_run_goes_on_to_the_same_end() {
    if python_missing("the fold of golden runs") {
        return;
    }
    let scenarios = [
        ("addition_3", 7),
        ("branch_true", 1),
        ("computed_base_below", 1),
        ("digits_by_append", 3),
        ("failing_script", 1),
        ("gate_over_gate", 1),
        ("list_source_race", 1),
        ("loop_branch", 2),
        ("loop_hole", 1),
        ("loop_invariant", 1),
        ("mask_filter", 1),
        ("nested_table", 2),
        ("running_total_lag_2", 1),
        ("skip_reaches_reader", 1),
    ];
    for (name, stride) in scenarios {
        check_every_prefix(name, stride);
    }
}

#[test]
fn an_event_of_a_step_that_is_not_open_is_refused() {
    if python_missing("a golden run") {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let scenario: Json =
        serde_json::from_str(&std::fs::read_to_string(folder.join("diamond.json")).unwrap()).unwrap();
    let stage = Stage::new(&folder, &scenario, &scenario["plans"]["main"]).unwrap();
    let mut whole = Recorder::default();
    stage.run(stage.fresh(), &mut whole);
    let mut state = stage.fresh();
    let (first, last) = (&whole.0[0], whole.0.last().unwrap());
    assert!(state.apply(last).is_err(), "the last step is not open at the start");
    state.apply(first).unwrap();
    assert!(state.apply(first).is_err(), "a finished step is not open");
}
