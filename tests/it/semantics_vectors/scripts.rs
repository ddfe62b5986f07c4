//! `scripts.jsonl`: what scripts get and give, and what they do through their body.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use normc::base::{FileAct, Value};
use normc::faculty::files::Root;
use normc::faculty::python::{Deed, Mode, Pool, PoolOptions, PureBody, Reading, ScriptCall, World};
use normc::faculty::{Failure, FailureKind, memory};
use serde_json::{Value as Json, json};

use super::{Answer, value};

/// None also where no interpreter is on this machine.
pub(super) fn run(op: &str, case: &Json, scripts: Option<&Scripts>) -> Answer {
    match op {
        "execute" | "call_main" => Some(scripts?.run(op, case)),
        _ => None,
    }
}

/// The scripts' interpreter, when there is one.
pub(super) struct Scripts(Pool, tempfile::TempDir);

impl Scripts {
    pub(super) fn new() -> Option<Self> {
        Command::new("python3").arg("--version").output().ok()?;
        let folder = tempfile::tempdir().unwrap();
        Some(Self(Pool::new(PoolOptions { workers: 1, ..PoolOptions::new(folder.path()) }), folder))
    }

    fn run(&self, op: &str, case: &Json) -> Json {
        let code = case["code"].as_str().unwrap();
        let (mode, inputs) =
            if op == "execute" { (Mode::Execute, &case["inputs"]) } else { (Mode::MAIN, &case["params"]) };
        let inputs: Vec<_> =
            inputs.as_object().unwrap().iter().map(|(k, v)| (Arc::from(k.as_str()), value(v))).collect();
        let hash = Arc::from(code);
        clear(self.1.path());
        let replies = case["llm"].as_array().into_iter().flatten();
        let world = Desk {
            root: Root::open(self.1.path()).unwrap(),
            replies: replies.map(|reply| reply.as_str().unwrap().to_owned()).collect(),
            asked: AtomicUsize::new(0),
        };
        let body = PureBody::new(&world);
        let call = ScriptCall {
            path: "<string>",
            code,
            hash: &hash,
            mode,
            inputs: &inputs,
            timeout: None,
            identity: None,
            body: Some(&body),
        };
        match self.0.call(&call) {
            Err(failure) => {
                // Every `about` of these cases is Python's own message, which is passed on.
                let about = case["normc"]["about"].as_str().unwrap_or("");
                if !failure.message.contains(about) {
                    return json!({"error": format!("{}, not about {about}: {failure}", failure.kind)});
                }
                json!({"error": failure.kind.as_str()})
            }
            Ok(answer) if op == "execute" => json!({"value": answer.value.to_json()}),
            Ok(answer) => json!({"value": answer.value.to_json(), "files": files(&world.root)}),
        }
    }
}

fn clear(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap()
        } else {
            std::fs::remove_file(path).unwrap()
        }
    }
}

fn files(root: &Root) -> Json {
    let files = root.list(".").unwrap();
    let entry = |file: &Arc<str>| (file.to_string(), Json::from(root.read_text(file).unwrap().as_ref()));
    Json::Object(files.iter().map(entry).collect())
}

/// Real files, and a model that gives the replies of the case, one after the other.
struct Desk {
    root: Root,
    replies: Vec<String>,
    asked: AtomicUsize,
}

impl World for Desk {
    fn act(&self, deed: Deed) -> Result<Value, Failure> {
        match deed {
            Deed::File(FileAct::Read { path }) | Deed::ReadPrompt { path } => {
                self.root.read_text(&path).map(Value::Text)
            }
            Deed::File(FileAct::Exists { path }) => self.root.exists(&path).map(Value::Bool),
            Deed::File(FileAct::Save { path, content }) => {
                self.root.save(&path, content.as_bytes()).map(Value::Text)
            }
            Deed::File(FileAct::SaveMany { folder, files }) => self
                .root
                .save_many(&folder, &files)
                .map(|paths| Value::list(paths.into_iter().map(Value::Text))),
            Deed::File(FileAct::Recall { key, file }) => memory::recall(&self.root, &key, file.as_deref()),
            Deed::File(FileAct::Memorize { key, value, file }) => {
                memory::memorize(&self.root, &key, &value, file.as_deref()).map(|()| Value::Null)
            }
            Deed::Generate { .. } => {
                let reply = self.replies.get(self.asked.fetch_add(1, Ordering::SeqCst));
                let missing = || Failure::new(FailureKind::NoModelConfigured, "no reply is left");
                reply.map(|reply| Value::text(reply.as_str())).ok_or_else(missing)
            }
            other => Err(Failure::new(FailureKind::UnsupportedAffordance, format!("{other:?}"))),
        }
    }

    fn read_reply(&self, how: Reading, _: &Value) -> Result<Value, Failure> {
        Err(Failure::new(FailureKind::UnsupportedAffordance, format!("{how:?}")))
    }
}
