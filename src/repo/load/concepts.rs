//! Concept entries into concepts (repositories spec, section 1).

use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::nearest;
use crate::diag::Code;
use crate::repo::entry::ConceptEntry;
use crate::repo::model::{Concept, ConceptKind};
use crate::repo::types;

use super::problems::{Fields, Names, Problems};

/// Reads entry `i`. One without a name or with a name that is taken is reported and left out; every other concept
/// has the id its name gets in `names`.
pub(super) fn read(
    i: usize,
    entry: &ConceptEntry,
    names: &mut Names,
    problems: &mut Problems,
) -> Option<Concept> {
    let place = format!("concept entry {}", i + 1);
    let unnamed = Fields::new(entry.raw(), &place, Code::NC101);
    let name: Arc<str> = match unnamed.text("concept_name", problems) {
        Some(name) if !name.trim().is_empty() => Arc::from(name),
        None if unnamed.present("concept_name").is_some() => return None,
        _ => {
            unnamed.missing("concept_name", "every concept has a name, like \"{total}\"", problems);
            return None;
        }
    };
    if !names.add(&name) {
        let message = format!("concept `{name}` has two entries, the second is entry {}", i + 1);
        problems.add_with_help(Code::NC102, message, "remove one of them, or rename it everywhere");
        return None;
    }
    Some(concept(entry, name, problems))
}

fn concept(entry: &ConceptEntry, name: Arc<str>, problems: &mut Problems) -> Concept {
    let what = format!("concept `{name}`");
    let fields = Fields::new(entry.raw(), &what, Code::NC101);
    let kind = concept_kind(&fields, &name, problems);
    for field in ["context", "natural_name", "description", "id"] {
        fields.text(field, problems);
    }
    fields.texts("flow_indices", problems);
    let axis_name = match fields.text("axis_name", problems) {
        Some(axis) if !axis.is_empty() => Arc::from(axis),
        _ => Arc::from(bare_name(&name)),
    };
    let data = fields.present("reference_data").map(wrapped);
    let axes = fields.axis_names("reference_axis_names", problems);
    if let Some(problem) = axes_problem(axes.as_deref(), data.as_ref()) {
        problems.add(Code::NC107, format!("{what}: {problem}"));
    }
    Concept {
        kind,
        axis_name,
        ground: fields.flag("is_ground_concept", false, problems),
        is_final: fields.flag("is_final_concept", false, problems),
        invariant: fields.flag("is_invariant", false, problems),
        data,
        axes,
        name,
    }
}

fn concept_kind(fields: &Fields<'_>, name: &str, problems: &mut Problems) -> ConceptKind {
    let by_bracket = match name.chars().next() {
        Some('[') => ConceptKind::Relation,
        Some('<') => ConceptKind::Proposition,
        _ => ConceptKind::Object,
    };
    let Some(type_name) = fields.text("type", problems) else {
        if fields.present("type").is_none() {
            fields.missing(
                "type",
                "values have the type of their brackets: \"{}\", \"[]\" or \"<>\"",
                problems,
            );
        }
        return by_bracket;
    };
    types::kind_of(type_name).unwrap_or_else(|| {
        let message = format!("{} has the type `{type_name}`, which is not known", fields.what);
        let help = nearest(type_name, types::known_types()).map_or_else(
            || "values have the type \"{}\", \"[]\" or \"<>\", functions that of their operator, like \"::({})\"".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        problems.add_with_help(Code::NC104, message, help);
        by_bracket
    })
}

/// The data as a list: a value that is none becomes a list of one (repositories spec, section 1).
pub(in crate::repo) fn wrapped(data: &Json) -> Json {
    match data {
        Json::Array(_) => data.clone(),
        scalar => Json::Array(vec![scalar.clone()]),
    }
}

/// What is wrong with axis names over data, if anything (tensor spec, section 3).
pub(in crate::repo) fn axes_problem(axes: Option<&[Arc<str>]>, data: Option<&Json>) -> Option<String> {
    let axes = axes?;
    let repeated = axes.iter().enumerate().find(|(i, a)| axes.iter().take(*i).any(|b| b == *a));
    if let Some((_, axis)) = repeated {
        return Some(format!("axis `{axis}` is named twice"));
    }
    let depth = levels(data?);
    (axes.len() > depth).then(|| {
        let levels = if depth == 1 { "1 level".to_owned() } else { format!("{depth} levels") };
        format!("{} axis names for data of {levels}", axes.len())
    })
}

/// Levels of nested lists, at the deepest place.
fn levels(data: &Json) -> usize {
    match data {
        Json::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// A name without its own brackets and what follows them; a name without brackets as it is.
pub(in crate::repo) fn bare_name(name: &str) -> &str {
    let close = match name.chars().next() {
        Some('{') => '}',
        Some('[') => ']',
        Some('<') => '>',
        _ => return name,
    };
    let end = name.rfind(close).unwrap_or(name.len());
    name.get(1..end).map(str::trim).filter(|n| !n.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_names() {
        for (name, bare) in [
            ("{number pair}", "number pair"),
            ("{number pair}*1*2", "number pair"),
            ("{sum}?", "sum"),
            ("[all {x} of y]", "all {x} of y"),
            ("<a > 5>", "a > 5"),
            ("nominalized_action_sum", "nominalized_action_sum"),
            ("{}", "{}"),
            ("{", "{"),
        ] {
            assert_eq!(bare_name(name), bare);
        }
    }

    #[test]
    fn more_axes_than_levels() {
        let axes = |names: &[&str]| names.iter().map(|n| Arc::from(*n)).collect::<Vec<Arc<str>>>();
        let data: Json = serde_json::json!([[1], 2]);
        assert_eq!(axes_problem(Some(&axes(&["a", "b"])), Some(&data)), None);
        assert_eq!(
            axes_problem(Some(&axes(&["a", "b", "c"])), Some(&data)).as_deref(),
            Some("3 axis names for data of 2 levels")
        );
        assert_eq!(
            axes_problem(Some(&axes(&["a", "b", "a"])), None).as_deref(),
            Some("axis `a` is named twice")
        );
        assert_eq!(axes_problem(None, Some(&data)), None);
    }
}
