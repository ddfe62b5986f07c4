//! `values.jsonl`: what a step is given.

use normc::run::StepFailure;
use normc::run::sequence::{NamedValue, input_maps};
use serde_json::{Value as Json, json};

use super::judgement::{shown, tensor};
use super::sequences::{Step, semantic};
use super::world::{Folder, failed, in_order_of};
use super::{Answer, wanted};

pub(super) fn run(_op: &str, case: &Json) -> Answer {
    let folder = Folder::new(&case["files"]);
    let sequence = match case["variant"].as_str().unwrap() {
        "composition" => "imperative_in_composition",
        "imperative" => "imperative",
        "direct" => "imperative_direct",
        "python" => "imperative_python",
        "input" => "imperative_input",
        "judgement" => "judgement",
        "judgement_direct" => "judgement_direct",
        other => panic!("the variant {other} is not known"),
    };
    let step = Step {
        sequence,
        values: case["values"].as_array().unwrap(),
        interpretation: json!({
            "paradigm": "h_Data-c_PassThrough-o_Normal",
            "value_order": case["value_order"],
            "value_selectors": case.get("value_selectors").cloned().unwrap_or_else(|| json!({})),
        }),
    };
    let given = || -> Result<Json, StepFailure> {
        let (work, order) = semantic(&step);
        if work.passed.is_empty() {
            return Ok(Json::Null);
        }
        let tensors: Vec<_> = order
            .iter()
            .map(|value| {
                (value["name"].as_str().unwrap(), tensor(&value["axes"], &folder.here(&value["tensor"])))
            })
            .collect();
        let values: Vec<_> = tensors.iter().map(|(name, value)| NamedValue { name, value }).collect();
        Ok(shown(&input_maps(&work, &values, &folder)?))
    };
    let given = folder.gone(&given().unwrap_or_else(|failure| failed(&failure, case)));
    Some(in_order_of(&given, wanted(case)))
}
