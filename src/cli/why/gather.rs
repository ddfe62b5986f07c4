//! The state just before a step, put together again, and what it tells about the step.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::base::{Digest, LoopPath};
use crate::engine::{Past, Plan, RunError, Tools};
use crate::repo::{ConceptId, Place, ReadBack};
use crate::run::decide::{Action, decide};
use crate::run::effect::{Effect, ScriptCode, ScriptRun};
use crate::run::graph::{Role, Why};
use crate::run::provenance::{History, Origin, Part, Seen, seen};
use crate::run::record::{Kind, Setting, peek};
use crate::run::replay::Replay;
use crate::run::sequence::Cell;
use crate::run::state::{FrameId, Ready, Slot, Status};
use crate::run::stuck::{StuckItem, explain};
use crate::run::{Graph, ItemId, Means, NoFiles, State, StepKey};
use crate::tensor::Tensor;

use super::super::Exit;
use super::super::clock::WallClock;
use super::super::stores::report_error;
use super::find::{Found, Records};
use super::tree::{Node, Told, Trees, named, read_again};

/// Something a step waited for.
#[derive(Debug)]
pub(super) struct Waited {
    pub(super) step: StepKey,
    pub(super) why: Why,
    pub(super) status: Status,
    /// The record that settled it; none for loops, which have none.
    pub(super) seq: Option<u64>,
    pub(super) round: Option<u32>,
}

/// A gate above a step.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) step: StepKey,
    pub(super) status: Status,
    /// What it asked.
    pub(super) asked: Vec<Seen>,
}

/// What a step read, with where it came from.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) seen: Seen,
    pub(super) origin: Origin,
}

/// How a loop went.
#[derive(Debug, Default)]
pub(super) struct Loop {
    /// Iterations that gave a result.
    pub(super) iterations: usize,
    /// Its result, where it is known.
    pub(super) result: Option<Tensor>,
    pub(super) done: bool,
}

/// Everything that is told about a step.
pub(super) struct Explained {
    pub(super) run_id: String,
    pub(super) alive: bool,
    pub(super) graph: Arc<Graph>,
    pub(super) data: Vec<Option<Tensor>>,
    /// What the plan was run with when the step ran.
    pub(super) setting: Setting,
    pub(super) found: Found,
    /// File, line and text of the line.
    pub(super) source: Option<(String, u32, Option<String>)>,
    pub(super) waited: Vec<Waited>,
    pub(super) gates: Vec<Gate>,
    pub(super) inputs: Vec<Input>,
    pub(super) calls: Vec<Cell>,
    pub(super) the_loop: Option<Loop>,
    pub(super) tree: Vec<Node>,
    /// The events the tree names, by record.
    pub(super) told: BTreeMap<u64, Told>,
    /// What holds it up, when it did not run.
    pub(super) stuck: Option<StuckItem>,
    /// The loop around it that was skipped, or never came to its position.
    pub(super) absent: Option<String>,
    pub(super) depth: usize,
}

impl Explained {
    pub(super) fn records(&self) -> &Records {
        &self.found.records
    }

    /// The hash a script had when the step ran.
    pub(super) fn script_hash(&self, path: &str) -> Option<Digest> {
        self.setting.file(path)
    }

    /// Where start data came from.
    pub(super) fn is_given(&self, concept: ConceptId) -> bool {
        let name = self.graph.model.concepts.get(concept.0 as usize).map_or("", |c| &c.name);
        self.setting.inputs.contains_key(name)
    }
}

/// What is looked at while the journal is folded.
struct Look<'a> {
    step: Option<&'a StepKey>,
    history: History,
    /// For a loop: what it saw when its first iteration opened, and how it ended.
    begun: Option<Vec<Seen>>,
    frame: Option<FrameId>,
    result: Option<Tensor>,
    done: bool,
}

impl Look<'_> {
    /// Looks at a loop that begins or ends.
    fn the_loop(&mut self, state: &State) {
        let Some(step) = self.step else { return };
        if !matches!(state.graph().item(step.item).role, Role::Loop(_)) || self.done {
            return;
        }
        let Some(frame) = self.frame.or_else(|| state.locate(step)) else { return };
        match state.status(frame, step.item) {
            Status::Running if self.begun.is_none() && state.locate(step).is_some() => {
                self.begun = Some(seen(state, frame, step.item));
                self.frame = Some(frame);
            }
            Status::Done if state.locate(step) == Some(frame) => {
                self.done = true;
                let slot: Option<&Slot> = state.slot(frame, state.graph().item(step.item).target);
                self.result = slot.and_then(|s| s.content.value().cloned());
                if self.begun.is_none() {
                    self.begun = Some(seen(state, frame, step.item));
                }
            }
            _ => {}
        }
    }
}

/// Puts the state before a step together again, and everything that is told about it.
pub(super) fn gather(
    past: &Past,
    plan: Plan,
    read: &ReadBack,
    found: Found,
    depth: usize,
) -> Result<Explained, Exit> {
    gather_all(past, plan, read, found, depth).map_err(|error| report_error(&error))
}

fn gather_all(
    past: &Past,
    plan: Plan,
    read: &ReadBack,
    found: Found,
    depth: usize,
) -> Result<Explained, RunError> {
    let graph = Arc::clone(&plan.graph);
    let own = found.records.event.as_ref().map(|(seq, _)| *seq);
    let (state, look) = look_back(past, &plan, found.step.as_ref(), own)?;
    let Look { history, begun, result, done, .. } = look;
    let setting = setting_at(past, own)?;
    let mut explained = Explained {
        run_id: past.run.id().to_owned(),
        alive: past.run.holder().is_some(),
        source: source_of(&graph, read, found.step.as_ref()),
        graph: Arc::clone(&graph),
        data: plan.data,
        setting,
        waited: Vec::new(),
        gates: Vec::new(),
        inputs: Vec::new(),
        calls: Vec::new(),
        the_loop: None,
        tree: Vec::new(),
        told: BTreeMap::new(),
        stuck: None,
        absent: None,
        depth,
        found,
    };
    let Some(step) = explained.found.step.clone() else { return Ok(explained) };
    let frame = state.locate(&step);
    let mut read = begun;
    if let Some(frame) = frame {
        explained.waited = waited(&state, &history, &step);
        explained.gates = gates(&state, frame, &step);
        explained.calls = explained.found.records.event.as_ref().map_or_else(Vec::new, |(_, event)| {
            calls(&state, Ready { frame, item: step.item, round: event.round }, &plan.base)
        });
        read.get_or_insert_with(|| seen(&state, frame, step.item));
    }
    let inputs = read.into_iter().flatten();
    explained.inputs = inputs
        .map(|seen| Input { origin: history.origin(&graph, &step, seen.read.slot, seen.given), seen })
        .collect();
    if matches!(graph.item(step.item).role, Role::Loop(_)) && own.is_none() {
        let iterations = history.results(&graph, &step).len();
        explained.the_loop = Some(Loop { iterations, result, done });
    }
    explained.tree = tree(&graph, &history, &explained, &step, depth);
    let mut seqs = named(&explained.tree);
    seqs.extend(explained.waited.iter().filter_map(|w| w.seq));
    seqs.extend(own);
    seqs.sort_unstable();
    seqs.dedup();
    explained.told = read_again(past, &seqs)?;
    if own.is_none() && !done {
        explained.absent = absent(&state, &history, &step, frame.is_some());
        explained.stuck = explain(&state).stuck.into_iter().find(|s| s.item == step.item);
    }
    Ok(explained)
}

/// The state before a record, or at the end of the run; and what was seen on the way there.
fn look_back<'a>(
    past: &Past,
    plan: &Plan,
    step: Option<&'a StepKey>,
    own: Option<u64>,
) -> Result<(State, Look<'a>), RunError> {
    let validity = past.validity()?;
    let mut look =
        Look { step, history: History::default(), begun: None, frame: None, result: None, done: false };
    let fresh = State::new(Arc::clone(&plan.graph), plan.data.clone());
    let replay =
        past.fold(Replay::new(fresh, past.validity()?), own.unwrap_or(u64::MAX), &mut |replay, frame| {
            if !matches!(frame.kind, Kind::Result | Kind::Failed | Kind::Skipped) {
                return;
            }
            look.the_loop(&replay.state);
            let Some(about) = peek(frame.kind, frame.body) else { return };
            let Some(item) = validity.now(frame.seq, &about.step, about.round) else { return };
            let step = StepKey { item, path: about.step.path };
            if item.at() < plan.graph.items.len() {
                look.history.note(&replay.state, frame.seq, &step, about.round);
            }
        })?;
    look.the_loop(&replay.state);
    look.history.settle(&replay.state);
    Ok((replay.state, look))
}

/// The calls of a step with the prompts and scripts as they are now; what it was really told stands in the records of
/// its calls.
fn calls(state: &State, ready: Ready, base: &Path) -> Vec<Cell> {
    if state.status(ready.frame, ready.item) != Status::Ready {
        return Vec::new();
    }
    let tools = Tools::new(base, 1, Arc::new(WallClock)).ok();
    let own = tools.as_ref().map(|tools| tools.means(ready.item));
    let means: &dyn Means = own.as_ref().map_or(&NoFiles, |means| means);
    match decide(state, ready, means) {
        Action::Semantic(task) => {
            task.cells.into_iter().filter(|cell| cell.single_effect().is_some()).collect()
        }
        _ => Vec::new(),
    }
}

fn tree(graph: &Graph, history: &History, explained: &Explained, step: &StepKey, depth: usize) -> Vec<Node> {
    let mut trees = Trees::new(graph, history, &explained.data);
    trees.shown.insert(step.clone());
    if let Some(the_loop) = &explained.the_loop
        && (the_loop.iterations > 0 || the_loop.done)
    {
        let mut node = trees.node(graph.inference(step.item).target, None, &Origin::Start, 0);
        trees.iterations(&mut node, step, depth.saturating_sub(1));
        return node.inputs;
    }
    let mut nodes = Vec::new();
    for input in explained.inputs.iter().filter(|input| input.seen.read.part != Part::Waited) {
        let read = input.seen.read;
        if trees.is_worth(read.concept, &input.origin) {
            nodes.push(trees.node(read.concept, Some(read.part), &input.origin, depth.saturating_sub(1)));
        }
    }
    nodes
}

/// What the plan was run with when a record was written.
fn setting_at(past: &Past, seq: Option<u64>) -> Result<Setting, RunError> {
    let seq = seq.unwrap_or(u64::MAX);
    let resumed = past.survey.resumed.iter().rev().find(|(from, _)| *from < seq).map(|(_, epoch)| epoch);
    match resumed {
        Some(epoch) => past.setting(epoch),
        None => past.setting(&past.info()?.epoch),
    }
}

fn source_of(
    graph: &Graph,
    read: &ReadBack,
    step: Option<&StepKey>,
) -> Option<(String, u32, Option<String>)> {
    let repositories = read.repositories.as_ref()?;
    let spans = repositories.spans.inferences.get(&graph.inference(step?.item).flow.to_string())?;
    let Place([file, line, ..]) = spans.target.or(spans.function)?;
    let file = repositories.source.as_ref()?.files.iter().find(|f| f.id == file)?;
    let text = file.text.as_ref().and_then(|text| text.lines().nth((line as usize).checked_sub(1)?));
    Some((file.path.clone(), line, text.map(|text| text.trim().to_owned())))
}

fn waited(state: &State, history: &History, step: &StepKey) -> Vec<Waited> {
    let graph = state.graph();
    let info = graph.item(step.item);
    let listed = info.waits.iter().map(|w| (w.up, w.item, w.why));
    let candidates = info.candidates.iter();
    let candidates =
        candidates.flat_map(|c| c.producers.iter().map(|(up, item)| (*up, *item, Why::Concept(c.concept))));
    let mut found: Vec<Waited> = Vec::new();
    for (up, item, why) in listed.chain(candidates) {
        let mut path = step.path.clone();
        path.0.truncate(path.0.len().saturating_sub(usize::from(up)));
        let other = StepKey { item, path };
        if found.iter().any(|w| w.step == other) {
            continue;
        }
        let at = state.locate(&other);
        let status = at.map_or(Status::Waiting, |at| state.status(at, item));
        let event = history.last_of(&other).and_then(|number| history.event(number));
        let (seq, round) = (event.map(|e| e.seq), event.map(|e| e.round));
        found.push(Waited { step: other, why, status, seq, round });
    }
    found
}

fn gates(state: &State, frame: FrameId, step: &StepKey) -> Vec<Gate> {
    let gates = state.graph().item(step.item).gates.iter();
    gates
        .map(|gate| Gate {
            step: StepKey { item: *gate, path: step.path.clone() },
            status: state.status(frame, *gate),
            asked: seen(state, frame, *gate),
        })
        .collect()
}

/// Why a step has no place in the state: the loop around it was skipped, has not begun, or has no such position.
fn absent(state: &State, history: &History, step: &StepKey, located: bool) -> Option<String> {
    if located {
        return None;
    }
    let graph = state.graph();
    let mut around: Vec<ItemId> = Vec::new();
    let mut scope = graph.item(step.item).scope;
    while let (Some(of), Some(parent)) = (graph.scope(scope).of, graph.scope(scope).parent) {
        around.push(of);
        scope = parent;
    }
    around.reverse();
    let name = |step: &StepKey| crate::report::step_text(graph, step);
    if !step.path.0.is_empty() && around.len() != step.path.0.len() {
        let loops = around.len();
        return Some(match loops {
            0 => "it stands in no loop, so it has no positions".to_owned(),
            n => format!("it stands in {n} loops, so a position has {n} numbers"),
        });
    }
    for (depth, of) in around.iter().enumerate() {
        let path = LoopPath(step.path.0.iter().take(depth).copied().collect());
        let outer = StepKey { item: *of, path };
        if let Some(number) = history.last_of(&outer) {
            let record = history.event(number).map_or(0, |e| e.seq);
            return Some(format!("its loop {} was skipped (record {record})", name(&outer)));
        }
        let results = history.results(graph, &outer);
        if let Some(position) = step.path.0.get(depth)
            && !results.iter().any(|(at, _)| at == position)
            && state.locate(&outer).is_some_and(|at| state.status(at, *of).is_settled())
        {
            let iterations = results.len();
            return Some(format!("its loop {} had {iterations} iterations", name(&outer)));
        }
        if let Some(position) = step.path.0.get(depth)
            && !results.iter().any(|(at, _)| at == position)
        {
            return Some(format!("its loop {} has not come to position {position}", name(&outer)));
        }
        if step.path.0.is_empty() {
            return Some(format!("its loop {} never came to an iteration in which it ran", name(&outer)));
        }
    }
    Some("its iteration is not open".to_owned())
}

/// What is called, in words, with the hash of a script.
pub(super) fn called(explained: &Explained, cell: &Cell) -> String {
    match cell.single_effect() {
        Some(Effect::Builtin { name, .. }) => format!("built-in {name}"),
        Some(Effect::Script(ScriptRun { code: ScriptCode::File(path), .. })) => {
            match explained.script_hash(path) {
                Some(hash) => format!("script {path} (hash {})", hash.short()),
                None => format!("script {path}, which was not there when the run began"),
            }
        }
        Some(other) => other.described().0.to_owned(),
        None => "a paradigm".to_owned(),
    }
}

/// The inputs of a cell that makes one call.
pub(super) fn inputs_of(cell: &Cell) -> &[(std::sync::Arc<str>, crate::base::Value)] {
    match cell.single_effect() {
        Some(Effect::Builtin { inputs, .. } | Effect::Script(ScriptRun { inputs, .. })) => inputs,
        _ => &[],
    }
}
