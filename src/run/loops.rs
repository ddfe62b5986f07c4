//! The loop machine: begin, iterations, end (runtime spec, section 11.4). An iteration is a frame; nothing is ever
//! reset. Everything here follows from events already applied, so it needs none of its own.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::repo::Work;
use crate::tensor::{Axis, Cell, Tensor, looping};

use super::event::{StepFailure, StepKey};
use super::frame::Frame;
use super::graph::{Graph, ItemId, LoopPlan, Role, ScopeId, SlotRef};
use super::state::{Content, FrameId, News, Slot, State, Status};

/// How many iterations of a loop whose iterations share nothing are open at once: enough to keep every worker busy,
/// and a bound on memory for loops of any length.
const OPEN_ITERATIONS: usize = 512;

/// A loop that runs, in one frame of its scope.
#[derive(Debug)]
pub(super) struct LoopState {
    /// The positions of the base. While an iteration of a growing base is open they let go of it, so that nothing but
    /// the concept itself holds the base and an append need not copy it.
    elements: looping::Elements,
    /// How many positions the base had when it was last read.
    positions: usize,
    /// Positions are counted from 1; the next one to be opened.
    next: u32,
    /// The open iterations.
    pub(super) frames: FxHashMap<u32, FrameId>,
    /// What each position gave.
    results: Vec<Option<Tensor>>,
    /// Ended iterations.
    ended: usize,
    /// For each carried value: what it was before the first iteration, and at the end of the last few.
    carried: Vec<(Slot, VecDeque<Slot>)>,
    /// What the latest iteration hands out.
    exports: Option<(u32, Vec<Slot>)>,
    begin_round: u32,
    round: u32,
    /// Frames that hold a failure do not count against the number of open iterations.
    room: usize,
    /// Everything is iterated; only something below the loop is not settled yet.
    finishing: bool,
}

impl State {
    pub(super) fn loop_state(&self, frame: FrameId, item: ItemId) -> Option<&LoopState> {
        let f = self.frame(frame)?;
        let ordinal = self.graph.scope(f.scope).loops.binary_search(&item).ok()?;
        f.loops.get(ordinal)?.as_deref()
    }

    fn loop_state_mut(&mut self, frame: FrameId, item: ItemId) -> Option<&mut LoopState> {
        let f = self.frames.get_mut(frame.0 as usize)?.as_deref_mut()?;
        let ordinal = self.graph.scope(f.scope).loops.binary_search(&item).ok()?;
        f.loops.get_mut(ordinal)?.as_deref_mut()
    }

    fn set_loop_state(&mut self, frame: FrameId, item: ItemId, state: Option<Box<LoopState>>) {
        let Some(f) = self.frames.get_mut(frame.0 as usize).and_then(Option::as_deref_mut) else { return };
        if let Ok(ordinal) = self.graph.scope(f.scope).loops.binary_search(&item)
            && let Some(place) = f.loops.get_mut(ordinal)
        {
            *place = state;
        }
    }

    fn loop_step(&self, frame: FrameId, item: ItemId) -> StepKey {
        StepKey { item, path: self.frame(frame).map(|f| f.path.clone()).unwrap_or_default() }
    }

    /// Begins a loop whose base is complete.
    pub(super) fn begin_loop(&mut self, graph: &Graph, frame: FrameId, item: ItemId, round: u32) {
        let Some((_, plan)) = machine(graph, item) else { return };
        let Some(Content::Value(base)) = self.slot(frame, plan.base).map(|s| s.content.clone()) else {
            return;
        };
        let elements = self.elements(item, plan, &base);
        let carried = plan
            .carried
            .iter()
            .map(|c| (self.slot(frame, c.outside).cloned().unwrap_or_default(), VecDeque::new()))
            .collect();
        self.news.push(News::LoopBegan(self.loop_step(frame, item), elements.len()));
        let state = LoopState {
            positions: elements.len(),
            elements,
            next: 1,
            frames: FxHashMap::default(),
            results: Vec::new(),
            ended: 0,
            carried,
            exports: None,
            begin_round: round,
            round,
            room: OPEN_ITERATIONS,
            finishing: false,
        };
        self.set_loop_state(frame, item, Some(Box::new(state)));
        self.advance(graph, frame, item);
    }

    fn elements(&self, item: ItemId, plan: &LoopPlan, base: &Tensor) -> looping::Elements {
        let concept = &self.graph.model.concepts[plan.base_concept.0 as usize];
        let group_base = match &self.graph.inference(item).work {
            Work::Looping(l) => l.group_base.as_deref(),
            _ => None,
        };
        looping::Elements::new(base, &concept.name, &Axis::from(&*concept.axis_name), group_base)
    }

    /// Opens what iterations may be open, and ends the loop when there are no more.
    fn advance(&mut self, graph: &Graph, frame: FrameId, item: ItemId) {
        let Some((body, plan)) = machine(graph, item) else { return };
        loop {
            let Some(state) = self.loop_state_mut(frame, item) else { return };
            // Positions that hold nothing are passed over; they stay missing in the result.
            while (state.next as usize) <= state.positions
                && state.elements.is_missing(state.next as usize - 1)
            {
                state.next += 1;
                state.results.push(None);
            }
            let at_end = state.next as usize > state.positions;
            if at_end {
                if state.frames.is_empty() {
                    state.finishing = true;
                    self.try_finish(graph, frame, item);
                }
                return;
            }
            let limit = if plan.independent { state.room } else { 1 };
            if state.frames.len() >= limit {
                return;
            }
            self.open_iteration(graph, frame, item, body, plan);
        }
    }

    /// A failed iteration stays open for ever; it must not keep the others from running.
    pub(super) fn make_room(&mut self, graph: &Graph, frame: FrameId, item: ItemId) {
        let independent = machine(graph, item).is_some_and(|(_, plan)| plan.independent);
        if let Some(state) = self.loop_state_mut(frame, item).filter(|_| independent) {
            state.room += 1;
            self.advance(graph, frame, item);
        }
    }

    fn open_iteration(
        &mut self,
        graph: &Graph,
        frame: FrameId,
        item: ItemId,
        body: ScopeId,
        plan: &LoopPlan,
    ) {
        let mut inner = Frame::fresh(body, graph.scope(body), self.spare.pop());
        inner.parent = Some((frame, item));
        inner.path = self.frame(frame).map(|f| f.path.clone()).unwrap_or_default();
        let given = self.slot(frame, plan.base).map_or(0, |base| base.given);
        let Some(state) = self.loop_state_mut(frame, item) else { return };
        let position = state.next;
        state.next += 1;
        state.results.push(None);
        inner.path.0.push(position);
        let slots = &mut inner.slots;
        let element = state.elements.element(position as usize - 1);
        if let (Some(place), Some(element)) =
            (plan.element_in.and_then(|e| slots.get_mut(e as usize)), element)
        {
            // An element of a growing base must not share its memory, or every append would copy all of it.
            place.content = Content::Value(if plan.grows { element.packed() } else { element });
            place.given = given;
        }
        if plan.grows {
            state.elements.release();
        }
        for (carry, (initial, history)) in plan.carried.iter().zip(&state.carried) {
            let seen = (carry.lag as usize).checked_sub(1).and_then(|back| history.iter().rev().nth(back));
            let Some(place) = slots.get_mut(carry.slot_in as usize) else { continue };
            *place = seen.unwrap_or(initial).clone();
            if matches!(place.content, Content::Empty) {
                place.content = Content::Skipped;
            }
        }
        let round = if plan.independent { state.begin_round } else { state.round };
        // The frame may end at once (an empty body), so it is entered before it is opened.
        let id = self.open_frame(graph, inner, round);
        if let Some(state) = self.loop_state_mut(frame, item) {
            state.frames.insert(position, id);
        }
    }

    /// Handles the iterations that are over, until nothing more follows.
    pub(super) fn work_off_ended(&mut self, graph: &Graph) {
        while let Some(frame) = self.ended.pop() {
            self.end_iteration(graph, frame);
        }
    }

    fn end_iteration(&mut self, graph: &Graph, ended: FrameId) {
        let Some(mut inner) = self.close_frame(ended) else { return };
        let Some((frame, item)) = inner.parent else { return };
        let Some((_, plan)) = machine(graph, item) else { return };
        let position = inner.path.0.last().copied().unwrap_or(1);
        let step = self.loop_step(frame, item);
        let Some(state) = self.loop_state_mut(frame, item) else { return };
        state.frames.remove(&position);
        state.ended += 1;
        state.round = state.round.max(inner.round);
        let slot = |slot: u32| inner.slots.get(slot as usize);
        if let Some(place) = state.results.get_mut(position as usize - 1) {
            *place = plan.result_in.and_then(slot).and_then(|s| s.content.value().cloned());
        }
        if state.exports.as_ref().is_none_or(|(latest, _)| *latest < position) && !plan.exports.is_empty() {
            let (latest, slots) = state.exports.get_or_insert_default();
            *latest = position;
            slots.clear();
            slots.extend(plan.exports.iter().map(|(from, _)| slot(*from).cloned().unwrap_or_default()));
        }
        for (carry, (_, history)) in plan.carried.iter().zip(&mut state.carried) {
            history.push_back(inner.slots.get_mut(carry.slot_in as usize).map(mem::take).unwrap_or_default());
            while history.len() > carry.lag as usize {
                history.pop_front();
            }
        }
        // What the frame still holds must not keep a growing base from being added to in place.
        inner.slots.clear();
        if self.spare.len() < OPEN_ITERATIONS {
            self.spare.push(inner);
        }
        let Some(state) = self.loop_state_mut(frame, item) else { return };
        let (done, of) = (state.ended, state.positions);
        self.news.push(News::IterationEnded(step, done, of));
        if plan.grows {
            self.read_base_again(frame, item, plan);
        }
        self.advance(graph, frame, item);
    }

    /// An append may have made the base longer: then there are more positions. What was iterated is not repeated.
    fn read_base_again(&mut self, frame: FrameId, item: ItemId, plan: &LoopPlan) {
        let Some(Content::Value(base)) = self.slot(frame, plan.base).map(|s| s.content.clone()) else {
            return;
        };
        if let Some(state) = self.loop_state_mut(frame, item) {
            state.elements.grow(&base);
            state.positions = state.elements.len();
        }
    }

    /// Ends a loop once everything below it is settled too.
    pub(super) fn try_finish(&mut self, graph: &Graph, frame: FrameId, item: ItemId) {
        let Some(state) = self.loop_state(frame, item).filter(|s| s.finishing) else { return };
        let mut round = state.round;
        for wait in graph.item(item).waits.iter().filter(|w| w.late) {
            let local = graph.item(wait.item).local as usize;
            match self.frame(frame).and_then(|f| f.items.get(local)) {
                Some(other) if other.status.is_settled() => round = round.max(other.round),
                _ => return,
            }
        }
        let Some((_, plan)) = machine(graph, item) else { return };
        let Some(state) = self.loop_state_mut(frame, item) else { return };
        let results = std::mem::take(&mut state.results);
        let carried: Vec<(SlotRef, Slot)> = plan
            .carried
            .iter()
            .zip(&mut state.carried)
            .filter_map(|(carry, (_, history))| Some((carry.outside, history.pop_back()?)))
            .collect();
        let exports: Vec<(SlotRef, Slot)> = match state.exports.take() {
            Some((_, slots)) => plan.exports.iter().map(|(_, to)| *to).zip(slots).collect(),
            None => Vec::new(),
        };
        let positions = results.len();
        let along = state.elements.axis().clone();
        let infer = Axis::from(&**self.result_axis(item));
        // Nothing at all was given: the loop axis alone, one missing cell a position (runtime spec, 11.4).
        let nothing = || {
            let axis = along.naming.clone().filter(|a| !a.is_none()).unwrap_or_else(|| infer.clone());
            Tensor::new(&[axis], &[positions], Cell::Skip)
        };
        let combined = looping::combine_results(&along, &infer, &results)
            .and_then(|combined| combined.map_or_else(nothing, Ok));
        let step = self.loop_step(frame, item);
        self.set_loop_state(frame, item, None);
        let combined = match combined {
            Ok(combined) => combined,
            Err(error) => {
                let message = format!("the results of the iterations do not fit together: {error}");
                let failure = Arc::new(
                    StepFailure::new(error.kind(), message)
                        .help("let every iteration give a value with the same axes"),
                );
                self.failures.push((step.clone(), Arc::clone(&failure)));
                self.news.push(News::LoopFailed(step, failure));
                self.fail(graph, frame, item);
                return;
            }
        };
        for (slot, value) in carried.into_iter().chain(exports) {
            if let Some(place) = self.slot_mut(frame, slot) {
                *place = value;
            }
        }
        let given = self.events;
        if let Some(place) = self.slot_mut(frame, graph.item(item).target) {
            *place = Slot { content: Content::Value(combined), met: None, mask: None, given };
        }
        self.tally[item.at()].completed += 1;
        self.news.push(News::LoopEnded(step, positions));
        self.settle(graph, frame, item, Status::Done, round + 1);
    }

    fn result_axis(&self, item: ItemId) -> &Arc<str> {
        let target = self.graph.inference(item).target;
        &self.graph.model.concepts[target.0 as usize].axis_name
    }
}

fn machine(graph: &Graph, item: ItemId) -> Option<(ScopeId, &LoopPlan)> {
    let Role::Loop(body) = graph.item(item).role else { return None };
    Some((body, graph.scope(body).machine.as_ref()?))
}
