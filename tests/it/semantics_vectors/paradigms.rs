//! `paradigms.jsonl`: paradigms run with tools that answer from lists. Those with a name are run twice: as they lie in
//! `tests/paradigms`, and as they are built in.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};

use normc::base::{Map, Value, text_of};
use normc::faculty::python::{Body, Mode, Pool, PoolOptions, ScriptCall};
use normc::faculty::{Failure, FailureKind};
use normc::run::effect::{
    CallAnswer, Contract, Effect, FileAct, Generate, Question, QuestionKind, ReplyFormat, ScriptCode,
};
use normc::run::paradigm::{Facts, Ids, Paradigm, States, Turn};
use normc::run::{Means, StepFailure};
use serde_json::{Value as Json, json};

use super::scripts::Scripts;
use super::world::{Folder, failed};
use super::{Answer, cell, value};

/// The system message that the recorded calls have where none was given.
const DEFAULT_SYSTEM: &str = "You are a helpful assistant.";

/// None where a case needs an interpreter, and there is none.
pub(super) fn run(_op: &str, case: &Json, python: Option<&Scripts>) -> Answer {
    let wanted = if case["policy"] == "match" { &case["reference"] } else { &case["normc"] };
    let mut paradigms: Vec<Result<Paradigm, StepFailure>> = Vec::new();
    match case["paradigm"].as_str() {
        None => paradigms.push(read("spec", &case["spec"].to_string())),
        Some(name) => {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/paradigms/{name}.json"));
            let own = Paradigm::builtin(name).unwrap_or_else(|| panic!("`{name}` is built in"));
            paradigms.push(read(name, &std::fs::read_to_string(file).unwrap()));
            paradigms.push(Ok((*own).clone()));
        }
    }
    let mut answer = None;
    for paradigm in paradigms {
        let got = match paradigm.and_then(|paradigm| play(&Arc::new(paradigm), case, wanted, python)) {
            Err(failure) if failure.kind == "no_python" => return None,
            Err(failure) => failed(&failure, case),
            Ok(got) => got,
        };
        if !super::agrees(&got, wanted) {
            return Some(got);
        }
        answer = Some(got);
    }
    answer
}

fn read(name: &str, text: &str) -> Result<Paradigm, StepFailure> {
    Paradigm::read(name, text).map_err(|problems| {
        let first = problems.into_iter().next().unwrap();
        StepFailure::new(first.kind, first.message)
    })
}

fn play(
    paradigm: &Arc<Paradigm>,
    case: &Json,
    wanted: &Json,
    python: Option<&Scripts>,
) -> Result<Json, StepFailure> {
    let folder = Folder::new(&case["files"]);
    let before = files(folder.base_dir());
    let case = folder.here(case);
    let text: Arc<str> = Arc::from(case["vertical"].as_str().unwrap());
    let function = Facts { name: Arc::clone(&text), ..Facts::default() };
    let states = States { vertical: text, function, ..States::default() };
    let function = paradigm.prepare(&states, &Compat(&folder))?;
    let inputs = case["inputs"].as_object().unwrap();
    let inputs: Map = inputs.iter().map(|(name, given)| (Arc::from(name.as_str()), cell(given))).collect();
    let mut machine = function.call(inputs, Ids::counting());
    let mut tools = Tools::new(&folder, &case, wanted, python.is_some());
    let mut turn = machine.advance(None)?;
    let done = loop {
        match turn {
            Turn::Done(done) => break done,
            Turn::Effect(effect) => turn = machine.advance(Some(tools.answer(&effect)?))?,
        }
    };
    let changed: serde_json::Map<String, Json> = files(folder.base_dir())
        .into_iter()
        .filter(|(name, text)| before.get(name) != Some(text))
        .map(|(name, text)| (name, Json::String(text)))
        .collect();
    let mut got = json!({"output": done.value.to_json(), "files": changed});
    for (key, calls) in
        [("llm_calls", tools.llm_calls), ("chat_sent", tools.sent), ("canvas_calls", tools.canvas)]
    {
        if wanted.get(key).is_some() || !calls.is_empty() {
            got[key] = Json::Array(calls);
        }
    }
    if let Some(asked) = wanted.get("user_calls") {
        let asked: Vec<Json> =
            asked.as_array().unwrap().iter().map(|call| question(&folder.here(call))).collect();
        got["user_calls"] =
            if asked == tools.asked { wanted["user_calls"].clone() } else { Json::Array(tools.asked) };
    }
    Ok(super::world::in_order_of(&folder.gone(&got), wanted))
}

/// A recorded question as normc asks it.
fn question(call: &Json) -> Json {
    let kind = match call["config"]["interaction_type"].as_str().unwrap() {
        "simple_text" | "validated_text" => "text",
        "text_editor" => "edit",
        "multi_file_input" => "files",
        "select" => "choose",
        other => other,
    };
    let mut asked = json!({"kind": kind, "prompt": call["kwargs"]["prompt_text"]});
    for (to, from) in [("initial", &call["kwargs"]["initial_text"]), ("default", &call["config"]["default"])]
    {
        if !from.is_null() {
            asked[to] = from.clone();
        }
    }
    asked
}

/// The files below a folder with their texts.
fn files(folder: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![Path::new(folder).to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// A folder whose written files are named by absolute paths, and where no reply is asked for again.
struct Compat<'a>(&'a Folder);

impl Means for Compat<'_> {
    fn paradigm(&self, name: &str) -> Result<Arc<Paradigm>, StepFailure> {
        self.0.paradigm(name)
    }

    fn pinned(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.0.pinned(path)
    }

    fn text(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.0.text(path)
    }

    fn base_dir(&self) -> &str {
        self.0.base_dir()
    }

    fn absolute_paths(&self) -> bool {
        true
    }

    fn reply_retries(&self) -> u32 {
        0
    }
}

/// Writes a file below a folder.
fn save(base: &str, path: &str, content: &str) -> Result<Value, StepFailure> {
    if Path::new(path).components().any(|c| !matches!(c, std::path::Component::Normal(_))) {
        return Err(StepFailure::new(
            "path_escapes_base",
            format!("`{path}` leads out of the base directory"),
        ));
    }
    let file = Path::new(base).join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content).unwrap();
    Ok(Value::text(path))
}

/// Tools that answer from lists, and files of a folder.
struct Tools<'a> {
    folder: &'a Folder,
    python: Option<Pool>,
    /// What the case wants as output.
    wanted: String,
    llm: VecDeque<Json>,
    user: VecDeque<Json>,
    chat: VecDeque<Json>,
    llm_calls: Vec<Json>,
    asked: Vec<Json>,
    sent: Vec<Json>,
    canvas: Vec<Json>,
}

impl<'a> Tools<'a> {
    fn new(folder: &'a Folder, case: &Json, wanted: &Json, python: bool) -> Self {
        let list = |name: &str| case[name].as_array().cloned().unwrap_or_default().into();
        let options = PoolOptions { workers: 1, ..PoolOptions::new(folder.base_dir()) };
        Self {
            folder,
            python: python.then(|| Pool::new(options)),
            wanted: wanted["output"].as_str().unwrap_or_default().to_owned(),
            llm: list("llm"),
            user: list("user"),
            chat: list("chat"),
            llm_calls: Vec::new(),
            asked: Vec::new(),
            sent: Vec::new(),
            canvas: Vec::new(),
        }
    }

    fn answer(&mut self, effect: &Effect) -> Result<CallAnswer, StepFailure> {
        let base = self.folder.base_dir();
        Ok(CallAnswer::of(match effect {
            Effect::Generate(generate) => {
                self.llm_calls.push(recorded(generate));
                value(&self.llm.pop_front().expect("the model is asked too often"))
            }
            Effect::Ask(question) => return Ok(CallAnswer::of(self.ask(question))),
            Effect::Tool { tool, method, args } => {
                assert_eq!((&**tool, &**method), ("canvas", "execute_command"));
                let args: serde_json::Map<String, Json> =
                    args.iter().map(|(name, given)| (name.to_string(), given.to_json())).collect();
                // The cases do not say which of the two the application echoes.
                let shown = |name: &str| self.wanted.contains(&text_of(&value(&args[name])));
                let name = if shown("command_params") { "command_params" } else { "command_type" };
                let echo = args[name].clone();
                self.canvas.push(Json::Object(args));
                value(&json!({"success": true, "data": {"echo": echo}}))
            }
            Effect::File(FileAct::Read { path }) => Value::Text(self.folder.text(path)?),
            Effect::File(FileAct::Exists { path }) => Value::Bool(self.folder.text(path).is_ok()),
            Effect::File(FileAct::Save { path, content }) => save(base, path, content)?,
            Effect::File(FileAct::SaveMany { folder, files }) => {
                let one =
                    |(name, content): &(Arc<str>, Arc<str>)| save(base, &format!("{folder}/{name}"), content);
                Value::list(files.iter().map(one).collect::<Result<Vec<_>, _>>()?)
            }
            Effect::Script(run) => {
                let ScriptCode::Text { path, code } = &run.code else {
                    panic!("a paradigm has its code in hand")
                };
                assert_eq!(run.contract, Contract::Function(Arc::from("main")));
                let hands = Hands(Mutex::new(base.to_owned()));
                let call = ScriptCall {
                    path: path.as_deref().unwrap_or("<text>"),
                    code,
                    hash: code,
                    mode: Mode::MAIN,
                    inputs: &run.inputs,
                    timeout: None,
                    identity: None,
                    body: Some(&hands),
                };
                let python =
                    self.python.as_ref().ok_or_else(|| StepFailure::new("no_python", "no python3"))?;
                let answer = python.call(&call);
                let answer = answer.map_err(|f| StepFailure::new(f.kind.as_str(), f.message))?;
                return Ok(CallAnswer { value: answer.value, text: answer.text });
            }
            other => panic!("no case does {other:?}"),
        }))
    }

    fn ask(&mut self, question: &Question) -> Value {
        match &question.kind {
            QuestionKind::Chat => value(&self.chat.pop_front().expect("the chat is read too often")),
            QuestionKind::Say => {
                self.sent.push(Json::from(&*question.prompt));
                value(&json!({"sent": true}))
            }
            QuestionKind::Close => value(&json!({"status": "closed"})),
            _ => {
                self.asked.push(Json::Object(question.to_json()));
                value(&self.user.pop_front().expect("the person is asked too often"))
            }
        }
    }
}

fn recorded(generate: &Generate) -> Json {
    let system = generate.system.as_deref().unwrap_or(DEFAULT_SYSTEM);
    let mut call = json!({"prompt": &*generate.prompt, "system_message": system});
    match &generate.format {
        ReplyFormat::Text => {}
        ReplyFormat::Json => call["response_format"] = json!({"type": "json_object"}),
        ReplyFormat::Schema(schema) => call["response_format"] = json!({"schema": **schema}),
    }
    call
}

/// The one tool of the body that a script of the cases uses.
struct Hands(Mutex<String>);

impl Body for Hands {
    fn call(
        &self,
        tool: &str,
        method: &str,
        args: &[Value],
        _: &[(Arc<str>, Value)],
    ) -> Result<Value, Failure> {
        match (tool, method, args) {
            ("file_system", "write", [path, content]) => {
                let base = self.0.lock().unwrap();
                save(&base, &text_of(path), &text_of(content))
                    .map_err(|f| Failure::new(FailureKind::BadPath, f.message))
            }
            _ => panic!("no script of the cases calls {tool}.{method}"),
        }
    }
}
