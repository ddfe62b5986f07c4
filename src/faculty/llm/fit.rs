//! Replies that must be JSON: whether one is, whether it fits its schema, and asking again with what was wrong with it
//! (semantics spec, sections 9.3 and 14.1).

use serde_json::Value as Json;

use super::request::{Caller, Chat, ChatReply, ChatRequest, ReplyForm};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind, Output};

/// At most so many mistakes are told to the model.
const TOLD: usize = 10;

/// How much of a reply that cannot be used is shown (semantics spec, section 9.3).
const SHOWN: usize = 2000;

/// How much of it the model is shown again.
const REPEATED: usize = 8000;

/// Returns what is wrong with a reply, none when it has the form that was asked for.
///
/// A reply may be the JSON itself, have it in its first fenced block, or around it other words.
///
/// # Errors
/// `bad_arguments` when the schema is none.
pub fn complaint(text: &str, form: &ReplyForm) -> Result<Option<String>, Failure> {
    let schema = match form {
        ReplyForm::Text => return Ok(None),
        ReplyForm::Json => None,
        ReplyForm::Schema(schema) => Some(schema),
    };
    let json = match read(text) {
        Ok(json) => json,
        Err(error) => return Ok(Some(format!("it is not JSON: {error}"))),
    };
    let Some(schema) = schema else {
        let right = json.is_object();
        return Ok((!right).then(|| "it is JSON, but not an object".to_owned()));
    };
    let validator = jsonschema::validator_for(schema).map_err(|error| {
        let message = format!("the schema of the reply is no JSON schema: {}", shorten(&error.to_string()));
        Failure::new(FailureKind::BadArguments, message)
            .with_help("write a JSON schema such as `{\"type\": \"object\"}`")
    })?;
    let wrong: Vec<String> = validator
        .iter_errors(&json)
        .take(TOLD)
        .map(|error| {
            let path = error.instance_path().as_str();
            let place = if path.is_empty() { "the whole" } else { path };
            format!("{}: {}", shorten(place), shorten(&error.to_string()))
        })
        .collect();
    Ok((!wrong.is_empty()).then(|| format!("it does not fit the schema: {}", wrong.join("; "))))
}

/// The JSON of a reply: the whole, the first fenced block, or from the first bracket to the last.
fn read(text: &str) -> Result<Json, serde_json::Error> {
    let whole = text.trim_start_matches('\u{feff}').trim();
    let fenced = whole.split_once("```").map(|(_, after)| {
        let inner = after.split_once("```").map_or(after, |(inner, _)| inner);
        inner.split_once('\n').map_or(inner, |(_, content)| content).trim()
    });
    let braces = whole.find('{').and_then(|start| whole.get(start..=whole.rfind('}')?));
    let first = serde_json::from_str(whole);
    if first.is_ok() {
        return first;
    }
    [fenced, braces].into_iter().flatten().find_map(|part| serde_json::from_str(part).ok()).map_or(first, Ok)
}

/// Asks until the reply has the form that was asked for, at most `retries` times more, each time with what was wrong.
///
/// The calls count on from the caller's occurrence, and the reply holds the tries of all of them.
///
/// # Errors
/// `reply_is_not_json` with the last complaint; what the calls themselves give.
pub fn chat_until_fit(
    chat: &dyn Chat,
    request: &ChatRequest,
    caller: &Caller,
    retries: u32,
) -> Result<ChatReply, Failure> {
    let mut asked = request.clone();
    let mut tries = Vec::new();
    let mut millis = 0_u64;
    for number in 0..=retries {
        let occurrence = caller.occurrence.saturating_add(number);
        // The same key would have a provider give the same reply.
        let key = caller.idempotency_key.as_ref().map(|key| match number {
            0 => key.clone(),
            _ => format!("{key}-{number}").into(),
        });
        let this = Caller { occurrence, idempotency_key: key, ..caller.clone() };
        let mut reply = chat.chat(&asked, &this)?;
        tries.append(&mut reply.tries);
        millis = millis.saturating_add(reply.millis);
        let Some(wrong) = complaint(&reply.text, &request.format)? else {
            return Ok(ChatReply { tries, millis, ..reply });
        };
        if number == retries {
            return Err(unusable(request, &reply.text, &wrong, retries));
        }
        asked.prompt = again(request, &reply.text, &wrong).into();
    }
    // `0..=retries` is never empty, and its last round returns.
    Err(Failure::new(FailureKind::ReplyIsNotJson, "the reply was never asked for"))
}

/// The prompt with what was wrong with the reply to it. Always built from the first prompt, so it does not grow.
fn again(request: &ChatRequest, reply: &str, wrong: &str) -> String {
    let shown: String = reply.chars().take(REPEATED).collect();
    format!(
        "{}\n\nYour last reply cannot be used: {wrong}.\nYour last reply was:\n{shown}\n\nReply again, with the corrected \
         JSON and nothing else.",
        request.prompt
    )
}

fn unusable(request: &ChatRequest, reply: &str, wrong: &str, retries: u32) -> Failure {
    let times = match retries {
        0 => String::new(),
        n => format!(" ({} replies)", u64::from(n) + 1),
    };
    let message = format!("the reply of the model `{}` cannot be used: {wrong}{times}", request.model);
    let mut shown: String = reply.chars().take(SHOWN).collect();
    if shown.len() < reply.len() {
        shown.push('…');
    }
    let help = "say in the prompt what JSON is wanted, or take a model that keeps to it";
    let mut failure = Failure::new(FailureKind::ReplyIsNotJson, message).with_help(help);
    failure.output = Some(Box::new(Output { stdout: shown, stderr: String::new() }));
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faculty::llm::request::{Try, Usage};
    use serde_json::json;
    use std::sync::{Arc, Mutex};

    #[test]
    fn json_is_found_in_a_reply() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}});
        let schema = ReplyForm::Schema(Arc::new(schema));
        let cases = [
            ("{\"a\": 1}", None, None),
            ("\u{feff} {\"a\": 1}\n", None, None),
            ("Here:\n```JSON\r\n{\"a\": 1}\r\n```\nand ```b```", None, None),
            ("```\n{\"a\": 1}", None, None),
            ("the answer is {\"a\": 1}, I think", None, None),
            ("{\"a\": \"x\"}", None, Some("/a: \"x\" is not of type \"integer\"")),
            ("{}", None, Some("the whole: \"a\" is a required property")),
            ("[1]", Some("not an object"), Some("is not of type \"object\"")),
            ("no", Some("not JSON"), Some("not JSON")),
            ("", Some("not JSON"), Some("not JSON")),
        ];
        for (text, plain, fitting) in cases {
            assert_eq!(complaint(text, &ReplyForm::Text).unwrap(), None);
            for (form, wanted) in [(&ReplyForm::Json, plain), (&schema, fitting)] {
                let found = complaint(text, form).unwrap();
                match wanted {
                    None => assert_eq!(found, None, "{text}"),
                    Some(words) => {
                        assert!(found.as_deref().unwrap_or("").contains(words), "{text}: {found:?}")
                    }
                }
            }
        }
        let none = ReplyForm::Schema(Arc::new(json!({"type": "nonsense"})));
        assert_eq!(complaint("{}", &none).unwrap_err().kind, FailureKind::BadArguments);
        let remote = ReplyForm::Schema(Arc::new(json!({"$ref": "http://127.0.0.1:1/schema.json"})));
        assert_eq!(complaint("{}", &remote).unwrap_err().kind, FailureKind::BadArguments);
    }

    /// Gives one reply after the other and keeps what it was asked.
    struct Replies(Mutex<Vec<&'static str>>, Mutex<Vec<Asked>>);

    type Asked = (String, u32, Option<Arc<str>>);

    impl Chat for Replies {
        fn chat(&self, request: &ChatRequest, caller: &Caller) -> Result<ChatReply, Failure> {
            let key = caller.idempotency_key.clone();
            self.1.lock().unwrap().push((request.prompt.to_string(), caller.occurrence, key));
            let made = Try {
                outcome: "ok".into(),
                status: None,
                millis: 1,
                waited_millis: 0,
                prompt_tokens: 1,
                completion_tokens: 1,
            };
            Ok(ChatReply {
                text: self.0.lock().unwrap().remove(0).into(),
                finish_reason: None,
                model: "m".into(),
                usage: Usage::default(),
                tries: vec![made],
                millis: 2,
                replayed: false,
            })
        }
    }

    #[test]
    fn a_reply_that_cannot_be_used_is_asked_for_again_and_all_tries_count() {
        let caller = Caller { occurrence: 3, idempotency_key: Some("k".into()), ..Caller::default() };
        let request = ChatRequest { format: ReplyForm::Json, ..ChatRequest::new("m", "give a") };
        let replies = Replies(Mutex::new(vec!["sure!", "{\"a\": 1}"]), Mutex::default());
        let reply = chat_until_fit(&replies, &request, &caller, 1).unwrap();
        assert_eq!((&*reply.text, reply.tries.len(), reply.millis), ("{\"a\": 1}", 2, 4));
        let asked = replies.1.lock().unwrap().clone();
        assert_eq!((asked[0].0.as_str(), asked[0].1, asked[0].2.as_deref()), ("give a", 3, Some("k")));
        assert!(
            asked[1].0.starts_with("give a\n\n")
                && asked[1].0.contains("not JSON")
                && asked[1].0.contains("sure!")
        );
        assert_eq!((asked[1].1, asked[1].2.as_deref()), (4, Some("k-1")));
        let stubborn = Replies(Mutex::new(vec!["no", "never"]), Mutex::default());
        let failure = chat_until_fit(&stubborn, &request, &caller, 1).unwrap_err();
        assert_eq!(failure.kind, FailureKind::ReplyIsNotJson);
        assert!(failure.message.ends_with("(2 replies)"), "{failure}");
        assert_eq!(failure.output.unwrap().stdout, "never");
        let text = ChatRequest { format: ReplyForm::Text, ..request };
        let any = Replies(Mutex::new(vec!["no"]), Mutex::default());
        assert_eq!(chat_until_fit(&any, &text, &caller, 0).unwrap().tries.len(), 1);
    }
}
