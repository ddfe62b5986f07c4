//! Steps that wait for each other: NC080 (language spec, section 13).
//!
//! Only what is certain counts as waiting: a concept with data or an initial value is there from the start, one with
//! several inferences may come from any of them. Such a plan still runs, so that the run can say what is stuck: the
//! diagnostic is a warning.

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Severity};
use crate::plan::model::{ConceptId, Inference, Work};

use super::Facts;

/// The longest cycle that is told step by step.
const TOLD: usize = 6;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let graph = graph(facts);
    for component in components(&graph) {
        if let Some(cycle) = cycle(&graph, &component) {
            diagnostics.extend(report(facts, &cycle));
        }
    }
}

/// For every inference, then for every loop's beginning, what it waits for.
fn graph(facts: &Facts<'_>) -> Vec<Vec<usize>> {
    let count = facts.plan.inferences.len();
    let mut graph: Vec<Vec<usize>> = vec![Vec::new(); count + facts.loops.len()];
    let mut above: Vec<usize> = Vec::new();
    for (i, inference) in facts.plan.inferences.iter().enumerate() {
        // An inference waits for those below it.
        while above
            .last()
            .and_then(|a| facts.plan.inferences.get(*a))
            .is_some_and(|a| !inference.flow.is_below(&a.flow))
        {
            above.pop();
        }
        if let Some(waits) = above.last().and_then(|a| graph.get_mut(*a)) {
            waits.push(i);
        }
        above.push(i);
        let needed = needed(inference);
        let targets: Vec<usize> = needed.iter().filter_map(|c| given_by(facts, count, i, *c)).collect();
        if let Some(waits) = graph.get_mut(i) {
            waits.extend(targets);
        }
    }
    for (k, (i, looping)) in facts.loops.iter().enumerate() {
        if let Some(waits) = graph.get_mut(*i) {
            waits.push(count + k);
        }
        let base = given_by(facts, count, *i, looping.base);
        if let (Some(base), Some(waits)) = (base, graph.get_mut(count + k)) {
            waits.push(base);
        }
    }
    graph
}

/// What an inference certainly waits for.
fn needed(inference: &Inference) -> Vec<ConceptId> {
    match &inference.work {
        // The base is waited for by the loop's beginning.
        Work::Loop(_) => Vec::new(),
        Work::Gate { condition, .. } => vec![*condition],
        Work::Specification { sources, .. } if sources.len() > 1 => {
            inference.values.iter().copied().filter(|v| !sources.contains(v)).collect()
        }
        _ => inference.values.clone(),
    }
}

/// The one inference, or loop beginning, that gives a concept its value; none when that is not certain.
fn given_by(facts: &Facts<'_>, count: usize, reader: usize, id: ConceptId) -> Option<usize> {
    let concept = facts.plan.concept(id)?;
    if concept.ground.is_some() || concept.data.is_some() {
        return None;
    }
    if let Some(k) = facts.elements.get(&id) {
        return Some(count + k);
    }
    let [only] = facts.producers(id) else { return None };
    let producer = facts.plan.inferences.get(*only)?;
    let append = matches!(producer.work, Work::Continuation { destination, .. } if destination == id);
    (!append || *only != reader).then_some(*only)
}

/// The strongly connected components with more than one node, or one that waits for itself (Tarjan, without
/// recursion).
fn components(graph: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let mut index = vec![NEW; graph.len()];
    let mut low = vec![0; graph.len()];
    let mut open = vec![false; graph.len()];
    let mut stack: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    let mut next = 0;
    for root in 0..graph.len() {
        if index[root] != NEW {
            continue;
        }
        let mut work: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some((node, edge)) = work.pop() {
            if edge == 0 {
                index[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
                open[node] = true;
            }
            if let Some(target) = graph[node].get(edge).copied() {
                work.push((node, edge + 1));
                if index[target] == NEW {
                    work.push((target, 0));
                } else if open[target] {
                    low[node] = low[node].min(index[target]);
                }
                continue;
            }
            if low[node] == index[node] {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    open[member] = false;
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                if component.len() > 1 || graph[node].contains(&node) {
                    component.sort_unstable();
                    found.push(component);
                }
            }
            if let Some((parent, _)) = work.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
        }
    }
    found.sort();
    found
}

/// A shortest way from the first node of a component back to itself.
fn cycle(graph: &[Vec<usize>], component: &[usize]) -> Option<Vec<usize>> {
    let start = *component.first()?;
    let mut from = rustc_hash::FxHashMap::default();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for target in graph.get(node)? {
            if *target == start {
                let mut path = vec![node];
                let mut at = node;
                while at != start {
                    at = *from.get(&at)?;
                    path.push(at);
                }
                path.reverse();
                return Some(path);
            }
            if component.binary_search(target).is_ok() && !from.contains_key(target) {
                from.insert(*target, node);
                queue.push_back(*target);
            }
        }
    }
    None
}

fn report(facts: &Facts<'_>, cycle: &[usize]) -> Option<Diagnostic> {
    let count = facts.plan.inferences.len();
    let step = |node: &usize| -> Option<(&str, Span)> {
        let at = if *node < count { *node } else { facts.loops.get(*node - count)?.0 };
        let inference = facts.plan.inferences.get(at)?;
        Some((facts.plan.name(inference.target), inference.target_span))
    };
    let mut steps: Vec<(&str, Span)> = cycle.iter().filter_map(step).collect();
    steps.dedup();
    let (first, span) = *steps.first()?;
    let told: Vec<String> = steps.iter().skip(1).take(TOLD).map(|(name, _)| format!("`{name}`")).collect();
    let message = match told.as_slice() {
        [] => format!("`{first}` waits for itself"),
        told => {
            let more = if steps.len() > TOLD + 1 { ", .." } else { "" };
            format!(
                "`{first}` waits for {}{more}, which waits for `{first}`",
                told.join(", which waits for ")
            )
        }
    };
    let mut diagnostic = Diagnostic::at(Code::NC080, span, message)
        .severity(Severity::Warning)
        .label("a run stops here")
        .help("break the cycle: give one of them data, or carry it from step to step of a loop");
    for (name, span) in steps.iter().skip(1).take(TOLD) {
        diagnostic = diagnostic.also(*span, format!("`{name}`"));
    }
    Some(diagnostic)
}
