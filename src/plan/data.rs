//! Data written in a plan: `ref.` and `%:` hints, `%{literal}` values, literals of `$%` (language spec, sections 2.5
//! and 5.2). Knows nothing of the concepts they belong to.

use std::sync::Arc;

use serde_json::{Number, Value as Json};

use crate::base::{Sign, Span};
use crate::syntax::{Annotation, AnnotationKind, Node};

/// Lists deeper than this are not understood.
const DEPTH: usize = 100;

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
    /// A hint that was not understood.
    pub(super) bad: Option<Span>,
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
                match read(text) {
                    Some(data) => {
                        found.data.get_or_insert(data);
                    }
                    None => found.bad = Some(annotation.value_span),
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
    Data { json: Json::Array(vec![json]), axes: Some(vec![Arc::from("_none_axis")]), labelled: false }
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

/// Reads `NODE` of section 2.5: labelled lists, lists, scalars. None for what fits none of it.
pub(super) fn read(text: &str) -> Option<Data> {
    let mut reader = Reader { rest: text.trim(), axes: Vec::new() };
    let json = reader.node(0)?;
    if !reader.rest.trim().is_empty() {
        // A lone text may hold anything but an unclosed record.
        let plain = !text.trim_start().starts_with("%[") && !json.is_array();
        return plain.then(|| scalar(Json::String(text.trim().to_owned())));
    }
    if !json.is_array() {
        return Some(scalar(json));
    }
    // Levels below the last label are content.
    let levels = reader.axes.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let named = |(i, axis): (usize, &Option<Arc<str>>)| {
        axis.clone().unwrap_or_else(|| Arc::from(format!("axis_{i}")))
    };
    let axes = (levels > 0).then(|| reader.axes.iter().take(levels).enumerate().map(named).collect());
    let labelled = levels > 0;
    Some(Data { json, axes, labelled })
}

struct Reader<'a> {
    rest: &'a str,
    /// The labels by level.
    axes: Vec<Option<Arc<str>>>,
}

impl<'a> Reader<'a> {
    fn node(&mut self, depth: usize) -> Option<Json> {
        if depth > DEPTH {
            return None;
        }
        self.rest = self.rest.trim_start();
        self.label(depth);
        if self.rest.starts_with("%[") {
            return None;
        }
        if let Some(rest) = self.rest.strip_prefix('[') {
            self.rest = rest;
            return self.items(depth);
        }
        self.scalar(depth)
    }

    /// `%(axis)=` names a level, `%O[0]=` says nothing.
    fn label(&mut self, depth: usize) {
        let Some(rest) = self.rest.strip_prefix('%') else { return };
        if let Some((name, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(")=")) {
            if !name.contains(['(', ')', '[', ']', '=']) {
                while self.axes.len() <= depth {
                    self.axes.push(None);
                }
                if let Some(slot) = self.axes.get_mut(depth) {
                    slot.get_or_insert_with(|| Arc::from(name.trim()));
                }
                self.rest = after.trim_start();
            }
            return;
        }
        let word = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let after = rest.get(word..).and_then(|r| r.strip_prefix('[')).and_then(|r| r.split_once("]="));
        if let Some((number, after)) = after
            && word > 0
            && number.bytes().all(|b| b.is_ascii_digit())
        {
            self.rest = after.trim_start();
        }
    }

    fn items(&mut self, depth: usize) -> Option<Json> {
        while self.axes.len() <= depth {
            self.axes.push(None);
        }
        let mut items = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix(']') {
                self.rest = rest;
                return Some(Json::Array(items));
            }
            items.push(self.node(depth + 1)?);
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix([',', ';']) {
                Some(rest) => self.rest = rest,
                None if self.rest.starts_with(']') => {}
                None => return None,
            }
        }
    }

    /// JSON, else a sign, else text up to the separator.
    fn scalar(&mut self, depth: usize) -> Option<Json> {
        let end = if depth == 0 { self.rest.len() } else { end_of_scalar(self.rest) };
        let (text, rest) = self.rest.split_at(end);
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        self.rest = rest;
        Some(serde_json::from_str::<Json>(text).unwrap_or_else(|_| Json::String(text.to_owned())))
    }
}

/// The first separator or closing bracket outside quotes and brackets.
fn end_of_scalar(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '{' | '[' => depth += 1,
            ',' | ';' | ']' if depth == 0 => return at,
            ')' | '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
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

    fn shown(text: &str) -> String {
        match read(text) {
            None => "not understood".to_owned(),
            Some(data) => {
                let axes: Vec<&str> = data.axes.iter().flatten().map(|a| &**a).collect();
                format!("{} [{}]", data.json, axes.join(", "))
            }
        }
    }

    #[test]
    fn data_as_written() {
        for (text, expected) in [
            ("%(number pair)=[%(number)=[123, 98]]", "[[123,98]] [number pair, number]"),
            ("%(number pair)=[%(number)=[123, 98], [12, 9]]", "[[123,98],[12,9]] [number pair, number]"),
            ("[[123, 98]]", "[[123,98]] []"),
            ("%(a)=[]", "[] [a]"),
            ("0", "[0] [_none_axis]"),
            ("3.50", "[3.50] [_none_axis]"),
            ("[7]", "[7] []"),
            ("%(n)=[[1, 2]]", "[[1,2]] [n]"),
            ("%(12)", "[\"%(12)\"] [_none_axis]"),
            ("%{file_location}(a, b.txt)", "[\"%{file_location}(a, b.txt)\"] [_none_axis]"),
            (
                "[%(1), %{file_location}7(a, b.txt), \"x, y\", plain words]",
                "[\"%(1)\",\"%{file_location}7(a, b.txt)\",\"x, y\",\"plain words\"] []",
            ),
            ("%(n)=[%O[0]=[1], %O[1]=[2]]", "[[1],[2]] [n]"),
            ("[%(b)=[1]]", "[[1]] [axis_0, b]"),
            ("one, two", "[\"one, two\"] [_none_axis]"),
            ("{\"a\": 1}", "[{\"a\":1}] [_none_axis]"),
            ("%[{a}=1]", "not understood"),
            ("[1, 2", "not understood"),
            ("[1 2] 3", "not understood"),
            ("[1,,2]", "not understood"),
            ("", "not understood"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(shown(&"[".repeat(100_000)), "not understood");
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
