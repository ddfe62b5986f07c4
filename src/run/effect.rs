//! Effects: what a step asks of the world, as data. They can be written down, compared with what was asked before, and
//! answered later; who answers them is not known here (semantics spec, sections 10.4 and 14).

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::{Digest, Value, Writer};

pub use crate::base::{FileAct, Question, QuestionKind, ReplyFormat, Validation};

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
                let (method, fields) = act.described();
                args = fields;
                method
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

fn optional(text: &Option<Arc<str>>) -> Json {
    text.as_deref().map_or(Json::Null, Json::from)
}

fn arguments_json(args: &Arguments) -> Json {
    Json::Object(args.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
