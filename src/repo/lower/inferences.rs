//! Inferences into inference entries: the fields all sequences share (repositories spec, sections 2 and 7.2).

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::diag::Diagnostic;
use crate::plan::{ConceptId, FunctionKind, Inference, Plan, Work};
use crate::repo::entry::InferenceEntry;

use super::Generation;
use super::helpers::Helpers;
use super::words::{form, semantic_sequence};
use super::work;

/// All entries, sorted by flow index.
pub(super) fn entries(
    plan: &Plan,
    generation: Generation,
    helpers: &Helpers,
    problems: &mut Vec<Diagnostic>,
) -> Vec<InferenceEntry> {
    plan.inferences.iter().map(|inference| entry(plan, inference, generation, helpers, problems)).collect()
}

fn entry(
    plan: &Plan,
    inference: &Inference,
    generation: Generation,
    helpers: &Helpers,
    problems: &mut Vec<Diagnostic>,
) -> InferenceEntry {
    let names =
        |ids: &[ConceptId]| -> Vec<Json> { ids.iter().map(|id| Json::from(plan.name(*id))).collect() };
    let mut values = names(&inference.values);
    let mut contexts = names(&inference.contexts);
    let (sequence, interpretation) = match &inference.work {
        Work::Loop(looping) => {
            let sequence = match generation {
                Generation::One => "quantifying",
                Generation::Two => "looping",
            };
            (sequence.to_owned(), work::looping(plan, inference, looping, generation))
        }
        Work::Specification { .. }
        | Work::Continuation { .. }
        | Work::Abstraction { .. }
        | Work::Selection { .. }
        | Work::Identity { .. } => ("assigning".to_owned(), work::assigning(plan, inference, generation)),
        Work::Grouping(grouping) => ("grouping".to_owned(), work::grouping(plan, grouping, generation)),
        Work::Gate { kind, condition } => {
            let name = Json::from(plan.name(*condition));
            if generation == Generation::Two {
                (values, contexts) = (vec![name.clone()], vec![name.clone()]);
            }
            let marker = match kind {
                FunctionKind::After => "after",
                FunctionKind::IfNot => "if!",
                _ => "if",
            };
            ("timing".to_owned(), json!({"syntax": {"marker": marker, "condition": name}}))
        }
        Work::Semantic(semantic) => {
            let helpers = helpers.of_step(semantic);
            values.extend(helpers.iter().map(|h| Json::from(*h)));
            let form = form(semantic, generation);
            let how = work::How { form, generation };
            let made = work::semantic(plan, inference, semantic, how, &helpers, problems);
            (semantic_sequence(semantic, form), made)
        }
    };
    let mut fields = JsonMap::new();
    fields.insert("flow_info".into(), json!({"flow_index": inference.flow.to_string()}));
    fields.insert("inference_sequence".into(), Json::from(sequence));
    fields.insert("concept_to_infer".into(), Json::from(plan.name(inference.target)));
    fields.insert("function_concept".into(), Json::from(plan.name(inference.function)));
    fields.insert("value_concepts".into(), Json::Array(values));
    fields.insert("context_concepts".into(), Json::Array(contexts));
    fields.insert("working_interpretation".into(), interpretation);
    if generation == Generation::One {
        start_flags(&mut fields, matches!(inference.work, Work::Loop(_)));
    }
    InferenceEntry::from(fields)
}

/// All six, with their defaults (repositories spec, section 4).
fn start_flags(fields: &mut JsonMap<String, Json>, is_loop: bool) {
    for (field, value) in [
        ("start_without_value", false),
        ("start_without_value_only_once", is_loop),
        ("start_without_function", false),
        ("start_without_function_only_once", is_loop),
        ("start_with_support_reference_only", false),
        ("start_without_support_reference_only_once", is_loop),
    ] {
        fields.insert(field.into(), Json::from(value));
    }
}
