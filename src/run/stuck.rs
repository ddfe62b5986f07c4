//! Why a run cannot go on: every item that is not settled, what it waits for, and the causes at the root of it
//! (runtime spec, section 6).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::base::LoopPath;
use crate::repo::{ConceptId, Work};

use super::graph::{ItemId, Role, ScopeId, Why};
use super::state::{FrameId, State, Status};

/// An item that is not settled, with the first iteration in which it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckItem {
    /// The item.
    pub item: ItemId,
    /// Where; none when its loop never got there.
    pub path: Option<LoopPath>,
    /// It is not waiting but failed.
    pub failed: bool,
    /// What it waits for.
    pub blockers: Vec<Blocker>,
}

/// One thing an item waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocker {
    /// Another item that is not settled.
    Item(ItemId, Why),
    /// A concept that nothing gives.
    Nothing(ConceptId),
    /// The loop around it, which does not come to this iteration.
    Loop(ItemId),
    /// For a loop: an item of its body.
    Body(ItemId),
    /// A candidate that may still come.
    Candidate(ItemId, ConceptId),
}

impl Blocker {
    /// The item that is in the way, if it is one.
    pub fn item(self) -> Option<ItemId> {
        match self {
            Self::Item(i, _) | Self::Loop(i) | Self::Body(i) | Self::Candidate(i, _) => Some(i),
            Self::Nothing(_) => None,
        }
    }
}

/// A cause that nothing else explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// An item needs a concept that has no data and that nobody gives.
    NoSource(ItemId, ConceptId),
    /// An item failed.
    Failed(ItemId),
    /// Items wait for each other: each for the next, the last for the first.
    Cycle(Vec<ItemId>),
    /// The candidates of a `$.` cannot come any more.
    NoCandidate(ItemId),
}

/// The picture of a run that cannot go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deadlock {
    /// Every item that is not settled, in order.
    pub stuck: Vec<StuckItem>,
    /// Why.
    pub roots: Vec<Root>,
}

/// Explains a state in which nothing can move; empty when everything is settled.
pub fn explain(state: &State) -> Deadlock {
    let mut found = BTreeMap::new();
    collect(state, FrameId(0), &mut found);
    let stuck: Vec<StuckItem> = found.into_values().collect();
    let roots = roots(state, &stuck);
    Deadlock { stuck, roots }
}

fn collect(state: &State, root: FrameId, found: &mut BTreeMap<ItemId, StuckItem>) {
    let graph = state.graph();
    let mut frames = vec![root];
    while let Some(id) = frames.pop() {
        let Some(frame) = state.frame(id) else { continue };
        for item in &graph.scope(frame.scope).items {
            let status = state.status(id, *item);
            if status.is_settled() {
                continue;
            }
            if !found.contains_key(item) {
                let stuck = StuckItem {
                    item: *item,
                    path: Some(frame.path.clone()),
                    failed: status == Status::Failed,
                    blockers: blockers(state, id, *item),
                };
                found.insert(*item, stuck);
            }
            if let Role::Loop(body) = graph.item(*item).role {
                match state.loop_state(id, *item) {
                    Some(running) => {
                        let mut open: Vec<_> = running.frames.iter().map(|(p, f)| (*p, *f)).collect();
                        open.sort_unstable_by(|a, b| b.cmp(a));
                        frames.extend(open.into_iter().map(|(_, f)| f));
                    }
                    None => never_begun(state, *item, body, found),
                }
            }
        }
    }
}

/// Everything in a loop that was never begun waits for the loop.
fn never_begun(state: &State, of: ItemId, body: ScopeId, found: &mut BTreeMap<ItemId, StuckItem>) {
    let graph = state.graph();
    let mut open = vec![(of, body)];
    while let Some((of, scope)) = open.pop() {
        for item in &graph.scope(scope).items {
            found.entry(*item).or_insert_with(|| StuckItem {
                item: *item,
                path: None,
                failed: false,
                blockers: vec![Blocker::Loop(of)],
            });
            if let Role::Loop(inner) = graph.item(*item).role {
                open.push((*item, inner));
            }
        }
    }
}

fn blockers(state: &State, frame: FrameId, item: ItemId) -> Vec<Blocker> {
    let graph = state.graph();
    let info = graph.item(item);
    let unsettled = |up: u16, other: ItemId| {
        state.outward(frame, up).is_none_or(|at| !state.status(at, other).is_settled())
    };
    let mut found: Vec<Blocker> = info.never.iter().map(|c| Blocker::Nothing(*c)).collect();
    found.extend(info.waits.iter().filter(|w| unsettled(w.up, w.item)).map(|w| Blocker::Item(w.item, w.why)));
    for candidate in &info.candidates {
        for (up, producer) in &candidate.producers {
            let failed =
                state.outward(frame, *up).is_some_and(|at| state.status(at, *producer) == Status::Failed);
            if unsettled(*up, *producer) || failed {
                let known = found.iter().any(|b| b.item() == Some(*producer));
                if !known {
                    found.push(Blocker::Candidate(*producer, candidate.concept));
                }
            }
        }
    }
    if let Some(running) = state.loop_state(frame, item) {
        for inner in running.frames.values() {
            let Some(f) = state.frame(*inner) else { continue };
            for inside in &graph.scope(f.scope).items {
                let blocked = !state.status(*inner, *inside).is_settled();
                if blocked && !found.contains(&Blocker::Body(*inside)) {
                    found.push(Blocker::Body(*inside));
                }
            }
        }
    }
    found
}

fn roots(state: &State, stuck: &[StuckItem]) -> Vec<Root> {
    let mut roots = Vec::new();
    let at: FxHashMap<ItemId, usize> = stuck.iter().enumerate().map(|(i, s)| (s.item, i)).collect();
    for one in stuck {
        if one.failed {
            roots.push(Root::Failed(one.item));
        }
        for blocker in &one.blockers {
            if let Blocker::Nothing(concept) = blocker {
                roots.push(Root::NoSource(one.item, *concept));
            }
        }
        let choice = matches!(&state.graph().inference(one.item).work, Work::Assigning(_));
        if !one.failed
            && one.blockers.is_empty()
            && choice
            && !state.graph().item(one.item).candidates.is_empty()
        {
            roots.push(Root::NoCandidate(one.item));
        }
    }
    // What is left after taking away, again and again, all that waits for nothing that is left: the cycles and what
    // leads to them.
    let edges: Vec<Vec<usize>> = stuck
        .iter()
        .map(|s| {
            if s.failed {
                Vec::new()
            } else {
                s.blockers.iter().filter_map(|b| at.get(&b.item()?).copied()).collect()
            }
        })
        .collect();
    let mut open: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut back: Vec<Vec<usize>> = vec![Vec::new(); stuck.len()];
    for (from, to) in edges.iter().enumerate().flat_map(|(f, ts)| ts.iter().map(move |t| (f, *t))) {
        back[to].push(from);
    }
    let mut free: Vec<usize> = (0..stuck.len()).filter(|i| open[*i] == 0).collect();
    while let Some(i) = free.pop() {
        for from in &back[i] {
            open[*from] -= 1;
            if open[*from] == 0 {
                free.push(*from);
            }
        }
    }
    let mut walked = vec![0_usize; stuck.len()];
    for start in 0..stuck.len() {
        if open[start] == 0 || walked[start] != 0 {
            continue;
        }
        let mut trail = Vec::new();
        let mut here = start;
        while walked[here] == 0 {
            walked[here] = start + 1;
            trail.push(here);
            match edges[here].iter().copied().find(|n| open[*n] > 0) {
                Some(next) => here = next,
                None => break,
            }
        }
        if walked[here] == start + 1 {
            let first = trail.iter().position(|t| *t == here).unwrap_or(0);
            roots.push(Root::Cycle(trail[first..].iter().map(|i| stuck[*i].item).collect()));
        }
    }
    roots
}
