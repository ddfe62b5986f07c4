//! What a concept entry says of its value, as annotations of its first line (language spec, sections 2.5 and 10).

use serde_json::Value as Json;

use crate::base::Sign;
use crate::repo::entry::ConceptEntry;
use crate::syntax::data;

/// Signs that have an annotation of their own.
const SIGNS: [&str; 4] = ["file_location", "prompt_location", "script_location", "memorized_parameter"];

/// What is known of a value beside its entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct About {
    /// Nothing computes it and it has a line of its own: it is ground without being told.
    pub(super) leaf: bool,
    /// It is the initial value of a carried concept.
    pub(super) carried: bool,
    /// A grouping reads its axes as declared.
    pub(super) declared: bool,
    /// Written with legacy operators.
    pub(super) legacy: bool,
}

/// Annotations (without pipes) and comments (with their sign) of a value's first line.
pub(super) fn of_value(concept: &ConceptEntry, about: About) -> Vec<String> {
    let mut notes = Vec::new();
    let name = concept.name();
    let query = name.ends_with('?') || name.contains("}?");
    let own = query || literal(name).is_some();
    let axes: Option<Vec<&str>> =
        concept.present("reference_axis_names").map(|_| concept.texts("reference_axis_names"));
    let none_axis = axes.as_deref() == Some(&[data::NONE_AXIS]);
    let mut given = own;
    let mut says_axes = own && none_axis;
    if let Some(json) = concept.data().filter(|_| !own) {
        let written = of_data(json, axes.as_deref(), none_axis);
        if let Some((note, labelled)) = written {
            says_axes = labelled;
            given = true;
            notes.push(if about.legacy { note } else { note.replacen("ref. ", "%{literal}: ", 1) });
        }
    }
    if query {
        notes.extend(meaning(concept, name, about.legacy));
    }
    if let Some(axes) = &axes
        && (!says_axes || (about.declared && none_axis))
    {
        notes.push(format!("%{{ref_axes}}: [{}]", axes.join(", ")));
    }
    if let Some(element) = concept.text("reference_element_type").filter(|t| !t.trim().is_empty()) {
        given |= element == "perceptual_sign";
        notes.push(format!("%{{ref_element}}: {element}"));
    }
    let description = concept.text("description").filter(|t| !t.trim().is_empty());
    given |= description.is_some_and(|d| d.get(..7).is_some_and(|t| t.eq_ignore_ascii_case("ground:")));
    if concept.is_ground() && !given && !about.leaf && !about.carried {
        notes.push("%{file_location}: (runtime provided)".to_owned());
    }
    if let Some(natural) = concept.text("natural_name").filter(|t| !t.trim().is_empty()) {
        notes.push(format!("?{{natural_language}}: {natural}"));
    }
    notes.extend(description.map(|d| format!("/: {d}")));
    notes
}

/// The text of a literal `{key: "text"}`.
pub(super) fn literal(name: &str) -> Option<&str> {
    let inner = name.strip_prefix('{')?.strip_suffix('}')?;
    let (_, quoted) = inner.split_once(':')?;
    quoted.trim().strip_prefix('"')?.strip_suffix('"')
}

/// What a `?` concept means, when it is more than its name.
fn meaning(concept: &ConceptEntry, name: &str, legacy: bool) -> Option<String> {
    let text = match concept.data()? {
        Json::Array(items) => items.first()?.as_str()?.to_owned(),
        Json::String(text) => text.clone(),
        _ => return None,
    };
    let bare = name.trim_start_matches(['{', '[', '<']).split(['}', ']', '>']).next().unwrap_or("");
    let described = concept.text("description").filter(|t| !t.trim().is_empty());
    let said = described.unwrap_or(bare);
    let sign = if legacy { "%." } else { "?." };
    (said != text).then(|| format!("{sign} {text}"))
}

/// Data as a note that reads back as the same data, and whether it names their axes too.
fn of_data(json: &Json, axes: Option<&[&str]>, none_axis: bool) -> Option<(String, bool)> {
    if let (Json::Array(items), true) = (json, none_axis)
        && let [only] = items.as_slice()
        && !only.is_array()
    {
        if let Some(sign) = only.as_str().and_then(Sign::parse)
            && let Some(norm) = sign.norm().filter(|n| SIGNS.contains(n) && sign.id().is_empty())
            && !sign.payload().contains(['|', '\n', '\r'])
            && sign.payload().trim() == &**sign.payload()
            && !sign.payload().is_empty()
        {
            return Some((format!("%{{{norm}}}: {}", sign.payload()), true));
        }
        let text = only.to_string();
        if reads_as(&text, json, Some(&[data::NONE_AXIS])) && !text.contains('|') {
            return Some((format!("ref. {text}"), true));
        }
    }
    let json = if json.is_array() { json.clone() } else { Json::Array(vec![json.clone()]) };
    if let Some(axes) = axes {
        let text = labelled(&json, axes);
        if reads_as(&text, &json, Some(axes)) {
            return Some((format!("ref. {text}"), true));
        }
    }
    let text = json.to_string();
    reads_as(&text, &json, None).then(|| (format!("ref. {text}"), axes.is_none()))
}

/// `%(axis)=[..]` for the levels that have a name.
fn labelled(json: &Json, axes: &[&str]) -> String {
    match (json, axes.split_first()) {
        (Json::Array(items), Some((axis, rest))) => {
            let items: Vec<String> = items.iter().map(|i| labelled(i, rest)).collect();
            format!("%({axis})=[{}]", items.join(", "))
        }
        _ => json.to_string(),
    }
}

fn reads_as(text: &str, json: &Json, axes: Option<&[&str]>) -> bool {
    let Ok(read) = data::read(text) else { return false };
    let named: Vec<&str> = read.axes.iter().map_while(|a| a.as_deref()).collect();
    let same = axes.is_none_or(|a| a == named && read.axes.iter().skip(a.len()).all(Option::is_none));
    read.json == *json && same
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn data_read_back() {
        for (data, axes, expected) in [
            (json!([5]), vec!["_none_axis"], "ref. 5"),
            (json!(["a|b"]), vec!["_none_axis"], "ref. %(_none_axis)=[\"a|b\"]"),
            (
                json!([[123, 98], [12]]),
                vec!["pair", "number"],
                "ref. %(pair)=[%(number)=[123, 98], %(number)=[12]]",
            ),
            (json!([[1, 2]]), vec!["pair"], "ref. %(pair)=[[1,2]]"),
            (json!(["%{file_location}(a b.txt)"]), vec!["_none_axis"], "%{file_location}: a b.txt"),
            (json!(["line\nbreak", "]["]), vec!["x"], "ref. %(x)=[\"line\\nbreak\", \"][\"]"),
            (json!([{"a": [1, 2]}]), vec!["x"], "ref. %(x)=[{\"a\":[1,2]}]"),
        ] {
            let none = axes == ["_none_axis"];
            let (text, _) = of_data(&data, Some(&axes), none).unwrap();
            assert_eq!(text, expected, "{data}");
        }
    }
}
