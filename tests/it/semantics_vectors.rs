//! Runs the semantics vectors: what they expect is `reference` where the policy is `match`, else `normc`.
//!
//! Reads `tests/vectors/semantics` and `<folder>/semantics` for each folder of `NORMC_VECTORS`. Operations that are not
//! implemented yet are counted apart, never as passed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and acts on the world"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use normc::base::{Number, Sign, Value, read_literal, smart_substitute, strip, substitute, text_of};
use normc::faculty::python::{Mode, Pool, PoolOptions, ScriptCall};
use serde_json::{Value as Json, json};

/// What came of one case.
enum Outcome {
    Passed,
    Failed(String),
    NotCovered(String),
}

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
    let scripts = Scripts::new();
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

fn run(stem: &str, case: &Json, scripts: Option<&Scripts>) -> Outcome {
    let op = case["op"].as_str().unwrap_or("-");
    let wanted = if case["policy"] == "match" { &case["reference"] } else { &case["normc"] };
    let got = match (stem, op) {
        ("pyvalues", "str") => Json::String(text_of(&value(&case["value"]))),
        ("pyvalues", "literal") => match read_literal(case["text"].as_str().unwrap()) {
            Some(value) => json!({"ok": value.to_json()}),
            None => json!({"fail": true}),
        },
        ("signs", "parse") => parse(case["input"].as_str().unwrap()),
        ("signs", "strip") => strip(&cell(&case["input"])).to_json(),
        ("signs", "print") => print(case),
        ("templates", "substitute") => {
            let vars = Value::from_data_json(&plain(&case["vars"]));
            Json::String(substitute(case["template"].as_str().unwrap(), &|name| lookup(&vars, name)))
        }
        ("templates", "substitute_in_vars") => substitute_in_vars(&value(&case["vars"])),
        ("templates", "smart_substitute") => {
            let Value::Map(vars) = value(&case["vars"]) else { panic!("vars are a map") };
            Json::String(smart_substitute(case["template"].as_str().unwrap(), &vars, "input_other"))
        }
        ("scripts", "execute" | "call_main") if !uses_tools(case) => match scripts {
            Some(scripts) => scripts.run(op, case),
            None => return Outcome::NotCovered(format!("{stem} {op}, no python3 on this machine")),
        },
        _ => return Outcome::NotCovered(format!("{stem} {op}")),
    };
    if agrees(&got, wanted) {
        Outcome::Passed
    } else {
        Outcome::Failed(format!("expected {wanted}, got {got}"))
    }
}

/// Whether a script works with the tools of the body rather than only being handed it.
fn uses_tools(case: &Json) -> bool {
    case["code"].as_str().is_some_and(|code| code.contains("body."))
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

fn lookup(vars: &Value, name: &str) -> Option<String> {
    let Value::Map(map) = vars else { return None };
    map.get(name).map(text_of)
}

fn substitute_in_vars(vars: &Value) -> Json {
    match lookup(vars, "prompt_template") {
        None => json!({"error": "missing_template", "about": "prompt_template"}),
        Some(template) => {
            let others = |name: &str| if name == "prompt_template" { None } else { lookup(vars, name) };
            Json::String(substitute(&template, &others))
        }
    }
}

/// The scripts' interpreter, when there is one.
struct Scripts(Pool, #[allow(dead_code, reason = "the folder lives as long as the pool")] tempfile::TempDir);

impl Scripts {
    fn new() -> Option<Self> {
        Command::new("python3").arg("--version").output().ok()?;
        let folder = tempfile::tempdir().unwrap();
        Some(Self(Pool::new(PoolOptions { workers: 1, ..PoolOptions::new(folder.path()) }), folder))
    }

    fn run(&self, op: &str, case: &Json) -> Json {
        let code = case["code"].as_str().unwrap();
        let (mode, inputs) =
            if op == "execute" { (Mode::Execute, &case["inputs"]) } else { (Mode::Call, &case["params"]) };
        let inputs: Vec<_> =
            inputs.as_object().unwrap().iter().map(|(k, v)| (Arc::from(k.as_str()), value(v))).collect();
        let hash = Arc::from(code);
        let call = ScriptCall {
            path: "<string>",
            code,
            hash: &hash,
            mode,
            inputs: &inputs,
            timeout: None,
            identity: None,
        };
        match self.0.call(&call) {
            Err(failure) => {
                // Every `about` of these cases is Python's own message, which is passed on.
                let about = case["normc"]["about"].as_str().unwrap_or("");
                if !failure.message.contains(about) {
                    return json!({"error": format!("{}, not about {about}: {failure}", failure.kind)});
                }
                json!({"error": failure.kind.as_str()})
            }
            Ok(answer) if op == "execute" => json!({"value": answer.value.to_json()}),
            Ok(answer) => json!({"value": answer.value.to_json(), "files": {}}),
        }
    }
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
