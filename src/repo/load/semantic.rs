//! The working interpretation of imperatives and judgements (repositories spec, sections 3.1 and 3.2).

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::{Map as JsonMap, Number, Value as Json};

use crate::base::nearest;
use crate::diag::Code;
use crate::repo::model::{Assertion, ConceptId, InputKeys, Method, Passed, Semantic, Source, Work};

use super::inferences::Entry;
use super::problems::{Fields, Names, Problems};

/// Fields of a selector (repositories spec, section 3.1.1; semantics spec, section 6.2).
const SELECTOR_FIELDS: &[&str] = &[
    "source_concept",
    "index",
    "key",
    "unpack",
    "unpack_before_selection",
    "branch",
    "packed",
    "strip_wrapper",
    "new_wrapper",
];

/// Words of an assertion's quantifiers (semantics spec, section 8.1).
const QUANTIFIERS: &[&str] = &["for-each", "all", "some", "none", "exists"];

pub(super) fn semantic(entry: &Entry<'_>, names: &mut Names, problems: &mut Problems) -> Option<Work> {
    let fields = &entry.interpretation;
    let judgement = entry.sequence.starts_with("judgement");
    let before = problems.found.len();
    if entry.function.is_none() {
        let message = format!("{} has no `function_concept`", entry.what);
        problems.add_with_help(Code::NC101, message, "name the concept that says what it does");
    }
    let method = method(entry, problems);
    let fallback = entry.function.and_then(|f| fields.raw().get(names.name(f))).and_then(Json::as_object);
    let from_fallback = |field: &str| fallback.and_then(|map| map.get(field)).filter(|v| !v.is_null());
    if fields.present("value_selector").is_some() {
        let message = format!("{} has `value_selector`, which nothing reads", entry.what);
        problems.add_with_help(Code::NC106, message, "write `value_selectors`");
    }
    let selectors = fields.object("value_selectors", problems);
    let order = match fields.object("value_order", problems) {
        Some(order) => Some(order),
        None => from_fallback("value_order").and_then(Json::as_object),
    };
    let constants: Vec<(Arc<str>, Json)> = fields
        .object("values", problems)
        .into_iter()
        .flatten()
        .map(|(name, value)| (Arc::from(name.as_str()), value.clone()))
        .collect();
    // Old sequences without any order are given all their values (semantics spec, section 4).
    let passed = match (order, &method) {
        (None, Some(method)) if !matches!(method, Method::Composition { .. }) => {
            all_values(entry, selectors, names, problems)
        }
        _ => passed(entry, order, selectors, &constants, names, problems),
    };
    let condition = fields.present("condition").or_else(|| from_fallback("condition")).cloned();
    let assertion = assertion(entry, problems);
    let once = once(fields, problems);
    let timeout = timeout(fields, problems);
    let agent = fields.text("agent", problems).filter(|a| !a.trim().is_empty()).map(Arc::from);
    let reply_retries = reply_retries(fields, problems);
    let model = fields.text("model", problems).filter(|m| !m.trim().is_empty()).map(Arc::from);
    let schema = schema(fields, problems);
    let with_thinking = fields.flag("with_thinking", false, problems);
    let relation_output = fields.flag("is_relation_output", false, problems);
    let create_axis_on_list_output = fields.flag("create_axis_on_list_output", true, problems);
    let output_axis_name = fields.text("output_axis_name", problems).filter(|a| !a.is_empty()).map(Arc::from);
    let keys = keys(fields, method.as_ref(), problems);
    let has_errors = problems.found.iter().skip(before).any(|d| d.is_error());
    let method = method.filter(|_| !has_errors)?;
    Some(Work::Semantic(Arc::new(Semantic {
        judgement,
        method,
        order: passed
            .iter()
            .filter_map(|p| match p.source {
                Source::Concept(concept) => Some(concept),
                Source::Constant(_) | Source::Unknown(_) => None,
            })
            .collect(),
        passed,
        condition: condition.filter(|_| judgement),
        assertion: assertion.filter(|_| judgement),
        relation_output,
        create_axis_on_list_output,
        output_axis_name,
        once,
        timeout,
        agent,
        reply_retries,
        model,
        schema,
        constants,
        with_thinking,
        keys,
    })))
}

fn method(entry: &Entry<'_>, problems: &mut Problems) -> Option<Method> {
    let fields = &entry.interpretation;
    let kind = entry.sequence.split_once('_').map_or("", |(_, kind)| kind);
    Some(match kind {
        "" => Method::Plain,
        "direct" => Method::Direct,
        "input" => Method::Input,
        "python" => Method::Python,
        "python_indirect" => Method::PythonIndirect,
        _ => {
            let paradigm = fields.text("paradigm", problems).filter(|p| !p.trim().is_empty());
            if paradigm.is_none() {
                fields.missing(
                    "paradigm",
                    "write \"paradigm\": the name of the paradigm that does the step",
                    problems,
                );
            }
            Method::Composition { paradigm: Arc::from(paradigm?) }
        }
    })
}

fn keys(fields: &Fields<'_>, method: Option<&Method>, problems: &mut Problems) -> InputKeys {
    let prompt = if method == Some(&Method::Input) { "prompt_text" } else { "prompt_location" };
    let mut key = |field: &str, default: &str| {
        let written = fields.text(field, problems).map(str::trim).filter(|k| !k.is_empty());
        Arc::from(written.unwrap_or(default))
    };
    InputKeys {
        template: key("template_key", "prompt_template"),
        prompt: key("prompt_key", prompt),
        script: key("script_key", "script_location"),
    }
}

fn all_values(
    entry: &Entry<'_>,
    selectors: Option<&JsonMap<String, Json>>,
    names: &Names,
    problems: &mut Problems,
) -> Vec<Passed> {
    for (key, selector) in selectors.into_iter().flatten() {
        check_selector(entry, key, selector, problems);
    }
    let pass = |id: &ConceptId| {
        let key = names.name(*id);
        let selector = selectors.and_then(|s| s.get(key)).and_then(Json::as_object).cloned();
        Passed { key: Arc::from(key), source: Source::Concept(*id), selector }
    };
    entry.values.iter().map(pass).collect()
}

/// `value_order` sorted by number; equal numbers keep their order.
fn passed(
    entry: &Entry<'_>,
    order: Option<&JsonMap<String, Json>>,
    selectors: Option<&JsonMap<String, Json>>,
    constants: &[(Arc<str>, Json)],
    names: &mut Names,
    problems: &mut Problems,
) -> Vec<Passed> {
    for (key, selector) in selectors.into_iter().flatten() {
        check_selector(entry, key, selector, problems);
    }
    let mut numbered: Vec<(f64, Passed)> = Vec::new();
    let mut used: FxHashSet<ConceptId> = FxHashSet::default();
    for (key, number) in order.into_iter().flatten() {
        let Some(number) = number.as_number().and_then(Number::as_f64) else {
            let message =
                format!("`value_order` of {} gives `{key}` {number}, which is no number", entry.what);
            problems.add(Code::NC106, message);
            continue;
        };
        let selector = selectors.and_then(|s| s.get(key)).and_then(Json::as_object);
        let source = selector.and_then(|s| s.get("source_concept")).and_then(Json::as_str).unwrap_or(key);
        let found = names.get(source).or_else(|| names.get(without_placement(source)));
        let constant = || constants.iter().find(|(name, _)| &**name == source);
        let found = found.filter(|id| entry.values.contains(id)).map(Source::Concept);
        match found.or_else(|| constant().map(|(name, _)| Source::Constant(Arc::clone(name)))) {
            Some(source) => {
                if let Source::Concept(concept) = source {
                    used.insert(concept);
                }
                let key = Arc::from(key.as_str());
                numbered.push((number, Passed { key, source, selector: selector.cloned() }));
            }
            None => {
                let message = format!(
                    "`value_order` of {} numbers `{key}`, which is neither a value of it nor a selector",
                    entry.what
                );
                let value_names = entry.values.iter().map(|v| names.name(*v));
                let help = nearest(key, value_names).map_or_else(
                    || format!("add \"{source}\" to its `value_concepts`, or remove the number"),
                    |near| format!("did you mean `{near}`?"),
                );
                problems.add_with_help(Code::NC121, message, help);
                let (key, source) = (Arc::from(key.as_str()), Source::Unknown(Arc::from(source)));
                numbered.push((number, Passed { key, source, selector: None }));
            }
        }
    }
    let known = numbered.iter().filter(|(_, p)| !matches!(p.source, Source::Unknown(_))).count();
    if known == order.map_or(0, JsonMap::len) {
        not_passed(entry, &used, names, problems);
    }
    numbered.sort_by(|a, b| a.0.total_cmp(&b.0));
    numbered.into_iter().map(|(_, passed)| passed).collect()
}

fn not_passed(entry: &Entry<'_>, used: &FxHashSet<ConceptId>, names: &Names, problems: &mut Problems) {
    let waiting: Vec<&str> =
        entry.values.iter().filter(|v| !used.contains(v)).map(|v| names.name(*v)).collect();
    let Some(first) = waiting.first() else { return };
    let (listed, them) = super::whole::listed(waiting.iter().copied(), waiting.len());
    let message = format!("{} waits for {listed} but is never given {them}", entry.what);
    let help = format!("give \"{first}\" a number in `value_order` if the step needs it");
    problems.add_with_help(Code::NC120, message, help);
}

/// An old generation kept the placement in the keys: `{input files}<:{1}>` (repositories spec, section 7.4).
fn without_placement(key: &str) -> &str {
    key.split_once("<:{").map_or(key, |(name, _)| name)
}

fn check_selector(entry: &Entry<'_>, key: &str, selector: &Json, problems: &mut Problems) {
    let Some(map) = selector.as_object() else {
        let message = format!("the selector `{key}` of {} must be an object", entry.what);
        problems.add(Code::NC106, message);
        return;
    };
    let what = format!("the selector `{key}` of {}", entry.what);
    let fields = Fields::new(map, &what, Code::NC106);
    fields.text("source_concept", problems);
    fields.text("key", problems);
    for flag in ["unpack", "unpack_before_selection", "packed"] {
        fields.flag(flag, false, problems);
    }
    if let Some(index) = fields.present("index").filter(|i| i.as_i64().is_none()) {
        fields.wrong("index", "a whole number", index, problems);
    }
    if let Some(branch) = fields.object("branch", problems) {
        for (label, norm) in branch.iter().filter(|(_, norm)| !norm.is_string()) {
            let message = format!("`branch` of {what} gives `{label}` {norm}, which is no norm");
            problems.add_with_help(
                Code::NC106,
                message,
                "write a norm such as \"file_location\", or \"NULL\"",
            );
        }
    }
    fields.text("new_wrapper", problems);
    fields.flag("strip_wrapper", false, problems);
    for field in map.keys().filter(|f| !SELECTOR_FIELDS.contains(&f.as_str())) {
        if let Some(near) = nearest(field, SELECTOR_FIELDS.iter().copied()) {
            let message = format!("{what} has `{field}`, which nothing reads");
            problems.add_with_help(Code::NC121, message, format!("did you mean `{near}`?"));
        }
    }
}

fn assertion(entry: &Entry<'_>, problems: &mut Problems) -> Option<Assertion> {
    let map = entry.interpretation.object("assertion_condition", problems)?;
    let fields = Fields::new(map, entry.what, Code::NC106);
    let mut quantifiers = Vec::new();
    for (axis, word) in fields.object("quantifiers", problems).into_iter().flatten() {
        match word.as_str() {
            Some(word) if QUANTIFIERS.contains(&word) => {
                quantifiers.push((Arc::from(axis.as_str()), Arc::from(word)))
            }
            _ if axis == "concept" => {
                let message =
                    format!("the quantifier `concept` of {} names no axis and is ignored", entry.what);
                problems.add_with_help(Code::NC121, message, "remove it, or write the name of an axis");
            }
            _ => {
                let message =
                    format!("the assertion of {} has the quantifier {word} for `{axis}`", entry.what);
                let help = match word.as_str() {
                    Some("any") => "write `some`".to_owned(),
                    _ => format!("known are {}", QUANTIFIERS.join(", ")),
                };
                problems.add_with_help(Code::NC106, message, help);
            }
        }
    }
    let condition = fields.present("condition").cloned().unwrap_or(Json::Bool(true));
    if matches!(condition, Json::Array(_) | Json::Object(_)) {
        fields.wrong("condition", "true, false or a text", &condition, problems);
    }
    Some(Assertion { quantifiers, condition })
}

fn once(fields: &Fields<'_>, problems: &mut Problems) -> bool {
    match fields.text("effect", problems) {
        None => false,
        Some("once") => true,
        Some(other) => {
            let message = format!("`effect` of {} is `{other}`, which is not known", fields.what);
            problems.add_with_help(Code::NC106, message, "write `once`, or leave it out");
            false
        }
    }
}

/// A schema written out, or the path of its file.
fn schema(fields: &Fields<'_>, problems: &mut Problems) -> Option<Arc<Json>> {
    match fields.present("schema")? {
        Json::String(path) if !path.trim().is_empty() => Some(Arc::new(Json::from(path.trim()))),
        _ => fields.object("schema", problems).map(|s| Arc::new(Json::Object(s.clone()))),
    }
}

fn reply_retries(fields: &Fields<'_>, problems: &mut Problems) -> Option<u32> {
    let written = fields.present("reply_retries")?;
    let number = written.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= 100);
    if number.is_none() {
        fields.wrong("reply_retries", "a whole number up to 100", written, problems);
    }
    number
}

fn timeout(fields: &Fields<'_>, problems: &mut Problems) -> Option<f64> {
    let written = fields.present("timeout")?;
    let seconds = written.as_f64().filter(|s| s.is_finite() && *s > 0.0);
    if seconds.is_none() {
        let message = format!("`timeout` of {} is {written}", fields.what);
        problems.add_with_help(Code::NC106, message, "write a number of seconds above 0");
    }
    seconds
}
