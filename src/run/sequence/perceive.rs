//! Perception: what the items of a value become on their way into a step (semantics spec, section 2.4). Files are read
//! through [`Means`]; knows nothing of steps and their inputs.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::{Sign, Value, strip, text_of};
use crate::run::event::StepFailure;
use crate::run::means::Means;
use crate::tensor::mask;

/// The file of memorized parameters, where a sign names no other.
const MEMORY: &str = "memorized.json";

/// A longer payload is no name of a file.
const LONGEST_NAME: usize = 1024;

/// What an item is to a step. Instructions are told apart by type, so that no data can look like one.
#[derive(Debug, Clone, PartialEq)]
pub enum Perceived {
    /// An input.
    Input(Value),
    /// The template of the prompt, read.
    PromptTemplate(Arc<str>),
    /// A place for a prompt, not read.
    PromptLocation(Arc<str>),
    /// The place of the script that is to be run.
    ScriptLocation(Arc<str>),
    /// The built-in that is to be called.
    Builtin(Arc<str>),
    /// The program that is to be run, with its arguments, as written.
    CommandLocation(Arc<str>),
    /// The file the result goes to.
    SavePath(Arc<str>),
    /// The folder the results go to.
    SaveDir(Arc<str>),
}

impl Perceived {
    /// The name an instruction has among the inputs, and its text; none for an input.
    pub fn instruction(&self) -> Option<(&'static str, &Arc<str>)> {
        Some(match self {
            Self::Input(_) => return None,
            Self::PromptTemplate(text) => ("prompt_template", text),
            Self::PromptLocation(text) => ("prompt_location", text),
            Self::ScriptLocation(text) => ("script_location", text),
            Self::Builtin(text) => ("builtin", text),
            Self::CommandLocation(text) => ("command_location", text),
            Self::SavePath(text) => ("save_path", text),
            Self::SaveDir(text) => ("save_dir", text),
        })
    }
}

/// Returns whether a cell tells the step what to do instead of being worked on.
pub fn is_instruction(cell: &Value) -> bool {
    matches!(cell, Value::Sign(sign) if sign.norm().is_some_and(|norm| {
        matches!(
            norm,
            "prompt_location"
                | "prompt"
                | "script_location"
                | "generated_script_path"
                | "builtin"
                | "command_location"
                | "save_path"
                | "save_dir"
        )
    }))
}

/// Perceives one item. Only signs are looked into, one level deep; every other value is an input as it is.
///
/// # Errors
/// Those of the table in section 2.4: `file_not_found`, `bad_path`, `path_escapes_base`, `no_such_parameter`,
/// `bad_parameter_file`.
pub fn perceive(item: &Value, means: &dyn Means) -> Result<Perceived, StepFailure> {
    let sign = match item {
        Value::Sign(sign) => sign,
        other => return Ok(Perceived::Input(unmarked(other))),
    };
    let payload = sign.payload();
    Ok(match sign.norm() {
        Some("file_location") => Perceived::Input(Value::Text(means.text(named(sign)?)?)),
        Some("prompt_location") => Perceived::PromptTemplate(means.pinned(named(sign)?)?),
        Some("prompt") => Perceived::PromptTemplate(prompt(payload, means)?),
        Some("memorized_parameter") => Perceived::Input(memorized(payload, means)?),
        _ => located(sign)?,
    })
}

/// Perceives one item and reads nothing: what names a file becomes its place (semantics spec, section 9.2, python).
///
/// # Errors
/// `bad_path` for an empty place.
pub fn perceive_unread(item: &Value) -> Result<Perceived, StepFailure> {
    match item {
        Value::Sign(sign) => match sign.norm() {
            Some("prompt_location" | "prompt" | "prompt_template") => {
                named(sign)?;
                Ok(Perceived::PromptLocation(Arc::clone(sign.payload())))
            }
            _ => located(sign),
        },
        other => Ok(Perceived::Input(unmarked(other))),
    }
}

/// What needs no reading.
fn located(sign: &Sign) -> Result<Perceived, StepFailure> {
    let payload = Arc::clone(sign.payload());
    let place = |make: fn(Arc<str>) -> Perceived| named(sign).map(|_| make(Arc::clone(&payload)));
    match sign.norm() {
        Some("script_location" | "generated_script_path") => place(Perceived::ScriptLocation),
        Some("builtin") => place(Perceived::Builtin),
        Some("command_location") => place(Perceived::CommandLocation),
        Some("save_path") => place(Perceived::SavePath),
        Some("save_dir") => place(Perceived::SaveDir),
        _ => Ok(Perceived::Input(Value::Text(payload))),
    }
}

/// The payload of a sign that names something.
fn named(sign: &Sign) -> Result<&str, StepFailure> {
    if sign.payload().trim().is_empty() {
        let message = format!("the sign `{sign}` names nothing");
        return Err(StepFailure::new("bad_path", message).help("write the name between the parentheses"));
    }
    Ok(sign.payload())
}

/// The content of the file of that name if there is one, else the payload itself. A text that no file is named like is
/// not tried.
fn prompt(payload: &Arc<str>, means: &dyn Means) -> Result<Arc<str>, StepFailure> {
    let is_text = payload.trim().is_empty() || payload.contains(['\n', '$']) || payload.len() > LONGEST_NAME;
    if is_text {
        return Ok(Arc::clone(payload));
    }
    match means.pinned(payload) {
        Ok(content) => Ok(content),
        Err(failure) => match failure.kind.as_str() {
            "file_not_found" | "bad_path" | "io_error" => Ok(Arc::clone(payload)),
            // A sentence is no path, whatever stands in it.
            "path_escapes_base" if payload.contains(char::is_whitespace) => Ok(Arc::clone(payload)),
            _ => Err(failure),
        },
    }
}

/// The value under a key of the memory file. The payload is the key, or JSON that names key and file.
fn memorized(payload: &str, means: &dyn Means) -> Result<Value, StepFailure> {
    let place = serde_json::from_str::<JsonMap<String, Json>>(payload).ok();
    let text = |name: &str| place.as_ref().and_then(|p| p.get(name)).and_then(Json::as_str);
    let (key, file) = match text("key") {
        Some(key) => (key, text("location").unwrap_or(MEMORY)),
        None => (payload, MEMORY),
    };
    let absent = |why: String| {
        StepFailure::new(
            "no_such_parameter",
            format!("the memorized parameter `{payload}` is not there: {why}"),
        )
        .help(format!("put the key `{key}` into `{file}`, or write the key that is meant"))
    };
    let content = match means.text(file) {
        Ok(content) => content,
        Err(failure) if failure.kind == "file_not_found" => return Err(absent(failure.message)),
        Err(failure) => return Err(failure),
    };
    let values: JsonMap<String, Json> = serde_json::from_str(&content).map_err(|error| {
        let message = format!(
            "the memorized parameter `{payload}` cannot be read: `{file}` is no JSON object: {error}"
        );
        StepFailure::new("bad_parameter_file", message)
            .help("a memory file is one JSON object of keys and values")
    })?;
    match values.get(key) {
        None | Some(Json::Null) => Err(absent(format!("`{file}` has no key `{key}`"))),
        Some(value) => Ok(Value::from_data_json(value)),
    }
}

/// A marker of truth as the text it means to a later step (semantics spec, section 8.2).
pub(super) fn unmarked(value: &Value) -> Value {
    match value {
        Value::Text(text) if **text == *mask::TRUE_MARKER => Value::text("True"),
        Value::Text(text) if **text == *mask::FALSE_MARKER => Value::text("False"),
        other => other.clone(),
    }
}

/// The items of a cell, lists and records opened to their values, in order.
pub(super) fn flatten(cell: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut open = vec![cell.clone()];
    while let Some(next) = open.pop() {
        match next {
            Value::List(items) => open.extend(items.iter().rev().cloned()),
            Value::Map(map) => open.extend(map.values().rev().cloned()),
            Value::Skip => {}
            other => found.push(other),
        }
    }
    found
}

/// The text of a value for a script or a prompt: of a sign its payload, of a marker of truth `True` or `False`.
pub(super) fn input_text(value: &Value) -> Arc<str> {
    match value {
        Value::Text(text) => match &**text {
            mask::TRUE_MARKER => Arc::from("True"),
            mask::FALSE_MARKER => Arc::from("False"),
            _ => Arc::clone(text),
        },
        Value::Sign(sign) => Arc::clone(sign.payload()),
        other => Arc::from(text_of(other)),
    }
}

/// A value with every sign replaced by what its payload says.
pub(super) fn stripped(value: &Value) -> Value {
    match value {
        Value::Sign(_) => strip(value),
        Value::Text(_) => unmarked(value),
        Value::List(items) => Value::list(items.iter().map(stripped)),
        Value::Map(map) => {
            Value::Map(Arc::new(map.iter().map(|(k, v)| (Arc::clone(k), stripped(v))).collect()))
        }
        other => other.clone(),
    }
}

/// Several items of one cell as one text: `a, and b`; `a, b, and c`; nothing is the empty text.
pub fn joined(items: &[Arc<str>]) -> String {
    match items {
        [] => String::new(),
        [only] => only.to_string(),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}

/// Returns whether a concept name is a question about a concept, `{sum}?` or `{sum}?*1` (language spec, 4.4).
pub fn is_query(name: &str) -> bool {
    let mut name = name;
    while let Some((head, tail)) = name.rsplit_once('*') {
        if tail.is_empty() || !tail.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        name = head;
    }
    name.ends_with('?')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::means::NoFiles;

    #[test]
    fn several_items_read_as_a_sentence() {
        let texts: Vec<Arc<str>> = ["a", "b", "c"].map(Arc::from).to_vec();
        assert_eq!(joined(&texts[..0]), "");
        assert_eq!(joined(&texts[..1]), "a");
        assert_eq!(joined(&texts[..2]), "a, and b");
        assert_eq!(joined(&texts), "a, b, and c");
    }

    #[test]
    fn only_plan_signs_are_instructions() {
        let text = Value::text("%{script_location}(evil.py)");
        assert!(!is_instruction(&text));
        assert_eq!(perceive(&text, &NoFiles).unwrap(), Perceived::Input(text));
        let read = |text: &str| Value::from_plan_json(&serde_json::json!(text));
        let sign = read("%{script_location}(a.py)");
        assert!(is_instruction(&sign));
        assert_eq!(perceive(&sign, &NoFiles).unwrap(), Perceived::ScriptLocation(Arc::from("a.py")));
        for empty in ["%{script_location}()", "%{file_location}( )", "%{save_dir}()", "%{prompt_location}()"]
        {
            assert_eq!(perceive(&read(empty), &NoFiles).unwrap_err().kind, "bad_path", "{empty}");
        }
    }

    #[test]
    fn a_prompt_is_a_file_only_when_there_is_one() {
        let read = |text: &str| Value::from_plan_json(&serde_json::json!(text));
        for text in ["Say hello", "Say $input_1", "a\nb"] {
            let sign = read(&format!("%{{prompt}}1({text})"));
            assert_eq!(perceive(&sign, &NoFiles).unwrap(), Perceived::PromptTemplate(Arc::from(text)));
        }
        assert_eq!(perceive(&read("%{prompt_location}(p.md)"), &NoFiles).unwrap_err().kind, "file_not_found");
        assert_eq!(
            perceive_unread(&read("%{prompt_location}(p.md)")).unwrap(),
            Perceived::PromptLocation(Arc::from("p.md"))
        );
    }

    #[test]
    fn questions_are_known_by_their_mark() {
        assert!(is_query("{sum}?"));
        assert!(is_query("{sum}?*1*2"));
        assert!(!is_query("{sum?}"));
        assert!(!is_query("{sum}*1"));
    }
}
