//! The methods of `file_system` and `prompt_tool` that act on files (semantics spec, sections 10.4 and 14.4). Paths are
//! passed on as they are; whoever acts keeps them in the base directory.

use std::sync::Arc;

use super::super::methods::Op;
use super::super::reply::Complaint;
use super::super::slot::{Trouble, fails};
use super::answer::{After, Done, saved_many};
use super::bound::Bound;
use crate::base::{JsonLayout, Numbers, Value, json_text};
use crate::run::effect::{Effect, FileAct};

/// Files that steps write have numbers as they stand in texts.
const LAYOUT: JsonLayout = JsonLayout { indent: 2, ascii: false, numbers: Numbers::AsText };

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
        value @ (Value::List(_) | Value::Map(_)) => Arc::from(json_text(value, LAYOUT)),
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
        other => Arc::from(json_text(other, JsonLayout { ascii: true, ..LAYOUT })),
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
