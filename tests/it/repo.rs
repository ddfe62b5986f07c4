//! Repositories: loading of every known file, the bundle's forms and round trips, inputs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test reads its fixtures and fails by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use normc::diag::{Code, Diagnostic};
use normc::repo::{Inputs, Loaded, Repositories, Work, json, load, missing_inputs};
use serde_json::{Value as Json, json};

use crate::measure::{alone, assert_linear};
use crate::support::snapshots;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repos")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn pair(stem: &str) -> Repositories {
    Repositories::from_two_files(
        &text(&format!("{stem}.concept.json")),
        &text(&format!("{stem}.inference.json")),
    )
    .unwrap()
}

fn stems() -> Vec<String> {
    let names = fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut stems: Vec<String> =
        names.filter_map(|n| n.strip_suffix(".concept.json").map(str::to_owned)).collect();
    stems.sort();
    stems
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().fold(String::new(), |mut out, d| {
        writeln!(out, "{} {}: {}", d.severity.word(), d.code, d.message).unwrap();
        if let Some(help) = &d.help {
            writeln!(out, "    {help}").unwrap();
        }
        out
    })
}

fn snapshot(name: &str, value: &str) {
    snapshots("repo").bind(|| insta::assert_snapshot!(name, value));
}

/// Every pair in the folder, with what loading says about it.
#[test]
fn all_known_repositories() {
    let stems = stems();
    assert!(stems.len() >= 17, "only {} pairs", stems.len());
    let mut out = String::new();
    for stem in &stems {
        match load(&pair(stem)) {
            Ok(Loaded { model, warnings }) => {
                writeln!(
                    out,
                    "== {stem}: {} concepts, {} inferences",
                    model.concepts.len(),
                    model.inferences.len()
                )
                .unwrap();
                out.push_str(&lines(&warnings));
            }
            Err(problems) => {
                writeln!(out, "== {stem}: rejected").unwrap();
                out.push_str(&lines(&problems));
            }
        }
    }
    snapshot("known_repositories", &out);
}

/// Splitting what was read gives the arrays back, through the bundle or not.
#[test]
fn forms_round_trip() {
    for stem in stems() {
        let read = pair(&stem);
        let bundle = read.write();
        let again = Repositories::read(&bundle).unwrap();
        assert_eq!(again, read, "{stem}");
        assert_eq!(again.write(), bundle, "{stem}");
        let split = again.split();
        assert_eq!(
            json::read(&split.concepts).unwrap(),
            json::read(&text(&format!("{stem}.concept.json"))).unwrap()
        );
        assert_eq!(
            json::read(&split.inferences).unwrap(),
            json::read(&text(&format!("{stem}.inference.json"))).unwrap()
        );
        assert_eq!(Repositories::from_two_files(&split.concepts, &split.inferences).unwrap(), read, "{stem}");
    }
}

#[test]
fn unknown_keys_and_spelling_survive() {
    let bundle = r#"{
        "normc_bundle": 1, "future": {"a": 1.50},
        "plan": {"name": "p", "generation": 1, "dialect": null, "base": ".", "roots": [], "mood": "good"},
        "spans": {"concepts": {"{a}": [[0, 1, 2, 3, 4]]}, "inferences": {"1": {"target": [0, 1, 0, 1, 3], "odd": true}}},
        "concepts": [{"type": "{}", "concept_name": "{a}", "own": 12345678901234567890.50, "reference_data": null}],
        "inferences": []
    }"#;
    let read = Repositories::read(bundle).unwrap();
    let written = json::read(&read.write()).unwrap();
    assert_eq!(written["future"].to_string(), r#"{"a":1.50}"#);
    assert_eq!(written["plan"]["mood"], "good");
    assert_eq!(written["spans"]["inferences"]["1"]["odd"], true);
    assert_eq!(
        written["concepts"][0].to_string(),
        r#"{"type":"{}","concept_name":"{a}","own":12345678901234567890.50,"reference_data":null}"#
    );
    assert_eq!(Repositories::read(&read.write()).unwrap(), read);
}

#[test]
fn a_changed_bundle_names_the_array() {
    let bundle = pair("211_saved_add").write();
    let problem =
        Repositories::read(&bundle.replacen("\"{remainder}?\": 1", "\"{remainder}?\": 2", 1)).unwrap_err();
    assert_eq!(problem.code, Code::NC110);
    assert_eq!(problem.message, "the bundle's `inferences` were changed after it was written");
    let problem =
        Repositories::read(&bundle.replacen("the addition result", "an addition result", 1)).unwrap_err();
    assert_eq!(problem.message, "the bundle's `concepts` were changed after it was written");
    // What is in no digest may change.
    assert!(Repositories::read(&bundle.replacen("\"base\": \".\"", "\"base\": \"plans\"", 1)).is_ok());
}

#[test]
fn bad_bundles() {
    for (text, code, message) in [
        ("", Code::NC100, "the bundle is not JSON: EOF while parsing a value (line 1, column 0)"),
        ("[]", Code::NC100, "the bundle does not have the right form: it must be an object, not a list"),
        ("{}", Code::NC100, "the bundle does not have the right form: `normc_bundle` is missing"),
        ("{\"normc_bundle\": 2}", Code::NC109, "the bundle has version 2, this program reads up to 1"),
        (
            "{\"normc_bundle\": \"1\"}",
            Code::NC100,
            "the bundle does not have the right form: `normc_bundle` must be 1, not `\"1\"`",
        ),
        (
            "{\"normc_bundle\": 1, \"concepts\": [1]}",
            Code::NC100,
            "`concepts` of the bundle does not have the right form: entry 1 must be an object, not a number",
        ),
        (
            "{\"normc_bundle\": 1, \"concepts\": [], \"inferences\": [], \"spans\": {\"concepts\": {\"{a}\": [[1, 2]]}}}",
            Code::NC100,
            "the bundle does not have the right form: `{a}` of `spans` must be a place (five numbers), not a list",
        ),
    ] {
        let problem = Repositories::read(text).unwrap_err();
        assert_eq!((problem.code, problem.message.as_str()), (code, message), "{text}");
    }
}

fn plan(concepts: Json, inferences: Json) -> Result<Loaded, Vec<Diagnostic>> {
    load(&Repositories::from_two_files(&concepts.to_string(), &inferences.to_string()).unwrap())
}

/// One bad plan, many problems: all are found in one pass.
#[test]
fn every_problem_in_one_pass() {
    let concepts = json!([
        {"concept_name": "{a}", "type": "{}", "is_ground_concept": true, "reference_data": [1], "reference_axis_names": ["x", "y"]},
        {"concept_name": "{a}", "type": "{}"},
        {"concept_name": "{b}", "type": "{}}"},
        {"type": "{}"},
        {"concept_name": 7, "type": "{}"},
        {"concept_name": "<c>", "type": "<>", "is_final_concept": "yes"},
        {"concept_name": "f", "type": "::({})"},
        {"concept_name": "g", "type": "@if"},
        {"concept_name": "{total}", "type": "{}"}
    ]);
    let semantic = |index: &str, sequence: &str, interpretation: Json| {
        json!({"flow_info": {"flow_index": index}, "inference_sequence": sequence, "concept_to_infer": "{b}",
               "function_concept": "f", "value_concepts": ["{a}"], "working_interpretation": interpretation})
    };
    let inferences = json!([
        semantic("1", "imperativ", json!({})),
        semantic("2", "imperative_in_composition", json!({"value_order": {"{a}": "one"}})),
        semantic("2", "imperative", json!({})),
        semantic("2.x", "imperative", json!({})),
        {"inference_sequence": "output", "concept_to_infer": "{b}", "flow_info": {}},
        semantic("3", "output", json!({})),
        semantic("4", "imperative", json!({"value_selector": {}})),
        semantic("5", "imperative", json!({"value_selectors": {"{a}": {"indx": 1, "key": 3}}, "timeout": -1})),
        semantic("6", "judgement_in_composition", json!({"paradigm": "p", "assertion_condition": {"quantifiers": {"axis": "any"}}})),
        semantic("7", "assigning", json!({"syntax": {"marker": ".", "assign_source": "{totl}"}})),
        semantic("8", "assigning", json!({"syntax": {"marker": ".", "assign_source": "{b}"}})),
        semantic("9", "assigning", json!({"syntax": {"marker": "?"}})),
        semantic("10", "grouping", json!({"syntax": {"marker": "across", "by_axes": ["a", []]}})),
        semantic("11", "timing", json!({"syntax": {"marker": "if"}})),
        semantic("12", "looping", json!({"syntax": {"marker": "every", "LoopBaseConcept": "{a}", "ConceptToInfer": [], "InLoopConcept": {"{b}": -1}}})),
        semantic("13", "imperative", json!([1])),
        semantic("14", "imperative", json!({})),
        {"flow_info": {"flow_index": "14.1"}, "inference_sequence": "timing", "concept_to_infer": "g",
         "function_concept": "g", "working_interpretation": {"syntax": {"marker": "if", "condition": "<c>"}}}
    ]);
    snapshot("every_problem", &lines(&plan(concepts, inferences).unwrap_err()));
}

#[test]
fn defaults_are_filled_in() {
    let concepts = json!([
        {"concept_name": "{xs}", "type": "{}", "is_ground_concept": true, "reference_data": "one"},
        {"concept_name": "{xs}*", "type": "{}"},
        {"concept_name": "{ys}", "type": "{}", "is_final_concept": true},
        {"concept_name": "{acc}*1", "type": "{}", "is_ground_concept": true},
        {"concept_name": "{y}", "type": "{}"},
        {"concept_name": "*every", "type": "*."},
        {"concept_name": "$.", "type": "$."},
        {"concept_name": "::(do)", "type": "::({})"}
    ]);
    let inferences = json!([
        {"flow_info": {"flow_index": "1.10"}, "inference_sequence": "judgement", "concept_to_infer": "{y}",
         "function_concept": "::(do)", "value_concepts": ["{xs}*", "{acc}*1", "{xs}*"],
         "working_interpretation": {"::(do)": {"value_order": {"{acc}*1": 2, "{xs}*": 1}, "condition": "True"}}},
        {"flow_info": {"flow_index": "1.2"}, "inference_sequence": "assigning", "concept_to_infer": "*every",
         "function_concept": "$.", "value_concepts": ["{y}"],
         "working_interpretation": {"syntax": {"marker": ".", "assign_source": ["{y}"], "assign_destination": "*every"}}},
        {"flow_info": {"flow_index": "1"}, "inference_sequence": "looping", "concept_to_infer": "{ys}",
         "function_concept": "*every", "value_concepts": ["{xs}"], "context_concepts": ["{xs}*", "{acc}*1"],
         "start_without_value_only_once": false,
         "working_interpretation": {"syntax": {"marker": "every", "LoopBaseConcept": "{xs}", "ConceptToInfer": ["{ys}"],
            "InLoopConcept": {"{acc}": {"current_name": "{acc}*1"}}}}}
    ]);
    let model = plan(concepts, inferences).unwrap().model;
    let indices: Vec<String> = model.inferences.iter().map(|i| i.flow.to_string()).collect();
    assert_eq!(indices, ["1", "1.2", "1.10"]);
    assert_eq!(model.concepts[0].data, Some(json!(["one"])));
    assert_eq!(&*model.concepts[0].axis_name, "xs");
    let Work::Looping(looping) = &model.inferences[0].work else { panic!() };
    assert_eq!(
        (looping.number, looping.element.0, looping.carried[0].concept.0, looping.carried[0].lag),
        (0, 1, 3, 1)
    );
    let start = model.inferences[0].start;
    assert!(!start.without_value_once && start.without_function_once && start.without_support_once);
    let Work::Semantic(judgement) = &model.inferences[2].work else { panic!() };
    assert_eq!(judgement.order.iter().map(|c| c.0).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(judgement.condition, Some(json!("True")));
    assert_eq!(model.inferences[2].values.len(), 2);
    let missing = missing_inputs(&model);
    assert_eq!(missing.len(), 1);
    assert!(missing[0].concept.0 == 3 && missing[0].carried);
}

/// The plans of recorded runs, wherever they are.
#[test]
fn golden_plans_load() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let more = std::env::var("NORMC_GOLDEN").unwrap_or_default();
    let folders = std::iter::once(own).chain(more.split(':').filter(|f| !f.is_empty()).map(PathBuf::from));
    let (mut passed, mut total) = (0, 0);
    for folder in folders.filter(|f| f.is_dir()) {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let golden: Json = json::read(&fs::read_to_string(&path).unwrap()).unwrap();
            for (label, plan) in golden["plans"].as_object().unwrap() {
                total += 1;
                let read = Repositories::from_two_files(
                    &plan["concepts"].to_string(),
                    &plan["inferences"].to_string(),
                )
                .unwrap();
                let mut model =
                    load(&read).unwrap_or_else(|p| panic!("{path:?} {label}:\n{}", lines(&p))).model;
                let mut inputs = Inputs::default();
                inputs.add_file(&plan["inputs"].to_string()).unwrap();
                inputs.apply(&mut model).unwrap_or_else(|p| panic!("{path:?} {label}:\n{}", lines(&p)));
                passed += 1;
            }
        }
    }
    println!("golden plans: {passed}/{total}");
}

#[test]
fn bench_plan_loads_with_its_inputs() {
    let read = Repositories::from_two_files(
        &text("bench_w3_20.concepts.json"),
        &text("bench_w3_20.inferences.json"),
    )
    .unwrap();
    let mut model = load(&read).unwrap().model;
    let mut inputs = Inputs::default();
    inputs.add_file(&text("bench_w3_20.inputs.json")).unwrap();
    assert_eq!(lines(&inputs.apply(&mut model).unwrap()), "");
    assert_eq!(missing_inputs(&model), []);
}

/// Each inputs file of the folder with the plan it was written for.
#[test]
fn known_inputs_fit_their_plans() {
    for (inputs_file, stem) in [
        ("238_saved_add_inputs.inputs.json", "211_saved_add"),
        ("239_iteration_8_inputs.inputs.json", "215_iteration_8"),
        ("241_iteration_8_tests_inputs_test_01.inputs.json", "215_iteration_8"),
        ("251_iteration_10_inputs.inputs.json", "226_iteration_10"),
    ] {
        let mut model = load(&pair(stem)).unwrap_or_else(|p| panic!("{stem}:\n{}", lines(&p))).model;
        let mut inputs = Inputs::default();
        inputs.add_file(&text(&format!("inputs/{inputs_file}"))).unwrap();
        if let Err(problems) = inputs.apply(&mut model) {
            panic!("{inputs_file}:\n{}", lines(&problems));
        }
    }
}

fn set(settings: &[&str]) -> Result<normc::repo::Model, String> {
    let mut model = load(&pair("211_saved_add")).unwrap().model;
    let mut inputs = Inputs::default();
    for setting in settings {
        inputs.add_setting(setting).map_err(|d| lines(&[*d]))?;
    }
    inputs.apply(&mut model).map_err(|d| lines(&d))?;
    Ok(model)
}

#[test]
fn settings_find_their_concept() {
    for (setting, name, data) in [
        ("{number pair}=[[1, 2]]", "{number pair}", json!([[1, 2]])),
        ("{ number  pair }=[[1]]", "{number pair}", json!([[1]])),
        ("number pair=[[1]]", "{number pair}", json!([[1]])),
        ("{number pair}<$={1}>=[[1]]", "{number pair}", json!([[1]])),
        ("{number pair}={\"data\": [[1]], \"axes\": [\"a\", \"b\"]}", "{number pair}", json!([[1]])),
        ("{carry-over number}*1=3", "{carry-over number}*1", json!([3])),
        ("carry-over number*1=\"%(0)\"", "{carry-over number}*1", json!(["%(0)"])),
        ("<all number is 0>=true", "<all number is 0>", json!([true])),
        ("{remainder}={\"a\": 1}", "{remainder}", json!([{"a": 1}])),
        ("{remainder}={\"data\": {\"a\": 1}}", "{remainder}", json!([{"a": 1}])),
    ] {
        let model = set(&[setting]).unwrap_or_else(|e| panic!("{setting}: {e}"));
        let concept = model.concepts.iter().find(|c| &*c.name == name).unwrap();
        assert_eq!(concept.data, Some(data), "{setting}");
    }
    let model = set(&["{number pair}={\"data\": [[1]], \"axes\": [\"a\"], \"_note\": 3}"]).unwrap();
    assert_eq!(model.concepts[0].axes.as_deref().map(|a| a.len()), Some(1));
}

#[test]
fn a_carried_concept_by_its_plain_name() {
    let concepts = text("bench_w3_20.concepts.json");
    let mut model =
        load(&Repositories::from_two_files(&concepts, &text("bench_w3_20.inferences.json")).unwrap())
            .unwrap()
            .model;
    for setting in ["{acc}=5", "acc=6", "{acc}*1=7"] {
        let mut inputs = Inputs::default();
        inputs.add_setting(setting).unwrap();
        inputs.apply(&mut model).unwrap_or_else(|p| panic!("{setting}: {}", lines(&p)));
        let data = model.concepts.iter().find(|c| &*c.name == "{acc}*1").unwrap().data.as_ref().unwrap();
        assert_eq!(data.to_string(), format!("[{}]", setting.split_once('=').unwrap().1));
    }
}

#[test]
fn bad_settings() {
    let mut out = String::new();
    for setting in [
        "{number pair}",
        "{number pair}=one two",
        "{number pear}=1",
        "remaindr=1",
        "nothing like it=1",
        "{number pair}=[1, 2]",
        "{number pair}={\"data\": [[1]], \"axes\": [\"a\", \"b\", \"c\"]}",
        "{number pair}={\"data\": [[1]], \"axes\": \"a\"}",
        "{number pair}={\"data\": [[1]], \"axis\": [\"a\"]}",
        "{number pair}={\"a\": 1, \"a\": 2}",
    ] {
        writeln!(out, "--set '{setting}'").unwrap();
        out.push_str(&set(&[setting]).map(|_| "accepted\n".to_owned()).unwrap_or_else(|e| e));
    }
    snapshot("bad_settings", &out);
}

/// Loading is near-linear.
#[test]
fn time_to_load_grows_with_the_entries() {
    if !alone("repo::time_to_load_grows_with_the_entries") {
        return;
    }
    let chain = |n: usize| {
        let concepts: Vec<Json> = (0..=n)
            .map(|i| json!({"concept_name": format!("{{s {i}}}"), "type": "{}", "is_ground_concept": i == 0, "reference_data": if i == 0 { json!([7]) } else { Json::Null }}))
            .chain([json!({"concept_name": "$.", "type": "$.", "is_ground_concept": true})])
            .collect();
        let inferences: Vec<Json> = (1..=n)
            .map(|i| json!({"flow_info": {"flow_index": format!("1.{i}")}, "inference_sequence": "assigning",
                "concept_to_infer": format!("{{s {i}}}"), "function_concept": "$.", "value_concepts": [format!("{{s {}}}", i - 1)],
                "working_interpretation": {"syntax": {"marker": ".", "assign_source": format!("{{s {}}}", i - 1)}}}))
            .collect();
        (n, Json::from(concepts).to_string(), Json::from(inferences).to_string())
    };
    assert_linear("entries, loaded", 8_000, chain, |(n, concepts, inferences)| {
        let read = Repositories::from_two_files(concepts, inferences).unwrap();
        assert_eq!(load(&read).unwrap().model.inferences.len(), *n);
    });
}
