//! `signs.jsonl`: signs as texts, and what perception makes of them.

use normc::base::{Sign, Value, strip, text_of};
use normc::run::StepFailure;
use normc::run::sequence::{Perceived, Selector, perceive};
use serde_json::{Value as Json, json};

use super::world::{Folder, failed};
use super::{Answer, cell, value};

pub(super) fn run(op: &str, case: &Json) -> Answer {
    Some(match op {
        "parse" => parse(case["input"].as_str().unwrap()),
        "strip" => strip(&cell(&case["input"])).to_json(),
        "print" => print(case),
        "perceive" => perceived(case),
        "transform" => transformed(case),
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

/// The old form of an instruction; inputs are values.
fn perceived(case: &Json) -> Json {
    let folder = Folder::new(&case["files"]);
    let given = cell(&folder.here(&case["input"]));
    let shown = |perceived: Perceived| match perceived {
        Perceived::Input(value) => value.to_json(),
        instruction => {
            let (norm, text) = instruction.instruction().unwrap();
            Json::String(format!("{{%{{{norm}}}: {text}}}"))
        }
    };
    folder.gone(&perceive(&given, &folder).map_or_else(|f| failed(&f, case), shown))
}

fn transformed(case: &Json) -> Json {
    let folder = Folder::new(&case["files"]);
    let given = cell(&folder.here(&case["input"]));
    let change = || -> Result<Value, StepFailure> {
        Selector::read(case["config"].as_object().unwrap())?.transform(&given, &folder)
    };
    let id = case["next_id"].as_str().unwrap();
    let shown = |value: Value| match value {
        Value::Sign(sign) => Json::String(sign.as_ref().clone().with_id(id).to_string()),
        other => other.to_json(),
    };
    folder.gone(&change().map_or_else(|f| failed(&f, case), shown))
}
