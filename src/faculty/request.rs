//! What calls of faculties have in common: pinned scripts, which call it is, and the answer. How each is called stands
//! with it. Knows nothing of plans.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Value;

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
