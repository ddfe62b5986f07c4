//! A question to a person as plain data, and its JSON form, which the journal keeps and a mailbox shows (semantics spec,
//! section 14.6). Knows neither who asks nor who answers.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::Value;

/// A question to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What kind of answer is wanted.
    pub kind: QuestionKind,
    /// What is asked.
    pub prompt: Arc<str>,
    /// The text to be edited, or what a chat shows first.
    pub initial: Option<Arc<str>>,
    /// What the person may take by saying nothing. Never taken without a person.
    pub default: Option<Value>,
    /// What an answer must fulfil.
    pub validation: Option<Validation>,
}

/// What kind of answer a question wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuestionKind {
    /// A text: `text`.
    Text,
    /// Yes or no: `confirm`.
    Confirm,
    /// A changed text: `edit`.
    Edit,
    /// One of these: `choose`.
    Choose(Vec<Arc<str>>),
    /// Paths of files, as a list: `files`.
    Files,
    /// The next message of a conversation: `chat`.
    Chat,
    /// Nothing: a message that is shown, `say`; answered by whoever shows it.
    Say,
    /// Nothing: the conversation ends, `close`; answered by whoever shows it.
    Close,
}

/// What an answer must fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validation {
    /// It is the path of a file that exists; with the words for an answer that is not.
    FileExists(Option<Arc<str>>),
    /// It is not empty.
    NotEmpty,
    /// It matches a regular expression, anchored at both ends.
    Pattern(Arc<str>),
}

impl Question {
    /// A question for a text.
    pub fn text(prompt: impl Into<Arc<str>>) -> Self {
        Self::of(QuestionKind::Text, prompt)
    }

    /// A question of a kind, with nothing beside its prompt.
    pub fn of(kind: QuestionKind, prompt: impl Into<Arc<str>>) -> Self {
        Self { kind, prompt: prompt.into(), initial: None, default: None, validation: None }
    }

    /// Its JSON form.
    pub fn to_json(&self) -> JsonMap<String, Json> {
        let mut map = JsonMap::new();
        let mut put = |key: &str, value: Json| drop(map.insert(key.to_owned(), value));
        put("kind", Json::from(self.kind.word()));
        put("prompt", Json::from(&*self.prompt));
        if let QuestionKind::Choose(options) = &self.kind {
            put("options", options.iter().map(|o| Json::from(&**o)).collect());
        }
        if let Some(initial) = &self.initial {
            put("initial", Json::from(&**initial));
        }
        if let Some(default) = &self.default {
            put("default", default.to_json());
        }
        if let Some(validation) = &self.validation {
            put("validation", validation.to_json());
        }
        map
    }

    /// Reads its JSON form; none when it is not one. Fields it does not know are passed over.
    pub fn from_json(map: &JsonMap<String, Json>) -> Option<Self> {
        let text = |key: &str| map.get(key).and_then(Json::as_str).map(Arc::<str>::from);
        let validation = match map.get("validation").and_then(Json::as_object) {
            Some(written) if !written.is_empty() => Some(Validation::from_json(written)?),
            _ => None,
        };
        Some(Self {
            kind: QuestionKind::from_json(map)?,
            prompt: text("prompt")?,
            initial: text("initial"),
            default: map.get("default").map(Value::from_data_json),
            validation,
        })
    }
}

impl QuestionKind {
    /// Its stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Confirm => "confirm",
            Self::Edit => "edit",
            Self::Choose(_) => "choose",
            Self::Files => "files",
            Self::Chat => "chat",
            Self::Say => "say",
            Self::Close => "close",
        }
    }

    /// Returns whether nobody has to answer: the message is shown, and that is all.
    pub fn is_message(&self) -> bool {
        matches!(self, Self::Say | Self::Close)
    }

    fn from_json(map: &JsonMap<String, Json>) -> Option<Self> {
        let options = || {
            let list = map.get("options")?.as_array()?;
            list.iter().map(|o| o.as_str().map(Arc::from)).collect::<Option<Vec<Arc<str>>>>()
        };
        Some(match map.get("kind")?.as_str()? {
            "text" => Self::Text,
            "confirm" => Self::Confirm,
            "edit" => Self::Edit,
            "choose" => Self::Choose(options()?),
            "files" => Self::Files,
            "chat" => Self::Chat,
            "say" => Self::Say,
            "close" => Self::Close,
            _ => return None,
        })
    }
}

impl Validation {
    fn to_json(&self) -> Json {
        let (key, value) = match self {
            Self::FileExists(words) => ("file_exists", words.as_deref().map_or(Json::Bool(true), Json::from)),
            Self::NotEmpty => ("not_empty", Json::Bool(true)),
            Self::Pattern(pattern) => ("pattern", Json::from(&**pattern)),
        };
        Json::Object([(key.to_owned(), value)].into_iter().collect())
    }

    fn from_json(map: &JsonMap<String, Json>) -> Option<Self> {
        let (key, value) = map.iter().next()?;
        match key.as_str() {
            "file_exists" => Some(Self::FileExists(value.as_str().map(Arc::from))),
            "not_empty" => Some(Self::NotEmpty),
            "pattern" => Some(Self::Pattern(Arc::from(value.as_str()?))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_come_back_as_they_were() {
        let full = |kind, validation| Question {
            kind,
            prompt: Arc::from("well?"),
            initial: Some(Arc::from("so far")),
            default: Some(Value::text("a")),
            validation: Some(validation),
        };
        let choice = QuestionKind::Choose(vec![Arc::from("a"), Arc::from("b")]);
        for question in [
            Question::text("what?"),
            full(choice, Validation::Pattern(Arc::from("a|b"))),
            full(QuestionKind::Files, Validation::FileExists(Some(Arc::from("no such file")))),
            full(QuestionKind::Edit, Validation::FileExists(None)),
            full(QuestionKind::Chat, Validation::NotEmpty),
        ] {
            assert_eq!(Question::from_json(&question.to_json()), Some(question));
        }
    }

    #[test]
    fn what_is_no_question_is_not_read() {
        for text in [
            r#"{"prompt": "no kind"}"#,
            r#"{"kind": "text"}"#,
            r#"{"kind": "shout", "prompt": ""}"#,
            r#"{"kind": "choose", "prompt": ""}"#,
            r#"{"kind": "choose", "prompt": "", "options": [1]}"#,
            r#"{"kind": "text", "prompt": "", "validation": {"age": 3}}"#,
        ] {
            let map: JsonMap<String, Json> = serde_json::from_str(text).unwrap();
            assert_eq!(Question::from_json(&map), None, "{text}");
        }
    }
}
