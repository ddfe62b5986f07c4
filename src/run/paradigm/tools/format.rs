//! The methods that only work on values: look-ups, signs, replies, templates (semantics spec, section 10.4,
//! `formatter_tool` and `perception_router`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::ids::Ids;
use super::super::reply::{self, Complaint};
use super::super::slot::{Kind, Origin, Slot, Trouble, fails, missing_input};
use super::bound::Bound;
use super::template::Template;
use crate::base::{Map, Sign, Value, placeholders, smart_substitute, strip, text_of};
use crate::run::event::StepFailure;

pub(super) fn get(mut args: Bound) -> Result<Slot, Trouble> {
    let from = args.take(0);
    let key = args.text(1)?;
    let default = args.given(2);
    look_up(&from, key, default)
}

/// An entry of a map. What is not there is nothing, and remembered as such (semantics spec, section 10.6).
pub(in super::super) fn look_up(from: &Slot, key: Arc<str>, default: Option<Slot>) -> Result<Slot, Trouble> {
    let map = from.as_map()?;
    let found = map.get(&*key);
    // A writing call that wrote nothing says so with nothing.
    let wrote_nothing = from.origin.kind == Kind::SaveAnswer && matches!(found, Some(Value::Null));
    let origin = |absent| Origin {
        reply: from.origin.reply,
        file: from.origin.file.clone().filter(|_| &*key == "content"),
        kind: match from.origin.kind {
            Kind::ReadAnswer => Kind::Plain,
            kind @ (Kind::Parsed | Kind::Plain) => kind,
            kind if absent => kind,
            _ => Kind::Plain,
        },
        key: Some(Arc::clone(&key)),
        absent,
    };
    Ok(match (found, default) {
        (Some(value), _) => Slot { value: value.clone(), text: None, origin: origin(wrote_nothing) },
        (None, Some(default)) => default,
        (None, None) => Slot { value: Value::Null, text: None, origin: origin(true) },
    })
}

pub(super) fn wrap(mut args: Bound, ids: &mut Ids) -> Result<Slot, Trouble> {
    let data = args.take(0);
    let norm = norm(&mut args)?;
    Ok(Slot::of(sign(norm.as_deref(), data.as_text(), ids)?))
}

pub(super) fn wrap_list(mut args: Bound, ids: &mut Ids) -> Result<Slot, Trouble> {
    let data = args.take(0);
    let norm = norm(&mut args)?;
    let Value::List(items) = &data.value else {
        let what = super::super::slot::shown(&data.value);
        if let (Some(step), Kind::Parsed) = (data.origin.reply, data.origin.kind) {
            let key = data
                .origin
                .key
                .as_deref()
                .map_or_else(|| "the reply".to_owned(), |k| format!("`{k}` of the reply"));
            let message = format!("{key} is {}, not a list", reply::what(&data.value));
            let wanted = "reply with a list there".to_owned();
            return Err(Trouble::Reply(step, Complaint { kind: "not_a_list", message, wanted }));
        }
        let help = "give it a list, or use `formatter_tool.wrap` for one value";
        return fails("not_a_list", format!("`formatter_tool.wrap_list` expects a list, got {what}"), help);
    };
    let signs = items.iter().map(|item| match item {
        Value::Skip => Ok(Value::Skip),
        item => sign(norm.as_deref(), Slot::of(item.clone()).as_text(), ids),
    });
    Ok(Slot::of(Value::List(signs.collect::<Result<_, _>>()?)))
}

/// The norm of a sign: nothing, and what counts as nothing, is none.
fn norm(args: &mut Bound) -> Result<Option<Arc<str>>, Trouble> {
    let given = args.take(1);
    match &given.value {
        Value::Text(norm) if !norm.is_empty() => Ok(Some(Arc::clone(norm))),
        _ if !given.is_true() => Ok(None),
        other => args.wrong(1, "the norm of a sign, a text", other),
    }
}

fn sign(norm: Option<&str>, payload: Arc<str>, ids: &mut Ids) -> Result<Value, Trouble> {
    match Sign::new(norm, payload) {
        Ok(sign) => Ok(Value::Sign(Arc::new(sign.with_id(ids.next_id())))),
        Err(error) => {
            fails("invalid_norm", error.to_string(), "write the norm with letters, digits and underscores")
        }
    }
}

/// What a reply says, as a map. What is data already says nothing more: its look-ups find nothing.
pub(super) fn parse(mut args: Bound) -> Result<Slot, Trouble> {
    let raw = args.take(0);
    let Value::Text(text) = &raw.value else {
        let map: Map = [(Arc::from("raw_response"), raw.value.clone())].into_iter().collect();
        return Ok(raw.then(Value::Map(Arc::new(map))));
    };
    let map = reply::read_object(text).map_err(|c| unreadable(&raw, c))?;
    Ok(parsed(&raw, Value::Map(map)))
}

/// What a JSON text says: strictly in a file, as replies are read otherwise.
pub(super) fn read_json(mut args: Bound) -> Result<Slot, Trouble> {
    let raw = args.take(0);
    let Value::Text(text) = &raw.value else {
        return args.wrong(0, "a JSON text", &raw.value);
    };
    let value = match &raw.origin.file {
        Some(_) => reply::read_json(text).ok_or_else(Complaint::not_json),
        None => reply::read_value(text),
    };
    Ok(parsed(&raw, value.map_err(|c| unreadable(&raw, c))?))
}

fn parsed(raw: &Slot, value: Value) -> Slot {
    let origin = Origin { reply: raw.origin.reply, kind: Kind::Parsed, ..Origin::default() };
    Slot { value, text: None, origin }
}

/// What is said of a text that cannot be read: a reply, a file, or just a text.
fn unreadable(raw: &Slot, complaint: Complaint) -> Trouble {
    if let Some(step) = raw.origin.reply {
        return Trouble::Reply(step, complaint);
    }
    Trouble::Fails(match &raw.origin.file {
        Some(path) if complaint.kind == "reply_is_not_json" => {
            StepFailure::new("file_is_not_json", format!("the file `{path}` is not JSON"))
                .help("write JSON into the file, or read it with a paradigm for text")
        }
        _ => StepFailure::new(complaint.kind, complaint.message.replace("the reply", "the text"))
            .help("give it the JSON text of an object"),
    })
}

pub(super) fn clean_code(mut args: Bound) -> Slot {
    let raw = args.take(0);
    let text = raw.as_text();
    let code = reply::code_block(&text);
    let file = raw.origin.file.clone().filter(|_| code.len() == text.len());
    let mut cleaned = raw.then(Value::text(code));
    cleaned.origin.file = file;
    cleaned
}

pub(super) fn parse_boolean(mut args: Bound) -> Result<Slot, Trouble> {
    let raw = args.take(0);
    let truth = reply::read_truth(&raw.value).map_err(|c| unreadable(&raw, c))?;
    Ok(raw.then(Value::Bool(truth)))
}

pub(super) fn strip_sign(mut args: Bound) -> Slot {
    let token = args.take(0);
    match &token.value {
        Value::Sign(_) => Slot { value: strip(&token.value), text: None, origin: token.origin },
        _ => token,
    }
}

/// The path in a sign of the plan, filled with the inputs; where there is none, the input of that name.
pub(super) fn path(vars: &Map, template: Option<&Template>, key: &str) -> Result<Slot, Trouble> {
    if let Some(template) = template {
        return template.fill(vars);
    }
    match vars.get(key) {
        Some(value) if !matches!(value, Value::Null | Value::Skip) => Ok(Slot::of(value.clone())),
        _ => Err(missing_input(key).into()),
    }
}

/// The inputs of a script: those whose names start with `input_`; texts that are JSON are passed as what they say.
pub fn collect_inputs(inputs: &Map) -> Map {
    let read = |value: &Value| match value {
        Value::Text(text) => reply::read_json(text).unwrap_or_else(|| value.clone()),
        other => other.clone(),
    };
    inputs.iter().filter(|(k, _)| k.starts_with("input_")).map(|(k, v)| (Arc::clone(k), read(v))).collect()
}

/// The template among the inputs, filled with the others; with a bundle, those it does not name go there.
pub(super) fn substitute(vars: &Map, key: &str, bundle: Option<&str>) -> Result<Slot, Trouble> {
    let Some(template) = vars.get(key).filter(|v| !matches!(v, Value::Null | Value::Skip)) else {
        let help = "give the step a value that is a prompt: `%{prompt_location}(prompts/step.md)`";
        return fails("missing_template", format!("the step has no template `{key}`"), help);
    };
    let others: Map =
        vars.iter().filter(|(k, _)| &***k != key).map(|(k, v)| (Arc::clone(k), v.clone())).collect();
    let template = Template::read(&Slot::of(template.clone()).as_text());
    match bundle {
        None => template.fill(&others),
        Some(bundle) => {
            let mut known = others.clone();
            known.insert(Arc::from(bundle), Value::Null);
            template.check(&known)?;
            Ok(Slot::of(Value::text(smart_substitute(&template.text, &others, bundle))))
        }
    }
}

/// A prompt filled with the inputs, those it does not name below it, each in a block of its own. A prompt among the
/// inputs takes the place of the given one.
pub(super) fn prompt(vars: &Map, given: &Template, ending: &str) -> Result<Slot, Trouble> {
    let own = vars.get("prompt_template").map(|t| Template::read(&Slot::of(t.clone()).as_text()));
    // The line break that ends a file is no part of the prompt; those that end a value are.
    let template = own.as_ref().unwrap_or(given).without_end();
    let mut text = (*template.fill(vars)?.as_text()).to_owned();
    for (name, value) in unnamed(vars, &template.text) {
        text.push_str(&format!("\n\n<{name}>\n{}\n</{name}>", text_of(value)));
    }
    if !ending.is_empty() {
        text.push_str("\n\n");
        text.push_str(ending);
    }
    Ok(Slot::of(Value::text(text)))
}

/// The inputs `input_N` that a template does not name, by number.
pub(super) fn unnamed<'v>(vars: &'v Map, template: &str) -> Vec<(&'v str, &'v Value)> {
    let named: BTreeSet<String> = placeholders(template).into_iter().collect();
    let number = |name: &str| name.strip_prefix("input_").and_then(|digits| digits.parse::<u64>().ok());
    let mut found: Vec<(u64, &str, &Value)> = vars
        .iter()
        .filter(|(name, _)| !named.contains(&***name))
        .filter_map(|(name, value)| Some((number(name)?, &**name, value)))
        .collect();
    found.sort_by_key(|(number, name, _)| (*number, *name));
    found.into_iter().map(|(_, name, value)| (name, value)).collect()
}

/// What a prompt says about the form of its reply.
pub(super) fn ending(mut args: Bound) -> Result<Arc<str>, Trouble> {
    let form = args.optional(1).map(|slot| slot.as_text());
    let schema = args.optional(2);
    Ok(match (form.as_deref(), schema) {
        (None, _) => Arc::from(""),
        (Some("truth"), _) => Arc::from("Answer with one word: true or false."),
        (Some("json"), None) => Arc::from("Reply with JSON and nothing else."),
        (Some("json"), Some(schema)) => {
            let schema = schema.value.to_json();
            Arc::from(format!("Reply with JSON and nothing else. It must fit this JSON Schema:\n{schema}"))
        }
        (Some(other), _) => {
            return args.wrong(1, "`json` or `truth`", &Value::text(other));
        }
    })
}
