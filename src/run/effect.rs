//! Effects: what a step asks of the world, as data. They can be written down, compared with what was asked before, and
//! answered later; who answers them is not known here (semantics spec, sections 10.4 and 14).

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::{Digest, Value, Writer};

/// Arguments by name, in order.
pub type Arguments = Vec<(Arc<str>, Value)>;

/// One call of a faculty.
#[derive(Debug, Clone)]
pub enum Effect {
    /// A built-in function (semantics spec, section 14.7).
    Builtin {
        /// Its name.
        name: Arc<str>,
        /// The inputs, `input_1` and so on, in value order.
        inputs: Arguments,
    },
    /// A Python script (section 11).
    Script(ScriptRun),
    /// A language model is asked (section 14.1).
    Generate(Generate),
    /// A person is asked (section 14.6).
    Ask(Question),
    /// A file is read or written (section 14.4).
    File(FileAct),
    /// A program is run (section 14.3).
    Command(Command),
    /// A tool that only a configuration can provide, such as `canvas` (section 10.4).
    Tool {
        /// The tool.
        tool: Arc<str>,
        /// Its method.
        method: Arc<str>,
        /// Its arguments.
        args: Arguments,
    },
}

/// A script and how it is run.
#[derive(Debug, Clone)]
pub struct ScriptRun {
    /// Where its code comes from.
    pub code: ScriptCode,
    /// How it takes its inputs.
    pub contract: Contract,
    /// The inputs by name.
    pub inputs: Arguments,
}

/// The code of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptCode {
    /// A file of the plan, read and pinned by whoever runs it.
    File(Arc<str>),
    /// Code that the step has in hand.
    Text {
        /// The file it was read from; none when no file of the plan is its origin, as for what a model wrote.
        path: Option<Arc<str>>,
        /// The code.
        code: Arc<str>,
    },
}

/// How a script takes its inputs and gives its answer (semantics spec, section 11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contract {
    /// Inputs are globals, the answer is the global `result`; a script that only defines `main` is called.
    Globals,
    /// A function is called with the inputs by name, `main` nearly always.
    Function(Arc<str>),
}

/// A prompt for a language model.
#[derive(Debug, Clone, PartialEq)]
pub struct Generate {
    /// The whole prompt.
    pub prompt: Arc<str>,
    /// The system message, if one is given.
    pub system: Option<Arc<str>>,
    /// What form the reply must have.
    pub format: ReplyFormat,
    /// The model the step names; none takes the one its agent has.
    pub model: Option<Arc<str>>,
}

/// What form a reply must have.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ReplyFormat {
    /// Any text.
    #[default]
    Text,
    /// A JSON object.
    Json,
    /// JSON that fits a schema.
    Schema(Arc<Json>),
}

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
#[derive(Debug, Clone, PartialEq)]
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
    /// The conversation ends: `close`; answered by whoever shows it.
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

/// What is done with files (semantics spec, section 10.4); all paths as the step gives them.
#[derive(Debug, Clone, PartialEq)]
pub enum FileAct {
    /// The text of a file.
    Read {
        /// Its path.
        path: Arc<str>,
    },
    /// Whether there is such a file.
    Exists {
        /// Its path.
        path: Arc<str>,
    },
    /// Writes a file; folders are made. The answer is the path, relative to the base directory.
    Save {
        /// Its path.
        path: Arc<str>,
        /// The whole content.
        content: Arc<str>,
    },
    /// Writes several files below a folder, all names checked first. The answer is the list of paths.
    SaveMany {
        /// The folder.
        folder: Arc<str>,
        /// Names and contents.
        files: Vec<(Arc<str>, Arc<str>)>,
    },
    /// The files below a folder.
    List {
        /// The folder.
        path: Arc<str>,
    },
    /// A value of the plan's memory file; nothing when there is none.
    Recall {
        /// The key.
        key: Arc<str>,
        /// Another file than `memorized.json`.
        file: Option<Arc<str>>,
    },
    /// Puts a value into the memory file.
    Memorize {
        /// The key.
        key: Arc<str>,
        /// The value.
        value: Value,
        /// Another file than `memorized.json`.
        file: Option<Arc<str>>,
    },
}

/// A program with its arguments; no shell is between.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The program and its arguments, each whole.
    pub argv: Vec<Arc<str>>,
    /// The inputs, given as JSON on standard input.
    pub inputs: Arguments,
    /// Its output is JSON; else text.
    pub json: bool,
}

/// What a faculty gave.
#[derive(Debug, Clone)]
pub struct CallAnswer {
    /// The answer as data.
    pub value: Value,
    /// The answer's text where it is not the text of the value.
    pub text: Option<Arc<str>>,
}

impl CallAnswer {
    /// An answer whose text is that of its value.
    pub fn of(value: Value) -> Self {
        Self { value, text: None }
    }
}

impl Effect {
    /// Returns whether it leaves nothing behind and always answers the same.
    pub fn is_pure(&self) -> bool {
        matches!(self, Self::Builtin { .. })
    }

    /// Returns whether it is done as fast as one can ask for it, so that no thread is worth it: nothing is waited for
    /// and nothing is changed.
    pub fn is_quick(&self) -> bool {
        use FileAct::{Exists, List, Read, Recall};
        self.is_pure()
            || matches!(self, Self::File(Read { .. } | Exists { .. } | List { .. } | Recall { .. }))
    }

    /// Returns whether somebody outside this machine's files notices it, so that it must be written down before and
    /// after (durability spec, section 4).
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Generate(_) | Self::Ask(_) | Self::Command(_) | Self::Tool { .. })
    }

    /// Tool and method in a few words, `llm.generate`; and its arguments as JSON, complete: two effects are the same
    /// call exactly when both are equal.
    pub fn described(&self) -> (&'static str, JsonMap<String, Json>) {
        let mut args = JsonMap::new();
        let mut put = |name: &str, value: Json| args.insert(name.to_owned(), value);
        let optional = |text: &Option<Arc<str>>| text.as_deref().map_or(Json::Null, Json::from);
        let method = match self {
            Self::Builtin { name, inputs } => {
                put("name", Json::from(&**name));
                put("inputs", arguments_json(inputs));
                "builtin.call"
            }
            Self::Script(run) => {
                match &run.code {
                    ScriptCode::File(path) => put("path", Json::from(&**path)),
                    ScriptCode::Text { path, code } => {
                        put("path", optional(path));
                        put("code", Json::from(&**code))
                    }
                };
                let (method, function) = match &run.contract {
                    Contract::Globals => ("python.execute", None),
                    Contract::Function(name) => ("python.call", Some(name)),
                };
                if let Some(name) = function {
                    put("function", Json::from(&**name));
                }
                put("inputs", arguments_json(&run.inputs));
                method
            }
            Self::Generate(generate) => {
                put("model", optional(&generate.model));
                put("system", optional(&generate.system));
                put("prompt", Json::from(&*generate.prompt));
                match &generate.format {
                    ReplyFormat::Text => {}
                    ReplyFormat::Json => drop(put("format", Json::from("json"))),
                    ReplyFormat::Schema(schema) => drop(put("schema", (**schema).clone())),
                }
                "llm.generate"
            }
            Self::Ask(question) => {
                args = question.to_json();
                "human.ask"
            }
            Self::File(act) => {
                let file = |file: &Option<Arc<str>>| optional(file);
                match act {
                    FileAct::Read { path } => {
                        put("path", Json::from(&**path));
                        "files.read"
                    }
                    FileAct::Exists { path } => {
                        put("path", Json::from(&**path));
                        "files.exists"
                    }
                    FileAct::Save { path, content } => {
                        put("path", Json::from(&**path));
                        put("content", Json::from(&**content));
                        "files.save"
                    }
                    FileAct::SaveMany { folder, files } => {
                        put("folder", Json::from(&**folder));
                        let entries = files.iter().map(|(n, c)| (n.to_string(), Json::from(&**c)));
                        put("files", Json::Object(entries.collect()));
                        "files.save_many"
                    }
                    FileAct::List { path } => {
                        put("path", Json::from(&**path));
                        "files.list"
                    }
                    FileAct::Recall { key, file: other } => {
                        put("key", Json::from(&**key));
                        put("file", file(other));
                        "memory.get"
                    }
                    FileAct::Memorize { key, value, file: other } => {
                        put("key", Json::from(&**key));
                        put("value", value.to_json());
                        put("file", file(other));
                        "memory.set"
                    }
                }
            }
            Self::Command(command) => {
                put("argv", command.argv.iter().map(|a| Json::from(&**a)).collect());
                put("inputs", arguments_json(&command.inputs));
                put("json", Json::Bool(command.json));
                "command.run"
            }
            Self::Tool { tool, method, args: given } => {
                put("tool", Json::from(&**tool));
                put("method", Json::from(&**method));
                put("args", arguments_json(given));
                "tool.call"
            }
        };
        (method, args)
    }

    /// What tells this call from any other one: method and arguments.
    pub fn digest(&self) -> Digest {
        let (method, args) = self.described();
        let mut text = Writer::default();
        text.text(method);
        text.text(&Json::Object(args).to_string());
        Digest::of(&text.bytes)
    }
}

fn arguments_json(args: &Arguments) -> Json {
    Json::Object(args.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect())
}

impl Question {
    /// A question for a text.
    pub fn text(prompt: impl Into<Arc<str>>) -> Self {
        Self {
            kind: QuestionKind::Text,
            prompt: prompt.into(),
            initial: None,
            default: None,
            validation: None,
        }
    }

    /// Its JSON form: what the journal keeps and a mailbox shows.
    pub fn to_json(&self) -> JsonMap<String, Json> {
        let mut map = JsonMap::new();
        map.insert("kind".to_owned(), Json::from(self.kind.word()));
        map.insert("prompt".to_owned(), Json::from(&*self.prompt));
        if let QuestionKind::Choose(options) = &self.kind {
            map.insert("options".to_owned(), options.iter().map(|o| Json::from(&**o)).collect());
        }
        if let Some(initial) = &self.initial {
            map.insert("initial".to_owned(), Json::from(&**initial));
        }
        if let Some(default) = &self.default {
            map.insert("default".to_owned(), default.to_json());
        }
        if let Some(validation) = &self.validation {
            let (key, value) = match validation {
                Validation::FileExists(words) => {
                    ("file_exists", words.as_deref().map_or(Json::Bool(true), Json::from))
                }
                Validation::NotEmpty => ("not_empty", Json::Bool(true)),
                Validation::Pattern(pattern) => ("pattern", Json::from(&**pattern)),
            };
            map.insert(
                "validation".to_owned(),
                Json::Object([(key.to_owned(), value)].into_iter().collect()),
            );
        }
        map
    }

    /// Reads its JSON form; none when it is not one.
    pub fn from_json(map: &JsonMap<String, Json>) -> Option<Self> {
        let text = |key: &str| map.get(key).and_then(Json::as_str).map(Arc::<str>::from);
        let options = || {
            let list = map.get("options")?.as_array()?;
            list.iter().map(|o| o.as_str().map(Arc::from)).collect::<Option<Vec<Arc<str>>>>()
        };
        let kind = match map.get("kind")?.as_str()? {
            "text" => QuestionKind::Text,
            "confirm" => QuestionKind::Confirm,
            "edit" => QuestionKind::Edit,
            "choose" => QuestionKind::Choose(options()?),
            "files" => QuestionKind::Files,
            "chat" => QuestionKind::Chat,
            "say" => QuestionKind::Say,
            "close" => QuestionKind::Close,
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
        let default = map.get("default").map(Value::from_data_json);
        Some(Self { kind, prompt: text("prompt")?, initial: text("initial"), default, validation })
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_come_back_as_they_were() {
        let plain = Question::text("what?");
        let choice = Question {
            kind: QuestionKind::Choose(vec![Arc::from("a"), Arc::from("b")]),
            default: Some(Value::text("a")),
            validation: Some(Validation::Pattern(Arc::from("a|b"))),
            initial: Some(Arc::from("so far")),
            ..plain.clone()
        };
        for question in [plain, choice] {
            let read = Question::from_json(&question.to_json()).map(|q| q.to_json());
            assert_eq!(read, Some(question.to_json()));
        }
    }

    #[test]
    fn every_difference_makes_another_call() {
        let prompt = |text: &str, model: Option<&str>| {
            Effect::Generate(Generate {
                prompt: Arc::from(text),
                system: None,
                format: ReplyFormat::Text,
                model: model.map(Arc::from),
            })
        };
        assert_eq!(prompt("a", None).digest(), prompt("a", None).digest());
        assert_ne!(prompt("a", None).digest(), prompt("b", None).digest());
        assert_ne!(prompt("a", None).digest(), prompt("a", Some("m")).digest());
    }
}
