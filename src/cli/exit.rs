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
    /// Another process works on the run.
    Locked = 73,
    /// Reading or writing failed.
    InputOutput = 74,
    /// The run waits: stopped at a limit, or for a word of the user.
    Waiting = 75,
    /// Stopped by SIGHUP.
    HungUp = 129,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// The code of a run that a signal stopped: 128 and its number.
    pub(super) fn of_signal(signal: i32) -> Self {
        match signal {
            1 => Self::HungUp,
            15 => Self::Terminated,
            _ => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
