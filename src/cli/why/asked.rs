//! What the cells of a step asked models, people, scripts and programs for, and what they were told: the whole prompt
//! and the whole reply, as they were.

use std::fmt::Write as _;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::base::iso;
use crate::report::{call_text, model_json, place_text, plain_line, plain_text};
use crate::run::record::{Call, Left};

use super::find::{Asked, Exchange};

/// Arguments that are shown as they are, line by line, rather than as JSON.
const WHOLE: &[&str] = &["system", "prompt", "initial", "content", "code"];

/// The calls as lines.
pub(super) fn asked(out: &mut String, calls: &[Asked]) {
    if calls.is_empty() {
        return;
    }
    out.push_str("\nasked\n");
    for asked in calls {
        let place = asked.place();
        let left = if asked.counts { "" } else { ", for an earlier try" };
        let _ = write!(out, "  {}{left}: ", place_text(place));
        match &asked.what {
            Exchange::Call(call) => {
                let _ = writeln!(out, "{}", call_text(call));
                arguments(out, &call.args);
                answer(out, call);
            }
            Exchange::Open(question) => {
                let until = question.deadline().map(|d| format!(", until {}", iso(d))).unwrap_or_default();
                let _ = writeln!(out, "human.ask, open since {}{until}", iso(question.at));
                arguments(out, &question.question);
            }
        }
    }
}

fn arguments(out: &mut String, args: &JsonMap<String, Json>) {
    for (name, value) in args.iter().filter(|(_, value)| !value.is_null()) {
        match value.as_str() {
            Some(text) if WHOLE.contains(&name.as_str()) => block(out, name, text),
            _ => drop(writeln!(out, "    {}: {}", plain_line(name), plain_line(&value.to_string()))),
        }
    }
}

/// A text as it is, each line behind a bar.
fn block(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "    {} ({} bytes)", plain_line(name), text.len());
    for line in plain_text(text).split('\n') {
        let _ = writeln!(out, "    | {line}");
    }
}

fn answer(out: &mut String, call: &Call) {
    match &call.answer {
        Ok(answer) => block(out, "answer", &crate::base::text_of(&answer.value)),
        Err(failure) => {
            let _ =
                writeln!(out, "    failed: {}: {}", plain_line(&failure.kind), plain_line(&failure.message));
        }
    }
    if call.left == Left::Failed && call.answer.is_ok() {
        out.push_str("    the cell could do nothing with it and failed\n");
    }
}

/// A call as JSON.
pub(super) fn asked_json(asked: &Asked) -> Json {
    let place = asked.place();
    let head = json!({
        "record": asked.seq,
        "counts": asked.counts,
        "cell": place.cell,
        "call": place.number,
    });
    let mut fields = match head {
        Json::Object(fields) => fields,
        _ => JsonMap::new(),
    };
    let mut put = |name: &str, value: Json| drop(fields.insert(name.to_owned(), value));
    match &asked.what {
        Exchange::Call(call) => {
            put("method", call.method.as_str().into());
            put("args", Json::Object(call.args.clone()));
            put("digest", call.effect.to_string().into());
            put("at", iso(call.at).into());
            put("us", call.micros.into());
            match &call.answer {
                Ok(answer) => put("answer", answer.value.to_json()),
                Err(failure) => put("failed", json!({"kind": failure.kind, "message": failure.message})),
            }
            if let Some(used) = &call.model {
                put("model", model_json(used));
            }
        }
        Exchange::Open(question) => {
            put("method", "human.ask".into());
            put("args", Json::Object(question.question.clone()));
            put("digest", question.effect.to_string().into());
            put("at", iso(question.at).into());
            put("open", true.into());
            if let Some(deadline) = question.deadline() {
                put("deadline", iso(deadline).into());
            }
        }
    }
    Json::Object(fields)
}
