//! Data written in a plan: `ref.` and `%:` hints, `%{literal}` values, literals of `$%` (language spec, sections 2.5
//! and 5.2). Knows nothing of the concepts they belong to.

use std::sync::Arc;

use serde_json::{Number, Value as Json};

use crate::base::Sign;
use crate::syntax::{Annotation, AnnotationKind, Node, data};

/// Data with the axis names their labels give.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Data {
    /// The data: a list, or one scalar in a list.
    pub(super) json: Json,
    /// Axis names, outermost first.
    pub(super) axes: Option<Vec<Arc<str>>>,
    /// The axes are written as labels.
    pub(super) labelled: bool,
}

/// What a line says about its concept's data.
#[derive(Debug, Default)]
pub(super) struct OfNode {
    pub(super) data: Option<Data>,
    /// The line says that data exist, whether or not they are written.
    pub(super) ground: bool,
}

/// Signs a value line may hold: the key is the norm.
const SIGNS: &[&str] = &["file_location", "prompt_location", "script_location", "memorized_parameter"];

/// Reads all annotations of a value line.
pub(super) fn of_node(node: &Node) -> OfNode {
    let mut found = OfNode::default();
    for annotation in &node.annotations {
        let text = annotation.text().trim();
        match (annotation.kind, annotation.key.as_deref(), annotation.base_key()) {
            (AnnotationKind::Hint, Some("ref." | "%:"), _) => {
                found.ground = true;
                if let (None, Some(data)) = (&found.data, read(text)) {
                    found.data = Some(data);
                }
            }
            (AnnotationKind::Referential, _, "literal") if is_given(text) => {
                found.ground = true;
                let data = read(text).unwrap_or_else(|| scalar(Json::String(text.to_owned())));
                found.data.get_or_insert(data);
            }
            (AnnotationKind::Referential, _, "location_string") => {
                found.ground = true;
                if is_given(text) {
                    found.data.get_or_insert_with(|| scalar(Json::String(text.to_owned())));
                }
            }
            (AnnotationKind::Referential, _, key) if SIGNS.contains(&key) => {
                found.ground = true;
                if let Some(sign) = Sign::new(Some(key), text).ok().filter(|_| is_given(text)) {
                    found.data.get_or_insert_with(|| scalar(Json::String(sign.to_string())));
                }
            }
            (AnnotationKind::Referential, _, "ref_element") if text == "perceptual_sign" => {
                found.ground = true
            }
            (AnnotationKind::Description, ..) if is_ground_note(text) => found.ground = true,
            _ => {}
        }
    }
    found
}

/// Returns whether a comment says that its concept is given: `Ground: ..`.
pub(super) fn is_ground_note(text: &str) -> bool {
    text.trim_start().get(..7).is_some_and(|t| t.eq_ignore_ascii_case("ground:"))
}

fn is_given(text: &str) -> bool {
    !text.is_empty() && text != "(runtime provided)"
}

fn scalar(json: Json) -> Data {
    Data { json: Json::Array(vec![json]), axes: Some(vec![Arc::from(data::NONE_AXIS)]), labelled: false }
}

/// `%{ref_axes}: [a, b]`.
pub(super) fn ref_axes(node: &Node) -> Option<Vec<Arc<str>>> {
    let text = node.referential("ref_axes")?.text().trim();
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let names = inner.split([',', ';']).map(|n| n.trim().trim_matches(['"', '{', '}', '\'']).trim());
    let names: Vec<Arc<str>> = names.filter(|n| !n.is_empty()).map(Arc::from).collect();
    (!names.is_empty()).then_some(names)
}

/// `%{timeout}: SECONDS`; a number above 0, kept as written.
pub(super) fn seconds(text: &str) -> Option<Json> {
    let number: Number = text.parse().ok()?;
    number.as_f64().filter(|s| s.is_finite() && *s > 0.0)?;
    Some(Json::Number(number))
}

/// A list written without quotes: `[a, b c, 3]`.
pub(super) fn list(text: &str) -> Option<Json> {
    let written = data::read(text).ok()?;
    written.axes.iter().all(Option::is_none).then_some(written.json)
}

/// The literal of a `$%`: JSON, else a sign, else text without its quotes.
pub(super) fn literal(text: &str) -> Json {
    let text = text.trim();
    if let Ok(json) = serde_json::from_str::<Json>(text) {
        return json;
    }
    match read(text) {
        Some(Data { json, .. }) if text.starts_with('[') => json,
        _ => Json::String(text.to_owned()),
    }
}

/// Reads data; levels below the last label are content. None for what is reported on reading (`NC019`).
fn read(text: &str) -> Option<Data> {
    let written = data::read(text).ok()?;
    let levels = written.axes.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let lone = matches!(written.axes.as_slice(), [Some(axis)] if &**axis == data::NONE_AXIS);
    let named = |(i, axis): (usize, &Option<Arc<str>>)| {
        axis.clone().unwrap_or_else(|| Arc::from(format!("axis_{i}")))
    };
    let axes = (levels > 0).then(|| written.axes.iter().take(levels).enumerate().map(named).collect());
    Some(Data { json: written.json, axes, labelled: levels > 0 && !lone })
}

/// What a note beside a `?` concept says it means: `%. ".."`, `?. ..` or a comment.
pub(super) fn note(node: &Node) -> Option<String> {
    let is_note = |a: &&Annotation| match a.kind {
        AnnotationKind::Hint => matches!(a.key.as_deref(), Some("%." | "?.")),
        AnnotationKind::Description => !is_ground_note(a.text()),
        _ => false,
    };
    let hint = node.annotations.iter().filter(|a| a.kind == AnnotationKind::Hint).find(is_note);
    let text = hint.or_else(|| node.annotations.iter().find(is_note))?.text().trim();
    let unquoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    (!unquoted.is_empty()).then(|| unquoted.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_written_data() {
        for (text, axes) in [
            ("%(number pair)=[%(number)=[123, 98]]", "number pair, number"),
            ("%(n)=[[1, 2]]", "n"),
            ("[%(b)=[1]]", "axis_0, b"),
            ("[[1]]", ""),
            ("0", "_none_axis"),
        ] {
            let data = read(text).unwrap();
            let shown: Vec<&str> = data.axes.iter().flatten().map(|a| &**a).collect();
            assert_eq!(shown.join(", "), axes, "{text}");
            assert_eq!(data.labelled, text.contains("%("), "{text}");
        }
        assert_eq!(read("%[{a}=1]"), None);
    }

    #[test]
    fn literals() {
        for (text, expected) in [
            ("[]", "[]"),
            ("[[1,2],[3,4]]", "[[1,2],[3,4]]"),
            ("\"text\"", "\"text\""),
            ("plain", "\"plain\""),
            ("%{norm}id(text)", "\"%{norm}id(text)\""),
            ("[%(\"text\")]", "[\"%(\\\"text\\\")\"]"),
        ] {
            assert_eq!(literal(text).to_string(), expected, "{text}");
        }
    }
}
