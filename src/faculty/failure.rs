//! How a faculty says that it could not: one stable kind, a sentence, and what a person needs to find the cause.
//!
//! Knows nothing of steps: flow index, concept and cell are added by the one who asked.

use std::fmt;
use std::sync::Arc;

use super::Output;
use crate::base::{Value, text_of};

/// How many characters of a wrong value a message shows (semantics spec, section 14.8).
const SHOWN: usize = 200;

/// How many bytes of stderr belong to a script's failure (semantics spec, section 11.2).
const STDERR_TAIL: usize = 4096;

/// What kind of thing went wrong; the words are stable and appear in `--json` (semantics spec, section 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// A method or built-in got arguments it cannot use.
    BadArguments,
    /// There is no built-in of that name, or a script has no callable `main`.
    NoSuchFunction,
    /// A file does not exist.
    FileNotFound,
    /// A path that can be no file: empty, a directory, a device.
    BadPath,
    /// A path leads out of the base directory.
    PathEscapesBase,
    /// A file is not UTF-8 text.
    NotText,
    /// A file is larger than the limit.
    FileTooLarge,
    /// The operating system refused for another reason.
    IoError,
    /// A script raised an exception or is no Python.
    ScriptFailed,
    /// A script ended without setting `result` and without a `main`.
    ScriptGaveNoResult,
    /// A script called `sys.exit`.
    ScriptExited,
    /// A script gave a value that is not JSON.
    ResultNotSerialisable,
    /// A script ran longer than it may.
    ScriptTimeout,
    /// The worker process died or broke the protocol while the script ran.
    WorkerLost,
    /// The person at the terminal, or whoever stops the run, ended the call; the script did not fail by itself.
    Interrupted,
    /// There is no Python interpreter that starts.
    NoPython,
    /// A tool or method that this faculty does not offer.
    UnsupportedAffordance,
    /// A step needs a language model, and none is configured, or not under that name.
    NoModelConfigured,
    /// A prompt without any text.
    EmptyPrompt,
    /// A prompt is longer than the model takes.
    ContextOverflow,
    /// The model's server cannot be reached, or did not answer in time.
    ModelUnreachable,
    /// The model's server refused the request.
    ModelRefused,
    /// The server does not know the form of reply that was asked for.
    UnsupportedResponseFormat,
    /// A reply is larger than the limit.
    ReplyTooLarge,
    /// A reply of the server that is not what the protocol says.
    ReplyMalformed,
    /// A reply that ends before its end: the limit of tokens was reached.
    ReplyCut,
    /// A reply that must be JSON and is not, or does not fit its schema.
    ReplyIsNotJson,
    /// A replayed run asks for a call that was not recorded.
    CassetteMiss,
    /// The next call would pass the budget of the run.
    BudgetSpent,
    /// A program that is not there.
    CommandNotFound,
    /// A program that ended with an exit code or by a signal.
    CommandFailed,
    /// Two steps write one file in one cycle.
    WriteConflict,
    /// Nobody answered a question before its deadline, or nobody can be asked.
    NoAnswerInTime,
    /// The configuration cannot be used.
    BadConfiguration,
    /// Something the user did not allow: a script written in this run, a host, a program.
    NotAllowed,
    /// The call cannot go on before somebody has answered; it is made again then.
    Suspended,
    /// A value to be written that is nothing.
    NothingToSave,
    /// A value that must be a map.
    NotADictionary,
    /// A value that must be a list.
    NotAList,
    /// A template is asked for that was not given.
    MissingTemplate,
    /// The memory file has no value under that key.
    NoSuchParameter,
    /// The memory file is no JSON object.
    BadParameterFile,
    /// The norm of a sign holds other characters than letters, digits and underscores.
    InvalidNorm,
    /// A reply that must be a JSON object is other JSON.
    ReplyIsNotAnObject,
    /// A reply that is to say yes or no, and says neither.
    NoTruthValue,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [FailureKind; 45] = [
        Self::BadArguments,
        Self::NoSuchFunction,
        Self::FileNotFound,
        Self::BadPath,
        Self::PathEscapesBase,
        Self::NotText,
        Self::FileTooLarge,
        Self::IoError,
        Self::ScriptFailed,
        Self::ScriptGaveNoResult,
        Self::ScriptExited,
        Self::ResultNotSerialisable,
        Self::ScriptTimeout,
        Self::WorkerLost,
        Self::Interrupted,
        Self::NoPython,
        Self::UnsupportedAffordance,
        Self::NoModelConfigured,
        Self::EmptyPrompt,
        Self::ContextOverflow,
        Self::ModelUnreachable,
        Self::ModelRefused,
        Self::UnsupportedResponseFormat,
        Self::ReplyTooLarge,
        Self::ReplyMalformed,
        Self::ReplyCut,
        Self::ReplyIsNotJson,
        Self::CassetteMiss,
        Self::BudgetSpent,
        Self::CommandNotFound,
        Self::CommandFailed,
        Self::WriteConflict,
        Self::NoAnswerInTime,
        Self::BadConfiguration,
        Self::NotAllowed,
        Self::Suspended,
        Self::NothingToSave,
        Self::NotADictionary,
        Self::NotAList,
        Self::MissingTemplate,
        Self::NoSuchParameter,
        Self::BadParameterFile,
        Self::InvalidNorm,
        Self::ReplyIsNotAnObject,
        Self::NoTruthValue,
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadArguments => "bad_arguments",
            Self::NoSuchFunction => "no_such_function",
            Self::FileNotFound => "file_not_found",
            Self::BadPath => "bad_path",
            Self::PathEscapesBase => "path_escapes_base",
            Self::NotText => "not_text",
            Self::FileTooLarge => "file_too_large",
            Self::IoError => "io_error",
            Self::ScriptFailed => "script_failed",
            Self::ScriptGaveNoResult => "script_gave_no_result",
            Self::ScriptExited => "script_exited",
            Self::ResultNotSerialisable => "result_not_serialisable",
            Self::ScriptTimeout => "script_timeout",
            Self::WorkerLost => "worker_lost",
            Self::Interrupted => "interrupted",
            Self::NoPython => "no_python",
            Self::UnsupportedAffordance => "unsupported_affordance",
            Self::NoModelConfigured => "no_model_configured",
            Self::EmptyPrompt => "empty_prompt",
            Self::ContextOverflow => "context_overflow",
            Self::ModelUnreachable => "model_unreachable",
            Self::ModelRefused => "model_refused",
            Self::UnsupportedResponseFormat => "unsupported_response_format",
            Self::ReplyTooLarge => "reply_too_large",
            Self::ReplyMalformed => "reply_malformed",
            Self::ReplyCut => "reply_cut",
            Self::ReplyIsNotJson => "reply_is_not_json",
            Self::CassetteMiss => "cassette_miss",
            Self::BudgetSpent => "budget_spent",
            Self::CommandNotFound => "command_not_found",
            Self::CommandFailed => "command_failed",
            Self::WriteConflict => "write_conflict",
            Self::NoAnswerInTime => "no_answer_in_time",
            Self::BadConfiguration => "bad_configuration",
            Self::NotAllowed => "not_allowed",
            Self::Suspended => "suspended",
            Self::NothingToSave => "nothing_to_save",
            Self::NotADictionary => "not_a_dictionary",
            Self::NotAList => "not_a_list",
            Self::MissingTemplate => "missing_template",
            Self::NoSuchParameter => "no_such_parameter",
            Self::BadParameterFile => "bad_parameter_file",
            Self::InvalidNorm => "invalid_norm",
            Self::ReplyIsNotAnObject => "reply_is_not_an_object",
            Self::NoTruthValue => "no_truth_value",
        }
    }

    /// The kind of a stable word, none for words this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }

    /// Returns whether the same request may succeed when it is made again. A timeout is not retryable: the same
    /// script would run as long again. Nor is an interruption: the faculty takes no more requests.
    pub fn retryable(self) -> bool {
        matches!(self, Self::WorkerLost)
    }
}

impl FailureKind {
    /// Returns whether a failure of this kind, met by a tool that a script uses, ends the script at once and is the
    /// failure of the whole call: nothing the script could do would help (semantics spec, section 14.6).
    pub fn ends_call(self) -> bool {
        matches!(self, Self::Interrupted | Self::Suspended)
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where in a script or file a failure lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path as it was asked for.
    pub path: Arc<str>,
    /// Line from 1, none when the whole file is meant.
    pub line: Option<u32>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.path),
            None => f.write_str(&self.path),
        }
    }
}

/// A typed failure (semantics spec, sections 14.8 and 15).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The stable kind.
    pub kind: FailureKind,
    /// What went wrong, one headline: lower case, no full stop.
    pub message: String,
    /// What to write or do instead, when that is known.
    pub help: Option<Box<str>>,
    /// The script or file, and its line.
    pub place: Option<Place>,
    /// The script's own traceback.
    pub trace: Option<Box<str>>,
    /// What the script printed until it failed.
    pub output: Option<Box<Output>>,
}

impl Failure {
    /// A failure with nothing but its kind and headline.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, place: None, trace: None, output: None }
    }

    /// `bad_arguments` in its one form: what was asked, what was expected, what was got (first 200 characters).
    pub fn bad_arguments(method: &str, expected: &str, got: &Value) -> Self {
        let kind = match got {
            Value::Skip => "nothing",
            Value::Null => "null",
            Value::Bool(_) => "the truth value",
            Value::Number(_) => "the number",
            Value::Text(_) => "the text",
            Value::Sign(_) => "the sign",
            Value::List(_) => "the list",
            Value::Map(_) => "the map",
        };
        let message = match got {
            Value::Skip | Value::Null => format!("`{method}` expects {expected}, got {kind}"),
            _ => format!("`{method}` expects {expected}, got {kind} `{}`", shorten(&text_of(got))),
        };
        Self::new(FailureKind::BadArguments, message)
    }

    /// The same failure with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into().into_boxed_str());
        self
    }

    /// The same failure at a place.
    #[must_use]
    pub fn at(mut self, path: impl Into<Arc<str>>, line: Option<u32>) -> Self {
        self.place = Some(Place { path: path.into(), line });
        self
    }

    /// The script's line, when there is one.
    pub fn line(&self) -> Option<u32> {
        self.place.as_ref().and_then(|p| p.line)
    }

    /// The last 4 KiB of what the script wrote to stderr (semantics spec, section 11.2).
    pub fn stderr_tail(&self) -> &str {
        let text = self.output.as_ref().map_or("", |o| o.stderr.as_str());
        let mut start = text.len().saturating_sub(STDERR_TAIL);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        text.get(start..).unwrap_or("")
    }

    /// Returns whether the same request may succeed when it is made again.
    pub fn retryable(&self) -> bool {
        self.kind.retryable()
    }
}

/// The first 200 characters of a text on one line, with a mark when there are more.
pub(super) fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(visible).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn visible(c: char) -> impl Iterator<Item = char> {
    let (escaped, plain) = if c.is_control() { (Some(c.escape_default()), None) } else { (None, Some(c)) };
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word() {
        for kind in FailureKind::ALL {
            assert_eq!(FailureKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(FailureKind::from_word("nonsense"), None);
    }

    #[test]
    fn a_wrong_value_is_shown_short_and_on_one_line() {
        let long = Value::text("a\nb".repeat(200));
        let failure = Failure::bad_arguments("add", "an integer", &long);
        assert!(failure.message.starts_with("`add` expects an integer, got the text `a\\nba\\nb"));
        assert!(failure.message.ends_with("…`"));
        assert!(!failure.message.contains('\n'));
    }

    #[test]
    fn the_tail_of_stderr_starts_on_a_character() {
        let mut failure = Failure::new(FailureKind::ScriptFailed, "x");
        failure.output = Some(Box::new(Output { stdout: String::new(), stderr: "é".repeat(5000) + "!" }));
        assert!(failure.stderr_tail().len() <= STDERR_TAIL);
        assert!(failure.stderr_tail().ends_with("é!"));
    }
}
