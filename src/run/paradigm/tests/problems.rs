//! What is wrong with paradigm files, found when they are read.

use serde_json::{Value as Json, json};

use super::super::{Paradigm, Problem};

fn code(name: &str, code: &str) -> Json {
    json!({"affordance_name": name, "call_code": code})
}

/// A paradigm with a few methods at hand and this plan.
fn document(plan: Json) -> Json {
    let step = |i: usize, affordance: &str, key: &str| json!({"step_index": i, "affordance": affordance, "params": {}, "result_key": key});
    json!({
        "metadata": {"description": "d"},
        "env_spec": {"tools": [
            {"tool_name": "formatter_tool", "affordances": [
                code("get", "result = tool.get"), code("wrap", "result = tool.wrap"),
            ]},
            {"tool_name": "file_system", "affordances": [code("exists", "result = tool.exists"), code("save", "result = tool.save")]},
            {"tool_name": "composition_tool", "affordances": [
                code("compose", "result = tool.compose(plan=params['plan'], return_key=params.get('return_key'))"),
            ]},
        ]},
        "sequence_spec": {"steps": [
            step(1, "formatter_tool.get", "get"),
            step(2, "formatter_tool.wrap", "wrap"),
            step(3, "file_system.exists", "exists"),
            step(4, "file_system.save", "save"),
            {"step_index": 9, "affordance": "composition_tool.compose", "params": {"plan": plan, "return_key": "out"}, "result_key": "instruction_fn"},
        ]},
    })
}

fn call(output: &str, function: &str, params: Json, literals: Json) -> Json {
    json!({
        "output_key": output, "function": {"__type__": "MetaValue", "key": function},
        "params": params, "literal_params": literals,
    })
}

fn problems(document: &Json) -> Vec<Problem> {
    Paradigm::read("p", &document.to_string()).err().unwrap_or_default()
}

/// The first problem of a document, which must be of this kind and say all this.
#[track_caller]
fn check(document: &Json, kind: &str, says: &[&str]) {
    let found = problems(document);
    let first = found.first().unwrap_or_else(|| panic!("no problem in {document}"));
    let all = format!("{} | {}", first.message, first.help.as_deref().unwrap_or("no help"));
    assert_eq!(first.kind, kind, "{all}");
    for word in says.iter().chain(&["`p`"]) {
        assert!(all.contains(word), "{all}\ndoes not say {word}");
    }
    assert!(!all.ends_with("no help") || kind == "bad_paradigm", "{all}");
}

fn good() -> Json {
    document(json!([call("out", "wrap", json!({"data": "__initial_input__"}), json!({}))]))
}

#[test]
fn a_good_one_has_none() {
    assert_eq!(problems(&good()), []);
}

#[test]
fn files_that_are_no_paradigms() {
    for (text, says) in [
        ("", "not JSON"),
        ("[]", "is not an object"),
        ("{}", "`metadata` is missing"),
        ("{\"metadata\": {}, \"metadata\": {}}", "twice"),
        (&"[".repeat(5000), "recursion limit"),
        (&" ".repeat((1 << 20) + 1), "larger than"),
    ] {
        let found = Paradigm::read("p", text).unwrap_err();
        assert!(found[0].message.contains(says), "{}", found[0].message);
        assert_eq!(found[0].kind, "bad_paradigm");
    }
}

#[test]
fn every_problem_names_step_and_key() {
    let mut bad = good();
    bad["env_spec"]["tools"][0]["affordances"][0]["call_code"] = json!("result = open('x')");
    check(&bad, "unsupported_call_code", &["formatter_tool.get", "open('x')", "result = tool.METHOD"]);

    let mut bad = good();
    bad["env_spec"]["tools"][0]["affordances"][1]["call_code"] = json!("result = tool.wrp");
    check(
        &bad,
        "unsupported_affordance",
        &["step 2", "formatter_tool.wrp", "did you mean `formatter_tool.wrap`?"],
    );

    let mut bad = good();
    bad["sequence_spec"]["steps"][0]["affordance"] = json!("formatter_tool.gte");
    check(&bad, "unsupported_affordance", &["step 1", "did you mean `formatter_tool.get`?"]);

    let mut bad = good();
    bad["env_spec"]["tools"][1]["affordances"][0]["call_code"] = json!("result = tool.exists(params['p'])");
    check(&bad, "bad_arguments", &["step 3", "`p`"]);
    bad["sequence_spec"]["steps"][2]["params"] = json!({"p": "x"});
    check(&bad, "unsupported_affordance", &["step 3", "file_system.exists", "result = tool.exists"]);

    let mut bad = good();
    bad["sequence_spec"]["steps"][4]["result_key"] = json!("fn");
    check(&bad, "paradigm_gives_no_function", &["instruction_fn"]);

    let mut bad = good();
    bad["sequence_spec"]["steps"][4]["params"]["return_key"] = json!("oout");
    check(&bad, "missing_return_key", &["`oout`", "did you mean `out`?"]);
}

#[test]
fn plans_are_checked_before_they_run() {
    let out = |function: &str, params: Json, literals: Json| {
        document(json!([call("out", function, params, literals)]))
    };
    check(
        &out("wrp", json!({}), json!({})),
        "unknown_meta_key",
        &["plan step 1 (`out`)", "did you mean `wrap`?"],
    );
    check(&out("states.verticl", json!({}), json!({})), "unknown_meta_key", &["states.vertical"]);
    check(&out("wrap", json!({"data": "zz"}), json!({})), "missing_context_key", &["plan step 1", "`zz`"]);
    check(&out("wrap", json!({"data": 5}), json!({})), "bad_arguments", &["`data`", "literal_params"]);
    check(
        &out("wrap", json!({}), json!({"nope": 1})),
        "bad_arguments",
        &["formatter_tool.wrap", "`nope`", "`data`, `type`"],
    );
    check(&out("wrap", json!({}), json!({})), "bad_arguments", &["needs the argument `data`"]);
    let twice =
        out("wrap", json!({"__positional__": "__initial_input__", "data": "__initial_input__"}), json!({}));
    check(&twice, "bad_arguments", &["`data` twice"]);
    let condition = |condition: Json| {
        let mut step = call("out", "wrap", json!({"data": "__initial_input__"}), json!({}));
        step["condition"] = condition;
        document(json!([step]))
    };
    check(
        &condition(json!({"key": "__initial_input__", "operator": "equals"})),
        "bad_condition",
        &["`equals`", "is_true"],
    );
    check(&condition(json!({"key": "zz", "operator": "is_true"})), "bad_condition", &["`zz`"]);
    check(&condition(json!("x")), "bad_condition", &["is not an object"]);
    check(&document(json!([])), "missing_return_key", &["no steps"]);
    check(&document(json!({})), "bad_paradigm", &["`plan` is not a list"]);
}

/// A step under a condition on the key `there`.
fn when(mut step: Json, operator: &str) -> Json {
    step["condition"] = json!({"key": "there", "operator": operator});
    step
}

#[test]
fn keys_that_are_set_on_some_ways_only_are_remarked() {
    let there = call("there", "exists", json!({}), json!({"location": "x"}));
    let set = |key: &str, operator: &str| when(call(key, "wrap", json!({}), json!({"data": "x"})), operator);
    let remarks = |plan: Json| Paradigm::read("p", &document(plan).to_string()).unwrap().remarks().to_vec();
    assert_eq!(remarks(json!([there, set("out", "is_true"), set("out", "is_false")])), []);
    let found = remarks(json!([there, set("out", "is_true")]));
    assert_eq!((found.len(), found[0].kind), (1, "missing_return_key"));
    let same = when(call("out", "wrap", json!({"data": "a"}), json!({})), "is_true");
    let other = when(call("out", "wrap", json!({"data": "b"}), json!({})), "is_false");
    assert_eq!(remarks(json!([there, set("a", "is_true"), set("b", "is_false"), same, other])), []);
    let wrong =
        remarks(json!([there, set("a", "is_true"), call("out", "wrap", json!({"data": "a"}), json!({}))]));
    assert_eq!((wrong.len(), wrong[0].kind), (1, "missing_context_key"));
    // What is set anew between is looked at anew.
    let again = remarks(json!([there, set("out", "is_true"), there, set("out", "is_false")]));
    assert_eq!((again.len(), again[0].kind), (1, "missing_return_key"));
}

#[test]
fn names_are_compared_with_what_the_steps_do() {
    let remarks = |name: &str| Paradigm::read(name, &good().to_string()).unwrap().remarks().len();
    assert_eq!(remarks("h_Data-c_Wrap-o_Literal"), 0);
    assert_eq!(remarks("v_Prompt-h_Data-c_Wrap-o_Literal"), 1);
    assert_eq!(remarks("h_PromptTemplate_SavePath-c_Wrap-o_Literal"), 2);
    assert_eq!(remarks("anything"), 0);
    let mut odd = good();
    odd["sequence_spec"]["steps"][0]["static_params"] = json!({});
    let read = Paradigm::read("p", &odd.to_string()).unwrap();
    assert!(read.remarks()[0].message.contains("`static_params`"));
}

/// Thousands of keys, each set and looked at on another way, and thousands of problems: no work grows with their square.
#[test]
fn large_plans_are_checked_in_time() {
    let there = call("there", "exists", json!({}), json!({"location": "x"}));
    let mut plan = Vec::new();
    for i in 0..1500 {
        plan.push(there.clone());
        plan.push(when(call("out", "wrap", json!({"data": "there"}), json!({})), "is_true"));
        plan.push(when(
            call("k", "wrap", json!({"data": "out"}), json!({})),
            if i % 2 == 0 { "is_true" } else { "is_false" },
        ));
    }
    let read = Paradigm::read("p", &document(json!(plan)).to_string()).unwrap();
    assert!(read.remarks().len() > 700);
    let bad: Vec<Json> =
        (0..4000).map(|i| call(&format!("key_{i}"), &format!("fun_{i}"), json!({}), json!({}))).collect();
    assert!(problems(&document(json!(bad))).len() > 3900);
}
