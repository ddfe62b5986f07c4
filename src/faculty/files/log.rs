//! Who has written which file: two steps must not write one file in one cycle, for which of them came last would decide
//! (semantics spec, section 14.4). Knows steps by a name only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Digest;
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// The last writer of each file.
#[derive(Debug, Default)]
pub struct WriteLog(Mutex<BTreeMap<Arc<str>, Writer>>);

#[derive(Debug, Clone)]
struct Writer {
    step: Arc<str>,
    cell: u32,
    round: u64,
    content: Digest,
}

impl WriteLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that a cell of a step writes a file in a round, before it does. The same cell may write it again, as it
    /// does after a resume, and cells of one step may write the same; `path` is what [`super::Root::written_path`] says.
    ///
    /// # Errors
    /// `write_conflict` when another step, or another cell with something else, wrote it in the same round.
    pub fn note(
        &self,
        path: &str,
        (step, cell): (&str, u32),
        round: u64,
        content: &[u8],
    ) -> Result<(), Failure> {
        let content = Digest::of(content);
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match log.get(path) {
            Some(last) if last.round == round && last.step.as_ref() != step => {
                let message =
                    format!("steps {} and {step} both write `{}` in cycle {round}", last.step, shorten(path));
                let help = match flow(&last.step) == flow(step) {
                    true => {
                        "make the path of the loop's element, or let the loop carry a value, so that its rounds \
                             come one after the other"
                    }
                    false => "give each its own path, or order one after the other with `@after`",
                };
                Err(Failure::new(FailureKind::WriteConflict, message).with_help(help).at(path, None))
            }
            Some(last) if last.round == round && last.cell != cell && last.content != content => {
                let path_shown = shorten(path);
                let (first, second) = (last.cell.min(cell) + 1, last.cell.max(cell) + 1);
                let message = format!(
                    "cells {first} and {second} of step {step} write `{path_shown}` with different contents"
                );
                Err(Failure::new(FailureKind::WriteConflict, message)
                    .with_help("give the step a path for each cell, or one cell with the whole content")
                    .at(path, None))
            }
            _ => {
                log.insert(Arc::from(path), Writer { step: Arc::from(step), cell, round, content });
                Ok(())
            }
        }
    }
}

/// The step without its place in loops.
fn flow(step: &str) -> &str {
    step.split('[').next().unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_a_round() {
        let log = WriteLog::new();
        let note = |path: &str, step: &str, round: u64| log.note(path, (step, 0), round, b"x");
        assert!(note("o/a", "1.1", 1).is_ok());
        assert!(note("o/a", "1.1", 1).is_ok());
        assert!(note("o/b", "1.2", 1).is_ok());
        let failure = note("o/a", "1.2", 1).unwrap_err();
        assert_eq!(failure.kind, FailureKind::WriteConflict);
        assert_eq!(failure.message, "steps 1.1 and 1.2 both write `o/a` in cycle 1");
        assert!(note("o/a", "1.2", 2).is_ok());
        assert_eq!(note("o/a", "1.1", 2).unwrap_err().kind, FailureKind::WriteConflict);
        assert!(note("o/c", "1.1[1]", 1).is_ok());
        assert!(note("o/c", "1.1[2]", 1).unwrap_err().help.is_some_and(|h| h.contains("carry a value")));
    }

    #[test]
    fn one_content_a_step() {
        let log = WriteLog::new();
        let note = |cell: u32, round: u64, content: &[u8]| log.note("o", ("1.1", cell), round, content);
        assert!(note(0, 1, b"x").is_ok());
        assert!(note(1, 1, b"x").is_ok());
        let failure = note(2, 1, b"y").unwrap_err();
        assert_eq!(failure.message, "cells 2 and 3 of step 1.1 write `o` with different contents");
        assert!(note(2, 2, b"y").is_ok());
        assert!(note(2, 2, b"z").is_ok());
    }
}
