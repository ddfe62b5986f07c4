//! The text of a value, as Python's `str` would print it (semantics spec, section 1.2).
//!
//! Needed wherever a value goes into a prompt, a sign or a file. Knows nothing of how texts are read back: that is
//! the literal reader.

use std::fmt::Write as _;
use std::slice;

use indexmap::map;

use super::{Number, SKIP_MARKER, Sign, Value};

/// The text of a value: texts and signs as they are, everything else as Python prints it.
pub fn text_of(value: &Value) -> String {
    let mut out = String::new();
    write_text(value, &mut out);
    out
}

/// Appends the text of a value.
pub fn write_text(value: &Value, out: &mut String) {
    match value {
        Value::Text(text) => out.push_str(text),
        Value::Skip => out.push_str(SKIP_MARKER),
        Value::Sign(sign) => write_sign(sign, out),
        _ => write_inner(value, out),
    }
}

/// A list or map that is being printed.
enum Open<'a> {
    List(slice::Iter<'a, Value>),
    Map(map::Iter<'a, std::sync::Arc<str>, Value>),
}

/// Prints a value the way Python prints it inside a list. The stack is explicit, so depth costs no call stack.
fn write_inner(value: &Value, out: &mut String) {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut next = Some(value);
    loop {
        if let Some(value) = next.take() {
            match value {
                Value::Skip => write_quoted(SKIP_MARKER, out),
                Value::Null => out.push_str("None"),
                Value::Bool(true) => out.push_str("True"),
                Value::Bool(false) => out.push_str("False"),
                Value::Number(number) => write_number(number, out),
                Value::Text(text) => write_quoted(text, out),
                Value::Sign(sign) => {
                    let mut text = String::new();
                    write_sign(sign, &mut text);
                    write_quoted(&text, out);
                }
                Value::List(items) => {
                    out.push('[');
                    open.push(Open::List(items.iter()));
                }
                Value::Map(entries) => {
                    out.push('{');
                    open.push(Open::Map(entries.iter()));
                }
            }
        }
        let Some(innermost) = open.last_mut() else { return };
        match innermost {
            Open::List(items) => match items.next() {
                Some(item) => {
                    separate('[', out);
                    next = Some(item);
                }
                None => {
                    out.push(']');
                    open.pop();
                }
            },
            Open::Map(entries) => match entries.next() {
                Some((key, entry)) => {
                    separate('{', out);
                    write_quoted(key, out);
                    out.push_str(": ");
                    next = Some(entry);
                }
                None => {
                    out.push('}');
                    open.pop();
                }
            },
        }
    }
}

/// A comma, except right behind the bracket: every item prints something that does not end in an open bracket.
fn separate(bracket: char, out: &mut String) {
    if !out.ends_with(bracket) {
        out.push_str(", ");
    }
}

fn write_sign(sign: &Sign, out: &mut String) {
    // Writing to a text cannot fail.
    let _ = write!(out, "{sign}");
}

fn write_number(number: &Number, out: &mut String) {
    let text = number.as_str();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        out.push_str(if digits == "0" { digits } else { text });
    } else {
        out.push_str(&float_text(number.to_f64()));
    }
}

/// A float as Python prints it: the shortest digits that read back, positional from 1e-4 up to 1e16.
pub fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let positional = format!("{number}");
        return if positional.contains('.') { positional } else { positional + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

fn write_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                // Writing to a text cannot fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// Returns whether Python prints a character as it is: not one of Cc, Cf, Cs, Co, Cn, Zl, Zp, and of Zs only the blank.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // The standard library keeps exactly this table, for debug output. It lets it be seen only through the escaping
    // of a text; behind a first letter combining marks are not escaped for their own sake.
    let mut buffer = [b'a'; 5];
    let mut encoded = [0; 4];
    let bytes = c.encode_utf8(&mut encoded).as_bytes();
    let Some(room) = buffer.get_mut(1..=bytes.len()) else { return true };
    room.copy_from_slice(bytes);
    let text = buffer.get(..=bytes.len()).and_then(|b| std::str::from_utf8(b).ok());
    text.is_none_or(|t| t.escape_debug().nth(1) == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn text(json: &str) -> String {
        text_of(&Value::from_data_json(&serde_json::from_str(json).unwrap()))
    }

    #[test]
    fn values_print_as_in_python() {
        let cases = [
            (r#""it's""#, "it's"),
            (r#"["it's"]"#, r#"["it's"]"#),
            (r#"["it's \"both\""]"#, r#"['it\'s "both"']"#),
            (
                r#"["\u0000\u007f\u00a0\u00ad\u200b\u2028\ue000\ud83d\ude00é\u0301"]"#,
                "['\\x00\\x7f\\xa0\\xad\\u200b\\u2028\\ue000😀é\u{301}']",
            ),
            (r#"["\udb40\udc01"]"#, "['\\U000e0001']"),
            ("[[], {}, [[]], {\"a\": [1, {\"b\": null}]}]", "[[], {}, [[]], {'a': [1, {'b': None}]}]"),
            (r#"["[", "{", ["["]]"#, "['[', '{', ['[']]"),
            ("[true, false]", "[True, False]"),
            ("-0", "0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ];
        for (json, wanted) in cases {
            assert_eq!(text(json), wanted, "{json}");
        }
    }

    #[test]
    fn floats_print_as_in_python() {
        let cases = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e-4, "0.0001"),
            (9.999e-5, "9.999e-05"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ];
        for (number, wanted) in cases {
            assert_eq!(float_text(number), wanted);
        }
    }

    #[test]
    fn signs_print_as_their_text() {
        let sign = Value::Sign(Arc::new(Sign::new(Some("file_location"), "it's").unwrap()));
        assert_eq!(text_of(&sign), "%{file_location}(it's)");
        assert_eq!(text_of(&Value::list([sign, Value::Skip])), "[\"%{file_location}(it's)\", '@#SKIP#@']");
    }

    #[test]
    fn depth_costs_no_stack() {
        let mut value = Value::Null;
        for _ in 0..20_000 {
            value = Value::list([value]);
        }
        assert_eq!(text_of(&value).len(), 40_004);
        // Values share their parts; taking them apart by hand keeps the test's own drop flat.
        while let Value::List(items) = value {
            value = items.first().cloned().unwrap_or(Value::Null);
        }
    }
}
