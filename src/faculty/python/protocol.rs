//! The lines that go to a worker and come from it (semantics spec, section 14.2). Knows no processes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::base::Value;
use crate::faculty::{Answer, CallIdentity, Failure, FailureKind, Output};

/// How deep a value may be nested; the reader of lines stops at 128 with the line's own brackets.
const DEPTH_LIMIT: usize = 126;

/// How a script is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode<'a> {
    /// At top level, inputs as global variables, the answer is the global `result`; a script that sets none but
    /// defines `main` is called (semantics spec, sections 11.1 and 9.1).
    Execute,
    /// `FUNCTION(**inputs)`, nearly always `main` (section 11.2).
    Call(&'a str),
}

impl Mode<'static> {
    /// `main(**inputs)`.
    pub const MAIN: Self = Mode::Call("main");
}

/// One call of a script.
#[derive(Clone)]
pub struct ScriptCall<'a> {
    /// The script's path as the plan names it; shown in tracebacks, never opened.
    pub path: &'a str,
    /// The Python source.
    pub code: &'a str,
    /// A name that is equal only for equal code and path, usually a content hash.
    pub hash: &'a Arc<str>,
    /// How it is run.
    pub mode: Mode<'a>,
    /// The inputs by name, in order; signs already stripped.
    pub inputs: &'a [(Arc<str>, Value)],
    /// How long it may run; none takes the pool's limit.
    pub timeout: Option<Duration>,
    /// Which call this is; the script sees it in its environment.
    pub identity: Option<&'a CallIdentity>,
    /// The tools this call reaches through `body`; none offers nothing but what the script can do by itself.
    pub body: Option<&'a dyn Body>,
}

impl fmt::Debug for ScriptCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptCall")
            .field("path", &self.path)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// The tools a script reaches through `body` (semantics spec, section 11.3). One call makes one call back at a time, on
/// the thread that waits for the script; other scripts go on meanwhile, also where all places were taken.
pub trait Body: Send + Sync {
    /// Calls `body.TOOL.METHOD(*args, **named)`. The time it takes is not the script's.
    ///
    /// # Errors
    /// A failure, which the script sees as a `NormcError` with its kind and message; one whose kind ends the call
    /// ([`FailureKind::ends_call`]) ends the script and becomes the failure of the call, whatever the script catches.
    fn call(
        &self,
        tool: &str,
        method: &str,
        args: &[Value],
        named: &[(Arc<str>, Value)],
    ) -> Result<Value, Failure>;
}

/// A line from a worker.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Line {
    pub(super) hello: Option<u32>,
    pub(super) python: Option<String>,
    pub(super) id: Option<u64>,
    pub(super) ok: Option<bool>,
    pub(super) value: Json,
    pub(super) text: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) kind: Option<String>,
    #[serde(rename = "type")]
    pub(super) type_name: Option<String>,
    pub(super) message: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) trace: Option<String>,
    pub(super) cb: Option<u64>,
    pub(super) tool: Option<String>,
    pub(super) method: Option<String>,
    pub(super) args: Vec<Json>,
    pub(super) named: serde_json::Map<String, Json>,
}

/// What is sent of a script this time.
pub(super) struct Sending {
    /// The code itself: the worker does not have it yet.
    pub(super) code: bool,
    /// The worker is to forget the scripts it has.
    pub(super) reset: bool,
}

/// Appends the line that asks for a call.
pub(super) fn write_request(
    out: &mut Vec<u8>,
    id: u64,
    call: &ScriptCall<'_>,
    sending: &Sending,
) -> Result<(), Failure> {
    let op = match call.mode {
        Mode::Execute => "execute",
        Mode::Call(_) => "call",
    };
    out.extend_from_slice(format!(r#"{{"id":{id},"op":"{op}","script":"#).as_bytes());
    write_text(out, call.hash);
    if let Mode::Call(function) = call.mode {
        out.extend_from_slice(br#","function":"#);
        write_text(out, function);
    }
    out.extend_from_slice(br#","path":"#);
    write_text(out, call.path);
    if sending.reset {
        out.extend_from_slice(br#","reset":true"#);
    }
    if sending.code {
        out.extend_from_slice(br#","code":"#);
        write_text(out, call.code);
    }
    if let Some(identity) = call.identity {
        write_environment(out, identity, call)?;
    }
    out.extend_from_slice(br#","args":{"#);
    for (i, (name, value)) in call.inputs.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_text(out, name);
        out.push(b':');
        write_value(out, value, 0).map_err(|TooDeep| {
            let message = format!("input `{name}` is nested deeper than {DEPTH_LIMIT}");
            Failure::new(FailureKind::BadArguments, message).at(call.path, None)
        })?;
    }
    out.extend_from_slice(b"}}\n");
    Ok(())
}

/// Appends the variables of the call; one that is not given is `null`, so that none is left of the call before.
fn write_environment(
    out: &mut Vec<u8>,
    identity: &CallIdentity,
    call: &ScriptCall<'_>,
) -> Result<(), Failure> {
    for (i, (name, value)) in identity.variables().into_iter().enumerate() {
        out.extend_from_slice(if i == 0 { br#","env":{"# } else { b"," });
        write_text(out, name);
        out.push(b':');
        match value {
            Some(value) if value.contains('\0') => {
                let message = format!("the environment variable `{name}` holds a NUL character");
                return Err(Failure::new(FailureKind::BadArguments, message).at(call.path, None));
            }
            Some(value) => write_text(out, value),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    Ok(())
}

/// Appends the line that answers a call back.
pub(super) fn write_callback_answer(
    out: &mut Vec<u8>,
    id: u64,
    answer: Result<Value, Failure>,
    limit: usize,
) {
    out.extend_from_slice(format!(r#"{{"cb":{id},"#).as_bytes());
    let start = out.len();
    let failure = match answer {
        Ok(value) => {
            out.extend_from_slice(br#""value":"#);
            let deep = write_value(out, &value, 0).err();
            let deep = deep.map(|TooDeep| format!("the answer is nested deeper than {DEPTH_LIMIT}"));
            let size = out.len() - start;
            let large = (size > limit).then(|| format!("the answer takes {size} bytes, more than {limit}"));
            deep.or(large).map(|message| Failure::new(FailureKind::BadArguments, message))
        }
        Err(failure) => Some(failure),
    };
    if let Some(failure) = failure {
        out.truncate(start);
        out.extend_from_slice(br#""error":{"kind":"#);
        write_text(out, failure.kind.as_str());
        out.extend_from_slice(br#","message":"#);
        write_text(out, &failure.message);
        if let Some(help) = &failure.help {
            out.extend_from_slice(br#","help":"#);
            write_text(out, help);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"}\n");
}

/// Appends the line that ends the script instead of answering its call back.
pub(super) fn write_callback_end(out: &mut Vec<u8>, id: u64) {
    out.extend_from_slice(format!("{{\"cb\":{id},\"end\":true}}\n").as_bytes());
}

struct TooDeep;

fn write_value(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), TooDeep> {
    if depth > DEPTH_LIMIT {
        return Err(TooDeep);
    }
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(number.as_str().as_bytes()),
        Value::Text(text) => write_text(out, text),
        Value::Skip => write_text(out, crate::base::SKIP_MARKER),
        Value::Sign(sign) => write_text(out, &sign.to_string()),
        Value::List(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(out, item, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            out.push(b'{');
            for (i, (key, entry)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_text(out, key);
                out.push(b':');
                write_value(out, entry, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    // Writing a text into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Whether a worker may say this of a script. What became of the worker itself, it cannot tell.
fn is_of_script(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::ScriptFailed
            | FailureKind::ScriptGaveNoResult
            | FailureKind::ScriptExited
            | FailureKind::NoSuchFunction
            | FailureKind::ResultNotSerialisable
    )
}

/// The result of a call that was answered.
pub(super) fn settle(
    line: Line,
    call: &ScriptCall<'_>,
    output: Output,
    duration: Duration,
) -> Result<Answer, Failure> {
    if line.ok == Some(true) {
        return Ok(Answer {
            value: Value::from_data_json(&line.value),
            text: line.text.map(Arc::from),
            output,
            duration,
        });
    }
    let path = call.path;
    let kind = line.kind.as_deref().and_then(FailureKind::from_word).filter(|kind| is_of_script(*kind));
    let kind = kind.unwrap_or(FailureKind::ScriptFailed);
    let said = line.message.unwrap_or_default();
    let raised = line.type_name.unwrap_or_default();
    let (message, help) = match kind {
        FailureKind::ScriptGaveNoResult => (
            format!("script `{path}` ended without setting `result`"),
            Some("set the global `result`, or define a function `main`"),
        ),
        FailureKind::NoSuchFunction => (
            format!("script `{path}`: {said}"),
            Some("define the function, such as `def main(...)`, with the step's inputs as parameters"),
        ),
        FailureKind::ScriptExited => (
            format!("script `{path}` called `sys.exit({said})`"),
            Some("let the script run to its end; raise an exception for a failure"),
        ),
        FailureKind::ResultNotSerialisable => (
            format!("the result of script `{path}` is no JSON: {said}"),
            Some("return texts, numbers, truth values, None, and lists and maps of them"),
        ),
        _ if said.is_empty() => (format!("script `{path}` raised {raised}"), None),
        _ => (format!("script `{path}` raised {raised}: {said}"), None),
    };
    let mut failure = Failure::new(kind, message).at(path, line.line);
    failure.help = help.map(Box::from);
    failure.trace = line.trace.map(String::into_boxed_str);
    failure.output = Some(Box::new(output));
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_of_json() {
        let hash = Arc::from("h");
        let inputs =
            [("a".into(), Value::text("x\n\u{2028}")), ("b".into(), Value::list([Value::Null, Value::Skip]))];
        let call = ScriptCall {
            path: "s.py",
            code: "result = a",
            hash: &hash,
            mode: Mode::MAIN,
            inputs: &inputs,
            timeout: None,
            identity: None,
            body: None,
        };
        let mut out = Vec::new();
        write_request(&mut out, 7, &call, &Sending { code: true, reset: false }).unwrap();
        assert_eq!(out.iter().filter(|b| **b == b'\n').count(), 1);
        let json: Json = serde_json::from_slice(&out).unwrap();
        let wanted = serde_json::json!({
            "id": 7, "op": "call", "script": "h", "function": "main", "path": "s.py", "code": "result = a",
            "args": {"a": "x\n\u{2028}", "b": [null, "@#SKIP#@"]}
        });
        assert_eq!(json, wanted);
    }

    #[test]
    fn the_identity_of_a_call_goes_along_when_there_is_one() {
        let hash = Arc::from("h");
        let mut identity = CallIdentity { key: Some("0a".into()), run: None, step: Some("1.2[3]".into()) };
        let env = |identity: &CallIdentity| {
            let call = ScriptCall {
                path: "s.py",
                code: "",
                hash: &hash,
                mode: Mode::Execute,
                inputs: &[],
                timeout: None,
                identity: Some(identity),
                body: None,
            };
            let mut out = Vec::new();
            write_request(&mut out, 1, &call, &Sending { code: false, reset: false })?;
            Ok::<_, Failure>(serde_json::from_slice::<Json>(&out).unwrap()["env"].clone())
        };
        let wanted = serde_json::json!(
            {"NORMC_IDEMPOTENCY_KEY": "0a", "NORMC_RUN_ID": null, "NORMC_STEP": "1.2[3]"}
        );
        assert_eq!(env(&identity).unwrap(), wanted);
        identity.run = Some("a\0b".into());
        let failure = env(&identity).unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadArguments);
        assert!(failure.message.contains("NORMC_RUN_ID"), "{failure}");
    }

    #[test]
    fn deep_values_are_refused() {
        let mut value = Value::Null;
        for _ in 0..DEPTH_LIMIT + 1 {
            value = Value::list([value]);
        }
        let mut out = Vec::new();
        assert!(write_value(&mut out, &value, 0).is_err());
        out.clear();
        write_callback_answer(&mut out, 1, Ok(value), 1 << 20);
        let wanted = "{\"cb\":1,\"error\":{\"kind\":\"bad_arguments\",\"message\":\"the answer is nested deeper than 126\"}}\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn answers_of_tools_are_limited() {
        let answer = |value: Value, limit| {
            let mut out = Vec::new();
            write_callback_answer(&mut out, 3, Ok(value), limit);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(answer(Value::text("%{a}(b)"), 100), "{\"cb\":3,\"value\":\"%{a}(b)\"}\n");
        assert!(answer(Value::text("x".repeat(200)), 100).contains("more than 100"));
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(serde_json::from_str::<Line>(r#"{"id": 1, "ok": true, "value": 1}"#).is_ok());
        assert!(serde_json::from_str::<Line>(r#"{"id": 1, "sudo": true}"#).is_err());
    }
}
