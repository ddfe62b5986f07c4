//! What a server means by an answer that is an error: what kind it is, whether another try may help, what it says
//! (semantics spec, sections 14.1 and 14.8).

use std::time::Duration;

use serde_json::Value as Json;
use ureq::http::StatusCode;

use super::super::provider::{Again, Refused};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// An answer that is an error.
pub(super) struct Refusal<'a> {
    /// The model as our configuration names it.
    pub(super) model: &'a str,
    /// The provider.
    pub(super) provider: &'a str,
    pub(super) status: u16,
    pub(super) body: &'a str,
    /// The request said that the reply must be JSON.
    pub(super) formed: bool,
    pub(super) wait: Option<Duration>,
    /// Where a redirect points to.
    pub(super) location: Option<&'a str>,
    /// Takes the key out of a text.
    pub(super) clean: &'a dyn Fn(&str) -> String,
}

/// Words by which servers say that a prompt is too long.
const OVERFLOW: [&str; 11] = [
    "context_length_exceeded",
    "exceed_context_size",
    "maximum context length",
    "context length exceeded",
    "exceeds the available context",
    "exceeds the context",
    "context window",
    "context size",
    "prompt is too long",
    "input is too long",
    "too many tokens in",
];

/// Words by which servers say that they do not know the form of reply that was asked for.
const FORM: [&str; 7] = [
    "response_format",
    "response format",
    "json_schema",
    "json schema",
    "json_object",
    "grammar",
    "structured output",
];

impl Refusal<'_> {
    /// What it means.
    pub(super) fn read(&self) -> Refused {
        let json: Option<Json> = serde_json::from_str(self.body).ok();
        let said = json.as_ref().and_then(message).unwrap_or_else(|| plain(self.body));
        // The key goes out before the text is cut, or a part of it might stay.
        let shown = shorten((self.clean)(said.trim()).trim());
        let word = |key: &str| json.as_ref().and_then(|json| field(json, key)).map(str::to_ascii_lowercase);
        let (kind, code) = (word("type").unwrap_or_default(), word("code").unwrap_or_default());
        let lower = format!("{kind} {code} {}", said.to_lowercase());
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if (400..600).contains(&self.status) && self.status != 429 && has(&OVERFLOW) {
            return self.overflow(json.as_ref(), &shown);
        }
        if self.formed && matches!(self.status, 400 | 404 | 415 | 422 | 500 | 501) && has(&FORM) {
            let message =
                format!("the server of the model `{}` does not know the form of reply: {shown}", self.model);
            let failure =
                Failure::new(FailureKind::UnsupportedResponseFormat, message).with_help(self.form_help());
            return Refused { status: Some(self.status), ..Refused::always(failure) };
        }
        let validation = ["invalid_request", "validation", "bad_request", "badrequest"];
        let invalid =
            validation.iter().any(|word| kind.contains(word) || code.contains(word)) || code == "400";
        let unpaid = self.status == 402 || self.status == 429 && lower.contains("insufficient_quota");
        let again = match self.status {
            429 if unpaid => false,
            500 => !invalid,
            408 | 425 | 429 | 502 | 503 | 504 | 529 => true,
            _ => false,
        };
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let status = match reason {
            Some(reason) => format!("{} ({})", self.status, reason.to_lowercase()),
            None => self.status.to_string(),
        };
        let colon = if shown.is_empty() { "" } else { ": " };
        let message = format!("the server of the model `{}` answers {status}{colon}{shown}", self.model);
        let mut failure = Failure::new(FailureKind::ModelRefused, message);
        if let Some(help) = self.help(unpaid) {
            failure = failure.with_help(help);
        }
        let again = match (again, self.wait) {
            (false, _) => Again::No,
            (true, Some(wait)) => Again::After(wait),
            (true, None) => Again::Soon,
        };
        Refused { failure: Box::new(failure), status: Some(self.status), again, usage: None }
    }

    fn overflow(&self, json: Option<&Json>, shown: &str) -> Refused {
        let count = |key: &str| {
            let json = json?;
            json.get("error")
                .and_then(|error| error.get(key))
                .or_else(|| json.get(key))
                .and_then(Json::as_u64)
        };
        let message = match (count("n_prompt_tokens"), count("n_ctx")) {
            (Some(prompt), Some(context)) => format!(
                "the prompt is longer than the model `{}` takes: {prompt} tokens, its context has {context}",
                self.model
            ),
            _ => format!("the prompt is longer than the model `{}` takes: {shown}", self.model),
        };
        let help =
            "pass less to the step, split its input with a loop, or take a model with a longer context";
        let failure = Failure::new(FailureKind::ContextOverflow, message).with_help(help);
        Refused { status: Some(self.status), ..Refused::always(failure) }
    }

    fn form_help(&self) -> String {
        format!(
            "write `response_format = \"json_object\"`, `\"schema\"` or `\"none\"` in [providers.{}]",
            self.provider
        )
    }

    fn help(&self, unpaid: bool) -> Option<String> {
        let provider = self.provider;
        Some(match self.status {
            300..=399 => {
                let to = self.location.map(|to| shorten((self.clean)(to).trim()));
                let to = to.map_or(String::new(), |to| format!(" to `{to}`"));
                format!("its address moved{to}: write the new one as `base_url` of [providers.{provider}]")
            }
            400 | 422 => format!(
                "what it does not take may be `model`, `temperature` or `max_tokens` of [models.{}]",
                self.model
            ),
            402 | 429 if unpaid => {
                format!(
                    "the account at [providers.{provider}] has nothing left: add to it, or take another model"
                )
            }
            401 | 403 => format!(
                "is the key right? it is named by `api_key_env` or `api_key_file` of [providers.{provider}]"
            ),
            404 => format!(
                "does `base_url` of [providers.{provider}] end as the server wants it, often in `/v1`, and does it have the model?"
            ),
            413 => "pass less to the step, or split its input with a loop".to_owned(),
            429 => format!("set `requests_per_minute` or a smaller `concurrency` in [providers.{provider}]"),
            500 if self.formed => {
                format!("if it does not know how it is told to reply with JSON: {}", self.form_help())
            }
            500..=599 => {
                "the server has the trouble: look at its log, or go on later with `--resume`".to_owned()
            }
            _ => return None,
        })
    }
}

/// What a body that is JSON says, in the forms that servers have for it.
pub(super) fn message(json: &Json) -> Option<String> {
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let error = json.get("error");
    error
        .and_then(|error| error.get("message").and_then(text).or_else(|| text(error)))
        .or_else(|| json.get("message").and_then(text))
        .or_else(|| {
            let detail = json.get("detail")?;
            text(detail).or_else(|| detail.get(0)?.get("msg").and_then(text))
        })
        .or_else(|| text(json))
        .or_else(|| error.filter(|error| !error.is_null()).map(Json::to_string))
}

/// A word of an error, such as its `type`; numbers have none but `code`.
fn field<'j>(json: &'j Json, key: &str) -> Option<&'j str> {
    let inner = json.get("error").and_then(|error| error.get(key)).or_else(|| json.get(key))?;
    match inner {
        Json::String(text) => Some(text),
        Json::Number(number) if number.as_u64() == Some(400) => Some("400"),
        _ => None,
    }
}

/// A body that is no JSON: the text of a page, without its tags.
fn plain(body: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in body.chars().take(4096) {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, formed: bool) -> Refused {
        let clean = |text: &str| text.replace("canary", "[key]");
        Refusal {
            model: "m",
            provider: "p",
            status,
            body,
            formed,
            wait: None,
            location: Some("http://h/canary"),
            clean: &clean,
        }
        .read()
    }

    #[test]
    fn servers_say_the_same_thing_in_many_ways() {
        use FailureKind::{ContextOverflow, ModelRefused, UnsupportedResponseFormat};
        let overflow = r#"{"error":{"message":"This model's maximum context length is 4097 tokens.","code":"context_length_exceeded"}}"#;
        let llama = r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}"#;
        let form = r#"{"error":{"code":500,"message":"response_format type must be one of \"text\" or \"json_object\"","type":"server_error"}}"#;
        let invalid = r#"{"error":{"message":"messages: field required","type":"invalid_request_error"}}"#;
        let busy = r#"{"detail":"busy"}"#;
        let cases = [
            (400, overflow, false, ContextOverflow, false, "4097 tokens"),
            (400, llama, false, ContextOverflow, false, "5000 tokens, its context has 4096"),
            (413, "prompt is too long: 9 tokens", false, ContextOverflow, false, "9 tokens"),
            (413, "", false, ModelRefused, false, "413 (payload too large)"),
            (500, form, true, UnsupportedResponseFormat, false, "does not know the form of reply"),
            (500, form, false, ModelRefused, true, "500"),
            (
                400,
                "{\"message\": \"json_schema is not supported\"}",
                true,
                UnsupportedResponseFormat,
                false,
                "",
            ),
            (500, invalid, true, ModelRefused, false, "field required"),
            (500, "<html><b>Oh</b> no</html>", false, ModelRefused, true, "Oh no"),
            (503, busy, true, ModelRefused, true, "503 (service unavailable): busy"),
            (529, "", false, ModelRefused, true, "answers 529"),
            (
                429,
                "{\"error\":{\"message\":\"slow\",\"code\":\"insufficient_quota\"}}",
                false,
                ModelRefused,
                false,
                "slow",
            ),
            (
                429,
                "{\"error\":\"too many tokens in the context window per minute\"}",
                false,
                ModelRefused,
                true,
                "",
            ),
            (
                401,
                "{\"error\":{\"message\":\"bad key canary\"}}",
                false,
                ModelRefused,
                false,
                "bad key [key]",
            ),
            (422, "{\"detail\":[{\"msg\":\"no such field\"}]}", false, ModelRefused, false, "no such field"),
            (302, "", false, ModelRefused, false, "302 (found)"),
            (404, "a\u{1b}[31mb\nc", false, ModelRefused, false, "a\\u{1b}[31mb c"),
        ];
        for (status, body, formed, kind, again, words) in cases {
            let refused = read(status, body, formed);
            assert_eq!(refused.failure.kind, kind, "{status} {body}");
            assert_eq!(refused.again != Again::No, again, "{status} {body}");
            assert!(refused.failure.message.contains(words), "{status} {body}: {}", refused.failure);
            assert!(!format!("{:?}", refused.failure).contains("canary"), "{:?}", refused.failure);
            assert!(refused.failure.help.is_some(), "{status} {body}: what is to be done?");
            assert_eq!(refused.status, Some(status));
        }
    }

    #[test]
    fn a_key_at_the_edge_of_what_is_shown_is_taken_out_whole() {
        let body = format!("{}canary", "x".repeat(197));
        assert!(!read(400, &body, false).failure.message.contains("can"));
    }
}
