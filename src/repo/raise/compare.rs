//! What repositories say that the source text made from them does not: one diagnostic for each kind of thing.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde_json::{Map as JsonMap, Value as Json};

use crate::diag::{Code, Diagnostic};
use crate::repo::bundle::Repositories;
use crate::repo::entry::{ConceptEntry, InferenceEntry};

use super::place::helpers;

/// Fields that carry no meaning of their own.
const IDLE: [&str; 4] = ["id", "workspace", "flow_info", "flow_indices"];

/// How many names a diagnostic lists.
const SHOWN: usize = 5;

/// Kind of difference, then where.
type Found = BTreeMap<String, BTreeSet<String>>;

pub(super) fn differences(wanted: &Repositories, made: &Repositories) -> Vec<Diagnostic> {
    let mut found = Found::new();
    let (mut helpers, theirs) = (helpers(wanted), helpers(made));
    // A helper is made again under the name of its file: the same sign is the same helper.
    let signs: BTreeSet<&str> = theirs.values().copied().collect();
    let known_signs: BTreeSet<&str> = helpers.values().copied().collect();
    let again: BTreeSet<&str> =
        theirs.iter().filter(|(_, s)| known_signs.contains(*s)).map(|(n, _)| *n).collect();
    let made_concepts: FxHashMap<String, &ConceptEntry> =
        made.concepts.iter().map(|c| (bare(c.name()), c)).collect();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for concept in &wanted.concepts {
        let name = bare(concept.name());
        known.insert(name.clone());
        match made_concepts.get(&name) {
            Some(there) => concept_fields(&name, concept, there, &mut found),
            None if helpers.get(concept.name()).is_some_and(|s| signs.contains(s)) => {}
            None => note(&mut found, "the concept entry", &name),
        }
    }
    for name in made_concepts.keys().filter(|n| !known.contains(*n) && !again.contains(n.as_str())) {
        note(&mut found, "new concept", name);
    }
    helpers.extend(theirs);
    let made_entries: FxHashMap<&str, &InferenceEntry> =
        made.inferences.iter().map(|i| (i.flow_index(), i)).collect();
    let mut indices = BTreeSet::new();
    for entry in &wanted.inferences {
        indices.insert(entry.flow_index());
        match made_entries.get(entry.flow_index()) {
            Some(there) => entry_fields(entry, there, &helpers, &mut found),
            None => note(&mut found, "the inference entry", entry.flow_index()),
        }
    }
    for entry in made.inferences.iter().filter(|i| !indices.contains(i.flow_index())) {
        note(&mut found, "new inference", entry.flow_index());
    }
    found.into_iter().map(|(kind, places)| diagnostic(&kind, &places)).collect()
}

fn note(found: &mut Found, kind: &str, place: &str) {
    found.entry(kind.to_owned()).or_default().insert(place.to_owned());
}

fn diagnostic(kind: &str, places: &BTreeSet<String>) -> Diagnostic {
    let listed: Vec<String> = places.iter().take(SHOWN).map(|p| format!("`{p}`")).collect();
    let more = places.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let listed = listed.join(", ");
    let message = match kind.strip_prefix("new ") {
        Some(kind) => {
            format!("the source text has {kind}s that the repositories do not have: {listed}{more}")
        }
        None => format!("the source text does not say {kind} of {listed}{more}"),
    };
    Diagnostic::new(Code::NC126, message).help("a plan.json keeps all of it: `normc import .. -o plan.json`")
}

/// A name without the slot that old files keep in it.
fn bare(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("<:{") {
        out.push_str(before);
        match after.split_once("}>") {
            Some((_, tail)) => rest = tail,
            None => {
                out.push_str("<:{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out.split([' ', '\t']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Absent, null, false and empty say the same.
fn is_empty(json: Option<&Json>) -> bool {
    match json {
        None | Some(Json::Null | Json::Bool(false)) => true,
        Some(Json::String(text)) => text.is_empty(),
        Some(Json::Array(items)) => items.is_empty(),
        Some(Json::Object(fields)) => fields.is_empty(),
        _ => false,
    }
}

fn concept_fields(name: &str, wanted: &ConceptEntry, made: &ConceptEntry, found: &mut Found) {
    for (field, value) in wanted.raw() {
        let there = made.raw().get(field);
        if IDLE.contains(&field.as_str())
            || field == "concept_name"
            || (is_empty(Some(value)) && field != "is_ground_concept")
        {
            continue;
        }
        let same = match field.as_str() {
            "type" => kind_of(value) == there.map_or("", kind_of),
            "is_ground_concept" | "is_invariant" | "is_final_concept" => {
                is_empty(Some(value)) == is_empty(there)
            }
            "reference_data" if !value.is_array() => there.and_then(|t| t.get(0)) == Some(value),
            // Written on the functional line, where readers find them.
            "description" | "natural_name" if is_function(wanted) => true,
            // A step reads its instruction from the data of its function; the operation's own text is the default.
            "reference_data" | "reference_axis_names" if is_function(wanted) && is_dummy(wanted) => true,
            _ => there == Some(value),
        };
        if !same {
            note(found, &format!("`{field}`"), name);
        }
    }
}

fn kind_of(json: &Json) -> &str {
    match json.as_str().unwrap_or_default() {
        "@:'" => "@if",
        "@:!" => "@if!",
        "@." => "@after",
        "&[{}]" => "&in",
        "&[#]" => "&across",
        "*." => "*every",
        "::({})" => "({})",
        other => other,
    }
}

fn is_function(concept: &ConceptEntry) -> bool {
    !matches!(concept.type_name(), "{}" | "[]" | "<>" | ":<:" | "{}?")
}

/// A function whose data say nothing: no prompt.
fn is_dummy(concept: &ConceptEntry) -> bool {
    let texts = concept.texts("reference_data");
    texts.iter().all(|t| matches!(*t, "_" | "%{dummy}(_)") || *t == concept.name())
}

fn entry_fields(
    wanted: &InferenceEntry,
    made: &InferenceEntry,
    helpers: &FxHashMap<&str, &str>,
    found: &mut Found,
) {
    let at = wanted.flow_index();
    let mut differ = |kind: &str, same: bool| {
        if !same {
            note(found, kind, at);
        }
    };
    let names = |list: Vec<&str>| -> BTreeSet<String> {
        list.into_iter().filter(|n| !helpers.contains_key(n)).map(bare).collect()
    };
    differ("`inference_sequence`", wanted.sequence() == made.sequence());
    differ("`concept_to_infer`", bare(wanted.target()) == bare(made.target()));
    differ("`function_concept`", wanted.function().map(bare) == made.function().map(bare));
    differ("`value_concepts`", names(wanted.values()) == names(made.values()));
    differ("`context_concepts`", names(wanted.contexts()) == names(made.contexts()));
    for (field, value) in wanted.raw().iter().filter(|(f, _)| f.starts_with("start_")) {
        let looping = matches!(wanted.sequence(), "quantifying" | "looping");
        let default = looping && field.ends_with("_only_once");
        let there = made.raw().get(field).and_then(Json::as_bool).unwrap_or(default);
        differ(&format!("`{field}`"), value.as_bool().unwrap_or(default) == there);
    }
    let empty = JsonMap::new();
    let (ours, theirs) = (wanted.interpretation().unwrap_or(&empty), made.interpretation().unwrap_or(&empty));
    for (field, value) in ours {
        let there = theirs.get(field);
        if IDLE.contains(&field.as_str()) || is_empty(Some(value)) {
            continue;
        }
        match (field.as_str(), value, there) {
            ("syntax", Json::Object(ours), Some(Json::Object(theirs))) => {
                for (field, value) in ours.iter().filter(|(_, v)| !is_empty(Some(v))) {
                    let there = theirs.get(field);
                    let same = same_value(value, there) || is_spare(field, wanted);
                    differ(&format!("`{field}`"), same);
                }
            }
            ("value_order", Json::Object(ours), Some(Json::Object(theirs))) => {
                differ("`value_order`", in_order(ours, helpers) == in_order(theirs, helpers));
            }
            _ => differ(&format!("`{field}`"), same_value(value, there)),
        }
    }
}

/// Fields that are written or not without a difference for a run.
fn is_spare(field: &str, entry: &InferenceEntry) -> bool {
    field == "sources"
        || (field == "assign_destination" && entry.sequence() == "assigning" && {
            let marker = entry.interpretation().and_then(|w| w.get("syntax")).and_then(|s| s.get("marker"));
            marker.and_then(Json::as_str) == Some(".")
        })
}

/// The values of a step in the order of their numbers.
fn in_order(order: &JsonMap<String, Json>, helpers: &FxHashMap<&str, &str>) -> Vec<String> {
    let mut list: Vec<(i64, String)> = order
        .iter()
        .filter(|(name, _)| !helpers.contains_key(name.as_str()))
        .map(|(name, number)| (number.as_i64().unwrap_or(0), bare(name)))
        .collect();
    list.sort();
    list.into_iter().map(|(_, name)| name).collect()
}

/// Equal, names taken without the slots in them, and one text as good as a list of it.
fn same_value(ours: &Json, theirs: Option<&Json>) -> bool {
    match (ours, theirs) {
        (Json::String(a), Some(Json::String(b))) => bare(a) == bare(b),
        (Json::String(a), Some(Json::Array(b))) => {
            matches!(b.as_slice(), [Json::String(b)] if bare(a) == bare(b))
        }
        (ours, theirs) => theirs == Some(ours),
    }
}
