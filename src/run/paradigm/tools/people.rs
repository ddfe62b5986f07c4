//! The methods of `user_input` and `chat`: questions to a person (semantics spec, sections 10.4 and 14.6).

use std::sync::Arc;

use super::super::methods::Maker;
use super::super::slot::{Slot, Trouble, fails};
use super::answer::{After, Done};
use super::bound::Bound;
use super::format::unnamed;
use super::template::Template;
use crate::base::{Map, Value, text_of};
use crate::run::effect::{Effect, Question, QuestionKind, Validation};

/// A way of asking, with what was said about it beforehand.
#[derive(Debug, Clone)]
pub(in super::super) struct Interaction {
    pub(super) maker: Maker,
    kind: QuestionKind,
    default: Option<Value>,
    validation: Option<Validation>,
}

impl Interaction {
    /// Asks for a text, or lets one be edited.
    pub(super) fn plain(maker: Maker) -> Self {
        let kind = if maker == Maker::Editor { QuestionKind::Edit } else { QuestionKind::Text };
        Self { maker, kind, default: None, validation: None }
    }

    /// Reads the configuration of an interaction. What [R] takes without a person, `non_interactive_default`, is never
    /// taken.
    pub(super) fn read(mut args: Bound) -> Result<Self, Trouble> {
        let word = args.text(0)?;
        let default = args.optional(1).map(|slot| slot.value);
        let validation = match args.optional(6) {
            Some(given) => Some(validation(&args, &given.value)?),
            None => None,
        };
        let kind = match &*word {
            "simple_text" => QuestionKind::Text,
            "validated_text" => QuestionKind::Text,
            "confirm" => QuestionKind::Confirm,
            "text_editor" => QuestionKind::Edit,
            "multi_file_input" => QuestionKind::Files,
            "select" => QuestionKind::Choose(match args.optional(7) {
                Some(given) => options(&args, 7, &given)?,
                None => Vec::new(),
            }),
            _ => {
                let kinds = "one of `simple_text`, `validated_text`, `confirm`, `select`, `text_editor` and \
                             `multi_file_input`";
                return args.wrong(0, kinds, &Value::Text(word));
            }
        };
        Ok(Self { maker: Maker::Interaction, kind, default, validation })
    }
}

fn validation(args: &Bound, given: &Value) -> Result<Validation, Trouble> {
    let entry = |key: &str| match given {
        Value::Map(map) => match map.get(key) {
            Some(Value::Text(text)) => Some(Arc::clone(text)),
            _ => None,
        },
        _ => None,
    };
    match (entry("type").as_deref(), entry("pattern")) {
        (Some("file_exists"), _) => Ok(Validation::FileExists(entry("error_message"))),
        (Some("not_empty"), _) => Ok(Validation::NotEmpty),
        (Some("pattern" | "regex"), Some(pattern)) => Ok(Validation::Pattern(pattern)),
        _ => {
            args.wrong(6, "`{\"type\": \"file_exists\"}`, `not_empty`, or `pattern` with a `pattern`", given)
        }
    }
}

fn options(args: &Bound, place: usize, given: &Slot) -> Result<Vec<Arc<str>>, Trouble> {
    match &given.value {
        Value::List(items) if !items.is_empty() => {
            Ok(items.iter().map(|item| Arc::from(text_of(item))).collect())
        }
        other => args.wrong(place, "a list of what can be chosen", other),
    }
}

pub(super) fn ask(interaction: &Interaction, mut args: Bound) -> Result<Done, Trouble> {
    let prompt = args.take(0).as_text();
    let initial = args.optional(1).map(|slot| slot.as_text());
    let mut kind = interaction.kind.clone();
    let chosen = args.optional(2);
    if let QuestionKind::Choose(known) = &mut kind {
        if let Some(given) = &chosen {
            *known = options(&args, 2, given)?;
        }
        if known.is_empty() {
            let message = "there is nothing to choose from: the question has no `options`";
            return fails("bad_arguments", message, "give the interaction `options`, a list of texts");
        }
    }
    let default = args.optional(3).map(|slot| slot.value).or_else(|| interaction.default.clone());
    let validation = interaction.validation.clone();
    Ok(Done::asks(Effect::Ask(Question { kind, prompt, initial, default, validation }), After::Plain))
}

/// Asks for one of the inputs that the question does not name; the items of a list are each one.
pub(super) fn choose(template: &Template, vars: &Map) -> Result<Done, Trouble> {
    let prompt = template.fill(vars)?.as_text();
    let mut options: Vec<Arc<str>> = Vec::new();
    for (_, value) in unnamed(vars, &template.text) {
        match value {
            Value::List(items) => options.extend(items.iter().map(|item| Arc::from(text_of(item)))),
            other => options.push(Arc::from(text_of(other))),
        }
    }
    if options.is_empty() {
        let help =
            "pass what can be chosen as values of the step; values that the question names are no choices";
        return fails("missing_input", "there is nothing to choose from", help);
    }
    let question = Question::of(QuestionKind::Choose(options), prompt);
    Ok(Done::asks(Effect::Ask(question), After::Plain))
}

pub(super) fn chat(kind: QuestionKind, prompt: &str, after: After) -> Done {
    Done::asks(Effect::Ask(Question::of(kind, prompt)), after)
}
