//! The JSON that a server is sent.

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::super::config::JsonForm;
use super::super::provider::Asked;
use crate::base::ReplyFormat;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Json>,
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

/// The `response_format` of a request, none when nothing is said about it.
pub(super) fn response_format(form: JsonForm, wanted: &ReplyFormat) -> Option<Json> {
    let object = || json!({"type": "json_object"});
    match (form, wanted) {
        (_, ReplyFormat::Text) | (JsonForm::Nothing, _) => None,
        (_, ReplyFormat::Json) | (JsonForm::Object, _) => Some(object()),
        (JsonForm::JsonSchema, ReplyFormat::Schema(schema)) => {
            Some(json!({"type": "json_schema", "json_schema": {"name": "reply", "schema": **schema}}))
        }
        (JsonForm::Schema, ReplyFormat::Schema(schema)) => {
            Some(json!({"type": "json_object", "schema": **schema}))
        }
    }
}

/// The whole body of one try.
pub(super) fn body(asked: &Asked<'_>, form: JsonForm) -> Result<Vec<u8>, serde_json::Error> {
    let request = asked.request;
    let system = request.system.as_deref().map(|content| Message { role: "system", content });
    let user = Message { role: "user", content: &request.prompt };
    serde_json::to_vec(&Body {
        model: &asked.model.model,
        messages: system.into_iter().chain([user]).collect(),
        temperature: request.temperature,
        max_tokens: asked.max_tokens,
        seed: request.seed,
        response_format: response_format(form, &request.format),
        stream: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faculty::llm::config::ModelConfig;
    use crate::faculty::llm::request::{Caller, ChatRequest};
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn only_what_is_given_is_sent() {
        let mut request = ChatRequest::new("fast", "hello");
        let model = ModelConfig { model: Arc::from("small-8b"), ..ModelConfig::new("fast", "p") };
        let sent = |request: &ChatRequest, form| {
            let caller = Caller::default();
            let asked = Asked {
                request,
                model: &model,
                caller: &caller,
                max_tokens: request.max_tokens,
                time: Duration::MAX,
            };
            serde_json::from_slice::<Json>(&body(&asked, form).unwrap()).unwrap()
        };
        let user = json!({"role": "user", "content": "hello"});
        assert_eq!(
            sent(&request, JsonForm::Object),
            json!({"model": "small-8b", "messages": [user], "stream": false})
        );
        request.system = Some(Arc::from("be short"));
        (request.temperature, request.max_tokens, request.seed) = (Some(0.5), Some(7), Some(3));
        request.format = ReplyFormat::Schema(Arc::new(json!({"type": "object"})));
        let schema = json!({"type": "object"});
        for (form, wanted) in [
            (JsonForm::Object, json!({"type": "json_object"})),
            (JsonForm::Schema, json!({"type": "json_object", "schema": schema})),
            (
                JsonForm::JsonSchema,
                json!({"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}),
            ),
            (JsonForm::Nothing, Json::Null),
        ] {
            let body = sent(&request, form);
            assert_eq!(body.get("response_format").cloned().unwrap_or_default(), wanted);
            assert_eq!(body["messages"], json!([{"role": "system", "content": "be short"}, user]));
            assert_eq!(
                (&body["temperature"], &body["max_tokens"], &body["seed"]),
                (&json!(0.5), &json!(7), &json!(3))
            );
        }
    }
}
