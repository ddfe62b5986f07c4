//! What a script asks of the world through its body, as data.

use std::sync::Arc;

use crate::base::{FileAct, Question, ReplyFormat, Value};
use crate::faculty::Failure;

/// One thing that is asked; paths as the script gave them.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Does something with files.
    File(FileAct),
    /// The text of a prompt template. The answer is the text.
    ReadPrompt {
        /// Its path.
        path: Arc<str>,
    },
    /// Asks a language model. The answer is the reply's text.
    Generate {
        /// The whole prompt.
        prompt: Arc<str>,
        /// The system message, if one is given.
        system: Option<Arc<str>>,
        /// What form the reply must have.
        format: ReplyFormat,
    },
    /// Asks a person. The answer is what the person gave.
    Ask(Question),
    /// Runs code at top level, its answer is the global `result` (section 11.1).
    Execute {
        /// The code; no file of the plan is its origin.
        code: Arc<str>,
        /// The inputs by name.
        inputs: Vec<(Arc<str>, Value)>,
    },
    /// Calls a function of some code (section 11.2).
    Call {
        /// The code; no file of the plan is its origin.
        code: Arc<str>,
        /// The function.
        function: Arc<str>,
        /// The inputs by name.
        inputs: Vec<(Arc<str>, Value)>,
    },
    /// A method of a tool that is not known here: only a configuration can offer it.
    Tool {
        /// The tool.
        tool: Arc<str>,
        /// Its method.
        method: Arc<str>,
        /// Arguments by place.
        args: Vec<Value>,
        /// Arguments by name.
        named: Vec<(Arc<str>, Value)>,
    },
}

/// How something is read out of a model's reply (section 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The map of a reply: `formatter_tool.parse`.
    Map,
    /// The code of a reply: `formatter_tool.clean_code`.
    Code,
    /// The truth value of a reply: `formatter_tool.parse_boolean`.
    Truth,
}

/// Where scripts act: whoever runs the script knows which step it belongs to, and what it may do.
pub trait World: Send + Sync {
    /// Does what is asked.
    ///
    /// # Errors
    /// The failure of whoever did it; the script sees its kind and message.
    fn act(&self, deed: Deed) -> Result<Value, Failure>;

    /// Reads a reply by the one reader that steps use too.
    ///
    /// # Errors
    /// `reply_is_not_json`, `reply_is_not_an_object`, `no_truth_value`.
    fn read_reply(&self, how: Reading, reply: &Value) -> Result<Value, Failure>;
}
