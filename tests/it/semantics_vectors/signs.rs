//! `signs.jsonl`: signs as texts, and what perception makes of them.

use normc::base::{Sign, strip, text_of};
use serde_json::{Value as Json, json};

use super::{Answer, cell, value};

pub(super) fn run(op: &str, case: &Json) -> Answer {
    Some(match op {
        "parse" => parse(case["input"].as_str().unwrap()),
        "strip" => strip(&cell(&case["input"])).to_json(),
        "print" => print(case),
        _ => return None,
    })
}

fn parse(text: &str) -> Json {
    Sign::parse(text).map_or(
        Json::Null,
        |sign| json!({"norm": sign.norm(), "id": sign.id(), "signifier": sign.payload().as_ref()}),
    )
}

fn print(case: &Json) -> Json {
    let text = text_of(&value(&case["content"]));
    match Sign::new(case["norm"].as_str(), text) {
        Ok(sign) => Json::String(sign.with_id(case["next_id"].as_str().unwrap()).to_string()),
        Err(_) => json!({"error": "invalid_norm", "about": case["norm"]}),
    }
}
