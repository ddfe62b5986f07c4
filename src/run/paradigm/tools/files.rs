//! The methods of `file_system` and `prompt_tool` that act on files (semantics spec, sections 10.4 and 14.4). Paths are
//! passed on as they are; whoever acts keeps them in the base directory.

use std::sync::Arc;

use super::super::methods::Op;
use super::super::reply::Complaint;
use super::super::slot::{Kind, Slot, Trouble, fails};
use super::answer::{self, After};
use super::bound::Bound;
use super::callable::Done;
use crate::base::{Map, Value, text_of};
use crate::run::effect::{Effect, FileAct};

pub(super) fn read(op: Op, mut args: Bound) -> Result<Done, Trouble> {
    let path = args.path(0)?;
    let (act, after) = match op {
        Op::Exists => (FileAct::Exists { path }, After::Plain),
        Op::List => (FileAct::List { path }, After::Plain),
        Op::PromptRead => (FileAct::Read { path }, After::Plain),
        _ => (FileAct::Read { path: Arc::clone(&path) }, After::Read(path)),
    };
    Ok(Done::asks(Effect::File(act), after))
}

/// Writes a file: texts as they are, lists and maps as JSON, everything else as its text.
pub(super) fn save(mut args: Bound, content: usize, location: usize) -> Result<Done, Trouble> {
    let content = args.take(content);
    if content.is_nothing() {
        if content.origin.absent {
            return Err(content.absence());
        }
        if let Some(step) = content.origin.reply {
            let key = content.origin.key.as_deref().unwrap_or("it");
            let message = format!("`{key}` of the reply is null, and was to be saved");
            let wanted = format!("give `{key}` a content");
            return Err(Trouble::Reply(step, Complaint { kind: "nothing_to_save", message, wanted }));
        }
        return fails(
            "nothing_to_save",
            "there is nothing to save: the content is null",
            "give it a text or a value",
        );
    }
    let path = args.path(location)?;
    let text = match &content.value {
        value @ (Value::List(_) | Value::Map(_)) => Arc::from(json_text(value, false)),
        _ => content.as_text(),
    };
    Ok(Done::asks(Effect::File(FileAct::Save { path, content: text }), After::Saved))
}

/// Writes a file an entry: texts as they are, everything else as JSON.
pub(super) fn save_many(mut args: Bound) -> Result<Done, Trouble> {
    let content = args.take(0);
    let map = content.as_map()?;
    let folder = args.path(1)?;
    let text = |value: &Value| match value {
        Value::Text(text) => Arc::clone(text),
        other => Arc::from(json_text(other, true)),
    };
    let files: Vec<(Arc<str>, Arc<str>)> =
        map.iter().map(|(name, value)| (Arc::clone(name), text(value))).collect();
    let reply = content.origin.reply;
    if files.is_empty() {
        return Ok(Done::Value(saved_many(Vec::new(), reply)));
    }
    Ok(Done::asks(Effect::File(FileAct::SaveMany { folder, files }), After::SavedMany(reply)))
}

pub(super) fn recall(mut args: Bound) -> Result<Done, Trouble> {
    let key = args.text(0)?;
    let file = args.optional(1).map(|slot| slot.as_text());
    Ok(Done::asks(Effect::File(FileAct::Recall { key, file }), After::Plain))
}

pub(super) fn memorize(mut args: Bound) -> Result<Done, Trouble> {
    let key = args.text(0)?;
    let value = args.take(1).value;
    let file = args.optional(2).map(|slot| slot.as_text());
    Ok(Done::asks(Effect::File(FileAct::Memorize { key, value, file }), After::Plain))
}

/// The answer of a reading call.
pub(in super::super) fn read_answer(path: Arc<str>, content: Value) -> Slot {
    let mut slot = Slot::of(success([("content", content)]));
    slot.origin.file = Some(path);
    slot.origin.kind = Kind::ReadAnswer;
    slot
}

/// The answer of a call that wrote one file.
pub(super) fn saved(location: Arc<str>) -> Slot {
    Slot::of(success([("location", Value::Text(location))]))
}

/// The answer of a call that wrote several files.
pub(super) fn saved_many(locations: Vec<Arc<str>>, reply: Option<usize>) -> Slot {
    let locations: Vec<Value> = locations.into_iter().map(Value::Text).collect();
    let first = locations.first().cloned().unwrap_or(Value::Null);
    let mut slot =
        Slot::of(success([("saved_locations", Value::list(locations)), ("saved_location", first)]));
    slot.origin.kind = Kind::SaveAnswer;
    slot.origin.reply = reply;
    slot
}

fn success<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let status = [("status", Value::text("success"))];
    Value::Map(Arc::new(status.into_iter().chain(entries).map(|(k, v)| (Arc::from(k), v)).collect::<Map>()))
}

/// What is being printed.
enum Open<'v> {
    List(std::slice::Iter<'v, Value>),
    Map(indexmap::map::Iter<'v, Arc<str>, Value>),
}

/// A value as JSON with an indent of two, numbers as they stand in texts. The stack is explicit: values may be deep.
pub(super) fn json_text(value: &Value, ascii: bool) -> String {
    let mut out = String::new();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut next = Some(value);
    let mut first = true;
    loop {
        if let Some(value) = next.take() {
            match value {
                Value::List(items) if !items.is_empty() => {
                    out.push('[');
                    open.push(Open::List(items.iter()));
                    first = true;
                }
                Value::Map(map) if !map.is_empty() => {
                    out.push('{');
                    open.push(Open::Map(map.iter()));
                    first = true;
                }
                Value::List(_) => out.push_str("[]"),
                Value::Map(_) => out.push_str("{}"),
                Value::Null => out.push_str("null"),
                Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
                Value::Number(_) => out.push_str(&text_of(value)),
                Value::Text(_) | Value::Sign(_) | Value::Skip => quote(&text_of(value), ascii, &mut out),
            }
        }
        let depth = open.len();
        let Some(innermost) = open.last_mut() else { return out };
        let entry = match innermost {
            Open::List(items) => items.next().map(|item| (None, item)),
            Open::Map(entries) => entries.next().map(|(key, item)| (Some(key), item)),
        };
        let Some((key, item)) = entry else {
            let close = if matches!(innermost, Open::List(_)) { ']' } else { '}' };
            open.pop();
            line(&mut out, depth - 1);
            out.push(close);
            first = false;
            continue;
        };
        if !first {
            out.push(',');
        }
        first = false;
        line(&mut out, depth);
        if let Some(key) = key {
            quote(key, ascii, &mut out);
            out.push_str(": ");
        }
        next = Some(item);
    }
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

fn quote(text: &str, ascii: bool, out: &mut String) {
    let quoted = serde_json::Value::from(text).to_string();
    if !ascii {
        out.push_str(&quoted);
        return;
    }
    for c in quoted.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

/// The path of a written file as the answer names it: relative to the base directory, or absolute where the run asks for
/// that (semantics spec, section 14.4).
pub(super) fn located(base: Option<&Arc<str>>, path: &str) -> Arc<str> {
    match base {
        Some(base) if !path.starts_with('/') => Arc::from(format!("{}/{path}", base.trim_end_matches('/'))),
        _ => Arc::from(path),
    }
}

/// The paths in the answer of a call that wrote several files.
pub(super) fn paths_of(value: &Value, base: Option<&Arc<str>>) -> Vec<Arc<str>> {
    match value {
        Value::List(items) => items.iter().map(|item| located(base, &answer::text_of_answer(item))).collect(),
        other => vec![located(base, &answer::text_of_answer(other))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_as_python_writes_it() {
        let value =
            Value::from_data_json(&serde_json::json!({"a": [1, 2.0, "é\n", null, true], "b": {}, "c": []}));
        let wanted = "{\n  \"a\": [\n    1,\n    2.0,\n    \"é\\n\",\n    null,\n    true\n  ],\n  \"b\": {},\n  \"c\": []\n}";
        assert_eq!(json_text(&value, false), wanted);
        assert_eq!(json_text(&Value::text("é😀"), true), "\"\\u00e9\\ud83d\\ude00\"");
        let nested = Value::list([Value::list([Value::list([])]), Value::Null]);
        assert_eq!(json_text(&nested, true), "[\n  [\n    []\n  ],\n  null\n]");
    }
}
