//! Reads the plan of a paradigm: the parameter `plan` of its last step (semantics spec, section 10.3).

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::document::{Condition, Operator, Param, Planned};
use super::read::{Reader, Stored};
use crate::base::listed;

const KEYS: [&str; 5] = ["output_key", "function", "params", "literal_params", "condition"];

const NO_MAP: &str = "write `{\"argument\": \"key of the context\"}`";

/// The steps of a plan, with what is wrong with them reported.
pub(super) fn read(reader: &mut Reader<'_>, place: &str, plan: Option<&Json>) -> Vec<Planned> {
    let Some(Json::Array(steps)) = plan else {
        reader.problem(
            "bad_paradigm",
            place,
            "`plan` is not a list",
            "write the steps of the function as a list",
        );
        return Vec::new();
    };
    if steps.is_empty() {
        reader.problem("missing_return_key", place, "`plan` has no steps", "write the steps of the function");
    }
    steps.iter().enumerate().filter_map(|(i, step)| one(reader, i, step)).collect()
}

/// How messages call a step of the plan.
pub(super) fn place_of(number: usize, output: &str) -> String {
    format!("plan step {} (`{output}`)", number + 1)
}

fn one(reader: &mut Reader<'_>, number: usize, step: &Json) -> Option<Planned> {
    let place = format!("plan step {}", number + 1);
    let step = reader.object(&place, "the step", step, &KEYS)?;
    let output: Arc<str> = match step.get("output_key") {
        None | Some(Json::Null) => Arc::from(format!("step_{number}_result")),
        Some(Json::String(key)) => Arc::from(key.as_str()),
        Some(_) => {
            reader.problem("bad_paradigm", &place, "`output_key` is not a text", "write the key it sets");
            return None;
        }
    };
    let place = place_of(number, &output);
    let Some(function) = step.get("function") else {
        let help = "write `\"function\": {\"__type__\": \"MetaValue\", \"key\": \"...\"}`";
        reader.problem("bad_paradigm", &place, "`function` is missing", help);
        return None;
    };
    let function = reader.param(&place, function);
    let (signature, aliases) = match &function {
        Param::Key(key) => match reader.stored.get(key) {
            Some(Stored::Function(signature, aliases)) => (Some(*signature), aliases.clone()),
            _ => (None, Vec::new()),
        },
        _ => (None, Vec::new()),
    };
    let condition = condition(reader, &place, step.get("condition"));
    let mut literals = Vec::new();
    for (name, json) in map(reader, &place, "literal_params", step) {
        literals.push((Arc::from(name.as_str()), reader.param(&place, json)));
    }
    let mut params = Vec::new();
    for (name, json) in map(reader, &place, "params", step) {
        match json {
            Json::String(key) => params.push((Arc::from(name.as_str()), Arc::from(key.as_str()))),
            _ => {
                let what = format!("the argument `{name}` is not given by a key of the context");
                reader.problem("bad_arguments", &place, what, "put values below `literal_params`");
            }
        }
    }
    Some(Planned { output, function, signature, aliases, condition, literals, params })
}

fn map<'j>(
    reader: &mut Reader<'_>,
    place: &str,
    key: &str,
    step: &'j JsonMap<String, Json>,
) -> Vec<(&'j String, &'j Json)> {
    match step.get(key) {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Object(map)) => map.iter().collect(),
        Some(_) => {
            reader.problem("bad_paradigm", place, format!("`{key}` is not an object"), NO_MAP);
            Vec::new()
        }
    }
}

fn condition(reader: &mut Reader<'_>, place: &str, json: Option<&Json>) -> Option<Condition> {
    let json = json.filter(|json| !json.is_null())?;
    let help = "write `{\"key\": \"...\", \"operator\": \"is_true\"}`";
    let Json::Object(map) = json else {
        reader.problem("bad_condition", place, "`condition` is not an object", help);
        return None;
    };
    let (Some(Json::String(key)), Some(Json::String(word))) = (map.get("key"), map.get("operator")) else {
        reader.problem("bad_condition", place, "a condition has a `key` and an `operator`, both texts", help);
        return None;
    };
    let Some(operator) = Operator::ALL.into_iter().find(|o| o.word() == word) else {
        let help = format!("write one of {}", listed(Operator::ALL.map(Operator::word)));
        reader.problem("bad_condition", place, format!("`{word}` is no operator"), help);
        return None;
    };
    Some(Condition { key: Arc::from(key.as_str()), operator })
}
