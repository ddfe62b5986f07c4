//! Who has written which file: two steps must not write one file in one cycle, for which of them came last would decide
//! (semantics spec, section 14.4). Knows steps by a name only.

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
    round: u64,
}

impl WriteLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that a step writes a file in a round, before it does. The same step may write it again, as it does after
    /// a resume; `path` is what [`super::Root::written_path`] says.
    ///
    /// # Errors
    /// `write_conflict` when another step wrote it in the same round.
    pub fn note(&self, path: &str, step: &str, round: u64) -> Result<(), Failure> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match log.get(path) {
            Some(last) if last.round == round && last.step.as_ref() != step => {
                let message =
                    format!("steps {} and {step} both write `{}` in cycle {round}", last.step, shorten(path));
                Err(Failure::new(FailureKind::WriteConflict, message)
                    .with_help("give each its own path, or order one after the other with `@after`")
                    .at(path, None))
            }
            _ => {
                log.insert(Arc::from(path), Writer { step: Arc::from(step), round });
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_a_round() {
        let log = WriteLog::new();
        assert!(log.note("o/a", "1.1", 1).is_ok());
        assert!(log.note("o/a", "1.1", 1).is_ok());
        assert!(log.note("o/b", "1.2", 1).is_ok());
        let failure = log.note("o/a", "1.2", 1).unwrap_err();
        assert_eq!(failure.kind, FailureKind::WriteConflict);
        assert_eq!(failure.message, "steps 1.1 and 1.2 both write `o/a` in cycle 1");
        assert!(log.note("o/a", "1.2", 2).is_ok());
        assert_eq!(log.note("o/a", "1.1", 2).unwrap_err().kind, FailureKind::WriteConflict);
    }
}
