//! Who can start: counters of what each item waits for, lowered as items settle, never a scan
//! (runtime spec, section 5).

use super::frame::{Content, Frame, FrameId, ItemState, Status};
use super::graph::{Graph, ItemId, Role};
use super::state::State;

impl State {
    /// Marks an item as settled and tells everyone who waits for it.
    pub(super) fn settle(&mut self, graph: &Graph, frame: FrameId, item: ItemId, status: Status, round: u32) {
        let info = graph.item(item);
        let scope = graph.scope(info.scope);
        self.highest_round = self.highest_round.max(round);
        let Some(f) = self.frame_mut(frame) else { return };
        let Some(state) = f.items.get_mut(info.local as usize) else { return };
        state.status = status;
        state.round = round;
        f.unsettled -= 1;
        f.round = f.round.max(round);
        let over = f.unsettled == 0 && f.parent.is_some();
        let far = f.followers.remove(&info.local);
        for follower in &scope.followers[info.local as usize] {
            self.one_less(graph, frame, *follower, round);
        }
        for (other, follower) in far.into_iter().flatten() {
            self.one_less(graph, other, follower, round);
        }
        self.listen(graph, frame, info.local);
        for late in &scope.late[info.local as usize] {
            self.try_finish(graph, frame, scope.items[*late as usize]);
        }
        if over {
            self.ended.push(frame);
        }
    }

    pub(super) fn listen(&mut self, graph: &Graph, frame: FrameId, local: u32) {
        let Some(f) = self.frame_mut(frame) else { return };
        let scope = graph.scope(f.scope);
        let far = f.listeners.remove(&local);
        for listener in &scope.listeners[local as usize] {
            self.look(graph, frame, *listener);
        }
        for (other, listener) in far.into_iter().flatten() {
            self.look(graph, other, listener);
        }
    }

    fn one_less(&mut self, graph: &Graph, frame: FrameId, local: u32, round: u32) {
        let Some(f) = self.frame_mut(frame) else { return };
        let Some(state) = f.items.get_mut(local as usize) else { return };
        state.waits = state.waits.saturating_sub(1);
        state.round = state.round.max(round);
        if state.waits == 0 {
            self.look(graph, frame, local);
        }
    }

    /// Starts an item if nothing holds it back any more.
    fn look(&mut self, graph: &Graph, frame: FrameId, local: u32) {
        let Some(f) = self.frame(frame) else { return };
        let item = graph.scope(f.scope).items[local as usize];
        let Some(state) = f.items.get(local as usize) else { return };
        if state.waits > 0 || state.status != Status::Waiting {
            return;
        }
        let mut round = state.round;
        let info = graph.item(item);
        if !info.candidates.is_empty() {
            match self.candidates_settled(frame, item) {
                Some(highest) => round = round.max(highest),
                None => return,
            }
        }
        let begins = matches!(info.role, Role::Loop(_))
            && self.gates_let_run(frame, item)
            && !self.base_skipped(frame, item);
        if let Some(state) = self.frame_mut(frame).and_then(|f| f.items.get_mut(local as usize)) {
            state.status = if begins { Status::Running } else { Status::Ready };
            state.round = round;
        }
        if begins {
            self.begin_loop(graph, frame, item, round);
        } else {
            self.ready.push_back((frame, item));
        }
    }

    /// The settling rule of a `$.` with a list: whether its outcome is certain, and the highest round it rests on.
    fn candidates_settled(&self, frame: FrameId, item: ItemId) -> Option<u32> {
        let mut highest = 0;
        for candidate in &self.graph.item(item).candidates {
            let content = self.slot(frame, candidate.slot).map(|s| &s.content);
            let mut open = false;
            for (up, producer) in &candidate.producers {
                let at = self.outward(frame, *up)?;
                let local = self.graph.item(*producer).local as usize;
                let state = self.frame(at)?.items.get(local)?;
                if state.status.is_settled() {
                    highest = highest.max(state.round);
                } else if state.status != Status::Failed {
                    open = true;
                }
            }
            match content {
                Some(Content::Value(_)) if !open => return Some(highest),
                _ if open => return None,
                _ => {}
            }
        }
        // No candidate can come any more: certain if at least one was skipped, else it waits for ever.
        let skipped = self
            .graph
            .item(item)
            .candidates
            .iter()
            .any(|c| matches!(self.slot(frame, c.slot).map(|s| &s.content), Some(Content::Skipped)));
        let failed =
            self.graph.item(item).candidates.iter().flat_map(|c| &c.producers).any(|(up, p)| {
                self.outward(frame, *up).is_some_and(|at| self.status(at, *p) == Status::Failed)
            });
        (skipped && !failed).then_some(highest)
    }

    /// Opens a fresh frame, its slots filled, and starts what can start in it.
    pub(super) fn open_frame(&mut self, graph: &Graph, mut frame: Box<Frame>, round: u32) -> FrameId {
        let plan = graph.scope(frame.scope);
        let waiting = |waits: &u32| ItemState { waits: *waits, round, status: Status::Waiting };
        frame.items.extend(plan.initial.iter().map(waiting));
        frame.unsettled = frame.items.len() as u32;
        frame.round = round;
        let inner = frame.parent.is_some();
        let id = match self.free.pop() {
            Some(id) => {
                self.frames[id.0 as usize] = Some(frame);
                id
            }
            None => {
                self.frames.push(Some(frame));
                FrameId((self.frames.len() - 1) as u32)
            }
        };
        for local in &plan.outer {
            self.join_outer(graph, id, plan.items[*local as usize], *local);
        }
        for local in 0..plan.items.len() as u32 {
            self.look(graph, id, local);
        }
        if plan.items.is_empty() && inner {
            self.ended.push(id);
        }
        id
    }

    /// Makes an item of a fresh frame wait for what is not settled yet outside it.
    fn join_outer(&mut self, graph: &Graph, frame: FrameId, item: ItemId, local: u32) {
        let info = graph.item(item);
        for wait in info.waits.iter().filter(|w| w.up > 0) {
            let Some(at) = self.outward(frame, wait.up) else { continue };
            let other = graph.item(wait.item).local;
            let Some(f) = self.frame_mut(at) else { continue };
            let state = f.items[other as usize];
            if !state.status.is_settled() {
                f.followers.entry(other).or_default().push((frame, local));
            }
            if let Some(own) = self.frame_mut(frame).and_then(|f| f.items.get_mut(local as usize)) {
                if state.status.is_settled() {
                    own.round = own.round.max(state.round);
                } else {
                    own.waits += 1;
                }
            }
        }
        for (up, producer) in info.candidates.iter().flat_map(|c| &c.producers).filter(|(up, _)| *up > 0) {
            let Some(at) = self.outward(frame, *up) else { continue };
            let other = graph.item(*producer).local;
            if let Some(f) = self.frame_mut(at) {
                f.listeners.entry(other).or_default().push((frame, local));
            }
        }
    }

    /// Returns whether no gate above an item is closed.
    pub fn gates_let_run(&self, frame: FrameId, item: ItemId) -> bool {
        self.closed_gate(frame, item).is_none()
    }

    /// The first closed gate above an item.
    pub fn closed_gate(&self, frame: FrameId, item: ItemId) -> Option<ItemId> {
        let gates = &self.graph.item(item).gates;
        gates.iter().copied().find(|gate| self.status(frame, *gate) == Status::Closed)
    }

    fn base_skipped(&self, frame: FrameId, item: ItemId) -> bool {
        let Role::Loop(body) = self.graph.item(item).role else { return false };
        let Some(machine) = &self.graph.scope(body).machine else { return false };
        matches!(
            self.slot(frame, machine.base).map(|s| &s.content),
            Some(Content::Skipped | Content::Empty) | None
        )
    }
}
