//! Why a cassette cannot be used: its file. Knows no calls.

use std::io;
use std::path::{Path, PathBuf};

use crate::faculty::{Failure, FailureKind};

/// A file of a cassette that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CassetteError {
    /// There is nothing to replay.
    #[error("there is no cassette `{}`", path.display())]
    Missing {
        /// The cassette.
        path: PathBuf,
    },
    /// Another run records into it.
    #[error("another run is recording into the cassette `{}`", path.display())]
    Locked {
        /// The cassette.
        path: PathBuf,
    },
    /// A line that is no recording.
    #[error("{}:{line} is no recording: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// What is wrong with it.
        what: String,
        /// What to do.
        help: String,
    },
    /// It was recorded by a later normc.
    #[error("{}:{line} has the version {version}, newer than what this normc reads", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// Its version.
        version: u64,
    },
    /// It is no file, or larger than a cassette may be.
    #[error("the cassette `{}` {what}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The system refused.
    #[error("cannot {act} `{}`: {reason}", path.display())]
    Io {
        /// What was to be done.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// The kind of error.
        kind: io::ErrorKind,
        /// Its words.
        reason: String,
    },
}

impl CassetteError {
    pub(super) fn io(act: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::Io { act, path: path.to_owned(), kind: error.kind(), reason: error.to_string() }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Missing { .. } => "record one: `--cassette record`".to_owned(),
            Self::Locked { .. } => "wait for it to end, or give this run another cassette".to_owned(),
            Self::Damaged { help, .. } => help.clone(),
            Self::Newer { .. } => "update normc, or record the plan into a new cassette".to_owned(),
            Self::Unfit { .. } => "name a file made by `--cassette record`".to_owned(),
            Self::Io { .. } => "name a cassette in a folder that you can write to".to_owned(),
        }
    }
}

/// The same as the failure of a call.
impl From<CassetteError> for Failure {
    fn from(error: CassetteError) -> Self {
        let kind = match &error {
            CassetteError::Missing { .. } => FailureKind::FileNotFound,
            CassetteError::Unfit { .. } => FailureKind::BadPath,
            CassetteError::Damaged { .. } | CassetteError::Newer { .. } => FailureKind::BadConfiguration,
            CassetteError::Locked { .. } | CassetteError::Io { .. } => FailureKind::IoError,
        };
        Failure::new(kind, error.to_string()).with_help(error.help())
    }
}
