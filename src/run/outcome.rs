//! How a run ended: status, final values, counts, and what is stuck.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use crate::repo::ConceptId;
use crate::tensor::Tensor;

use super::event::{StepFailure, StepKey};
use super::graph::Graph;
use super::state::{Content, State};
use super::stuck::{Blocker, Deadlock, explain};
use super::watch::Spent;

/// The four ends of a run (runtime spec, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Every item is done or skipped.
    Completed,
    /// Nothing can move, something is not done.
    Stuck,
    /// Some item failed.
    Failed,
    /// Stopped before it could end.
    Interrupted,
}

/// What stopped a run before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The cycle limit.
    Limit,
    /// A signal, by its number.
    Signal(i32),
    /// Nothing could move before a person answers, and nobody was there.
    Questions,
    /// The next call of a model would have passed the budget; how much that was.
    Budget(Arc<StepFailure>),
}

impl Status {
    /// The word in `--json` and to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Stuck => "stuck",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One final concept.
#[derive(Debug, Clone)]
pub struct FinalValue {
    /// The concept.
    pub concept: ConceptId,
    /// Its name.
    pub name: Arc<str>,
    /// Its value; none when it was never made or was skipped.
    pub value: Option<Tensor>,
    /// It was skipped.
    pub skipped: bool,
}

/// Time spent in the calls of an item, over all its steps.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepTime {
    /// How many calls were made.
    pub calls: u64,
    /// Their time, summed.
    pub time: Duration,
    /// What models cost.
    pub spent: Spent,
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// What stopped it before its end, if anything did.
    pub stop: Option<Stop>,
    /// The final concepts, in the order of the plan.
    pub finals: Vec<FinalValue>,
    /// The last state, for whoever wants to look closer.
    pub state: State,
    /// What is stuck and why; empty when the run is complete.
    pub deadlock: Deadlock,
    /// What failed.
    pub failures: Vec<(StepKey, Arc<StepFailure>)>,
    /// Time in calls, by item.
    pub times: Vec<StepTime>,
    /// Wall time of the run.
    pub elapsed: Duration,
    /// What models cost, over all processes of the run.
    pub spent: Spent,
    /// What was odd about what steps were given, though it failed nothing.
    pub warnings: Vec<(StepKey, String)>,
}

impl Outcome {
    /// Sums up a state after which nothing moved any more. `stop` says what held ready work back.
    pub fn of(state: State, stop: Option<Stop>, times: Vec<StepTime>, elapsed: Duration) -> Self {
        let deadlock = if state.is_complete() { Deadlock::default() } else { explain(&state) };
        let status = if matches!(stop, Some(Stop::Signal(_))) && !state.is_settled() {
            Status::Interrupted
        } else if !state.failures().is_empty() {
            Status::Failed
        } else if state.is_complete() {
            Status::Completed
        } else if stop.is_some() {
            Status::Interrupted
        } else {
            Status::Stuck
        };
        let finals = Self::finals(&state);
        let failures = state.failures().to_vec();
        let (spent, warnings) = (Spent::default(), Vec::new());
        Self { status, stop, finals, state, deadlock, failures, times, elapsed, spent, warnings }
    }

    fn finals(state: &State) -> Vec<FinalValue> {
        let graph = state.graph();
        let concepts = graph.model.concepts.iter().enumerate().filter(|(_, c)| c.is_final);
        concepts
            .map(|(i, c)| {
                let concept = ConceptId(i as u32);
                let content = state.root_value(concept);
                FinalValue {
                    concept,
                    name: Arc::clone(&c.name),
                    value: content.value().cloned(),
                    skipped: matches!(content, Content::Skipped),
                }
            })
            .collect()
    }

    /// The plan's graph.
    pub fn graph(&self) -> &Arc<Graph> {
        self.state.graph()
    }

    /// The object `normc exec --json` prints (design, section 5).
    pub fn to_json(&self, run_id: &str) -> Json {
        let graph = self.graph();
        let finals: Map<String, Json> = self
            .finals
            .iter()
            .map(|f| (f.name.to_string(), f.value.as_ref().map_or(Json::Null, tensor_json)))
            .collect();
        let mut steps = Map::new();
        let mut skipped = Vec::new();
        for (inference, tally) in graph.model.inferences.iter().zip(self.state.tally()) {
            if tally.completed > 0 {
                steps.insert(inference.flow.to_string(), json!(tally.completed));
            }
            if tally.skipped > 0 {
                skipped.push(inference.flow.to_string());
            }
        }
        let stuck: Vec<Json> = self
            .deadlock
            .stuck
            .iter()
            .map(|s| {
                let waits: Vec<String> = s.blockers.iter().map(|b| waits_for(graph, *b)).collect();
                json!({"flow_index": graph.inference(s.item).flow.to_string(), "waits_for": waits})
            })
            .collect();
        let mut object = json!({
            "run_id": run_id,
            "status": self.status.word(),
            "cycles": self.state.highest_round(),
            "finals": finals,
            "steps": steps,
            "skipped": skipped,
            "stuck": stuck,
        });
        if !self.spent.is_nothing() {
            object["models"] = spent_json(&self.spent);
            let of_steps = graph.model.inferences.iter().zip(&self.times);
            let spent = of_steps.filter(|(_, t)| !t.spent.is_nothing());
            object["models"]["by_step"] = Json::Object(
                spent.map(|(inference, t)| (inference.flow.to_string(), spent_json(&t.spent))).collect(),
            );
        }
        if !self.failures.is_empty() {
            object["failed"] =
                self.failures.iter().map(|(step, failure)| failure_json(graph, step, failure)).collect();
        }
        if !self.warnings.is_empty() {
            let said = |(step, text): &(StepKey, String)| {
                let target = graph.inference(step.item).target;
                json!({"step": graph.step_name(step), "concept": &**graph.concept_name(target), "message": text})
            };
            object["warnings"] = self.warnings.iter().map(said).collect();
        }
        object
    }
}

/// A value with its axes, as `normc exec --json` prints it.
pub fn tensor_json(tensor: &Tensor) -> Json {
    let axes: Vec<&str> = tensor.axes().iter().map(|a| a.as_str()).collect();
    json!({"axes": axes, "shape": tensor.shape(), "data": tensor.to_nested().to_json()})
}

/// What models cost, as `normc exec --json` prints it; money in millionths.
pub fn spent_json(spent: &Spent) -> Json {
    json!({
        "calls": spent.calls,
        "tries": spent.tries,
        "prompt_tokens": spent.prompt_tokens,
        "completion_tokens": spent.completion_tokens,
        "estimated": spent.estimated,
        "cost_micros": spent.micros,
    })
}

/// What an item waits for, in a few words: an item is named by its flow index and its concept.
pub fn waits_for(graph: &Graph, blocker: Blocker) -> String {
    match blocker {
        Blocker::Nothing(concept) => graph.concept_name(concept).to_string(),
        Blocker::Item(item, _) | Blocker::Loop(item) | Blocker::Body(item) | Blocker::Candidate(item, _) => {
            format!("{} {}", graph.inference(item).flow, graph.item_name(item))
        }
    }
}

fn failure_json(graph: &Graph, step: &StepKey, failure: &StepFailure) -> Json {
    let inference = graph.inference(step.item);
    let cell: Map<String, Json> = failure.cell.iter().map(|(axis, at)| (axis.clone(), json!(at))).collect();
    json!({
        "flow_index": inference.flow.to_string(),
        "step": graph.step_name(step),
        "concept": graph.concept_name(inference.target).to_string(),
        "kind": failure.kind,
        "message": failure.message,
        "help": failure.help,
        "cell": cell,
        "script": failure.script.as_ref().map(|s| json!({"path": s.path, "line": s.line})),
        "detail": failure.detail,
    })
}
