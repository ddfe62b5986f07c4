//! Perception: what the cells of a value become on their way into a step (semantics spec, sections 2.4 and 9.2).

use std::sync::Arc;

use crate::base::{Value, text_of};

use super::super::event::StepFailure;

/// What a cell is to a step. Instructions are told apart by type, so that no data can look like one.
#[derive(Debug, Clone, PartialEq)]
pub enum Perceived {
    /// An input.
    Input(Value),
    /// The script that is to be run.
    Script(Arc<str>),
    /// The built-in that is to be called.
    Builtin(Arc<str>),
    /// A place for a prompt.
    PromptLocation(Arc<str>),
}

/// Perceives one item of a cell as the old script sequences do: files are not read.
///
/// # Errors
/// `bad_path` for an empty path.
pub fn perceive(item: &Value) -> Result<Perceived, StepFailure> {
    let Value::Sign(sign) = item else { return Ok(Perceived::Input(item.clone())) };
    let payload = Arc::clone(sign.payload());
    let location = |make: fn(Arc<str>) -> Perceived| {
        if payload.trim().is_empty() {
            let message = format!("the sign `{sign}` names no path");
            return Err(StepFailure::new("bad_path", message).help("write the path between the parentheses"));
        }
        Ok(make(Arc::clone(&payload)))
    };
    match sign.norm() {
        Some("script_location" | "generated_script_path") => location(Perceived::Script),
        Some("builtin") => location(Perceived::Builtin),
        Some("prompt_location" | "prompt" | "prompt_template") => location(Perceived::PromptLocation),
        _ => Ok(Perceived::Input(Value::Text(payload))),
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

/// The text of a value for a script or a prompt: truth markers become `True` and `False` (semantics spec, 8.2).
pub(super) fn input_text(value: &Value) -> Arc<str> {
    match value {
        Value::Text(t) => match &**t {
            "%{truth value}(true)" => Arc::from("True"),
            "%{truth value}(false)" => Arc::from("False"),
            _ => Arc::clone(t),
        },
        Value::Sign(s) => Arc::clone(s.payload()),
        other => Arc::from(text_of(other)),
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
        assert_eq!(perceive(&text).unwrap(), Perceived::Input(text));
        let sign = Value::from_plan_json(&serde_json::json!("%{script_location}(a.py)"));
        assert_eq!(perceive(&sign).unwrap(), Perceived::Script(Arc::from("a.py")));
        let empty = Value::from_plan_json(&serde_json::json!("%{script_location}()"));
        assert_eq!(perceive(&empty).unwrap_err().kind, "bad_path");
    }

    #[test]
    fn questions_are_known_by_their_mark() {
        assert!(is_query("{sum}?"));
        assert!(is_query("{sum}?*1*2"));
        assert!(!is_query("{sum?}"));
        assert!(!is_query("{sum}*1"));
    }
}
