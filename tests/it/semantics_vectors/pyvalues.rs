//! `pyvalues.jsonl`: texts of values, and values of texts.

use normc::base::{read_literal, text_of};
use serde_json::{Value as Json, json};

use super::{Answer, value};

pub(super) fn run(op: &str, case: &Json) -> Answer {
    Some(match op {
        "str" => Json::String(text_of(&value(&case["value"]))),
        "literal" => match read_literal(case["text"].as_str().unwrap()) {
            Some(value) => json!({"ok": value.to_json()}),
            None => json!({"fail": true}),
        },
        _ => return None,
    })
}
