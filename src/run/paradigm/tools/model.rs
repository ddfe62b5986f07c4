//! `llm.generate`: what is asked of a model (semantics spec, sections 10.4 and 14.1).

use std::sync::Arc;

use super::super::slot::Trouble;
use super::answer::{After, Done};
use super::bound::Bound;
use super::schema::checked;
use crate::base::Value;
use crate::run::effect::{Effect, Generate, ReplyFormat};

pub(super) fn generate(mut args: Bound, model: Option<&Arc<str>>) -> Result<Done, Trouble> {
    let prompt = args.take(0).as_text();
    let system = args.optional(1).map(|slot| slot.as_text());
    let format = args.optional(2).map(|slot| slot.value);
    let schema = args.optional(3).map(|slot| slot.value);
    let format = match (schema, format) {
        (Some(schema), _) => ReplyFormat::Schema(Arc::new(schema.to_json())),
        (None, Some(format)) => format_of(&args, &format)?,
        (None, None) => ReplyFormat::Text,
    };
    let checked = match &format {
        ReplyFormat::Schema(schema) => Some(checked(schema)?),
        _ => None,
    };
    let generate = Generate { prompt, system, format, model: model.cloned() };
    Ok(Done::asks(Effect::Generate(generate), After::Reply(checked)))
}

/// The form of reply in the words of the protocol: `{"type": "json_object"}` and its like.
fn format_of(args: &Bound, given: &Value) -> Result<ReplyFormat, Trouble> {
    let entry = |map: &Value, key: &str| match map {
        Value::Map(map) => map.get(key).cloned(),
        _ => None,
    };
    let schema = || {
        let inner = entry(given, "json_schema");
        inner.as_ref().and_then(|inner| entry(inner, "schema")).or_else(|| entry(given, "schema"))
    };
    if let Some(Value::Text(word)) = entry(given, "type") {
        match (&*word, schema()) {
            ("text", _) => return Ok(ReplyFormat::Text),
            ("json_object", None) => return Ok(ReplyFormat::Json),
            ("json_schema" | "json_object", Some(schema)) => {
                return Ok(ReplyFormat::Schema(Arc::new(schema.to_json())));
            }
            _ => {}
        }
    }
    args.wrong(
        2,
        "`{\"type\": \"json_object\"}` or `{\"type\": \"json_schema\", \"json_schema\": {\"schema\": ...}}`",
        given,
    )
}
