//! What a faculty is asked and what it answers.
//!
//! Knows nothing of plans: a request names what to do and carries its arguments, nothing else.

use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use crate::base::Value;

/// What a faculty is asked to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Action {
    /// Call a pure built-in (semantics spec, section 14.7).
    Builtin {
        /// Its name, such as `add`.
        name: Arc<str>,
    },
    /// Run a script at top level and take its global `result`, or what its `main` gives (section 11.1).
    Execute(Arc<Script>),
    /// Call a function of a script (section 11.2).
    Call {
        /// The script.
        script: Arc<Script>,
        /// The function, `main` nearly always.
        function: Arc<str>,
    },
    /// Read a text file of the base directory (section 14.4).
    ReadFile {
        /// Path relative to the base directory.
        path: Arc<str>,
    },
    /// Run a program, the arguments as JSON on its standard input (section 14.3).
    Command {
        /// The program and its arguments.
        argv: Vec<Arc<str>>,
        /// Its output is JSON; else text.
        json: bool,
    },
}

/// A script, pinned: what runs is this code, whatever has become of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its path as the plan names it; shown in tracebacks, never opened.
    pub path: Arc<str>,
    /// The Python source.
    pub code: Arc<str>,
    /// A name that is equal only for equal code, usually its content hash.
    pub hash: Arc<str>,
}

/// Which call this is, for scripts that talk to others: the same call made again has the same identity (durability
/// spec, section 6). A script sees each part that is given as a variable of its environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallIdentity {
    /// The idempotency key, hex: `NORMC_IDEMPOTENCY_KEY`.
    pub key: Option<Arc<str>>,
    /// The run: `NORMC_RUN_ID`.
    pub run: Option<Arc<str>>,
    /// The step with its loop position, such as `1.2.3[4]`: `NORMC_STEP`.
    pub step: Option<Arc<str>>,
}

impl CallIdentity {
    /// The variables a call sees, each with its value if that is given.
    pub fn variables(&self) -> [(&'static str, Option<&str>); 3] {
        [
            ("NORMC_IDEMPOTENCY_KEY", self.key.as_deref()),
            ("NORMC_RUN_ID", self.run.as_deref()),
            ("NORMC_STEP", self.step.as_deref()),
        ]
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// The arguments by name, in value order, signs already stripped.
    pub args: Vec<(Arc<str>, Value)>,
    /// How long it may take once it has begun; none takes the faculty's own limit.
    pub timeout: Option<Duration>,
    /// Which call this is, where that is told to whoever does the work.
    pub identity: Option<Arc<CallIdentity>>,
}

impl Request {
    /// A request with the faculty's own time limit that tells nobody which call it is.
    pub fn new(action: Action, args: Vec<(Arc<str>, Value)>) -> Self {
        Self { action, args, timeout: None, identity: None }
    }
}

/// What was printed during one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// What went to stdout, cut with a note beyond 16 MiB.
    pub stdout: String,
    /// What went to stderr, cut with a note beyond 16 MiB.
    pub stderr: String,
}

impl Output {
    /// Returns whether nothing was printed.
    pub fn is_empty(&self) -> bool {
        self.stdout.is_empty() && self.stderr.is_empty()
    }
}

/// What a faculty gives when it succeeds.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The value. Texts are data: they are never read as signs (semantics spec, section 2.3).
    pub value: Value,
    /// Python's own `str` of the value where it differs from [`crate::base::text_of`] (section 14.2).
    pub text: Option<Arc<str>>,
    /// What was printed.
    pub output: Output,
    /// How long the call took, without the time it waited for a free worker.
    pub duration: Duration,
}

impl Answer {
    /// An answer of a pure function: nothing printed, no time.
    pub fn pure(value: Value) -> Self {
        Self { value, text: None, output: Output::default(), duration: Duration::ZERO }
    }
}

/// Something that acts on the world. Calls come from many threads at once and may block (semantics spec, section 14).
pub trait Faculty: Send + Sync {
    /// Does what the request says.
    ///
    /// # Errors
    /// A typed failure; [`super::FailureKind::UnsupportedAffordance`] for an action of another faculty.
    fn call(&self, request: &Request) -> Result<Answer, Failure>;
}
