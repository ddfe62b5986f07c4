//! Takes the answer out of the reply of a language model: JSON, a block of code, a truth value (semantics spec,
//! section 9.3). One reader for all; it knows nothing of where the reply came from.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::{Map, Sign, Value, read_literal, strip};

/// Keys of an object whose value may be a truth value.
const TRUTH_KEYS: [&str; 4] = ["answer", "result", "value", "output"];

const YES: [&str; 7] = ["true", "yes", "1", "correct", "affirmative", "continue", "proceed"];

const NO: [&str; 10] =
    ["false", "no", "0", "incorrect", "negative", "stop", "end", "terminate", "quit", "exit"];

/// Why a reply cannot be used; asking again may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Stable word (semantics spec, section 15).
    pub kind: &'static str,
    /// What is wrong with the reply.
    pub message: String,
    /// What the reply should be.
    pub wanted: String,
}

impl Complaint {
    pub(super) fn not_json() -> Self {
        Self {
            kind: "reply_is_not_json",
            message: "the reply is not JSON".to_owned(),
            wanted: "reply with one JSON object and nothing else".to_owned(),
        }
    }

    pub(super) fn not_an_object(got: &Value) -> Self {
        Self {
            kind: "reply_is_not_an_object",
            message: format!("the reply is {}, not a JSON object", what(got)),
            wanted: "reply with one JSON object and nothing else".to_owned(),
        }
    }

    pub(super) fn lacks_key(key: &str) -> Self {
        Self {
            kind: "reply_lacks_key",
            message: format!("the reply has no key `{key}`"),
            wanted: format!("reply with one JSON object that has the key `{key}`"),
        }
    }

    pub(super) fn key_is_not_an_object(key: &str, got: &Value) -> Self {
        Self {
            kind: "reply_key_is_not_an_object",
            message: format!("`{key}` of the reply is {}, not an object", what(got)),
            wanted: format!("reply with one JSON object whose `{key}` is an object"),
        }
    }

    fn no_truth_value() -> Self {
        Self {
            kind: "no_truth_value",
            message: "the reply does not say clearly whether it is true or false".to_owned(),
            wanted: "reply with one word, `true` or `false`".to_owned(),
        }
    }
}

/// What sort of value one is, for a message.
pub(super) fn what(value: &Value) -> &'static str {
    match value {
        Value::Skip => "nothing",
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::Text(_) => "a text",
        Value::Sign(_) => "a sign",
        Value::List(_) => "a list",
        Value::Map(_) => "an object",
    }
}

/// The value a JSON text says, read strictly: numbers that are no finite floats are not JSON (RFC 8259; semantics
/// spec, section 1.3).
pub fn read_json(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json: Json = serde_json::from_str(text).ok()?;
    is_finite(&json).then(|| Value::from_data_json(&json))
}

/// Depth is bounded by the reader of JSON.
fn is_finite(json: &Json) -> bool {
    match json {
        Json::Number(number) => {
            let text = number.as_str();
            !text.contains(['e', 'E', '.']) || text.parse::<f64>().is_ok_and(f64::is_finite)
        }
        Json::Array(items) => items.iter().all(is_finite),
        Json::Object(entries) => entries.values().all(is_finite),
        _ => true,
    }
}

/// The value a reply says: all of it, its first fenced block, or what stands between its first `{` and its last `}`;
/// each as JSON, then as a literal.
///
/// # Errors
/// `reply_is_not_json`.
pub fn read_value(reply: &str) -> Result<Value, Complaint> {
    let whole = reply.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let braces = || match (whole.find('{'), whole.rfind('}')) {
        (Some(start), Some(end)) => whole.get(start..=end),
        _ => None,
    };
    let tries = [Some(whole), first_block(whole).map(str::trim), braces()];
    let mut tried: Option<&str> = None;
    for text in tries.into_iter().flatten() {
        if tried != Some(text)
            && let Some(value) = read_one(text)
        {
            return Ok(value);
        }
        tried = Some(text);
    }
    Err(Complaint::not_json())
}

fn read_one(text: &str) -> Option<Value> {
    let read = |text: &str| read_json(text).or_else(|| read_literal(text));
    let unquoted = || text.contains("\\'").then(|| text.replace("\\'", "'"));
    read(text).or_else(|| read(&unquoted()?))
}

/// The object a reply says.
///
/// # Errors
/// `reply_is_not_json`, `reply_is_not_an_object`.
pub fn read_object(reply: &str) -> Result<Arc<Map>, Complaint> {
    match read_value(reply)? {
        Value::Map(map) => Ok(map),
        other => Err(Complaint::not_an_object(&other)),
    }
}

/// What a reply says under a key.
///
/// # Errors
/// As [`read_object`], and `reply_lacks_key`.
pub fn read_key(reply: &str, key: &str) -> Result<Value, Complaint> {
    let map = read_object(reply)?;
    map.get(key).cloned().ok_or_else(|| Complaint::lacks_key(key))
}

/// The content of the first fenced block, or the whole reply, trimmed.
pub fn code_block(reply: &str) -> &str {
    let whole = reply.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    first_block(whole).map_or(whole, str::trim)
}

/// The content of the first fenced block: backticks, perhaps a word for the language, and a line break open it;
/// backticks at the start of a line, or else at the very end, close it; a missing end is accepted.
fn first_block(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find("```") {
        let fence = rest.get(at..)?.trim_start_matches('`');
        let word = fence.trim_start_matches(|c: char| c.is_alphanumeric() || "_+-#.".contains(c));
        let line = word.trim_start_matches([' ', '\t']);
        let content = line.strip_prefix("\r\n").or_else(|| line.strip_prefix('\n'));
        if let Some(content) = content {
            return Some(until_fence(content));
        }
        rest = fence;
    }
    None
}

fn until_fence(content: &str) -> &str {
    if content.starts_with("```") {
        return "";
    }
    match content.find("\n```") {
        Some(end) => content.get(..end).unwrap_or(content),
        None => content.trim_end().strip_suffix("```").unwrap_or(content),
    }
}

/// The truth value a reply says: a truth value, what a sign says, the `answer`, `result`, `value` or `output` of a
/// JSON object, or words of one side only.
///
/// # Errors
/// `no_truth_value`.
pub fn read_truth(reply: &Value) -> Result<bool, Complaint> {
    match reply {
        Value::Sign(sign) => said(&strip_sign(sign)),
        other => said(other),
    }
    .ok_or_else(Complaint::no_truth_value)
}

fn strip_sign(sign: &Arc<Sign>) -> Value {
    strip(&Value::Sign(Arc::clone(sign)))
}

fn said(value: &Value) -> Option<bool> {
    let of_map = |map: &Map| TRUTH_KEYS.iter().find_map(|key| map.get(*key)).map(said_plainly);
    match value {
        Value::Map(map) => of_map(map).unwrap_or(None),
        Value::Text(text) => match read_object(text).ok().and_then(|map| of_map(&map)) {
            Some(said) => said,
            None => words(text),
        },
        other => said_plainly(other),
    }
}

fn said_plainly(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Text(text) => words(text),
        _ => None,
    }
}

fn words(text: &str) -> Option<bool> {
    let (mut yes, mut no) = (false, false);
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let word: Cow<'_, str> =
            if word.chars().any(char::is_uppercase) { word.to_lowercase().into() } else { word.into() };
        if word == "not" {
            return None;
        }
        yes |= YES.contains(&&*word);
        no |= NO.contains(&&*word);
    }
    (yes != no).then_some(yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_are_found_in_what_models_write() {
        let cases = [
            ("{\"answer\": 1}", "1"),
            ("\u{feff} {\"answer\": 1}\n", "1"),
            ("Sure!\n```json\n{\"answer\": 2}\n```\nand\n```\n{\"answer\": 3}\n```", "2"),
            ("```JSON {\"answer\": 4} ```", "4"),
            ("```json\r\n{\"answer\": 5}\r\n```", "5"),
            ("I think {'answer': True} fits", "True"),
            ("{\"answer\": \"it\\'s\"}", "it's"),
            ("{\"answer\": 123456789012345678901234567890}", "123456789012345678901234567890"),
        ];
        for (reply, wanted) in cases {
            let got = read_key(reply, "answer").map(|v| crate::base::text_of(&v));
            assert_eq!(got, Ok(wanted.to_owned()), "{reply}");
        }
        let kinds = [
            ("", "reply_is_not_json"),
            ("{\"answer\": 1e999}", "reply_is_not_json"),
            ("{\"answer\": true,}", "reply_is_not_json"),
            ("[1]", "reply_is_not_an_object"),
            ("{\"Answer\": 1}", "reply_lacks_key"),
        ];
        for (reply, wanted) in kinds {
            assert_eq!(read_key(reply, "answer").unwrap_err().kind, wanted, "{reply}");
        }
    }

    #[test]
    fn blocks_end_at_a_line_of_backticks() {
        let cases = [
            ("```python\nx = '```'\ny\n```\nmore", "x = '```'\ny"),
            ("```\n```", ""),
            ("````py\na\n````", "a"),
            ("a ``` b\n```c++ \nd", "d"),
            ("  plain\n", "plain"),
        ];
        for (reply, wanted) in cases {
            assert_eq!(code_block(reply), wanted, "{reply:?}");
        }
    }

    #[test]
    fn truth_is_said_by_one_side_only() {
        let text = |t: &str| read_truth(&Value::text(t)).ok();
        let cases = [
            ("True.", Some(true)),
            ("{\"result\": \"no\"}", Some(false)),
            ("{\"answer\": 1}", None),
            ("{\"verdict\": \"yes\"}", Some(true)),
            ("yes or no", None),
            ("It is not true", None),
            ("10", None),
            ("%{truth_value}1(True)", Some(true)),
        ];
        for (reply, wanted) in cases {
            assert_eq!(text(reply), wanted, "{reply}");
        }
        assert_eq!(read_truth(&Value::Number(1.into())).unwrap_err().kind, "no_truth_value");
        let sign = Value::Sign(Arc::new(Sign::plain("False")));
        assert_eq!(read_truth(&sign), Ok(false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_makes_the_readers_fail_otherwise(text in "(`|\\{|\\}|\"|'|\\\\|\n|a|1|:|,| |\\[|\\]){0,60}") {
            let _ = read_value(&text);
            let _ = code_block(&text);
            let _ = read_truth(&Value::text(text));
        }

        #[test]
        fn a_fenced_object_reads_as_the_object(key in "[a-z]{1,5}", value in "[ -~]{0,20}") {
            let json = serde_json::json!({ key.clone(): value.clone() }).to_string();
            let reply = format!("Here it is:\n```json\n{json}\n```");
            prop_assert_eq!(read_key(&reply, &key), Ok(Value::text(value)));
        }
    }
}
