//! Whether and how data get from one concept to another: a graph of influences over the plan, and the ways through
//! it. Pure, and a word on every run: what no run could do is not found, what some run could do is.
//!
//! An influence is one of three. *Data*: the value goes in and shapes what comes out; that holds for the axes of a
//! context and for the mask of a judgement that filters, too. *Count*: how many elements a base has decides how often
//! a loop's body runs, so what is appended, carried or collected grows with it. *Control*: a condition decides whether
//! a step runs, not what it gives; so does a value that a step only waits for, since a skip goes through it.
//!
//! INVARIANT: when two runs that differ in the value of one concept give another one different values, there is a way
//! between the two, one of control included.

mod ways;

use rustc_hash::FxHashSet;

use crate::repo::{Assigning, ConceptId, GateMarker, Model, Semantic, Work};
use crate::tensor::mask::Quantifier;

use super::graph::{Graph, ItemId, Role, Scope, ScopeId};
use super::provenance::{Part, reads};

pub use ways::{MOST_WAYS, Ways};

/// How strongly one thing influences another; the first is the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Influence {
    /// Its value shapes the other's.
    Data,
    /// Its number of elements shapes the other's.
    Count,
    /// It decides whether the other comes to be.
    Control,
}

impl Influence {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Count => "count",
            Self::Control => "control",
        }
    }
}

/// What happens in a step of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The value is passed to the inference.
    Passed,
    /// The inference appends to it.
    Destination,
    /// Its axes decide what a grouping collapses.
    Context,
    /// It is the function of the inference.
    Function,
    /// A loop hands out its elements.
    Element,
    /// A loop collects what its rounds give.
    Collected,
    /// A loop runs as often as it has elements.
    Rounds,
    /// The inference runs in every round of the loop before.
    Round,
    /// A judgement's mask filters what the inference sees.
    Filter,
    /// The inference waits for it, and does not see it.
    Waited,
    /// A gate asks it.
    Asked,
    /// A gate decides whether the inference runs.
    Guarded,
}

impl How {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Destination => "destination",
            Self::Context => "context",
            Self::Function => "function",
            Self::Element => "element",
            Self::Collected => "collected",
            Self::Rounds => "rounds",
            Self::Round => "round",
            Self::Filter => "filter",
            Self::Waited => "waited for",
            Self::Asked => "asked",
            Self::Guarded => "guarded",
        }
    }
}

/// One inference on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The inference.
    pub item: ItemId,
    /// How it gets what stands before.
    pub how: How,
    /// How strong that is.
    pub influence: Influence,
    /// What it gives; none where the way goes on inside a loop or from a gate to what that guards.
    pub gives: Option<ConceptId>,
}

/// A way from one concept to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where it begins.
    pub from: ConceptId,
    /// The inferences it goes through; none when both ends are one concept.
    pub steps: Vec<Step>,
}

impl Way {
    /// How strong the whole way is: as strong as its weakest step.
    pub fn influence(&self) -> Influence {
        self.steps.iter().map(|s| s.influence).max().unwrap_or(Influence::Data)
    }
}

/// The influences of a plan.
#[derive(Debug)]
pub struct Flow<'a> {
    graph: &'a Graph,
    /// By node.
    next: Vec<Vec<Edge>>,
}

/// An influence on a node.
#[derive(Debug, Clone, Copy)]
struct Edge {
    to: u32,
    influence: Influence,
    /// The inference it goes to or through; none where an inference gives its result.
    step: Option<(ItemId, How)>,
}

/// What nodes stand for: first the concepts, then the inferences, then the bodies of loops.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    concepts: u32,
    items: u32,
}

impl Numbers {
    fn item(self, item: ItemId) -> u32 {
        self.concepts + item.0
    }

    fn body(self, body: ScopeId) -> u32 {
        self.concepts + self.items + body.0
    }
}

impl<'a> Flow<'a> {
    /// Finds the influences of a plan.
    pub fn new(graph: &'a Graph) -> Self {
        let numbers =
            Numbers { concepts: graph.model.concepts.len() as u32, items: graph.items.len() as u32 };
        let nodes = graph.model.concepts.len() + graph.items.len() + graph.scopes.len();
        let mut weaver = Weaver { graph, numbers, next: vec![Vec::new(); nodes], filters: filtering(graph) };
        for item in (0..numbers.items).map(ItemId) {
            weaver.item(item);
        }
        for (body, scope) in (0u32..).map(ScopeId).zip(&graph.scopes) {
            weaver.body(body, scope);
        }
        let mut next = weaver.next;
        for edges in &mut next {
            // Of several influences on one node the strongest tells all.
            edges.sort_by_key(|e| (e.to, e.influence));
            edges.dedup_by_key(|e| e.to);
        }
        Self { graph, next }
    }

    fn node(&self, concept: ConceptId) -> u32 {
        self.graph.canonical(concept).0
    }

    /// The concept a node stands for.
    fn concept(&self, node: u32) -> Option<ConceptId> {
        ((node as usize) < self.graph.model.concepts.len()).then_some(ConceptId(node))
    }
}

struct Weaver<'a> {
    graph: &'a Graph,
    numbers: Numbers,
    next: Vec<Vec<Edge>>,
    /// The conditions whose judgement makes a filter.
    filters: FxHashSet<ConceptId>,
}

impl Weaver<'_> {
    fn edge(&mut self, from: u32, to: u32, influence: Influence, step: Option<(ItemId, How)>) {
        if let Some(edges) = self.next.get_mut(from as usize) {
            edges.push(Edge { to, influence, step });
        }
    }

    fn item(&mut self, item: ItemId) {
        let (info, inference) = (self.graph.item(item), self.graph.inference(item));
        let node = self.numbers.item(item);
        let concept = |c: ConceptId| self.graph.canonical(c).0;
        let target = concept(inference.target);
        match (&inference.work, info.role) {
            (Work::Timing(timing), role) => {
                let guarded = if let Role::Gate(guarded) = role { guarded } else { None };
                self.gate(item, timing.marker, timing.condition, guarded);
                return;
            }
            (Work::Looping(looping), Role::Loop(body)) => {
                let (base, element) = (concept(looping.base), concept(looping.element));
                let function = inference.function.map(concept);
                let waited: Vec<u32> =
                    inference.values.iter().map(|v| concept(*v)).filter(|v| *v != base).collect();
                let body = self.numbers.body(body);
                self.edge(base, element, Influence::Data, Some((item, How::Element)));
                self.edge(base, target, Influence::Count, Some((item, How::Rounds)));
                self.edge(base, body, Influence::Count, Some((item, How::Rounds)));
                if let Some(function) = function {
                    self.edge(function, node, Influence::Data, Some((item, How::Collected)));
                }
                for value in waited {
                    self.edge(value, node, Influence::Control, Some((item, How::Waited)));
                    self.edge(value, body, Influence::Control, Some((item, How::Waited)));
                }
            }
            (work, _) => {
                let mut read: Vec<(u32, Influence, How)> = Vec::new();
                for r in reads(self.graph, item) {
                    let (influence, how) = match r.part {
                        Part::Value | Part::Base | Part::Initial => (Influence::Data, How::Passed),
                        Part::Destination => (Influence::Data, How::Destination),
                        Part::Context => (Influence::Data, How::Context),
                        Part::Function => (Influence::Data, How::Function),
                        Part::Condition => (Influence::Control, How::Asked),
                        Part::Waited => (Influence::Control, How::Waited),
                    };
                    read.push((concept(r.concept), influence, how));
                }
                if let Work::Semantic(semantic) = work {
                    read.extend(semantic.order.iter().map(|c| (concept(*c), Influence::Data, How::Passed)));
                }
                for (from, influence, how) in read {
                    self.edge(from, node, influence, Some((item, how)));
                }
            }
        }
        if !matches!(inference.work, Work::Assigning(Assigning::Identity { .. })) {
            self.edge(node, target, Influence::Data, None);
        }
    }

    fn gate(&mut self, gate: ItemId, marker: GateMarker, condition: ConceptId, guarded: Option<ItemId>) {
        let asked = self.graph.canonical(condition);
        self.edge(asked.0, self.numbers.item(gate), Influence::Control, Some((gate, How::Asked)));
        let Some(guarded) = guarded else { return };
        let (from, to) = (self.numbers.item(gate), self.numbers.item(guarded));
        self.edge(from, to, Influence::Control, Some((guarded, How::Guarded)));
        match self.graph.item(guarded).role {
            Role::Loop(body) => {
                let body = self.numbers.body(body);
                self.edge(from, body, Influence::Control, Some((guarded, How::Guarded)));
            }
            Role::Step if marker != GateMarker::After && self.filters.contains(&asked) => {
                self.edge(asked.0, to, Influence::Data, Some((guarded, How::Filter)));
            }
            Role::Step | Role::Gate(_) => {}
        }
    }

    /// What the number of rounds decides: whether there is anything at all, and how much there is of what outlives a
    /// round.
    fn body(&mut self, body: ScopeId, scope: &Scope) {
        let Some(machine) = &scope.machine else { return };
        let node = self.numbers.body(body);
        for item in &scope.items {
            let (info, inference) = (self.graph.item(*item), self.graph.inference(*item));
            let target = self.graph.canonical(inference.target);
            let appends = matches!(inference.work, Work::Assigning(Assigning::Continuation { .. }));
            let carried = machine.carried.iter().any(|c| c.concept == target);
            let grows = appends || carried || info.target.up > 0;
            let influence = if grows { Influence::Count } else { Influence::Control };
            self.edge(node, self.numbers.item(*item), influence, Some((*item, How::Round)));
            if let Role::Loop(inner) = info.role {
                let inner = self.numbers.body(inner);
                self.edge(node, inner, Influence::Count, Some((*item, How::Round)));
            }
        }
    }
}

/// The concepts whose judgement says of each element whether it holds (runtime spec, section 10).
fn filtering(graph: &Graph) -> FxHashSet<ConceptId> {
    let model: &Model = &graph.model;
    let each = |s: &Semantic| {
        let words = s.assertion.iter().flat_map(|a| &a.quantifiers);
        words.into_iter().any(|(_, word)| matches!(Quantifier::parse(word), Some(Quantifier::ForEach)))
    };
    let judgements = model.inferences.iter().filter(|i| match &i.work {
        Work::Semantic(semantic) => semantic.judgement && each(semantic),
        _ => false,
    });
    judgements.map(|i| graph.canonical(i.target)).collect()
}
