//! What to do with an item that can start: settle it at once (gates, skips), or hand out its work with the inputs
//! captured (runtime spec, sections 7.1 E3, 9 and 10). Changes nothing.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::repo::{Assigning, Concept, ConceptId, Method, Semantic, Work};
use crate::tensor::Tensor;
use crate::tensor::mask::{Decision, Detail, Filter, Gate, gate};

use super::event::{Happening, SkipCause, StepFailure};
use super::graph::{ItemId, Role, SlotRef};
use super::means::Means;
use super::sequence::{Captured, NamedValue, SemanticTask, Site, SyntacticTask};
use super::state::{Content, FrameId, Ready, State, Status};

/// The next move for a ready item.
#[derive(Debug)]
pub enum Action {
    /// It settles without any work; the round it settles in.
    Settle(Happening, u32),
    /// Tensor work.
    Syntactic(SyntacticTask),
    /// Cells with effects.
    Semantic(Box<SemanticTask>),
}

/// Decides what a ready item does.
pub fn decide(state: &State, ready: Ready, means: &dyn Means) -> Action {
    match attempt(state, ready, means) {
        Ok(action) => action,
        Err(failure) => Action::Settle(Happening::Failed(Arc::new(failure)), ready.round),
    }
}

fn attempt(state: &State, ready: Ready, means: &dyn Means) -> Result<Action, StepFailure> {
    let Ready { frame, item, round } = ready;
    let graph = state.graph();
    // A skip has the round of what it waited for.
    let skip = |cause| Ok(Action::Settle(Happening::Skipped(cause), round.saturating_sub(1)));
    if let Some(gate) = state.closed_gate(frame, item) {
        return skip(SkipCause::Gate(gate));
    }
    let info = graph.item(item);
    if let Role::Gate(_) = info.role {
        return Ok(Action::Settle(
            Happening::Gate { open: matches!(ask_gate(state, frame, item), Decision::Run(_)) },
            round,
        ));
    }
    if let Some(concept) = skipped_input(state, frame, item) {
        return skip(SkipCause::Input(concept));
    }
    if info.invariant
        && state.last_inputs.get(&item).is_some_and(|last| *last == state.present_inputs(frame, item))
    {
        return Ok(Action::Settle(Happening::Kept, round.saturating_sub(1)));
    }
    match &graph.inference(item).work {
        Work::Semantic(work) => semantic(state, ready, work, means),
        _ => syntactic(state, ready),
    }
}

fn semantic(
    state: &State,
    ready: Ready,
    work: &Arc<Semantic>,
    means: &dyn Means,
) -> Result<Action, StepFailure> {
    let graph = state.graph();
    let (info, inference) = (graph.item(ready.item), graph.inference(ready.item));
    let captured = Capture::new(state, ready.frame, ready.item);
    let values = captured.ordered(&work.order)?;
    let named: SmallVec<[_; 4]> = values
        .iter()
        .map(|(concept, value)| NamedValue { name: graph.concept_name(*concept), value })
        .collect();
    let concept = |id: ConceptId| &graph.model.concepts[id.0 as usize];
    let made = info.function.map(|slot| captured.read(slot)).transpose()?.flatten();
    // A function that nothing computes is what its entry says; nothing keeps it among the values of a run. Only
    // paradigms read it: old sequences go by its name.
    let composed = matches!(work.method, Method::Composition { .. });
    let said = || start_data(concept(inference.function.filter(|_| composed)?)).map(Cow::Owned);
    let cells = made.or_else(said);
    let site = Site {
        target: concept(inference.target),
        function: inference.function.map(concept),
        cells: cells.as_deref(),
        step: &|| graph.step_name(&state.step(ready)),
    };
    Ok(Action::Semantic(Box::new(SemanticTask::prepare(work, &site, &named, means)?)))
}

fn syntactic(state: &State, Ready { frame, item, .. }: Ready) -> Result<Action, StepFailure> {
    let (info, inference) = (state.graph().item(item), state.graph().inference(item));
    let captured = Capture::new(state, frame, item);
    let read = |concepts: &[ConceptId], slots: &[SlotRef], wanted: &dyn Fn(ConceptId) -> bool| {
        let places = concepts.iter().zip(slots).filter(|(concept, _)| wanted(**concept));
        places
            .map(|(concept, slot)| Ok((*concept, captured.read(*slot)?.map(Cow::into_owned))))
            .collect::<Result<Captured, StepFailure>>()
    };
    let values = |wanted: &dyn Fn(ConceptId) -> bool| read(&inference.values, &info.values, wanted);
    let (values, in_place) = match &inference.work {
        // An append to the target's own value leaves it where it is, so that it need not be copied.
        Work::Assigning(Assigning::Continuation { source, destination, .. }) => {
            let destination = slot_of(state, item, *destination);
            let in_place = destination == Some(info.target);
            let wanted =
                |c: ConceptId| Some(c) == *source || (!in_place && slot_of(state, item, c) == destination);
            (values(&wanted)?, in_place)
        }
        Work::Assigning(Assigning::Specification { sources, destination, .. }) => {
            (values(&|c| sources.contains(&c) || Some(c) == *destination)?, false)
        }
        _ => (values(&|_| true)?, false),
    };
    let contexts = match &inference.work {
        Work::Grouping(_) => read(&inference.contexts, &info.contexts, &|_| true)?,
        _ => Captured::new(),
    };
    Ok(Action::Syntactic(SyntacticTask { values, contexts, in_place }))
}

fn slot_of(state: &State, item: ItemId, concept: ConceptId) -> Option<SlotRef> {
    let graph = state.graph();
    let at = graph.inference(item).values.iter().position(|v| *v == concept)?;
    graph.item(item).values.get(at).copied()
}

/// What the entry of a concept says it is, where it is not computed.
fn start_data(concept: &Concept) -> Option<Tensor> {
    Tensor::from_start_data(concept.data.as_ref()?, concept.axes.as_deref()).ok()
}

/// The gate table (tensor spec, section 9; runtime spec, section 9.1), for a gate whose condition is settled. A
/// condition that no frame keeps holds.
fn ask_gate(state: &State, frame: FrameId, item: ItemId) -> Decision {
    let graph = state.graph();
    let Work::Timing(timing) = &graph.inference(item).work else { return Decision::Run(None) };
    let slot = graph.resolve(graph.item(item).scope, graph.canonical(timing.condition));
    let Some(condition) = slot.and_then(|slot| state.slot(frame, slot)) else { return Decision::Run(None) };
    let detail = match (&condition.content, condition.met) {
        (Content::Skipped, _) => Detail::Skipped,
        (_, Some(false)) => Detail::ConditionNotMet,
        _ => Detail::Success,
    };
    let mask = condition.mask.as_deref();
    gate(Gate { marker: timing.marker, complete: true, detail: Some(detail), mask })
}

/// The input whose skip makes an item be skipped too, by kind (runtime spec, section 9.4).
fn skipped_input(state: &State, frame: FrameId, item: ItemId) -> Option<ConceptId> {
    let graph = state.graph();
    let inference = graph.inference(item);
    let info = graph.item(item);
    let skipped =
        |slot: SlotRef| matches!(state.slot(frame, slot).map(|s| &s.content), Some(Content::Skipped));
    let values = || inference.values.iter().copied().zip(info.values.iter().copied());
    match &inference.work {
        Work::Assigning(
            Assigning::Continuation { .. } | Assigning::Identity { .. } | Assigning::Abstraction { .. },
        ) => None,
        Work::Assigning(Assigning::Specification { sources, .. }) => {
            let listed = || values().filter(|(c, _)| sources.contains(c));
            let none_came =
                listed().all(|(_, slot)| state.slot(frame, slot).is_none_or(|s| s.content.value().is_none()));
            none_came.then(|| listed().find(|(_, slot)| skipped(*slot)).map(|(c, _)| c)).flatten()
        }
        Work::Grouping(_) => {
            let all = !inference.values.is_empty() && values().all(|(_, slot)| skipped(slot));
            all.then(|| inference.values.first().copied()).flatten()
        }
        Work::Looping(looping) => {
            let slot = graph.resolve(info.scope, graph.canonical(looping.base))?;
            state.slot(frame, slot).is_none_or(|s| s.content.value().is_none()).then_some(looping.base)
        }
        _ => values().find(|(_, slot)| skipped(*slot)).map(|(c, _)| c),
    }
}

/// Values in the order a step wants them.
type Ordered<'a> = SmallVec<[(ConceptId, Cow<'a, Tensor>); 4]>;

/// Reads inputs through the filters of the gates that let the item run (runtime spec, section 10).
pub(super) struct Capture<'a> {
    state: &'a State,
    frame: FrameId,
    item: ItemId,
    filters: Vec<Filter>,
}

impl<'a> Capture<'a> {
    pub(super) fn new(state: &'a State, frame: FrameId, item: ItemId) -> Self {
        let gates = state.graph().item(item).gates.iter();
        let open = gates.filter(|gate| state.status(frame, **gate) == Status::Open);
        let filters = open
            .filter_map(|gate| match ask_gate(state, frame, *gate) {
                Decision::Run(filter) => filter.map(|f| *f),
                Decision::Wait | Decision::Skip => None,
            })
            .collect();
        Self { state, frame, item, filters }
    }

    /// A value through the filters; none when there is none.
    pub(super) fn read(&self, slot: SlotRef) -> Result<Option<Cow<'a, Tensor>>, StepFailure> {
        let Some(value) = self.state.slot(self.frame, slot).and_then(|s| s.content.value()) else {
            return Ok(None);
        };
        let mut value = Cow::Borrowed(value);
        for filter in &self.filters {
            let kept = filter
                .apply(&value)
                .map_err(|e| StepFailure::new(e.kind(), format!("the filter does not fit: {e}")))?;
            value = Cow::Owned(kept);
        }
        Ok(Some(value))
    }

    /// The values that are passed, in the order the step wants them.
    fn ordered(&self, order: &[ConceptId]) -> Result<Ordered<'a>, StepFailure> {
        let graph = self.state.graph();
        let mut found = SmallVec::with_capacity(order.len());
        for concept in order {
            let Some(slot) = slot_of(self.state, self.item, *concept) else { continue };
            match self.read(slot)? {
                Some(value) => found.push((*concept, value)),
                None => {
                    let name = graph.concept_name(*concept);
                    let message = format!("`{name}` has no value, although its step is done");
                    return Err(StepFailure::new("missing_input", message));
                }
            }
        }
        Ok(found)
    }
}
