//! A question as it is put to people, with the step it comes from, as plain data. Knows no step and no journal.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::Value;

/// An answer: the id of the question, and the answer as data, which fits the question.
pub type Given = (Arc<str>, Value);

/// A question that waits for a person (semantics spec, section 14.6).
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// What people call it: the step, and which of its questions when it has several, such as `1.2.3[4]#2`.
    pub id: Arc<str>,
    /// The step, such as `1.2.3[4]`.
    pub step: Arc<str>,
    /// The concept it infers.
    pub concept: Arc<str>,
    /// Which cell, as names of axes and positions from 0.
    pub cell: Vec<(String, usize)>,
    /// When it was asked, in milliseconds since 1970.
    pub asked_at: u64,
    /// What kind of answer is wanted.
    pub kind: Kind,
    /// What is asked.
    pub prompt: Arc<str>,
    /// The text to be edited.
    pub initial: Option<Arc<str>>,
    /// What a person may take by saying nothing. Never taken without a person.
    pub default: Option<Value>,
    /// What an answer must fulfil.
    pub validation: Option<Validation>,
}

/// What kind of answer a question wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// Yes or no.
    Confirm,
    /// A changed text.
    Edit,
    /// One of these.
    Choose(Vec<Arc<str>>),
    /// Paths of files, as a list.
    Files,
    /// The next message of a conversation.
    Chat,
    /// Nothing: a message that is shown.
    Say,
    /// Nothing: the conversation ends.
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

impl Kind {
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
}

impl Posted {
    /// The options of a choice; none for everything else.
    pub fn options(&self) -> &[Arc<str>] {
        match &self.kind {
            Kind::Choose(options) => options,
            _ => &[],
        }
    }

    /// Which cell of the step and which of its questions, from 1: what stands behind the `#` of the id.
    pub fn number(&self) -> (usize, usize) {
        let Some((_, number)) = self.id.split_once('#') else { return (1, 1) };
        let (cell, question) = number.split_once('.').unwrap_or((number, "1"));
        (cell.parse().unwrap_or(1), question.parse().unwrap_or(1))
    }

    /// The flow index of the step: the step without its loop position.
    pub fn flow(&self) -> &str {
        self.step.split('[').next().unwrap_or_default()
    }

    /// The step, its concept and its cell in one line: `1.2[3] {answer}, cell row=1`; positions are counted from 0.
    pub fn place(&self) -> String {
        let mut text = format!("{} {}", self.id, self.concept);
        for (at, (axis, position)) in self.cell.iter().enumerate() {
            text.push_str(if at == 0 { ", cell " } else { ", " });
            text.push_str(&format!("{axis}={position}"));
        }
        text
    }

    /// Its JSON form: `id`, `step`, `concept`, `cell`, `asked_at`, and the question itself as the journal has it.
    pub fn to_json(&self) -> JsonMap<String, Json> {
        let mut map = JsonMap::new();
        let mut put = |key: &str, value: Json| drop(map.insert(key.to_owned(), value));
        put("id", Json::from(&*self.id));
        put("step", Json::from(&*self.step));
        put("concept", Json::from(&*self.concept));
        let cell = self.cell.iter().map(|(axis, at)| (axis.clone(), Json::from(*at)));
        put("cell", Json::Object(cell.collect()));
        put("asked_at", Json::from(self.asked_at));
        put("kind", Json::from(self.kind.word()));
        put("prompt", Json::from(&*self.prompt));
        if let Kind::Choose(options) = &self.kind {
            put("options", options.iter().map(|o| Json::from(&**o)).collect());
        }
        if let Some(initial) = &self.initial {
            put("initial", Json::from(&**initial));
        }
        if let Some(default) = &self.default {
            put("default", default.to_json());
        }
        if let Some(validation) = &self.validation {
            let (key, value) = match validation {
                Validation::FileExists(words) => {
                    ("file_exists", words.as_deref().map_or(Json::Bool(true), Json::from))
                }
                Validation::NotEmpty => ("not_empty", Json::Bool(true)),
                Validation::Pattern(pattern) => ("pattern", Json::from(&**pattern)),
            };
            put("validation", Json::Object([(key.to_owned(), value)].into_iter().collect()));
        }
        map
    }

    /// Reads its JSON form; none when it is not one. Fields it does not know are passed over.
    pub fn from_json(map: &JsonMap<String, Json>) -> Option<Self> {
        let text = |key: &str| map.get(key).and_then(Json::as_str).map(Arc::<str>::from);
        let options = || {
            let list = map.get("options")?.as_array()?;
            list.iter().map(|o| o.as_str().map(Arc::from)).collect::<Option<Vec<Arc<str>>>>()
        };
        let kind = match map.get("kind")?.as_str()? {
            "text" => Kind::Text,
            "confirm" => Kind::Confirm,
            "edit" => Kind::Edit,
            "choose" => Kind::Choose(options()?),
            "files" => Kind::Files,
            "chat" => Kind::Chat,
            "say" => Kind::Say,
            "close" => Kind::Close,
            _ => return None,
        };
        let validation = match map.get("validation").and_then(Json::as_object).and_then(|v| v.iter().next()) {
            None => None,
            Some((key, value)) => Some(match key.as_str() {
                "file_exists" => Validation::FileExists(value.as_str().map(Arc::from)),
                "not_empty" => Validation::NotEmpty,
                "pattern" => Validation::Pattern(Arc::from(value.as_str()?)),
                _ => return None,
            }),
        };
        let cell = map.get("cell").and_then(Json::as_object).into_iter().flatten();
        let cell = cell.map(|(axis, at)| Some((axis.clone(), usize::try_from(at.as_u64()?).ok()?)));
        Some(Self {
            id: text("id")?,
            step: text("step")?,
            concept: text("concept")?,
            cell: cell.collect::<Option<_>>()?,
            asked_at: map.get("asked_at").and_then(Json::as_u64).unwrap_or_default(),
            kind,
            prompt: text("prompt")?,
            initial: text("initial"),
            default: map.get("default").map(Value::from_data_json),
            validation,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A question of a step, for tests.
    pub(in super::super) fn question(id: &str, kind: Kind) -> Posted {
        let step = id.split('#').next().unwrap();
        Posted {
            id: Arc::from(id),
            step: Arc::from(step),
            concept: Arc::from("{answer}"),
            cell: Vec::new(),
            asked_at: 0,
            kind,
            prompt: Arc::from("well?"),
            initial: None,
            default: None,
            validation: None,
        }
    }

    #[test]
    fn questions_come_back_as_they_were() {
        let plain = question("1.2[3,4]#2.3", Kind::Text);
        let full = Posted {
            cell: vec![("row".to_owned(), 2), ("column".to_owned(), 0)],
            asked_at: 17,
            initial: Some(Arc::from("so far")),
            default: Some(Value::text("b")),
            validation: Some(Validation::Pattern(Arc::from("a|b"))),
            ..question("1", Kind::Choose(vec![Arc::from("a"), Arc::from("b")]))
        };
        for posted in [plain, full] {
            assert_eq!(Posted::from_json(&posted.to_json()), Some(posted));
        }
    }

    #[test]
    fn an_id_tells_step_cell_and_question() {
        let parts = |id: &str| {
            let posted = question(id, Kind::Text);
            (posted.flow().to_owned(), posted.number())
        };
        assert_eq!(parts("1.2"), ("1.2".to_owned(), (1, 1)));
        assert_eq!(parts("1.2[3]#4"), ("1.2".to_owned(), (4, 1)));
        assert_eq!(parts("1.2[3,1]#1.2"), ("1.2".to_owned(), (1, 2)));
    }
}
