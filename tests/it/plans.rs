//! Every runnable plan, run by the program itself: exit code, final values, skips and counts as the `expected.json`
//! beside the plan says. A field that is absent there is not checked.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Map, Value as Json, json};

use crate::support::{program, python_missing};

/// Runs the program with these arguments in a folder.
pub(crate) fn normc(folder: &Path, arguments: &[&str]) -> Output {
    let mut output = program(folder).args(arguments).output().unwrap();
    // How far a run has come is told once it takes seconds, which depends on the machine.
    if !arguments.contains(&"--verbose") {
        let lines = output.stderr.split_inclusive(|b| *b == b'\n');
        output.stderr =
            lines.filter(|line| !is_progress(&String::from_utf8_lossy(line))).collect::<Vec<_>>().concat();
    }
    output
}

/// `3 of 5 inferences, 2.1 s: ..`, and `1.2 {name} failed: ..` while others run on.
fn is_progress(line: &str) -> bool {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let words: Vec<&str> = line.splitn(5, ' ').collect();
    if let [done, "of", all, "inferences,", _] = words.as_slice() {
        return is_number(done) && is_number(all);
    }
    let step = words.first().and_then(|w| w.split(['.', '[']).next()).unwrap_or("");
    is_number(step) && line.contains(" failed: ") && !line.contains('│')
}

#[test]
fn progress_is_told_from_the_rest() {
    assert!(is_progress("3 of 5 inferences, 2.1 s: 1.2 {x}\n") && is_progress("1.2[3] {x y} failed: no\n"));
    for line in ["3 of 5", "run failed: no\n", " 1 │ <- {x} failed: no\n", "1 inference, 2 concepts\n", ""]
    {
        assert!(!is_progress(line), "{line}");
    }
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
            // Nobody is here to be asked.
            total += 1;
            let inputs = run["inputs"].as_str();
            let name =
                format!("{}/{plan} {}", folder.file_name().unwrap().to_string_lossy(), inputs.unwrap_or(""));
            let said = |how: &str, wrong: Vec<String>| {
                wrong.into_iter().map(|w| format!("{name} {how}: {w}")).collect::<Vec<_>>()
            };
            failures.extend(said("", check(&folder, plan, run, &[])));
            // What models replied is recorded beside the plan; a replay gives the same and asks nobody.
            if folder.join(plan).with_extension("cassette.jsonl").is_file() {
                let replay = ["--cassette", "replay", "--deny-net"];
                failures.extend(said("replayed", check(&folder, plan, run, &replay)));
            }
        }
    }
    println!("plans: {total} runs");
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn check(folder: &Path, plan: &str, expected: &Json, more: &[&str]) -> Vec<String> {
    let mut arguments = vec!["exec", plan, "--json", "--quiet"];
    for option in ["inputs", "answers"] {
        if let Some(file) = expected[option].as_str() {
            arguments.extend([if option == "inputs" { "--inputs" } else { "--answers" }, file]);
        }
    }
    arguments.extend(more);
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
