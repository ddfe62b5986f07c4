//! A value on its way through a paradigm, with what must be known about where it came from: the reply it was read from
//! (which can be asked for again), the file whose text it is, the look-up that found nothing. Knows no methods.

use std::sync::Arc;

use super::reply::{Complaint, what};
use crate::base::{Map, Value, text_of};
use crate::run::event::StepFailure;

/// A value and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) value: Value,
    /// Its text where that is not the text of the value.
    pub(super) text: Option<Arc<str>>,
    pub(super) origin: Origin,
}

/// Where a value came from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// The step of the plan whose model call gave the reply it was taken from.
    pub(super) reply: Option<usize>,
    /// The file it is the whole text of, exactly.
    pub(super) file: Option<Arc<str>>,
    pub(super) kind: Kind,
    /// The key under which it was looked up last.
    pub(super) key: Option<Arc<str>>,
    /// It was looked up and is not there.
    pub(super) absent: bool,
}

/// What sort of thing a value is, as far as it matters for what is wrong with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Plain,
    /// The inputs of the call.
    Inputs,
    /// What a reply says.
    Parsed,
    /// The answer of a reading call.
    ReadAnswer,
    /// The answer of a writing call.
    SaveAnswer,
}

/// Why a call cannot go on.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The step fails.
    Fails(StepFailure),
    /// The reply that this step of the plan got cannot be used; the model can be asked again.
    Reply(usize, Complaint),
}

impl From<StepFailure> for Trouble {
    fn from(failure: StepFailure) -> Self {
        Self::Fails(failure)
    }
}

pub(super) fn fails<T>(
    kind: &str,
    message: impl Into<String>,
    help: impl Into<Box<str>>,
) -> Result<T, Trouble> {
    Err(Trouble::Fails(StepFailure::new(kind, message).help(help)))
}

impl Slot {
    pub(super) fn of(value: Value) -> Self {
        Self { value, text: None, origin: Origin::default() }
    }

    pub(super) fn nothing() -> Self {
        Self::of(Value::Null)
    }

    pub(super) fn inputs(map: Map) -> Self {
        let origin = Origin { kind: Kind::Inputs, ..Origin::default() };
        Self { value: Value::Map(Arc::new(map)), text: None, origin }
    }

    /// The same origin for another value: what was read out of this one.
    pub(super) fn then(&self, value: Value) -> Self {
        let origin = Origin { reply: self.origin.reply, ..Origin::default() };
        Self { value, text: None, origin }
    }

    /// Its text, as it stands in signs, prompts and files.
    pub(super) fn as_text(&self) -> Arc<str> {
        match (&self.text, &self.value) {
            (Some(text), _) | (None, Value::Text(text)) => Arc::clone(text),
            (None, other) => Arc::from(text_of(other)),
        }
    }

    /// Whether it is nothing, looked up or given.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.value, Value::Null | Value::Skip)
    }

    /// Python's truth of a value.
    pub(super) fn is_true(&self) -> bool {
        match &self.value {
            Value::Null => false,
            Value::Bool(truth) => *truth,
            Value::Number(number) => number.to_f64() != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::List(items) => !items.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Skip | Value::Sign(_) => true,
        }
    }

    /// What is said when a call is given this look-up that found nothing.
    pub(super) fn absence(&self) -> Trouble {
        let key = self.origin.key.as_deref().unwrap_or("?");
        if let Some(step) = self.origin.reply {
            let complaint = match self.origin.kind {
                Kind::SaveAnswer => Complaint {
                    kind: "nothing_to_save",
                    message: "the reply names no file to save".to_owned(),
                    wanted: "name at least one file with its content".to_owned(),
                },
                _ => Complaint::lacks_key(key),
            };
            return Trouble::Reply(step, complaint);
        }
        Trouble::Fails(match self.origin.kind {
            Kind::Inputs => missing_input(key),
            Kind::SaveAnswer => StepFailure::new("nothing_to_save", "there was no file to save")
                .help("give a map of file names and contents that is not empty"),
            _ => {
                StepFailure::new("missing_input", format!("there is no entry `{key}` in what was looked up"))
                    .help("look up a key that is there, or give the look-up a `default`")
            }
        })
    }

    /// The map it is.
    ///
    /// # Errors
    /// What is said when it is none: of the reply it was read from, else `not_a_dictionary`.
    pub(super) fn as_map(&self) -> Result<&Arc<Map>, Trouble> {
        let Value::Map(map) = &self.value else {
            return Err(self.no_map());
        };
        Ok(map)
    }

    fn no_map(&self) -> Trouble {
        let Origin { reply, kind, key, .. } = &self.origin;
        if let (Some(step), true) = (reply, *kind == Kind::Parsed) {
            return Trouble::Reply(
                *step,
                match key {
                    Some(key) => Complaint::key_is_not_an_object(key, &self.value),
                    None => Complaint::not_an_object(&self.value),
                },
            );
        }
        let message = format!("a map is wanted, got {}", shown(&self.value));
        Trouble::Fails(
            StepFailure::new("not_a_dictionary", message).help("give it a map, such as the inputs"),
        )
    }
}

/// The failure of a step that is not given what its paradigm needs.
pub(super) fn missing_input(key: &str) -> StepFailure {
    let help = match key {
        "save_path" => "give the step a value that is a path: `%{save_path}(out/report.md)`".to_owned(),
        "save_dir" => "give the step a value that is a folder: `%{save_dir}(out)`".to_owned(),
        "script_location" => {
            "give the step a value that is a script: `%{script_location}(scripts/step.py)`".to_owned()
        }
        "prompt_template" => {
            "give the step a value that is a prompt: `%{prompt_location}(prompts/step.md)`".to_owned()
        }
        _ => format!("pass one more value to the step, so that it has `{key}`"),
    };
    StepFailure::new("missing_input", format!("the step has no input `{key}`")).help(help)
}

/// A value in a message: what it is, and its first characters.
pub(super) fn shown(value: &Value) -> String {
    const SHOWN: usize = 200;
    match value {
        Value::Skip | Value::Null => what(value).to_owned(),
        other => {
            let text = text_of(other);
            let mut start: String =
                text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
            if text.chars().nth(SHOWN).is_some() {
                start.push('…');
            }
            format!("{} `{start}`", what(other))
        }
    }
}
