//! Ways through the influences of a plan: the best one, several, and what lies within reach. Bounded on any plan.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::repo::ConceptId;

use super::{Edge, Flow, Influence, Step, Way};

/// No more ways than this are told apart.
pub const MOST_WAYS: usize = 1_000;
/// So many edges are looked at in search of them.
const MOST_LOOKS: usize = 200_000;

/// Several ways, the best first.
#[derive(Debug, Clone)]
pub struct Ways {
    /// The ways; none goes through anything twice.
    pub ways: Vec<Way>,
    /// There are no others.
    pub complete: bool,
}

/// A control step is worse than any number of counts, and a count than any number of steps.
fn cost(edge: &Edge) -> u64 {
    let weak = match edge.influence {
        Influence::Data => 0,
        Influence::Count => 1 << 20,
        Influence::Control => 1 << 40,
    };
    weak + u64::from(edge.step.is_some())
}

impl Flow<'_> {
    fn edges(&self, node: u32, weakest: Influence) -> impl Iterator<Item = &Edge> {
        let edges = self.next.get(node as usize).map_or(&[][..], Vec::as_slice);
        edges.iter().filter(move |e| e.influence <= weakest)
    }

    /// The best way: of the strongest the shortest. None when nothing gets there; `weakest` is what counts as a way.
    pub fn shortest(&self, from: ConceptId, to: ConceptId, weakest: Influence) -> Option<Way> {
        let (start, goal) = (self.node(from), self.node(to));
        let mut best = vec![u64::MAX; self.next.len()];
        let mut before: Vec<Option<(u32, Edge)>> = vec![None; self.next.len()];
        let mut open = BinaryHeap::from([Reverse((0, start))]);
        best[start as usize] = 0;
        while let Some(Reverse((so_far, node))) = open.pop() {
            if node == goal {
                break;
            }
            if so_far > best[node as usize] {
                continue;
            }
            for edge in self.edges(node, weakest) {
                let there = so_far + cost(edge);
                if there < best[edge.to as usize] {
                    best[edge.to as usize] = there;
                    before[edge.to as usize] = Some((node, *edge));
                    open.push(Reverse((there, edge.to)));
                }
            }
        }
        if best[goal as usize] == u64::MAX {
            return None;
        }
        let mut edges = Vec::new();
        let mut at = goal;
        while at != start {
            let (previous, edge) = before[at as usize]?;
            edges.push(edge);
            at = previous;
        }
        edges.reverse();
        Some(self.way(from, &edges))
    }

    fn way(&self, from: ConceptId, edges: &[Edge]) -> Way {
        let mut steps: Vec<Step> = Vec::new();
        for edge in edges {
            if let Some((item, how)) = edge.step {
                steps.push(Step { item, how, influence: edge.influence, gives: None });
            }
            if let (Some(concept), Some(last)) = (self.concept(edge.to), steps.last_mut()) {
                last.gives = Some(concept);
            }
        }
        Way { from, steps }
    }

    /// Ways that go through nothing twice, the best first; no more than `most`.
    pub fn ways(&self, from: ConceptId, to: ConceptId, weakest: Influence, most: usize) -> Ways {
        let (start, goal) = (self.node(from), self.node(to));
        let mut found = Ways { ways: Vec::new(), complete: true };
        if start == goal {
            found.ways.push(Way { from, steps: Vec::new() });
            return found;
        }
        let leads = self.leading_to(goal, weakest);
        if !leads[start as usize] {
            return found;
        }
        let mut on_way = vec![false; self.next.len()];
        on_way[start as usize] = true;
        let mut edges: Vec<Edge> = Vec::new();
        // For every node of the way: how many of its edges were tried.
        let mut tried = vec![0];
        let mut looks = 0;
        let mut costs: Vec<(u64, Way)> = Vec::new();
        while let Some(next) = tried.last_mut() {
            let node = edges.last().map_or(start, |e| e.to);
            let edge = self.next.get(node as usize).and_then(|e| e.get(*next)).copied();
            *next += 1;
            let Some(edge) = edge else {
                tried.pop();
                on_way[node as usize] = false;
                edges.pop();
                continue;
            };
            looks += 1;
            if looks > MOST_LOOKS {
                found.complete = false;
                break;
            }
            if edge.influence > weakest || on_way[edge.to as usize] || !leads[edge.to as usize] {
                continue;
            }
            edges.push(edge);
            if edge.to == goal {
                if costs.len() == most {
                    found.complete = false;
                    break;
                }
                costs.push((edges.iter().map(cost).sum(), self.way(from, &edges)));
                edges.pop();
            } else {
                on_way[edge.to as usize] = true;
                tried.push(0);
            }
        }
        // When not all were looked at, the best may be missing.
        if !found.complete
            && let Some(best) = self.shortest(from, to, weakest)
            && !costs.iter().any(|(_, way)| *way == best)
        {
            if costs.len() == most {
                costs.pop();
            }
            costs.push((0, best));
        }
        costs.sort_by_key(|(cost, _)| *cost);
        found.ways = costs.into_iter().map(|(_, way)| way).collect();
        found
    }

    /// The nodes from which a node can be reached.
    fn leading_to(&self, goal: u32, weakest: Influence) -> Vec<bool> {
        let mut back: Vec<Vec<u32>> = vec![Vec::new(); self.next.len()];
        for node in 0..self.next.len() as u32 {
            for edge in self.edges(node, weakest) {
                back[edge.to as usize].push(node);
            }
        }
        walk(goal, self.next.len(), |node| back[node as usize].iter().copied())
    }

    /// The concepts that data of one get to, in the order of the plan; itself left out.
    pub fn reaches(&self, from: ConceptId, weakest: Influence) -> Vec<ConceptId> {
        let start = self.node(from);
        let seen = walk(start, self.next.len(), |node| self.edges(node, weakest).map(|e| e.to));
        self.values(&seen, start)
    }

    /// The concepts whose data get to one, in the order of the plan; itself left out.
    pub fn sources(&self, to: ConceptId, weakest: Influence) -> Vec<ConceptId> {
        let goal = self.node(to);
        self.values(&self.leading_to(goal, weakest), goal)
    }

    fn values(&self, seen: &[bool], but: u32) -> Vec<ConceptId> {
        let concepts = (0u32..).zip(&self.graph.model.concepts).zip(seen);
        concepts
            .filter(|((at, concept), seen)| **seen && *at != but && concept.kind.is_value())
            .map(|((at, _), _)| ConceptId(at))
            .collect()
    }
}

fn walk<I: Iterator<Item = u32>>(start: u32, nodes: usize, next: impl Fn(u32) -> I) -> Vec<bool> {
    let mut seen = vec![false; nodes];
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        if !std::mem::replace(&mut seen[node as usize], true) {
            open.extend(next(node));
        }
    }
    seen
}
