//! The mailbox of a run: who may use the folder, and the thread that watches it.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;
use rustix::fs::{FlockOperation, flock};

use super::super::posted::{Given, Posted};
use super::super::reception::{Desk, Note, Waiting};
use super::folder::{Folder, stem};
use super::watch::{Command, Folders, Watcher};

/// The file that is locked.
pub(super) const LOCK: &str = "LOCK";
/// How often, and how long between, a lock is tried.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(3);

/// Why a folder cannot be used as a mailbox, or an answer not be put into it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// The folder is not to be trusted, or cannot be used.
    #[error("the mailbox cannot be used: {0}")]
    Folder(String),
    /// Another run uses it.
    #[error("run {run} uses the mailbox {}", path.display())]
    InUse {
        /// That run.
        run: String,
        /// The folder.
        path: PathBuf,
    },
    /// The run does not use it.
    #[error("the run does not use the mailbox {}", path.display())]
    Unused {
        /// The folder.
        path: PathBuf,
    },
    /// An answer does not fit.
    #[error("{0}")]
    Refused(String),
}

impl MailboxError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::InUse { .. } => Some("give every run a mailbox of its own".to_owned()),
            Self::Folder(_) | Self::Unused { .. } | Self::Refused(_) => None,
        }
    }
}

/// The mailbox of a run. Its requests vanish with it.
pub struct Mailbox {
    waiting: Waiting,
    /// What the thread will need; none once it has begun.
    watcher: Option<Watcher>,
    commands: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Mailbox {
    /// Takes a folder as the mailbox of a run; it is made if it is not there. `base` is where relative paths in answers
    /// stand; `note` is told what nobody asked for.
    ///
    /// Answers that were put here for another run are moved to `late`, those it has taken to `earlier`. What the same run
    /// left behind when it was killed still counts.
    ///
    /// # Errors
    /// When the folder is a link, others may write to it, or another run uses it.
    pub fn open(
        dir: &Path,
        run: &str,
        base: &Path,
        given: Sender<Given>,
        note: Note,
    ) -> Result<Self, MailboxError> {
        let root = Folder::make(dir).map_err(MailboxError::Folder)?;
        let sub = |name: &str| root.sub(name).map_err(MailboxError::Folder);
        let lock = Self::lock(&root, run)?;
        let (requests, answers) = (sub("requests")?, sub("answers")?);
        let folders =
            Folders { requests, answers, taken: sub("taken")?, messages: sub("messages")?, _lock: lock.file };
        let clear = || {
            for name in folders.requests.names()?.iter().filter(|name| stem(name, ".json").is_some()) {
                folders.requests.remove(name)?;
            }
            Ok(())
        };
        let failed = |error: std::io::Error| MailboxError::Folder(format!("{}: {error}", dir.display()));
        clear().map_err(failed)?;
        if lock.is_new {
            // What another run has taken must not be found again for a question of this one.
            put_aside(&folders.taken, &sub("earlier")?).map_err(failed)?;
            let late = put_aside(&folders.answers, &sub("late")?).map_err(failed)?;
            if late > 0 {
                let what = if late == 1 { "an answer" } else { "answers" };
                note(&format!("{} in {} were for another run: moved to late", what, dir.display()));
            }
        }
        let waiting = Waiting::default();
        let watcher = Watcher::new(folders, run, base, given, note, waiting.clone()).map_err(failed)?;
        Ok(Self { waiting, watcher: Some(watcher), commands: None, thread: None })
    }

    fn lock(root: &Folder, run: &str) -> Result<Lock, MailboxError> {
        let path = || root.path().to_path_buf();
        let failed = |error: std::io::Error| MailboxError::Folder(format!("{}: {error}", path().display()));
        let mut file = root.lock_file(LOCK, true).map_err(failed)?;
        let mut before = String::new();
        // Whoever puts an answer here looks at the lock for a moment; that is waited for.
        let locked = (0..TRIES).any(|_| {
            let locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if !locked {
                std::thread::sleep(PAUSE);
            }
            locked
        });
        // It is a name in a file: more than that is not read.
        let _ = Read::by_ref(&mut file).take(200).read_to_string(&mut before);
        let before = before.trim();
        if !locked {
            return Err(MailboxError::InUse { run: before.to_owned(), path: path() });
        }
        let is_new = !before.is_empty() && before != run;
        let write = |file: &mut std::fs::File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(format!("{run}\n").as_bytes())
        };
        write(&mut file).map_err(failed)?;
        Ok(Lock { file, is_new })
    }

    fn tell(&mut self, command: Command) {
        if let Some(mut watcher) = self.watcher.take() {
            let (command_in, commands) = crossbeam_channel::unbounded();
            let thread = std::thread::Builder::new().name("mailbox".to_owned());
            match thread.spawn(move || watcher.run(&commands)) {
                Ok(thread) => (self.commands, self.thread) = (Some(command_in), Some(thread)),
                Err(_) => self.waiting.close(),
            }
        }
        if let Some(commands) = &self.commands
            && commands.send(command).is_err()
        {
            self.waiting.close();
        }
    }
}

struct Lock {
    file: std::fs::File,
    /// Another run had the folder before.
    is_new: bool,
}

/// Moves everything that stands among the answers away; how many answers there were.
fn put_aside(answers: &Folder, aside: &Folder) -> std::io::Result<usize> {
    let mut count = 0;
    for name in answers.names()? {
        if stem(&name, ".refused.json").is_some() || stem(&name, ".error.txt").is_some() {
            answers.remove(&name)?;
        } else if stem(&name, ".json").is_some() {
            answers.move_to(&name, aside)?;
            count += 1;
        }
    }
    Ok(count)
}

impl Desk for Mailbox {
    fn open(&mut self, question: &Arc<Posted>) -> bool {
        if question.asked.kind.is_message() {
            self.tell(Command::Say(Arc::clone(question)));
        } else if self.waiting.add(&question.id) {
            self.tell(Command::Open(Arc::clone(question)));
        }
        false
    }

    fn withdraw(&mut self, id: &str) {
        self.waiting.remove(id);
        if self.commands.is_some() {
            self.tell(Command::Withdraw(Arc::from(id)));
        }
    }

    fn waits(&self) -> bool {
        self.waiting.any()
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        // The thread takes the requests away when nobody can tell it anything any more.
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
