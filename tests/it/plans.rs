//! Every runnable plan, run by the program itself: exit code, final values, skips and counts as the `expected.json`
//! beside the plan says. A field that is absent there is not checked.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Map, Value as Json, json};

use crate::support::{program, python_missing};

/// Runs the program with these arguments in a folder.
pub(crate) fn normc(folder: &Path, arguments: &[&str]) -> Output {
    program(folder).args(arguments).output().unwrap()
}

fn plans() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")
}

#[test]
fn every_plan_gives_what_it_says() {
    let mut failures = Vec::new();
    let mut total = 0;
    let no_python = python_missing("the plans with scripts");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(plans()).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let Ok(expected) = std::fs::read_to_string(folder.join("expected.json")) else { continue };
        let expected: Json = serde_json::from_str(&expected).unwrap();
        for run in expected["runs"].as_array().unwrap() {
            let plan = run["plan"].as_str().unwrap();
            let source = std::fs::read_to_string(folder.join(plan)).unwrap();
            if no_python && source.contains("%{script_location}") {
                continue;
            }
            total += 1;
            let inputs = run["inputs"].as_str();
            let name =
                format!("{}/{plan} {}", folder.file_name().unwrap().to_string_lossy(), inputs.unwrap_or(""));
            failures.extend(check(&folder, plan, inputs, run).into_iter().map(|w| format!("{name}: {w}")));
        }
    }
    println!("plans: {total} runs");
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn check(folder: &Path, plan: &str, inputs: Option<&str>, expected: &Json) -> Vec<String> {
    let mut arguments = vec!["exec", plan, "--json", "--quiet"];
    if let Some(inputs) = inputs {
        arguments.extend(["--inputs", inputs]);
    }
    let output = normc(folder, &arguments);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut wrong = Vec::new();
    let mut differ = |what: &str, got: Json, want: &Json| {
        if !want.is_null() && got != *want {
            wrong.push(format!("{what}: got {got}, want {want}\n{stderr}"));
        }
    };
    differ("exit", json!(output.status.code()), &expected["exit"]);
    if let Some(code) = expected["code"].as_str() {
        differ("code", json!(stderr.contains(code)), &json!(true));
    }
    let Ok(result) = serde_json::from_str::<Json>(&stdout) else { return wrong };
    differ("status", result["status"].clone(), &expected["status"]);
    differ("cycles", result["cycles"].clone(), &expected["cycles"]);
    differ("skipped", result["skipped"].clone(), &expected["skipped"]);
    if let Some(finals) = expected["finals"].as_object() {
        let got: Map<String, Json> =
            result["finals"].as_object().unwrap().iter().map(|(k, v)| (k.clone(), core_form(v))).collect();
        differ("finals", Json::Object(got), &Json::Object(finals.clone()));
    }
    let stuck: Vec<Json> =
        result["stuck"].as_array().into_iter().flatten().map(|s| s["flow_index"].clone()).collect();
    differ("stuck", Json::Array(stuck), &expected["stuck"]);
    for (flow, count) in expected["steps"].as_object().into_iter().flatten() {
        differ(&format!("steps of {flow}"), result["steps"][flow].clone(), count);
    }
    wrong
}

/// A printed final value with axes of length one dropped and signs unwrapped, read back from JSON.
fn core_form(value: &Json) -> Json {
    if value.is_null() {
        return Json::Null;
    }
    let tensor = normc::tensor::Tensor::from_plan_json(value).unwrap();
    crate::golden::core_form(&tensor)
}
