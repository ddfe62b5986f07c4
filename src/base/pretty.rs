//! JSON text as Python's `json.dumps` lays it out, for files that scripts and steps write (semantics spec, section 10.4).

use std::slice;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Value, text_of};

/// How JSON is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLayout {
    /// How many blanks a level is indented by.
    pub indent: usize,
    /// Every character beyond ASCII is escaped.
    pub ascii: bool,
    /// How numbers are written.
    pub numbers: Numbers,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// With the digits they were read with: `1.50`.
    AsRead,
    /// As they stand in texts: `1.5`.
    AsText,
}

/// What is being written.
enum Open<'v> {
    List(slice::Iter<'v, Value>),
    Map(indexmap::map::Iter<'v, Arc<str>, Value>),
}

/// The JSON of a value. The stack is explicit: values may be deep.
pub fn json_text(value: &Value, layout: JsonLayout) -> String {
    let mut out = String::new();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut next = Some(value);
    let mut first = true;
    loop {
        if let Some(value) = next.take() {
            match value {
                Value::List(items) if !items.is_empty() => {
                    out.push('[');
                    open.push(Open::List(items.iter()));
                    first = true;
                }
                Value::Map(map) if !map.is_empty() => {
                    out.push('{');
                    open.push(Open::Map(map.iter()));
                    first = true;
                }
                Value::List(_) => out.push_str("[]"),
                Value::Map(_) => out.push_str("{}"),
                Value::Number(_) if layout.numbers == Numbers::AsText => out.push_str(&text_of(value)),
                Value::Null | Value::Bool(_) | Value::Number(_) => {
                    out.push_str(&value.to_json().to_string());
                }
                Value::Text(_) | Value::Sign(_) | Value::Skip => {
                    quote(&text_of(value), layout.ascii, &mut out);
                }
            }
        }
        let depth = open.len();
        let Some(innermost) = open.last_mut() else { return out };
        let entry = match innermost {
            Open::List(items) => items.next().map(|item| (None, item)),
            Open::Map(entries) => entries.next().map(|(key, item)| (Some(key), item)),
        };
        let Some((key, item)) = entry else {
            let close = if matches!(innermost, Open::List(_)) { ']' } else { '}' };
            open.pop();
            line(&mut out, layout.indent * (depth - 1));
            out.push(close);
            first = false;
            continue;
        };
        if !first {
            out.push(',');
        }
        first = false;
        line(&mut out, layout.indent * depth);
        if let Some(key) = key {
            quote(key, layout.ascii, &mut out);
            out.push_str(": ");
        }
        next = Some(item);
    }
}

fn line(out: &mut String, blanks: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', blanks));
}

fn quote(text: &str, ascii: bool, out: &mut String) {
    let quoted = Json::from(text).to_string();
    if !ascii {
        out.push_str(&quoted);
        return;
    }
    for c in quoted.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PLAIN: JsonLayout = JsonLayout { indent: 2, ascii: false, numbers: Numbers::AsText };
    const ASCII: JsonLayout = JsonLayout { ascii: true, ..PLAIN };

    #[test]
    fn json_is_written_as_python_writes_it() {
        let value =
            Value::from_data_json(&json!({"a": [1, 2.0, "é\n😀\u{7f}", null, true], "b": {}, "c": []}));
        let wanted = "{\n  \"a\": [\n    1,\n    2.0,\n    \"é\\n😀\u{7f}\",\n    null,\n    true\n  ],\n  \"b\": {},\n  \
                      \"c\": []\n}";
        assert_eq!(json_text(&value, PLAIN), wanted);
        let nested = Value::list([Value::list([Value::list([])]), Value::Null]);
        assert_eq!(
            json_text(&nested, JsonLayout { indent: 4, ..PLAIN }),
            "[\n    [\n        []\n    ],\n    null\n]"
        );
        assert_eq!(json_text(&Value::text("é\n😀\u{7f}"), ASCII), "\"\\u00e9\\n\\ud83d\\ude00\\u007f\"");
    }

    #[test]
    fn numbers_are_written_as_they_were_read_or_as_texts_have_them() {
        let numbers =
            Value::from_data_json(&serde_json::from_str("[1.50, 12345678901234567890123]").unwrap());
        let text = |how| json_text(&numbers, JsonLayout { indent: 0, ascii: false, numbers: how });
        assert_eq!(text(Numbers::AsText), "[\n1.5,\n12345678901234567890123\n]");
        assert_eq!(text(Numbers::AsRead), "[\n1.50,\n12345678901234567890123\n]");
    }
}
