//! Inferences whose result nobody uses: NC082 (language spec, section 13).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FlowIndex, Span};
use crate::diag::{Code, Diagnostic};
use crate::plan::model::{Concept, ConceptId, FunctionKind, Inference, Work};
use crate::plan::operands::operands;
use crate::syntax::{Expr, Node, NodeId};

use super::Facts;

/// So many results are searched for in the texts of instructions.
const SEARCHED: usize = 100;

/// Nothing is said of what is likely used under a wrong name: such a name is reported itself.
pub(super) fn check(facts: &Facts<'_>, suggested: &FxHashSet<ConceptId>, diagnostics: &mut Vec<Diagnostic>) {
    let mut used = used(facts);
    used.extend(unclear(facts));
    used.extend(suggested);
    let alike = diagnostics.iter().filter(|d| d.code == Code::NC036);
    let alike: FxHashSet<Span> =
        alike.flat_map(|d| d.primary.iter().chain(&d.secondary)).map(|l| l.span).collect();
    let mut searched = 0;
    let mut said: FxHashSet<ConceptId> = FxHashSet::default();
    let mut lacking: FxHashSet<NodeId> = FxHashSet::default();
    for inference in &facts.plan.inferences {
        let Some(concept) = facts.plan.concept(inference.target) else { continue };
        let idle = !concept.is_final && concept.kind.is_value() && !used.contains(&inference.target);
        // `$=` is about names; what acts on the world may be done for that alone.
        if !idle || acts(inference) || matches!(inference.work, Work::Identity { .. }) {
            continue;
        }
        let misspelt = concept.first_span().is_some_and(|span| alike.contains(&span));
        if misspelt || facts.broken.contains(&inference.target) || !said.insert(inference.target) {
            continue;
        }
        searched += 1;
        if searched <= SEARCHED && is_spoken_of(facts, concept) {
            continue;
        }
        if let Some((above, line)) = without_operation(facts, inference) {
            // One line that is missing, however many values stand below it.
            if lacking.insert(above) {
                let message =
                    format!("`{}` has no operation, so nothing uses what stands below it", line.text);
                diagnostics.push(
                    Diagnostic::at(Code::NC082, line.span, message)
                        .about(&*line.text)
                        .also(inference.target_span, "computed, but not used")
                        .help("write the operation as the first line below it: `<= ..`"),
                );
            }
            continue;
        }
        let beside = beside(facts, inference);
        let message = format!("`{}` is computed, but nothing uses it", concept.name);
        let help = match beside {
            Some((_, reader)) => {
                let reader = facts.plan.name(reader.target);
                format!("name it in the operation of `{reader}` if it belongs there, else remove the line")
            }
            None => "read it in another step, or remove the line and what stands below it".to_owned(),
        };
        let mut diagnostic =
            Diagnostic::at(Code::NC082, inference.target_span, message).about(&*concept.name).help(help);
        if let Some((span, _)) = beside {
            diagnostic = diagnostic.also(span, "this operation takes other values");
        }
        diagnostics.push(diagnostic);
    }
}

/// The value line above an inference, when that has no operation.
fn without_operation<'a>(facts: &Facts<'a>, inference: &Inference) -> Option<(NodeId, &'a Node)> {
    let above = facts.tree.node(inference.head)?.parent?;
    let line = facts.tree.node(above)?;
    (line.concept.value().is_some() && facts.scopes.function(above).is_none()).then_some((above, line))
}

/// A step with an outside effect: it asks somebody, or says that it must run only once.
fn acts(inference: &Inference) -> bool {
    match &inference.work {
        Work::Semantic(step) => step.kind == FunctionKind::Input || step.resources.once,
        _ => false,
    }
}

/// Concepts that a line uses which could not be resolved, or that are members of a relation's name.
fn unclear(facts: &Facts<'_>) -> Vec<ConceptId> {
    let heads: FxHashSet<NodeId> = facts.plan.inferences.iter().map(|i| i.head).collect();
    let mut found = Vec::new();
    let mut names: FxHashMap<&str, ConceptId> = FxHashMap::default();
    for (id, concept) in facts.values() {
        names.insert(&concept.name, id);
        let spoilt = concept.lines.iter().any(|line| {
            let parent = facts.tree.node(line.node).and_then(|n| n.parent);
            parent.is_some_and(|p| {
                let value = facts.tree.node(p).is_some_and(|n| n.concept.value().is_some());
                !heads.contains(&p) && (!value || facts.scopes.function(p).is_some())
            })
        });
        if spoilt {
            found.push(id);
        }
    }
    for (id, node) in
        facts.tree.iter().filter(|(_, n)| n.concept.value().is_some_and(|v| !v.members.is_empty()))
    {
        // `[{a}, {b}]` is spoken of by its members too.
        found.extend(head_of(facts, id, &node.flow_index));
    }
    for (_, node) in facts.tree.iter() {
        let written = node.concept.value().into_iter().chain(operands(&node.concept));
        for member in written.flat_map(|v| &v.members) {
            let (open, close) = member.kind.brackets();
            found.extend(names.get(format!("{open}{}{close}", member.name).as_str()));
        }
    }
    found
}

/// What the inference on a line gives.
fn head_of(facts: &Facts<'_>, line: NodeId, flow: &FlowIndex) -> Option<ConceptId> {
    let at = facts.plan.inferences.binary_search_by(|i| i.flow.cmp(flow)).ok()?;
    facts.plan.inferences.get(at).filter(|i| i.head == line).map(|i| i.target)
}

/// The text of an instruction names it, though nothing passes it.
fn is_spoken_of(facts: &Facts<'_>, concept: &Concept) -> bool {
    facts.plan.inferences.iter().any(|inference| match &inference.work {
        Work::Semantic(step) => step.body.contains(&*concept.name),
        _ => false,
    })
}

/// What the line above takes instead.
fn beside<'a>(facts: &Facts<'a>, inference: &Inference) -> Option<(Span, &'a Inference)> {
    let parent = inference.flow.parent()?;
    let at = facts.plan.inferences.binary_search_by(|p| p.flow.cmp(&parent)).ok()?;
    let reader = facts.plan.inferences.get(at)?;
    reader.places.iter().any(|(c, _)| *c == inference.target).then_some((reader.function_span, reader))
}

/// Every concept that something is made from, that a gate asks, a loop walks or carries, or that is appended to.
fn used(facts: &Facts<'_>) -> FxHashSet<ConceptId> {
    let mut used: FxHashSet<ConceptId> = FxHashSet::default();
    for inference in &facts.plan.inferences {
        // An append to itself is no use of it.
        let own = |c: &ConceptId| *c != inference.target || !inference.appends_to_itself();
        match &inference.work {
            Work::Loop(looping) => {
                used.insert(looping.base);
                used.extend([looping.element, looping.result]);
                used.extend(looping.carries.iter().map(|c| c.concept));
                used.insert(inference.function);
            }
            Work::Specification { sources, .. } => {
                used.extend(sources);
                // One that names what does not stand beside it is reported; what it should name is not known.
                let beside = |s: &ConceptId| inference.places.iter().any(|(c, _)| c == s);
                if !sources.iter().all(beside) {
                    used.extend(&inference.values);
                }
            }
            Work::Gate { condition, .. } => {
                used.insert(*condition);
            }
            Work::Identity { canonical } => {
                used.extend([*canonical, inference.target]);
            }
            Work::Grouping(grouping) => {
                let named = named(facts, inference, &grouping.sources);
                used.extend(named.into_iter().chain(grouping.by_concepts.iter().copied()));
                used.extend(&inference.contexts);
            }
            Work::Continuation { item, destination, .. } => {
                used.extend(item.iter().copied().chain([*destination]).filter(&own));
                used.extend(inference.values.iter().copied().filter(&own));
            }
            _ => used.extend(&inference.values),
        }
        used.extend(&inference.contexts);
    }
    used
}

/// The sources that a grouping means: those it names in its text if it names some and no others, else all.
fn named(facts: &Facts<'_>, inference: &Inference, sources: &[ConceptId]) -> Vec<ConceptId> {
    let inside = |span: &Span| {
        span.file == inference.function_span.file
            && span.start >= inference.function_span.start
            && span.end <= inference.function_span.end
    };
    let is_named = |c: &Concept| c.mentions.iter().any(|(_, span)| inside(span));
    let named = sources.iter().copied().filter(|s| facts.plan.concept(*s).is_some_and(is_named));
    let named: Vec<ConceptId> = named.collect();
    let written = facts.scopes.function(inference.head).and_then(|f| facts.tree.node(f));
    let written = written.map_or(0, |line| match &line.concept.expr {
        Expr::Grouping(grouping) => grouping.sources().len(),
        _ => 0,
    });
    if named.is_empty() || named.len() < written { sources.to_vec() } else { named }
}
