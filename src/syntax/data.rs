//! Data written in a plan: the values of `ref.` and `%:` hints and of `%{literal}` (language spec, section 2.5).

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::Sign;

use super::ast::{Annotation, AnnotationKind};
use super::brackets::{Brackets, MAX_DEPTH, mask};

/// The axis of a lone value.
pub const NONE_AXIS: &str = "_none_axis";

/// Data with the names of its levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// The data: lists for levels, perceptual signs as their text. A lone scalar is a list of one.
    pub json: Json,
    /// One entry a level, outermost first; none for a level without a label. A lone scalar has `_none_axis`.
    pub axes: Vec<Option<Arc<str>>>,
}

/// Data that cannot be read (NC019).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError {
    /// What is wrong, as a headline.
    pub message: String,
    /// The bytes of the text it is about.
    pub range: Range<usize>,
}

/// Returns whether an annotation holds data of a concept: `ref.`, `%:`, and `%{literal}` with a value.
pub fn holds_data(annotation: &Annotation) -> bool {
    match annotation.kind {
        AnnotationKind::Hint => matches!(annotation.base_key(), "ref." | "%:"),
        AnnotationKind::Referential => annotation.base_key() == "literal" && !annotation.text().is_empty(),
        _ => false,
    }
}

/// Reads data: `%(axis)=[item, ..]`, `[item, ..]` or a scalar; items are data again. Scalars are JSON, else a sign,
/// else text. Labels `%O[0]=` are dropped.
///
/// # Errors
/// What fits none of this, `%[..]` records among it.
pub fn read(text: &str) -> Result<Data, DataError> {
    let masked = mask(text);
    if masked.too_deep {
        let message = format!("data are nested more than {MAX_DEPTH} deep");
        return Err(DataError { message, range: 0..text.len() });
    }
    let mut reader = Reader { text, axes: Vec::new() };
    let json = reader.node(0, text.len(), 0)?;
    if reader.axes.is_empty() {
        return Ok(Data { json: Json::Array(vec![json]), axes: vec![Some(Arc::from(NONE_AXIS))] });
    }
    Ok(Data { json, axes: reader.axes })
}

struct Reader<'a> {
    text: &'a str,
    axes: Vec<Option<Arc<str>>>,
}

impl<'a> Reader<'a> {
    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    fn error<T>(&self, message: String, start: usize, end: usize) -> Result<T, DataError> {
        Err(DataError { message, range: start..end })
    }

    fn node(&mut self, start: usize, end: usize, level: usize) -> Result<Json, DataError> {
        let (start, end) = self.trim(start, end);
        let text = self.slice(start, end);
        if let Some((label, rest)) = label(text) {
            let at = end - rest.len();
            let Label::Axis(name) = label else { return self.node(at, end, level) };
            let (list, _) = self.trim(at, end);
            if !is_list(self.slice(list, end)) {
                let message = format!("the axis `{name}` needs a list");
                return self.error(message, start, end);
            }
            self.name(level, name, start, at)?;
            return self.list(list, end, level);
        }
        if is_list(text) {
            return self.list(start, end, level);
        }
        if text.starts_with("%[") {
            return self.error("records `%[..]` are not read as data".to_owned(), start, end);
        }
        Ok(scalar(text))
    }

    fn trim(&self, start: usize, end: usize) -> (usize, usize) {
        let text = self.slice(start, end);
        let left = text.trim_start_matches([' ', '\t']);
        let start = start + text.len() - left.len();
        (start, start + left.trim_end_matches([' ', '\t']).len())
    }

    /// The label of a level: given once, or alike.
    fn name(&mut self, level: usize, name: &str, start: usize, end: usize) -> Result<(), DataError> {
        self.open(level);
        match self.axes.get_mut(level) {
            Some(slot @ None) => {
                *slot = Some(Arc::from(name));
                Ok(())
            }
            Some(Some(known)) if known.as_ref() != name => {
                let message = format!("the level is named `{known}` and `{name}`");
                self.error(message, start, end)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, level: usize) {
        if self.axes.len() <= level {
            self.axes.resize(level + 1, None);
        }
    }

    fn list(&mut self, start: usize, end: usize, level: usize) -> Result<Json, DataError> {
        self.open(level);
        let mut items = Vec::new();
        for (from, to) in self.items(start + 1, end.saturating_sub(1)) {
            if self.slice(from, to).trim_matches([' ', '\t']).is_empty() {
                return self.error(
                    "an item is missing".to_owned(),
                    from.min(end - 1),
                    to.max(from + 1).min(end),
                );
            }
            items.push(self.node(from, to, level + 1)?);
        }
        Ok(Json::Array(items))
    }

    /// The ranges between commas outside brackets and quotes.
    fn items(&self, start: usize, end: usize) -> Vec<(usize, usize)> {
        let masked = mask(self.slice(start, end));
        let mut brackets = Brackets::default();
        let mut quoted = false;
        let mut escaped = false;
        let mut items = Vec::new();
        let mut from = start;
        for (offset, byte) in masked.text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted && brackets.closed() => {
                    items.push((from, start + offset));
                    from = start + offset + 1;
                }
                _ if !quoted => brackets.feed(byte, offset, |_| {}),
                _ => {}
            }
        }
        let blank = self.slice(from, end).trim_matches([' ', '\t']).is_empty();
        if !(items.is_empty() && blank) {
            items.push((from, end));
        }
        items
    }
}

enum Label<'a> {
    /// `%(axis)=`.
    Axis(&'a str),
    /// `%O[0]=`.
    Dropped,
}

/// The label a text begins with, and the rest after its `=`.
fn label(text: &str) -> Option<(Label<'_>, &str)> {
    let inner = text.strip_prefix('%')?;
    if inner.starts_with('(') {
        let mut brackets = Brackets::default();
        let close = inner.bytes().enumerate().find(|(at, byte)| {
            brackets.feed(*byte, *at, |_| {});
            brackets.closed()
        })?;
        let name = inner.get(1..close.0)?.trim();
        let name = name.strip_prefix('{').and_then(|n| n.strip_suffix('}')).unwrap_or(name);
        let rest = inner.get(close.0 + 1..)?.trim_start().strip_prefix('=')?;
        return Some((Label::Axis(name.trim()), rest));
    }
    let (name, rest) = inner.split_once('[')?;
    let (number, rest) = rest.split_once(']')?;
    let word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let counted = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let rest = rest.trim_start().strip_prefix('=')?;
    (word && counted).then_some((Label::Dropped, rest))
}

/// Returns whether all of the text is one pair of square brackets. Brackets in quotes do not count, unless a quote is
/// left open.
fn is_list(text: &str) -> bool {
    let bracketed = text.starts_with('[') && text.ends_with(']');
    bracketed
        && (first_close(text, true) == Some(text.len() - 1)
            || first_close(text, false) == Some(text.len() - 1))
}

/// Where the first bracket of a text is closed.
fn first_close(text: &str, quotes: bool) -> Option<usize> {
    let mut brackets = Brackets::default();
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if quotes => quoted = !quoted,
            _ if quoted => {}
            _ => {
                brackets.feed(byte, at, |_| {});
                if brackets.closed() {
                    return Some(at);
                }
            }
        }
    }
    None
}

fn scalar(text: &str) -> Json {
    if let Ok(json) = serde_json::from_str::<Json>(text) {
        return json;
    }
    if Sign::parse(text).is_some() {
        return Json::String(text.to_owned());
    }
    let quoted = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    Json::String(quoted.unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match read(text) {
            Ok(data) => {
                let axes: Vec<_> = data.axes.iter().map(|a| a.as_deref().unwrap_or("-")).collect();
                format!("{} | {}", data.json, axes.join(", "))
            }
            Err(error) => format!("{} | {}", error.message, &text[error.range]),
        }
    }

    #[test]
    fn data_of_hints() {
        for (text, expected) in [
            ("%(number pair)=[%(number)=[123, 98], [12, 9]]", "[[123,98],[12,9]] | number pair, number"),
            (
                "%(number pair)=[%(number)=[123, 98], %(number)=[12, 9]]",
                "[[123,98],[12,9]] | number pair, number",
            ),
            ("%(number pair)=[[123, 98]]", "[[123,98]] | number pair, -"),
            ("%({number})=[1, 0]", "[1,0] | number"),
            ("3", "[3] | _none_axis"),
            ("1.50", "[1.50] | _none_axis"),
            ("some text, with a comma", "[\"some text, with a comma\"] | _none_axis"),
            ("\"quoted\"", "[\"quoted\"] | _none_axis"),
            ("%(tech)", "[\"%(tech)\"] | _none_axis"),
            ("%{file_location}(a.md)", "[\"%{file_location}(a.md)\"] | _none_axis"),
            ("{\"a\": [1, 2]}", "[{\"a\":[1,2]}] | _none_axis"),
            ("[%O[0]=%(tech), %O[1]=%(couch)]", "[\"%(tech)\",\"%(couch)\"] | -"),
            ("[%O[0]=[%N[0]=%(techie)]]", "[[\"%(techie)\"]] | -, -"),
            ("[]", "[] | -"),
            ("[\"a,b\", \"c]\", null]", "[\"a,b\",\"c]\",null] | -"),
            ("[draft] of a text", "[\"[draft] of a text\"] | _none_axis"),
            ("[1, , 2]", "an item is missing |  "),
            ("%(a)=5", "the axis `a` needs a list | %(a)=5"),
            ("[%(a)=[1], %(b)=[2]]", "the level is named `a` and `b` | %(b)="),
            ("[%[%{x}%(1)]]", "records `%[..]` are not read as data | %[%{x}%(1)]"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn hostile_data_are_refused() {
        assert!(read(&"[".repeat(100_000)).is_ok(), "open brackets are text");
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(read(&deep).unwrap_err().message.contains("nested"));
    }
}
