//! The exit codes of every command (design, section 5).

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Done = 0,
    /// The plan has errors, or the run failed.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// Nothing in the run could move.
    Deadlock = 3,
    /// A data file is not what it must be.
    BadData = 65,
    /// A file or name does not exist.
    NotFound = 66,
    /// A fault of normc itself.
    Internal = 70,
    /// Reading or writing failed.
    InputOutput = 74,
    /// The run waits: stopped at a limit.
    Waiting = 75,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
