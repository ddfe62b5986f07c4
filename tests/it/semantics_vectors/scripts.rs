//! `scripts.jsonl`: what scripts get and give.

use std::process::Command;
use std::sync::Arc;

use normc::faculty::python::{Mode, Pool, PoolOptions, ScriptCall};
use serde_json::{Value as Json, json};

use super::{Answer, value};

/// None also where no interpreter is on this machine.
pub(super) fn run(op: &str, case: &Json, scripts: Option<&Scripts>) -> Answer {
    match op {
        "execute" | "call_main" if !uses_tools(case) => Some(scripts?.run(op, case)),
        _ => None,
    }
}

/// Whether a script works with the tools of the body rather than only being handed it.
fn uses_tools(case: &Json) -> bool {
    case["code"].as_str().is_some_and(|code| code.contains("body."))
}

/// The scripts' interpreter, when there is one.
pub(super) struct Scripts(
    Pool,
    #[allow(dead_code, reason = "the folder lives as long as the pool")] tempfile::TempDir,
);

impl Scripts {
    pub(super) fn new() -> Option<Self> {
        Command::new("python3").arg("--version").output().ok()?;
        let folder = tempfile::tempdir().unwrap();
        Some(Self(Pool::new(PoolOptions { workers: 1, ..PoolOptions::new(folder.path()) }), folder))
    }

    fn run(&self, op: &str, case: &Json) -> Json {
        let code = case["code"].as_str().unwrap();
        let (mode, inputs) =
            if op == "execute" { (Mode::Execute, &case["inputs"]) } else { (Mode::Call, &case["params"]) };
        let inputs: Vec<_> =
            inputs.as_object().unwrap().iter().map(|(k, v)| (Arc::from(k.as_str()), value(v))).collect();
        let hash = Arc::from(code);
        let call = ScriptCall {
            path: "<string>",
            code,
            hash: &hash,
            mode,
            inputs: &inputs,
            timeout: None,
            identity: None,
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
            Ok(answer) => json!({"value": answer.value.to_json(), "files": {}}),
        }
    }
}
