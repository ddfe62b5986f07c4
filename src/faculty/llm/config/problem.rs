//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;
use std::sync::Arc;

use crate::faculty::{Failure, FailureKind};

/// One thing that is wrong with a configuration. Never shows the value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The file, or the variable of the environment.
    pub file: Arc<str>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The line in the file, from 1.
    pub line: Option<u32>,
}

impl ConfigProblem {
    /// A problem that lies on no line.
    pub fn new(file: impl Into<Arc<str>>, message: impl Into<String>) -> Self {
        Self { file: file.into(), message: message.into(), help: None, line: None }
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl From<&ConfigProblem> for Failure {
    fn from(problem: &ConfigProblem) -> Self {
        let mut failure = Failure::new(FailureKind::BadConfiguration, problem.message.clone())
            .at(problem.file.clone(), problem.line);
        failure.help = problem.help.clone().map(String::into_boxed_str);
        failure
    }
}
