//! What stands in the files of a mailbox: requests, answers, refusals. Knows no folders.

use serde_json::{Map as JsonMap, Value as Json, json};

use super::super::posted::Posted;

/// What is wrong with the content of an answer file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is no JSON: perhaps somebody is still writing it.
    Unfinished(String),
    /// It is JSON, and no answer.
    Refused(String),
}

/// The answer in a file: `{"value": ...}`, or `{"text": "..."}`.
pub(super) fn read_answer(bytes: &[u8]) -> Result<Json, Unread> {
    let json: Json = serde_json::from_slice(bytes)
        .map_err(|error| Unread::Unfinished(format!("It is not JSON: {error}.")))?;
    let refuse =
        |why: &str| Err(Unread::Refused(format!("{why} Write {{\"value\": ...}} or {{\"text\": \"...\"}}.")));
    let Json::Object(mut map) = json else { return refuse("An answer is a JSON object.") };
    if let Some(field) = map.keys().find(|key| !matches!(key.as_str(), "value" | "text")) {
        return refuse(&format!("An answer has no field `{}`.", super::super::validate::shown(field)));
    }
    match (map.remove("value"), map.remove("text")) {
        (Some(value), None) => Ok(value),
        (None, Some(text @ Json::String(_))) => Ok(text),
        (None, Some(_)) => refuse("What stands at `text` must be a text."),
        (Some(_), Some(_)) => refuse("An answer has `value` or `text`, not both."),
        (None, None) => refuse("The answer is missing."),
    }
}

/// The file of an answer.
pub(super) fn answer_file(answer: &Json) -> Vec<u8> {
    pretty(&json!({ "value": answer }))
}

/// The file of a request: the question, the run, and where its answer is expected.
pub(super) fn request_file(question: &Posted, run: &str, name: &str) -> Vec<u8> {
    let mut map = question.to_json();
    map.insert("run".to_owned(), Json::from(run));
    map.insert("answer".to_owned(), Json::from(format!("answers/{name}.json")));
    pretty(&Json::Object(map))
}

/// The question of a request.
pub(super) fn read_request(bytes: &[u8]) -> Option<Posted> {
    let map: JsonMap<String, Json> = serde_json::from_slice(bytes).ok()?;
    Posted::from_json(&map)
}

/// The file of a refused answer: which question, why, and what the answer was.
pub(super) fn refusal_file(question: &Posted, reason: &str, given: &[u8]) -> Vec<u8> {
    let given: Json = serde_json::from_slice(given).unwrap_or(Json::Null);
    pretty(&json!({ "id": &*question.id, "reason": reason, "given": given }))
}

fn pretty(json: &Json) -> Vec<u8> {
    format!("{json:#}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let read = |text: &str| read_answer(text.as_bytes());
        assert_eq!(read(r#"{"value": [1, "a"]}"#), Ok(json!([1, "a"])));
        assert_eq!(read(" {\"text\": \"yes\"}\n"), Ok(json!("yes")));
        assert_eq!(read(r#"{"value": null}"#), Ok(Json::Null));
        for half in ["", "{", r#"{"value": "#, r#"{"value": 1"#, "{\"value\": \"\u{1}", "\u{feff}{}"] {
            assert!(matches!(read(half), Err(Unread::Unfinished(_))), "{half}");
        }
        let table = [
            ("5", "is a JSON object"),
            ("{}", "missing"),
            (r#"{"value": 1, "text": "a"}"#, "not both"),
            (r#"{"text": 1}"#, "must be a text"),
            (r#"{"value": 1, "who": "me"}"#, "no field `who`"),
        ];
        for (text, part) in table {
            match read(text) {
                Err(Unread::Refused(why)) => assert!(why.contains(part), "{text}: {why}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(read_answer(&answer_file(&json!({"a": 1}))), Ok(json!({"a": 1})));
    }
}
