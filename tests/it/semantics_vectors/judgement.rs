//! `judgement.jsonl`: verdicts and truth masks.

use std::sync::Arc;

use normc::repo::Assertion;
use normc::run::Produced;
use normc::run::sequence::{assert, compare};
use normc::tensor::Tensor;
use serde_json::{Value as Json, json};

use super::world::{failed, in_order_of};
use super::{Answer, plain, wanted};

pub(super) fn run(op: &str, case: &Json) -> Answer {
    let value = tensor(&case["axes"], &case["tensor"]);
    let got = match op {
        "assert" => match assertion(&case["assertion"]) {
            None => judged(Produced { value, met: Some(true), mask: None }),
            Some(assertion) => assert(value, &assertion).map_or_else(|f| failed(&f, case), judged),
        },
        "demo" | "demo_python" if case["condition"].is_null() => {
            let mut unchanged = shown(&value);
            unchanged["condition_met"] = Json::Null;
            unchanged
        }
        // The cases tell the comparison itself, before its outcome is wrapped: as the old marker, on its axis.
        "demo" | "demo_python" => {
            let judged = compare(&value, &plain(&case["condition"]));
            let met = judged.met.unwrap();
            assert_eq!(shown(&judged.value), shown(&Tensor::singleton(normc::tensor::mask::marker(met))));
            let marker = if met { "$(T)%" } else { "$(F)%" };
            json!({"condition_met": met, "axes": ["condition_met"], "shape": [1], "tensor": [marker]})
        }
        _ => return None,
    };
    Some(in_order_of(&got, wanted(case)))
}

pub(super) fn assertion(json: &Json) -> Option<Assertion> {
    let quantifiers = json["quantifiers"].as_object()?;
    let quantifiers = quantifiers
        .iter()
        .map(|(axis, word)| (Arc::from(axis.as_str()), Arc::from(word.as_str().unwrap_or_default())));
    Some(Assertion { quantifiers: quantifiers.collect(), condition: plain(&json["condition"]) })
}

/// A value of a plan from its nested form; the axes are as long as the form says.
pub(super) fn tensor(axes: &Json, nested: &Json) -> Tensor {
    let axes: Vec<Arc<str>> =
        axes.as_array().unwrap().iter().map(|a| Arc::from(a.as_str().unwrap())).collect();
    let mut shape = Vec::new();
    let mut level = nested;
    for _ in &axes {
        shape.push(level.as_array().unwrap().len());
        level = &level[0];
    }
    Tensor::from_plan_json(&json!({
        "axes": axes.iter().map(|a| &**a).collect::<Vec<_>>(), "shape": shape, "data": plain(nested),
    }))
    .unwrap()
}

/// Axes, shape and nested cells.
pub(super) fn shown(value: &Tensor) -> Json {
    let json = value.to_json();
    json!({"axes": json["axes"], "shape": json["shape"], "tensor": json["data"]})
}

fn judged(produced: Produced) -> Json {
    let mut json = shown(&produced.value);
    json["condition_met"] = json!(produced.met);
    let axis = produced.mask.as_ref().and_then(|mask| mask.filter_axis.as_ref());
    json["filter_axis"] = json!(axis.map(|axis| axis.as_str()));
    json
}
