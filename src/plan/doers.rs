//! What does a step: the resources and options of its functional line, and the paradigm that follows from them when
//! none is named (language spec, section 2.5; semantics spec, sections 10 and 14). Knows nothing of lines and files.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::Span;
use crate::syntax::Variant;

use super::model::{FunctionKind, Semantic};

/// A text with the place where it is written.
pub type Written = (Arc<str>, Span);

/// Resources and options of a functional line (language spec, section 2.5).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    /// `%{script_location}`.
    pub script: Option<Written>,
    /// `%{builtin}`.
    pub builtin: Option<Written>,
    /// `%{prompt_location}`.
    pub prompt: Option<Written>,
    /// `%{prompt}`: the prompt itself.
    pub prompt_text: Option<Written>,
    /// `%{command}`, `%{command_location}`.
    pub command: Option<Command>,
    /// `%{ask}`, `%{ask_kind}`, `%{options}`.
    pub ask: Option<Ask>,
    /// `%{v_input_provision}`: the prompt or script of a paradigm.
    pub provision: Option<Written>,
    /// `%{norm_input}`, `%{paradigm}`.
    pub paradigm: Option<Written>,
    /// `%{body_faculty}`.
    pub body_faculty: Option<Written>,
    /// `%{model}`.
    pub model: Option<Written>,
    /// `%{agent}`.
    pub agent: Option<Written>,
    /// `%{schema}`: an object is the schema itself, a text the path of its file.
    pub schema: Option<(Json, Span)>,
    /// `%{reply_retries}`.
    pub reply_retries: Option<u32>,
    /// `%{v_input_norm}`.
    pub vertical_norm: Option<Written>,
    /// `%{h_input_norm}`.
    pub horizontal_norm: Option<Written>,
    /// `%{effect}: once`.
    pub once: bool,
    /// `%{timeout}`, in seconds, as written.
    pub timeout: Option<Json>,
}

/// A program that does a step (semantics spec, section 14.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments, each whole; `{input_1}` stands for an input.
    pub argv: Vec<Arc<str>>,
    /// `%{command_output}: json`: what it writes is JSON.
    pub json: bool,
    /// Where it is written.
    pub span: Span,
}

/// A question to a person (semantics spec, section 14.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// `%{ask}`: what is asked; none when a prompt file says it.
    pub text: Option<Written>,
    /// `%{ask_kind}`, when it is written.
    pub kind: Option<AskKind>,
    /// `%{options}`: what there is to choose from.
    pub options: Vec<Arc<str>>,
    /// Where the first of these is written.
    pub span: Span,
}

/// The kinds of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskKind {
    /// A text.
    Text,
    /// Yes or no.
    Confirm,
    /// One of several.
    Choose,
    /// A changed text.
    Edit,
    /// Paths of files.
    Files,
}

impl AskKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Text, Self::Confirm, Self::Choose, Self::Edit, Self::Files];

    /// The word in a plan.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Confirm => "confirm",
            Self::Choose => "choose",
            Self::Edit => "edit",
            Self::Files => "files",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }

    /// The built-in paradigm that asks such questions.
    pub fn paradigm(self) -> &'static str {
        match self {
            Self::Text => "ask",
            Self::Confirm => "confirm",
            Self::Choose => "choose",
            Self::Edit => "edit",
            Self::Files => "ask-files",
        }
    }

    /// The kind that a paradigm stands for.
    pub fn of_paradigm(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.paradigm() == name)
    }

    /// The kind of a question that does not say it: options are there to choose from, a judgement wants yes or no.
    pub fn unsaid(options: bool, judgement: bool) -> Self {
        match (options, judgement) {
            (true, _) => Self::Choose,
            (false, true) => Self::Confirm,
            (false, false) => Self::Text,
        }
    }
}

/// Built-in paradigms that lowering names by itself.
pub mod paradigms {
    /// A prompt is filled and a model asked; its reply is the result.
    pub const GENERATE_TEXT: &str = "generate-text";
    /// The same, the reply is JSON.
    pub const GENERATE_JSON: &str = "generate-json";
    /// The same, the reply is a truth value.
    pub const JUDGE: &str = "judge";
    /// A program is run; what it writes is the result.
    pub const RUN_COMMAND: &str = "run-command";
    /// The same, what it writes is JSON.
    pub const RUN_COMMAND_JSON: &str = "run-command-json";
    /// The function `main` of a script is called.
    pub const RUN_SCRIPT: &str = "run-script";
}

impl Resources {
    /// The paths and names, without their places.
    fn sources(&self) -> [Option<&str>; 7] {
        fn of(r: &Option<Written>) -> Option<&str> {
            r.as_ref().map(|(t, _)| &**t)
        }
        [
            of(&self.script),
            of(&self.builtin),
            of(&self.prompt),
            of(&self.prompt_text),
            self.ask.as_ref().and_then(|a| of(&a.text)),
            of(&self.provision),
            of(&self.paradigm),
        ]
    }

    /// Returns whether two steps are told to do the same: what two lines with one text may not differ in.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let argv = |r: &Self| r.command.as_ref().map(|c| c.argv.clone());
        self.sources() == other.sources() && argv(self) == argv(other)
    }

    /// Returns whether something other than the text of the operation says what is done.
    pub fn names_a_doer(&self) -> bool {
        self.sources().iter().any(Option::is_some) || self.command.is_some()
    }

    /// Returns whether the step is told something that only a paradigm can use.
    pub fn needs_a_paradigm(&self) -> bool {
        self.prompt_text.is_some() || self.command.is_some() || self.ask.is_some() || self.schema.is_some()
    }

    /// The prompt is a file: `%{prompt_location}`, or a provision that is no script.
    pub fn prompt_file(&self) -> Option<&Written> {
        self.provision.as_ref().filter(|(path, _)| !path.ends_with(".py")).or(self.prompt.as_ref())
    }
}

impl Semantic {
    /// The kind of the question the step asks a person; none when it asks none.
    pub fn ask_kind(&self) -> Option<AskKind> {
        let ask = self.resources.ask.as_ref()?;
        let judgement = self.kind == FunctionKind::Judgement;
        Some(ask.kind.unwrap_or_else(|| AskKind::unsaid(!ask.options.is_empty(), judgement)))
    }

    /// The built-in paradigm of a step that names none but says what does it: `generate-text` for a prompt,
    /// `generate-json` when a schema is given, `judge` for judgements, `run-command`, and those that ask a person. None
    /// when the step has a paradigm, a script or a built-in, or says nothing.
    ///
    /// Prompt files alone give a paradigm in generation 2 only: legacy plans hand them to the step as a value
    /// (repositories spec, section 7.6).
    pub fn default_paradigm(&self, generation: u32) -> Option<&'static str> {
        let resources = &self.resources;
        if resources.paradigm.is_some() || resources.script.is_some() || resources.builtin.is_some() {
            return None;
        }
        if let Some(command) = &resources.command {
            return Some(if command.json { paradigms::RUN_COMMAND_JSON } else { paradigms::RUN_COMMAND });
        }
        if let Some(kind) = self.ask_kind() {
            return Some(kind.paradigm());
        }
        let old_form = matches!(
            self.variant,
            Some(Variant::Direct | Variant::Python | Variant::PythonIndirect | Variant::Input)
        ) || self.kind == FunctionKind::Input;
        let composed = self.variant == Some(Variant::Composition);
        let by_file = (generation == 2 && !old_form) || composed;
        let file = resources.prompt_file().filter(|_| by_file || resources.schema.is_some());
        if resources.prompt_text.is_some() || file.is_some() {
            return Some(match (self.kind, &resources.schema) {
                (FunctionKind::Judgement, _) => paradigms::JUDGE,
                (_, Some(_)) => paradigms::GENERATE_JSON,
                (_, None) => paradigms::GENERATE_TEXT,
            });
        }
        (by_file && resources.provision.is_some()).then_some(paradigms::RUN_SCRIPT)
    }

    /// Returns whether a paradigm does the step: one that it names, or the default one.
    pub fn is_composed(&self, generation: u32) -> bool {
        let resources = &self.resources;
        if resources.script.is_some() || resources.builtin.is_some() {
            return false;
        }
        if self.variant == Some(Variant::Composition) || self.default_paradigm(generation).is_some() {
            return true;
        }
        // A paradigm that is named is never passed over in silence, whatever operators the plan has beside it.
        let old = matches!(self.variant, Some(Variant::Direct | Variant::Python | Variant::PythonIndirect));
        resources.paradigm.is_some() && (resources.needs_a_paradigm() || !old)
    }
}
