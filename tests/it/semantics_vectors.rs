//! Runs the semantics vectors: what they expect is `reference` where the policy is `match`, else `normc`.
//!
//! Reads `tests/vectors/semantics` and `<folder>/semantics` for each folder of `NORMC_VECTORS`. Here is what the files
//! have in common; a module each knows the operations of one file. Operations that are not implemented yet are counted
//! apart, never as passed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and acts on the world"
)]

mod affordances;
mod judgement;
mod old;
mod paradigms;
mod pyvalues;
mod scripts;
mod sequences;
mod signs;
mod templates;
mod thinking;
mod values;
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use normc::base::{Number, Value, text_of};
use serde_json::{Value as Json, json};

/// What came of one case.
enum Outcome {
    Passed,
    Failed(String),
    NotCovered(String),
}

/// What a module makes of a case: the answer in the form of the vectors, or none when it does not know the operation.
type Answer = Option<Json>;

#[test]
fn semantics_vectors() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/semantics");
    let given = std::env::var("NORMC_VECTORS").unwrap_or_default();
    let others = given.split(':').filter(|f| !f.is_empty()).map(|f| PathBuf::from(f).join("semantics"));
    let mut failures = Vec::new();
    for folder in std::iter::once(own).chain(others) {
        run_folder(&folder, &mut failures);
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

fn run_folder(folder: &Path, failures: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("{}: no such folder", folder.display());
        return;
    };
    let mut files: Vec<_> =
        entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "jsonl")).collect();
    files.sort();
    let scripts = scripts::Scripts::new();
    let (mut passed, mut total, mut open) = (0, 0, BTreeMap::<String, usize>::new());
    for file in files {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&file).unwrap().lines().filter(|l| !l.trim().is_empty()) {
            let case: Json = serde_json::from_str(line).unwrap();
            match run(&stem, &case, scripts.as_ref()) {
                Outcome::Passed => passed += 1,
                Outcome::Failed(why) => failures.push(format!("{stem} {}: {why}", case["id"])),
                Outcome::NotCovered(op) => {
                    *open.entry(op).or_default() += 1;
                    continue;
                }
            }
            total += 1;
        }
    }
    let left: usize = open.values().sum();
    println!("{}: {passed}/{total} passed, {left} not yet covered {open:?}", folder.display());
}

fn run(stem: &str, case: &Json, scripts: Option<&scripts::Scripts>) -> Outcome {
    let op = case["op"].as_str().unwrap_or("-");
    let wanted = wanted(case);
    let got = match stem {
        "affordances" => affordances::run(op, case),
        "judgement" => judgement::run(op, case),
        "paradigms" => paradigms::run(op, case, scripts),
        "pyvalues" => pyvalues::run(op, case),
        "scripts" => scripts::run(op, case, scripts),
        "sequences" => sequences::run(op, case),
        "signs" => signs::run(op, case),
        "templates" => templates::run(op, case),
        "thinking" => thinking::run(op, case),
        "values" => values::run(op, case),
        _ => None,
    };
    match got {
        None => Outcome::NotCovered(format!("{stem} {op}")),
        Some(got) if agrees(&got, wanted) => Outcome::Passed,
        Some(got) => Outcome::Failed(format!("expected {wanted}, got {got}")),
    }
}

/// What a case expects.
fn wanted(case: &Json) -> &Json {
    if case["policy"] == "match" { &case["reference"] } else { &case["normc"] }
}

/// Errors agree by kind; what a message is about is compared only where it does not come from Python.
fn agrees(got: &Json, wanted: &Json) -> bool {
    match (&got["error"], &wanted["error"]) {
        (Json::String(got), Json::String(wanted)) => got == wanted,
        _ => value(got) == value(wanted) && text_of(&value(got)) == text_of(&value(wanted)),
    }
}

/// The vectors' way of writing what JSON cannot say, as the nearest that normc has.
fn value(json: &Json) -> Value {
    Value::from_data_json(&plain(json))
}

fn cell(json: &Json) -> Value {
    Value::from_plan_json(&plain(json))
}

fn plain(json: &Json) -> Json {
    match json {
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(map) if map.len() == 1 && map.keys().all(|k| k.starts_with('$')) => {
            let (key, inner) = map.iter().next().unwrap();
            match key.as_str() {
                "$float" => float(inner.as_str().unwrap()),
                "$int" => serde_json::from_str(inner.as_str().unwrap()).unwrap(),
                "$tuple" => plain(inner),
                "$dict" => {
                    let entry = |pair: &Json| (text_of(&value(&pair[0])), plain(&pair[1]));
                    Json::Object(inner.as_array().unwrap().iter().map(entry).collect())
                }
                _ => json.clone(),
            }
        }
        Json::Object(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), plain(v))).collect()),
        other => other.clone(),
    }
}

/// NaN and the infinities never reach normc as values; the rule for their text is checked all the same.
fn float(text: &str) -> Json {
    Json::Number(match text {
        "inf" => serde_json::Number::from_string_unchecked("1e999".to_owned()),
        "-inf" => serde_json::Number::from_string_unchecked("-1e999".to_owned()),
        "nan" => serde_json::Number::from_string_unchecked("nan".to_owned()),
        text => serde_json::from_str(text).unwrap(),
    })
}

#[test]
fn the_vectors_own_conventions_are_read() {
    assert_eq!(value(&json!({"$float": "1.0"})).to_json().to_string(), "1.0");
    assert_eq!(value(&json!({"$tuple": [1, {"$dict": [[1, 2]]}]})).to_json(), json!([1, {"1": 2}]));
    assert!(
        matches!(value(&json!({"$int": "99999999999999999999"})), Value::Number(n) if n == Number::from(&"99999999999999999999".parse().unwrap()))
    );
    assert!(!agrees(&json!({"error": "a"}), &json!({"error": "b"})));
    assert!(!agrees(&json!({"value": 1}), &json!({"value": 1.5})));
    assert!(!agrees(&json!({"value": 1}), &json!({"value": 1.0})));
}
