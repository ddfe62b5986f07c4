//! `sequences.jsonl`: whole steps in composition mode.

use std::sync::Arc;

use normc::repo::{Model, Repositories, Semantic, Source, Work, load};
use normc::run::sequence::{NamedValue, SemanticTask, Site};
use normc::run::{Produced, StepFailure};
use normc::tensor::Tensor;
use serde_json::{Value as Json, json};

use super::judgement::{shown, tensor};
use super::world::{Folder, Stubs, failed, in_order_of, without_ids};
use super::{Answer, wanted};

/// A step as a repository has it.
pub(super) struct Step<'a> {
    pub(super) sequence: &'a str,
    pub(super) values: &'a [Json],
    pub(super) interpretation: Json,
}

/// The step loaded as a plan of its own, and its passed values in their order. The target is `{out}`.
pub(super) fn loaded(step: &Step<'_>) -> Model {
    let mut concepts = vec![json!({"concept_name": "{out}", "type": "{}", "is_final_concept": true})];
    concepts.push(json!({"concept_name": "::(do it)", "type": "({})", "is_ground_concept": true}));
    let mut names: Vec<&Json> = Vec::new();
    for value in step.values {
        if !names.contains(&&value["name"]) {
            names.push(&value["name"]);
            concepts.push(json!({
                "concept_name": value["name"], "type": "{}", "is_ground_concept": true, "reference_data": ["?"],
            }));
        }
    }
    let inference = json!({
        "inference_sequence": step.sequence, "concept_to_infer": "{out}", "function_concept": "::(do it)",
        "value_concepts": names, "flow_info": {"flow_index": "1"},
        "working_interpretation": step.interpretation,
    });
    let repositories =
        Repositories::from_two_files(&json!(concepts).to_string(), &json!([inference]).to_string()).unwrap();
    load(&repositories).unwrap().model
}

pub(super) fn semantic<'a>(step: &Step<'a>) -> (Arc<Semantic>, Vec<&'a Json>) {
    let model = loaded(step);
    let Work::Semantic(work) = &model.inferences[0].work else { panic!("a semantic step") };
    let value = |passed: &normc::repo::Passed| match &passed.source {
        Source::Constant(_) | Source::Unknown(_) => None,
        Source::Concept(id) => {
            let name = &*model.concepts[id.0 as usize].name;
            step.values.iter().find(|value| value["name"] == name)
        }
    };
    (Arc::clone(work), work.passed.iter().filter_map(value).collect())
}

pub(super) fn run(_op: &str, case: &Json) -> Answer {
    let folder = Folder::new(&case["files"]);
    let mut stubs = Stubs::new(&folder, case);
    let outcome = step(case, &folder, &mut stubs);
    Some(match outcome {
        Err(failure) => failed(&failure, case),
        Ok(mut json) => {
            json["llm_calls"] = json!(stubs.llm_calls);
            let wanted = wanted(case);
            if without_ids(&json["output"]["tensor"]) == without_ids(&wanted["output"]["tensor"]) {
                json["output"]["tensor"] = wanted["output"]["tensor"].clone();
            }
            in_order_of(&json, wanted)
        }
    })
}

fn step(case: &Json, folder: &Folder, stubs: &mut Stubs<'_>) -> Result<Json, StepFailure> {
    let mut interpretation = json!({
        "paradigm": case["paradigm"],
        "value_order": case["value_order"],
        "value_selectors": case.get("selectors").cloned().unwrap_or_else(|| json!({})),
        "output_axis_name": case.get("out_axis").cloned().unwrap_or(Json::Null),
        "create_axis_on_list_output": case.get("create_axis").cloned().unwrap_or(Json::Bool(true)),
    });
    if let Some(assertion) = case.get("assertion") {
        interpretation["assertion_condition"] = assertion.clone();
    }
    let step = Step {
        sequence: case["sequence"].as_str().unwrap(),
        values: case["values"].as_array().unwrap(),
        interpretation,
    };
    let produced = produced(&step, Some(&case["function"]), folder, stubs)?;
    let mut json = json!({"output": shown(&produced.value)});
    if let Some(met) = produced.met {
        json["condition_met"] = json!(met);
    }
    Ok(folder.gone(&json))
}

/// Runs a step; the function concept has a value when one is given, else its own text.
pub(super) fn produced(
    step: &Step<'_>,
    function: Option<&Json>,
    folder: &Folder,
    stubs: &mut Stubs<'_>,
) -> Result<Produced, StepFailure> {
    let model = loaded(step);
    let (work, order) = semantic(step);
    let read = |value: &Json| tensor(&value["axes"], &folder.here(&value["tensor"]));
    let tensors: Vec<_> = order.iter().map(|value| (value["name"].as_str().unwrap(), read(value))).collect();
    let values: Vec<_> = tensors.iter().map(|(name, value)| NamedValue { name, value }).collect();
    let function: Option<Tensor> = function.map(|cell| match cell {
        Json::Array(_) => tensor(&json!(["f"]), &folder.here(cell)),
        cell => tensor(&json!(["_none_axis"]), &json!([folder.here(cell)])),
    });
    let inference = &model.inferences[0];
    let concept = |id: normc::repo::ConceptId| &model.concepts[id.0 as usize];
    let site = Site {
        target: concept(inference.target),
        function: inference.function.map(concept),
        cells: function.as_ref(),
        step: &|| "1".to_owned(),
    };
    stubs.run(SemanticTask::prepare(&work, &site, &values, folder)?)
}
