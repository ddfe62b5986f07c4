//! The `syntax` records of assigning, grouping, timing and loops (repositories spec, sections 3.3 to 3.6).

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::diag::Code;
use crate::repo::model::{
    Assigning, ByAxes, Carried, ConceptId, GateMarker, GroupMarker, Grouping, Looping, Timing, Work,
};

use super::inferences::Entry;
use super::problems::{Fields, Names, Problems};

/// The `syntax` object; an empty one when it is missing.
fn syntax<'a>(entry: &Entry<'a>, problems: &mut Problems) -> Option<&'a JsonMap<String, Json>> {
    entry.interpretation.object("syntax", problems)
}

fn no_syntax(entry: &Entry<'_>, example: &str, problems: &mut Problems) -> Option<Work> {
    if entry.interpretation.present("syntax").is_none() {
        let help = format!("write \"working_interpretation\": {{\"syntax\": {example}}}");
        entry.interpretation.missing("working_interpretation.syntax", &help, problems);
    }
    None
}

/// A required field that names a concept.
fn concept(
    fields: &Fields<'_>,
    field: &str,
    names: &mut Names,
    problems: &mut Problems,
) -> Option<ConceptId> {
    match fields.text(field, problems) {
        Some(name) => names.resolve(name, fields.what, problems),
        None => {
            if fields.present(field).is_none() {
                fields.missing(field, "it names a concept of the concept repository", problems);
            }
            None
        }
    }
}

pub(super) fn assigning(entry: &Entry<'_>, names: &mut Names, problems: &mut Problems) -> Option<Work> {
    let Some(map) = syntax(entry, problems) else {
        return no_syntax(entry, "{\"marker\": \".\", \"assign_source\": \"{a}\"}", problems);
    };
    let fields = Fields::new(map, entry.what, Code::NC106);
    let marker = fields.text("marker", problems);
    let work = match marker {
        Some(".") => specification(entry, &fields, names, problems)?,
        Some("+") => Assigning::Continuation {
            source: match fields.present("assign_source") {
                None => None,
                Some(_) => Some(source(entry, &fields, names, problems)?),
            },
            destination: concept(&fields, "assign_destination", names, problems)?,
            by_axes: fields.axis_names("by_axes", problems).unwrap_or_default(),
        },
        Some("%") => {
            let Some(face) = fields.present("face_value") else {
                fields.missing("face_value", "it is the literal that becomes data", problems);
                return None;
            };
            let axes = fields.axis_names("axis_names", problems).filter(|a| !a.is_empty());
            Assigning::Abstraction { face: face.clone(), axes }
        }
        Some("-") => {
            let picked = source(entry, &fields, names, problems);
            let selector = fields.object("selector", problems);
            if fields.present("selector").is_none() {
                fields.missing("selector", "say what is picked, like {\"index\": 0}", problems);
            }
            Assigning::Selection { source: picked?, selector: selector?.clone() }
        }
        Some("=") => {
            let canonical = concept(&fields, "canonical_concept", names, problems);
            let alias = concept(&fields, "alias_concept", names, problems);
            Assigning::Identity { canonical: canonical?, alias: alias? }
        }
        other => {
            unknown_marker(&fields, other, "`.`, `+`, `%`, `-` or `=`", problems);
            return None;
        }
    };
    Some(Work::Assigning(work))
}

fn unknown_marker(fields: &Fields<'_>, marker: Option<&str>, known: &str, problems: &mut Problems) {
    match marker {
        Some(other) => {
            let message = format!("`marker` of {} is `{other}`, which is not known", fields.what);
            problems.add_with_help(Code::NC106, message, format!("write {known}"));
        }
        None if fields.present("marker").is_none() => {
            fields.missing("marker", &format!("write {known}"), problems);
        }
        None => {}
    }
}

/// The one text `assign_source`, which must be among the values.
fn source(
    entry: &Entry<'_>,
    fields: &Fields<'_>,
    names: &mut Names,
    problems: &mut Problems,
) -> Option<ConceptId> {
    let id = concept(fields, "assign_source", names, problems)?;
    among_values(entry, id, names, problems).then_some(id)
}

fn among_values(entry: &Entry<'_>, id: ConceptId, names: &Names, problems: &mut Problems) -> bool {
    let found = entry.values.contains(&id);
    if !found {
        let name = names.name(id);
        let message = format!("`assign_source` of {} is `{name}`, which is not among its values", entry.what);
        problems.add_with_help(Code::NC106, message, format!("add \"{name}\" to its `value_concepts`"));
    }
    found
}

fn specification(
    entry: &Entry<'_>,
    fields: &Fields<'_>,
    names: &mut Names,
    problems: &mut Problems,
) -> Option<Assigning> {
    let (sources, any) = match fields.present("assign_source") {
        Some(Json::Array(_)) => {
            let list = fields.texts("assign_source", problems)?;
            if list.is_empty() {
                fields.missing("assign_source", "name at least one of its values", problems);
                return None;
            }
            let mut sources = Vec::with_capacity(list.len());
            for name in list {
                let id = names.resolve(name, entry.what, problems)?;
                if !among_values(entry, id, names, problems) {
                    return None;
                }
                sources.push(id);
            }
            (sources, true)
        }
        _ => (vec![source(entry, fields, names, problems)?], false),
    };
    let destination = match fields.text("assign_destination", problems) {
        Some(name) => {
            let id = names.resolve(name, entry.what, problems)?;
            entry.values.contains(&id).then_some(id)
        }
        None => None,
    };
    Some(Assigning::Specification { sources, any, destination })
}

pub(super) fn grouping(entry: &Entry<'_>, names: &mut Names, problems: &mut Problems) -> Option<Work> {
    let empty = JsonMap::new();
    let map = match syntax(entry, problems) {
        Some(map) => map,
        None if entry.interpretation.present("syntax").is_some() => return None,
        None => &empty,
    };
    let fields = Fields::new(map, entry.what, Code::NC106);
    let marker = match fields.text("marker", problems) {
        Some("in") => GroupMarker::In,
        Some("across") => GroupMarker::Across,
        Some(other) => {
            unknown_marker(&fields, Some(other), "`in` or `across`", problems);
            return None;
        }
        None => match marker_of_function(entry, names) {
            Some(marker) => {
                let message = format!("the kind of grouping of {} is taken from its function", entry.what);
                problems.add_with_help(
                    Code::NC121,
                    message,
                    "write \"syntax\": {\"marker\": \"in\"} or \"across\"",
                );
                marker
            }
            None => {
                unknown_marker(&fields, None, "`in` or `across`", problems);
                return None;
            }
        },
    };
    let mut by_axis_concepts = Vec::new();
    for name in fields.texts("by_axis_concepts", problems).unwrap_or_default() {
        let id = names.resolve(name, entry.what, problems)?;
        if !entry.contexts.contains(&id) {
            let message = format!(
                "`by_axis_concepts` of {} names `{name}`, which is not among its contexts",
                entry.what
            );
            problems.add_with_help(Code::NC121, message, format!("add \"{name}\" to its `context_concepts`"));
        }
        by_axis_concepts.push(id);
    }
    Some(Work::Grouping(Grouping {
        marker,
        by_axis_concepts,
        protect_axes: fields.axis_names("protect_axes", problems).unwrap_or_default(),
        by_axes: by_axes(&fields, problems)?,
        create_axis: fields.text("create_axis", problems).filter(|a| !a.is_empty()).map(Arc::from),
    }))
}

fn marker_of_function(entry: &Entry<'_>, names: &Names) -> Option<GroupMarker> {
    let name = names.name(entry.function?);
    if name.starts_with("&in") || name.starts_with("&[{}]") {
        Some(GroupMarker::In)
    } else if name.starts_with("&across") || name.starts_with("&[#]") {
        Some(GroupMarker::Across)
    } else {
        None
    }
}

fn by_axes(fields: &Fields<'_>, problems: &mut Problems) -> Option<ByAxes> {
    let items = match fields.present("by_axes") {
        None => return Some(ByAxes::Absent),
        Some(Json::Array(items)) => items,
        Some(other) => {
            fields.wrong("by_axes", "a list of axis names, or one such list a source", other, problems);
            return None;
        }
    };
    let axis = |json: &Json| json.as_str().map(Arc::from);
    let flat: Option<Vec<Arc<str>>> = items.iter().map(axis).collect();
    if let Some(flat) = flat {
        return Some(ByAxes::Flat(flat));
    }
    let list = |json: &Json| json.as_array()?.iter().map(axis).collect::<Option<Vec<Arc<str>>>>();
    let nested: Option<Vec<Vec<Arc<str>>>> = items.iter().map(list).collect();
    if nested.is_none() {
        let message = format!("`by_axes` of {} mixes axis names and lists of them", fields.what);
        problems.add_with_help(Code::NC106, message, "write one list a source, like [[\"a\"], []]");
    }
    nested.map(ByAxes::PerSource)
}

pub(super) fn timing(entry: &Entry<'_>, names: &mut Names, problems: &mut Problems) -> Option<Work> {
    let Some(map) = syntax(entry, problems) else {
        return no_syntax(entry, "{\"marker\": \"if\", \"condition\": \"<c>\"}", problems);
    };
    let fields = Fields::new(map, entry.what, Code::NC106);
    let marker = match fields.text("marker", problems) {
        Some("after") => Some(GateMarker::After),
        Some("if") => Some(GateMarker::If),
        Some("if!") => Some(GateMarker::IfNot),
        other => {
            unknown_marker(&fields, other, "`if`, `if!` or `after`", problems);
            None
        }
    };
    let condition = concept(&fields, "condition", names, problems);
    Some(Work::Timing(Timing { marker: marker?, condition: condition? }))
}

pub(super) fn looping(entry: &Entry<'_>, names: &mut Names, problems: &mut Problems) -> Option<Work> {
    let example = "{\"marker\": \"every\", \"LoopBaseConcept\": \"{xs}\", \"ConceptToInfer\": [\"{ys}\"]}";
    let Some(map) = syntax(entry, problems) else {
        return no_syntax(entry, example, problems);
    };
    let fields = Fields::new(map, entry.what, Code::NC106);
    if let Some(other) = fields.text("marker", problems).filter(|m| *m != "every") {
        unknown_marker(&fields, Some(other), "`every`", problems);
    }
    if entry.function.is_none() {
        fields.missing(
            "function_concept",
            "the function of a loop receives what each iteration gives",
            problems,
        );
    }
    let base = concept(&fields, "LoopBaseConcept", names, problems);
    let element = match (fields.text("CurrentLoopBaseConcept", problems), base) {
        (Some(name), _) => names.resolve(name, entry.what, problems),
        (None, Some(base)) => {
            let default = format!("{}*", names.name(base));
            names.resolve(&default, entry.what, problems)
        }
        (None, None) => None,
    };
    let results = fields.texts("ConceptToInfer", problems);
    let result = match results.as_deref() {
        Some([first, rest @ ..]) => {
            if !rest.is_empty() {
                let message = format!(
                    "`ConceptToInfer` of {} has {} names, only the first counts",
                    entry.what,
                    rest.len() + 1
                );
                problems.add(Code::NC121, message);
            }
            names.resolve(first, entry.what, problems)
        }
        _ => {
            if results.is_some() || fields.present("ConceptToInfer").is_none() {
                fields.missing("ConceptToInfer", "name the concept the loop makes", problems);
            }
            None
        }
    };
    let carried = carried(entry, &fields, names, problems);
    Some(Work::Looping(Looping {
        number: loop_number(&fields, problems),
        base: base?,
        element: element?,
        group_base: fields.text("group_base", problems).filter(|a| !a.is_empty()).map(Arc::from),
        carried: carried?,
        result: result?,
    }))
    .filter(|_| entry.function.is_some())
}

fn loop_number(fields: &Fields<'_>, problems: &mut Problems) -> u32 {
    let Some(field) = ["quantifier_index", "loop_index"].into_iter().find(|f| fields.present(f).is_some())
    else {
        return 0;
    };
    let written = fields.present(field).unwrap_or(&Json::Null);
    written.as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_else(|| {
        fields.wrong(field, "a whole number from 0", written, problems);
        0
    })
}

fn carried(
    entry: &Entry<'_>,
    fields: &Fields<'_>,
    names: &mut Names,
    problems: &mut Problems,
) -> Option<Vec<Carried>> {
    let mut list = Vec::new();
    if fields.present("InLoopConcept").is_none() {
        return Some(list);
    }
    for (key, how) in fields.object("InLoopConcept", problems)? {
        let (name, lag) = match how {
            Json::Object(map) => {
                let inner = Fields::new(map, entry.what, Code::NC106);
                (inner.text("current_name", problems).unwrap_or(key), inner.present("carry_over"))
            }
            Json::Null => (key.as_str(), None),
            written => (key.as_str(), Some(written)),
        };
        let lag = match lag {
            None => 1,
            Some(written) => match written.as_u64().and_then(|n| u32::try_from(n).ok()) {
                Some(lag) => lag,
                None => {
                    let message = format!(
                        "`InLoopConcept` of {} carries `{key}` by {written}, which is no number of iterations",
                        entry.what
                    );
                    problems.add_with_help(Code::NC106, message, format!("write {{\"{key}\": 1}}"));
                    return None;
                }
            },
        };
        let concept = names.resolve(name, entry.what, problems)?;
        if !entry.contexts.contains(&concept) {
            let message = format!("{} carries `{name}`, which is not among its contexts", entry.what);
            problems.add_with_help(Code::NC121, message, format!("add \"{name}\" to its `context_concepts`"));
        }
        list.push(Carried { concept, lag });
    }
    Some(list)
}
