//! `thinking.jsonl`: what is taken out of a reply.

use normc::base::Value;
use normc::run::paradigm::reply::{Complaint, code_block, read_key, read_object, read_truth, read_value};
use serde_json::{Value as Json, json};

use super::{Answer, value};

pub(super) fn run(op: &str, case: &Json) -> Answer {
    let raw = || case["raw"].as_str().unwrap();
    let key = case["key"].as_str().unwrap_or("answer");
    let read = match op {
        "thinking_json" => read_key(raw(), "answer"),
        "template_in_vars_thinking" => {
            read_object(raw()).map(|map| map.get("answer").cloned().unwrap_or(Value::Map(map)))
        }
        "clean_parse_get" => read_key(code_block(raw()), key),
        "clean_json_get" => read_value(code_block(raw())).and_then(|found| match found {
            Value::Map(_) => read_key(raw(), key),
            _ => read_object(raw()).map(Value::Map),
        }),
        "clean_code" => Ok(Value::text(code_block(raw()))),
        "parse_boolean" => read_truth(&value(&case["raw"])).map(Value::Bool),
        _ => return None,
    };
    Some(read.map_or_else(|complaint| failed(&complaint, case), |value| value.to_json()))
}

fn failed(complaint: &Complaint, case: &Json) -> Json {
    let about = case["normc"]["about"].as_str().unwrap_or("");
    if !complaint.message.contains(about) {
        return json!({"error": format!("{}, not about {about}: {}", complaint.kind, complaint.message)});
    }
    json!({"error": complaint.kind})
}
