//! Who has written which file: two steps must not write one file in one cycle, for which of them came last would decide
//! (semantics spec, section 14.4). Cells of one step may: the last of them in row-major order is who wrote it, as when they
//! come one after the other. Knows steps by a name only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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
}

impl WriteLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a cell of a step write a file in a round; none when a later cell of the step has written it already. The same
    /// cell may write it again, as it does after a resume; `path` is what [`super::Root::written_path`] says. Nobody else
    /// writes meanwhile, so that what is in the file is what the log says.
    ///
    /// # Errors
    /// `write_conflict` when another step wrote it in the same round; those of `act`.
    pub fn write<T>(
        &self,
        path: &str,
        (step, cell): (&str, u32),
        round: u64,
        act: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match log.get(path) {
            Some(last) if last.round == round && last.step.as_ref() != step => {
                let message =
                    format!("steps {} and {step} both write `{}` in cycle {round}", last.step, shorten(path));
                let rounds = "make the path of the loop's element, or let the loop carry a value, so that its rounds \
                              come one after the other";
                let steps = "give each its own path, or order one after the other with `@after`";
                let help = if flow(&last.step) == flow(step) { rounds } else { steps };
                Err(Failure::new(FailureKind::WriteConflict, message).with_help(help).at(path, None))
            }
            Some(last) if last.round == round && last.cell > cell => Ok(None),
            _ => {
                log.insert(Arc::from(path), Writer { step: Arc::from(step), cell, round });
                act().map(Some)
            }
        }
    }

    /// Notes that a cell of a step writes a file in a round, before it does.
    ///
    /// # Errors
    /// `write_conflict` when another step wrote it in the same round.
    pub fn note(&self, path: &str, who: (&str, u32), round: u64) -> Result<(), Failure> {
        self.write(path, who, round, || Ok(())).map(|_| ())
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
        let note = |path: &str, step: &str, round: u64| log.note(path, (step, 0), round);
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
    fn the_last_cell_is_who_wrote_it() {
        let log = WriteLog::new();
        let wrote = |cell: u32, round: u64| log.write("o", ("1.1", cell), round, || Ok(cell)).unwrap();
        assert_eq!(
            [wrote(1, 1), wrote(0, 1), wrote(3, 1), wrote(2, 1), wrote(3, 1)],
            [Some(1), None, Some(3), None, Some(3)]
        );
        assert_eq!(wrote(0, 2), Some(0));
    }
}
