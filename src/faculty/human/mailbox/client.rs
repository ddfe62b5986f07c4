//! The other side of a mailbox: reads its requests and puts an answer into it. Knows no run directory.

use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde_json::Value as Json;

use super::super::posted::Posted;
use super::super::validate::validate;
use super::desk::{LOCK, MailboxError};
use super::folder::{Folder, Found, stem};
use super::letters::{answer_file, read_request};
use super::names::file_name;

/// A mailbox, for whoever answers.
pub struct Letterbox {
    requests: Folder,
    answers: Folder,
    base: PathBuf,
}

impl Letterbox {
    /// Opens the mailbox of a run that uses it now. `base` is where relative paths in answers stand.
    ///
    /// # Errors
    /// When there is none, it is not to be trusted, or the run does not use it.
    pub fn open(dir: &Path, run: &str, base: &Path) -> Result<Self, MailboxError> {
        let root = Folder::open(dir).map_err(MailboxError::Folder)?;
        let unused = || MailboxError::Unused { path: dir.to_path_buf() };
        let mut lock = root.lock_file(LOCK, false).map_err(|_| unused())?;
        let mut user = String::new();
        let read = Read::by_ref(&mut lock).take(200).read_to_string(&mut user);
        let is_free = flock(&lock, FlockOperation::NonBlockingLockShared).is_ok();
        if is_free || read.is_err() || user.trim() != run {
            return Err(unused());
        }
        let sub = |name: &str| root.sub(name).map_err(MailboxError::Folder);
        Ok(Self { requests: sub("requests")?, answers: sub("answers")?, base: base.to_path_buf() })
    }

    /// The questions that are open in it, by id.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open_questions(&self) -> Result<Vec<Posted>, MailboxError> {
        let names = self.requests.names();
        let names = names.map_err(|error| MailboxError::Folder(error.to_string()))?;
        let read = |name: &String| {
            stem(name, ".json")?;
            match self.requests.read(name) {
                Found::Bytes(bytes) => read_request(&bytes),
                Found::Missing | Found::Unfit(_) => None,
            }
        };
        Ok(names.iter().filter_map(read).collect())
    }

    /// Puts an answer into it; the run takes it within a moment.
    ///
    /// # Errors
    /// When the answer does not fit, or cannot be written.
    pub fn put(&self, question: &Posted, answer: &Json) -> Result<(), MailboxError> {
        validate(question, answer, &self.base).map_err(MailboxError::Refused)?;
        let file = format!("{}.json", file_name(&question.id));
        self.answers
            .write(&file, &answer_file(answer))
            .map_err(|error| MailboxError::Folder(format!("{}: {error}", self.answers.path().display())))
    }
}
