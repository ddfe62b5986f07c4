//! What gates ask: NC089 conditions that no judgement makes, NC099 conditions whose line stands far away (language
//! spec, sections 5.4 and 13).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Code, Diagnostic};
use crate::plan::model::{Concept, ConceptId, ConceptKind, FunctionKind, Inference, Work};
use crate::syntax::NodeId;

use super::Facts;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut said: FxHashSet<ConceptId> = FxHashSet::default();
    let mut lines: FxHashMap<ConceptId, FxHashSet<NodeId>> = FxHashMap::default();
    for inference in &facts.plan.inferences {
        let Work::Gate { kind, condition } = &inference.work else { continue };
        let Some(concept) = facts.plan.concept(*condition) else { continue };
        let asks = *kind != FunctionKind::After;
        // What is not made or given at all has been reported, and so has a condition that holds data.
        if facts.broken.contains(condition) || !facts.is_given(*condition, concept) {
            continue;
        }
        if asks
            && concept.kind == ConceptKind::Proposition
            && !said.contains(condition)
            && let Some(diagnostic) = unjudged(facts, inference, *condition, concept)
        {
            said.insert(*condition);
            diagnostics.push(diagnostic);
            continue;
        }
        let parents = lines.entry(*condition).or_insert_with(|| {
            let parents = concept.lines.iter().filter_map(|l| facts.tree.node(l.node)?.parent);
            parents.collect()
        });
        diagnostics.extend(far(facts, inference, concept, parents));
    }
}

/// A proposition that some step makes, but no judgement: it counts as true as soon as it is there.
fn unjudged(
    facts: &Facts<'_>,
    gate: &Inference,
    condition: ConceptId,
    concept: &Concept,
) -> Option<Diagnostic> {
    let producers = facts.producers(condition).iter().filter_map(|i| facts.plan.inferences.get(*i));
    let mut made = None;
    for producer in producers {
        match &producer.work {
            // An imperative for a proposition is reported where it stands.
            Work::Semantic(_) | Work::Identity { .. } => return None,
            _ => made = Some(producer),
        }
    }
    let made = made?;
    let message =
        format!("no judgement makes `{}`, so it counts as true as soon as it is there", concept.name);
    let judgement = match facts.plan.generation {
        2 => "::(the question)<ALL True>",
        _ => ":%(True):<the question>",
    };
    Some(
        Diagnostic::at(Code::NC089, gate.function_span, message)
            .about(&*concept.name)
            .label("asks for true or false")
            .also(made.target_span, "made here, by an operation that only moves values")
            .help(format!("judge it: write `<= {judgement}` below `<- {}`", concept.name)),
    )
}

/// A condition of which no line is seen from the gate: none is a child of the gate or of a line around it.
fn far(
    facts: &Facts<'_>,
    gate: &Inference,
    concept: &Concept,
    parents: &FxHashSet<NodeId>,
) -> Option<Diagnostic> {
    let first = concept.lines.first()?;
    let line = facts.scopes.function(gate.head);
    let mut at = line.or(Some(gate.head));
    let mut steps = 0;
    while let Some(node) = at {
        if parents.contains(&node) || steps > FAR {
            return None;
        }
        steps += 1;
        at = facts.tree.node(node)?.parent;
    }
    let is_root = concept.lines.iter().any(|l| facts.tree.node(l.node).is_some_and(|n| n.parent.is_none()));
    if is_root {
        return None;
    }
    let message = format!("`{}` is named only in the text of the gate", concept.name);
    Some(
        Diagnostic::at(Code::NC099, gate.function_span, message)
            .also(first.span, "its line stands in another part of the plan")
            .help(format!("write `<- {}` below the gate to show what it waits for", concept.name)),
    )
}

/// Lines deeper than this are not walked to the root.
const FAR: usize = 1_000;
