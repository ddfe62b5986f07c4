//! JSON text as Python's `json.dumps` lays it out, for files that scripts and steps write (semantics spec, section 10.4).

use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::Value;

/// The JSON of a value, indented. With `ascii` every character beyond ASCII is escaped.
pub fn json_text(value: &Value, indent: usize, ascii: bool) -> String {
    let mut bytes = Vec::new();
    let indent = " ".repeat(indent);
    let mut serializer =
        Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(indent.as_bytes()));
    // Writing JSON into memory cannot fail.
    let _ = value.to_json().serialize(&mut serializer);
    let text = String::from_utf8(bytes).unwrap_or_default();
    if ascii { escaped(&text) } else { text }
}

/// Only texts hold such characters, so they can be escaped without a look at the rest.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || (' '..='~').contains(&c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn layout_and_escapes() {
        let value = Value::from_data_json(&json!({"a": [1, "é\n😀\u{7f}"], "b": {}, "c": [], "d": null}));
        let wanted =
            "{\n  \"a\": [\n    1,\n    \"é\\n😀\u{7f}\"\n  ],\n  \"b\": {},\n  \"c\": [],\n  \"d\": null\n}";
        assert_eq!(json_text(&value, 2, false), wanted);
        let wanted = "\"\\u00e9\\n\\ud83d\\ude00\\u007f\"";
        assert!(json_text(&value, 2, true).contains(wanted), "{}", json_text(&value, 2, true));
    }
}
