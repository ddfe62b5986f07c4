//! Scripts that ask people through their body: they hold a thread while they wait, and run anew on a resume.

use serde_json::json;

use super::*;
use crate::support::{ends, python_missing};

/// A script that asks one thing and gives what it was told.
const ASKS: &str = "\
def main(input_1, body):
    return body.user_input.create_input_function()('Who is ' + str(input_1) + '?')
";

/// More scripts ask than there are threads for: the run is suspended nevertheless, once all have asked.
#[test]
fn scripts_that_hold_all_threads_do_not_keep_the_run_from_being_suspended() {
    if python_missing("scripts that ask") {
        return;
    }
    let plan = "\
:<:({all})
    <= ::(ask about {1}<$({names})%_>)
        | %{paradigm}: run-script
        | %{v_input_provision}: ask.py
    <- {names}<:{1}> | ref. %(name)=[\"a\", \"b\", \"c\"]
";
    let folder = folder(plan);
    let folder = folder.path();
    fs::write(folder.join("ask.py"), ASKS).unwrap();
    let mut open = Vec::new();
    let output = ends(normc(folder, "exec plan.nc --run-id r --jobs 1 --json"));
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    open.extend(ids(&json(&output)).into_iter().map(str::to_owned));
    assert_eq!(open.len(), 3, "{open:?}");
    for id in open {
        let output = run(folder, &format!("answer r {id} one"));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    let output = ends(normc(folder, "exec --resume r --json"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// What a script has asked has numbers, too: the calls after it are found again by theirs.
#[test]
fn an_answer_after_a_script_that_asks_is_not_asked_for_again() {
    if python_missing("scripts that ask") {
        return;
    }
    let plan = "\
:<:({all})
    <= ::(ask about {1}<$({name})%>)
        | %{paradigm}: script-then-ask
        | %{v_input_provision}: ask.py
    <- {name}<:{1}> | %{literal}: \"a\"
";
    let plan_of_cell = json!([
        {"output_key": "first", "function": meta("main"), "params": {"__positional__": "__initial_input__"}},
        {"output_key": "second", "function": meta("ask"), "params": {"prompt_text": "first"}},
        {"output_key": "third", "function": meta("ask"), "params": {"prompt_text": "second"}},
    ]);
    let folder = folder(plan);
    let folder = folder.path();
    fs::write(folder.join("ask.py"), ASKS).unwrap();
    with_paradigm(folder, "script-then-ask", &plan_of_cell);
    let mut output = run(folder, "exec plan.nc --run-id r --json");
    let mut asked = Vec::new();
    while output.status.code() == Some(75) && asked.len() < 5 {
        let found = json(&output);
        let question = &found["questions"][0];
        asked.push(question["prompt"].as_str().unwrap().to_owned());
        let id = question["id"].as_str().unwrap();
        let answered = run(folder, &format!("answer r {id} word{}", asked.len()));
        assert_eq!(answered.status.code(), Some(0), "{answered:?}");
        output = run(folder, "exec --resume r --json");
    }
    assert_eq!(asked, ["Who is a?", "word1", "word2"], "{output:?}");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// A script that failed begins anew, whether its step has one cell or many: what it was told is asked for again.
#[test]
fn a_script_that_failed_asks_anew() {
    if python_missing("scripts that ask") {
        return;
    }
    let script = "\
def main(input_1, body):
    said = body.user_input.create_input_function()('Who is ' + str(input_1) + '?')
    if said == 'bad':
        raise ValueError(said)
    return said
";
    for (names, way) in [("[\"a\"]", "%{script_location}"), ("[\"a\", \"b\"]", "%{script_location}")] {
        let plan = format!(
            "\
:<:({{all}})
    <= ::(ask about {{1}}<$({{names}})%_>)
        | {way}: ask.py
    <- {{names}}<:{{1}}> | ref. %(name)={names}
"
        );
        let folder = folder(&plan);
        let folder = folder.path();
        fs::write(folder.join("ask.py"), script).unwrap();
        assert_eq!(run(folder, "exec plan.nc --run-id r -q").status.code(), Some(75));
        assert_eq!(run(folder, "answer r 1#1.2 bad").status.code(), Some(0));
        let output = run(folder, "exec --resume r -q");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let output = run(folder, "exec --resume r --json");
        assert_eq!(output.status.code(), Some(75), "{names}: {output:?}");
    }
}

/// Messages are shown as they come, and none waits for the clock.
#[test]
fn a_step_that_says_much_says_it_at_once() {
    let tell = |n| json!({"output_key": format!("m{n}"), "function": meta("say"), "params": {"message": "__initial_input__"}});
    let plan = "\
:<:({all})
    <= ::(tell {1}<$({name})%>)
        | %{paradigm}: says
        | %{v_input_provision}: ask.py
    <- {name}<:{1}> | %{literal}: \"a\"
";
    let folder = folder(plan);
    let folder = folder.path();
    fs::write(folder.join("ask.py"), "").unwrap();
    with_paradigm(folder, "says", &(0..60).map(tell).collect());
    let begun = std::time::Instant::now();
    let output = run(folder, "exec plan.nc --run-id r --json --durability kill");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    // A tenth of a second each would be six.
    assert!(begun.elapsed().as_secs() < 4, "{:?}", begun.elapsed());
}

fn meta(key: &str) -> Json {
    json!({"__type__": "MetaValue", "key": key})
}

/// A paradigm of the folder's own, which knows the script `main`, and ways to `ask` and to `say` the text `raw`.
fn with_paradigm(folder: &Path, name: &str, plan: &Json) {
    let step = |n: u32, affordance: &str, params: Json, key: &str| json!({"step_index": n, "affordance": affordance, "params": params, "result_key": key});
    let tool = |name: &str, affordance: &str, code: &str| json!({"tool_name": name, "affordances": [{"affordance_name": affordance, "call_code": format!("result = {code}")}]});
    let last = plan.as_array().and_then(|steps| steps.last()).map(|step| step["output_key"].clone());
    let paradigm = json!({
        "metadata": {
            "description": "A test.",
            "inputs": {"vertical": {"path": "A script."}, "horizontal": {"data": "Inputs by name."}},
            "outputs": {"type": "Literal", "description": "The last answer."}
        },
        "env_spec": {"tools": [
            tool("python_interpreter", "create_function_executor",
                 "tool.create_function_executor(script_code=params['script'], function_name=params['function_name'])"),
            tool("file_system", "read_now", "tool.read(params['path'])"),
            tool("formatter_tool", "extract_content", "params['data']['content']"),
            tool("user_input", "create_input_function", "tool.create_input_function()"),
            tool("chat", "write_message", "tool.write_message"),
            tool("composition_tool", "compose", "tool.compose(plan=params['plan'], return_key=params.get('return_key'))"),
            tool("perception_router", "strip_sign", "tool.strip_sign(params['token'])"),
        ]},
        "sequence_spec": {"steps": [
            step(1, "perception_router.strip_sign", json!({"token": meta("states.vertical")}), "path"),
            step(2, "file_system.read_now", json!({"path": meta("path")}), "read"),
            step(3, "formatter_tool.extract_content", json!({"data": meta("read")}), "code"),
            step(4, "python_interpreter.create_function_executor",
                 json!({"script": meta("code"), "function_name": "main"}), "main"),
            step(5, "user_input.create_input_function", json!({}), "ask"),
            step(6, "chat.write_message", json!({}), "say"),
            step(7, "composition_tool.compose", json!({"plan": plan, "return_key": last}), "instruction_fn"),
        ]}
    });
    fs::create_dir(folder.join("par")).unwrap();
    fs::write(folder.join(format!("par/{name}.json")), paradigm.to_string()).unwrap();
    let agents =
        json!({"agents": [{"id": "a", "tools": {"paradigm": {"dir": "par"}}}], "default_agent": "a"});
    fs::write(folder.join("plan.agent.json"), agents.to_string()).unwrap();
}
