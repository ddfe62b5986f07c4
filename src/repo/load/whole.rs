//! Checks that need the whole plan: gates over their parents, concepts nobody uses, data nobody gives
//! (repositories spec, section 10).

use rustc_hash::FxHashMap;

use crate::base::FlowIndex;
use crate::diag::Code;
use crate::repo::model::{Assigning, Concept, ConceptId, Inference, Model, Work};
use crate::repo::required::missing_inputs;

use super::problems::Problems;

/// How many names a message about many concepts lists.
const LISTED: usize = 5;

pub(super) fn check(model: &Model, problems: &mut Problems) {
    gates(model, problems);
    if problems.found.iter().any(crate::diag::Diagnostic::is_error) {
        // What follows would report consequences of the entries that were left out.
        return;
    }
    unused(model, problems);
    let missing: Vec<ConceptId> = missing_inputs(model).into_iter().map(|m| m.concept).collect();
    if !missing.is_empty() {
        let message = format!(
            "{} no data and must be given as {}",
            names(model, &missing, "has", "have"),
            plural(missing.len(), "an input", "inputs")
        );
        problems.add(Code::NC123, message);
    }
    if !model.concepts.iter().any(|c| c.is_final) {
        problems.add_with_help(
            Code::NC124,
            "no concept is final, so a run has no result",
            "set \"is_final_concept\": true on the concepts wanted",
        );
    }
}

fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// "`{a}` has", "`{a}`, `{b}` have", "`{a}`, .. and 3 more concepts have".
fn names(model: &Model, ids: &[ConceptId], one: &str, many: &str) -> String {
    let concepts = ids.iter().filter_map(|id| model.concepts.get(id.0 as usize)).map(|c| &*c.name);
    format!("{} {}", listed(concepts, ids.len()).0, plural(ids.len(), one, many))
}

/// "`{a}`, `{b}` and 3 more" of `count` names, and the pronoun for them.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>, count: usize) -> (String, &'static str) {
    let shown: Vec<String> = names.take(LISTED).map(|n| format!("`{n}`")).collect();
    let more = count.saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (format!("{}{more}", shown.join(", ")), plural(count, "it", "them"))
}

/// A gate acts on the item at the parent index, so it must infer that item's function (runtime spec, section 9.2).
fn gates(model: &Model, problems: &mut Problems) {
    let by_flow: FxHashMap<&FlowIndex, &Inference> = model.inferences.iter().map(|i| (&i.flow, i)).collect();
    let name = |id: ConceptId| model.concepts.get(id.0 as usize).map_or("", |c: &Concept| &c.name);
    for gate in model.inferences.iter().filter(|i| matches!(i.work, Work::Timing(_))) {
        let Some(parent) = gate.flow.parent().and_then(|p| by_flow.get(&p).copied()) else { continue };
        if parent.function != Some(gate.target) {
            let message = format!(
                "gate {} infers `{}`, but the function of {} is `{}`",
                gate.flow,
                name(gate.target),
                parent.flow,
                parent.function.map_or("", name)
            );
            let help = "a gate stands one level below the step it guards and infers that step's function";
            problems.add_with_help(Code::NC108, message, help);
        }
    }
}

fn unused(model: &Model, problems: &mut Problems) {
    let mut used = vec![false; model.concepts.len()];
    let mut mark = |id: ConceptId| {
        if let Some(mark) = used.get_mut(id.0 as usize) {
            *mark = true;
        }
    };
    for inference in &model.inferences {
        mark(inference.target);
        inference.function.into_iter().for_each(&mut mark);
        inference.values.iter().chain(&inference.contexts).copied().for_each(&mut mark);
        match &inference.work {
            Work::Timing(timing) => mark(timing.condition),
            Work::Looping(looping) => {
                [looping.base, looping.element, looping.result].into_iter().for_each(&mut mark);
                looping.carried.iter().for_each(|c| mark(c.concept));
            }
            Work::Grouping(grouping) => grouping.by_axis_concepts.iter().copied().for_each(&mut mark),
            Work::Assigning(Assigning::Continuation { destination, .. }) => mark(*destination),
            Work::Assigning(Assigning::Identity { canonical, alias }) => {
                mark(*canonical);
                mark(*alias);
            }
            Work::Assigning(_) | Work::Semantic(_) | Work::Simple => {}
        }
    }
    let unused: Vec<ConceptId> = used
        .iter()
        .enumerate()
        .filter(|(_, used)| !**used)
        .map(|(i, _)| ConceptId(u32::try_from(i).unwrap_or(u32::MAX)))
        .collect();
    if !unused.is_empty() {
        problems.add(Code::NC122, format!("{} used by no inference", names(model, &unused, "is", "are")));
    }
}
