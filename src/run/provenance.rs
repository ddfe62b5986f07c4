//! Who gave what: which values a step reads, what it saw, and which event each value came from, through loops, carried
//! values and appends. Pure; built while a journal is folded.
//!
//! The state stamps every value with the number of the event that gave it ([`super::state::Slot::given`]), and the stamp
//! goes wherever the value goes. [`History`] notes for every event what its step read; together they make the chain of
//! producers.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::base::LoopPath;
use crate::repo::{Assigning, ConceptId, Work};
use crate::tensor::Tensor;

use super::decide::Capture;
use super::event::StepKey;
use super::graph::{Graph, ItemId, Role, ScopeId, SlotRef};
use super::state::{Content, FrameId, State};

/// What a value is to the step that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A value that is passed to it.
    Value,
    /// A value that it waits for, and does not see.
    Waited,
    /// A context of a grouping.
    Context,
    /// The concept of its function, where a step makes that.
    Function,
    /// The condition of a gate.
    Condition,
    /// What a loop walks.
    Base,
    /// What a loop hands to its first iteration.
    Initial,
    /// What an append adds to.
    Destination,
}

impl Part {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Waited => "waited for",
            Self::Context => "context",
            Self::Function => "function",
            Self::Condition => "condition",
            Self::Base => "base",
            Self::Initial => "initial",
            Self::Destination => "destination",
        }
    }
}

/// One concept a step reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The concept.
    pub concept: ConceptId,
    /// Where its value is kept, seen from the step's frame.
    pub slot: SlotRef,
    /// What it is to the step.
    pub part: Part,
}

/// What an item reads, in the order of its inference.
pub fn reads(graph: &Graph, item: ItemId) -> Vec<Read> {
    let (info, inference) = (graph.item(item), graph.inference(item));
    let mut reads = Vec::new();
    let resolve = |concept: ConceptId, part: Part| {
        let slot = graph.resolve(info.scope, graph.canonical(concept))?;
        Some(Read { concept, slot, part })
    };
    match (&inference.work, info.role) {
        (Work::Timing(timing), _) => {
            reads.extend(resolve(timing.condition, Part::Condition));
            return reads;
        }
        (Work::Looping(looping), Role::Loop(body)) => {
            reads.extend(resolve(looping.base, Part::Base));
            let carried = graph.scope(body).machine.iter().flat_map(|m| &m.carried);
            reads.extend(carried.map(|c| Read { concept: c.concept, slot: c.outside, part: Part::Initial }));
            return reads;
        }
        _ => {}
    }
    for (concept, slot) in inference.values.iter().zip(&info.values) {
        reads.push(Read { concept: *concept, slot: *slot, part: part_of(&inference.work, *concept) });
    }
    if let Work::Assigning(Assigning::Continuation { destination, .. }) = &inference.work
        && !inference.values.contains(destination)
    {
        reads.extend(resolve(*destination, Part::Destination));
    }
    if let Work::Grouping(_) = inference.work {
        let contexts = inference.contexts.iter().zip(&info.contexts);
        reads.extend(contexts.map(|(concept, slot)| Read {
            concept: *concept,
            slot: *slot,
            part: Part::Context,
        }));
    }
    if let (Some(concept), Some(slot)) = (inference.function, info.function) {
        reads.push(Read { concept, slot, part: Part::Function });
    }
    reads
}

fn part_of(work: &Work, concept: ConceptId) -> Part {
    let passed = match work {
        Work::Semantic(semantic) => semantic.order.contains(&concept),
        Work::Assigning(Assigning::Continuation { source, destination, .. }) => {
            if concept == *destination {
                return Part::Destination;
            }
            *source == Some(concept)
        }
        Work::Assigning(Assigning::Specification { sources, destination, .. }) => {
            sources.contains(&concept) || *destination == Some(concept)
        }
        Work::Assigning(Assigning::Selection { source, .. }) => *source == concept,
        Work::Assigning(Assigning::Abstraction { .. } | Assigning::Identity { .. }) => false,
        _ => true,
    };
    if passed { Part::Value } else { Part::Waited }
}

/// What a step reads, as it is at a moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What.
    pub read: Read,
    /// The value as the step gets it; none where there is none.
    pub value: Option<Tensor>,
    /// There is none because its step was skipped.
    pub skipped: bool,
    /// The verdict of the judgement that gave it.
    pub met: Option<bool>,
    /// A gate's filter took elements out of it.
    pub filtered: bool,
    /// The event that gave it (see [`super::state::Slot::given`]).
    pub given: u64,
    /// Why it cannot be read, where it cannot.
    pub problem: Option<String>,
}

/// What an item reads in a frame, through the filters of the gates that let it run: what it sees when it starts.
pub fn seen(state: &State, frame: FrameId, item: ItemId) -> Vec<Seen> {
    let graph = state.graph();
    let capture = Capture::new(state, frame, item);
    let plain = !matches!(graph.item(item).role, Role::Step);
    reads(graph, item)
        .into_iter()
        .map(|read| {
            let slot = state.slot(frame, read.slot);
            let raw = slot.and_then(|s| s.content.value());
            let captured = if plain { Ok(None) } else { capture.read(read.slot) };
            let (filtered, problem) = match captured {
                Ok(value) => (value.map(std::borrow::Cow::into_owned), None),
                Err(failure) => (None, Some(failure.message)),
            };
            Seen {
                read,
                filtered: filtered.is_some() && filtered.as_ref() != raw,
                value: filtered.or_else(|| raw.cloned()),
                skipped: slot.is_some_and(|s| matches!(s.content, Content::Skipped)),
                met: slot.and_then(|s| s.met),
                given: slot.map_or(0, |s| s.given),
                problem,
            }
        })
        .collect()
}

/// An event that was folded.
#[derive(Debug, Clone)]
pub struct Noted {
    /// The number of its frame in the journal.
    pub seq: u64,
    /// The step, as it is numbered now.
    pub step: StepKey,
    /// Its round.
    pub round: u32,
    stamps: (u32, u32),
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was there before the first step.
    Start,
    /// The event of this number gave it.
    Event(u64),
    /// It is the result of a loop.
    Loop(StepKey),
    /// It is the element of a loop's base at a position from 1; the base, and where that came from.
    Element(u32, ConceptId, Box<Origin>),
}

/// What one append did.
#[derive(Debug, Clone, Copy)]
struct Growth {
    /// The event that had given the value before it.
    before: u64,
    /// How many positions the value had before and after it.
    from: usize,
    to: usize,
}

/// An append of which only the beginning is known yet.
#[derive(Debug)]
struct Growing {
    event: u64,
    before: u64,
    shape: Option<SmallVec<[usize; 4]>>,
    frame: FrameId,
    slot: SlotRef,
}

/// The events of a run with what each of them rests on. Hand every event to [`History::note`] before it is applied.
#[derive(Debug, Default)]
pub struct History {
    events: Vec<Noted>,
    /// For each event, the stamps of what its item reads.
    stamps: Vec<u64>,
    reads: Vec<Option<Box<[Read]>>>,
    growths: FxHashMap<u64, Growth>,
    growing: Option<Growing>,
    /// Who had given a loop's base when its first event came.
    begun: FxHashMap<StepKey, u64>,
}

impl History {
    /// Notes an event that is about to be applied. One that was not applied after all is forgotten at the next call.
    pub fn note(&mut self, state: &State, seq: u64, step: &StepKey, round: u32) {
        self.settle(state);
        let Some(frame) = state.locate(step) else { return };
        let graph = state.graph();
        if self.reads.is_empty() {
            self.reads.resize_with(graph.items.len(), || None);
        }
        let Some(place) = self.reads.get_mut(step.item.at()) else { return };
        let reads = place.get_or_insert_with(|| reads(graph, step.item).into_boxed_slice());
        let start = self.stamps.len();
        self.stamps.extend(reads.iter().map(|r| state.slot(frame, r.slot).map_or(0, |s| s.given)));
        let stamps = (start as u32, self.stamps.len() as u32);
        self.events.push(Noted { seq, step: step.clone(), round, stamps });
        self.note_loops(state, frame, step);
        let inference = graph.inference(step.item);
        if matches!(inference.work, Work::Assigning(Assigning::Continuation { .. })) {
            let target = graph.item(step.item).target;
            let Some(at) = state.outward(frame, target.up) else { return };
            let slot = SlotRef { up: 0, slot: target.slot };
            let now = state.slot(at, slot);
            self.growing = Some(Growing {
                event: self.events.len() as u64,
                before: now.map_or(0, |s| s.given),
                shape: now.and_then(|s| s.content.value()).map(|t| SmallVec::from_slice(t.shape())),
                frame: at,
                slot,
            });
        }
    }

    /// To be called once all events were applied.
    pub fn settle(&mut self, state: &State) {
        while self.events.len() as u64 > state.events() {
            let dropped = self.events.pop();
            self.stamps.truncate(dropped.map_or(0, |d| d.stamps.0 as usize));
            self.growing = None;
        }
        let Some(growing) = self.growing.take() else { return };
        let Some(slot) = state.slot(growing.frame, growing.slot) else { return };
        let Some(value) = slot.content.value().filter(|_| slot.given == growing.event) else { return };
        let sizes = |old: &[usize]| {
            value.shape().iter().zip(old).find(|(now, was)| now != was).map(|(n, o)| (*o, *n))
        };
        let (from, to) = match &growing.shape {
            Some(old) if old.len() == value.rank() => sizes(old).unwrap_or((0, 0)),
            _ => (0, value.shape().first().copied().unwrap_or(0)),
        };
        self.growths.insert(growing.event, Growth { before: growing.before, from, to });
    }

    fn note_loops(&mut self, state: &State, frame: FrameId, step: &StepKey) {
        let graph = state.graph();
        let (mut at, mut scope, mut path) = (frame, graph.item(step.item).scope, step.path.clone());
        while path.0.pop().is_some() {
            let (Some(of), Some(parent)) = (graph.scope(scope).of, graph.scope(scope).parent) else { return };
            let key = StepKey { item: of, path: path.clone() };
            if self.begun.contains_key(&key) {
                return;
            }
            let Some(outside) = state.outward(at, 1) else { return };
            let base = graph.scope(scope).machine.as_ref().and_then(|m| state.slot(outside, m.base));
            self.begun.insert(key, base.map_or(0, |s| s.given));
            (at, scope) = (outside, parent);
        }
    }

    /// The event of a number, from 1.
    pub fn event(&self, number: u64) -> Option<&Noted> {
        self.events.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// The number of the last event of a step.
    pub fn last_of(&self, step: &StepKey) -> Option<u64> {
        self.events.iter().rposition(|e| e.step == *step).map(|at| at as u64 + 1)
    }

    /// What the step of an event read, each with where that came from.
    pub fn inputs(&self, graph: &Graph, number: u64) -> Vec<(Read, Origin)> {
        let Some(event) = self.event(number) else { return Vec::new() };
        let stamps = self.stamps.get(event.stamps.0 as usize..event.stamps.1 as usize).unwrap_or_default();
        let reads = self.reads.get(event.step.item.at()).and_then(Option::as_deref).unwrap_or_default();
        reads
            .iter()
            .zip(stamps)
            .map(|(read, given)| (*read, self.origin(graph, &event.step, read.slot, *given)))
            .collect()
    }

    /// Where a value came from that a step reads from a slot with a stamp.
    pub fn origin(&self, graph: &Graph, step: &StepKey, slot: SlotRef, given: u64) -> Origin {
        self.origin_in(graph, graph.item(step.item).scope, step.path.clone(), slot, given)
    }

    fn origin_in(
        &self,
        graph: &Graph,
        mut scope: ScopeId,
        mut path: LoopPath,
        slot: SlotRef,
        mut given: u64,
    ) -> Origin {
        for _ in 0..slot.up {
            let Some(parent) = graph.scope(scope).parent else { return Origin::Start };
            scope = parent;
            path.0.pop();
        }
        let here = graph.scope(scope);
        if let (Some(machine), Some(parent), Some(position)) =
            (&here.machine, here.parent, path.0.last().copied())
            && machine.element_in == Some(slot.slot)
        {
            // Which of the appends put it there; else it was there before all of them.
            while let Some(growth) = self.growths.get(&given)
                && self.event(given).is_some_and(|e| gives(graph, e.step.item, machine.base_concept))
            {
                if growth.from < position as usize && position as usize <= growth.to {
                    break;
                }
                given = growth.before;
            }
            path.0.pop();
            let base = self.origin_in(graph, parent, path, machine.base, given);
            return Origin::Element(position, machine.base_concept, Box::new(base));
        }
        let Some(event) = self.event(given) else { return Origin::Start };
        let Some(concept) = here.slots.get(slot.slot as usize).copied() else { return Origin::Start };
        if gives(graph, event.step.item, concept) {
            return Origin::Event(given);
        }
        loop_around(graph, &event.step, concept).map_or(Origin::Event(given), Origin::Loop)
    }

    /// Where the base of a loop came from when the loop began; none before its first step.
    pub fn base_of(&self, graph: &Graph, step: &StepKey) -> Option<Origin> {
        let Role::Loop(body) = graph.item(step.item).role else { return None };
        let base = graph.scope(body).machine.as_ref()?.base;
        Some(self.origin(graph, step, base, *self.begun.get(step)?))
    }

    /// What the iterations of a loop gave, by position: where each result came from.
    pub fn results(&self, graph: &Graph, step: &StepKey) -> Vec<(u32, Origin)> {
        let Role::Loop(body) = graph.item(step.item).role else { return Vec::new() };
        let Some(function) = graph.inference(step.item).function.map(|f| graph.canonical(f)) else {
            return Vec::new();
        };
        let inner = graph.scope(body).loops.iter().copied().find(|l| gives(graph, *l, function));
        let mut found: std::collections::BTreeMap<u32, Origin> = std::collections::BTreeMap::new();
        for (at, event) in self.events.iter().enumerate() {
            let Some(rest) = event.step.path.0.strip_prefix(&*step.path.0) else { continue };
            let Some(position) = rest.first().filter(|_| is_inside(graph, event.step.item, body)) else {
                continue;
            };
            if gives(graph, event.step.item, function) {
                found.insert(*position, Origin::Event(at as u64 + 1));
            } else if let Some(inner) = inner {
                let mut path = step.path.clone();
                path.0.push(*position);
                found.entry(*position).or_insert(Origin::Loop(StepKey { item: inner, path }));
            }
        }
        found.into_iter().collect()
    }
}

fn gives(graph: &Graph, item: ItemId, concept: ConceptId) -> bool {
    !matches!(graph.item(item).role, Role::Gate(_))
        && graph.canonical(graph.inference(item).target) == concept
}

fn is_inside(graph: &Graph, item: ItemId, body: ScopeId) -> bool {
    let mut at = Some(graph.item(item).scope);
    while let Some(scope) = at {
        if scope == body {
            return true;
        }
        at = graph.scope(scope).parent;
    }
    false
}

/// The loop that a step's event ended and whose result a concept is: one around the step, or one that waited for it.
fn loop_around(graph: &Graph, step: &StepKey, concept: ConceptId) -> Option<StepKey> {
    let mut path = step.path.clone();
    let mut scope = graph.item(step.item).scope;
    loop {
        let here = graph.scope(scope);
        let waited = here.loops.iter().copied().find(|l| gives(graph, *l, concept));
        if let Some(item) = waited {
            return Some(StepKey { item, path });
        }
        path.0.pop();
        scope = here.parent?;
    }
}
