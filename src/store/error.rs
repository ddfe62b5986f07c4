//! What can go wrong with a stored run: each error says what and where, and its help says what to do (durability
//! spec, sections 3 to 6). Knows neither diagnostics nor how they are shown.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::lock::Holder;

/// What the system says when the last part of a path is a link.
const LOOP: i32 = Errno::LOOP.raw_os_error();

/// Why the store cannot do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The system refused to read or write (exit code 74).
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Io {
        /// What was tried, as it stands after "cannot".
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// There is no space left, or none that this user may take (exit code 74).
    #[error("cannot {doing} `{}`: the disk is full", path.display())]
    Full {
        /// What was tried, as it stands after "cannot".
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
    },
    /// Another process works on the run (exit code 73).
    #[error("run `{run}` is in use{}", by(holder.as_ref()))]
    Locked {
        /// The run id.
        run: String,
        /// Who has it, where that could be read.
        holder: Option<Holder>,
    },
    /// There is no such run (exit code 66).
    #[error("there is no {what}")]
    NotFound {
        /// What was looked for, with its name in backticks.
        what: String,
        /// A name near enough to be meant.
        near: Option<String>,
    },
    /// More than one run begins like that (exit code 66).
    #[error("`{prefix}` is the beginning of {} run ids", runs.len())]
    Ambiguous {
        /// What was given.
        prefix: String,
        /// The ids that begin with it.
        runs: Vec<String>,
    },
    /// Written by a normc with another format (exit code 65).
    #[error("`{}` was written by another version of normc: it holds {found}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// What was found there.
        found: String,
    },
    /// The file or directory cannot be trusted (exit code 65).
    #[error("`{}` is refused: {why}", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The run's files are damaged (exit code 65).
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// An earlier write failed, so nothing more is written (exit code 74).
    #[error("nothing more is written to the journal: an earlier write to it failed")]
    Poisoned,
}

/// A place in a file that does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file; one that is missing is named too.
    pub file: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// What is wrong, as a clause.
    pub problem: String,
    /// The number of the last good frame before the place; 0 when there is none.
    pub last_good: u64,
    /// The number of a good frame after it.
    pub next_good: Option<u64>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is damaged", self.file.display())?;
        if self.offset > 0 {
            write!(f, " at byte {}", self.offset)?;
        }
        write!(f, ": {}", self.problem)?;
        if self.last_good > 0 {
            write!(f, "; the last good record before it is {}", self.last_good)?;
        }
        if let Some(next) = self.next_good {
            write!(f, "; the next good record after it is {next}")?;
        }
        Ok(())
    }
}

fn by(holder: Option<&Holder>) -> String {
    holder
        .filter(|holder| holder.pid > 0)
        .map(|holder| format!(" by process {}", holder.pid))
        .unwrap_or_default()
}

impl StoreError {
    /// An error of the system, told apart by what it means for the user.
    pub fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { doing, path },
            _ if source.raw_os_error() == Some(LOOP) => {
                Self::Refused { path, why: "it is a link, and the store follows none".to_owned() }
            }
            _ => Self::Io { doing, path, source: Arc::new(source) },
        }
    }

    /// There is no run of that id.
    pub(super) fn not_found(id: &str, near: Option<String>) -> Self {
        Self::NotFound { what: format!("run `{id}`"), near }
    }

    /// A file or directory that is not to be trusted.
    pub(super) fn refused(path: &Path, why: impl Into<String>) -> Self {
        Self::Refused { path: path.to_owned(), why: why.into() }
    }

    /// A file that does not hold what it should, outside the journal.
    pub(super) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        let file = path.to_owned();
        Self::Damaged(Box::new(Damage {
            file,
            offset: 0,
            problem: problem.into(),
            last_good: 0,
            next_good: None,
        }))
    }

    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    "give this user the right to read and write there, or name another store with `--store DIR`"
                        .to_owned()
                }
                io::ErrorKind::ReadOnlyFilesystem => {
                    "the disk is read-only: name a store on another one with `--store DIR`".to_owned()
                }
                io::ErrorKind::AlreadyExists => return None,
                _ => "see whether the disk is in order; then go on with `normc exec --resume RUN`".to_owned(),
            },
            Self::Full { .. } => "free some space (`normc runs gc --keep 10` removes old runs), then go on with \
                                  `normc exec --resume RUN`: nothing that was finished runs again"
                .to_owned(),
            Self::Locked { holder: Some(holder), .. } if holder.pid > 0 => {
                if holder.is_from_elsewhere() {
                    format!(
                        "process {} runs on another machine, or ran before this one was started anew: wait until it ends",
                        holder.pid
                    )
                } else {
                    format!("wait until it ends, or stop it with `kill {}`", holder.pid)
                }
            }
            Self::Locked { .. } => "wait until the other process ends".to_owned(),
            Self::NotFound { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::NotFound { .. } => "`normc runs` lists the runs of a store; `--store DIR` names another store".to_owned(),
            Self::Ambiguous { runs, .. } => {
                let shown: Vec<String> = runs.iter().take(5).map(|run| format!("`{run}`")).collect();
                let more = if runs.len() > shown.len() { ", ..." } else { "" };
                format!("write more of the id: {}{more}", shown.join(", "))
            }
            Self::Newer { .. } => "use the version of normc that wrote it, or a newer one".to_owned(),
            Self::Refused { .. } => "a run belongs to one user and lies in directories only that user can write to \
                                     (mode 0700), without links; copy it to such a place, or start a new run"
                .to_owned(),
            Self::Damaged(_) => "`normc runs verify RUN` says what is whole; `normc runs repair RUN --to NEWDIR` copies \
                                 everything before the damage to a new place"
                .to_owned(),
            Self::Poisoned => "go on with `normc exec --resume RUN`, which reads everything again".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_link_have_errors_of_their_own() {
        let path = Path::new("a/b");
        let full = StoreError::io("write", path, io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.to_string(), "cannot write `a/b`: the disk is full");
        assert!(full.help().unwrap().contains("--resume"));
        let quota = StoreError::io("write", path, io::Error::from(io::ErrorKind::QuotaExceeded));
        assert!(matches!(quota, StoreError::Full { .. }));
        let link = StoreError::io("open", path, io::Error::from(Errno::LOOP));
        assert_eq!(link.to_string(), "`a/b` is refused: it is a link, and the store follows none");
    }

    #[test]
    fn messages_read_well() {
        let holder = Holder { pid: 42, started: 0, boot: crate::store::lock::boot_id() };
        let locked = StoreError::Locked { run: "01A".to_owned(), holder: Some(holder) };
        assert_eq!(locked.to_string(), "run `01A` is in use by process 42");
        assert_eq!(locked.help().unwrap(), "wait until it ends, or stop it with `kill 42`");
        let unknown = StoreError::Locked { run: "01A".to_owned(), holder: None };
        assert_eq!(unknown.to_string(), "run `01A` is in use");
        let damage = Damage {
            file: "j/1.ncj".into(),
            offset: 80,
            problem: "the checksum does not fit".to_owned(),
            last_good: 3,
            next_good: Some(5),
        };
        assert_eq!(
            StoreError::Damaged(Box::new(damage)).to_string(),
            "`j/1.ncj` is damaged at byte 80: the checksum does not fit; the last good record before it is 3; \
             the next good record after it is 5"
        );
        let runs: Vec<String> = (0..7).map(|n| format!("01A{n}")).collect();
        let many = StoreError::Ambiguous { prefix: "01".to_owned(), runs };
        assert_eq!(many.to_string(), "`01` is the beginning of 7 run ids");
        assert!(many.help().unwrap().ends_with("`01A4`, ..."));
        let none = StoreError::NotFound { what: "run `x`".to_owned(), near: Some("y".to_owned()) };
        assert_eq!(
            (none.to_string(), none.help()),
            ("there is no run `x`".into(), Some("did you mean `y`?".into()))
        );
    }
}
