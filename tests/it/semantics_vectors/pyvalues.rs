//! `pyvalues.jsonl`: texts of values, and values of texts.

use std::sync::Arc;

use normc::base::{Map, Value, read_literal, text_of};
use normc::run::paradigm::collect_inputs;
use serde_json::{Value as Json, json};

use super::{Answer, value};

pub(super) fn run(op: &str, case: &Json) -> Answer {
    Some(match op {
        "str" => Json::String(text_of(&value(&case["value"]))),
        "literal" => match read_literal(case["text"].as_str().unwrap()) {
            Some(value) => json!({"ok": value.to_json()}),
            None => json!({"fail": true}),
        },
        "collect_script_inputs" => {
            let given = [
                ("input_1", &case["value"]),
                ("input_", &json!(2)),
                ("other", &json!("x")),
                ("save_path", &json!("y")),
            ];
            let inputs: Map = given.into_iter().map(|(k, v)| (Arc::from(k), value(v))).collect();
            Value::Map(Arc::new(collect_inputs(&inputs))).to_json()
        }
        _ => return None,
    })
}
