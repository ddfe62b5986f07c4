//! One recording: what is the same call, and the line it is written as. Knows no file.
//!
//! A line is one JSON object. The request stands in it as it was asked, so that a person can read the prompt and a diff
//! can be shown; its hash is computed again when the line is read, so a request that was edited by hand is noticed. The
//! reply may be edited.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::super::request::{Caller, ChatReply, ChatRequest, Usage};
use super::fields::{Fields, Problem};
use super::settings::Resolved;
use crate::base::{Digest, ReplyFormat};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind, Redactor};

/// The version of the lines, and of what makes two calls the same.
pub(super) const VERSION: u64 = 1;

/// Who asked: for people, not part of what is the same call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) step: Arc<str>,
    pub(super) cell: u32,
}

impl Place {
    pub(super) fn of(caller: &Caller) -> Self {
        Self { step: Arc::clone(&caller.step), cell: caller.cell }
    }

    /// `step 1.2[3], cell 1`: people count from 1.
    pub(super) fn described(&self) -> String {
        format!("step {}, cell {}", shorten(&self.step), u64::from(self.cell) + 1)
    }
}

/// A call, as it is looked for and written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) asked: Resolved,
    /// How many calls of the same cell came before.
    pub(super) occurrence: u32,
}

impl Call {
    /// The call with every text free of secrets: what is hashed is what can be read.
    pub(super) fn new(asked: Resolved, occurrence: u32, redactor: &Redactor) -> Self {
        if redactor.is_empty() {
            return Self { asked, occurrence };
        }
        let Resolved { provider, mut request } = asked;
        let clean = |text: &Arc<str>| Arc::<str>::from(redactor.redact(text));
        request.model = clean(&request.model);
        request.prompt = clean(&request.prompt);
        request.system = request.system.as_ref().map(clean);
        if let ReplyFormat::Schema(schema) = &mut request.format {
            redactor.redact_json(Arc::make_mut(schema));
        }
        Self { asked: Resolved { provider, request }, occurrence }
    }

    /// What tells this call from every other one.
    pub(super) fn key(&self) -> Digest {
        let text = format!("{}\n{}", Json::Object(self.to_json()), self.occurrence);
        Digest::of(text.as_bytes())
    }

    /// The request in its one form: fields in this order, those without a value left out. The order within a schema is
    /// kept: it is part of what a model sees.
    fn to_json(&self) -> JsonMap<String, Json> {
        let Resolved { provider, request } = &self.asked;
        let mut map = JsonMap::new();
        let mut put = |name: &str, value: Json| drop(map.insert(name.to_owned(), value));
        put("provider", Json::from(&**provider));
        put("model", Json::from(&*request.model));
        if let Some(system) = &request.system {
            put("system", Json::from(&**system));
        }
        put("prompt", Json::from(&*request.prompt));
        if let Some(temperature) = request.temperature.filter(|t| t.is_finite()) {
            put("temperature", Json::from(temperature));
        }
        if let Some(max_tokens) = request.max_tokens {
            put("max_tokens", Json::from(max_tokens));
        }
        if let Some(seed) = request.seed {
            put("seed", Json::from(seed));
        }
        match &request.format {
            ReplyFormat::Text => {}
            ReplyFormat::Json => put("format", Json::from("json")),
            ReplyFormat::Schema(schema) => {
                put("format", Json::from("schema"));
                put("schema", (**schema).clone());
            }
        }
        map
    }

    fn read(fields: &mut Fields, occurrence: u32) -> Result<Self, Problem> {
        let provider = fields.text("provider")?;
        let model = fields.text("model")?;
        let format = match fields.optional_text("format")?.as_deref() {
            None => ReplyFormat::Text,
            Some("json") => ReplyFormat::Json,
            Some("schema") => ReplyFormat::Schema(Arc::new(fields.any("schema")?)),
            Some(other) => return Err(format!("`{}` is no format of a reply", shorten(other))),
        };
        let request = ChatRequest {
            system: fields.optional_text("system")?,
            prompt: fields.text("prompt")?,
            temperature: fields.optional("temperature", "a number", Json::as_f64)?,
            max_tokens: fields
                .optional("max_tokens", "a whole number", |v| u32::try_from(v.as_u64()?).ok())?,
            seed: fields.optional("seed", "a whole number", Json::as_u64)?,
            format,
            model,
        };
        Ok(Self { asked: Resolved { provider, request }, occurrence })
    }

    /// The settings that are not the messages, each with its value in words.
    pub(super) fn settings(&self) -> [(&'static str, String); 7] {
        let Resolved { provider, request } = &self.asked;
        fn or_none<T: ToString>(value: Option<T>) -> String {
            value.map_or_else(|| "none".to_owned(), |v| v.to_string())
        }
        let format = match &request.format {
            ReplyFormat::Text => "text".to_owned(),
            ReplyFormat::Json => "json".to_owned(),
            ReplyFormat::Schema(schema) => format!("schema {schema}"),
        };
        [
            ("provider", provider.to_string()),
            ("model", request.model.to_string()),
            ("temperature", or_none(request.temperature)),
            ("max_tokens", or_none(request.max_tokens)),
            ("seed", or_none(request.seed)),
            ("format", format),
            ("occurrence", self.occurrence.to_string()),
        ]
    }
}

/// What was replied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) text: Arc<str>,
    pub(super) finish_reason: Option<Arc<str>>,
    /// The model that answered.
    pub(super) model: Arc<str>,
    pub(super) usage: Usage,
}

impl Reply {
    /// What is kept of a reply: nothing that differs from run to run.
    pub(super) fn of(reply: &ChatReply) -> Self {
        Self {
            text: Arc::clone(&reply.text),
            finish_reason: reply.finish_reason.clone(),
            model: Arc::clone(&reply.model),
            usage: reply.usage,
        }
    }

    /// The reply when it is replayed: no tries were made for it, and it took no time.
    pub(super) fn replayed(&self) -> ChatReply {
        ChatReply {
            text: Arc::clone(&self.text),
            finish_reason: self.finish_reason.clone(),
            model: Arc::clone(&self.model),
            usage: self.usage,
            tries: Vec::new(),
            millis: 0,
            replayed: true,
        }
    }

    fn to_json(&self) -> JsonMap<String, Json> {
        let mut map = JsonMap::new();
        map.insert("text".to_owned(), Json::from(&*self.text));
        if let Some(reason) = &self.finish_reason {
            map.insert("finish_reason".to_owned(), Json::from(&**reason));
        }
        map.insert("model".to_owned(), Json::from(&*self.model));
        let mut usage = JsonMap::new();
        usage.insert("prompt_tokens".to_owned(), Json::from(self.usage.prompt_tokens));
        usage.insert("completion_tokens".to_owned(), Json::from(self.usage.completion_tokens));
        if self.usage.estimated {
            usage.insert("estimated".to_owned(), Json::Bool(true));
        }
        map.insert("usage".to_owned(), Json::Object(usage));
        map
    }

    fn read(fields: &mut Fields) -> Result<Self, Problem> {
        let mut usage = fields.object("usage")?;
        let reply = Self {
            text: fields.text("text")?,
            finish_reason: fields.optional_text("finish_reason")?,
            model: fields.text("model")?,
            usage: Usage {
                prompt_tokens: usage.number("prompt_tokens")?,
                completion_tokens: usage.number("completion_tokens")?,
                estimated: usage.optional("estimated", "true or false", Json::as_bool)?.unwrap_or(false),
            },
        };
        usage.end()?;
        Ok(reply)
    }
}

/// One recording.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) call: Call,
    pub(super) reply: Reply,
}

impl Record {
    /// The line, with its end.
    pub(super) fn line(&self, key: Digest) -> String {
        let mut map = JsonMap::new();
        map.insert("cassette".to_owned(), Json::from(VERSION));
        map.insert("key".to_owned(), Json::from(key.to_string()));
        map.insert("step".to_owned(), Json::from(&*self.place.step));
        map.insert("cell".to_owned(), Json::from(self.place.cell));
        map.insert("occurrence".to_owned(), Json::from(self.call.occurrence));
        map.insert("request".to_owned(), Json::Object(self.call.to_json()));
        map.insert("reply".to_owned(), Json::Object(self.reply.to_json()));
        let mut line = Json::Object(map).to_string();
        line.push('\n');
        line
    }

    /// Reads a line.
    pub(super) fn read(line: &str) -> Result<(Digest, Self), Unread> {
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
            return Err(Unread::Bad {
                what: "a merge left its mark".to_owned(),
                help: "delete the lines with marks and keep all the others".to_owned(),
            });
        }
        let bad = |what: Problem| Unread::Bad {
            what,
            help: "delete the line: its call is recorded again with `--cassette auto`".to_owned(),
        };
        let json: Json = serde_json::from_str(line).map_err(|error| bad(format!("no JSON, {error}")))?;
        let Json::Object(map) = json else { return Err(bad("no JSON object".to_owned())) };
        let mut fields = Fields::new("a recording", map);
        let version = fields.number("cassette").map_err(bad)?;
        if version > VERSION {
            return Err(Unread::Newer(version));
        }
        let (key, record) = Self::from_fields(fields).map_err(bad)?;
        if record.call.key() != key {
            return Err(Unread::Bad {
                what: "its key is not that of its request".to_owned(),
                help:
                    "undo what was changed in the request, or delete the line; only the reply may be edited"
                        .to_owned(),
            });
        }
        Ok((key, record))
    }

    fn from_fields(mut fields: Fields) -> Result<(Digest, Self), Problem> {
        let key: Digest = fields.text("key")?.parse().map_err(|error| format!("{error}"))?;
        let whole = |v: &Json| u32::try_from(v.as_u64()?).ok();
        let small = |fields: &mut Fields, name| {
            fields.optional(name, "a whole number", whole)?.ok_or_else(|| format!("it has no `{name}`"))
        };
        let place = Place { step: fields.text("step")?, cell: small(&mut fields, "cell")? };
        let occurrence = small(&mut fields, "occurrence")?;
        let mut request = fields.object("request")?;
        let call = Call::read(&mut request, occurrence)?;
        request.end()?;
        let mut answer = fields.object("reply")?;
        let reply = Reply::read(&mut answer)?;
        answer.end()?;
        fields.end()?;
        Ok((key, Self { place, call, reply }))
    }
}

/// A recording must be readable again, which a schema that is nested too deep would not be.
pub(super) fn check_depth(call: &Call) -> Result<(), Failure> {
    let ReplyFormat::Schema(schema) = &call.asked.request.format else { return Ok(()) };
    // Two objects stand around it.
    let deepest = 120;
    let mut level: Vec<&Json> = vec![&**schema];
    for _ in 0..deepest {
        level = level
            .into_iter()
            .flat_map(|value| -> Box<dyn Iterator<Item = &Json>> {
                match value {
                    Json::Array(items) => Box::new(items.iter()),
                    Json::Object(map) => Box::new(map.values()),
                    _ => Box::new(std::iter::empty()),
                }
            })
            .collect();
        if level.is_empty() {
            return Ok(());
        }
    }
    let message = format!("a schema nested deeper than {deepest} levels cannot be recorded");
    Err(Failure::new(FailureKind::BadConfiguration, message)
        .with_help("make the schema flatter, or run without a cassette"))
}

/// Why a line is no recording.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is of a later version.
    Newer(u64),
    /// It is damaged.
    Bad {
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::settings::{AsAsked, Resolve};
    use super::*;
    use crate::faculty::Secret;

    pub(in super::super) fn record(prompt: &str) -> Record {
        let request = ChatRequest {
            system: Some("be short".into()),
            temperature: Some(0.5),
            max_tokens: Some(100),
            ..ChatRequest::new("small", prompt)
        };
        Record {
            place: Place { step: "1.2".into(), cell: 0 },
            call: Call { asked: Resolved { provider: "openai".into(), request }, occurrence: 0 },
            reply: Reply {
                text: "a\nreply".into(),
                finish_reason: Some("stop".into()),
                model: "small-8b".into(),
                usage: Usage { prompt_tokens: 7, completion_tokens: 2, estimated: false },
            },
        }
    }

    fn problem(line: &str) -> String {
        match Record::read(line).unwrap_err() {
            Unread::Newer(version) => format!("newer {version}"),
            Unread::Bad { what, help } => {
                assert!(!help.is_empty());
                what
            }
        }
    }

    /// The form of the file is a promise: recordings stay readable.
    #[test]
    fn a_line_is_as_it_always_was() {
        let record = record("hello");
        let line = record.line(record.call.key());
        assert_eq!(
            line,
            concat!(
                r#"{"cassette":1,"key":"KEY","step":"1.2","cell":0,"occurrence":0,"#,
                r#""request":{"provider":"openai","model":"small","system":"be short","prompt":"hello","#,
                r#""temperature":0.5,"max_tokens":100},"reply":{"text":"a\nreply","finish_reason":"stop","#,
                r#""model":"small-8b","usage":{"prompt_tokens":7,"completion_tokens":2}}}"#,
                "\n"
            )
            .replace("KEY", &record.call.key().to_string())
        );
        assert_eq!(Record::read(&line).unwrap(), (record.call.key(), record));
    }

    #[test]
    fn everything_a_provider_sees_makes_another_call() {
        let plain = record("p").call;
        let request = &plain.asked.request;
        let other =
            |request: ChatRequest| Call { asked: Resolved { request, ..plain.asked.clone() }, ..plain };
        let schema = |text: &str| ReplyFormat::Schema(Arc::new(serde_json::from_str(text).unwrap()));
        let calls = [
            plain.clone(),
            Call { occurrence: 1, ..plain.clone() },
            Call { asked: Resolved { provider: "other".into(), ..plain.asked.clone() }, ..plain.clone() },
            other(ChatRequest { model: "large".into(), ..request.clone() }),
            other(ChatRequest { prompt: "q".into(), ..request.clone() }),
            other(ChatRequest { system: None, ..request.clone() }),
            other(ChatRequest { system: Some("".into()), ..request.clone() }),
            other(ChatRequest { temperature: None, ..request.clone() }),
            other(ChatRequest { temperature: Some(0.0), ..request.clone() }),
            other(ChatRequest { max_tokens: None, ..request.clone() }),
            other(ChatRequest { seed: Some(0), ..request.clone() }),
            other(ChatRequest { format: ReplyFormat::Json, ..request.clone() }),
            other(ChatRequest { format: schema(r#"{"a":1,"b":2}"#), ..request.clone() }),
            other(ChatRequest { format: schema(r#"{"b":2,"a":1}"#), ..request.clone() }),
        ];
        for (i, a) in calls.iter().enumerate() {
            for (j, b) in calls.iter().enumerate() {
                assert_eq!(a.key() == b.key(), i == j, "{i} {j}");
            }
        }
    }

    #[test]
    fn damaged_lines_say_what_is_wrong() {
        let record = record("hello");
        let good: Json = serde_json::from_str(&record.line(record.call.key())).unwrap();
        let changed = |change: &dyn Fn(&mut Json)| {
            let mut json = good.clone();
            change(&mut json);
            problem(&json.to_string())
        };
        assert!(problem("{").starts_with("no JSON, "));
        assert_eq!(problem("[]"), "no JSON object");
        assert_eq!(problem("<<<<<<< HEAD"), "a merge left its mark");
        assert_eq!(problem("{}"), "a recording has no `cassette`");
        assert_eq!(changed(&|j| j["cassette"] = json!(2)), "newer 2");
        assert_eq!(
            changed(&|j| j["cassette"] = json!("1")),
            "`cassette` must be a whole number, this is `\"1\"`"
        );
        assert!(changed(&|j| j["key"] = json!("00")).contains("64 hexadecimal digits"));
        assert_eq!(changed(&|j| j["cell"] = json!(-1)), "`cell` must be a whole number, this is `-1`");
        assert_eq!(
            changed(&|j| j["cell"] = json!(1_u64 << 32)),
            "`cell` must be a whole number, this is `4294967296`"
        );
        assert_eq!(changed(&|j| j["reply"] = json!("hi")), "`reply` must be an object, this is `\"hi\"`");
        assert_eq!(changed(&|j| j["headers"] = json!({})), "a recording has the unknown field `headers`");
        assert_eq!(changed(&|j| j["reply"]["note"] = json!(1)), "its reply has the unknown field `note`");
        assert_eq!(changed(&|j| j["request"]["prompt"] = json!("hi")), "its key is not that of its request");
        assert_eq!(changed(&|j| j["request"]["format"] = json!("xml")), "`xml` is no format of a reply");
        let misspelt = changed(&|j| {
            let text = j["reply"].as_object_mut().unwrap().shift_remove("text").unwrap();
            j["reply"]["texts"] = text;
        });
        assert_eq!(misspelt, "its reply has no `text` but `texts`");
        let mut edited = good.clone();
        edited["reply"]["text"] = json!("better");
        assert_eq!(&*Record::read(&edited.to_string()).unwrap().1.reply.text, "better");
    }

    #[test]
    fn secrets_are_neither_hashed_nor_written() {
        let redactor = Redactor::new([Secret::new("sk-123456", &"a test").ok().unwrap()]).unwrap();
        let request = ChatRequest {
            system: Some("key sk-123456".into()),
            format: ReplyFormat::Schema(Arc::new(json!({"const": "sk-123456"}))),
            ..ChatRequest::new("m", "use sk-123456")
        };
        let call = |request| Call::new(AsAsked.resolve(request).unwrap(), 0, &redactor);
        let clean = ChatRequest {
            system: Some("key [redacted]".into()),
            prompt: "use [redacted]".into(),
            format: ReplyFormat::Schema(Arc::new(json!({"const": "[redacted]"}))),
            ..request.clone()
        };
        assert_eq!(call(&request).key(), call(&clean).key());
        let record = Record { call: call(&request), ..record("") };
        assert!(!record.line(record.call.key()).contains("123456"));
    }

    #[test]
    fn what_could_not_be_read_again_is_not_recorded() {
        let nested = |depth: usize| {
            let mut schema = json!(1);
            for _ in 0..depth {
                schema = json!([schema]);
            }
            let mut record = record("p");
            record.call.asked.request.format = ReplyFormat::Schema(Arc::new(schema));
            record
        };
        for depth in [0, 1, 100, 119] {
            let record = nested(depth);
            assert!(check_depth(&record.call).is_ok());
            assert!(Record::read(&record.line(record.call.key())).is_ok(), "{depth}");
        }
        assert!(check_depth(&nested(120).call).is_err());
        assert!(check_depth(&nested(1000).call).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_line_is_read_as_it_was_written(
            (prompt, system, text) in (".{0,40}", prop::option::of("(?s).{0,10}"), "(?s).{0,40}"),
            (temperature, max_tokens, seed) in (prop::option::of(0.0..2.0_f64), any::<Option<u32>>(), any::<Option<u64>>()),
            (step, cell, occurrence, tokens) in (".{0,8}", any::<u32>(), any::<u32>(), any::<u64>()),
        ) {
            let mut record = record(&prompt);
            record.place = Place { step: step.into(), cell };
            record.call.occurrence = occurrence;
            let request = &mut record.call.asked.request;
            request.system = system.map(Arc::from);
            (request.temperature, request.max_tokens, request.seed) = (temperature, max_tokens, seed);
            record.reply.text = text.into();
            record.reply.usage = Usage { prompt_tokens: tokens, completion_tokens: 0, estimated: true };
            let key = record.call.key();
            let line = record.line(key);
            prop_assert_eq!(line.lines().count(), 1);
            let (read_key, read) = Record::read(&line).unwrap();
            prop_assert_eq!(read_key, key);
            prop_assert_eq!(&read, &record);
            prop_assert_eq!(read.line(key), line);
        }
    }
}
