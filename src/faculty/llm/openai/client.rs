//! A provider that is spoken to as OpenAI is.

use std::time::{Duration, Instant, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use ureq::http::header::{AUTHORIZATION, HeaderName};
use ureq::http::{HeaderMap, HeaderValue};

use super::super::again::retry_after;
use super::super::certificates::certificates;
use super::super::config::{JsonForm, KeySource, ProviderConfig};
use super::super::http::{Answer, Broken, Ended, Http, Ways};
use super::super::provider::{Again, Asked, Provider, Refused, Said};
use super::super::request::{Usage, estimated_tokens};
use super::answer::{Completion, usage};
use super::body::{body, response_format};
use super::refusal::{Refusal, message};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind, Redactor, Secret};

/// A server of models.
pub(crate) struct OpenAi {
    http: Http,
    /// The whole address; never shown, for the environment may have put a key into it.
    url: String,
    headers: HeaderMap<HeaderValue>,
    /// Knows the key.
    redactor: Redactor,
    name: std::sync::Arc<str>,
    /// The address as it was written.
    written: std::sync::Arc<str>,
    json: JsonForm,
    body_limit: u64,
    connect: Duration,
}

impl OpenAi {
    /// A client for a provider.
    pub(crate) fn new(
        config: &ProviderConfig,
        url: &str,
        key: Option<SecretString>,
    ) -> Result<Self, Failure> {
        let mut headers = HeaderMap::new();
        let mut redactor = Redactor::default();
        if let Some(key) = &key {
            redactor = Redactor::new([Secret::new(key.expose_secret(), &origin(config))?])?;
            let mut value =
                HeaderValue::try_from(format!("Bearer {}", key.expose_secret())).map_err(|_| {
                    let message = format!("the key of the provider `{}` cannot be sent", config.name);
                    Failure::new(FailureKind::BadConfiguration, message)
                })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let connect = config.connect_timeout.min(config.timeout);
        let ways = Ways {
            connect,
            whole: config.timeout,
            kept: config.concurrency as usize,
            proxy: config.proxy,
            roots: config.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default(),
        };
        Ok(Self {
            http: Http::new(ways),
            url: format!("{url}/chat/completions"),
            headers,
            redactor,
            name: config.name.clone(),
            written: config
                .address
                .as_ref()
                .map_or_else(|| config.name.clone(), |address| address.written.clone()),
            json: config.json,
            body_limit: config.body_limit,
            connect,
        })
    }

    /// What a server says, without keys: those of the run, and those it tells of others.
    fn clean(&self, text: &str) -> String {
        self.redactor.redact_foreign(text).into_owned()
    }

    fn broken(&self, asked: &Asked<'_>, broken: Broken) -> Refused {
        let model = &asked.request.model;
        let help = format!("is it running? [providers.{}] says `base_url = \"{}\"`", self.name, self.written);
        // A server that took the request may have worked on it, and wants to be paid.
        let prompt =
            Usage { prompt_tokens: asked.request.prompt_tokens(), completion_tokens: 0, estimated: true };
        let (message, help, again, usage) = match broken {
            Broken::NoConnection(why) => {
                (format!("the server of the model `{model}` is not reached: {why}"), help, Again::Soon, None)
            }
            Broken::NotTrusted(why) => (
                format!("the server of the model `{model}` is not trusted: {}", shorten(&self.clean(&why))),
                format!(
                    "is `base_url` of [providers.{}] right? it is `{}`; a server with a certificate of its own wants \
                     `ca_file` there",
                    self.name, self.written
                ),
                Again::No,
                None,
            ),
            Broken::ConnectTimeout => (
                format!(
                    "the server of the model `{model}` takes no connection within {}",
                    span(self.connect)
                ),
                help,
                Again::Soon,
                None,
            ),
            Broken::Timeout => (
                format!("the server of the model `{model}` did not answer within {}", span(asked.time)),
                // Whose time it was: that of the step may be over before that of a try.
                match asked.caller.deadline {
                    Some(deadline) if Instant::now() >= deadline => {
                        "give the step more time: `| %{timeout}: SECONDS`".to_owned()
                    }
                    _ => format!("set a longer `timeout` in [providers.{}]", self.name),
                },
                Again::Soon,
                Some(prompt),
            ),
            Broken::Closed => (
                format!("the server of the model `{model}` closed the connection before its reply was whole"),
                help,
                Again::Soon,
                Some(prompt),
            ),
            Broken::NoHttp(why) => (
                format!("the server of the model `{model}` is not understood: {why}"),
                format!("is `base_url` of [providers.{}] right? it is `{}`", self.name, self.written),
                Again::No,
                None,
            ),
        };
        let failure = Failure::new(FailureKind::ModelUnreachable, message).with_help(help);
        Refused { failure: Box::new(failure), status: None, again, usage }
    }

    fn refused(&self, asked: &Asked<'_>, answer: Answer) -> Refused {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let wait =
            answer.retry_after.as_deref().and_then(|wait| retry_after(wait, answer.date.as_deref(), now));
        let status = answer.status;
        Refusal {
            model: &asked.request.model,
            provider: &self.name,
            status,
            location: answer.location.clone().as_deref(),
            body: &answer.error_text(),
            formed: response_format(self.json, &asked.request.format).is_some(),
            wait,
            clean: &|text| self.clean(text),
        }
        .read()
    }

    fn read(&self, asked: &Asked<'_>, answer: Answer) -> Result<Said, Refused> {
        let model = &asked.request.model;
        let status = answer.status;
        // What was read and cannot be used was made all the same.
        let paid = |completion_tokens| {
            let prompt_tokens = asked.request.prompt_tokens();
            Some(Usage { prompt_tokens, completion_tokens, estimated: true })
        };
        let failed = |failure: Failure| Refused {
            failure: Box::new(failure),
            status: Some(status),
            again: Again::No,
            usage: paid(0),
        };
        let too_large = || {
            let message =
                format!("the reply of the model `{model}` is larger than {}", size(self.body_limit));
            let help =
                format!("set a larger `body_limit` in [providers.{}], or a smaller `max_tokens`", self.name);
            failed(Failure::new(FailureKind::ReplyTooLarge, message).with_help(help))
        };
        if let Some(form) = &answer.encoding {
            let message = format!(
                "the reply of the model `{model}` is packed as `{}`, which was not asked for",
                shorten(&self.clean(form))
            );
            let help = format!(
                "let the server of [providers.{}], or the proxy before it, send replies as they are",
                self.name
            );
            return Err(failed(Failure::new(FailureKind::ReplyMalformed, message).with_help(help)));
        }
        let Some(mut reader) = answer.reader(self.body_limit) else {
            return Err(too_large());
        };
        let read = Completion::read(&mut reader);
        let complete = read.is_ok();
        let (ended, head) = reader.finish(complete || read.as_ref().is_err_and(|error| !error.is_eof()));
        let malformed = |why: &str| {
            let message = format!(
                "the reply of the model `{model}` is no chat completion: {}",
                shorten(&self.clean(why))
            );
            let head = self.clean(&head);
            let shown = match head.trim() {
                "" => String::new(),
                _ => format!("it begins with `{}`; ", shorten(&head)),
            };
            let help = format!(
                "{shown}does `base_url` of [providers.{}] name an OpenAI-compatible server?",
                self.name
            );
            failed(Failure::new(FailureKind::ReplyMalformed, message).with_help(help))
        };
        let completion = match (read, ended) {
            (Ok(completion), Ended::Whole) => completion,
            (_, Ended::TooLarge) => return Err(too_large()),
            (_, Ended::Broken(broken)) => {
                let broken = self.broken(asked, broken);
                return Err(Refused { status: Some(status), ..broken });
            }
            (Err(error), Ended::Whole) if error.is_eof() && head.trim().is_empty() => {
                return Err(malformed("it is empty"));
            }
            (Err(error), Ended::Whole) => return Err(malformed(&what(&error))),
        };
        let choice = completion.choices.unwrap_or_default();
        let replied = choice.message.is_some();
        let message_of = choice.message.unwrap_or_default();
        let counted = |text: &str| usage(completion.usage.as_ref(), || estimated_tokens(text));
        let refused = |said: &str, help: &str| {
            let said = shorten(self.clean(said).trim());
            let message = format!("the model `{model}` gives no reply: {said}");
            let failure = Failure::new(FailureKind::ModelRefused, message).with_help(help);
            Refused { usage: counted(""), ..failed(failure) }
        };
        let other = "say it otherwise in the prompt, or take another model";
        let text = match (message_of.content.0, completion.error.as_ref().filter(|error| !error.is_null())) {
            (None, Some(error)) => {
                let body = serde_json::json!({"error": error});
                // The status that a server behind the server had.
                let code = error.get("code").and_then(serde_json::Value::as_u64);
                if let Some(code) = code.and_then(|code| u16::try_from(code).ok())
                    && (400..600).contains(&code)
                {
                    let (model, provider, body) = (&**model, &*self.name, &*body.to_string());
                    let formed = response_format(self.json, &asked.request.format).is_some();
                    let (wait, location, clean) = (None, None, &|text: &str| self.clean(text));
                    return Err(Refusal {
                        model,
                        provider,
                        status: code,
                        body,
                        formed,
                        wait,
                        location,
                        clean,
                    }
                    .read());
                }
                let said = message(&body).unwrap_or_default();
                return Err(refused(&said, "it is what the server says: look at its log"));
            }
            (Some(text), _) => text,
            (None, None) => match (message_of.refusal, choice.finish_reason.as_deref()) {
                (Some(refusal), _) => return Err(refused(&refusal, other)),
                (None, Some("content_filter")) => {
                    return Err(refused("its filter held the reply back", other));
                }
                // All tokens went into what is not shown, such as reasoning.
                (None, Some("length")) => String::new(),
                (None, reason) if replied => {
                    let reason = reason.map_or(String::new(), |reason| {
                        format!(", and it ended with `{}`", shorten(&self.clean(reason)))
                    });
                    let message = format!(
                        "the reply of the model `{model}` has no text: its `content` is null{reason}"
                    );
                    let help = "a model that only reasons or calls tools gives no text: set a larger `max_tokens`, or \
                                take another model";
                    let failure = Failure::new(FailureKind::ReplyMalformed, message).with_help(help);
                    return Err(Refused { usage: counted("").or(paid(0)), ..failed(failure) });
                }
                (None, _) => return Err(malformed("it has no `choices[0].message.content`")),
            },
        };
        Ok(Said {
            usage: counted(&text),
            text,
            finish_reason: choice.finish_reason.map(|reason| shorten(&reason)),
            model: completion.model.map(|model| shorten(&self.clean(&model))),
            status: Some(status),
        })
    }
}

impl Provider for OpenAi {
    fn ask(&self, asked: &Asked<'_>) -> Result<Said, Refused> {
        let sent = body(asked, self.json).map_err(|error| {
            let message = format!("the request cannot be written as JSON: {error}");
            Refused::always(Failure::new(FailureKind::BadArguments, message))
        })?;
        let mut headers = self.headers.clone();
        if let Some(Ok(key)) = asked.caller.idempotency_key.as_deref().map(HeaderValue::from_str) {
            headers.insert(HeaderName::from_static("idempotency-key"), key);
        }
        let answer = self.http.post(&self.url, &headers, &sent, asked.time);
        drop(sent);
        match answer {
            Err(broken) => Err(self.broken(asked, broken)),
            Ok(answer) if (200..300).contains(&answer.status) => self.read(asked, answer),
            Ok(answer) => Err(self.refused(asked, answer)),
        }
    }

    fn shut(&self) {
        self.http.shut();
    }
}

/// Where a key comes from, for people.
fn origin(config: &ProviderConfig) -> String {
    match &config.key {
        Some(KeySource::Variable(name)) => format!("the environment variable `{name}`"),
        Some(KeySource::File(path)) => format!("the file `{}`", path.display()),
        _ => format!("the configuration of the provider `{}`", config.name),
    }
}

/// What is wrong with a body, without the value that is wrong: that may be long, and is shown elsewhere.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match error.classify() {
        serde_json::error::Category::Data => format!("it has another shape ({text})"),
        serde_json::error::Category::Eof => "its JSON ends too early".to_owned(),
        _ => format!("it is no JSON ({text})"),
    }
}

/// A number of bytes as people say it.
fn size(bytes: u64) -> String {
    match bytes {
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{} KiB", n >> 10),
        n => format!("{n} bytes"),
    }
}

/// A time as people say it.
fn span(time: Duration) -> String {
    match time.as_millis() {
        millis if millis % 1000 == 0 => format!("{} s", millis / 1000),
        millis if millis > 10_000 => format!("{} s", millis / 1000),
        millis => format!("{millis} ms"),
    }
}
