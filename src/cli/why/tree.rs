//! The chain of producers: for each value who gave it, and for that step again who gave what it saw.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::engine::{Past, RunError};
use crate::repo::ConceptId;
use crate::run::provenance::{History, Origin, Part};
use crate::run::record::{Decoder, Kind, Record, peek, timing};
use crate::run::sequence;
use crate::run::{Event, Graph, StepKey};
use crate::tensor::Tensor;

/// Iterations of a loop whose results are told one by one.
const MOST_ITERATIONS: usize = 3;
/// Nodes of a tree at most; a wide plan would fill the screen many times over.
const MOST_NODES: usize = 400;

/// Where a value came from.
#[derive(Debug)]
pub(super) struct Node {
    /// The concept of the value, as its reader names it.
    pub(super) concept: ConceptId,
    /// What it is to its reader; none for results of iterations.
    pub(super) part: Option<Part>,
    pub(super) from: Source,
    /// What that came from.
    pub(super) inputs: Vec<Node>,
    /// It was told before.
    pub(super) again: bool,
    /// There is more that is not told, because of the depth.
    pub(super) more: bool,
    /// Iterations that are not told.
    pub(super) left_out: usize,
}

/// The kinds of sources.
#[derive(Debug)]
pub(super) enum Source {
    Start,
    /// The event of a step, in this record.
    Step {
        seq: u64,
        step: StepKey,
        round: u32,
    },
    Loop(StepKey),
    /// The position of a base; what stands below the node is where the base came from.
    Element {
        position: u32,
        base: ConceptId,
    },
}

/// Builds trees.
pub(super) struct Trees<'a> {
    pub(super) graph: &'a Graph,
    pub(super) history: &'a History,
    /// The value of each concept before the first step.
    data: &'a [Option<Tensor>],
    pub(super) shown: FxHashSet<StepKey>,
    pub(super) left: usize,
}

impl<'a> Trees<'a> {
    pub(super) fn new(graph: &'a Graph, history: &'a History, data: &'a [Option<Tensor>]) -> Self {
        Self { graph, history, data, shown: FxHashSet::default(), left: MOST_NODES }
    }

    /// The tree of one value; `depth` steps further back are told.
    pub(super) fn node(
        &mut self,
        concept: ConceptId,
        part: Option<Part>,
        origin: &Origin,
        depth: usize,
    ) -> Node {
        self.left = self.left.saturating_sub(1);
        let mut node = Node {
            concept,
            part,
            from: Source::Start,
            inputs: Vec::new(),
            again: false,
            more: false,
            left_out: 0,
        };
        match origin {
            Origin::Start => {}
            Origin::Element(position, base, from) => {
                node.from = Source::Element { position: *position, base: *base };
                if **from != Origin::Start {
                    node.inputs.push(self.node(*base, None, from, depth));
                }
            }
            Origin::Event(number) => {
                let Some(event) = self.history.event(*number) else { return node };
                let (seq, step, round) = (event.seq, event.step.clone(), event.round);
                node.from = Source::Step { seq, step: step.clone(), round };
                let inputs: Vec<_> = self
                    .history
                    .inputs(self.graph, *number)
                    .into_iter()
                    .filter(|(read, origin)| read.part != Part::Waited && self.is_worth(read.concept, origin))
                    .collect();
                if !self.enter(&mut node, step, depth, !inputs.is_empty()) {
                    return node;
                }
                for (read, origin) in &inputs {
                    node.inputs.push(self.node(read.concept, Some(read.part), origin, depth - 1));
                }
            }
            Origin::Loop(step) => {
                node.from = Source::Loop(step.clone());
                if !self.enter(&mut node, step.clone(), depth, true) {
                    return node;
                }
                self.iterations(&mut node, step, depth - 1);
            }
        }
        node
    }

    /// Where a loop's base and the results of its iterations came from.
    pub(super) fn iterations(&mut self, node: &mut Node, step: &StepKey, depth: usize) {
        let crate::repo::Work::Looping(looping) = &self.graph.inference(step.item).work else { return };
        if let Some(origin) = self.history.base_of(self.graph, step) {
            node.inputs.push(self.node(looping.base, Some(Part::Base), &origin, depth));
        }
        let function = self.graph.inference(step.item).function;
        let results = self.history.results(self.graph, step);
        node.left_out = results.len().saturating_sub(MOST_ITERATIONS);
        for (_, origin) in results.iter().take(MOST_ITERATIONS) {
            node.inputs.push(self.node(function.unwrap_or(looping.result), None, origin, depth));
        }
    }

    /// Says whether what a step came from is to be told below a node.
    fn enter(&mut self, node: &mut Node, step: StepKey, depth: usize, any: bool) -> bool {
        if !any {
            return false;
        }
        if self.shown.contains(&step) {
            node.again = true;
            return false;
        }
        if depth == 0 || self.left == 0 {
            node.more = true;
            return false;
        }
        self.shown.insert(step);
        true
    }

    /// Instructions are a part of the plan; they are told with the call.
    pub(super) fn is_worth(&self, concept: ConceptId, origin: &Origin) -> bool {
        let data = self.data.get(concept.0 as usize).and_then(Option::as_ref);
        let entry = self.graph.model.concepts.get(concept.0 as usize);
        *origin != Origin::Start
            || (entry.is_some_and(|c| c.kind.is_value()) && !data.is_some_and(is_instruction))
    }
}

/// Says whether a value is what a step does, not what it works on.
pub(super) fn is_instruction(value: &Tensor) -> bool {
    value.len() == 1 && value.cells().all(sequence::is_instruction)
}

/// The records that trees name.
pub(super) fn named(nodes: &[Node]) -> Vec<u64> {
    let mut open: Vec<&Node> = nodes.iter().collect();
    let mut seqs = Vec::new();
    while let Some(node) = open.pop() {
        if let Source::Step { seq, .. } = &node.from {
            seqs.push(*seq);
        }
        open.extend(&node.inputs);
    }
    seqs.sort_unstable();
    seqs.dedup();
    seqs
}

/// An event that was read again, and when its calls ended where it has any.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) event: Event,
    pub(super) at: Option<u64>,
}

/// Reads events again by the numbers of their records, which are sorted.
pub(super) fn read_again(past: &Past, seqs: &[u64]) -> Result<BTreeMap<u64, Told>, RunError> {
    let mut told = BTreeMap::new();
    let mut wanted = seqs.iter().copied().peekable();
    let mut decoder = Decoder::default();
    let mut reader = past.run.journal()?;
    let mut timed: Option<(StepKey, u64)> = None;
    while wanted.peek().is_some() {
        let Some(frame) = reader.next()? else { break };
        if frame.kind == Kind::Log {
            timed = peek(frame.kind, frame.body)
                .and_then(|found| Some((found.step, timing(frame.kind, frame.body)?.at)));
            continue;
        }
        if wanted.next_if_eq(&frame.seq).is_none() {
            continue;
        }
        let record = decoder
            .read(frame.kind, frame.body, &mut &past.run)
            .map_err(|problem| RunError::Record { run: past.run.id().to_owned(), seq: frame.seq, problem })?;
        if let Record::Step(event) = record {
            let at = timed.take().filter(|(step, _)| *step == event.step).map(|(_, at)| at);
            told.insert(frame.seq, Told { event, at });
        }
    }
    Ok(told)
}
