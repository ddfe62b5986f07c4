//! How far a call of a method comes, and what becomes of the answer of the world: the value the method answers with (semantics spec, section 10.4).

use std::sync::Arc;

use super::super::slot::{Kind, Slot, Trouble, fails, shown};
use super::schema::Checked;
use crate::base::{Map, Value, text_of};
use crate::run::effect::{CallAnswer, Effect};

/// How far a call came.
#[derive(Debug)]
pub(in super::super) enum Done {
    /// It has its answer.
    Value(Slot),
    /// It asks the world.
    Asks(Box<Effect>, After),
}

impl Done {
    pub(super) fn value(value: Slot) -> Self {
        Self::Value(value)
    }

    pub(super) fn asks(effect: Effect, after: After) -> Self {
        Self::Asks(Box::new(effect), after)
    }
}

/// What is made of the answer to an effect.
#[derive(Debug, Clone)]
pub(in super::super) enum After {
    /// The answer itself.
    Plain,
    /// The content of a file.
    Read(Arc<str>),
    /// The path of a written file.
    Saved,
    /// The paths of written files, made of the reply of this step.
    SavedMany(Option<usize>),
    /// A reply of a model, which perhaps must fit a schema.
    Reply(Option<Arc<Checked>>),
    /// What a script answered.
    Script,
    /// A message of a person.
    Message,
    /// A message was shown.
    Sent,
    /// The conversation is over.
    Closed,
    /// What a tool answered.
    Tool(&'static str),
}

impl After {
    /// The value of a call. `step` is the step of the plan that made it, `base` what written paths are joined to.
    ///
    /// # Errors
    /// When the answer says that the call failed, or is a reply that cannot be read.
    pub(in super::super) fn value(
        &self,
        answer: CallAnswer,
        step: usize,
        base: Option<&Arc<str>>,
    ) -> Result<Slot, Trouble> {
        let plain = |answer: CallAnswer| Slot { text: answer.text, ..Slot::of(answer.value) };
        Ok(match self {
            Self::Plain => plain(answer),
            Self::Read(path) => read_answer(Arc::clone(path), answer.value),
            Self::Saved => saved(located(base, &text_of_answer(&answer.value))),
            Self::SavedMany(reply) => saved_many(paths_of(&answer.value, base), *reply),
            Self::Reply(schema) => {
                let text = text_of_answer(&answer.value);
                if let Some(schema) = schema {
                    schema.check(&text).map_err(|complaint| Trouble::Reply(step, complaint))?;
                }
                let mut slot = Slot::of(Value::Text(text));
                slot.origin.reply = Some(step);
                slot
            }
            Self::Script => {
                refused("script_failed", "the script", &answer.value, false)?;
                plain(answer)
            }
            Self::Message => match &answer.value {
                Value::Map(map) if map.contains_key("content") => plain(answer),
                other => Slot::of(map([
                    ("role", Value::text("user")),
                    ("content", Value::Text(text_of_answer(other))),
                ])),
            },
            Self::Sent => map_or(answer, || map([("sent", Value::Bool(true))])),
            Self::Closed => map_or(answer, || map([("status", Value::text("closed"))])),
            Self::Tool(label) => {
                refused("command_failed", &format!("`{label}`"), &answer.value, true)?;
                plain(answer)
            }
        })
    }
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
        Value::List(items) => items.iter().map(|item| located(base, &text_of_answer(item))).collect(),
        other => vec![located(base, &text_of_answer(other))],
    }
}

/// What faculties answer is data: a text is taken as it is, also one that looks like a sign.
pub(super) fn text_of_answer(value: &Value) -> Arc<str> {
    match value {
        Value::Text(text) => Arc::clone(text),
        other => Arc::from(text_of(other)),
    }
}

fn map_or(answer: CallAnswer, other: impl Fn() -> Value) -> Slot {
    match answer.value {
        value @ Value::Map(_) => Slot::of(value),
        _ => Slot::of(other()),
    }
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(Arc::new(entries.into_iter().map(|(k, v)| (Arc::from(k), v)).collect::<Map>()))
}

/// An answer that says it is an error stops the step at the call that gave it (semantics spec, section 10.6). A script
/// says so with `status`; its `error` may be what it found out.
fn refused(kind: &str, who: &str, answer: &Value, any_error: bool) -> Result<(), Trouble> {
    let Value::Map(map) = answer else { return Ok(()) };
    let says_error = matches!(map.get("status"), Some(Value::Text(status)) if &**status == "error");
    let error = map.get("error").filter(|e| any_error && !matches!(e, Value::Null | Value::Bool(false)));
    if !says_error && error.is_none() {
        return Ok(());
    }
    let words = map.get("message").or(error).map_or_else(|| shown(answer), text_of);
    let words: String = words.chars().take(2000).collect();
    fails(kind, format!("{who} answered with an error: {words}"), "see what it says, and mend its cause")
}
