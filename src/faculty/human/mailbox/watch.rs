//! The thread of a mailbox: writes requests, looks for answers, takes them. Every answer file is moved away before it
//! counts, so that none is taken twice, whoever else writes into the folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::super::posted::{Given, Posted};
use super::super::reception::{Note, Waiting};
use super::super::validate::validate;
use super::folder::{Folder, Found, stem};
use super::letters::{Unread, read_answer, refusal_file, request_file};
use super::names::file_name;
use crate::base::Digest;

/// How often answers are looked for.
const PERIOD: Duration = Duration::from_millis(120);
/// A file that cannot be read is complained of when it has not changed for so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the thread is told.
pub(super) enum Command {
    /// A question.
    Open(Arc<Posted>),
    /// A message.
    Say(Arc<Posted>),
    /// A question that is answered elsewhere.
    Withdraw(Arc<str>),
}

/// The folders of a mailbox.
pub(super) struct Folders {
    pub(super) requests: Folder,
    pub(super) answers: Folder,
    pub(super) taken: Folder,
    pub(super) messages: Folder,
    /// Held as long as it is open.
    pub(super) _lock: File,
}

/// A question that is open here.
struct Open {
    question: Arc<Posted>,
    /// A file that cannot be read yet.
    doubt: Option<Doubt>,
}

/// What is wrong with an answer file, since when, and whether that has been said.
struct Doubt {
    content: Result<Digest, String>,
    since: Instant,
    told: bool,
}

pub(super) struct Watcher {
    folders: Folders,
    run: String,
    base: PathBuf,
    given: Sender<Given>,
    note: Note,
    waiting: Waiting,
    /// Open questions by the name of their files.
    open: BTreeMap<String, Open>,
    messages: u64,
    /// When the mailbox was opened, in milliseconds since 1970.
    opened_at: u64,
    /// The folder cannot be read, and that has been said.
    is_blind: bool,
}

impl Watcher {
    pub(super) fn new(
        folders: Folders,
        run: &str,
        base: &Path,
        given: Sender<Given>,
        note: Note,
        waiting: Waiting,
    ) -> io::Result<Self> {
        let number = |name: &String| name.split('-').next()?.parse::<u64>().ok();
        let messages = folders.messages.names()?.iter().filter_map(number).max().unwrap_or(0);
        let (run, base, open) = (run.to_owned(), base.to_path_buf(), BTreeMap::new());
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let opened_at = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Ok(Self { folders, run, base, given, note, waiting, open, messages, opened_at, is_blind: false })
    }

    pub(super) fn run(&mut self, commands: &Receiver<Command>) {
        let mut looked = Instant::now();
        loop {
            let command = if self.open.is_empty() {
                commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                commands.recv_timeout(PERIOD.saturating_sub(looked.elapsed()))
            };
            match command {
                Ok(Command::Open(question)) => self.post(question),
                Ok(Command::Say(message)) => self.say(&message),
                Ok(Command::Withdraw(id)) => self.withdraw(&id),
                Err(RecvTimeoutError::Timeout) => {
                    self.look();
                    looked = Instant::now();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let open: Vec<Arc<str>> = self.open.values().map(|open| Arc::clone(&open.question.id)).collect();
        open.iter().for_each(|id| self.withdraw(id));
    }

    fn complain(&self, what: &str, error: &io::Error) {
        (self.note)(&format!("mailbox {}: {what}: {error}", self.folders.requests.path().display()));
    }

    fn post(&mut self, question: Arc<Posted>) {
        let name = file_name(&question.id);
        self.recover(&question, &name);
        let request = request_file(&question, &self.run, &name);
        match self.folders.requests.write(&format!("{name}.json"), &request) {
            Ok(()) => drop(self.open.insert(name, Open { question, doubt: None })),
            Err(error) => {
                self.complain(&format!("question {} cannot be written", question.id), &error);
                self.waiting.remove(&question.id);
            }
        }
    }

    /// Puts back an answer that an earlier process of the run took and did not live to write down: its question was asked
    /// before this process began, is asked again, and the answer was taken since.
    fn recover(&self, question: &Posted, name: &str) {
        let file = format!("{name}.json");
        let taken = self.folders.taken.changed(&file);
        if question.asked_at < self.opened_at && taken.is_some_and(|at| at >= question.asked_at) {
            // A newer answer in its place is the one that counts.
            let _ = self.folders.taken.move_if_free(&file, &self.folders.answers);
        }
    }

    fn say(&mut self, message: &Posted) {
        self.messages += 1;
        let name = file_name(&message.id);
        let mut map = message.to_json();
        map.insert("run".to_owned(), self.run.as_str().into());
        let text = format!("{:#}\n", serde_json::Value::Object(map));
        let file = format!("{:06}-{name}.json", self.messages);
        if let Err(error) = self.folders.messages.write(&file, text.as_bytes()) {
            self.complain("a message cannot be written", &error);
        }
    }

    fn withdraw(&mut self, id: &str) {
        let name = file_name(id);
        if self.open.remove(&name).is_some() {
            self.clear(&name);
        }
    }

    /// Takes away what belongs to a question that is open no more.
    fn clear(&self, name: &str) {
        let request = self.folders.requests.remove(&format!("{name}.json"));
        if let Err(error) = request {
            self.complain("a request cannot be removed", &error);
        }
        let _ = self.folders.answers.remove(&format!("{name}.error.txt"));
        let _ = self.folders.answers.remove(&format!("{name}.refused.json"));
    }

    fn look(&mut self) {
        let names = match self.folders.answers.names() {
            Ok(names) => names,
            Err(error) => {
                if !std::mem::replace(&mut self.is_blind, true) {
                    self.complain("answers cannot be read", &error);
                }
                return;
            }
        };
        self.is_blind = false;
        for file in names {
            if let Some(name) = stem(&file, ".json").filter(|name| self.open.contains_key(*name)) {
                self.consider(name, &file);
            }
        }
    }

    /// Looks at an answer file, and takes it if it is whole.
    fn consider(&mut self, name: &str, file: &str) {
        match self.folders.answers.read(file) {
            Found::Missing => {}
            Found::Unfit(why) => self.doubt(name, Err(why.clone()), &why),
            Found::Bytes(bytes) => match read_answer(&bytes) {
                Ok(_) | Err(Unread::Refused(_)) => self.take(name, file),
                Err(Unread::Unfinished(why)) => self.doubt(name, Ok(Digest::of(&bytes)), &why),
            },
        }
    }

    /// A file that cannot be read may become better; after a while its writer is told.
    fn doubt(&mut self, name: &str, content: Result<Digest, String>, why: &str) {
        let Some(open) = self.open.get_mut(name) else { return };
        let doubt = match &mut open.doubt {
            Some(doubt) if doubt.content == content => doubt,
            other => other.insert(Doubt { content, since: Instant::now(), told: false }),
        };
        if !doubt.told && doubt.since.elapsed() >= PATIENCE {
            doubt.told = true;
            let text = format!("{why}\nThe question {} waits for answers/{name}.json.\n", open.question.id);
            let _ = self.folders.answers.write(&format!("{name}.error.txt"), text.as_bytes());
        }
    }

    /// Moves an answer away and reads it there: what is read is what was moved, and nobody finds it again.
    fn take(&mut self, name: &str, file: &str) {
        if self.folders.answers.move_to(file, &self.folders.taken).is_err() {
            return;
        }
        let Found::Bytes(bytes) = self.folders.taken.read(file) else { return };
        let answer = match read_answer(&bytes) {
            // Another file took its place in between, and is not whole yet.
            Err(Unread::Unfinished(_)) => {
                if !self.folders.taken.move_if_free(file, &self.folders.answers).unwrap_or(false) {
                    let _ = self.folders.taken.remove(file);
                }
                return;
            }
            Err(Unread::Refused(why)) => Err(why),
            Ok(answer) => Ok(answer),
        };
        let Some(open) = self.open.get_mut(name) else { return };
        open.doubt = None;
        let question = Arc::clone(&open.question);
        match answer.and_then(|answer| validate(&question, &answer, &self.base)) {
            Ok(value) => {
                self.open.remove(name);
                self.clear(name);
                // The run has ended when nobody takes it.
                let _ = self.given.send((Arc::clone(&question.id), value));
            }
            Err(reason) => {
                let refusal = refusal_file(&question, &reason, &bytes);
                let _ = self.folders.answers.write(&format!("{name}.refused.json"), &refusal);
                let _ = self.folders.answers.remove(&format!("{name}.error.txt"));
                let _ = self.folders.taken.remove(file);
            }
        }
    }
}
