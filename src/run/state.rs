//! The state of a run: frames with their slots, and how far each item is. `State::apply` is the only writer; the
//! set of items that can start is kept by counters, never by a scan (runtime spec, sections 4 and 5).
//!
//! Knows nothing of threads, files or clocks. Loops are in `loops.rs`, counters of what items wait for in `readiness.rs`.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::repo::ConceptId;
use crate::tensor::{self, Tensor, assign};

use super::event::{Event, Happening, SkipCause, StepFailure, StepKey};
use super::frame::Frame;
pub use super::frame::{Content, FrameId, Slot, Status};
use super::graph::{Graph, ItemId, Role, ScopeId, SlotRef};

/// An item that can start, with the frame it starts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Where.
    pub frame: FrameId,
    /// What.
    pub item: ItemId,
    /// Its round.
    pub round: u32,
}

/// The blackboard of a run, folded from its events.
#[derive(Debug)]
pub struct State {
    pub(super) graph: Arc<Graph>,
    pub(super) frames: Vec<Option<Box<Frame>>>,
    pub(super) free: Vec<FrameId>,
    /// Items that became ready; some may have settled since.
    pub(super) ready: VecDeque<(FrameId, ItemId)>,
    pub(super) tally: Vec<Tally>,
    pub(super) failures: Vec<(StepKey, Arc<StepFailure>)>,
    pub(super) highest_round: u32,
    /// How many events were applied.
    pub(super) events: u64,
    pub(super) news: Vec<News>,
    /// What each invariant step read when it last ran.
    pub(super) last_inputs: FxHashMap<ItemId, Vec<Option<Tensor>>>,
    /// Iterations that are over, to be handled before anything else happens.
    pub(super) ended: Vec<FrameId>,
    /// Frames of iterations that are over, to be used again.
    #[expect(clippy::vec_box, reason = "frames are kept boxed, so that they move without being copied")]
    pub(super) spare: Vec<Box<Frame>>,
}

/// How often things happened to an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Completed by running, not by a skip.
    pub completed: u64,
    /// Skipped.
    pub skipped: u64,
}

/// Something a watcher may want to show; the state does not depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A loop began: how many positions its base has.
    LoopBegan(StepKey, usize),
    /// An iteration ended: which, of how many.
    IterationEnded(StepKey, usize, usize),
    /// A loop ended after so many positions.
    LoopEnded(StepKey, usize),
    /// A loop could not put its results together.
    LoopFailed(StepKey, Arc<StepFailure>),
}

/// Why an event does not fit the state.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApplyError {
    /// No such step is open.
    #[error("step {0} is not open, so nothing can happen to it")]
    NotOpen(String),
    /// An append that does not fit its destination. The state is unchanged.
    #[error(transparent)]
    Append(tensor::Error),
}

impl State {
    /// The state before the first step: the root frame with all data, everything that can start ready.
    ///
    /// `data` holds the value of each concept of the model, none where there is none.
    pub fn new(graph: Arc<Graph>, data: Vec<Option<Tensor>>) -> Self {
        let mut state = Self {
            tally: vec![Tally::default(); graph.items.len()],
            graph,
            frames: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            failures: Vec::new(),
            highest_round: 0,
            events: 0,
            news: Vec::new(),
            last_inputs: FxHashMap::default(),
            ended: Vec::new(),
            spare: Vec::new(),
        };
        let graph = &*Arc::clone(&state.graph);
        let scope = graph.scope(ScopeId::ROOT);
        let mut root = Frame::fresh(ScopeId::ROOT, scope, None);
        for (slot, concept) in root.slots.iter_mut().zip(&scope.slots) {
            if let Some(Some(value)) = data.get(concept.0 as usize) {
                slot.content = Content::Value(value.clone());
            }
        }
        state.open_frame(graph, root, 0);
        state.work_off_ended(graph);
        state
    }

    /// The graph this state belongs to.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// How many items became ready and were not looked at yet; some may have settled since.
    pub fn ready_len(&self) -> usize {
        self.ready.len()
    }

    /// Takes the next item that can start, in the order in which they became ready, and looks at `left` at most, which
    /// counts down. Each is given out once; after a fold of old events only what they left open is given out.
    pub fn next_ready(&mut self, left: &mut usize) -> Option<Ready> {
        loop {
            *left = left.checked_sub(1)?;
            let (frame, item) = self.ready.pop_front()?;
            let (local, scope) = (self.graph.item(item).local as usize, self.graph.item(item).scope);
            // The frame may have ended since, and its place may hold one of another loop.
            let frame_now = self.frame_mut(frame).filter(|f| f.scope == scope);
            let Some(state) = frame_now.and_then(|f| f.items.get_mut(local)) else { continue };
            if state.status == Status::Ready {
                state.status = Status::Running;
                return Some(Ready { frame, item, round: state.round + 1 });
            }
        }
    }

    /// Takes what watchers may want to show since the last call.
    pub fn take_news(&mut self) -> impl Iterator<Item = News> + '_ {
        self.news.drain(..)
    }

    /// How often things happened to each item, in the order of items.
    pub fn tally(&self) -> &[Tally] {
        &self.tally
    }

    /// What failed, in the order it failed.
    pub fn failures(&self) -> &[(StepKey, Arc<StepFailure>)] {
        &self.failures
    }

    /// The highest round so far: `cycles` of the run.
    pub fn highest_round(&self) -> u32 {
        self.highest_round
    }

    /// How many events were applied: the number of the last one (see [`Slot::given`]).
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Returns whether every item outside loops is settled: then the run is complete.
    pub fn is_complete(&self) -> bool {
        self.frames.first().and_then(Option::as_deref).is_none_or(|root| root.unsettled == 0)
    }

    /// Returns whether nothing can start and nothing is under way: the run has ended, one way or another.
    pub fn is_settled(&self) -> bool {
        let moving = |frame: &Frame| {
            frame.items.iter().zip(&self.graph.scope(frame.scope).items).any(|(state, item)| {
                match state.status {
                    Status::Ready => true,
                    // A loop runs as long as its iterations do; those are looked at on their own.
                    Status::Running => !matches!(self.graph.item(*item).role, Role::Loop(_)),
                    _ => false,
                }
            })
        };
        !self.frames.iter().flatten().any(|frame| moving(frame))
    }

    /// The step of a ready item.
    pub fn step(&self, ready: Ready) -> StepKey {
        let path = self.frame(ready.frame).map(|f| f.path.clone()).unwrap_or_default();
        StepKey { item: ready.item, path }
    }

    /// The value of a concept outside any loop.
    pub fn root_value(&self, concept: ConceptId) -> &Content {
        const NONE: &Content = &Content::Empty;
        let Some(slot) = self.graph.resolve(ScopeId::ROOT, self.graph.canonical(concept)) else {
            return NONE;
        };
        match self.frames.first() {
            Some(Some(root)) => root.slots.get(slot.slot as usize).map_or(NONE, |s| &s.content),
            _ => NONE,
        }
    }

    pub(super) fn frame(&self, id: FrameId) -> Option<&Frame> {
        self.frames.get(id.0 as usize)?.as_deref()
    }

    pub(super) fn frame_mut(&mut self, id: FrameId) -> Option<&mut Frame> {
        self.frames.get_mut(id.0 as usize)?.as_deref_mut()
    }

    /// The frame so many scopes further out.
    pub(super) fn outward(&self, frame: FrameId, up: u16) -> Option<FrameId> {
        let mut at = frame;
        for _ in 0..up {
            at = self.frame(at)?.parent?.0;
        }
        Some(at)
    }

    /// What a slot holds, seen from a frame.
    pub fn slot(&self, frame: FrameId, slot: SlotRef) -> Option<&Slot> {
        self.frame(self.outward(frame, slot.up)?)?.slots.get(slot.slot as usize)
    }

    pub(super) fn slot_mut(&mut self, frame: FrameId, slot: SlotRef) -> Option<&mut Slot> {
        let at = self.outward(frame, slot.up)?;
        self.frame_mut(at)?.slots.get_mut(slot.slot as usize)
    }

    /// The status of an item within a frame of its scope.
    pub fn status(&self, frame: FrameId, item: ItemId) -> Status {
        let local = self.graph.item(item).local as usize;
        self.frame(frame).and_then(|f| f.items.get(local)).map_or(Status::Waiting, |i| i.status)
    }

    /// The frame a step runs in, none when its iteration is not open.
    pub fn locate(&self, step: &StepKey) -> Option<FrameId> {
        let mut chain: SmallVec<[ItemId; 4]> = SmallVec::new();
        let mut scope = self.graph.item(step.item).scope;
        while let (Some(parent), Some(of)) = (self.graph.scope(scope).parent, self.graph.scope(scope).of) {
            chain.push(of);
            scope = parent;
        }
        if chain.len() != step.path.0.len() {
            return None;
        }
        let mut at = FrameId(0);
        for (of, position) in chain.iter().rev().zip(&step.path.0) {
            at = *self.loop_state(at, *of)?.frames.get(position)?;
        }
        Some(at)
    }

    /// Changes the state as an event says. Everything that follows from it (who may start now, iterations that end,
    /// loops that finish) is part of the change.
    ///
    /// # Errors
    /// When the event's step is not open, or an append does not fit; the state is then unchanged.
    pub fn apply(&mut self, event: &Event) -> Result<(), ApplyError> {
        let not_open = || ApplyError::NotOpen(self.graph.step_name(&event.step));
        let frame = self.locate(&event.step).ok_or_else(not_open)?;
        if !matches!(self.status(frame, event.step.item), Status::Ready | Status::Running) {
            return Err(not_open());
        }
        self.change(frame, event)
    }

    /// [`State::apply`] for the step of an item that was given out and has not been settled since.
    ///
    /// # Errors
    /// As [`State::apply`].
    pub fn apply_to(&mut self, ready: Ready, event: &Event) -> Result<(), ApplyError> {
        debug_assert_eq!(self.locate(&event.step), Some(ready.frame));
        if event.step.item != ready.item || self.status(ready.frame, ready.item) != Status::Running {
            return Err(ApplyError::NotOpen(self.graph.step_name(&event.step)));
        }
        self.change(ready.frame, event)
    }

    fn change(&mut self, frame: FrameId, event: &Event) -> Result<(), ApplyError> {
        let item = event.step.item;
        // Held once a change, and lent to all that follows from it: a counter touched at each move would cost more
        // than the move.
        let graph = &*Arc::clone(&self.graph);
        let info = graph.item(item);
        let tally = |state: &mut Self| state.tally[item.at()].completed += 1;
        let given = self.events + 1;
        // An append that does not fit must leave the state as it was.
        if let Happening::Appended { item: added, axis } = &event.what
            && let Some(slot) = self.slot_mut(frame, info.target)
        {
            append(slot, added, axis.as_ref()).map_err(ApplyError::Append)?;
            slot.given = given;
        }
        self.events = given;
        match &event.what {
            Happening::Gave(produced) => {
                if info.invariant {
                    self.remember_inputs(frame, item);
                }
                if let Some(slot) = self.slot_mut(frame, info.target) {
                    slot.content = Content::Value(produced.value.clone());
                    slot.met = produced.met;
                    slot.mask.clone_from(&produced.mask);
                    slot.given = given;
                }
                tally(self);
                self.settle(graph, frame, item, Status::Done, event.round);
            }
            Happening::Appended { .. } => {
                tally(self);
                self.settle(graph, frame, item, Status::Done, event.round);
            }
            Happening::Passed | Happening::Kept => {
                if matches!(event.what, Happening::Passed) {
                    tally(self);
                }
                self.settle(graph, frame, item, Status::Done, event.round);
            }
            Happening::Gate { open } => {
                tally(self);
                let status = if *open { Status::Open } else { Status::Closed };
                self.settle(graph, frame, item, status, event.round);
            }
            Happening::Skipped(cause) => {
                self.skip(graph, frame, item, cause);
                if let (Role::Loop(body), SkipCause::Input(_) | SkipCause::Told) = (info.role, cause) {
                    self.skip_body(graph, body);
                }
                self.settle(graph, frame, item, Status::Skipped, event.round);
            }
            Happening::Failed(failure) => {
                self.failures.push((event.step.clone(), Arc::clone(failure)));
                self.fail(graph, frame, item);
            }
        }
        self.work_off_ended(graph);
        Ok(())
    }

    fn remember_inputs(&mut self, frame: FrameId, item: ItemId) {
        let inputs = self.present_inputs(frame, item);
        self.last_inputs.insert(item, inputs);
    }

    /// What an item's values hold now; tells whether an invariant step has anything new to do.
    pub(super) fn present_inputs(&self, frame: FrameId, item: ItemId) -> Vec<Option<Tensor>> {
        let values = &self.graph.item(item).values;
        values.iter().map(|s| self.slot(frame, *s).and_then(|s| s.content.value().cloned())).collect()
    }

    /// Marks a target as skipped, unless it is kept or another item has given it a value.
    fn skip(&mut self, graph: &Graph, frame: FrameId, item: ItemId, cause: &SkipCause) {
        let info = graph.item(item);
        // What yields an iteration's result hands on a hole as it hands on a value: that is no skip of its own.
        let machine = graph.scope(info.scope).machine.as_ref();
        let yields = info.target.up == 0 && machine.is_some_and(|m| m.result_in == Some(info.target.slot));
        if !(yields && matches!(cause, SkipCause::Input(_))) {
            self.tally[item.at()].skipped += 1;
        }
        if info.keeps_on_skip || matches!(info.role, Role::Gate(_)) {
            return;
        }
        let given = self.events;
        if let Some(slot) = self.slot_mut(frame, info.target)
            && matches!(slot.content, Content::Empty)
        {
            slot.content = Content::Skipped;
            slot.given = given;
        }
    }

    pub(super) fn fail(&mut self, graph: &Graph, frame: FrameId, item: ItemId) {
        let local = graph.item(item).local;
        let mut at = frame;
        if let Some(f) = self.frame_mut(at)
            && let Some(state) = f.items.get_mut(local as usize)
        {
            state.status = Status::Failed;
        }
        self.listen(graph, frame, local);
        // Frames that hold a failure never end: they must not keep others of their loop from starting.
        while let Some(f) = self.frame_mut(at) {
            let first = !std::mem::replace(&mut f.failed, true);
            let Some((parent, of)) = f.parent else { break };
            if first {
                self.make_room(graph, parent, of);
            }
            at = parent;
        }
    }

    pub(super) fn close_frame(&mut self, id: FrameId) -> Option<Box<Frame>> {
        let frame = self.frames.get_mut(id.0 as usize)?.take()?;
        self.free.push(id);
        Some(frame)
    }

    /// Counts everything inside a skipped loop as skipped.
    pub(super) fn skip_body(&mut self, graph: &Graph, body: ScopeId) {
        let mut open = vec![body];
        while let Some(scope) = open.pop() {
            for item in &graph.scope(scope).items {
                self.tally[item.at()].skipped += 1;
                if let Role::Loop(inner) = graph.item(*item).role {
                    open.push(inner);
                }
            }
        }
    }
}

fn append(slot: &mut Slot, added: &Tensor, axis: Option<&tensor::Axis>) -> Result<(), tensor::Error> {
    match &mut slot.content {
        Content::Value(whole) => assign::continue_onto(whole, added, axis).map(drop),
        content => {
            *content = Content::Value(added.clone());
            Ok(())
        }
    }
}

/// Says what a skip is due to, for people.
pub fn describe_skip(graph: &Graph, cause: &SkipCause) -> String {
    match cause {
        SkipCause::Gate(gate) => {
            let inference = graph.inference(*gate);
            let function = inference.function.map(|f| graph.concept_name(f).to_string()).unwrap_or_default();
            format!("gate {} `{function}` is closed", inference.flow)
        }
        SkipCause::Input(concept) => format!("`{}` was skipped", graph.concept_name(*concept)),
        SkipCause::Told => "the user said so".to_owned(),
    }
}
