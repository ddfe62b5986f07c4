//! The workloads: plain graphs and the loop as repositories, the additions as source text. The same size always gives
//! the same bytes.

use std::path::Path;
use std::sync::Arc;

use normc::base::{FileId, SourceFile, SourceMap};
use normc::diag::Diagnostic;
use normc::repo::{self, Inputs, LowerOptions, Model, Repositories, load_two_files, two_file_document};
use normc::{engine, plan, syntax};

use serde_json::{Map, Value as Json, json};

/// A plan as the two files of its repositories.
pub(crate) struct Plan {
    pub(crate) concepts: String,
    pub(crate) inferences: String,
}

impl Plan {
    pub(crate) fn model(&self) -> Model {
        load_two_files(&self.concepts, &self.inferences).unwrap().model
    }

    /// The plan as a run is begun with it, its scripts under `base`.
    pub(crate) fn to_run(&self, base: &Path) -> engine::Plan {
        let document = two_file_document(&self.concepts, &self.inferences);
        engine::Plan::new(self.model(), Arc::from(document), Map::new(), "speed", "speed", base).unwrap()
    }
}

/// Writes entries one after the other, so that a plan of a million steps needs no tree of JSON values.
struct Writer {
    concepts: String,
    inferences: String,
}

impl Writer {
    fn new() -> Self {
        Self { concepts: "[".to_owned(), inferences: "[".to_owned() }
    }

    fn concept(&mut self, name: &str, fields: Json) {
        let kind = match name.chars().next() {
            Some('{') => "{}",
            Some('*') => "*every",
            Some('$') => "$.",
            _ => "::({})",
        };
        let mut entry = Map::new();
        entry.insert("concept_name".to_owned(), name.into());
        entry.insert("type".to_owned(), kind.into());
        entry.extend(object(fields));
        push(&mut self.concepts, &Json::Object(entry));
    }

    fn inference(&mut self, flow: &str, sequence: &str, infer: &str, values: &[&str], more: Json) {
        let mut entry = object(json!({
            "inference_sequence": sequence,
            "concept_to_infer": infer,
            "value_concepts": values,
            "flow_info": {"flow_index": flow},
        }));
        entry.extend(object(more));
        push(&mut self.inferences, &Json::Object(entry));
    }

    /// A pure step: it passes its first value on and waits for all of them.
    fn pass(&mut self, flow: &str, infer: &str, values: &[&str]) {
        let syntax = json!({"marker": ".", "assign_source": values[0], "assign_destination": infer});
        self.inference(
            flow,
            "assigning",
            infer,
            values,
            json!({"working_interpretation": {"syntax": syntax}}),
        );
    }

    fn end(mut self) -> Plan {
        self.concepts.push(']');
        self.inferences.push(']');
        Plan { concepts: self.concepts, inferences: self.inferences }
    }
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

fn push(list: &mut String, entry: &Json) {
    if list.len() > 1 {
        list.push(',');
    }
    list.push_str(&entry.to_string());
}

/// Ground data: one text of the plan's author.
fn given(axis: &str) -> Json {
    json!({"reference_data": ["%(7)"], "reference_axis_names": [axis]})
}

/// W1: every step needs the one before it.
pub(crate) fn chain(n: usize) -> Plan {
    let mut plan = Writer::new();
    plan.concept("{s 0}", given("s"));
    plan.concept("{result}", json!({"is_final_concept": true}));
    plan.pass("1", "{result}", &[&format!("{{s {n}}}")]);
    for i in 1..=n {
        let name = format!("{{s {i}}}");
        plan.concept(&name, json!({"axis_name": "s"}));
        plan.pass(&format!("1.{}", i + 1), &name, &[&format!("{{s {}}}", i - 1)]);
    }
    plan.end()
}

/// The inputs of each node of [`chain`].
pub(crate) fn chain_inputs(n: usize) -> Vec<Vec<usize>> {
    (0..n).map(|node| node.checked_sub(1).into_iter().collect()).collect()
}

/// W2: all steps need one input, and one step waits for all of them.
pub(crate) fn fan(n: usize) -> Plan {
    let mut plan = Writer::new();
    plan.concept("{s 0}", given("s"));
    plan.concept("{result}", json!({"is_final_concept": true}));
    let names: Vec<String> = (1..=n).map(|i| format!("{{s {i}}}")).collect();
    for (i, name) in names.iter().enumerate() {
        plan.concept(name, json!({"axis_name": "s"}));
        plan.pass(&format!("1.{}", i + 2), name, &["{s 0}"]);
    }
    let all: Vec<&str> = names.iter().rev().map(String::as_str).collect();
    plan.pass("1", "{result}", &all);
    plan.end()
}

/// The inputs of each node of [`fan`].
pub(crate) fn fan_inputs(n: usize) -> Vec<Vec<usize>> {
    let mut inputs = vec![Vec::new(); n];
    inputs.push((0..n).collect());
    inputs
}

/// The inputs of each node of W4: layers of about sqrt(n) nodes, each with 2 or 3 draws from the layer before.
pub(crate) fn layered(n: usize) -> Vec<Vec<usize>> {
    let width = (1..).find(|w| w * w >= n).unwrap_or(1);
    let mut state = 42_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let inputs = |node: usize| {
        let mut inputs = Vec::new();
        if let Some(layer) = (node / width).checked_sub(1) {
            for _ in 0..2 + draw(2) {
                let input = layer * width + draw(width);
                if !inputs.contains(&input) {
                    inputs.push(input);
                }
            }
        }
        inputs
    };
    (0..n).map(inputs).collect()
}

/// W4: a wide graph, see [`layered`].
pub(crate) fn wide(n: usize) -> Plan {
    let mut plan = Writer::new();
    plan.concept("{n 0}", given("n"));
    plan.concept("{result}", json!({"is_final_concept": true}));
    plan.pass("1", "{result}", &[&format!("{{n {n}}}")]);
    for (i, inputs) in layered(n).iter().enumerate() {
        let name = format!("{{n {}}}", i + 1);
        plan.concept(&name, json!({"axis_name": "n"}));
        let mut inputs: Vec<String> = inputs.iter().map(|j| format!("{{n {}}}", j + 1)).collect();
        if inputs.is_empty() {
            inputs.push("{n 0}".to_owned());
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        plan.pass(&format!("1.{}", i + 2), &name, &inputs);
    }
    plan.end()
}

/// W3: a loop over 1 to n with a carried sum; each round adds its element with a built-in.
pub(crate) fn summing_loop(n: usize) -> Plan {
    let mut plan = Writer::new();
    let numbers: Vec<String> = (1..=n).map(|i| format!("%({i})")).collect();
    plan.concept("{xs}", json!({"axis_name": "x", "reference_data": numbers, "reference_axis_names": ["x"]}));
    plan.concept("{xs}*1", json!({"axis_name": "current x"}));
    plan.concept(
        "{acc}*1",
        json!({"axis_name": "acc", "reference_data": ["%(0)"], "reference_axis_names": ["acc"]}),
    );
    plan.concept("{totals}", json!({"axis_name": "totals", "is_final_concept": true}));
    plan.concept("{sum}", json!({"axis_name": "sum"}));
    plan.concept(
        "action",
        json!({"reference_data": ["%{builtin}(add)"], "reference_axis_names": ["action"]}),
    );
    plan.concept("add", json!({"reference_data": ["::(add)"], "reference_axis_names": ["add"]}));
    plan.concept("*every({xs})", json!({}));
    let syntax = json!({
        "marker": "every", "quantifier_index": 1, "LoopBaseConcept": "{xs}", "CurrentLoopBaseConcept": "{xs}*1",
        "group_base": "x", "InLoopConcept": {"{acc}*1": 1}, "ConceptToInfer": ["{totals}"],
    });
    let more = json!({
        "function_concept": "*every({xs})", "context_concepts": ["{xs}*1", "{acc}*1"],
        "working_interpretation": {"syntax": syntax},
    });
    plan.inference("1", "quantifying", "{totals}", &["{xs}"], more);
    plan.pass("1.1", "*every({xs})", &["{sum}"]);
    let order = json!({"{xs}*1": 1, "{acc}*1": 2, "action": 3});
    let more = json!({"function_concept": "add", "working_interpretation": {"value_order": order}});
    plan.inference("1.1.2", "imperative_python", "{sum}", &["{xs}*1", "{acc}*1", "action"], more);
    plan.pass("1.1.3", "{acc}*1", &["{sum}"]);
    plan.end()
}

/// The script of W5, and where it stands.
pub(crate) const SCRIPT: &str = "result = int(input_1) % 10\n";
pub(crate) const SCRIPT_PATH: &str = "scripts/last_digit.py";

/// W5: n steps with a script that need nothing of each other, and one that waits for all of them.
pub(crate) fn scripts(n: usize) -> Plan {
    let mut plan = Writer::new();
    plan.concept("{result}", json!({"is_final_concept": true}));
    let action = json!({
        "reference_data": [format!("%{{script_location}}({SCRIPT_PATH})")],
        "reference_axis_names": ["action"],
    });
    plan.concept("action", action);
    plan.concept("last digit", json!({"reference_data": ["::(last digit)"], "reference_axis_names": ["f"]}));
    let names: Vec<String> = (1..=n).map(|i| format!("{{s {i}}}")).collect();
    for (i, name) in names.iter().enumerate() {
        let number = format!("{{x {}}}", i + 1);
        let data = [format!("%({})", (i + 1) * 37)];
        plan.concept(&number, json!({"reference_data": data, "reference_axis_names": ["x"]}));
        plan.concept(name, json!({"axis_name": "s"}));
        let order = json!({number.as_str(): 1, "action": 2});
        let more =
            json!({"function_concept": "last digit", "working_interpretation": {"value_order": order}});
        let flow = format!("1.{}", i + 2);
        plan.inference(&flow, "imperative_python", name, &[&number, "action"], more);
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    plan.pass("1", "{result}", &all);
    plan.end()
}

/// W7: the addition with scripts; they stand beside it.
pub(crate) const ADDITION_SCRIPTS: &str = include_str!("../../plans/addition/addition.nc");
pub(crate) const ADDITION_BASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/addition");

/// [`ADDITION_SCRIPTS`] with two numbers of so many digits, as a run is begun with it.
pub(crate) fn addition_to_run(digits: usize) -> engine::Plan {
    let (map, file) = source_map(ADDITION_SCRIPTS);
    let repositories = lower(&map, file, ADDITION_SCRIPTS);
    let mut model = repo::load(&repositories).unwrap().model;
    let mut inputs = Inputs::default();
    inputs.add_file(&json!({"{number pair}": {"data": [two_numbers(digits)]}}).to_string()).unwrap();
    inputs.apply(&mut model).unwrap();
    let given = inputs.settled(&model);
    let document = Arc::from(repositories.write());
    engine::Plan::new(model, document, given, "addition", "addition.nc", Path::new(ADDITION_BASE)).unwrap()
}

/// A source text as a file.
pub(crate) fn source_map(source: &str) -> (SourceMap, FileId) {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("plan.nc", source.to_owned()));
    (map, file)
}

/// Source text to the model a run is built from.
pub(crate) fn compile(map: &SourceMap, file: FileId, source: &str) -> Model {
    repo::load(&lower(map, file, source)).unwrap().model
}

fn lower(map: &SourceMap, file: FileId, source: &str) -> Repositories {
    let (tree, mut diagnostics) = syntax::parse(file, source, None);
    let (plan, resolved) = plan::resolve(&tree);
    diagnostics.extend(resolved);
    let lowered = repo::lower(&plan, map, &diagnostics, &LowerOptions::default());
    diagnostics.extend(lowered.diagnostics);
    assert!(!diagnostics.iter().any(Diagnostic::is_error), "a workload does not compile");
    lowered.repositories
}

/// W7: the addition with built-ins, as it stands in the plans folder.
pub(crate) const ADDITION: &str = include_str!("../../plans/addition/addition_builtin.nc");

/// Two numbers of so many digits, as start data of [`ADDITION`].
pub(crate) fn two_numbers(digits: usize) -> [String; 2] {
    let number = |from: usize| (0..digits).map(|i| char::from(b'1' + ((i * 7 + from) % 9) as u8)).collect();
    [number(0), number(4)]
}

/// W6: source text of at least `lines` lines: copies of the addition under one root, each with names of its own.
pub(crate) fn many_additions(lines: usize) -> String {
    let block: Vec<&str> = ADDITION.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).collect();
    let mut text = "{all} | 1. grouping\n    <= &across({all})\n".to_owned();
    for copy in 0..lines.div_ceil(block.len()) {
        for (at, line) in block.iter().enumerate() {
            text.push_str(if at == 0 { "    <- " } else { "    " });
            text.push_str(&of_copy(line, copy));
            text.push('\n');
        }
    }
    text
}

/// A line of the addition with the number of its copy in every name and in its flow index.
fn of_copy(line: &str, copy: usize) -> String {
    let line = line.replace("number is 0>", &format!("number is 0 in {copy}>"));
    let line = line.replace("| 1.", &format!("| 1.{}.", copy + 2));
    let mut out = String::with_capacity(line.len() + 32);
    let mut rest = line.as_str();
    while let Some(open) = rest.find('{') {
        let (before, inside) = rest.split_at(open + 1);
        let end = inside.find([':', '}']).unwrap_or(inside.len());
        let (name, after) = inside.split_at(end);
        out.push_str(before);
        out.push_str(name);
        // `{1}` is a place and `%{builtin}` a word of the language.
        if name.starts_with(|c: char| c.is_ascii_lowercase()) && !before.ends_with("%{") {
            out.push_str(&format!(" {copy}"));
        }
        rest = after;
    }
    out + rest
}
