//! The walk over the plan: every inference is asked for what it gives, again whenever an input of it can be more. Knows
//! nothing of what the operations do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashSet;

use crate::plan::model::{Concept, ConceptId, Ground, Plan, Work};
use crate::syntax::NodeId;
use crate::tensor::Tensor;

use super::absent::Absent;
use super::grouping::{collapsed, grouped, is_per_source};
use super::known::{Axes, AxisOf, Origin, Reason, Unknown};
use super::possible::{Alternative, Possible};
use super::rules::{Asked, of_tensor, reads};

/// Computes the axes of every concept of a plan. Total: of what is broken it says that nothing is known.
///
/// What a concept can be only grows, and only a few times, so this takes time in proportion to the plan.
pub fn axes(plan: &Plan) -> Axes {
    let order = Order::of(plan);
    let absent = Absent::of(plan, &order);
    let mut whole: Vec<Possible> = start(plan);
    let mut computed: Vec<Possible> = vec![Possible::default(); plan.concepts.len()];
    let flat = flat(plan);
    order.settle(|at| {
        let mut changed = Vec::new();
        for (id, possible) in given(plan, &whole, &absent, &flat, at) {
            let many = Unknown::Many(id);
            if let Some(known) = computed.get_mut(id.index()) {
                known.join(&possible, many);
            }
            if whole.get_mut(id.index()).is_some_and(|known| known.join(&possible, many)) {
                changed.push(id);
            }
        }
        changed
    });
    let known = |all: Vec<Possible>| {
        let ids = all.iter().enumerate();
        ids.map(|(i, p)| p.known(Unknown::NoValue(ConceptId(u32::try_from(i).unwrap_or(u32::MAX))))).collect()
    };
    Axes { whole: known(whole), computed: known(computed) }
}

/// What an inference gives, by concept.
fn given(
    plan: &Plan,
    whole: &[Possible],
    absent: &Absent,
    flat: &[bool],
    at: usize,
) -> Vec<(ConceptId, Possible)> {
    let Some(inference) = plan.inferences.get(at) else { return Vec::new() };
    let asked = Asked { plan, inference, whole };
    let target = inference.target;
    let one = match &inference.work {
        Work::Loop(looping) => {
            return vec![(looping.element, asked.element(looping)), (target, asked.collected(looping))];
        }
        Work::Identity { canonical } => {
            return vec![(target, asked.of(*canonical).clone()), (*canonical, asked.of(target).clone())];
        }
        Work::Specification { sources, .. } => asked.specification(sources),
        Work::Continuation { item, destination, by_axes } => {
            let lacks = absent.may_lack(plan, at, *destination);
            asked.continuation(*item, *destination, by_axes.first().map(|a| &**a), lacks)
        }
        Work::Abstraction { face, axes } => asked.abstraction(face, axes.as_deref()),
        Work::Selection { source, pick } => {
            let flat = flat.get(source.index()).copied().unwrap_or(false);
            asked.selection(*source, pick, flat)
        }
        Work::Grouping(grouping) => grouped(&asked, grouping, absent, at),
        Work::Semantic(work) => asked.semantic(work),
        Work::Gate { .. } => return Vec::new(),
    };
    vec![(target, one)]
}

/// What concepts are before the first step; unknown where nothing at all gives a value, so that a plan with errors
/// says nothing about the axes of what hangs on them.
fn start(plan: &Plan) -> Vec<Possible> {
    let heads: FxHashSet<NodeId> = plan.inferences.iter().map(|i| i.head).collect();
    let mut made: Vec<bool> = vec![false; plan.concepts.len()];
    let mut make = |id: ConceptId| {
        if let Some(made) = made.get_mut(id.index()) {
            *made = true;
        }
    };
    for inference in &plan.inferences {
        match &inference.work {
            Work::Gate { .. } => continue,
            Work::Loop(looping) => make(looping.element),
            Work::Identity { canonical } => make(*canonical),
            _ => {}
        }
        make(inference.target);
    }
    let ids = plan.concepts.iter().zip(made).enumerate();
    ids.map(|(i, (concept, made))| {
        let id = ConceptId(u32::try_from(i).unwrap_or(u32::MAX));
        before(id, concept, &heads).unwrap_or_else(|| match made {
            true => Possible::default(),
            false => Possible::Any(Unknown::NoValue(id)),
        })
    })
    .collect()
}

/// A concept's start value; none when it has none. It is written on a line that nothing computes, where there is one.
fn before(id: ConceptId, concept: &Concept, heads: &FxHashSet<NodeId>) -> Option<Possible> {
    if !concept.kind.is_value() {
        return None;
    }
    let leaf = concept.lines.iter().find(|l| !heads.contains(&l.node));
    let place = leaf.map(|l| l.span).or_else(|| concept.first_span());
    let reason = if concept.axes_declared { Reason::Declared(id) } else { Reason::Data(id) };
    let origin = Origin { reason, place };
    let declared = || {
        let names = concept.axes.as_deref().filter(|a| !a.is_empty())?;
        let axes: Vec<AxisOf> =
            names.iter().map(|n| AxisOf { name: std::sync::Arc::clone(n), origin }).collect();
        Some(Possible::one(Alternative::new(axes)))
    };
    if let Some(json) = &concept.data {
        let tensor = Tensor::from_start_data(json, concept.axes.as_deref());
        return match tensor {
            Ok(tensor) => Some(Possible::one(of_tensor(&tensor, origin))),
            // Reported where the data are checked.
            Err(_) => declared().or(Some(Possible::Any(Unknown::Content(id)))),
        };
    }
    match concept.ground {
        Some(Ground::Given | Ground::Itself | Ground::Leaf | Ground::Carry) => {
            declared().or(Some(Possible::Any(Unknown::Input(id))))
        }
        Some(Ground::Function) | None => None,
    }
}

/// Concepts whose cells are lists without lists in them, whoever gives them.
fn flat(plan: &Plan) -> Vec<bool> {
    let mut flat: Vec<Option<bool>> = vec![None; plan.concepts.len()];
    for inference in &plan.inferences {
        let lists = match &inference.work {
            Work::Gate { .. } => continue,
            Work::Grouping(grouping) => {
                !grouping.records && !is_per_source(grouping, &collapsed(plan, grouping))
            }
            _ => false,
        };
        if let Some(known) = flat.get_mut(inference.target.index()) {
            *known = Some(known.unwrap_or(true) && lists);
        }
        if let Work::Loop(looping) = &inference.work
            && let Some(known) = flat.get_mut(looping.element.index())
        {
            *known = Some(false);
        }
    }
    let concepts = flat.into_iter().zip(&plan.concepts);
    concepts.map(|(f, c)| f.unwrap_or(false) && c.ground.is_none() && c.data.is_none()).collect()
}

/// The order in which inferences are asked: those that give before those that read, wherever they do not read each
/// other in a circle.
pub(super) struct Order {
    /// The place of each inference in the order.
    ranks: Vec<usize>,
    /// The inference at each place.
    sorted: Vec<usize>,
    /// The inferences that read each concept.
    readers: Vec<Vec<usize>>,
}

impl Order {
    fn of(plan: &Plan) -> Self {
        let mut readers: Vec<Vec<usize>> = vec![Vec::new(); plan.concepts.len()];
        for (at, inference) in plan.inferences.iter().enumerate() {
            for id in reads(inference) {
                if let Some(list) = readers.get_mut(id.index()) {
                    list.push(at);
                }
            }
        }
        // Concepts are nodes too, or a concept with many givers and readers would have their product of edges.
        let count = plan.inferences.len();
        let mut graph: DiGraph<(), ()> = DiGraph::new();
        for _ in 0..count + plan.concepts.len() {
            graph.add_node(());
        }
        for (at, inference) in plan.inferences.iter().enumerate() {
            let mut gives = |id: ConceptId| {
                if id.index() < plan.concepts.len() {
                    graph.add_edge(NodeIndex::new(at), NodeIndex::new(count + id.index()), ());
                }
            };
            gives(inference.target);
            match &inference.work {
                Work::Loop(looping) => gives(looping.element),
                Work::Identity { canonical } => gives(*canonical),
                _ => {}
            }
        }
        for (concept, list) in readers.iter().enumerate() {
            for reader in list {
                graph.add_edge(NodeIndex::new(count + concept), NodeIndex::new(*reader), ());
            }
        }
        let mut ranks = vec![0; count];
        let mut sorted = Vec::with_capacity(count);
        // The components come last first.
        for node in kosaraju_scc(&graph).into_iter().rev().flatten() {
            if let Some(rank) = ranks.get_mut(node.index()) {
                *rank = sorted.len();
                sorted.push(node.index());
            }
        }
        Self { ranks, sorted, readers }
    }

    /// Asks every inference, and again those that read a concept that `ask` says has changed, until nothing changes.
    pub(super) fn settle(&self, mut ask: impl FnMut(usize) -> Vec<ConceptId>) {
        let mut waiting = vec![true; self.sorted.len()];
        let mut heap: BinaryHeap<Reverse<usize>> = (0..self.sorted.len()).map(Reverse).collect();
        while let Some(Reverse(rank)) = heap.pop() {
            if let Some(waits) = waiting.get_mut(rank) {
                *waits = false;
            }
            let Some(at) = self.sorted.get(rank) else { continue };
            for id in ask(*at) {
                for reader in self.readers.get(id.index()).into_iter().flatten() {
                    let Some(rank) = self.ranks.get(*reader).copied() else { continue };
                    if let Some(waits) = waiting.get_mut(rank).filter(|w| !**w) {
                        *waits = true;
                        heap.push(Reverse(rank));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::syntax::parse;

    /// What is said of `{r}`, and why.
    fn said(text: &str) -> (String, Vec<String>) {
        let (tree, _) = parse(FileId(0), text, None);
        let (plan, _) = crate::plan::resolve(&tree);
        let at = plan.concepts.iter().position(|c| &*c.name == "{r}").unwrap();
        let known = axes(&plan).of(ConceptId(at as u32));
        let reasons = known.lists().iter().flat_map(|l| l.iter()).map(|a| a.describe(&plan)).collect();
        (known.describe(&plan), reasons)
    }

    #[test]
    fn axes_of_small_plans() {
        let data = "    <- {a} | ref. %(x)=[%(y)=[1, 2]]\n";
        for (operation, expected) in [
            ("    <= $.({a})\n", "axes x, y"),
            ("    <= ::(use {1})\n", "axes x, y"),
            ("    <= ::{%(relation)}(use {1})\n", "axes x, y or x, y, r"),
            ("    <= ::(use {1})<ALL True>\n", "no axes"),
            ("    <= &across\n", "axes x, y"),
            ("    <= &across({a}:{a})\n", "no axes"),
            ("    <= &across%:[{x}]\n", "axis y"),
            ("    <= &[#] %>[{a}] %+(k)\n", "axis k"),
            ("    <= &[#] %>[{a}] %-[[]] %+(k)\n", "axes k, x, y"),
            ("    <= &[{}] %>[{a}]\n", "no axes"),
            ("    <= $- %>({a}) %^(<$*0>)\n", "axes x, y"),
            ("    <= $% %>([[1], [2]]) %:([k])\n", "axis k"),
            ("    <= :>:({1})\n", "axes unknown: what `{r}` holds decides"),
            ("    <= &across\n    <- {b}\n", "axes unknown: `{b}` is an input without declared axes"),
        ] {
            let text = format!(":<:({{r}})\n{operation}{data}");
            assert_eq!(said(&text).0, expected, "{text}");
        }
    }

    #[test]
    fn a_loop_gives_its_axis_and_says_so() {
        let text = ":<:({r})\n    <= *every({a})%:[{x}]@(2)\n        <= $.({s})\n        <- {s}\n            \
                    <= ::(use {1})\n            <- {a}*2<:{1}>\n    <- {a} | ref. %(x)=[1, 2]\n";
        let (axes, reasons) = said(text);
        assert_eq!(axes, "axes x, value");
        assert_eq!(reasons[0], "axis `x` from loop 2 over `{a}`");
    }

    #[test]
    fn an_append_after_a_loop_over_nothing_lacks_the_inner_axis() {
        let text = ":<:({r})\n    <= $+({n}:{l})%:[{x}]\n    <- {n} | ref. 1\n    <- {l}\n        <= *every({a})%:[{x}]@(1)\n            \
                    <= $.({s})\n            <- {s}\n                <= ::(use {1})\n                <- {a}*1<:{1}>\n        \
                    <- {a} | ref. %(x)=[1, 2]\n";
        assert_eq!(said(text).0, "axes x, value or x");
    }

    #[test]
    fn a_grouping_may_miss_what_a_gate_skips() {
        let text = ":<:({r})\n    <= &across({a}; {b})\n    <- {a} | ref. %(x)=[%(y)=[1]]\n    <- {b}\n        <= ::(use {1})\n            \
                    <= @if(<c>)\n        <- {d}<:{1}> | ref. %(x)=[1]\n    <- <c> | ref. 1\n";
        assert_eq!(said(text).0, "no axes", "the condition is a source too, and has no axis");
        let text = text.replace("    <- <c> | ref. 1\n", "");
        assert_eq!(said(&text).0, "axes x, y or x");
    }
}
