//! Which values must be given before a run: ground, no data, and nothing that computes them, or carried
//! (runtime spec, section 4.1). Two forms of one rule: over entries and over the model.

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use super::entry::{ConceptEntry, InferenceEntry};
use super::header::RequiredInput;
use super::model::{Assigning, ConceptId, Inference, Model, Work};
use super::types;

/// A value a run cannot do without (`NC202`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingInput {
    /// The concept.
    pub concept: ConceptId,
    /// It is the initial value of a carried concept; else nothing computes it.
    pub carried: bool,
}

/// The ground value concepts of a model that have no data and no producer, or are carried, in file order. An append
/// to itself is no producer.
pub fn missing_inputs(model: &Model) -> Vec<MissingInput> {
    let mut produced = vec![false; model.concepts.len()];
    let mut carried = vec![false; model.concepts.len()];
    let mark = |marks: &mut Vec<bool>, id: ConceptId| {
        if let Some(mark) = marks.get_mut(id.0 as usize) {
            *mark = true;
        }
    };
    for inference in &model.inferences {
        if !is_own_append(inference) {
            mark(&mut produced, inference.target);
        }
        if let Work::Looping(looping) = &inference.work {
            looping.carried.iter().filter(|c| c.lag > 0).for_each(|c| mark(&mut carried, c.concept));
        }
    }
    let marks = produced.into_iter().zip(carried);
    let concepts = model.concepts.iter().zip(marks).enumerate();
    concepts
        .filter(|(_, (c, (produced, carried)))| {
            c.ground && c.kind.is_value() && c.data.is_none() && (!produced || *carried)
        })
        .map(|(i, (_, (_, carried)))| MissingInput { concept: ConceptId(i as u32), carried })
        .collect()
}

/// An append to the concept it infers makes nothing from nothing, so it does not count as a producer.
fn is_own_append(inference: &Inference) -> bool {
    matches!(inference.work, Work::Assigning(Assigning::Continuation { destination, .. }) if destination == inference.target)
}

/// The same over entries, for `required_inputs` of a bundle.
pub(super) fn required_inputs(
    concepts: &[ConceptEntry],
    inferences: &[InferenceEntry],
) -> Vec<RequiredInput> {
    let own_append = |i: &&InferenceEntry| {
        let syntax = i.interpretation().and_then(|w| w.get("syntax"));
        let field = |name: &str| syntax.and_then(|s| s.get(name)).and_then(Json::as_str);
        field("marker") == Some("+") && field("assign_destination") == Some(i.target())
    };
    let produced: FxHashSet<&str> =
        inferences.iter().filter(|i| !own_append(i)).map(InferenceEntry::target).collect();
    let carried: FxHashSet<&str> = inferences.iter().flat_map(carried_names).collect();
    let is_value = |c: &ConceptEntry| types::kind_of(c.type_name()).is_some_and(|k| k.is_value());
    concepts
        .iter()
        .filter(|c| c.is_ground() && c.data().is_none() && is_value(c))
        .filter(|c| !produced.contains(c.name()) || carried.contains(c.name()))
        .map(|c| RequiredInput {
            concept: c.name().to_owned(),
            axes: c
                .present("reference_axis_names")
                .map(|_| c.texts("reference_axis_names").into_iter().map(str::to_owned).collect()),
            why: if carried.contains(c.name()) { "carry" } else { "leaf" }.to_owned(),
            ..RequiredInput::default()
        })
        .collect()
}

fn carried_names(inference: &InferenceEntry) -> impl Iterator<Item = &str> {
    let syntax = inference.interpretation().and_then(|w| w.get("syntax"));
    let loops = syntax.and_then(|s| s.get("InLoopConcept")).and_then(Json::as_object);
    loops.into_iter().flatten().filter_map(|(key, how)| match how {
        Json::Number(lag) if lag.as_u64() == Some(0) => None,
        Json::Object(fields) => Some(fields.get("current_name").and_then(Json::as_str).unwrap_or(key)),
        _ => Some(key.as_str()),
    })
}
