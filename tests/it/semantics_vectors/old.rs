//! The old sequences, and what a step calls besides a paradigm (semantics spec, sections 4, 5 and 9): a table of whole
//! steps with tools that answer from lists.

use normc::run::{Produced, StepFailure};
use serde_json::{Value as Json, json};

use super::judgement::shown;
use super::sequences::{Step, produced};
use super::world::{Folder, Stubs, without_ids};

/// What came of a step, and what it asked of the world.
struct Ran {
    outcome: Result<Produced, StepFailure>,
    calls: Vec<(&'static str, Json)>,
    script: Option<String>,
}

impl Ran {
    fn cells(&self) -> Json {
        let produced = self.outcome.as_ref().unwrap_or_else(|failure| panic!("{}: {failure}", failure.kind));
        without_ids(&shown(&produced.value)["tensor"])
    }

    fn kind(&self) -> &str {
        &self.outcome.as_ref().expect_err("the step fails").kind
    }

    fn methods(&self) -> Vec<&'static str> {
        self.calls.iter().map(|(method, _)| *method).collect()
    }

    fn prompt(&self, call: usize) -> &str {
        self.calls[call].1["prompt"].as_str().unwrap()
    }
}

/// Runs a step on single values: `(name, cell)`, all passed in that order.
fn run(sequence: &str, fields: Json, values: &[(&str, Json)], world: Json) -> Ran {
    run_with(sequence, fields, None, values, world)
}

fn run_with(
    sequence: &str,
    mut fields: Json,
    function: Option<Json>,
    values: &[(&str, Json)],
    world: Json,
) -> Ran {
    let folder = Folder::new(&world["files"]);
    let mut stubs = Stubs::new(&folder, &world);
    let value = |(name, cell): &(&str, Json)| match cell {
        Json::Array(_) => json!({"name": name, "axes": ["i"], "tensor": cell}),
        cell => json!({"name": name, "axes": ["_none_axis"], "tensor": [cell]}),
    };
    let values: Vec<Json> = values.iter().map(value).collect();
    if fields.get("value_order").is_none() {
        let order =
            values.iter().enumerate().map(|(i, v)| (v["name"].as_str().unwrap().to_owned(), json!(i)));
        fields["value_order"] = Json::Object(order.collect());
    }
    let step = Step { sequence, values: &values, interpretation: fields };
    let outcome = produced(&step, function.as_ref(), &folder, &mut stubs);
    let calls = std::mem::take(&mut stubs.calls);
    Ran { outcome, calls, script: folder.read("s.py") }
}

const SCRIPT: (&str, &str) = ("{s}", "%{script_location}(s.py)");
const PROMPT: (&str, &str) = ("{p}", "%{prompt_location}(p.md)");

fn with_script(value: &str) -> Vec<(&'static str, Json)> {
    vec![("{a}", json!(value)), (PROMPT.0, json!(PROMPT.1)), (SCRIPT.0, json!(SCRIPT.1))]
}

#[test]
fn a_script_that_is_there_is_run_and_its_prompt_is_not_needed() {
    let world = json!({"files": {"s.py": "result = input_1 * 2"}});
    let ran = run("imperative_python", json!({}), &with_script("x"), world);
    assert_eq!((ran.cells(), ran.methods()), (json!(["%(xx)"]), vec!["python.execute"]));
    let missing = run("imperative_python", json!({}), &[(SCRIPT.0, json!(SCRIPT.1))], json!({}));
    assert_eq!(missing.kind(), "file_not_found");
}

#[test]
fn a_script_that_is_not_there_is_written_kept_and_run() {
    let world = |reply: &str| json!({"files": {"p.md": "Double $input_1."}, "llm": [reply]});
    let ran =
        run("imperative_python", json!({}), &with_script("x"), world("```python\nresult = input_1 * 2\n```"));
    assert_eq!(ran.cells(), json!(["%(xx)"]));
    assert_eq!(ran.methods(), ["files.exists", "llm.generate", "files.save", "python.execute"]);
    assert_eq!(ran.prompt(1), "Double x.");
    assert_eq!(ran.calls[3].1["path"], "s.py");
    assert_eq!(ran.script.as_deref().map(str::trim), Some("result = input_1 * 2"));
    let reply =
        json!({"thinking": "easy", "code": "def main(input_1):\n    return input_1 + '!'"}).to_string();
    let ran = run("imperative_python", json!({"with_thinking": true}), &with_script("x"), world(&reply));
    assert_eq!(ran.cells(), json!(["%(x!)"]));
    assert!(ran.prompt(1).contains("JSON"));
    let none = run("imperative_python", json!({}), &with_script("x"), json!({}));
    assert_eq!(none.kind(), "file_not_found");
}

#[test]
fn the_prompt_of_a_script_can_be_made_too() {
    let world = json!({"llm": ["Write code that doubles $input_1.", "```\nresult = input_1 * 2\n```"]});
    let ran = run("imperative_python_indirect", json!({}), &with_script("x"), world);
    assert_eq!(ran.cells(), json!(["%(xx)"]));
    let steps =
        ["files.exists", "llm.generate", "files.save", "llm.generate", "files.save", "python.execute"];
    assert_eq!(ran.methods(), steps);
    assert!(ran.prompt(1).contains("do it") && ran.prompt(1).contains("`input_1`"));
    assert_eq!(ran.calls[2].1["path"], "p.md");
    assert_eq!(ran.prompt(3), "Write code that doubles x.");
}

#[test]
fn a_model_does_what_the_function_says() {
    let values = [("{a}", json!(["%x1(1)", "b"])), ("{b}", json!("$input_1"))];
    let ran = run("imperative", json!({}), &values, json!({"llm": ["one", "two"]}));
    assert_eq!(ran.cells(), json!(["%(one)", "%(two)"]));
    assert!(ran.prompt(0).contains("<input_1>\n1\n</input_1>\n<input_2>\n$input_1\n</input_2>"));
    assert!(ran.prompt(0).contains("do it") && ran.prompt(0).contains("{out}"));
    let thinking = json!({"llm": [json!({"analysis": "..", "answer": "x"}).to_string()]});
    let ran = run("imperative", json!({"with_thinking": true}), &[("{a}", json!("1"))], thinking);
    assert_eq!((ran.cells(), &ran.calls[0].1["format"]), (json!(["%(x)"]), &json!("json")));
    let list = json!({"llm": [json!({"answer": [{"k": 1}, "y"]}).to_string()]});
    let ran = run("imperative", json!({"is_relation_output": true}), &[("{a}", json!("1"))], list);
    assert_eq!(ran.cells(), json!(["%({'k': 1})", "%(y)"]));
    let unreadable = json!({"llm": ["no JSON", "still none"]});
    let ran = run("imperative", json!({"with_thinking": true}), &[("{a}", json!("1"))], unreadable);
    assert_eq!(ran.kind(), "reply_is_not_json");
}

#[test]
fn a_model_judges() {
    for (reply, met) in [("Yes, that is correct.", true), ("False", false)] {
        let ran =
            run("judgement", json!({"condition": "True"}), &[("{a}", json!("1"))], json!({"llm": [reply]}));
        assert_eq!(ran.outcome.as_ref().unwrap().met, Some(met), "{reply}");
        assert_eq!(ran.cells(), json!([format!("%{{truth value}}({met})")]));
    }
    let world = json!({"llm": ["unsure"]});
    let ran = run("judgement", json!({"condition": "unsure"}), &[("{a}", json!("1"))], world);
    assert_eq!(ran.outcome.unwrap().met, Some(true));
    let ran = run("judgement", json!({}), &[("{a}", json!("1"))], json!({"llm": ["perhaps"]}));
    assert_eq!((ran.outcome.as_ref().unwrap().met, ran.cells()), (None, json!(["%(perhaps)"])));
}

#[test]
fn a_prompt_of_the_plan_is_filled() {
    let world = |reply: &str| json!({"files": {"p.md": "Say $input, or $input_1."}, "llm": [reply]});
    let values = [(PROMPT.0, json!(PROMPT.1)), ("{a}", json!("%x1(hi)"))];
    let ran = run("imperative_direct", json!({}), &values, world("said"));
    assert_eq!((ran.cells(), ran.prompt(0)), (json!(["%(said)"]), "Say hi, or hi."));
    let thinking = json!({"with_thinking": true});
    let ran = run("imperative_direct", thinking.clone(), &values, world("{\"answer\": 1}"));
    assert_eq!(ran.cells(), json!(["%(1)"]));
    let ran = run("imperative_direct", thinking, &values, world("{\"b\": 1}"));
    assert_eq!(ran.cells(), json!(["%({'b': 1})"]));
    let own = json!({"template_key": "mine", "values": {"mine": "Mine: $input"}});
    let ran = run("imperative_direct", own, &values[1..], world("x"));
    assert_eq!(ran.prompt(0), "Mine: hi");
    let none = run("imperative_direct", json!({}), &values[1..], world("x"));
    assert_eq!(none.kind(), "missing_template");
}

#[test]
fn a_person_is_asked() {
    let values = [("{q}", json!("%x1(Your name?)")), ("{c}", json!("context"))];
    let ran = run("imperative_input", json!({}), &values, json!({"user": ["%{script_location}(evil.py)"]}));
    assert_eq!(ran.calls[0].1["prompt"], "Your name?\n\ncontext");
    // The answer is data inside a sign of the step's own.
    assert_eq!(ran.cells(), json!(["%(%{script_location}(evil.py))"]));
}

#[test]
fn constants_are_passed_by_number_or_by_name() {
    let fields = json!({
        "paradigm": "h_Data-c_PassThrough-o_Normal", "values": {"ten": 10, "k": "v"}, "value_order": {"ten": 1},
    });
    let ran = run("imperative_in_composition", fields, &[], json!({}));
    assert_eq!(ran.cells(), json!(["%(10)"]));
    let fields = json!({"values": {"k": "v"}});
    let world = json!({"files": {"s.py": "result = input_1 + k"}});
    let ran = run("imperative_python", fields, &[("{a}", json!("x")), (SCRIPT.0, json!(SCRIPT.1))], world);
    assert_eq!(ran.cells(), json!(["%(xv)"]));
}

#[test]
fn each_function_cell_is_a_function() {
    let files = json!({
        "a.py": "def main(input_1):\n    return input_1 + 'a'", "b.py": "def main(input_1):\n    return input_1 + 'b'",
    });
    let functions = json!(["%{script_location}1(a.py)", "%{script_location}2(b.py)"]);
    let ran = run_with(
        "imperative_in_composition",
        json!({"paradigm": "v_ScriptLocation-h_Literal-c_Execute-o_Literal"}),
        Some(functions),
        &[("{a}", json!(["x", "y"]))],
        json!({"files": files}),
    );
    let value = shown(&ran.outcome.as_ref().unwrap().value);
    assert_eq!(value["axes"], json!(["f", "i"]));
    assert_eq!(ran.cells(), json!([["%(xa)", "%(ya)"], ["%(xb)", "%(yb)"]]));
    let no_text = run_with(
        "imperative_in_composition",
        json!({"paradigm": "h_Data-c_PassThrough-o_Normal"}),
        Some(json!(5)),
        &[("{a}", json!("x"))],
        json!({}),
    );
    assert_eq!(no_text.kind(), "bad_function_cell");
}

#[test]
fn a_built_in_and_a_program_take_the_place_of_a_paradigm() {
    let composition = || json!({"paradigm": "h_Data-c_PassThrough-o_Normal"});
    let values = [("{a}", json!("%x1(2)")), ("{b}", json!(["3", "4"])), ("{f}", json!("%{builtin}(add)"))];
    let ran = run("imperative_in_composition", composition(), &values, json!({}));
    assert_eq!(ran.cells(), json!(["%(5)", "%(6)"]));
    let values = [("{a}", json!("a b")), ("{f}", json!("%{command_location}(wc -c {input_1})"))];
    let ran = run("imperative_in_composition", composition(), &values, json!({}));
    // Programs are not run here; what would be run is told.
    assert_eq!(ran.kind(), "unsupported_affordance");
    assert_eq!(ran.calls[0].1["argv"], json!(["wc", "-c", "a b"]));
    let values = [("{a}", json!("x")), ("{f}", json!("%{command_location}(run --with={input_1})"))];
    assert_eq!(run("imperative_in_composition", composition(), &values, json!({})).kind(), "bad_arguments");
}

#[test]
fn failures_name_the_cell_and_the_value() {
    let fields = json!({"paradigm": "h_Data-c_PassThrough-o_Normal"});
    let values = [("{a}", json!(["x", "%{file_location}(none.txt)"]))];
    let failure = run("imperative_in_composition", fields, &values, json!({})).outcome.unwrap_err();
    assert_eq!((failure.kind.as_str(), failure.cell), ("file_not_found", vec![("i".to_owned(), 1)]));
    assert!(failure.message.contains("none.txt") && failure.message.contains("`{a}`"), "{}", failure.message);
    let world = json!({"files": {"s.py": "result = 1 / (input_1 == 'x')"}});
    let values = [("{a}", json!(["x", "y"])), (SCRIPT.0, json!(SCRIPT.1))];
    let failure = run("imperative_python", json!({}), &values, world).outcome.unwrap_err();
    assert_eq!((failure.kind.as_str(), failure.cell), ("script_failed", vec![("i".to_owned(), 1)]));
}
