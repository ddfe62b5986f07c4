//! Several lines for one concept: NC034, NC037 (language spec, section 8).

use crate::diag::{Code, Diagnostic};
use crate::plan::model::{ConceptKind, FunctionKind, Inference, Work};

use super::Facts;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    one_text(facts, diagnostics);
    unrelated(facts, diagnostics);
}

/// One instruction text with other inputs or resources: the concept has one prompt for both.
fn one_text(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut first: Vec<Option<&Inference>> = vec![None; facts.plan.concepts.len()];
    let mut said = vec![false; facts.plan.concepts.len()];
    for inference in &facts.plan.inferences {
        let Work::Semantic(step) = &inference.work else { continue };
        let at = inference.function.index();
        let (Some(known), Some(said)) = (first.get_mut(at), said.get_mut(at)) else { continue };
        let Some(other) = *known else {
            *known = Some(inference);
            continue;
        };
        let Work::Semantic(other_step) = &other.work else { continue };
        let inputs = inference.values != other.values || inference.contexts != other.contexts;
        let resources = step.resources.sources() != other_step.resources.sources();
        if *said || !(inputs || resources) {
            continue;
        }
        *said = true;
        let what = if resources { "resources" } else { "inputs" };
        diagnostics.push(
            Diagnostic::at(
                Code::NC034,
                inference.function_span,
                format!("the same instruction with other {what} elsewhere"),
            )
            .also(other.function_span, "here")
            .help("the two share one prompt; word them differently if they are not one step"),
        );
    }
}

/// Several inferences of one concept that no append, chain or gate relates.
fn unrelated(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    // A gate has the index of the line it gates plus one part, so it follows its step in order.
    let mut gated = vec![false; facts.plan.inferences.len()];
    for (i, inference) in facts.plan.inferences.iter().enumerate() {
        if !matches!(inference.work, Work::Gate { kind: FunctionKind::If | FunctionKind::IfNot, .. }) {
            continue;
        }
        let Some(parent) = inference.flow.parent() else { continue };
        let at = facts.plan.inferences.get(..i).map(|all| all.binary_search_by(|p| p.flow.cmp(&parent)));
        if let Some(mark) = at.and_then(Result::ok).and_then(|at| gated.get_mut(at)) {
            *mark = true;
        }
    }
    for (id, concept) in facts.values() {
        let producers = facts.producers(id);
        if producers.len() < 2 {
            continue;
        }
        let free = |i: &&usize| {
            facts.plan.inferences.get(**i).is_some_and(|inference| {
                let append =
                    matches!(inference.work, Work::Continuation { destination, .. } if destination == id);
                let chain = inference.values.contains(&id);
                !append && !chain && !gated.get(**i).copied().unwrap_or(false)
            })
        };
        let mut unrelated = producers.iter().filter(free).filter_map(|i| facts.plan.inferences.get(*i));
        let (Some(first), Some(second)) = (unrelated.next(), unrelated.next()) else { continue };
        if !matches!(concept.kind, ConceptKind::Function(_)) {
            diagnostics.push(
                Diagnostic::at(
                    Code::NC037,
                    second.target_span,
                    format!("`{}` is computed in two places", concept.name),
                )
                .also(first.target_span, "here too")
                .help("give the two results names of their own, and choose with `$.`"),
            );
        }
    }
}
