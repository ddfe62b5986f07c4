//! The world the cases play in: a folder with files, and tools that answer from a list.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use normc::base::Value;
use normc::faculty::files::Root;
use normc::faculty::python::{Mode, Pool, PoolOptions, ScriptCall};
use normc::run::effect::{CallAnswer, Contract, Effect, FileAct, Question, QuestionKind, ScriptCode};
use normc::run::paradigm::{Paradigm, Turn};
use normc::run::sequence::SemanticTask;
use normc::run::{Means, Produced, StepFailure};
use serde_json::{Value as Json, json};

use super::value;

/// A base directory for one case.
pub(super) struct Folder {
    folder: tempfile::TempDir,
    root: Root,
    path: String,
}

impl Folder {
    pub(super) fn new(files: &Json) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files.as_object().into_iter().flatten() {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
            std::fs::write(path, text).unwrap();
        }
        let root = Root::open(folder.path()).unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        Self { folder, root, path }
    }

    /// A case with this folder's path for `<BASE>`.
    pub(super) fn here(&self, json: &Json) -> Json {
        replaced(json, "<BASE>", &self.path)
    }

    /// What came out, with `<BASE>` for this folder's path.
    pub(super) fn gone(&self, json: &Json) -> Json {
        replaced(json, &self.path, "<BASE>")
    }

    /// The text of a file, if there is one.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.file(path)).ok()
    }

    fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

fn replaced(json: &Json, from: &str, to: &str) -> Json {
    match json {
        Json::String(text) => Json::String(text.replace(from, to)),
        Json::Array(items) => items.iter().map(|item| replaced(item, from, to)).collect(),
        Json::Object(map) => {
            Json::Object(map.iter().map(|(k, v)| (k.replace(from, to), replaced(v, from, to))).collect())
        }
        other => other.clone(),
    }
}

impl Means for Folder {
    /// A built-in one, or a file of the corpus.
    fn paradigm(&self, name: &str) -> Result<Arc<Paradigm>, StepFailure> {
        paradigm(name)
    }

    fn pinned(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.text(path)
    }

    fn text(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.root.read_text(path).map_err(|f| StepFailure::new(f.kind.as_str(), f.message))
    }

    fn base_dir(&self) -> &str {
        &self.path
    }
}

/// A paradigm that is built in, else one of the folder `paradigms` beside the cases.
pub(super) fn paradigm(name: &str) -> Result<Arc<Paradigm>, StepFailure> {
    if let Some(known) = Paradigm::builtin(name) {
        return Ok(known);
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/semantics/paradigms");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json")))
        .map_err(|_| StepFailure::new("unknown_paradigm", format!("there is no paradigm `{name}`")))?;
    Paradigm::read(name, &text).map(Arc::new).map_err(|problems| {
        let first = problems.into_iter().next().unwrap();
        StepFailure::new(first.kind, first.message)
    })
}

/// A failure in the form of the vectors. What it is about must be named in the message, as far as it is no word of
/// Python's.
pub(super) fn failed(failure: &StepFailure, case: &Json) -> Json {
    let about = case["normc"]["about"].as_str().unwrap_or("");
    if !failure.message.contains(about) {
        return json!({"error": format!("{}, not about {about}: {failure}", failure.kind)});
    }
    match case["normc"].get("about") {
        None => json!({"error": failure.kind}),
        Some(about) => json!({"error": failure.kind, "about": about}),
    }
}

/// Tools that answer from lists, as far as they do not really act.
pub(super) struct Stubs<'a> {
    folder: &'a Folder,
    python: Pool,
    llm: VecDeque<Json>,
    user: VecDeque<Json>,
    /// How often the model was asked.
    pub(super) llm_calls: usize,
    /// What was asked, effect by effect.
    pub(super) calls: Vec<(&'static str, Json)>,
}

impl<'a> Stubs<'a> {
    pub(super) fn new(folder: &'a Folder, case: &Json) -> Self {
        let list = |name: &str| case[name].as_array().cloned().unwrap_or_default().into();
        let python = Pool::new(PoolOptions { workers: 1, ..PoolOptions::new(folder.folder.path()) });
        Self { folder, python, llm: list("llm"), user: list("user"), llm_calls: 0, calls: Vec::new() }
    }

    /// Runs all cells of a step, one after the other.
    pub(super) fn run(&mut self, mut task: SemanticTask) -> Result<Produced, StepFailure> {
        let mut answers = Vec::new();
        let mut cells = std::mem::take(&mut task.cells);
        for cell in &mut cells {
            let mut answer = None;
            answers.push(loop {
                match cell.advance(answer.take())? {
                    Turn::Done(done) => break done,
                    Turn::Effect(effect) => {
                        answer = Some(self.answer(&effect).map_err(|failure| cell.blame(failure))?);
                    }
                }
            });
        }
        task.finish(answers)
    }

    /// Does what an effect asks.
    pub(super) fn answer(&mut self, effect: &Effect) -> Result<CallAnswer, StepFailure> {
        let (method, arguments) = effect.described();
        self.calls.push((method, Json::Object(arguments)));
        let answer = match effect {
            Effect::Generate(_) => {
                self.llm_calls += 1;
                next(&mut self.llm, "model")?
            }
            Effect::Ask(Question { kind: QuestionKind::Say | QuestionKind::Close, .. }) => Value::Bool(true),
            Effect::Ask(_) => next(&mut self.user, "person")?,
            Effect::Builtin { name, inputs } => {
                let inputs: Vec<Value> = inputs.iter().map(|(_, v)| v.clone()).collect();
                let clock = normc::base::FixedClock(0);
                normc::faculty::builtin::call(name, &inputs, &clock)
                    .map_err(|f| StepFailure::new(f.kind.as_str(), f.message))?
            }
            Effect::Script(run) => {
                let (path, code) = match &run.code {
                    ScriptCode::File(path) => (Arc::clone(path), self.folder.text(path)?),
                    ScriptCode::Text { path, code } => {
                        (path.clone().unwrap_or_else(|| Arc::from("<text>")), Arc::clone(code))
                    }
                };
                let mode = match &run.contract {
                    Contract::Globals => Mode::Execute,
                    Contract::Function(name) => Mode::Call(name),
                };
                let call = ScriptCall {
                    path: &path,
                    code: &code,
                    hash: &code,
                    mode,
                    inputs: &run.inputs,
                    timeout: None,
                    identity: None,
                    body: None,
                };
                let answer = self.python.call(&call);
                let answer = answer.map_err(|f| StepFailure::new(f.kind.as_str(), f.message))?;
                return Ok(CallAnswer { value: answer.value, text: answer.text });
            }
            Effect::File(act) => self.file(act)?,
            Effect::Command(_) | Effect::Tool { .. } => {
                return Err(StepFailure::new("unsupported_affordance", format!("`{method}` is not offered")));
            }
        };
        Ok(CallAnswer::of(answer))
    }

    fn file(&self, act: &FileAct) -> Result<Value, StepFailure> {
        Ok(match act {
            FileAct::Read { path } => Value::Text(self.folder.text(path)?),
            FileAct::Exists { path } => Value::Bool(self.folder.text(path).is_ok()),
            FileAct::Save { path, content } => {
                let file = self.folder.file(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, &**content).unwrap();
                Value::Text(Arc::clone(path))
            }
            other => panic!("no case of a whole step does {other:?}"),
        })
    }
}

fn next(answers: &mut VecDeque<Json>, who: &str) -> Result<Value, StepFailure> {
    let answer = answers.pop_front().ok_or_else(|| panic!("the {who} is asked too often"));
    answer.map(|json| value(&json))
}

/// A cell as text without the ids of signs, which depend on who counts.
pub(super) fn without_ids(json: &Json) -> Json {
    match json {
        Json::String(text) => match normc::base::Sign::parse(text) {
            Some(sign) => Json::String(sign.with_id("").to_string()),
            None => json.clone(),
        },
        Json::Array(items) => items.iter().map(without_ids).collect(),
        Json::Object(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), without_ids(v))).collect()),
        other => other.clone(),
    }
}

/// The same with the keys of maps in the order of another form: maps are not about order here.
pub(super) fn in_order_of(json: &Json, other: &Json) -> Json {
    match (json, other) {
        (Json::Object(map), Json::Object(like)) => {
            let first = like.keys().filter(|key| map.contains_key(*key));
            let rest = map.keys().filter(|key| !like.contains_key(*key));
            Json::Object(first.chain(rest).map(|k| (k.clone(), in_order_of(&map[k], &other[k]))).collect())
        }
        (Json::Array(items), Json::Array(like)) => {
            let place = |(i, item)| like.get(i).map_or_else(|| Json::clone(item), |o| in_order_of(item, o));
            items.iter().enumerate().map(place).collect()
        }
        _ => json.clone(),
    }
}
