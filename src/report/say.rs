//! Lines for people on standard error. That nobody reads them any more (a closed pipe, a full disk) is no reason to
//! stop: a run goes on, and the exit code still says how it ended.

use std::fmt::Arguments;
use std::io::Write;

/// Writes a text to standard error as it is, in one piece.
pub(crate) fn say_text(text: &str) {
    // There is nowhere left to say that nothing can be said.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes a line to standard error; see [`say!`].
pub(crate) fn say_line(line: Arguments<'_>) {
    say_text(&format!("{line}\n"));
}

/// Says a line on standard error, formatted as by [`format!`], and goes on whether or not somebody reads it.
macro_rules! say {
    ($($line:tt)+) => { $crate::report::say_line(format_args!($($line)+)) };
}

pub(crate) use say;
