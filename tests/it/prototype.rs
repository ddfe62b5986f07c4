//! Plans of the prototype with what they do in the world: scripts that models write, tools of other programs, agents
//! with folders and switches of their own, and what is said of steps that are given something odd.

use std::path::Path;
use std::process::Output;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::support::{program, python_missing};

struct Place(TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(TempDir::new().unwrap());
        files.iter().for_each(|(name, text)| place.write(name, text));
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, arguments: &str) -> Output {
        program(self.0.path()).args(arguments.split(' ')).output().unwrap()
    }

    fn json(&self, arguments: &str) -> Json {
        let output = self.run(arguments);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    }
}

/// What is written to standard error, as one line.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).replace('│', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const SCRIPTS: [(&str, &str); 7] = [
    ("op_sum", "import re\nresult = str(sum(int(x) for x in re.findall('[0-9]+', input_1 + ' ' + input_2)))"),
    ("op_get_digit", "result = input_1[-1]"),
    ("op_remove_digit", "result = input_1[:-1] or '0'"),
    ("op_get_quotient", "result = str(int(input_2) // 10)"),
    ("op_get_remainder", "result = str(int(input_2) % 10)"),
    ("op_is_zero", "import re\nresult = str(all(int(x) == 0 for x in re.findall('[0-9]+', input_1)))"),
    ("op_is_carry_zero", "result = str(int(input_1) == 0)"),
];

/// The prototype's addition, whose scripts a model writes: each is written once, though steps of several loop positions
/// ask for it at the same time.
#[test]
fn the_addition_of_the_prototype_writes_its_scripts() {
    if python_missing("scripts that a model writes") {
        return;
    }
    let repos = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repos");
    let place = Place::new(&[]);
    let mut rules = String::new();
    for (name, code) in SCRIPTS {
        place.write(&format!("generated_prompts/{name}_prompt.txt"), &format!("Write <{name}>."));
        let reply = json!({"thinking": "as asked", "code": code}).to_string();
        rules.push_str(&format!("[[rule]]\ncontains = \"<{name}>\"\nreply = {}\n", json!(reply)));
    }
    place.write("replies.toml", &rules);
    for jobs in ["1", "8"] {
        let _ = std::fs::remove_dir_all(place.path("generated_scripts"));
        let all = place.json(&format!(
            "exec --concepts {0}/211_saved_add.concept.json --inferences {0}/211_saved_add.inference.json --inputs \
             {0}/inputs/238_saved_add_inputs.inputs.json --base-dir . --model script:replies.toml \
             --allow-generated-scripts --json --jobs {jobs}",
            repos.display()
        ));
        assert_eq!(all["status"], "completed", "{all}");
        let digits = all["finals"]["{new number pair}"]["data"].to_string().replace(['[', ']'], "");
        assert_eq!(digits, r#""%(1)","%(2)","%(2)""#, "{all}");
        assert_eq!(all["models"]["calls"], json!(SCRIPTS.len()), "{all}");
        assert_eq!(place.text("generated_scripts/op_get_digit.py"), SCRIPTS[1].1);
    }
}

/// A list of words for a step that is done by a script which is not there.
const WRITTEN: &str = "\
:<:({lengths})
    <= ::(count the letters of {1}<$({words})%>)
        | %{paradigm}: h_PromptTemplate_ScriptLocation-c_Retrieve_or_GenerateThinkJson_ExtractPy_Execute-o_Normal
    <- {words}<:{1}>
        | %{ref_axes}: [word]
        | %{literal}: [\"a\", \"bcd\", \"ef\"]
    <- {script}<:{2}>
        | %{script_location}: made/count.py
    <- {prompt}<:{3}>
        | %{prompt_location}: ask.md
";

#[test]
fn cells_wait_for_the_one_that_writes_their_script() {
    if python_missing("scripts that a model writes") {
        return;
    }
    let inputs =
        r#"{"{script}": "%{script_location}(made/count.py)", "{prompt}": "%{prompt_location}(ask.md)"}"#;
    let reply = json!({"answer": "def main(input_1):\n    return len(input_1)\n"}).to_string();
    let good = format!("[[rule]]\nmatch = '.'\nreply = {}\n", json!(reply));
    // The first two replies cannot be read, so that the first cell fails; the others are given up with it.
    let place = Place::new(&[
        ("plan.ncd", WRITTEN),
        ("in.json", inputs),
        ("ask.md", "Count $input_1."),
        ("good.toml", &good),
    ]);
    place.write("bad.toml", "[[rule]]\nmatch = '.'\nreply = \"no\"\n");
    let run = |model: &str| {
        place.json(&format!(
            "exec plan.ncd --inputs in.json --model script:{model} --allow-generated-scripts --json"
        ))
    };
    let failed = run("bad.toml");
    assert_eq!(
        (&failed["status"], &failed["failed"][0]["kind"]),
        (&json!("failed"), &json!("reply_is_not_json"))
    );
    let all = run("good.toml");
    assert_eq!(all["finals"]["{lengths}"]["data"].as_array().map(Vec::len), Some(3), "{all}");
    assert_eq!(all["models"]["calls"], 1, "{all}");
}

/// Steps with a selector and lists of several lengths: neither fails, both are worth a word.
#[test]
fn odd_inputs_are_spoken_of() {
    let concepts = json!([
        {"concept_name": "{pick}", "type": "{}", "is_final_concept": true},
        {"concept_name": "{join}", "type": "{}", "is_final_concept": true},
        {"concept_name": "{lists}", "type": "{}", "is_ground_concept": true, "reference_axis_names": ["i"],
         "reference_data": [["a", "b"], ["c"]]},
        {"concept_name": "::(one)", "type": "({})", "is_ground_concept": true, "reference_data": ["%{builtin}(pass)"]},
        {"concept_name": "::(two)", "type": "({})", "is_ground_concept": true, "reference_data": ["Join: $input_1"]},
    ]);
    let inference = |flow: &str, target: &str, function: &str, work: Json| {
        json!({"flow_info": {"flow_index": flow}, "inference_sequence": "imperative_in_composition",
            "concept_to_infer": target, "function_concept": function, "value_concepts": ["{lists}"],
            "working_interpretation": work})
    };
    let inferences = json!([
        inference(
            "1",
            "{pick}",
            "::(one)",
            json!({"paradigm": "h_Data-c_PassThrough-o_Normal",
            "value_order": {"second": 1},
            "value_selectors": {"second": {"source_concept": "{lists}", "index": 1}}})
        ),
        inference(
            "2",
            "{join}",
            "::(two)",
            json!({"paradigm": "generate-text", "value_order": {"{lists}": 1}})
        ),
    ]);
    let place = Place::new(&[("c.json", &concepts.to_string()), ("i.json", &inferences.to_string())]);
    let run = "exec --concepts c.json --inferences i.json --model echo";
    let selected = "1 of 2 cells of `{lists}` has nothing at index 1, so there is no call for it";
    let all = place.json(&format!("{run} --json --run-id odd"));
    assert_eq!(all["finals"]["{pick}"]["data"][1], "@#SKIP#@", "{all}");
    assert_eq!(all["warnings"][0], json!({"step": "1", "concept": "{pick}", "message": selected}), "{all}");
    assert_eq!(all["warnings"].as_array().map(Vec::len), Some(2), "{all}");
    let shown = said(&place.run(run));
    assert!(shown.contains(&format!("warning: step 1 {{pick}}: {selected}")), "{shown}");
    assert!(
        shown.contains("warning: step 2 {join}: the calls of the step get between 1 and 2 inputs"),
        "{shown}"
    );
    let why = place.run("why odd 1");
    assert!(String::from_utf8_lossy(&why.stdout).contains(&format!("warning: {selected}")), "{why:?}");
    assert_eq!(place.json("why odd 2 --format json")["warnings"].as_array().map(Vec::len), Some(1));
}

/// One step writes a file, another reads it; a folder for each agent.
const FILES: &str = "\
:<:({copy})
    <= ::(read {1}<$({note})%>)
        | %{paradigm}: h_LiteralPath-c_ReadFile-o_Literal
        | %{agent}: reader
    <- {note}<:{1}>
        | %{literal}: \"note.txt\"
";

const READER: &str = r#"{"agents": [{"id": "reader", "tools": {"file_system": {"base_dir": "FOLDER"}}}]}"#;

#[test]
fn an_agent_has_a_folder_of_its_own() {
    let place = Place::new(&[
        ("plan.ncd", FILES),
        ("plan.agent.json", &READER.replace("FOLDER", "own")),
        ("note.txt", "of the plan"),
        ("own/note.txt", "of the agent"),
    ]);
    let read = |arguments: &str| place.json(arguments)["finals"]["{copy}"]["data"][0].to_string();
    assert!(read("exec plan.ncd --json").contains("(of the agent)"));
    assert!(read("exec plan.ncd --json --resume").contains("(of the agent)"));
    for folder in ["nowhere", "../own"] {
        place.write("plan.agent.json", &READER.replace("FOLDER", folder));
        let output = place.run("exec plan.ncd");
        let text = said(&output);
        assert_eq!(output.status.code(), Some(66), "{text}");
        assert!(
            text.contains("plan.agent.json: `tools.file_system.base_dir` of the agent `reader` is"),
            "{text}"
        );
    }
    let outside = TempDir::new().unwrap();
    let beyond = outside.path().display().to_string();
    std::fs::write(outside.path().join("note.txt"), "from far").unwrap();
    place.write("plan.agent.json", &READER.replace("FOLDER", &beyond));
    let text = said(&place.run("exec plan.ncd"));
    assert!(
        text.contains("leads out of the base directory") && text.contains("--allow-read and --allow-write"),
        "{text}"
    );
    assert!(
        read(&format!("exec plan.ncd --json --allow-read {beyond} --allow-write {beyond}"))
            .contains("(from far)")
    );
}

/// What an agent brings along counts when a run goes on.
#[test]
fn changed_files_of_agents_are_seen_by_a_resume() {
    let script = ":<:({a})\n    <= ::(do {1}<$({b})%>)\n        | %{paradigm}: mine\n    <- {b}<:{1}>\n        | %{literal}: \"x\"\n";
    let paradigm = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paradigms/h_Data-c_PassThrough-o_Normal.json"),
    )
    .unwrap();
    let place = Place::new(&[
        ("plan.ncd", script),
        ("plan.agent.json", r#"{"agents": [{"id": "a", "tools": {"paradigm": {"dir": "par"}}}]}"#),
        ("par/mine.json", &paradigm),
    ]);
    assert_eq!(place.run("exec plan.ncd").status.code(), Some(0));
    let again = place.run("exec plan.ncd --resume --dry-run");
    assert!(said(&again).contains("nothing is left to do"), "{again:?}");
    place.write("par/mine.json", &paradigm.replace("input_1", "input_2"));
    let again = place.run("exec plan.ncd --resume --dry-run");
    assert!(!said(&again).contains("nothing is left to do"), "{again:?}");
}

#[test]
fn a_paradigm_that_cannot_be_run_is_told_before_the_first_step() {
    let plan = |name: &str| {
        format!(
            ":<:({{a}})\n    <= ::(end {{1}}<$({{b}})%>)\n        | %{{paradigm}}: {name}\n    <- {{b}}<:{{1}}>\n        \
             <= ::(begin)\n            | %{{command}}: [\"touch\", \"begun\"]\n"
        )
    };
    let place = Place::new(&[
        ("plan.ncd", &plan("mine")),
        ("plan.agent.json", r#"{"agents": [{"id": "a", "tools": {"paradigm": {"dir": "par"}}}]}"#),
        ("par/broken.json", "{}"),
    ]);
    for (name, code) in [("mine", "NC112"), ("broken", "NC113")] {
        place.write("plan.ncd", &plan(name));
        for run in ["exec plan.ncd", "exec plan.ncd --dry-run"] {
            let output = place.run(run);
            let text = said(&output);
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(text.contains(&format!("error[{code}]")) && text.contains(name), "{text}");
        }
        assert!(!place.path("begun").exists(), "{name}: the step before it was done");
    }
    // A run that is over is shown, whatever became of its paradigms.
    let good = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paradigms/h_Data-c_PassThrough-o_Normal.json"),
    );
    place.write("plan.ncd", &plan("mine"));
    place.write("par/mine.json", &good.unwrap());
    assert_eq!(place.run("exec plan.ncd").status.code(), Some(0));
    place.write("par/mine.json", "{}");
    let again = place.run("exec plan.ncd --resume --mode overwrite");
    assert!(said(&again).contains("nothing is left to do"), "{again:?}");
}

#[test]
fn what_an_agent_may_not_do_is_not_done() {
    let ask = ":<:({name})\n    <= ::(ask)\n        | %{ask}: \"Who?\"\n";
    let place = Place::new(&[
        ("plan.ncd", ask),
        ("plan.agent.json", r#"{"agents": [{"id": "mute", "tools": {"user_input": {"mode": "disabled"}}}]}"#),
    ]);
    let output = place.run("exec plan.ncd");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in
        ["NC118", "`user_input`", "`mute`", "set \"mode\" of `user_input` to \"blocking\" or \"async\""]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    if python_missing("scripts that ask for more") {
        return;
    }
    let plan = ":<:({a})\n    <= ::(do it)\n        | %{paradigm}: run-script\n        | %{v_input_provision}: s.py\n";
    for (tools, script, tool) in [
        (
            r#""user_input": {"enabled": false}"#,
            "body.user_input.create_input_function()('Who?')",
            "user_input",
        ),
        (r#""file_system": {"enabled": false}"#, "body.file_system.read('s.py')", "file_system"),
    ] {
        let place = Place::new(&[
            ("plan.ncd", plan),
            ("plan.agent.json", &format!(r#"{{"agents": [{{"id": "mute", "tools": {{{tools}}}}}]}}"#)),
            ("s.py", &format!("def main(body):\n    return str({script})\n")),
        ]);
        let all = place.json("exec plan.ncd --json");
        assert_eq!(all["status"], "failed", "{all}");
        assert!(all["failed"][0].to_string().contains(&format!("may not use `{tool}`")), "{all}");
    }
}

const CANVAS: &str = "\
:<:({status})
    <= ::(draw {1}<$({command})%>)
        | %{paradigm}: h_Command-c_CanvasExecute-o_Status
    <- {command}<:{1}>
        | %{ref_axes}: [_none_axis]
";

#[test]
fn a_tool_of_another_program_is_a_command_of_the_agent() {
    let place = Place::new(&[
        ("plan.ncd", CANVAS),
        ("in.json", r#"{"{command}": "%c1({\"type\": \"create\", \"params\": {\"x\": 1}})"}"#),
    ]);
    let run = "exec plan.ncd --inputs in.json --json";
    let with = |custom: &str| {
        place.write(
            "plan.agent.json",
            &format!(r#"{{"agents": [{{"id": "d", "tools": {{"custom": {custom}}}}}]}}"#),
        );
        place.run(run)
    };
    let text = said(&place.run(run));
    assert!(text.contains("NC118") && text.contains("uses the tool `canvas`"), "{text}");
    for (custom, part) in [
        (r#"{"canvas": {"type_id": "x"}}"#, "`tools.custom.canvas` of its agent `d` names no program for it"),
        (r#"{"canvas": {"enabled": false}}"#, "switched off"),
        (
            r#"{"canvas": {"settings": {"command": "draw"}}}"#,
            "`agents[0].tools.custom.canvas.settings.command` is",
        ),
        (r#"{"canvas": {"settings": {"command": ["a"], "output": "xml"}}}"#, "settings.output` is \"xml\""),
    ] {
        let text = said(&with(custom));
        assert!(text.contains("plan.agent.json") && text.contains(part), "{part}: {text}");
    }
    let shell = r#"["sh", "-c", "printf '%s %s ' \"$0\" \"$1\"; cat", "{method}", "{command_type}"]"#;
    let output = with(&format!(r#"{{"canvas": {{"settings": {{"command": {shell}}}}}}}"#));
    let all: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let told = all["finals"]["{status}"]["data"][0].to_string();
    assert!(told.contains("execute_command create {"), "{all}");
    assert!(told.replace('\\', "").contains(r#""command_params":{"x":1}"#), "{all}");
    let text = said(&with(r#"{"canvas": {"settings": {"command": ["echo", "{colour}"]}}}"#));
    assert!(text.contains("wants `{colour}`") && text.contains("`{command_type}`"), "{text}");
}

const FORMALIZATION: [(&str, &str); 5] = [
    ("ncds_parser", "def main(input_1):\n    return [{'text': l} for l in input_1.splitlines()]\n"),
    (
        "filter_concepts",
        "import ast\ndef main(**all):\n    lines = [ast.literal_eval(v) for v in all.values() if isinstance(v, str)]\n    \
         lines = lines[0] if lines and isinstance(lines[0], list) else lines\n    \
         return [l for l in lines if not l['text'].startswith('#')]\n",
    ),
    ("check_type", "def main(input_1, input_2):\n    return input_1 == input_2\n"),
    ("append_line", "def main(input_1, input_2):\n    return input_1 + input_2 + '\\n'\n"),
    ("pass_through", "def main(input_1):\n    return input_1\n"),
];

/// The prototype's formalisation: a loop without carried values whose rounds append to one file, line by line. Its rounds
/// come one after the other all the same, since each reads what the one before has written.
#[test]
fn the_formalisation_of_the_prototype_appends_to_its_file() {
    if python_missing("scripts of a plan") {
        return;
    }
    let repos = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repos");
    let place = Place::new(&[("formalization.ncds", "object a\n# remark\nrelation b\nobject c\n")]);
    for (name, code) in FORMALIZATION {
        place.write(&format!("provisions/scripts/{name}.py"), code);
    }
    let prompts = "provisions/prompts/formalization";
    place.write(&format!("{prompts}/judge_concept_type.md"), "Judge $input_1");
    for kind in ["object", "relation"] {
        place.write(&format!("{prompts}/formalize_{kind}.md"), &format!("Formalise as {kind}: $input_1"));
    }
    for kind in ["proposition", "imperative", "judgement", "assigning", "grouping", "timing", "looping"] {
        place.write(&format!("{prompts}/formalize_{kind}.md"), "Not needed.");
    }
    place.write(
        "replies.toml",
        "[[rule]]\nmatch = \"Judge .*'text': '(\\\\w+) \"\nreply = '{\"thinking\": \"t\", \"result\": \"$1\"}'\n\
         [[rule]]\nmatch = \"Formalise as (\\\\w+): .*'text': '\\\\w+ (\\\\w)\"\nreply = '{\"thinking\": \"t\", \"result\": \"$1: $2\"}'\n",
    );
    let run = format!(
        "exec --concepts {0}/226_iteration_10.concept.json --inferences {0}/226_iteration_10.inference.json --inputs \
         {0}/inputs/251_iteration_10_inputs.inputs.json --base-dir . --model script:replies.toml --json --jobs 8",
        repos.display()
    );
    let all = place.json(&run);
    assert_eq!(all["status"], "completed", "{all}");
    assert_eq!(place.text("formalization.output.ncd"), "object: a\nrelation: b\nobject: c\n");
}

/// Of the cells of a step that write one file the last one counts, as when they come one after the other.
#[test]
fn the_last_cell_is_what_the_file_holds() {
    let plan = ":<:({saved})\n    <= ::(save {1}<$({texts})%>)\n        | %{paradigm}: write-file\n        | \
                %{v_input_provision}: out.txt\n    <- {texts}<:{1}>\n        | %{ref_axes}: [text]\n        | \
                %{literal}: TEXTS\n";
    let texts: Vec<String> = (0..40).map(|i| format!("text {i}")).collect();
    let place = Place::new(&[("plan.ncd", &plan.replace("TEXTS", &json!(texts).to_string()))]);
    let all = place.json("exec plan.ncd --json --jobs 8");
    assert_eq!(all["status"], "completed", "{all}");
    assert_eq!(place.text("out.txt"), "text 39");
}
