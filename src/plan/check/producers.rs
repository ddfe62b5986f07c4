//! Several lines for one concept: NC034, NC037 (language spec, section 8).

use rustc_hash::FxHashMap;

use crate::diag::{Code, Diagnostic};
use crate::plan::model::{FunctionKind, Inference, Work};

use super::Facts;
use super::liveness::{Formula, Liveness};

pub(super) fn check(facts: &Facts<'_>, found: Option<&Liveness<'_>>, diagnostics: &mut Vec<Diagnostic>) {
    one_text(facts, diagnostics);
    unrelated(facts, found, diagnostics);
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
        let resources = !step.resources.says_the_same(&other_step.resources);
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
fn unrelated(facts: &Facts<'_>, found: Option<&Liveness<'_>>, diagnostics: &mut Vec<Diagnostic>) {
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
        let alone = |i: &&usize| {
            facts.plan.inferences.get(**i).is_some_and(|inference| {
                let append =
                    matches!(inference.work, Work::Continuation { destination, .. } if destination == id);
                !append && !inference.values.contains(&id)
            })
        };
        let is_gated = |i: usize| gated.get(i).copied().unwrap_or(false);
        let mut free = producers.iter().filter(alone).copied().filter(|i| !is_gated(*i));
        let pair = match (free.next(), free.next()) {
            (Some(first), Some(second)) => Some((first, second, false)),
            _ => together(producers.iter().filter(alone).copied().filter(|i| is_gated(*i)), found)
                .map(|(first, second)| (first, second, true)),
        };
        let Some((first, second, same_gate)) = pair else { continue };
        let (Some(first), Some(second)) =
            (facts.plan.inferences.get(first), facts.plan.inferences.get(second))
        else {
            continue;
        };
        let (message, help) = match same_gate {
            false => (
                format!("`{}` is computed in two places", concept.name),
                "give the two results names of their own, and choose with `$.`",
            ),
            true => (
                format!("`{}` is computed in two places, whose gates open together", concept.name),
                "gate one of the two by the opposite, or give the results names of their own and choose with `$.`",
            ),
        };
        diagnostics.push(
            Diagnostic::at(Code::NC037, second.target_span, message)
                .also(first.target_span, "here too")
                .help(help),
        );
    }
}

/// Two gated inferences that run under the same outcomes.
fn together(gated: impl Iterator<Item = usize>, found: Option<&Liveness<'_>>) -> Option<(usize, usize)> {
    let found = found?;
    let mut known: FxHashMap<Formula, usize> = FxHashMap::default();
    for item in gated {
        let skipped = found.skipped(item);
        if skipped.can_hold()
            && let Some(first) = known.insert(skipped, item)
        {
            return Some((first, item));
        }
    }
    None
}
