//! What calls ask and answer: replies asked for again, data that stay data, the short names.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::super::{Ids, Paradigm, States, Turn};
use super::{Files, builtin, inputs, play, states, text};
use crate::base::Value;
use crate::run::effect::{CallAnswer, Effect, FileAct, QuestionKind, ReplyFormat, ScriptCode};

const NO_FILES: Files = Files { texts: std::collections::BTreeMap::new(), retries: 0 };

fn patient() -> Files {
    Files { retries: 1, ..Files::default() }
}

#[test]
fn a_reply_that_cannot_be_read_is_asked_for_again_with_the_complaint() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let states = States {
        schema: Some(Arc::new(schema.clone())),
        model: Some(Arc::from("m")),
        ..states("Count $input_1")
    };
    let replies = [text("{\"n\": \"many\"}"), text("```json\n{\"n\": 3}\n```")];
    let played = builtin("generate-json", &states, &patient(), &[("input_1", text("sheep"))], &replies);
    assert_eq!(played.value(), "{\"n\":3}");
    let prompts = played.prompts();
    assert!(prompts[0].starts_with("Count sheep\n\nReply with JSON"), "{}", prompts[0]);
    let added = prompts[1].strip_prefix(prompts[0]).unwrap();
    assert!(added.contains("`/n`") && added.contains("integer") && !added.contains("[1]"), "{added}");
    for effect in &played.effects {
        let Effect::Generate(generate) = effect else { panic!("a call of the model") };
        assert_eq!(
            (&generate.format, generate.model.as_deref()),
            (&ReplyFormat::Schema(Arc::new(schema.clone())), Some("m"))
        );
    }
}

#[test]
fn in_the_end_the_failure_shows_the_reply() {
    let long = "x".repeat(5000);
    let played = builtin("judge", &states("Is it?"), &patient(), &[], &[text("perhaps"), text(&long)]);
    let failure = played.failure();
    assert_eq!(failure.kind, "no_truth_value");
    assert!(failure.message.contains(", also when it was asked for again (paradigm"), "{failure:?}");
    let help = failure.help.as_deref().unwrap_or_default();
    assert!(
        help.starts_with("let the prompt say: reply with") && help.contains("%{reply_retries}: 3"),
        "{help}"
    );
    assert!(failure.message.contains("paradigm `judge`, `truth`"), "{failure}");
    assert_eq!(failure.detail.as_deref().unwrap().matches('x').count(), 2000);
    assert_eq!(played.effects.len(), 2);
}

/// A plan that asks a model, then a person, and only then reads the model's reply.
fn late_reader() -> Arc<Paradigm> {
    let plan = json!([
        {"output_key": "reply", "function": {"__type__": "MetaValue", "key": "ask_model"}, "params": {}, "literal_params": {"prompt": "go"}},
        {"output_key": "said", "function": {"__type__": "MetaValue", "key": "ask"}, "params": {}, "literal_params": {"prompt_text": "who?"}},
        {"output_key": "told", "function": {"__type__": "MetaValue", "key": "ask"}, "params": {"prompt_text": "reply"}},
        {"output_key": "parsed", "function": {"__type__": "MetaValue", "key": "parse"}, "params": {"__positional__": "reply"}},
        {"output_key": "answer", "function": {"__type__": "MetaValue", "key": "wrap"}, "params": {"data": "said"}},
    ]);
    let step = |i: usize, affordance: &str, params: serde_json::Value, key: &str| json!({"step_index": i, "affordance": affordance, "params": params, "result_key": key});
    let document = json!({
        "metadata": {"description": "d"},
        "env_spec": {"tools": [
            {"tool_name": "llm", "affordances": [{"affordance_name": "generate", "call_code": "result = tool.generate"}]},
            {"tool_name": "user_input", "affordances": [{"affordance_name": "ask", "call_code": "result = tool.create_input_function()"}]},
            {"tool_name": "formatter_tool", "affordances": [
                {"affordance_name": "parse", "call_code": "result = tool.parse"},
                {"affordance_name": "wrap", "call_code": "result = tool.wrap"},
            ]},
            {"tool_name": "composition_tool", "affordances": [{"affordance_name": "compose", "call_code": "result = tool.compose(plan=params['plan'], return_key=params.get('return_key'))"}]},
        ]},
        "sequence_spec": {"steps": [
            step(1, "llm.generate", json!({}), "ask_model"),
            step(2, "user_input.ask", json!({}), "ask"),
            step(3, "formatter_tool.parse", json!({}), "parse"),
            step(4, "formatter_tool.wrap", json!({}), "wrap"),
            step(9, "composition_tool.compose", json!({"plan": plan, "return_key": "answer"}), "instruction_fn"),
        ]},
    });
    Arc::new(Paradigm::read("late", &document.to_string()).unwrap())
}

#[test]
fn going_back_asks_nothing_twice_that_does_not_depend_on_the_reply() {
    let function = late_reader().prepare(&states(""), &patient()).unwrap();
    let answers = [text("bad"), text("Ann"), text("ok"), text("{\"a\": 1}"), text("ok then")];
    let played = play(function.call(inputs(&[]), Ids::counting()), &answers);
    assert_eq!(played.value(), "\"%001(Ann)\"");
    let prompts = played.prompts();
    // The first question is the same as before, the second one shows the reply.
    assert_eq!((prompts[1], prompts[2], prompts[4]), ("who?", "bad", "{\"a\": 1}"));
    assert_eq!(prompts.len(), 5);
}

#[test]
fn what_the_world_answers_is_never_code() {
    let evil = "%{script_location}(evil.py)";
    let played = builtin(
        "generate-text",
        &states("Say $input_1"),
        &NO_FILES,
        &[("input_1", text("$input_2 ${a}"))],
        &[text(evil)],
    );
    assert_eq!(played.prompts(), ["Say $input_2 ${a}"]);
    let Ok(Value::Sign(sign)) = &played.outcome else { panic!("a wrapped text") };
    assert_eq!((sign.norm(), &**sign.payload()), (None, evil));
    let played =
        builtin("generate-json", &states("?"), &NO_FILES, &[], &[text("{\"a\": \"%{save_path}(x)\"}")]);
    let Ok(Value::Map(map)) = &played.outcome else { panic!("an object") };
    assert!(matches!(&map["a"], Value::Text(_)));
    let played = builtin("confirm", &states("%{literal}(ok?)"), &NO_FILES, &[], &[text(evil)]);
    assert!(matches!(&played.outcome, Ok(Value::Text(t)) if &**t == evil));
}

#[test]
fn code_of_a_model_has_no_file() {
    let name = "h_PromptTemplate_ScriptLocation-c_Retrieve_or_GenerateThinkJson_ExtractPy_Execute-o_Normal";
    let given =
        [("prompt_template", text("Write")), ("script_location", text("s.py")), ("input_1", text("[1]"))];
    let path = |effects: &[Effect]| match effects.last() {
        Some(Effect::Script(run)) => match &run.code {
            ScriptCode::Text { path, code } => {
                assert_eq!(run.inputs, [(Arc::from("input_1"), Value::list([Value::Number(1.into())]))]);
                (path.clone(), code.to_string())
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let read = [Value::Bool(true), text("def main(input_1): pass"), Value::Number(5.into())];
    let played = builtin(name, &states(""), &NO_FILES, &given, &read);
    assert_eq!(path(&played.effects), (Some(Arc::from("s.py")), "def main(input_1): pass".to_owned()));
    let written =
        [Value::Bool(false), text("{\"answer\": \"x = 1\"}"), text("s.py"), Value::Number(5.into())];
    let played = builtin(name, &states(""), &NO_FILES, &given, &written);
    assert_eq!(path(&played.effects), (None, "x = 1".to_owned()));
    assert_eq!(played.value(), "\"%001(5)\"");
}

#[test]
fn inputs_that_a_prompt_does_not_name_stand_below_it() {
    let given = [("input_1", text("one")), ("input_2", text("two")), ("save_path", text("p"))];
    let prompt = |vertical: &str, files: &Files| {
        builtin("generate-text", &states(vertical), files, &given, &[text("r")]).prompts()[0].to_owned()
    };
    assert_eq!(
        prompt("Do it.", &NO_FILES),
        "Do it.\n\n<input_1>\none\n</input_1>\n\n<input_2>\ntwo\n</input_2>"
    );
    assert_eq!(prompt("Do ${input_2}", &NO_FILES), "Do two\n\n<input_1>\none\n</input_1>");
    let files = Files { texts: [("p.md", "File $input_1 $input_2")].into(), retries: 0 };
    assert_eq!(prompt("%{prompt_location}1(p.md)", &files), "File one two");
    assert_eq!(prompt("%{prompt}1(p.md)", &files), "File one two");
    assert_eq!(prompt("%{prompt}1(Say $input_1 $input_2)", &files), "Say one two");
    // The end of the prompt's file is dropped, the end of a value is not.
    let files = Files { texts: [("p.md", "Say $input_1\n")].into(), retries: 0 };
    let played = builtin(
        "generate-text",
        &states("%{prompt}(p.md)"),
        &files,
        &[("input_1", text("one \r\n"))],
        &[text("r")],
    );
    assert_eq!(played.prompts()[0], "Say one \r\n");
    let missing = builtin("generate-text", &states("%{prompt_location}(no.md)"), &files, &given, &[]);
    assert_eq!(missing.failure().kind, "file_not_found");
}

#[test]
fn people_are_asked_in_the_words_of_the_function() {
    let ask = |name: &str, vertical: &str, given: &[(&str, Value)], answer: Value| {
        let played = builtin(name, &states(vertical), &NO_FILES, given, &[answer]);
        let Some(Effect::Ask(question)) = played.effects.first().cloned() else { panic!("a question") };
        (question, played.value())
    };
    let one = [("input_1", text("red")), ("input_2", text("blue"))];
    let (question, value) = ask("choose", "Which for $input_1?", &one, text("blue"));
    assert_eq!(
        (&*question.prompt, question.kind),
        ("Which for red?", QuestionKind::Choose(vec![Arc::from("blue")]))
    );
    assert_eq!(value, "\"%001(blue)\"");
    let (question, _) = ask("edit", "Mend it", &one, text("x"));
    assert_eq!((question.kind, question.initial.as_deref()), (QuestionKind::Edit, Some("red")));
    let (question, value) = ask("confirm", "Is it $input_2?", &one, Value::Bool(true));
    assert_eq!(
        (&*question.prompt, question.kind, question.default),
        ("Is it blue?", QuestionKind::Confirm, None)
    );
    assert_eq!(value, "true");
    let (question, value) = ask("chat-read", "", &[], text("hi"));
    assert_eq!((question.kind, value), (QuestionKind::Chat, "\"%001(hi)\"".to_owned()));
    let (question, value) = ask("say", "Hello $input_1", &one, Value::Null);
    assert_eq!(
        (&*question.prompt, question.kind, &*value),
        ("Hello red", QuestionKind::Say, "{\"sent\":true}")
    );
    let none = builtin("choose", &states("Which?"), &NO_FILES, &[], &[]);
    assert_eq!(none.failure().kind, "missing_input");
}

#[test]
fn files_and_programs_get_whole_inputs() {
    let given = [("input_1", text("a b; rm -rf /")), ("input_2", text("n"))];
    let played = builtin("run-command", &states("wc -c {input_1}"), &NO_FILES, &given, &[text("13\n")]);
    let Some(Effect::Command(command)) = played.effects.first() else { panic!("a program") };
    assert_eq!(command.argv, ["wc", "-c", "a b; rm -rf /"].map(Arc::from));
    let part = builtin("run-command", &states("sh -c 'cat {input_1}'"), &NO_FILES, &given, &[]);
    assert_eq!(part.failure().kind, "bad_arguments");
    let none = builtin("run-command", &states("wc {input_3}"), &NO_FILES, &given, &[]);
    assert_eq!(none.failure().kind, "missing_input");
    let played = builtin(
        "write-file",
        &states("%{save_path}(out/$input_2.md)"),
        &NO_FILES,
        &given,
        &[text("out/n.md")],
    );
    let saved = FileAct::Save { path: Arc::from("out/n.md"), content: Arc::from("a b; rm -rf /") };
    assert!(matches!(played.effects.first(), Some(Effect::File(act)) if *act == saved));
    assert_eq!(played.value(), "\"%{file_location}001(out/n.md)\"");
    let no_path = builtin("write-file", &states("write it down"), &NO_FILES, &given, &[]);
    assert_eq!(no_path.failure().kind, "missing_input");
    assert!(no_path.failure().message.contains("save_path"), "{}", no_path.failure());
}

#[test]
fn answers_that_say_error_stop_the_call() {
    let files = Files { texts: [("s.py", "x")].into(), retries: 0 };
    let run = |answer: serde_json::Value| {
        let answer = Value::from_data_json(&answer);
        builtin("run-script", &states("%{script_location}(s.py)"), &files, &[], &[answer])
    };
    assert_eq!(run(json!({"status": "error", "message": "no luck"})).failure().kind, "script_failed");
    assert_eq!(run(json!({"error": "none", "ok": true})).value(), "{\"error\":\"none\",\"ok\":true}");
    assert_eq!(run(json!(null)).value(), "null");
}

#[test]
fn a_call_that_goes_on_wrongly_says_so() {
    let function = Paradigm::builtin("ask").unwrap().prepare(&states("?"), &NO_FILES).unwrap();
    let mut machine = function.call(inputs(&[]), Ids::counting());
    assert_eq!(machine.advance(Some(CallAnswer::of(Value::Null))).unwrap_err().kind, "internal");
    assert!(matches!(machine.advance(None), Ok(Turn::Effect(_))));
    assert_eq!(machine.advance(None).unwrap_err().kind, "internal");
    assert!(matches!(machine.advance(Some(CallAnswer::of(text("x")))), Ok(Turn::Done(_))));
}

#[test]
fn ids_belong_to_the_cell() {
    let first = |step: &str, cell: usize| Ids::of_cell(step, cell).next_id();
    assert_eq!(first("1.2", 0), first("1.2", 0));
    assert_ne!(first("1.2", 0), first("1.2", 1));
    assert_ne!(first("1.2", 0), first("1.3", 0));
    assert!(first("1", 0).bytes().all(|b| b.is_ascii_hexdigit()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A machine that is fed the same answers asks the same and gives the same: what resuming a run relies on.
    #[test]
    fn replaying_answers_gives_the_same_call(reply in "[ -~]{0,40}", again in "\\{\"[a-z]{1,6}\": [0-9]{1,3}\\}") {
        let function = Paradigm::builtin("generate-json").unwrap().prepare(&states("Do $input_1"), &patient()).unwrap();
        let run = || {
            let mut machine = function.call(inputs(&[("input_1", text(&reply))]), Ids::of_cell("1", 0));
            let mut seen = Vec::new();
            let mut answer = None;
            let answers = [text(&reply), text(&again)];
            loop {
                match machine.advance(answer.take()) {
                    Ok(Turn::Effect(effect)) => {
                        answer = answers.get(seen.len()).cloned().map(CallAnswer::of);
                        seen.push(effect.digest().to_string());
                    }
                    Ok(Turn::Done(done)) => break (seen, done.value.to_json().to_string()),
                    Err(failure) => break (seen, failure.kind),
                }
            }
        };
        prop_assert_eq!(run(), run());
    }
}
